package bundle

import specs "github.com/opencontainers/runtime-spec/specs-go"

// minRuntime is the least a SCHED_DEADLINE runtime may be, in nanoseconds
// (sched(7), "Deadline scheduling").
const minRuntime = 1024

// scheduler checks what sched_setattr(2) would refuse with a bare EINVAL.
func (m *mistakes) scheduler(s *specs.Scheduler, at string) {
	if s == nil {
		return
	}
	at += "scheduler."
	switch s.Policy {
	case specs.SchedOther, specs.SchedFIFO, specs.SchedRR, specs.SchedBatch,
		specs.SchedISO, specs.SchedIdle, specs.SchedDeadline:
	case "":
		m.add(at+"policy", "missing")
		return
	default:
		m.addf(at+"policy", "unknown policy %q", s.Policy)
		return
	}
	if s.Nice < -20 || s.Nice > 19 {
		m.addf(at+"nice", "%d is out of range: -20 to 19", s.Nice)
	}
	m.priority(s, at)
	m.deadline(s, at)
	for i, f := range s.Flags {
		switch f {
		case specs.SchedFlagResetOnFork, specs.SchedFlagReclaim, specs.SchedFlagDLOverrun,
			specs.SchedFlagKeepPolicy, specs.SchedFlagKeepParams,
			specs.SchedFlagUtilClampMin, specs.SchedFlagUtilClampMax:
		default:
			m.addf(index(at+"flags", i), "unknown flag %q", f)
		}
	}
}

func (m *mistakes) priority(s *specs.Scheduler, at string) {
	realtime := s.Policy == specs.SchedFIFO || s.Policy == specs.SchedRR
	switch {
	case realtime && (s.Priority < 1 || s.Priority > 99):
		m.addf(at+"priority", "%d is out of range for %s: 1 to 99", s.Priority, s.Policy)
	case !realtime && s.Priority != 0:
		m.addf(at+"priority", "%s has no priorities, only SCHED_FIFO and SCHED_RR do", s.Policy)
	}
}

// deadline: runtime <= deadline <= period; a period of 0 is the deadline.
func (m *mistakes) deadline(s *specs.Scheduler, at string) {
	if s.Policy != specs.SchedDeadline {
		for _, f := range [...]struct {
			name  string
			value uint64
		}{{"runtime", s.Runtime}, {"deadline", s.Deadline}, {"period", s.Period}} {
			if f.value != 0 {
				m.addf(at+f.name, "only SCHED_DEADLINE has one, not %s", s.Policy)
			}
		}
		return
	}
	if s.Runtime < minRuntime {
		m.addf(at+"runtime", "%d ns is too little: at least %d", s.Runtime, minRuntime)
	}
	if s.Deadline < s.Runtime {
		m.addf(at+"deadline", "%d ns is less than the runtime, %d", s.Deadline, s.Runtime)
	}
	if s.Period != 0 && s.Period < s.Deadline {
		m.addf(at+"period", "%d ns is less than the deadline, %d", s.Period, s.Deadline)
	}
}

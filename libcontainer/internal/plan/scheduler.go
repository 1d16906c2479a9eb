package plan

import (
	"errors"
	"slices"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/linux/uapi"
)

// scheduler plans sched_setattr(2).
func (c *compiler) scheduler(p *specs.Process) {
	s := p.Scheduler
	if s == nil {
		return
	}
	policy := schedulerPolicy(s.Policy)
	if policy < 0 {
		c.wrong("process.scheduler.policy", errors.New("unknown policy "+strconv.Quote(string(s.Policy))))
		return
	}
	if s.Priority < 0 {
		c.wrong("process.scheduler.priority", errors.New("negative"))
		return
	}
	attr := &Scheduler{
		Policy: uint32(policy), Nice: s.Nice, Priority: uint32(s.Priority), //nolint:gosec // checked above
		Runtime: s.Runtime, Deadline: s.Deadline, Period: s.Period,
	}
	for i, name := range s.Flags {
		flag := schedulerFlag(name)
		if flag == 0 {
			c.wrong(index("process.scheduler.flags", i), errors.New("unknown flag "+strconv.Quote(string(name))))
		}
		attr.Flags |= flag
	}
	c.add(Step{Op: OpScheduler, Field: "process.scheduler", Scheduler: attr})
}

// forksLater: SCHED_DEADLINE forbids fork (sched(7)), which hooks need. Behind
// them the process must hold CAP_SYS_NICE, and its filter allow the call.
func (c *compiler) forksLater(p *specs.Process) bool {
	return p.Scheduler != nil && p.Scheduler.Policy == specs.SchedDeadline &&
		!slices.Contains(p.Scheduler.Flags, specs.SchedFlagResetOnFork) &&
		c.spec.Hooks != nil && len(c.spec.Hooks.StartContainer) > 0
}

func schedulerPolicy(p specs.LinuxSchedulerPolicy) int {
	switch p {
	case specs.SchedOther:
		return uapi.SCHED_OTHER
	case specs.SchedFIFO:
		return uapi.SCHED_FIFO
	case specs.SchedRR:
		return uapi.SCHED_RR
	case specs.SchedBatch:
		return uapi.SCHED_BATCH
	case specs.SchedISO:
		return uapi.SCHED_ISO
	case specs.SchedIdle:
		return uapi.SCHED_IDLE
	case specs.SchedDeadline:
		return uapi.SCHED_DEADLINE
	default:
		return -1
	}
}

func schedulerFlag(f specs.LinuxSchedulerFlag) uint64 {
	switch f {
	case specs.SchedFlagResetOnFork:
		return uapi.SCHED_FLAG_RESET_ON_FORK
	case specs.SchedFlagReclaim:
		return uapi.SCHED_FLAG_RECLAIM
	case specs.SchedFlagDLOverrun:
		return uapi.SCHED_FLAG_DL_OVERRUN
	case specs.SchedFlagKeepPolicy:
		return uapi.SCHED_FLAG_KEEP_POLICY
	case specs.SchedFlagKeepParams:
		return uapi.SCHED_FLAG_KEEP_PARAMS
	case specs.SchedFlagUtilClampMin:
		return uapi.SCHED_FLAG_UTIL_CLAMP_MIN
	case specs.SchedFlagUtilClampMax:
		return uapi.SCHED_FLAG_UTIL_CLAMP_MAX
	default:
		return 0
	}
}

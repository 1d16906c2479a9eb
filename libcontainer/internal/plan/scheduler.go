package plan

import (
	"errors"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/linux/uapi"
)

// scheduler plans sched_setattr(2). A parent that may calls it, when init is
// ready: no capability of a user namespace would do, and init would have to do
// its work in the little time that the policy may leave it. Without privilege a
// parent may not where init has another id: init does it, unless it is late.
func (c *compiler) scheduler(p *specs.Process, late bool) {
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
	if c.h.Nice && !late {
		c.plan.Scheduler = attr
		return
	}
	c.add(Step{Op: OpScheduler, Field: "process.scheduler", Scheduler: attr})
}

// Attr is s as the kernel takes it.
func (s *Scheduler) Attr() *unix.SchedAttr {
	return &unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: s.Policy, Flags: s.Flags, Nice: s.Nice, Priority: s.Priority,
		Runtime: s.Runtime, Deadline: s.Deadline, Period: s.Period,
	}
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

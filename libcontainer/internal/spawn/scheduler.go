package spawn

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/linux/uapi"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// SetScheduler gives the child its scheduling, if the plan leaves that to us.
func (c *Child) SetScheduler(s *plan.Scheduler) error {
	if s == nil {
		return nil
	}
	err := unix.SchedSetAttr(c.Pid, s.Attr(), 0)
	if err == nil {
		return nil
	}
	return &fault.Error{
		Op: "set scheduler", Field: "process.scheduler",
		Err: os.NewSyscallError("sched_setattr", err), Hint: schedulerHint(s.Policy, err),
	}
}

// schedulerHint: CAP_SYS_NICE is not all that is needed
// (Documentation/scheduler/sched-rt-group.rst, sched-deadline.rst).
func schedulerHint(policy uint32, err error) string {
	switch {
	case errors.Is(err, unix.EBUSY):
		return "the CPUs have no such time left"
	case !errors.Is(err, unix.EPERM):
		return ""
	case policy == uapi.SCHED_DEADLINE:
		return "SCHED_DEADLINE needs all CPUs of the machine, or an exclusive cpuset"
	case policy == uapi.SCHED_FIFO || policy == uapi.SCHED_RR:
		return "on cgroup v1 it needs time of its own: linux.resources.cpu.realtimeRuntime"
	default:
		return ""
	}
}

package plan

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/linux/uapi"
)

// ioPriority plans ioprio_set(2).
func (c *compiler) ioPriority(p *specs.Process) {
	if p.IOPriority == nil {
		return
	}
	const field = "process.ioPriority"
	class, ok := ioClass(p.IOPriority.Class)
	if !ok {
		c.wrong(field+".class", fmt.Errorf("unknown class %q", p.IOPriority.Class))
		return
	}
	level := p.IOPriority.Priority
	if level < 0 || level > uapi.IOPRIO_LEVEL_MASK {
		c.wrong(field+".priority", fmt.Errorf("%d is out of range: 0 to %d", level, uapi.IOPRIO_LEVEL_MASK))
		return
	}
	c.add(Step{Op: OpIOPriority, Field: field, Flags: class<<uapi.IOPRIO_CLASS_SHIFT | uint64(level)})
}

func ioClass(name specs.IOPriorityClass) (uint64, bool) {
	switch name {
	case specs.IOPRIO_CLASS_RT:
		return uapi.IOPRIO_CLASS_RT, true
	case specs.IOPRIO_CLASS_BE:
		return uapi.IOPRIO_CLASS_BE, true
	case specs.IOPRIO_CLASS_IDLE:
		return uapi.IOPRIO_CLASS_IDLE, true
	default:
		return 0, false
	}
}

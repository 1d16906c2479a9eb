package libcontainer

import (
	"errors"
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// refused names the fields that this version does not honour yet: a container
// without what its configuration asks for is worse than none.
func refused(spec *specs.Spec) error {
	l := spec.Linux
	if l == nil {
		return nil
	}
	var list fault.List
	refuse := func(there bool, field string) {
		if there {
			list = append(list, fault.Invalid(field, errNotHonoured()))
		}
	}
	refuse(l.IntelRdt != nil, "linux.intelRdt")
	refuse(len(l.NetDevices) > 0, "linux.netDevices")
	if s := l.Seccomp; s != nil {
		refuse(s.ListenerPath != "", "linux.seccomp.listenerPath")
		refuse(s.DefaultAction == specs.ActNotify, "linux.seccomp.defaultAction")
		for i := range s.Syscalls {
			refuse(s.Syscalls[i].Action == specs.ActNotify, fmt.Sprintf("linux.seccomp.syscalls[%d].action", i))
		}
	}
	if err := refusedProcess(spec.Process); err != nil {
		list = append(list, err)
	}
	return list.Err()
}

// refusedProcess is refused for a process, of an exec, too.
func refusedProcess(p *specs.Process) error {
	if p == nil || p.ExecCPUAffinity == nil {
		return nil
	}
	return fault.Invalid("process.execCPUAffinity", errNotHonoured())
}

func errNotHonoured() error { return errors.New("not honoured by this version of rung") }

package libcontainer

import (
	"errors"

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
			list = append(list, fault.Invalid(field, errors.New("not honoured by this version of rung")))
		}
	}
	refuse(l.IntelRdt != nil, "linux.intelRdt")
	refuse(len(l.NetDevices) > 0, "linux.netDevices")
	if s := l.Seccomp; s != nil {
		refuse(s.ListenerPath != "", "linux.seccomp.listenerPath")
		refuse(s.DefaultAction == specs.ActNotify, "linux.seccomp.defaultAction")
		for _, call := range s.Syscalls {
			refuse(call.Action == specs.ActNotify, "linux.seccomp.syscalls.action")
		}
	}
	refuse(spec.Process != nil && spec.Process.ExecCPUAffinity != nil, "process.execCPUAffinity")
	return list.Err()
}

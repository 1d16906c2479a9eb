package libcontainer

import (
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/rung-run/rung/libcontainer/internal/bundle"
)

// sharedSysctls refuses kernel parameters of a namespace that is given by its
// path, and is no other than ours: validation, which looks at no file, takes it
// for the container's.
func sharedSysctls(spec *specs.Spec) error {
	return bundle.SharedSysctls(spec, ownNamespace).Err()
}

// ownNamespace tells whether the path leads to the namespace we are in. One
// that cannot be looked at is refused where it is joined.
func ownNamespace(ns specs.LinuxNamespace) bool {
	own := ""
	switch ns.Type {
	case specs.NetworkNamespace:
		own = "/proc/self/ns/net"
	case specs.IPCNamespace:
		own = "/proc/self/ns/ipc"
	case specs.UTSNamespace:
		own = "/proc/self/ns/uts"
	default: // the others have no parameters
		return false
	}
	theirs, err := os.Stat(ns.Path)
	if err != nil {
		return false
	}
	ours, err := os.Stat(own)
	return err == nil && os.SameFile(theirs, ours)
}

//go:build !cgo || noseccomp

package seccomp

import (
	"errors"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Version is "": libseccomp is not linked.
func Version() string { return "" }

// Compile refuses: without libseccomp nobody knows the names of system calls,
// and a container must not start without the filter it was to have.
func Compile(*specs.LinuxSeccomp) (*Program, error) {
	return nil, errors.New("this build has no seccomp support (it was made without libseccomp)")
}

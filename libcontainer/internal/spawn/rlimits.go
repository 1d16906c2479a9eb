package spawn

import (
	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"golang.org/x/sys/unix"
)

// SetRlimits sets the child's resource limits with prlimit(2).
func (c *Child) SetRlimits(limits []plan.Rlimit) error {
	for _, l := range limits {
		err := unix.Prlimit(c.Pid, l.Type, &unix.Rlimit{Cur: l.Soft, Max: l.Hard}, nil)
		if err != nil {
			return &fault.Error{Op: "set rlimit", Field: l.Field, Err: err, Hint: rlimitHint(err)}
		}
	}
	return nil
}

func rlimitHint(err error) string {
	if err == unix.EPERM { //nolint:errorlint // Prlimit returns a bare errno
		return "raising a hard limit needs CAP_SYS_RESOURCE"
	}
	return ""
}

package initproc

import (
	"os"

	"golang.org/x/sys/unix"
)

// restoreHugePages ends what the bootstrap began. By now the Go runtime has
// touched the memory that it will use, so it stays in small pages; a hook and
// the program, which inherit the switch (PR_SET_THP_DISABLE(2const)), must not
// find it thrown.
func (p *initProcess) restoreHugePages() error {
	if !p.in.HugePages {
		return nil
	}
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_THP_DISABLE, 0, 0, 0, 0))
}

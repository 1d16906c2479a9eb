package rootfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
)

// BindConsole binds the container's terminal on /dev/console. pty is the open
// slave, from TIOCGPTPEER of its master: no path leads to it, so none can be
// swapped on the way (CVE-2025-52565). A symlink at the destination is refused.
func (r *Root) BindConsole(pty *os.File) error {
	const console = "/dev/console"
	dir, name, err := linux.CreateParent(r.dir, console)
	if err != nil {
		return err
	}
	defer dir.Close()
	err = unix.Mknodat(int(dir.Fd()), name, unix.S_IFREG|0o600, 0)
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return &os.PathError{Op: "create", Path: console, Err: err}
	}
	at, err := openEntry(dir, name, console)
	if err != nil {
		return err
	}
	defer at.Close()
	return r.bindHandle(pty, at)
}

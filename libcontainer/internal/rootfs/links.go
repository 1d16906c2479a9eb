package rootfs

import (
	"errors"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
)

// ptmx is a link into the container's own devpts, whatever an image or the
// host's /dev has there (Documentation/filesystems/devpts.rst).
const ptmx = "/dev/ptmx"

// link makes a symbolic link. What is there already stays, as images may have
// their reasons, except for ptmx.
func (r *Root) link(dest, value string) error {
	dir, name, err := linux.CreateParent(r.dir, dest)
	if err != nil {
		return err
	}
	defer dir.Close()
	fd := int(dir.Fd())
	err = unix.Symlinkat(value, fd, name)
	if errors.Is(err, unix.EEXIST) {
		if path.Clean("/"+dest) != ptmx || leadsTo(fd, name, value) {
			return nil
		}
		if err := unix.Unlinkat(fd, name, 0); err != nil {
			return &os.PathError{Op: "unlink", Path: dest, Err: err}
		}
		err = unix.Symlinkat(value, fd, name)
	}
	if err != nil {
		return &os.PathError{Op: "symlink", Path: dest, Err: err}
	}
	return nil
}

func leadsTo(dir int, name, value string) bool {
	buf := make([]byte, len(value)+1)
	n, err := unix.Readlinkat(dir, name, buf)
	return err == nil && string(buf[:n]) == value
}

package rootfs

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// device makes a node. Its directory is resolved inside the root, so an image
// whose /dev is a symlink gets the node where the link leads in there, never
// outside (CVE-2026-41579).
func (r *Root) device(dest string, d *plan.Device) error {
	dir, name, err := linux.CreateParent(r.dir, dest)
	if err != nil {
		return err
	}
	defer dir.Close()
	rdev := unix.Mkdev(d.Major, d.Minor)
	err = unix.Mknodat(int(dir.Fd()), name, d.Type|d.Mode, int(rdev)) //nolint:gosec // below 2^44
	switch {
	case err == nil:
		return ownDevice(dir, name, dest, d)
	case errors.Is(err, unix.EEXIST):
		return r.existingDevice(dir, name, dest, d)
	case errors.Is(err, unix.EPERM) && d.Type != unix.S_IFIFO:
		// A user namespace, or a device cgroup, that forbids mknod(2).
		if e := r.bindDevice(dir, name, dest, d); e != nil {
			return fmt.Errorf("%w; in its place the host's: %w", &os.PathError{Op: "mknod", Path: dest, Err: err}, e)
		}
		return nil
	default:
		return &os.PathError{Op: "mknod", Path: dest, Err: err}
	}
}

// ownDevice gives the node that was just made its owner, if it still is that.
func ownDevice(dir *os.File, name, dest string, d *plan.Device) error {
	if d.UID == 0 && d.GID == 0 {
		return nil
	}
	node, err := openEntry(dir, name, dest)
	if err != nil {
		return err
	}
	defer node.Close()
	if err := verifyDevice(node, d); err != nil {
		return err
	}
	err = unix.Fchownat(int(node.Fd()), "", int(d.UID), int(d.GID), unix.AT_EMPTY_PATH)
	if err != nil {
		return &os.PathError{Op: "chown", Path: dest, Err: err}
	}
	return nil
}

// existingDevice keeps a node that is the device already. An empty file is
// what the bind of an earlier start left, where mknod(2) was forbidden.
func (r *Root) existingDevice(dir *os.File, name, dest string, d *plan.Device) error {
	node, err := openEntry(dir, name, dest)
	if err != nil {
		return err
	}
	defer node.Close()
	err = verifyDevice(node, d)
	if err == nil {
		return nil
	}
	info, e := linux.StatHandle(node)
	if e == nil && info.Is(unix.S_IFREG) && d.Type != unix.S_IFIFO {
		if e := r.bindDevice(dir, name, dest, d); e != nil {
			return fmt.Errorf("%w; in its place the host's: %w", err, e)
		}
		return nil
	}
	return err
}

// bindDevice binds the host's node of the same path.
func (r *Root) bindDevice(dir *os.File, name, dest string, d *plan.Device) error {
	fd, err := unix.Open(dest, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: dest, Err: err}
	}
	node := os.NewFile(uintptr(fd), dest)
	defer node.Close()
	if err := verifyDevice(node, d); err != nil {
		return err
	}
	err = unix.Mknodat(int(dir.Fd()), name, unix.S_IFREG, 0)
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return &os.PathError{Op: "create", Path: dest, Err: err}
	}
	at, err := openEntry(dir, name, dest)
	if err != nil {
		return err
	}
	defer at.Close()
	return r.bindHandle(node, at)
}

// openEntry opens what a directory has by this name; a symlink it refuses.
func openEntry(dir *os.File, name, dest string) (*os.File, error) {
	fd, err := unix.Openat(int(dir.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dest, Err: err}
	}
	f := os.NewFile(uintptr(fd), dest)
	info, err := linux.StatHandle(f)
	if err == nil && info.Is(unix.S_IFLNK) {
		err = &os.PathError{Op: "open", Path: dest, Err: errors.New("is a symbolic link")}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func verifyDevice(f *os.File, d *plan.Device) error {
	info, err := linux.StatHandle(f)
	if err != nil {
		return err
	}
	isNode := d.Type == unix.S_IFCHR || d.Type == unix.S_IFBLK
	if !info.Is(d.Type) || isNode && info.Rdev != unix.Mkdev(d.Major, d.Minor) {
		return &os.PathError{Op: "open", Path: f.Name(), Err: fmt.Errorf("exists, and is not device %d:%d", d.Major, d.Minor)}
	}
	return nil
}

// bindHandle binds one file or directory on another, both given by handle.
func (r *Root) bindHandle(source, at *os.File) error {
	if r.classic {
		return r.proc.Bind(source, at, false)
	}
	tree, err := linux.CloneMount(source, "", 0)
	if err != nil {
		return err
	}
	defer tree.Close()
	return linux.MoveMount(tree, at)
}

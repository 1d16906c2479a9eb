package rootfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// mask hides a path: a directory below an empty one, anything else below the
// null device. What is not there needs no mask.
func (r *Root) mask(dest, label string) error {
	at, err := linux.OpenInRoot(r.dir, dest, 0, 0)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer at.Close()
	info, err := linux.StatHandle(at)
	if err != nil {
		return err
	}
	if info.Is(unix.S_IFDIR) {
		return r.maskDirectory(dest, at, label)
	}
	if err := r.openNull(); err != nil {
		return err
	}
	return r.bindHandle(r.null, at)
}

func absent(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR)
}

// openNull opens the container's null device. It is its inode that is looked
// at, and then bound: a link in its place would have what it leads to mounted,
// and written to, at the masked paths (CVE-2025-31133).
func (r *Root) openNull() error {
	if r.null != nil {
		return nil
	}
	const major, minor = 1, 3 // Documentation/admin-guide/devices.txt
	f, err := linux.OpenInRoot(r.dir, "/dev/null", 0, 0)
	if err != nil {
		return err
	}
	err = verifyDevice(f, &plan.Device{Type: unix.S_IFCHR, Major: major, Minor: minor})
	if err != nil {
		f.Close()
		return err
	}
	r.null = f
	return nil
}

// maskDirectory covers directories with one and the same tmpfs: a superblock
// for each takes longer to make and to take down than all the rest of a start.
// It is attached at the first and cloned from there, since kernels before 6.15
// do not clone a detached mount.
func (r *Root) maskDirectory(dest string, at *os.File, label string) error {
	if r.empty != nil {
		return r.bindHandle(r.empty, at)
	}
	const attr = unix.MOUNT_ATTR_RDONLY | unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC
	fs := filesystem{
		fstype: "tmpfs", source: "tmpfs", attr: attr,
		data: []string{"ro", "mode=755", "nr_blocks=1", "nr_inodes=1"},
	}
	if label != "" {
		fs.data = append(fs.data, `context="`+label+`"`)
	}
	info, err := linux.StatHandle(at)
	if err != nil {
		return err
	}
	t := &target{File: at, info: info, path: dest}
	r.empty, err = r.attachNew(&fs, t, lookup{}, func(*os.File) error { return nil })
	return err
}

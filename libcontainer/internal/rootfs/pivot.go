package rootfs

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// changeRoot makes the root the process's "/", and its working directory.
func (r *Root) changeRoot(how uint64) error {
	if how != plan.Chroot && !r.attached {
		return errors.New("the root filesystem is no mount of its own")
	}
	var err error
	switch how {
	case plan.PivotRoot:
		err = r.pivot()
	case plan.MoveRoot:
		err = r.moveRoot()
	case plan.Chroot:
		err = r.chroot()
	default:
		err = fmt.Errorf("unknown way to change the root: %d", how)
	}
	if err != nil {
		return err
	}
	return os.NewSyscallError("chdir /", unix.Chdir("/"))
}

// pivot makes r the root and detaches the old one. It needs no directory for
// the old root: pivot_root(".", ".") stacks both (pivot_root(2), NOTES).
func (r *Root) pivot() error {
	old, err := openDirectory("/")
	if err != nil {
		return err
	}
	defer old.Close()
	if err := unix.Fchdir(int(r.dir.Fd())); err != nil {
		return os.NewSyscallError("fchdir", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return os.NewSyscallError("pivot_root", err)
	}
	// The host must not lose its mounts when the container lets go of them.
	if err := propagate(old, unix.MS_SLAVE|unix.MS_REC, r.proc); err != nil {
		return err
	}
	if err := unix.Fchdir(int(old.Fd())); err != nil {
		return os.NewSyscallError("fchdir", err)
	}
	return os.NewSyscallError("umount2", unix.Unmount(".", unix.MNT_DETACH))
}

// chroot is for a process without a mount namespace of its own.
func (r *Root) chroot() error {
	if err := unix.Fchdir(int(r.dir.Fd())); err != nil {
		return os.NewSyscallError("fchdir", err)
	}
	return os.NewSyscallError("chroot", unix.Chroot("."))
}

// moveRoot is for a host whose root cannot be pivoted: an initramfs
// (Documentation/filesystems/ramfs-rootfs-initramfs.rst). The root is moved
// over "/" and entered. The old root stays below it, so the host's procfs and
// sysfs go first: while they are visible, the kernel lets a user namespace
// inside the container make new ones, with nothing masked
// (mount_too_revealing in fs/namespace.c).
func (r *Root) moveRoot() error {
	list, err := r.proc.OpenThreadSelf("mountinfo", unix.O_RDONLY)
	if err != nil {
		return err
	}
	points, err := kernelMounts(list, r.path)
	list.Close()
	if err != nil {
		return err
	}
	for _, point := range points {
		if err := r.hide(point); err != nil {
			return err
		}
	}
	if err := r.moveOverRoot(); err != nil {
		return err
	}
	return r.chroot()
}

func (r *Root) moveOverRoot() error {
	if r.classic {
		return r.proc.MoveToRoot(r.dir)
	}
	top, err := openDirectory("/")
	if err != nil {
		return err
	}
	defer top.Close()
	return linux.MoveMount(r.dir, top)
}

// kernelMounts are the mount points of procfs and sysfs outside of the root,
// the latest first: what is stacked comes off from above (proc_pid_mountinfo(5)).
func kernelMounts(list io.Reader, root string) ([]string, error) {
	var points []string
	lines := bufio.NewScanner(list)
	for lines.Scan() {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		fstype, _, _ := strings.Cut(after, " ")
		fields := strings.Fields(before)
		const mountPoint = 4
		if fstype != "proc" && fstype != "sysfs" || len(fields) <= mountPoint {
			continue
		}
		point := unescape(fields[mountPoint])
		if point != root && !strings.HasPrefix(point, strings.TrimSuffix(root, "/")+"/") {
			points = append(points, point)
		}
	}
	slices.Reverse(points)
	return points, lines.Err()
}

// unescape undoes the octal escapes of mountinfo.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// hide unmounts a mount of the old root, or covers it where it is locked.
func (r *Root) hide(point string) error {
	at, err := openDirectory(point)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer at.Close()
	err = propagate(at, unix.MS_SLAVE|unix.MS_REC, r.proc)
	if err == nil {
		err = unix.Unmount(point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	}
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EPERM) {
		return &os.PathError{Op: "umount2", Path: point, Err: err}
	}
	if r.classic {
		return r.proc.Mount("tmpfs", "tmpfs", at, nil, unix.MOUNT_ATTR_RDONLY)
	}
	tree, err := linux.NewMountAttr("tmpfs", "tmpfs", nil, unix.MOUNT_ATTR_RDONLY)
	if err != nil {
		return err
	}
	defer tree.Close()
	return linux.MoveMount(tree, at)
}

package rootfs

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// mount makes one mount, or its fallback where the kernel forbids it: a new
// sysfs or cgroup2 in a user namespace that does not own the network or cgroup
// namespace.
func (r *Root) mount(dest string, m *plan.Mount) error {
	// A fallback covers the same destination, under the same conditions.
	ordinary := m.Type == "proc" || m.Type == "sysfs"
	err := r.mountOnce(dest, m, ordinary)
	if err == nil || m.Fallback == nil || !forbidden(err) {
		return err
	}
	if second := r.mountOnce(dest, m.Fallback, ordinary); second != nil {
		return fmt.Errorf("%w; in its place %s: %w", err, m.Fallback.Source, second)
	}
	return nil
}

func forbidden(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.EBUSY)
}

func (r *Root) mountOnce(dest string, m *plan.Mount, ordinary bool) error {
	how := lookup{mode: directoryMode, nofollow: m.NoFollowDestination, ordinary: ordinary, fstype: m.Type}
	if m.Type == "bind" || m.Handle != 0 {
		return r.bind(dest, m, how)
	}
	return r.newFilesystem(dest, m, how)
}

// bind attaches a clone of a tree of mounts, ours or one that the parent made.
func (r *Root) bind(dest string, m *plan.Mount, how lookup) error {
	if r.classic && m.Handle == 0 {
		return r.classicBind(dest, m, how)
	}
	tree, err := r.source(m)
	if err != nil {
		if m.Optional && (errors.Is(err, unix.ENOENT) || forbidden(err)) {
			return nil
		}
		return err
	}
	defer tree.Close()
	if err := overProc(dest, m, tree); err != nil {
		return err
	}
	if err := r.setAttr(tree, true, m.RecAttr); err != nil {
		return err
	}
	if err := r.setAttr(tree, false, m.Attr); err != nil {
		return err
	}
	if how.mode, err = targetMode(tree); err != nil {
		return err
	}
	t, err := r.target(dest, how)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := linux.MoveMount(tree, t.File); err != nil {
		return err
	}
	return r.propagateAll(tree, m.Propagation)
}

// targetMode is what a bind is put on: a directory on a directory, anything
// else on a file.
func targetMode(source *os.File) (uint32, error) {
	info, err := linux.StatHandle(source)
	if err != nil {
		return 0, err
	}
	if info.Is(unix.S_IFDIR) {
		return directoryMode, nil
	}
	return fileMode, nil
}

// source clones the source of a bind, or takes the parent's clone.
func (r *Root) source(m *plan.Mount) (*os.File, error) {
	if m.Handle != 0 {
		return r.handle(m.Handle)
	}
	if len(m.UIDMap) != 0 || len(m.GIDMap) != 0 {
		return nil, errors.New("an idmapped mount is the runtime's to open")
	}
	flags := uint(0)
	if m.Recursive {
		flags |= unix.AT_RECURSIVE
	}
	if m.NoFollowSource {
		flags |= unix.AT_SYMLINK_NOFOLLOW
	}
	tree, err := linux.CloneMount(nil, m.Source, flags)
	if errors.Is(err, unix.EINVAL) && !m.Recursive {
		err = fmt.Errorf("%w (what its submounts hide may not be seen in a user namespace: rbind takes them along)", err)
	}
	return tree, err
}

// handle takes a source from the parent. It comes from the host's mount
// namespace, as a peer of what is shared there; from here on, what is mounted
// in it stays in the container.
func (r *Root) handle(n int) (*os.File, error) {
	if n < 1 || n > len(r.handles) || r.handles[n-1] == nil {
		return nil, fmt.Errorf("the runtime has not sent mount source %d", n)
	}
	tree := r.handles[n-1]
	r.handles[n-1] = nil
	if err := linux.SetPropagation(tree, unix.MS_SLAVE|unix.MS_REC); err != nil {
		tree.Close()
		return nil, err
	}
	return tree, nil
}

func (r *Root) propagateAll(f *os.File, types []uint64) error {
	for _, flags := range types {
		if err := propagate(f, flags, r.proc); err != nil {
			return err
		}
	}
	return nil
}

// remount gives a mount the attributes that would have been in the way of what
// was done in it so far.
func (r *Root) remount(dest string, m *plan.Mount) error {
	f, err := linux.OpenInRoot(r.dir, dest, 0, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := r.setAttr(f, true, m.RecAttr); err != nil {
		return err
	}
	return r.setAttr(f, false, m.Attr)
}

// classicBind is bind with mount(2).
func (r *Root) classicBind(dest string, m *plan.Mount, how lookup) error {
	if m.RecAttr != (plan.MountAttr{}) {
		return fmt.Errorf("recursive mount attributes, which need mount_setattr(2): %w", unix.ENOSYS)
	}
	flags := unix.O_PATH | unix.O_CLOEXEC
	if m.NoFollowSource {
		flags |= unix.O_NOFOLLOW
	}
	fd, err := unix.Open(m.Source, flags, 0)
	if err != nil {
		if m.Optional && (errors.Is(err, unix.ENOENT) || forbidden(err)) {
			return nil
		}
		return &os.PathError{Op: "open", Path: m.Source, Err: err}
	}
	source := os.NewFile(uintptr(fd), m.Source)
	defer source.Close()
	if err := overProc(dest, m, source); err != nil {
		return err
	}
	if how.mode, err = targetMode(source); err != nil {
		return err
	}
	t, err := r.target(dest, how)
	if err != nil {
		return err
	}
	defer t.Close()
	if err := r.proc.Bind(source, t.File, m.Recursive); err != nil {
		return err
	}
	f, err := r.reopen(t, how)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := r.setAttr(f, false, m.Attr); err != nil {
		return err
	}
	return r.propagateAll(f, m.Propagation)
}

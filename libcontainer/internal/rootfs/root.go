package rootfs

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// Root is the root filesystem of a container that is being made.
type Root struct {
	path string // on the host
	dir  *os.File
	info linux.Info // of dir
	proc *linux.Proc
	// handles are mount sources that the parent opened.
	handles []*os.File
	// attached: dir is the root of a mount of its own.
	attached bool
	// classic: a sandbox refuses the calls for detached mounts.
	classic bool
	// null is the container's verified /dev/null, empty the tmpfs that covers
	// masked directories; both are made for the first mask.
	null  *os.File
	empty *os.File
}

// SetPropagation sets the propagation of "/" of the mount namespace, before a
// Root is open. flags are one of MS_SHARED, MS_SLAVE, MS_PRIVATE and
// MS_UNBINDABLE, with MS_REC for all mounts.
//
// Unbindable becomes private: nothing of the host could be bound. It is for the
// container's root, once that is "/".
func SetPropagation(flags uint64) error {
	if flags&unix.MS_UNBINDABLE != 0 {
		flags = flags&^unix.MS_UNBINDABLE | unix.MS_PRIVATE
	}
	return linux.SetRootPropagation(flags)
}

func propagate(f *os.File, flags uint64, proc *linux.Proc) error {
	err := linux.SetPropagation(f, flags)
	if err != nil && linux.Blocked(linux.CallMountSetattr, err) {
		return proc.Propagate(f, flags)
	}
	return err
}

// Open opens the root filesystem at path and, so that it can become the root,
// makes it a mount of its own: a clone of itself on itself. flags are the
// propagation it gets first; 0 says that there is no mount namespace of the
// container's own, and that nothing may be mounted for its sake.
//
// Root takes over the handles; proc stays the caller's.
func Open(path string, flags uint64, handles []*os.File, proc *linux.Proc) (*Root, error) {
	dir, err := openDirectory(path)
	if err != nil {
		return nil, err
	}
	r := &Root{path: path, dir: dir, handles: handles, proc: proc}
	if flags == 0 {
		r.classic = linux.Refused(linux.CallOpenTree) || linux.Refused(linux.CallMountSetattr)
		r.info, err = linux.StatHandle(dir)
	} else {
		err = r.attach(flags)
	}
	if err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func openDirectory(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// Close closes the handles.
func (r *Root) Close() error {
	for _, f := range append(r.handles, r.null, r.empty) {
		if f != nil {
			f.Close()
		}
	}
	r.handles, r.null, r.empty = nil, nil, nil
	return r.dir.Close()
}

// attach makes the root a mount point (pivot_root(2) wants one) whose parent
// is not shared: the clone would appear in the host's namespace, too.
func (r *Root) attach(flags uint64) error {
	if err := r.unshareParent(); err != nil {
		return err
	}
	tree, err := r.cloneRoot()
	if err != nil {
		return err
	}
	// These wait until it is the root: pivot_root(2) refuses a shared one, and
	// of an unbindable one nothing can be bound.
	if flags&(unix.MS_SHARED|unix.MS_UNBINDABLE) == 0 {
		if err := propagate(tree, flags, r.proc); err != nil {
			tree.Close()
			return err
		}
	}
	r.dir.Close()
	r.dir, r.attached = tree, true
	r.info, err = linux.StatHandle(tree)
	return err
}

// cloneRoot binds the root on itself and opens the new mount.
func (r *Root) cloneRoot() (*os.File, error) {
	tree, err := linux.CloneMount(r.dir, "", unix.AT_RECURSIVE)
	if err == nil {
		if err = linux.MoveMount(tree, r.dir); err == nil {
			return tree, nil
		}
		tree.Close()
		if !linux.Blocked(linux.CallMoveMount, err) {
			return nil, err
		}
	} else if !linux.Blocked(linux.CallOpenTree, err) {
		return nil, err
	}
	r.classic = true
	if err := r.proc.Bind(r.dir, r.dir, true); err != nil {
		return nil, err
	}
	tree, err = openDirectory(r.path)
	if err != nil {
		return nil, err
	}
	return tree, verifyCovers(tree, r.dir)
}

// verifyCovers makes sure that f, opened by path after a bind of what under
// is on itself, is that mount's root.
func verifyCovers(f, under *os.File) error {
	now, err := linux.StatHandle(f)
	if err != nil {
		return err
	}
	was, err := linux.StatHandle(under)
	if err != nil {
		return err
	}
	if now.Dev != was.Dev || now.Ino != was.Ino || now.MountID == was.MountID && now.MountID != 0 {
		return &os.PathError{Op: "open", Path: f.Name(), Err: errChanged}
	}
	return nil
}

var errChanged = errors.New("changed while it was being mounted")

// unshareParent makes the mount in which the root lies a slave, whatever it
// was: private stays private, shared no longer passes on what is mounted in
// this namespace. Only the root of a mount takes that; it is looked for from
// below, since ".." does not leave a mount before its root, and no list of all
// mounts has to be read.
func (r *Root) unshareParent() error {
	at := r.dir
	defer func() {
		if at != r.dir {
			at.Close()
		}
	}()
	for {
		err := linux.SetPropagation(at, unix.MS_SLAVE)
		if err != nil && linux.Blocked(linux.CallMountSetattr, err) {
			r.classic = true
			err = r.proc.Propagate(at, unix.MS_SLAVE)
		}
		if err == nil || !errors.Is(err, unix.EINVAL) {
			return err
		}
		here, err := linux.StatHandle(at)
		if err != nil {
			return err
		}
		fd, err := unix.Openat(int(at.Fd()), "..", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			return &os.PathError{Op: "open", Path: at.Name() + "/..", Err: err}
		}
		up := os.NewFile(uintptr(fd), at.Name()+"/..")
		if at != r.dir {
			at.Close()
		}
		at = up
		above, err := linux.StatHandle(at)
		if err != nil {
			return err
		}
		if above.Same(&here) {
			// We are below a chroot(2) that is no mount. What lies above
			// cannot be reached; pivot_root(2) tells if it is shared.
			return nil
		}
	}
}

// Apply does one step. It is the list of all this package can do.
func (r *Root) Apply(s *plan.Step) error {
	switch s.Op {
	case plan.OpPropagation:
		return r.propagation(s.Flags)
	case plan.OpMount:
		return r.mount(s.Path, s.Mount)
	case plan.OpDevice:
		return r.device(s.Path, s.Device)
	case plan.OpSymlink:
		return r.link(s.Path, s.Value)
	case plan.OpPivot:
		return r.changeRoot(s.Flags)
	case plan.OpMakeCwd:
		return r.makeDirectory(s.Path)
	case plan.OpRemount:
		return r.remount(s.Path, s.Mount)
	case plan.OpReadonlyRoot:
		return r.setAttr(r.dir, false, plan.MountAttr{Set: unix.MOUNT_ATTR_RDONLY})
	case plan.OpReadonlyPath:
		return r.readonly(s.Path)
	case plan.OpMaskPath:
		return r.mask(s.Path, s.Value)
	default:
		return fmt.Errorf("%q is no step of the root filesystem", s.Op)
	}
}

// propagation sets that of the root. Unbindable stays with it: parts of the
// mounts below are still to be bound, as read-only paths and masks.
func (r *Root) propagation(flags uint64) error {
	if flags&unix.MS_UNBINDABLE != 0 {
		flags &^= unix.MS_REC
	}
	return propagate(r.dir, flags, r.proc)
}

// Enter makes the root the current working directory, as createContainer hooks
// find it.
func (r *Root) Enter() error { return os.NewSyscallError("fchdir", unix.Fchdir(int(r.dir.Fd()))) }

// makeDirectory makes a directory where there is nothing.
func (r *Root) makeDirectory(path string) error {
	f, _, err := linux.CreateInRoot(r.dir, path, unix.S_IFDIR|0o755, 0, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// setAttr sets and clears attributes of a mount. Those a user namespace has
// locked stay as they are, unless they are among the ones to clear: that is
// the kernel's EPERM.
func (r *Root) setAttr(f *os.File, recursive bool, attr plan.MountAttr) error {
	if attr == (plan.MountAttr{}) {
		return nil
	}
	err := linux.SetMountAttr(f, recursive, attr.Set, attr.Clear)
	switch {
	case err == nil:
		return nil
	case linux.Blocked(linux.CallMountSetattr, err):
		if recursive {
			return fmt.Errorf("recursive mount attributes: %w", err)
		}
		return r.proc.Remount(f, attr.Set, attr.Clear)
	case errors.Is(err, unix.EPERM) && attr.Clear != 0:
		return fmt.Errorf("an option is locked by the source's mount and cannot be cleared in a user namespace: %w", err)
	default:
		return err
	}
}

package rootfs

import (
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// readonly puts a read-only clone of a path on itself. It is recursive: in a
// user namespace no mount may be taken without those that hide parts of it.
// Only the topmost becomes read-only; a writable mount below was asked for.
// All other attributes stay, so none that is locked is in the way.
func (r *Root) readonly(dest string) error {
	at, err := linux.OpenInRoot(r.dir, dest, 0, 0)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer at.Close()
	readOnly := plan.MountAttr{Set: unix.MOUNT_ATTR_RDONLY}
	if !r.classic {
		tree, err := linux.CloneMount(at, "", unix.AT_RECURSIVE)
		if err != nil {
			return err
		}
		defer tree.Close()
		if err := r.setAttr(tree, false, readOnly); err != nil {
			return err
		}
		return linux.MoveMount(tree, at)
	}
	info, err := linux.StatHandle(at)
	if err != nil {
		return err
	}
	if err := r.proc.Bind(at, at, true); err != nil {
		return err
	}
	tree, err := r.reopen(&target{File: at, info: info, path: dest}, lookup{})
	if err != nil {
		return err
	}
	defer tree.Close()
	return r.setAttr(tree, false, readOnly)
}

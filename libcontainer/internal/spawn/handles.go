package spawn

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"github.com/rung-run/rung/libcontainer/internal/wire"
	"golang.org/x/sys/unix"
)

// OpenHandles opens the mount sources that init cannot reach from its user
// namespace, as detached clones, idmapped where the plan says so.
func (c *Child) OpenHandles(ctx context.Context, p *plan.Plan) ([]*os.File, error) {
	files := make([]*os.File, 0, len(p.Handles))
	for i := range p.Handles {
		h := &p.Handles[i]
		f, err := c.openHandle(ctx, h, &p.Bootstrap)
		if err != nil {
			CloseAll(files)
			return nil, &fault.Error{Op: "mount", Field: h.Field, Path: h.Mount.Source, Err: err}
		}
		files = append(files, f)
	}
	return files, nil
}

// CloseAll closes the files.
func CloseAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}

func (c *Child) openHandle(ctx context.Context, h *plan.Handle, b *plan.Bootstrap) (*os.File, error) {
	tree, err := detached(&h.Mount)
	if err != nil {
		return nil, err
	}
	if len(h.Mount.UIDMap) == 0 && len(h.Mount.GIDMap) == 0 {
		return tree, nil
	}
	if err := c.idmap(ctx, tree, &h.Mount, b); err != nil {
		tree.Close()
		return nil, err
	}
	return tree, nil
}

func detached(m *plan.Mount) (*os.File, error) {
	if m.Type == "bind" {
		flags := uint(unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC)
		if m.Recursive {
			flags |= unix.AT_RECURSIVE
		}
		if m.NoFollowSource {
			flags |= unix.AT_SYMLINK_NOFOLLOW
		}
		fd, err := unix.OpenTree(unix.AT_FDCWD, m.Source, flags)
		if err != nil {
			return nil, &os.PathError{Op: "open_tree", Path: m.Source, Err: err}
		}
		return os.NewFile(uintptr(fd), m.Source), nil
	}
	return linux.NewMount(m.Type, m.Source, m.Data)
}

// idmap attaches the maps to the detached tree. mount_setattr(2),
// MOUNT_ATTR_IDMAP, Linux 5.12 and the filesystem's own support.
func (c *Child) idmap(ctx context.Context, tree *os.File, m *plan.Mount, b *plan.Bootstrap) error {
	userns, err := c.userNamespace(ctx, m, b)
	if err != nil {
		return err
	}
	defer userns.Close()
	flags := uint(unix.AT_EMPTY_PATH)
	if m.IDMapRecursive {
		flags |= unix.AT_RECURSIVE
	}
	err = unix.MountSetattr(int(tree.Fd()), "", flags, &unix.MountAttr{
		Attr_set:  unix.MOUNT_ATTR_IDMAP,
		Userns_fd: uint64(userns.Fd()),
	})
	if err != nil {
		return fmt.Errorf("idmapped mount: the filesystem may not know them: %w", os.NewSyscallError("mount_setattr", err))
	}
	return nil
}

// userNamespace is one with the mount's maps: the container's own where they
// are the same, else that of a child made for it.
func (c *Child) userNamespace(ctx context.Context, m *plan.Mount, b *plan.Bootstrap) (*os.File, error) {
	if slices.Equal(m.UIDMap, b.UIDMap) && slices.Equal(m.GIDMap, b.GIDMap) {
		return os.Open("/proc/" + strconv.Itoa(c.Pid) + "/ns/user")
	}
	// A bootstrap that waits for what does not come: sealed and not dumpable,
	// for it has our ids on the host, and whoever has them as well owns its
	// user namespace, and may otherwise trace it.
	helper, err := c.helper(ctx)
	if err != nil {
		return nil, fmt.Errorf("user namespace for an idmapped mount: %w", err)
	}
	defer helper.Kill()
	self := plan.Host{EUID: uint32(os.Geteuid()), EGID: uint32(os.Getegid())} //nolint:gosec // ids
	if err := helper.WriteMaps(ctx, m.UIDMap, m.GIDMap, self); err != nil {
		return nil, fmt.Errorf("user namespace for an idmapped mount: %w", err)
	}
	return os.Open("/proc/" + strconv.Itoa(helper.Pid) + "/ns/user")
}

func (c *Child) helper(ctx context.Context) (*Child, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	b, err := Start(Options{Stdio: [3]*os.File{null, null, null}, Dir: c.dir})
	if err != nil {
		return nil, err
	}
	return b.Enter(ctx, &wire.Header{New: unix.CLONE_NEWUSER, Cgroup: -1})
}

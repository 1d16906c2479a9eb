package rootfs

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// newFilesystem makes a filesystem and attaches it.
func (r *Root) newFilesystem(dest string, m *plan.Mount, how lookup) error {
	if err := overProc(dest, m, nil); err != nil {
		return err
	}
	if m.Type == "tmpfs" && !hasOption(m.Data, "mode") {
		how.mode = unix.S_IFDIR | tmpfsMode
	}
	t, err := r.target(dest, how)
	if err != nil {
		return err
	}
	defer t.Close()
	fs := filesystem{fstype: m.Type, source: m.Source, data: m.Data, attr: initialAttr(m)}
	late := plan.MountAttr{}
	if m.Type == "tmpfs" {
		fs.data = tmpfsData(m.Data, &t.info)
	}
	if m.CopyUp { // what is read-only cannot be filled
		late.Set = fs.attr & unix.MOUNT_ATTR_RDONLY
		fs.attr &^= unix.MOUNT_ATTR_RDONLY
		if hasOption(fs.data, "ro") {
			late.Set, fs.data = unix.MOUNT_ATTR_RDONLY, withoutOption(fs.data, "ro")
		}
	}
	tree, err := r.attachNew(&fs, t, how, func(tree *os.File) error {
		if !m.CopyUp {
			return nil
		}
		if err := copyUp(t, tree, m.Data); err != nil {
			return err
		}
		return r.setAttr(tree, false, late)
	})
	if err != nil {
		return err
	}
	defer tree.Close()
	return r.propagateAll(tree, m.Propagation)
}

// initialAttr are the attributes of a new mount; it has none below it, so
// recursive ones are for it alone.
func initialAttr(m *plan.Mount) uint64 {
	attr := m.RecAttr.Set
	if (m.Attr.Set|m.Attr.Clear)&unix.MOUNT_ATTR__ATIME != 0 {
		attr &^= unix.MOUNT_ATTR__ATIME
	}
	return attr&^m.Attr.Clear | m.Attr.Set
}

// filesystem is what is to be made.
type filesystem struct {
	fstype, source string
	data           []string
	attr           uint64
}

// attachNew makes the filesystem, lets fill put something into it and attaches
// it to t.
func (r *Root) attachNew(fs *filesystem, t *target, how lookup, fill func(*os.File) error) (*os.File, error) {
	if r.classic {
		return r.classicNew(fs, t, how, fill)
	}
	tree, err := fs.detached()
	if err != nil {
		var refused *linux.FSError
		if errors.As(err, &refused) && refused.TryMount() {
			if tree, e := r.classicNew(fs, t, how, fill); e == nil {
				return tree, nil
			} else if linux.Blocked(linux.CallFsopen, err) {
				return nil, e
			}
		}
		return nil, err
	}
	if err = verifyFilesystem(fs.fstype, tree); err == nil {
		err = fill(tree)
	}
	if err == nil {
		err = linux.MoveMount(tree, t.File)
	}
	if err != nil {
		tree.Close()
		return nil, err
	}
	return tree, nil
}

// detached makes the filesystem and a mount of it that is nowhere yet.
func (fs *filesystem) detached() (*os.File, error) {
	tree, err := linux.NewMountAttr(fs.fstype, fs.source, fs.data, fs.attr)
	if fs.dropsGroup(err) {
		// Engines ask for group 5, which a user namespace may not map.
		rest := withoutOption(fs.data, "gid")
		if tree, e := linux.NewMountAttr(fs.fstype, fs.source, rest, fs.attr); e == nil {
			return tree, nil
		}
	}
	return tree, explainLabel(err)
}

// explainLabel: without SELinux no filesystem knows the option, nor with it a
// label that the policy has not.
func explainLabel(err error) error {
	var refused *linux.FSError
	if errors.As(err, &refused) && errors.Is(err, unix.EINVAL) && strings.HasPrefix(refused.Option, "context=") {
		return fmt.Errorf("SELinux is not enabled on this host, or does not know the label that linux.mountLabel gives: %w", err)
	}
	return err
}

// dropsGroup tells whether a devpts is worth another try without gid=.
func (fs *filesystem) dropsGroup(err error) bool {
	return fs.fstype == "devpts" && errors.Is(err, unix.EINVAL) && hasOption(fs.data, "gid")
}

// classicNew is attachNew with mount(2).
func (r *Root) classicNew(fs *filesystem, t *target, how lookup, fill func(*os.File) error) (*os.File, error) {
	err := r.proc.Mount(fs.fstype, fs.source, t.File, fs.data, fs.attr)
	if fs.dropsGroup(err) {
		rest := withoutOption(fs.data, "gid")
		if r.proc.Mount(fs.fstype, fs.source, t.File, rest, fs.attr) == nil {
			err = nil
		}
	}
	if err != nil {
		return nil, err
	}
	tree, err := r.reopen(t, how)
	if err != nil {
		return nil, err
	}
	if err = verifyFilesystem(fs.fstype, tree); err == nil {
		err = fill(tree)
	}
	if err != nil {
		tree.Close()
		return nil, err
	}
	return tree, nil
}

// verifyFilesystem makes sure that a procfs or sysfs is one.
func verifyFilesystem(fstype string, f *os.File) error {
	magic := int64(0)
	switch fstype {
	case "proc":
		magic = unix.PROC_SUPER_MAGIC
	case "sysfs":
		magic = unix.SYSFS_MAGIC
	default:
		return nil
	}
	if !linux.IsFilesystem(f, magic) {
		return fmt.Errorf("what was mounted is no %s", fstype)
	}
	return nil
}

// tmpfsMode is the kernel's default (tmpfs(5)), which a directory made as a
// mount point for a tmpfs gets as well. So the rule below gives the same mode
// each time the same root filesystem is started.
const tmpfsMode = 0o1777

// tmpfsData adds the mode of the directory that is covered, as images expect
// of /run and the like, where no mode is asked for.
func tmpfsData(data []string, covered *linux.Info) []string {
	const permissions = 0o7777
	mode := covered.Mode & permissions
	if mode == tmpfsMode || hasOption(data, "mode") {
		return data
	}
	return append(slices.Clip(data), fmt.Sprintf("mode=%o", mode))
}

func hasOption(data []string, key string) bool {
	for _, option := range data {
		if name, _, _ := strings.Cut(option, "="); name == key {
			return true
		}
	}
	return false
}

func withoutOption(data []string, key string) []string {
	rest := make([]string, 0, len(data))
	for _, option := range data {
		if name, _, _ := strings.Cut(option, "="); name != key {
			rest = append(rest, option)
		}
	}
	return rest
}

package linux

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// CloneMount makes a detached copy of the mount at path, relative to dir
// (nil: the working directory); an empty path is dir itself. flags may add
// AT_RECURSIVE and AT_SYMLINK_NOFOLLOW. Nothing is opened for reading: a FIFO
// does not wait. open_tree(2), Linux 5.2.
func CloneMount(dir *os.File, path string, flags uint) (*os.File, error) {
	at, name := unix.AT_FDCWD, path
	if dir != nil {
		at = int(dir.Fd())
		if path == "" {
			name = dir.Name()
			flags |= unix.AT_EMPTY_PATH
		}
	}
	fd, err := unix.OpenTree(at, path, flags|unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	runtime.KeepAlive(dir)
	if err != nil {
		return nil, &os.PathError{Op: "open_tree", Path: name, Err: err}
	}
	return os.NewFile(uintptr(fd), name), nil
}

// MoveMount attaches the detached tree at target; no path is walked.
// move_mount(2), Linux 5.2.
func MoveMount(tree, target *os.File) error {
	err := unix.MoveMount(int(tree.Fd()), "", int(target.Fd()), "",
		unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	runtime.KeepAlive(tree)
	runtime.KeepAlive(target)
	if err != nil {
		return &os.PathError{Op: "move_mount", Path: target.Name(), Err: err}
	}
	return nil
}

// SetMountAttr sets and clears MOUNT_ATTR_* bits of the mount whose root f is,
// or of it and all below. Bits that are in neither stay, also those that a
// user namespace has locked. mount_setattr(2), Linux 5.12.
func SetMountAttr(f *os.File, recursive bool, set, clr uint64) error {
	return mountSetattr(f, recursive, &unix.MountAttr{Attr_set: set, Attr_clr: withAtime(set, clr)})
}

// SetPropagation gives the mount one propagation type: MS_SHARED, MS_SLAVE,
// MS_PRIVATE or MS_UNBINDABLE, with MS_REC to all below it, too.
func SetPropagation(f *os.File, flags uint64) error {
	return mountSetattr(f, flags&unix.MS_REC != 0, &unix.MountAttr{Propagation: flags &^ unix.MS_REC})
}

// SetRootPropagation is SetPropagation of "/", by mount(2): this path needs no
// handle, and no sandbox refuses it.
func SetRootPropagation(flags uint64) error {
	if err := unix.Mount("", "/", "", uintptr(flags), ""); err != nil {
		return &os.PathError{Op: "mount", Path: "/", Err: err}
	}
	return nil
}

func mountSetattr(f *os.File, recursive bool, attr *unix.MountAttr) error {
	flags := uint(unix.AT_EMPTY_PATH)
	if recursive {
		flags |= unix.AT_RECURSIVE
	}
	err := unix.MountSetattr(int(f.Fd()), "", flags, attr)
	runtime.KeepAlive(f)
	if err != nil {
		return &os.PathError{Op: "mount_setattr", Path: f.Name(), Err: err}
	}
	return nil
}

// withAtime: the access time is one value, not bits; it is set only where the
// whole of it is cleared (mount_setattr(2), MOUNT_ATTR__ATIME).
func withAtime(set, clr uint64) uint64 {
	if (set|clr)&unix.MOUNT_ATTR__ATIME != 0 {
		clr |= unix.MOUNT_ATTR__ATIME
	}
	return clr
}

// FSError is a refusal to make a filesystem.
type FSError struct {
	Call    string // fsopen, fsconfig, fsmount
	Option  string // the one refused, or "" for all of them together
	Message string // what the filesystem said: "tmpfs: Unknown parameter 'x'"
	Err     error
}

// Error implements error.
func (e *FSError) Error() string {
	var b strings.Builder
	b.WriteString(e.Call)
	if e.Option != "" {
		b.WriteString(" " + e.Option)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	b.WriteString(": " + e.Err.Error())
	return b.String()
}

// Unwrap gives the errno.
func (e *FSError) Unwrap() error { return e.Err }

// TryMount tells whether mount(2) may take what was refused here: options a
// filesystem knows only in the old form or that are longer than the new one
// allows, and calls a sandbox blocks.
func (e *FSError) TryMount() bool {
	switch {
	case Blocked(CallFsopen, e.Err):
		return true
	case e.Call != "fsconfig":
		return false
	case e.Option != "":
		return true
	default:
		return errors.Is(e.Err, unix.EINVAL) || errors.Is(e.Err, unix.EBUSY)
	}
}

// maxOption is the longest option value that fsconfig(2) copies.
const maxOption = 255

// NewMount makes a filesystem and a detached mount of it. data are its
// options, "key=value" or "flag". fsopen(2), Linux 5.2.
func NewMount(fstype, source string, data []string) (*os.File, error) {
	return NewMountAttr(fstype, source, data, 0)
}

// NewMountAttr is NewMount with MOUNT_ATTR_* bits for the mount, of which the
// kernel compares some with those of the mounts already visible (a procfs or
// sysfs in a user namespace).
func NewMountAttr(fstype, source string, data []string, attr uint64) (*os.File, error) {
	ctx, err := unix.Fsopen(fstype, unix.FSOPEN_CLOEXEC)
	if err != nil {
		return nil, &FSError{Call: "fsopen", Option: fstype, Err: err}
	}
	defer unix.Close(ctx)
	if source != "" {
		if err := configure(ctx, "source="+source); err != nil {
			return nil, err
		}
	}
	for _, option := range data {
		if err := configure(ctx, option); err != nil {
			return nil, err
		}
	}
	if err := unix.FsconfigCreate(ctx); err != nil {
		return nil, &FSError{Call: "fsconfig", Message: messages(ctx), Err: err}
	}
	fd, err := unix.Fsmount(ctx, unix.FSMOUNT_CLOEXEC, int(attr))
	if err != nil {
		return nil, &FSError{Call: "fsmount", Message: messages(ctx), Err: err}
	}
	return os.NewFile(uintptr(fd), fstype), nil
}

func configure(ctx int, option string) error {
	key, value, isValue := strings.Cut(option, "=")
	var err error
	switch {
	case len(value) > maxOption || len(key) > maxOption:
		err = unix.EMSGSIZE
	case isValue:
		err = unix.FsconfigSetString(ctx, key, unquoted(key, value))
	default:
		err = unix.FsconfigSetFlag(ctx, key)
	}
	if err != nil {
		return &FSError{Call: "fsconfig", Option: option, Message: messages(ctx), Err: err}
	}
	return nil
}

// unquoted strips the quotes around an SELinux label, which protect its comma
// in the one string of mount(2) and would be part of it here.
func unquoted(key, value string) string {
	if strings.HasSuffix(key, "context") && len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// messages are the errors in the log of a filesystem context, one a read(2).
func messages(ctx int) string {
	var all []string
	var buf [1024]byte
	for {
		n, err := unix.Read(ctx, buf[:])
		if err != nil || n <= 0 {
			return strings.Join(all, "; ")
		}
		if text, ok := bytes.CutPrefix(buf[:n], []byte("e ")); ok {
			all = append(all, string(bytes.TrimSpace(text)))
		}
	}
}

// Mount is mount(2) of a new filesystem on target.
func (p *Proc) Mount(fstype, source string, target *os.File, data []string, attr uint64) error {
	flags, options := mountFlags(attr), make([]string, 0, len(data))
	for _, option := range data {
		if bit, ok := superblockFlag(option); ok {
			flags |= bit
			continue
		}
		options = append(options, option)
	}
	text := strings.Join(options, ",")
	if len(text) >= os.Getpagesize() { // the kernel would cut it off silently
		return &os.PathError{Op: "mount", Path: target.Name(), Err: fmt.Errorf("options: %w", unix.E2BIG)}
	}
	if source == "" {
		source = fstype
	}
	return p.mount(source, target, fstype, flags, text)
}

// Bind is a bind mount of source on target by mount(2).
func (p *Proc) Bind(source, target *os.File, recursive bool) error {
	flags := uintptr(unix.MS_BIND)
	if recursive {
		flags |= unix.MS_REC
	}
	defer runtime.KeepAlive(source)
	return p.mount(fdName(source), target, "", flags, "")
}

// Remount is SetMountAttr, not recursive, by mount(2), which replaces all
// flags of a mount: those it has are given again.
func (p *Proc) Remount(f *os.File, set, clr uint64) error {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &st); err != nil {
		return &os.PathError{Op: "statfs", Path: f.Name(), Err: err}
	}
	attr := mountAttr(uint64(st.Flags))&^withAtime(set, clr) | set
	return p.mount("", f, "", unix.MS_REMOUNT|unix.MS_BIND|mountFlags(attr), "")
}

// Propagate is SetPropagation by mount(2).
func (p *Proc) Propagate(f *os.File, flags uint64) error {
	return p.mount("", f, "", uintptr(flags), "")
}

// MoveToRoot moves the mount whose root f is onto "/" by mount(2).
func (p *Proc) MoveToRoot(f *os.File) error {
	defer runtime.KeepAlive(f)
	err := p.inside(func() error { return unix.Mount(fdName(f), "/", "", unix.MS_MOVE, "") })
	if err != nil {
		return &os.PathError{Op: "mount", Path: "/", Err: err}
	}
	return nil
}

func (p *Proc) mount(source string, target *os.File, fstype string, flags uintptr, data string) error {
	defer runtime.KeepAlive(target)
	err := p.inside(func() error { return unix.Mount(source, fdName(target), fstype, flags, data) })
	if err != nil {
		return &os.PathError{Op: "mount", Path: target.Name(), Err: err}
	}
	return nil
}

// mountFlags are the MS_* flags for MOUNT_ATTR_* bits.
func mountFlags(attr uint64) uintptr {
	var flags uintptr
	for _, pair := range [...][2]uint64{
		{unix.MOUNT_ATTR_RDONLY, unix.MS_RDONLY},
		{unix.MOUNT_ATTR_NOSUID, unix.MS_NOSUID},
		{unix.MOUNT_ATTR_NODEV, unix.MS_NODEV},
		{unix.MOUNT_ATTR_NOEXEC, unix.MS_NOEXEC},
		{unix.MOUNT_ATTR_NODIRATIME, unix.MS_NODIRATIME},
		{unix.MOUNT_ATTR_NOSYMFOLLOW, unix.MS_NOSYMFOLLOW},
	} {
		if attr&pair[0] != 0 {
			flags |= uintptr(pair[1])
		}
	}
	switch attr & unix.MOUNT_ATTR__ATIME {
	case unix.MOUNT_ATTR_NOATIME:
		return flags | unix.MS_NOATIME
	case unix.MOUNT_ATTR_STRICTATIME:
		return flags | unix.MS_STRICTATIME
	default:
		return flags | unix.MS_RELATIME
	}
}

// mountAttr are the MOUNT_ATTR_* bits for the flags of statfs(2).
func mountAttr(flags uint64) uint64 {
	attr := uint64(0)
	for _, pair := range [...][2]uint64{
		{unix.ST_RDONLY, unix.MOUNT_ATTR_RDONLY},
		{unix.ST_NOSUID, unix.MOUNT_ATTR_NOSUID},
		{unix.ST_NODEV, unix.MOUNT_ATTR_NODEV},
		{unix.ST_NOEXEC, unix.MOUNT_ATTR_NOEXEC},
		{unix.ST_NODIRATIME, unix.MOUNT_ATTR_NODIRATIME},
		{stNoSymfollow, unix.MOUNT_ATTR_NOSYMFOLLOW},
	} {
		if flags&pair[0] != 0 {
			attr |= pair[1]
		}
	}
	switch {
	case flags&unix.ST_NOATIME != 0:
		attr |= unix.MOUNT_ATTR_NOATIME
	case flags&unix.ST_RELATIME == 0:
		attr |= unix.MOUNT_ATTR_STRICTATIME
	}
	return attr
}

// stNoSymfollow is ST_NOSYMFOLLOW, include/linux/statfs.h, Linux 5.10.
const stNoSymfollow = 0x2000

// superblockFlag is the MS_* flag of an option that mount(2) takes as one;
// options that say the default are flag 0. fs/fs_context.c,
// common_set_sb_flag.
func superblockFlag(option string) (uintptr, bool) {
	switch option {
	case "ro":
		return unix.MS_RDONLY, true
	case "sync":
		return unix.MS_SYNCHRONOUS, true
	case "dirsync":
		return unix.MS_DIRSYNC, true
	case "lazytime":
		return unix.MS_LAZYTIME, true
	case "iversion": // mount(2) alone
		return unix.MS_I_VERSION, true
	case "mand":
		return unix.MS_MANDLOCK, true
	case "silent":
		return unix.MS_SILENT, true
	case "rw", "async", "nolazytime", "nomand", "loud":
		return 0, true
	}
	return 0, false
}

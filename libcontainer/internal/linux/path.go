package linux

import (
	"errors"
	"os"
	"path"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// A lookup with ".." that met a rename or a mount anywhere on the machine
	// is asked again this often (openat2(2), EAGAIN).
	lookupRetries = 128
	// As the kernel's (path_resolution(7)).
	maxSymlinks = 40
)

// OpenInRoot opens path as a handle (O_PATH), with root as the root directory
// of the lookup: neither "..", a symlink nor a rename meanwhile leads out of
// it, and magic links are refused. flags may add O_NOFOLLOW and O_DIRECTORY,
// resolve RESOLVE_NO_SYMLINKS. openat2(2), Linux 5.6.
func OpenInRoot(root *os.File, path string, flags int, resolve uint64) (*os.File, error) {
	how := unix.OpenHow{
		Flags:   uint64(flags) | unix.O_PATH | unix.O_CLOEXEC,
		Resolve: resolve | unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	fd, err := retryOpenat2(root, path, &how)
	if err != nil && Blocked(CallOpenat2, err) {
		fd, err = walkInRoot(root, path, flags, resolve)
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

func retryOpenat2(dir *os.File, path string, how *unix.OpenHow) (int, error) {
	defer runtime.KeepAlive(dir)
	const scoped = unix.RESOLVE_IN_ROOT | unix.RESOLVE_BENEATH
	for tries := 0; ; tries++ {
		fd, err := unix.Openat2(int(dir.Fd()), path, how)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN) && how.Resolve&scoped != 0 && tries < lookupRetries:
		default:
			return fd, err
		}
	}
}

// walkInRoot is OpenInRoot where openat2(2) is refused. It keeps a handle of
// every directory from the root down: ".." is a step back in that list, never
// a question to the kernel, whose answer a rename could change.
func walkInRoot(root *os.File, path string, flags int, resolve uint64) (int, error) {
	defer runtime.KeepAlive(root)
	stack := []int{int(root.Fd())}
	drop := func(keep int) {
		for len(stack) > keep {
			_ = unix.Close(stack[len(stack)-1])
			stack = stack[:len(stack)-1]
		}
	}
	defer func() { drop(1) }()
	kind, links := uint32(unix.S_IFDIR), 0
	for rest := components(path); len(rest) > 0; {
		name := rest[0]
		rest = rest[1:]
		if kind != unix.S_IFDIR {
			return -1, unix.ENOTDIR
		}
		if name == ".." {
			drop(max(len(stack)-1, 1))
			continue
		}
		fd, err := unix.Openat(stack[len(stack)-1], name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return -1, err
		}
		stack = append(stack, fd)
		if kind, err = fileKind(fd); err != nil {
			return -1, err
		}
		if kind != unix.S_IFLNK || len(rest) == 0 && flags&unix.O_NOFOLLOW != 0 {
			continue
		}
		if links++; links > maxSymlinks || resolve&unix.RESOLVE_NO_SYMLINKS != 0 {
			return -1, unix.ELOOP
		}
		target, err := readlinkat(fd, "")
		if err != nil {
			return -1, err
		}
		drop(len(stack) - 1)
		if strings.HasPrefix(target, "/") {
			drop(1)
		}
		kind = unix.S_IFDIR
		rest = append(components(target), rest...)
	}
	if flags&unix.O_DIRECTORY != 0 && kind != unix.S_IFDIR {
		return -1, unix.ENOTDIR
	}
	if len(stack) == 1 {
		return unix.Openat(stack[0], ".", unix.O_PATH|unix.O_CLOEXEC, 0)
	}
	found := stack[len(stack)-1]
	stack = stack[:len(stack)-1]
	return found, nil
}

// components are the names in p, without the empty ones and ".".
func components(p string) []string {
	names := make([]string, 0, 1+strings.Count(p, "/"))
	for name := range strings.SplitSeq(p, "/") {
		if name != "" && name != "." {
			names = append(names, name)
		}
	}
	return names
}

func fileKind(fd int) (uint32, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	return st.Mode & unix.S_IFMT, err
}

func readlinkat(dir int, name string) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(dir, name, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}

// CreateInRoot is OpenInRoot that makes what is missing: parents as
// directories of mode 0755, the last component as mode says, S_IFDIR or
// S_IFREG with permission bits. It tells whether it made the last one. A
// symlink that leads nowhere has its target made, inside the root: images have
// such links to /run, and expect binds over them to work.
//
// Modes are exact with an umask of 0, which init has.
func CreateInRoot(root *os.File, p string, mode uint32, flags int, resolve uint64) (*os.File, bool, error) {
	f, err := OpenInRoot(root, p, flags, resolve)
	if !errors.Is(err, unix.ENOENT) {
		return f, false, err
	}
	done, rest := "/", components(p)
	if parent, name := path.Split(path.Clean("/" + p)); name != "" {
		if f, err = OpenInRoot(root, parent, unix.O_DIRECTORY, resolve); err == nil {
			f.Close()
			done, rest = parent, []string{name}
		}
	}
	for links := 0; len(rest) > 0; {
		next := done + "/" + rest[0]
		last := 0
		if len(rest) == 1 {
			last = flags
		}
		if f, err = OpenInRoot(root, next, last, resolve); err == nil {
			if len(rest) == 1 { // a link led here, or another made it meanwhile
				return f, false, nil
			}
			f.Close()
			done, rest = next, rest[1:]
			continue
		}
		if !errors.Is(err, unix.ENOENT) {
			return nil, false, err
		}
		dir, err := OpenInRoot(root, done, unix.O_DIRECTORY, resolve)
		if err != nil {
			return nil, false, err
		}
		target, err := readlinkat(int(dir.Fd()), rest[0])
		if err != nil { // not a link: missing
			return makeBelow(dir, rest, p, mode)
		}
		dir.Close()
		if links++; links > maxSymlinks || resolve&unix.RESOLVE_NO_SYMLINKS != 0 {
			return nil, false, &os.PathError{Op: "open", Path: p, Err: unix.ELOOP}
		}
		if strings.HasPrefix(target, "/") {
			done = "/"
		}
		rest = append(components(target), rest[1:]...)
	}
	f, err = OpenInRoot(root, done, flags, resolve)
	return f, false, err
}

// makeBelow makes the names below dir, each inside the handle of the one
// before, and closes dir. What another made meanwhile is taken, but no symlink
// (CVE-2024-45310).
func makeBelow(dir *os.File, names []string, p string, mode uint32) (*os.File, bool, error) {
	defer dir.Close()
	fd, made := int(dir.Fd()), false
	for i, name := range names {
		const parent = unix.S_IFDIR | 0o755
		want := mode
		if i < len(names)-1 {
			want = parent
		}
		next, isNew, op, err := makeOne(fd, name, want)
		if i > 0 {
			_ = unix.Close(fd)
		}
		if err != nil {
			return nil, false, &os.PathError{Op: op, Path: p, Err: err}
		}
		fd, made = next, isNew
	}
	return os.NewFile(uintptr(fd), p), made, nil
}

// makeOne makes one entry and opens it; an error comes with its operation.
func makeOne(dir int, name string, mode uint32) (fd int, made bool, op string, err error) {
	open := unix.O_PATH | unix.O_NOFOLLOW | unix.O_CLOEXEC
	switch {
	case name == "..": // of a directory that is not there
		return -1, false, "open", unix.ENOENT
	case mode&unix.S_IFMT == unix.S_IFDIR:
		op, open = "mkdir", open|unix.O_DIRECTORY
		err = unix.Mkdirat(dir, name, mode&^unix.S_IFMT)
	default:
		op = "create"
		err = unix.Mknodat(dir, name, mode, 0)
	}
	if err != nil && !errors.Is(err, unix.EEXIST) {
		return -1, false, op, err
	}
	made = err == nil
	if fd, err = unix.Openat(dir, name, open, 0); err != nil {
		return -1, false, "open", err
	}
	kind, err := fileKind(fd)
	if err == nil && kind == unix.S_IFLNK {
		err = unix.ELOOP
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, false, "open", err
	}
	return fd, made, "", nil
}

// CreateParent opens the directory in which the last component of p lies, made
// where it is missing, and tells that component's name.
func CreateParent(root *os.File, p string) (*os.File, string, error) {
	parent, name := path.Split(path.Clean("/" + p))
	if name == "" {
		return nil, "", &os.PathError{Op: "create", Path: p, Err: unix.EEXIST}
	}
	dir, _, err := CreateInRoot(root, parent, unix.S_IFDIR|0o755, unix.O_DIRECTORY, 0)
	return dir, name, err
}

// Info is what a handle leads to.
type Info struct {
	Mode uint32 // type and permissions
	UID  uint32
	GID  uint32
	Dev  uint64
	Rdev uint64
	Ino  uint64
	// MountID is 0 where statx(2) is refused.
	MountID uint64
}

// Is tells whether the file is of the type, S_IFDIR, S_IFCHR and so on.
func (i *Info) Is(kind uint32) bool { return i.Mode&unix.S_IFMT == kind }

// Same tells whether both are the same file, seen through the same mount.
func (i *Info) Same(o *Info) bool {
	return i.Dev == o.Dev && i.Ino == o.Ino && i.MountID == o.MountID
}

// StatHandle asks about an open file or handle. STATX_MNT_ID, Linux 5.8.
func StatHandle(f *os.File) (Info, error) {
	defer runtime.KeepAlive(f)
	var x unix.Statx_t
	err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS|unix.STATX_MNT_ID, &x)
	if err == nil {
		return Info{
			Mode: uint32(x.Mode), UID: x.Uid, GID: x.Gid, Ino: x.Ino,
			Dev:  unix.Mkdev(x.Dev_major, x.Dev_minor),
			Rdev: unix.Mkdev(x.Rdev_major, x.Rdev_minor), MountID: x.Mnt_id,
		}, nil
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return Info{}, &os.PathError{Op: "stat", Path: f.Name(), Err: err}
	}
	return Info{
		Mode: st.Mode, UID: st.Uid, GID: st.Gid, Ino: st.Ino,
		Dev: uint64(st.Dev), Rdev: uint64(st.Rdev), //nolint:unconvert // 32 bits on mips
	}, nil
}

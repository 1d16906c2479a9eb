package rootfs

import (
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// copyUp fills a tmpfs with what lies in the directory it is going to cover.
// data are the options it was asked for: an owner among them stays.
//
// Every name is opened inside the handle of its directory, no symlink is
// followed, and only regular files are opened for reading. Content and types
// must arrive; owners, attributes and times as far as the namespace lets them.
func copyUp(covered *target, tree *os.File, data []string) error {
	if covered.made {
		return nil
	}
	src, err := reopenDirectory(covered.File)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := reopenDirectory(tree)
	if err != nil {
		return err
	}
	defer dst.Close()
	c := copier{dev: covered.info.Dev}
	if err := c.entries(src, dst, covered.path); err != nil {
		return err
	}
	copyAttributes(src, dst)
	if !hasOption(data, "uid") && !hasOption(data, "gid") {
		_ = unix.Fchown(int(dst.Fd()), int(covered.info.UID), int(covered.info.GID))
	}
	return nil
}

func reopenDirectory(f *os.File) (*os.File, error) {
	fd, err := unix.Openat(int(f.Fd()), ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: f.Name(), Err: err}
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

type copier struct {
	dev uint64 // of the source: other filesystems below it are left out
}

func (c *copier) entries(src, dst *os.File, path string) error {
	for {
		const batch = 256
		names, err := src.Readdirnames(batch)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := c.entry(src, dst, name, path+"/"+name); err != nil {
				return err
			}
		}
	}
}

func (c *copier) entry(src, dst *os.File, name, path string) error {
	from, to := int(src.Fd()), int(dst.Fd())
	var st unix.Stat_t
	if err := unix.Fstatat(from, name, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		if errors.Is(err, unix.ENOENT) { // gone meanwhile
			return nil
		}
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	var err error
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return c.directory(src, dst, name, path, &st)
	case unix.S_IFREG:
		return copyFile(src, dst, name, path)
	case unix.S_IFLNK:
		err = copyLink(from, to, name)
	default:
		err = unix.Mknodat(to, name, st.Mode, int(st.Rdev)) //nolint:gosec // a device number has 32 bits here
		if errors.Is(err, unix.EPERM) {                     // devices, in a user namespace
			return nil
		}
	}
	if err != nil {
		return &os.PathError{Op: "copy", Path: path, Err: err}
	}
	_ = unix.Fchownat(to, name, int(st.Uid), int(st.Gid), unix.AT_SYMLINK_NOFOLLOW)
	setTimes(to, name, &st)
	return nil
}

func (c *copier) directory(src, dst *os.File, name, path string, st *unix.Stat_t) error {
	const private = 0o700 // until it is complete
	if err := unix.Mkdirat(int(dst.Fd()), name, private); err != nil {
		return &os.PathError{Op: "mkdir", Path: path, Err: err}
	}
	const flags = unix.O_RDONLY | unix.O_DIRECTORY
	to, err := openAt(dst, name, path, flags)
	if err != nil {
		return err
	}
	defer to.Close()
	if uint64(st.Dev) == c.dev { //nolint:unconvert // 32 bits on mips
		from, err := openAt(src, name, path, flags)
		if err != nil {
			return err
		}
		defer from.Close()
		if err := c.entries(from, to, path); err != nil {
			return err
		}
		copyAttributes(from, to)
	}
	if err := setOwnerAndMode(to, st); err != nil {
		return err
	}
	setTimes(int(dst.Fd()), name, st)
	return nil
}

func copyFile(src, dst *os.File, name, path string) error {
	// It may be a FIFO by now, which must not block, or a terminal.
	from, err := openAt(src, name, path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY)
	if err != nil {
		return err
	}
	defer from.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(from.Fd()), &st); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return &os.PathError{Op: "copy", Path: path, Err: errChanged}
	}
	to, err := openAt(dst, name, path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL)
	if err != nil {
		return err
	}
	defer to.Close()
	if _, err := io.Copy(to, from); err != nil {
		return err
	}
	copyAttributes(from, to)
	if err := setOwnerAndMode(to, &st); err != nil {
		return err
	}
	setTimes(int(dst.Fd()), name, &st)
	return nil
}

func openAt(dir *os.File, name, path string, flags int) (*os.File, error) {
	const private = 0o600
	fd, err := unix.Openat(int(dir.Fd()), name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, private)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

func copyLink(from, to int, name string) error {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(from, name, buf)
	if err != nil {
		return err
	}
	return unix.Symlinkat(string(buf[:n]), to, name)
}

// setOwnerAndMode comes in this order: chown(2) clears set-id bits.
func setOwnerAndMode(f *os.File, st *unix.Stat_t) error {
	const permissions = 0o7777
	_ = unix.Fchown(int(f.Fd()), int(st.Uid), int(st.Gid))
	if err := unix.Fchmod(int(f.Fd()), st.Mode&permissions); err != nil {
		return &os.PathError{Op: "chmod", Path: f.Name(), Err: err}
	}
	return nil
}

func setTimes(dir int, name string, st *unix.Stat_t) {
	_ = unix.UtimesNanoAt(dir, name, []unix.Timespec{st.Atim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
}

// copyAttributes copies extended attributes, those that a tmpfs takes.
func copyAttributes(from, to *os.File) {
	size, err := unix.Flistxattr(int(from.Fd()), nil)
	if err != nil || size == 0 {
		return
	}
	list := make([]byte, size)
	size, err = unix.Flistxattr(int(from.Fd()), list)
	if err != nil {
		return
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list[:size]), "\x00"), "\x00") {
		n, err := unix.Fgetxattr(int(from.Fd()), name, nil)
		if err != nil {
			continue
		}
		value := make([]byte, n)
		if n, err = unix.Fgetxattr(int(from.Fd()), name, value); err == nil {
			_ = unix.Fsetxattr(int(to.Fd()), name, value[:n], 0)
		}
	}
}

package cgroup

import (
	"errors"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Files of kernel filesystems are read and written with plain calls: an
// os.File asks the poller about each, and they are on the way of every start.

func readFile(path string) (string, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	data, err := readAll(fd)
	if err != nil {
		return data, &os.PathError{Op: "read", Path: path, Err: err}
	}
	return data, nil
}

func readAll(fd int) (string, error) {
	buf := make([]byte, 0, 4096)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := unix.Read(fd, buf[len(buf):cap(buf)])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return string(buf), err
		}
		buf = buf[:len(buf)+n]
	}
}

func writeFile(path, data string) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte(data)); err != nil {
		return &os.PathError{Op: "write " + strings.TrimSpace(data) + " to", Path: path, Err: err}
	}
	return nil
}

func exists(path string) bool {
	var st unix.Stat_t
	return !errors.Is(unix.Lstat(path, &st), unix.ENOENT)
}

// gone: the cgroup was removed, before its file was opened or since.
func gone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV)
}

// refused: we may not, be it for lack of permission or since the cgroup
// filesystem is mounted read-only.
func refused(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) || errors.Is(err, unix.EROFS)
}

// walk visits a cgroup and all below it, each after its parent, and calls
// leave, if any, when a child and all below it has been visited. The cgroups
// may be the work of a hostile container: neither the length of a path nor the
// number of open descriptors grows with their depth.
func walk(dir string, visit func(d *os.File) error, leave func(parent *os.File, name string) error) error {
	d, err := openDir(unix.AT_FDCWD, dir)
	if err != nil {
		return &os.PathError{Op: "open", Path: dir, Err: err}
	}
	defer func() { d.Close() }()
	type level struct {
		name string
		rest []string
	}
	var stack []level
	enter := func(name string) error {
		if err := visit(d); err != nil {
			return err
		}
		names, err := children(d)
		stack = append(stack, level{name, names})
		return err
	}
	if err := enter(""); err != nil {
		return err
	}
	for {
		top := &stack[len(stack)-1]
		if n := len(top.rest); n > 0 {
			name := top.rest[n-1]
			top.rest = top.rest[:n-1]
			next, err := openDir(int(d.Fd()), name)
			if err != nil {
				if gone(err) {
					continue
				}
				return &os.PathError{Op: "open", Path: dir + "/…/" + name, Err: err}
			}
			d.Close()
			d = next
			if err := enter(name); err != nil {
				return err
			}
			continue
		}
		if len(stack) == 1 {
			return nil
		}
		stack = stack[:len(stack)-1]
		up, err := openDir(int(d.Fd()), "..")
		if err != nil {
			return &os.PathError{Op: "open", Path: dir + "/…/..", Err: err}
		}
		d.Close()
		d = up
		if leave != nil {
			if err := leave(d, top.name); err != nil {
				return err
			}
		}
	}
}

func openDir(at int, name string) (*os.File, error) {
	fd, err := unix.Openat(at, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// children are the cgroups right below d. A cgroup has some sixty files, and
// mostly no child: the link count tells (kernfs counts them as directories do).
func children(d *os.File) ([]string, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(d.Fd()), &st); err != nil || st.Nlink <= 2 {
		return nil, err
	}
	entries, err := d.ReadDir(-1)
	if err != nil {
		if gone(err) {
			return nil, nil
		}
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// readIn reads a file of the cgroup d, "" if it is gone.
func readIn(d *os.File, name string) (string, error) {
	fd, err := unix.Openat(int(d.Fd()), name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		var data string
		if data, err = readAll(fd); err == nil {
			return data, nil
		}
	}
	if gone(err) {
		return "", nil
	}
	return "", &os.PathError{Op: "read", Path: d.Name() + "/" + name, Err: err}
}

func writeIn(d *os.File, name, data string) error {
	fd, err := unix.Openat(int(d.Fd()), name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		_, err = unix.Write(fd, []byte(data))
	}
	if err == nil || gone(err) {
		return nil
	}
	return &os.PathError{Op: "write", Path: d.Name() + "/" + name, Err: err}
}

package linux

import (
	"errors"
	"io"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// procRootIno is the inode of a procfs root, PROC_ROOT_INO in
// include/linux/proc_ns.h.
const procRootIno = 1

// Proc is a procfs that has been looked at: what is written through it reaches
// the kernel, and no tmpfs, file or symlink that an image put in its place
// (CVE-2019-16884, CVE-2023-28642, CVE-2025-52881).
type Proc struct {
	root *os.File
	// private is a second one, mounted nowhere, for names that are overmounted
	// or read-only in the first, as /proc/sys is in a Docker container.
	private *os.File
}

// ProcFromHandle takes a handle of a procfs root, after making sure that it is
// one. Proc closes it.
func ProcFromHandle(root *os.File) (*Proc, error) {
	if root == nil {
		return nil, &os.PathError{Op: "open", Path: "/proc", Err: unix.EBADF}
	}
	if err := verifyProcRoot(root); err != nil {
		return nil, err
	}
	return &Proc{root: root}, nil
}

// OpenProc opens this mount namespace's /proc.
func OpenProc() (*Proc, error) {
	const path = "/proc"
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	root := os.NewFile(uintptr(fd), path)
	p, err := ProcFromHandle(root)
	if err != nil {
		root.Close()
		return nil, err
	}
	return p, nil
}

// Close closes the handles.
func (p *Proc) Close() error {
	if p.private != nil {
		p.private.Close()
	}
	return p.root.Close()
}

func verifyProcRoot(f *os.File) error {
	st, err := StatHandle(f)
	if err != nil {
		return err
	}
	if st.Ino != procRootIno || !IsFilesystem(f, unix.PROC_SUPER_MAGIC) {
		return &os.PathError{Op: "open", Path: f.Name(), Err: errors.New("not the root of a procfs")}
	}
	return nil
}

// IsFilesystem tells whether f lies on a filesystem of this statfs(2) magic.
func IsFilesystem(f *os.File, magic int64) bool {
	defer runtime.KeepAlive(f)
	var st unix.Statfs_t
	err := unix.Fstatfs(int(f.Fd()), &st)
	return err == nil && int64(st.Type) == magic //nolint:unconvert // 32 bits on some architectures
}

// IsProcRoot tells whether f is the root of a procfs.
func IsProcRoot(f *os.File) bool { return verifyProcRoot(f) == nil }

// Open opens a file of it, "sys/kernel/hostname", through no symlink and no
// other mount.
func (p *Proc) Open(name string, flags int) (*os.File, error) {
	fd, err := openProcAt(p.root, name, flags)
	if errors.Is(err, unix.EXDEV) || errors.Is(err, unix.EROFS) {
		if second, e := p.openPrivate(name, flags); e == nil {
			fd, err = second, nil
		}
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/proc/" + name, Err: err}
	}
	return os.NewFile(uintptr(fd), "/proc/"+name), nil
}

func (p *Proc) openPrivate(name string, flags int) (int, error) {
	if p.private == nil {
		f, err := NewMount("proc", "proc", nil)
		if err != nil {
			return -1, err
		}
		if err := verifyProcRoot(f); err != nil {
			f.Close()
			return -1, err
		}
		p.private = f
	}
	return openProcAt(p.private, name, flags)
}

func openProcAt(root *os.File, name string, flags int) (int, error) {
	fd, err := retryOpenat2(root, name, &unix.OpenHow{
		Flags:   uint64(flags) | unix.O_CLOEXEC | unix.O_NOFOLLOW,
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV,
	})
	if err != nil && Blocked(CallOpenat2, err) {
		return walkProc(root, name, flags)
	}
	return fd, err
}

// walkProc is openProcAt where openat2(2) is refused: one name after the
// other, all on the mount where it began.
func walkProc(root *os.File, name string, flags int) (int, error) {
	from, err := StatHandle(root)
	if err != nil {
		return -1, err
	}
	names := components(name)
	dir := root
	for i, part := range names {
		open := unix.O_PATH | unix.O_DIRECTORY
		if i == len(names)-1 {
			open = flags
		}
		fd, err := unix.Openat(int(dir.Fd()), part, open|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if dir != root {
			dir.Close()
		}
		if err != nil {
			return -1, err
		}
		dir = os.NewFile(uintptr(fd), part)
		at, err := StatHandle(dir)
		if err == nil && (part == ".." || at.MountID != from.MountID || at.Dev != from.Dev) {
			err = unix.EXDEV
		}
		if err != nil {
			dir.Close()
			return -1, err
		}
	}
	if dir == root {
		return -1, unix.EISDIR
	}
	defer dir.Close()
	return unix.FcntlInt(dir.Fd(), unix.F_DUPFD_CLOEXEC, 0)
}

// OpenThreadSelf opens a file of the calling thread's own directory. The
// caller stays on that thread (runtime.LockOSThread).
func (p *Proc) OpenThreadSelf(name string, flags int) (*os.File, error) {
	// A link of the kernel's own making: "PID/task/TID", as seen from the
	// namespace this procfs belongs to.
	self, err := readlinkat(int(p.root.Fd()), "thread-self")
	if err != nil {
		return nil, &os.PathError{Op: "readlink", Path: "/proc/thread-self", Err: err}
	}
	return p.Open(self+"/"+name, flags)
}

// Write writes data to a file of it, in one write(2), as files below /proc
// want it.
func (p *Proc) Write(name, data string) error {
	f, err := p.Open(name, unix.O_WRONLY)
	if err != nil {
		return err
	}
	return writeOnce(f, data)
}

// WriteThreadSelf is Write to a file of the calling thread's own directory.
func (p *Proc) WriteThreadSelf(name, data string) error {
	f, err := p.OpenThreadSelf(name, unix.O_WRONLY)
	if err != nil {
		return err
	}
	return writeOnce(f, data)
}

func writeOnce(f *os.File, data string) error {
	defer f.Close()
	n, err := unix.Write(int(f.Fd()), []byte(data))
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return &os.PathError{Op: "write", Path: f.Name(), Err: err}
	}
	return nil
}

// inside runs do with the procfs as working directory, from where fdName
// leads to open files. What only takes a path, mount(2), is so given a handle.
func (p *Proc) inside(do func() error) error {
	back, err := unix.Open(".", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		// A directory that only another user may enter.
		back, err = unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return &os.PathError{Op: "open", Path: ".", Err: err}
	}
	defer unix.Close(back)
	if err := unix.Fchdir(int(p.root.Fd())); err != nil {
		return &os.PathError{Op: "chdir", Path: "/proc", Err: err}
	}
	err = do()
	if e := unix.Fchdir(back); err == nil && e != nil {
		err = os.NewSyscallError("fchdir", e)
	}
	return err
}

// fdName is the magic link of an open file, relative to a procfs.
func fdName(f *os.File) string { return "self/fd/" + strconv.Itoa(int(f.Fd())) }

package console

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Open makes a pseudoterminal of the devpts instance mounted at the directory
// path, which after the pivot is the container's /dev/pts.
func Open(path string) (master, slave *os.File, err error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	devpts := os.NewFile(uintptr(fd), path)
	defer devpts.Close()
	return OpenAt(devpts)
}

// OpenAt is Open with a handle of the directory, which may be O_PATH. Both
// files are close-on-exec, and neither becomes a controlling terminal. They are
// named as in the container, /dev/pts/N.
func OpenAt(devpts *os.File) (master, slave *os.File, err error) {
	dir := int(devpts.Fd())
	// A devpts has no directory but its root, so that a directory on one is
	// the mount itself.
	var fs unix.Statfs_t
	if err := unix.Fstatfs(dir, &fs); err != nil {
		return nil, nil, &os.PathError{Op: "statfs", Path: devpts.Name(), Err: err}
	}
	var root unix.Stat_t
	if err := unix.Fstat(dir, &root); err != nil {
		return nil, nil, &os.PathError{Op: "stat", Path: devpts.Name(), Err: err}
	}
	if fs.Type != unix.DEVPTS_SUPER_MAGIC || root.Mode&unix.S_IFMT != unix.S_IFDIR {
		return nil, nil, fmt.Errorf("%s is not a devpts filesystem", devpts.Name())
	}
	fd, err := unix.Openat(dir, "ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, &os.PathError{Op: "open", Path: devpts.Name() + "/ptmx", Err: err}
	}
	master = os.NewFile(uintptr(fd), devpts.Name()+"/ptmx")
	slave, err = openPeer(fd, &root)
	if err != nil {
		master.Close()
		return nil, nil, fmt.Errorf("%s/ptmx: %w", devpts.Name(), err)
	}
	return master, slave, nil
}

// openPeer opens the slave of the master fd, which must be the ptmx of the
// devpts with that root: something else may have been mounted over it.
func openPeer(fd int, root *unix.Stat_t) (*os.File, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, os.NewSyscallError("fstat", err)
	}
	if st.Dev != root.Dev || st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != unix.Mkdev(5, 2) {
		return nil, errors.New("not the filesystem's own")
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, os.NewSyscallError("ioctl(TIOCSPTLCK)", err)
	}
	number, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, os.NewSyscallError("ioctl(TIOCGPTN)", err)
	}
	// TIOCGPTPEER gives the peer of this master, wherever its path leads
	// (ioctl_tty(2), Linux 4.13).
	peer, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER,
		unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
	if errno != 0 {
		return nil, os.NewSyscallError("ioctl(TIOCGPTPEER)", errno)
	}
	return os.NewFile(peer, "/dev/pts/"+strconv.FormatUint(uint64(number), 10)), nil
}

// SetSize sets the window size of a terminal, by its master or slave.
func SetSize(tty *os.File, height, width uint16) error {
	size := unix.Winsize{Row: height, Col: width}
	return os.NewSyscallError("ioctl(TIOCSWINSZ)", unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &size))
}

// MakeControlling makes slave the controlling terminal of the caller, which
// must be the leader of a session that has none (setsid(2)).
func MakeControlling(slave *os.File) error {
	return os.NewSyscallError("ioctl(TIOCSCTTY)", unix.IoctlSetInt(int(slave.Fd()), unix.TIOCSCTTY, 0))
}

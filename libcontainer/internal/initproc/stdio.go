package initproc

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// nullDevice is /dev/null's number (Documentation/admin-guide/devices.txt).
const (
	nullMajor = 1
	nullMinor = 3
)

func isNull(st *unix.Stat_t) bool {
	return st.Mode&unix.S_IFMT == unix.S_IFCHR &&
		unix.Major(st.Rdev) == nullMajor && unix.Minor(st.Rdev) == nullMinor
}

// reopenStdio replaces a standard stream that is the host's /dev/null by the
// container's: the mount it was opened on is not to be reached from inside.
func reopenStdio() error {
	for fd := range 3 {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil || !isNull(&st) {
			continue
		}
		null, err := openNull()
		if errors.Is(err, unix.ENOENT) {
			return nil // an image without devices keeps the host's
		}
		if err != nil {
			return err
		}
		err = unix.Dup3(null, fd, 0)
		_ = unix.Close(null)
		if err != nil {
			return os.NewSyscallError("dup3", err)
		}
	}
	return nil
}

// openNull opens /dev/null, and makes sure that it is (CVE-2025-31133).
func openNull() (int, error) {
	const path = "/dev/null"
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && !isNull(&st) {
		err = &os.PathError{Op: "open", Path: path, Err: errors.New("not the null device")}
	}
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_RDWR)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// ownStdio gives the standard streams to the program's user, who may want to
// open /dev/stdout again. The null device stays as it is; a filesystem or a
// user namespace may refuse, which hurts only that.
func ownStdio(uid uint32) error {
	for fd := range 3 {
		var st unix.Stat_t
		if err := unix.Fstat(fd, &st); err != nil || isNull(&st) || st.Uid == uid {
			continue
		}
		err := unix.Fchown(fd, int(uid), -1)
		switch {
		case err == nil, errors.Is(err, unix.EPERM), errors.Is(err, unix.EROFS), errors.Is(err, unix.EINVAL):
		default:
			return os.NewSyscallError("fchown", err)
		}
	}
	return nil
}

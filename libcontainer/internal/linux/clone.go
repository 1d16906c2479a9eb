//go:build !s390x

package linux

import "golang.org/x/sys/unix"

// rawClone is clone(2) without a new stack: the child runs on a copy.
//
//go:norace
func rawClone(flags uintptr) (uintptr, unix.Errno) {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, flags, 0, 0, 0, 0, 0)
	return pid, errno
}

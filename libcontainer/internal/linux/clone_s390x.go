package linux

import "golang.org/x/sys/unix"

// rawClone is clone(2) without a new stack: the child runs on a copy. Here the
// stack is the first argument (clone(2), C library/kernel differences).
//
//go:norace
func rawClone(flags uintptr) (uintptr, unix.Errno) {
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, 0, flags, 0, 0, 0, 0)
	return pid, errno
}

package linux

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Call is a system call that has a classic replacement.
type Call int

// The calls a sandbox is known to refuse: profiles older than the call answer
// EPERM or ENOSYS to it (LXC, sysbox, Docker, gVisor).
const (
	CallOpenat2 Call = iota
	CallOpenTree
	CallMoveMount
	CallMountSetattr
	CallFsopen
	CallCloseRange
)

// Blocked tells whether err, which call gave, comes from a sandbox that
// refuses the call altogether, so that the classic way is worth trying.
// ENOSYS can mean nothing else. EPERM may be the kernel's own answer: then the
// call is made once more, with arguments the kernel finds invalid before it
// asks for permission, and only a filter still says EPERM.
func Blocked(call Call, err error) bool {
	if errors.Is(err, unix.ENOSYS) {
		return true
	}
	return errors.Is(err, unix.EPERM) && Refused(call)
}

// Refused probes whether the call is refused whatever its arguments.
//
// move_mount(2) and fsopen(2) look for CAP_SYS_ADMIN first: without it they
// count as refused, and mount(2) will give the same answer.
func Refused(call Call) bool {
	// No such flags, structures or ranges: EINVAL, in every kernel so far.
	const bogus, nowhere = 1 << 30, ^uintptr(0)
	var errno unix.Errno
	switch call {
	case CallOpenat2:
		_, _, errno = unix.RawSyscall6(unix.SYS_OPENAT2, nowhere, 0, 0, 0, 0, 0)
	case CallOpenTree:
		_, _, errno = unix.RawSyscall(unix.SYS_OPEN_TREE, nowhere, 0, bogus)
	case CallMoveMount:
		_, _, errno = unix.RawSyscall6(unix.SYS_MOVE_MOUNT, nowhere, 0, nowhere, 0, bogus, 0)
	case CallMountSetattr:
		_, _, errno = unix.RawSyscall6(unix.SYS_MOUNT_SETATTR, nowhere, 0, bogus, 0, 0, 0)
	case CallFsopen:
		_, _, errno = unix.RawSyscall(unix.SYS_FSOPEN, 0, bogus, 0)
	case CallCloseRange:
		_, _, errno = unix.RawSyscall(unix.SYS_CLOSE_RANGE, 1, 0, 0)
	}
	return errno == unix.EPERM || errno == unix.ENOSYS
}

package initproc

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is the kernel's struct on the architectures we build for; the
// restorer is where it is not used.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

// restoreSignals gives the program the ignored and blocked signals that our
// caller had. All others, which the Go runtime handles, execve resets to their
// default; but it keeps what is ignored (execve(2)).
func restoreSignals(ignored, blocked uint64) error {
	const sigIgn = 1
	for n := range uintptr(64) {
		if ignored&(1<<n) == 0 {
			continue
		}
		act := sigaction{handler: sigIgn}
		sig := n + 1
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, sig, uintptr(unsafe.Pointer(&act)), 0, 8, 0, 0)
		// SIGKILL and SIGSTOP cannot be ignored.
		if errno != 0 && errno != unix.EINVAL {
			return os.NewSyscallError("rt_sigaction", errno)
		}
	}
	if blocked == 0 {
		return nil // as it is; the filter may forbid the call by now
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
		uintptr(unsafe.Pointer(&blocked)), 0, 8, 0, 0)
	if errno != 0 {
		return os.NewSyscallError("rt_sigprocmask", errno)
	}
	return nil
}

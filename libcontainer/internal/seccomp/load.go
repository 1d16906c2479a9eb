package seccomp

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Load puts the filter on the calling thread, whose goroutine must be locked to
// it. It gives the descriptor of the listener, close-on-exec, or -1.
//
// It is one system call, without a word to Go's scheduler: the next call of
// this thread may already be refused, or wait for an agent that does not have
// the listener yet. A process without CAP_SYS_ADMIN needs no_new_privs first.
func Load(p *Program) (listener int, err error) {
	n := len(p.Filter) / insnSize
	if n == 0 || n > unix.BPF_MAXINSNS || len(p.Filter)%insnSize != 0 {
		return -1, fmt.Errorf("seccomp: %d bytes are no filter", len(p.Filter))
	}
	flags := p.Flags
	if p.Listener {
		flags |= unix.SECCOMP_FILTER_FLAG_NEW_LISTENER
	}
	prog := unix.SockFprog{
		Len:    uint16(n),
		Filter: (*unix.SockFilter)(unsafe.Pointer(unsafe.SliceData(p.Filter))),
	}
	fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(flags), uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(p)
	if errno != 0 {
		return -1, refused(errno, p)
	}
	if p.Listener {
		return int(fd), nil
	}
	return -1, nil
}

// refused explains an errno of seccomp(2).
func refused(errno unix.Errno, p *Program) error {
	err := fmt.Errorf("seccomp: %w", errno)
	switch {
	case errno == unix.EACCES:
		return fmt.Errorf("%w (without CAP_SYS_ADMIN a filter needs no_new_privs)", err)
	case errno == unix.EBUSY && p.Listener:
		return fmt.Errorf("%w (a filter above this one already has a listener)", err)
	case errno == unix.EINVAL && p.Flags != 0:
		return fmt.Errorf("%w (does the kernel know all the flags, %#x? WAIT_KILLABLE_RECV is of Linux 5.19)", err, p.Flags)
	case errors.Is(errno, unix.ENOSYS):
		return fmt.Errorf("%w (the kernel, or a filter around this process, has no seccomp filters)", err)
	}
	return err
}

// SupportedFlags are those of KnownFlags that this kernel takes. It asks with a
// program at address 0: EFAULT is the answer once the flags are accepted
// (seccomp(2), kernel/seccomp.c).
func SupportedFlags() []string {
	supported := []string{}
	for _, name := range KnownFlags() {
		flag, err := filterFlag(name)
		if err != nil {
			continue
		}
		if flag == unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV {
			flag |= unix.SECCOMP_FILTER_FLAG_NEW_LISTENER // EINVAL alone
		}
		_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, uintptr(flag), 0)
		if errno == unix.EFAULT {
			supported = append(supported, name)
		}
	}
	return supported
}

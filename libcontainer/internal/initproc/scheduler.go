package initproc

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// setScheduler sets this thread's policy, which execve keeps (sched(7)).
func setScheduler(s *plan.Scheduler) error {
	return os.NewSyscallError("sched_setattr", unix.SchedSetAttr(0, s.Attr(), 0))
}

// setIOPriority sets this process's class and level (ioprio_set(2)).
func setIOPriority(value uint64) error {
	const whoProcess = 1 // IOPRIO_WHO_PROCESS, linux/ioprio.h
	_, _, errno := unix.RawSyscall(unix.SYS_IOPRIO_SET, whoProcess, 0, uintptr(value))
	if errno != 0 {
		return os.NewSyscallError("ioprio_set", errno)
	}
	return nil
}

// setPersonality sets the execution domain (personality(2)).
func setPersonality(persona uint64) error {
	_, _, errno := unix.RawSyscall(unix.SYS_PERSONALITY, uintptr(persona), 0, 0)
	if errno != 0 {
		return os.NewSyscallError("personality", errno)
	}
	return nil
}

// setMemoryPolicy sets this thread's NUMA policy, which execve keeps
// (set_mempolicy(2)).
func setMemoryPolicy(m *plan.MemoryPolicy) error {
	const bits = 64
	var mask []uint64
	for _, n := range m.Nodes {
		for int(n/bits) >= len(mask) {
			mask = append(mask, 0)
		}
		mask[n/bits] |= 1 << (n % bits)
	}
	var first unsafe.Pointer
	maxNode := uintptr(0)
	if len(mask) > 0 {
		first = unsafe.Pointer(&mask[0])
		// The kernel reads one bit less than it is told.
		maxNode = uintptr(len(mask)*bits + 1)
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SET_MEMPOLICY, uintptr(m.Mode), uintptr(first), maxNode)
	if errno != 0 {
		return os.NewSyscallError("set_mempolicy", errno)
	}
	return nil
}

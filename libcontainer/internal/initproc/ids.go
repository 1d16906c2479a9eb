package initproc

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// setIDs gives up root: groups, then gid, then uid. The permitted set
// survives for setCapabilities, which comes next (PR_SET_KEEPCAPS, prctl(2)).
//
// Raw calls on purpose: Go's wrappers change all threads, by signals, and one
// of them may still hold the C library's idea of another id.
func setIDs(ids *plan.IDs) error {
	if err := unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("keep capabilities: %w", err)
	}
	if !ids.KeepGroups {
		if err := setGroups(ids.Groups); err != nil {
			return err
		}
	}
	gid, uid := uintptr(ids.GID), uintptr(ids.UID)
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, gid, gid, gid); errno != 0 {
		return fmt.Errorf("setgid %d: %w", ids.GID, errno)
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uid, uid, uid); errno != 0 {
		return fmt.Errorf("setuid %d: %w", ids.UID, errno)
	}
	// The change has given the flag the value of /proc/sys/fs/suid_dumpable,
	// which may be 1: then who has these ids may trace us, and reach what we
	// still hold (proc_sys_fs(5), PR_SET_DUMPABLE(2const)).
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("stay out of reach: %w", err)
	}
	return unix.Prctl(unix.PR_SET_KEEPCAPS, 0, 0, 0, 0)
}

func setGroups(groups []uint32) error {
	var first unsafe.Pointer
	if len(groups) > 0 {
		first = unsafe.Pointer(&groups[0])
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(groups)), uintptr(first), 0)
	if errno == unix.EPERM && len(groups) == 0 {
		// Denied in this user namespace, and the bootstrap has left them.
		if held, err := unix.Getgroups(); err == nil && len(held) == 0 {
			return nil
		}
	}
	if errno != 0 {
		return os.NewSyscallError("setgroups", errno)
	}
	return nil
}

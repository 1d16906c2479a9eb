package linux

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

const selfExe = "/proc/self/exe"

// SealedSelf opens this program's own executable in a form that no process of
// a container can write to, whatever it does to /proc/PID/exe of a process
// that runs it (CVE-2019-5736): a detached, read-only clone of its mount. Where
// a mount cannot be cloned it is a sealed copy in memory, and where memory may
// not be executed (vm.memfd_noexec=2) an unlinked copy in dir.
//
// The descriptor is close-on-exec and at least lowest, so that it cannot
// collide with those that a child is given.
func SealedSelf(dir string, lowest int) (*os.File, error) {
	fd, first := cloneReadOnly()
	if errors.Is(first, unix.EPERM) {
		fd, first = cloneReadOnlyRootless()
	}
	if first != nil {
		var err error
		if fd, err = copySelf(dir); err != nil {
			return nil, fmt.Errorf("seal %s: %w (clone of its mount: %w)", selfExe, err, first)
		}
	}
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, lowest)
	_ = unix.Close(fd)
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(high), selfExe), nil
}

// cloneReadOnly clones the executable's mount. open_tree(2), Linux 5.2;
// mount_setattr(2), Linux 5.12.
func cloneReadOnly() (int, error) {
	fd, err := unix.OpenTree(unix.AT_FDCWD, selfExe, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return -1, os.NewSyscallError("open_tree", err)
	}
	err = unix.MountSetattr(fd, "", unix.AT_EMPTY_PATH, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY})
	if err != nil {
		_ = unix.Close(fd)
		return -1, os.NewSyscallError("mount_setattr", err)
	}
	return fd, nil
}

// cloneReadOnlyRootless lets a child in a user and a mount namespace of its
// own clone the mount, and takes the descriptor from the table they share.
func cloneReadOnlyRootless() (int, error) {
	// By path: the mount that /proc/self/exe leads to is not in the child's
	// namespace. What the path leads to is compared afterwards.
	path, err := os.Readlink(selfExe)
	if err != nil {
		return -1, err
	}
	name, err := unix.BytePtrFromString(path)
	if err != nil {
		return -1, err
	}
	slot, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	runtime.LockOSThread()
	errno := cloneIntoSlot(name, slot)
	runtime.UnlockOSThread()
	if errno == 0 && !sameFile(slot) {
		errno = unix.ESTALE
	}
	if errno != 0 {
		_ = unix.Close(slot)
		return -1, os.NewSyscallError("clone mount in a user namespace", errno)
	}
	return slot, nil
}

func sameFile(fd int) bool {
	var have, want unix.Stat_t
	return unix.Fstat(fd, &have) == nil && unix.Stat(selfExe, &want) == nil &&
		have.Dev == want.Dev && have.Ino == want.Ino
}

// cloneIntoSlot runs a child that shares nothing with us but the descriptor
// table. Its memory is a copy, in which only this thread lives: it may do
// nothing but raw system calls.
//
//go:norace
func cloneIntoSlot(name *byte, slot int) unix.Errno {
	const empty = "\x00"
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	all := ^uint64(0)
	var old uint64
	nothing := unsafe.Pointer(unsafe.StringData(empty))

	// A signal must not run a handler of Go's in the child.
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
		uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&old)), 8, 0, 0)
	pid, errno := rawClone(unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_FILES |
		unix.CLONE_VFORK | uintptr(unix.SIGCHLD))
	if pid == 0 && errno == 0 {
		cwd := unix.AT_FDCWD
		fd, _, e := unix.RawSyscall(unix.SYS_OPEN_TREE, uintptr(cwd),
			uintptr(unsafe.Pointer(name)), unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
		if e == 0 {
			_, _, e = unix.RawSyscall6(unix.SYS_MOUNT_SETATTR, fd, uintptr(nothing),
				unix.AT_EMPTY_PATH, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
			if e == 0 {
				_, _, e = unix.RawSyscall(unix.SYS_DUP3, fd, uintptr(slot), unix.O_CLOEXEC)
			}
			_, _, _ = unix.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
		}
		for {
			_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, uintptr(e), 0, 0)
		}
	}
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
		uintptr(unsafe.Pointer(&old)), 0, 8, 0, 0)
	if errno != 0 {
		return errno
	}
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(int(pid), &status, 0, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if !status.Exited() {
		return unix.EIO
	}
	return unix.Errno(status.ExitStatus())
}

// copySelf copies the executable into memory and seals it.
func copySelf(dir string) (int, error) {
	in, err := os.Open(selfExe)
	if err != nil {
		return -1, err
	}
	defer in.Close()
	fd, err := unix.MemfdCreate("rung", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3 there is no MFD_EXEC
		fd, err = unix.MemfdCreate("rung", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return copyUnlinked(in, dir, err)
	}
	out := os.NewFile(uintptr(fd), "memfd:rung")
	defer out.Close()
	if _, err = io.Copy(out, in); err != nil {
		return -1, err
	}
	_, err = unix.FcntlInt(out.Fd(), unix.F_ADD_SEALS,
		unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	if err != nil {
		return -1, os.NewSyscallError("fcntl(F_ADD_SEALS)", err)
	}
	return unix.FcntlInt(out.Fd(), unix.F_DUPFD_CLOEXEC, 3)
}

// copyUnlinked copies into a file without a name. It is not sealed, but it is
// not the host's binary either, and each start makes its own.
func copyUnlinked(in *os.File, dir string, first error) (int, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o500)
	if err != nil {
		return -1, fmt.Errorf("%w; open %s (O_TMPFILE): %w", os.NewSyscallError("memfd_create", first), dir, err)
	}
	out := os.NewFile(uintptr(fd), dir)
	defer out.Close() // executed only once nobody has it open for writing
	if _, err := io.Copy(out, in); err != nil {
		return -1, err
	}
	return unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_RDONLY|unix.O_CLOEXEC, 0)
}

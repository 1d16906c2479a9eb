package initproc

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/linux"
)

const firstFree = 3

// closeFDs closes every descriptor but the standard streams, the preserved
// ones behind them, and what init still needs. Closed, not marked: until
// execve a marked one could be executed through /proc/self/fd (CVE-2024-21626).
func (p *initProcess) closeFDs(preserved int) error {
	keep := append([]int{p.in.Socket, p.release}, p.poller...)
	if p.plan.Create {
		p.leaveHostProc()
		keep = append(keep, p.in.Proc) // to open the fifo
	}
	slices.Sort(keep)
	from := firstFree + preserved
	for _, fd := range keep {
		if err := closeRange(from, fd-1); err != nil {
			return err
		}
		from = max(from, fd+1)
	}
	return closeRange(from, -1)
}

// leaveHostProc puts the container's procfs in the place of the host's, for the
// time until start: a process that may ptrace init, one that shares its pid
// namespace, reaches through init's descriptors whatever they lead to, and the
// host's sysctls are a way out. With that gone init is dumpable, as a rootless
// caller must find it to open its namespaces (ptrace(2), "Ptrace access mode
// checking"). Where the container has no procfs of a namespace that init is in,
// init keeps the host's and stays out of reach.
func (p *initProcess) leaveHostProc() {
	const flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Open("/proc", flags, 0)
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fd), "/proc")
	defer f.Close()
	if !linux.IsProcRoot(f) {
		return
	}
	fifo := make([]byte, 1)
	if _, err := unix.Readlinkat(fd, "self/fd/"+strconv.Itoa(p.release), fifo); err != nil {
		return
	}
	if unix.Dup3(fd, p.in.Proc, unix.O_CLOEXEC) == nil {
		_ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
	}
}

// startPoller makes the Go runtime open its poller now, and finds its two
// descriptors: they must stay open, or the runtime's monitor thread dies of it.
// They are close-on-exec, and lead to no file.
func (p *initProcess) startPoller() error {
	f, err := os.Open("/")
	if err != nil {
		return err
	}
	defer f.Close()
	const search = 8
	for fd := int(f.Fd()) + 1; fd < int(f.Fd())+search; fd++ {
		name := make([]byte, 64)
		n, err := unix.Readlinkat(p.in.Proc, "self/fd/"+strconv.Itoa(fd), name)
		if err != nil {
			continue
		}
		switch string(name[:n]) {
		case "anon_inode:[eventpoll]", "anon_inode:[eventfd]":
			p.poller = append(p.poller, fd)
		}
	}
	return nil
}

// checkRoom refuses a limit of open files that would not let init open the fifo
// that it waits for start at, once nobody is left to be told. The descriptor will
// have the socket's number, the first that is free.
func (p *initProcess) checkRoom() error {
	if !p.plan.Create {
		return nil
	}
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	if limit.Cur > uint64(p.in.Socket) { //nolint:gosec // not negative
		return nil
	}
	return &fault.Error{
		Op: "set rlimit", Field: "process.rlimits", Err: unix.EMFILE,
		Hint: fmt.Sprintf("RLIMIT_NOFILE must be at least %d, to wait for start with one descriptor", p.in.Socket+1),
	}
}

// closeRange closes the descriptors first to last, or all from first on.
func closeRange(first, last int) error {
	end := uint(last)
	if last < 0 {
		end = ^uint(0) >> 32
	} else if last < first {
		return nil
	}
	err := unix.CloseRange(uint(first), end, 0)
	if err == nil {
		return nil
	}
	if !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EPERM) {
		return os.NewSyscallError("close_range", err)
	}
	// A sandbox refuses it: one by one, up to the limit.
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return os.NewSyscallError("getrlimit", err)
	}
	for fd := uint64(first); fd <= uint64(end) && fd < limit.Cur; fd++ { //nolint:gosec // descriptors are small
		_ = unix.Close(int(fd)) //nolint:gosec // the same
	}
	return nil
}

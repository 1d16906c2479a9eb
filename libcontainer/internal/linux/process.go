package linux

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// ProcStat is what /proc/PID/stat tells of a process.
type ProcStat struct {
	State byte   // 'R', 'S', 'Z' …
	Start uint64 // clock ticks after boot
}

// ReadStat reads /proc/PID/stat (proc_pid_stat(5)). A pid is the same process
// only with the same start time.
func ReadStat(pid int) (ProcStat, error) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return ProcStat{}, err
	}
	defer unix.Close(fd)
	var buf [1024]byte
	n, err := unix.Read(fd, buf[:])
	if err != nil {
		return ProcStat{}, err
	}
	return parseStat(buf[:n])
}

func parseStat(line []byte) (ProcStat, error) {
	// The name is in parentheses and may contain anything, ")" too.
	end := bytes.LastIndexByte(line, ')')
	if end < 0 {
		return ProcStat{}, errors.New("malformed /proc/PID/stat")
	}
	fields := bytes.Fields(line[end+1:])
	const state, start = 0, 19 // fields 3 and 22
	if len(fields) <= start || len(fields[state]) != 1 {
		return ProcStat{}, errors.New("malformed /proc/PID/stat")
	}
	ticks, err := strconv.ParseUint(string(fields[start]), 10, 64)
	if err != nil {
		return ProcStat{}, fmt.Errorf("malformed /proc/PID/stat: %w", err)
	}
	return ProcStat{State: fields[state][0], Start: ticks}, nil
}

// Alive tells whether the process with this pid and start time still runs. A
// zombie does not.
func Alive(pid int, start uint64) bool {
	if pid <= 0 {
		return false
	}
	s, err := ReadStat(pid)
	return err == nil && s.Start == start && s.State != 'Z' && s.State != 'X'
}

// OpenPidfd opens the process, close-on-exec, if it is still the one that
// started then; else ESRCH. pidfd_open(2), Linux 5.3.
func OpenPidfd(pid int, start uint64) (*os.File, error) {
	if pid <= 0 {
		return nil, unix.ESRCH
	}
	f, err := PidfdOpen(pid)
	if err != nil {
		return nil, err
	}
	// Checked when the descriptor is there: it does not move to a later
	// process with the same pid.
	if !Alive(pid, start) {
		f.Close()
		return nil, unix.ESRCH
	}
	return f, nil
}

// PidfdOpen opens whatever process has this pid now, close-on-exec, else ESRCH.
func PidfdOpen(pid int) (*os.File, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.EINVAL) {
		// Of a process that is gone while its number is still in use, as the
		// group's of others or by another call, Linux before 6.16 says what it
		// says of a thread.
		err = unix.ESRCH
	}
	if err != nil {
		return nil, os.NewSyscallError("pidfd_open", err)
	}
	return os.NewFile(uintptr(fd), "pidfd"), nil
}

// SignalPidfd sends sig to the process.
func SignalPidfd(pidfd *os.File, sig unix.Signal) error {
	return os.NewSyscallError("pidfd_send_signal", unix.PidfdSendSignal(int(pidfd.Fd()), sig, nil, 0))
}

// PollExit waits until the process of pidfd has ended, at most for timeout
// (negative: without a bound). It tells whether it has.
func PollExit(pidfd *os.File, timeout time.Duration) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(pidfd.Fd()), Events: unix.POLLIN}}
	n, err := Poll(fds, timeout)
	return n > 0, err
}

// Poll is poll(2), restarted when a signal interrupts it. A negative timeout
// waits for ever.
func Poll(fds []unix.PollFd, timeout time.Duration) (int, error) {
	deadline := time.Now().Add(timeout)
	for {
		ms := -1
		if timeout >= 0 {
			ms = int(max(time.Until(deadline), 0).Milliseconds())
		}
		n, err := unix.Poll(fds, ms)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return n, os.NewSyscallError("poll", err)
	}
}

// Wait reaps the child pid, whatever its exit signal: init's is none until it
// has executed the program (clone(2), __WALL).
func Wait(pid int) (unix.WaitStatus, error) {
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(pid, &status, unix.WALL, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return status, os.NewSyscallError("wait4", err)
	}
}

// WaitReaping is Wait that also reaps every other child that ends before: the
// orphans that a subreaper is given.
func WaitReaping(pid int) (unix.WaitStatus, error) {
	for {
		var status unix.WaitStatus
		got, err := unix.Wait4(-1, &status, unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return status, os.NewSyscallError("wait4", err)
		case got == pid:
			return status, nil
		}
	}
}

// ExitCode is the code that stands for how a process ended: its own, or 128
// and the signal.
func ExitCode(status unix.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// SealedMemfd is data as a descriptor that nobody can change.
func SealedMemfd(name string, data []byte) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), name)
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if err != nil && !errors.Is(err, unix.EINTR) {
			f.Close()
			return nil, os.NewSyscallError("write memfd", err)
		}
		data = data[max(n, 0):]
	}
	_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS,
		unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	if err != nil {
		f.Close()
		return nil, os.NewSyscallError("fcntl(F_ADD_SEALS)", err)
	}
	return f, nil
}

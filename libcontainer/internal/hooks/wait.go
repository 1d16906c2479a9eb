package hooks

import (
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ending is why a wait is over.
type ending int

const (
	exited  ending = iota // by itself; reaped
	late                  // the deadline has passed
	stopped               // the context has ended
	broken                // process.err
)

const (
	// tick is how often an exit is looked for without a pidfd.
	tick = 10 * time.Millisecond
	// patience bounds the wait for a killed hook: one in an uninterruptible
	// sleep dies when the kernel pleases.
	patience = 10 * time.Second
)

// wait serves the hook until it exits, the deadline (zero: none) passes or
// cancelled becomes readable.
func (p *process) wait(deadline time.Time, cancelled int) (unix.WaitStatus, ending) {
	for {
		fds := [...]unix.PollFd{
			{Fd: int32(p.pidfd), Events: unix.POLLIN},
			{Fd: int32(p.stdin), Events: unix.POLLOUT},
			{Fd: int32(p.stdout.fd), Events: unix.POLLIN},
			{Fd: int32(p.stderr.fd), Events: unix.POLLIN},
			{Fd: int32(cancelled), Events: unix.POLLIN},
		}
		if p.err = p.poll(fds[:], p.pause(deadline)); p.err != nil {
			return 0, broken
		}
		// Asked before the output is read: what it wrote is there by then.
		var status unix.WaitStatus
		var over bool
		if p.pidfd < 0 || fds[0].Revents != 0 {
			over, status, p.err = reap(p.pid)
			if p.err != nil {
				return 0, broken
			}
		}
		if over {
			p.drain()
			return status, exited
		}
		if fds[1].Revents != 0 {
			p.feed()
		}
		if fds[2].Revents != 0 {
			p.stdout.read()
		}
		if fds[3].Revents != 0 {
			p.stderr.read()
		}
		if fds[4].Revents != 0 {
			return 0, stopped
		}
		if !deadline.IsZero() && !time.Now().Before(deadline) {
			return 0, late
		}
	}
}

// pause is how long one poll may take; negative: without a bound.
func (p *process) pause(deadline time.Time) time.Duration {
	pause := time.Duration(-1)
	if !deadline.IsZero() {
		pause = max(time.Until(deadline), 0)
	}
	if p.pidfd < 0 && (pause < 0 || pause > tick) {
		pause = tick
	}
	return pause
}

// drain takes what is in the pipes, and does not wait for their end: a child
// that the hook leaves in the background may keep them open for ever, and may
// even write for ever.
func (p *process) drain() {
	for _, s := range []*stream{&p.stdout, &p.stderr} {
		if s.fd < 0 {
			continue
		}
		// What is there now: a pipe cannot be read for ever, its writer can be.
		there, err := unix.IoctlGetUint32(s.fd, unix.TIOCINQ)
		for left := int(there); err == nil && left > 0 && s.fd >= 0; {
			left -= s.read()
		}
	}
}

// kill ends the hook and its process group, and reaps those that are children
// of ours: orphans too, where we are their subreaper or the first process.
func (p *process) kill() {
	_ = unix.Kill(-p.pid, unix.SIGKILL)
	_ = unix.Kill(p.pid, unix.SIGKILL) // it may have left its group
	defer p.drain()
	leader := false
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if !leader {
			over, _, err := reap(p.pid)
			leader = over || err != nil
		}
		// The number stays taken for as long as the group has a member.
		member, _, err := reap(-p.pid)
		if leader && err != nil {
			return
		}
		if !member {
			_ = p.poll(nil, time.Millisecond)
		}
	}
}

// reap is wait4(2) that does not block: over tells whether there was one.
func reap(pid int) (over bool, status unix.WaitStatus, err error) {
	for {
		got, err := unix.Wait4(pid, &status, unix.WNOHANG, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return got > 0, status, os.NewSyscallError("wait4", err)
	}
}

// poll is ppoll(2); an interruption is the end of it without an event.
//
// In init it is a raw call. After a while in any other the Go runtime starts
// a thread to take over, and ends the process if it may not: the pids limit of
// the container counts threads.
func (p *process) poll(fds []unix.PollFd, pause time.Duration) error {
	var timeout *unix.Timespec
	if pause >= 0 {
		ts := unix.NsecToTimespec(pause.Nanoseconds())
		timeout = &ts
	}
	var err error
	if p.inside {
		at, until := unsafe.Pointer(unsafe.SliceData(fds)), unsafe.Pointer(timeout)
		_, _, errno := unix.RawSyscall6(unix.SYS_PPOLL, uintptr(at), uintptr(len(fds)), uintptr(until), 0, 0, 0)
		if errno != 0 {
			err = errno
		}
	} else {
		_, err = unix.Ppoll(fds, timeout, nil)
	}
	if errors.Is(err, unix.EINTR) {
		// What is in fds is then what was put there: no event.
		return nil
	}
	return os.NewSyscallError("ppoll", err)
}

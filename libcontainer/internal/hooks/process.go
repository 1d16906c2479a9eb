package hooks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// process is a hook that runs.
type process struct {
	pid   int
	pidfd int // -1: the sandbox around us knows none
	// stdin is our end, -1 once all of state is written or nobody reads it.
	stdin  int
	state  []byte // what is still to be written
	stdout stream
	stderr stream
	// inside: in init, where a wait must not cost a thread.
	inside bool
	err    error // why it cannot be watched any longer
}

// lockThread keeps the caller on its thread: a hook is killed when the thread
// that forked it ends (PR_SET_PDEATHSIG(2const)), which is meant to say that
// this process has died.
func lockThread() (unlock func()) {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}

// start forks and executes h. Not by os.StartProcess: that probes for pidfds in
// a goroutine and forks where it likes.
func (s *setting) start(h *Hook, state []byte) (*process, error) {
	pipes, err := openPipes()
	if err != nil {
		return nil, err
	}
	p := &process{
		pidfd: -1, stdin: pipes[1], state: state,
		stdout: stream{fd: pipes[2]}, stderr: stream{fd: pipes[4]}, inside: s.inside,
	}
	// The hook's ends: one that this process kept would hide their end.
	theirs := []int{pipes[0], pipes[3], pipes[5]}
	defer closeAll(theirs)

	// Written before there is a reader that could go away: nearly always all
	// of it, as a pipe holds 64 KiB (pipe(7)).
	p.feed()

	argv, env := h.Args, h.Env
	if len(argv) == 0 {
		argv = []string{h.Path}
	}
	if env == nil {
		env = s.env
	}
	attr := &syscall.ProcAttr{
		Dir: s.dir, Env: env,
		Files: []uintptr{uintptr(theirs[0]), uintptr(theirs[1]), uintptr(theirs[2])},
		// A group of its own, so that all of it can be killed.
		Sys: &syscall.SysProcAttr{Setpgid: true, PidFD: &p.pidfd},
	}
	if !s.inside {
		// In init the end of the pid namespace sees to it, and a seccomp
		// filter may forbid prctl(2).
		attr.Sys.Pdeathsig = unix.SIGKILL
	}
	p.pid, err = syscall.ForkExec(h.Path, argv, attr)
	if err != nil {
		p.close()
		return nil, s.explain(h.Path, err)
	}
	return p, nil
}

// explain names what the error of fork and exec is about.
func (s *setting) explain(path string, err error) error {
	if s.dir != "" {
		if _, bad := os.Stat(s.dir); bad != nil {
			if cause, ok := errors.AsType[*os.PathError](bad); ok {
				return &os.PathError{Op: "chdir", Path: s.dir, Err: cause.Err}
			}
		}
	}
	return &os.PathError{Op: "fork/exec", Path: path, Err: err}
}

// openPipes makes three pipes, close-on-exec, as read and write end each.
// Ours of standard input does not block: a hook may never read.
func openPipes() ([6]int, error) {
	fds := [6]int{-1, -1, -1, -1, -1, -1}
	for i := 0; i < len(fds); i += 2 {
		if err := unix.Pipe2(fds[i:i+2], unix.O_CLOEXEC); err != nil {
			closeAll(fds[:])
			return fds, os.NewSyscallError("pipe2", err)
		}
	}
	if _, err := unix.FcntlInt(uintptr(fds[1]), unix.F_SETFL, unix.O_NONBLOCK); err != nil {
		closeAll(fds[:])
		return fds, os.NewSyscallError("fcntl(F_SETFL)", err)
	}
	return fds, nil
}

func closeAll(fds []int) {
	for _, fd := range fds {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
}

// feed writes what the pipe has room for. A hook need not read its state, so
// that one who closed it is no error; the SIGPIPE that comes with EPIPE the Go
// runtime ignores for writes that are not made by os.File.
func (p *process) feed() {
	for p.stdin >= 0 {
		n, err := unix.Write(p.stdin, p.state)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return
		case err != nil:
			p.closeStdin()
		default:
			p.state = p.state[n:]
			if len(p.state) == 0 {
				p.closeStdin()
			}
		}
	}
}

func (p *process) closeStdin() {
	_ = unix.Close(p.stdin)
	p.stdin = -1
}

// close gives up what is left of the connection to the hook.
func (p *process) close() {
	closeAll([]int{p.pidfd, p.stdin, p.stdout.fd, p.stderr.fd})
	p.pidfd, p.stdin, p.stdout.fd, p.stderr.fd = -1, -1, -1, -1
}

// describe says how a process ended, in the words of os.ProcessState.
func describe(status unix.WaitStatus) string {
	if !status.Signaled() {
		return "exit status " + strconv.Itoa(status.ExitStatus())
	}
	text := "signal: " + status.Signal().String()
	if status.CoreDump() {
		text += " (core dumped)"
	}
	return text
}

// watch gives a descriptor that becomes readable when ctx ends, -1 if it never
// does, and what releases it.
func watch(ctx context.Context) (fd int, release func(), err error) {
	if ctx.Done() == nil {
		return -1, func() {}, nil
	}
	fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return -1, nil, fmt.Errorf("eventfd: %w", err)
	}
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_, _ = unix.Write(fd, []byte{1, 0, 0, 0, 0, 0, 0, 1}) // not 0, in either byte order
	})
	return fd, func() {
		if !stop() {
			<-done // it may be about to write
		}
		_ = unix.Close(fd)
	}, nil
}

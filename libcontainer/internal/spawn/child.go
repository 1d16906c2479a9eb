package spawn

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"github.com/rung-run/rung/libcontainer/internal/wire"
	"golang.org/x/sys/unix"
)

// Child is init, or the process of an exec, on its way to the program.
type Child struct {
	Pid   int
	Start uint64 // clock ticks after boot; with Pid it names the process
	Pidfd *os.File
	// Placed: clone3 put it into the cgroup v2 directory.
	Placed bool
	conn   *wire.Conn
	dir    string // Options.Dir
	reaped bool
	// inside: it has said that it is in all its namespaces.
	inside bool
	// told: it has said why it ends.
	told bool
}

func newChild(b *Bootstrap, e entered) (*Child, error) {
	pid := e.pid
	c := &Child{Pid: pid, conn: b.conn, dir: b.dir, Placed: b.Placed || e.placed, inside: e.namespaces}
	// It is our child (CLONE_PARENT) and not yet reaped: the pid is its own.
	stat, err := linux.ReadStat(pid)
	if err == nil {
		c.Start = stat.Start
		var fd int
		fd, err = unix.PidfdOpen(pid, 0)
		if err == nil {
			c.Pidfd = os.NewFile(uintptr(fd), "pidfd")
		}
	}
	if err != nil {
		c.Kill()
		return nil, fmt.Errorf("open init, pid %d: %w", pid, err)
	}
	return c, nil
}

// Kill ends the child, and reaps it.
func (c *Child) Kill() {
	c.conn.Close()
	if c.reaped {
		return
	}
	_ = unix.Kill(c.Pid, unix.SIGKILL)
	_, _ = c.Wait()
}

// Wait reaps the child when it ends.
func (c *Child) Wait() (unix.WaitStatus, error) {
	status, err := linux.Wait(c.Pid)
	c.reaped = true
	return status, err
}

// WaitReaping is Wait for a caller whose other children are orphans that it has
// been given: they are reaped as well.
func (c *Child) WaitReaping() (unix.WaitStatus, error) {
	status, err := linux.WaitReaping(c.Pid)
	c.reaped = true
	return status, err
}

// Mapped tells the child that its id maps are written.
func (c *Child) Mapped() error { return c.conn.SendMapped() }

// Namespaces waits until the child is in all its namespaces.
func (c *Child) Namespaces() error {
	if c.inside {
		return nil
	}
	m, err := c.recv()
	if err != nil {
		return err
	}
	defer m.CloseFDs()
	_, err = report(m, wire.KindNamespaces)
	c.told = err != nil
	return err
}

func (c *Child) recv() (*wire.Message, error) {
	m, err := c.conn.Recv()
	if errors.Is(err, wire.ErrClosed) {
		return nil, c.ended()
	}
	return m, err
}

// EndedError is an init that ended without a word.
type EndedError struct{ Status unix.WaitStatus }

// Error implements error.
func (e *EndedError) Error() string { return "init ended: " + e.Cause() }

// Cause is the exit status, or the signal.
func (e *EndedError) Cause() string { return describe(e.Status) }

// ended says how a child that closed its socket came to its end. It may have
// been killed, or may live on in error: then it is killed.
func (c *Child) ended() error {
	const grace = time.Second
	if gone, err := linux.PollExit(c.Pidfd, grace); err != nil || !gone {
		_ = unix.Kill(c.Pid, unix.SIGKILL)
	}
	status, err := c.Wait()
	if err != nil {
		return err
	}
	return &EndedError{Status: status}
}

// Explain is err, or that the child has ended, if err is what comes of talking
// to one that has, or of looking at it; not if it has told us the cause, which
// may well have such an errno.
func (c *Child) Explain(err error) error {
	if c.told {
		return err
	}
	for _, errno := range [...]unix.Errno{unix.EPIPE, unix.ECONNRESET, unix.ESRCH, unix.ENOENT} {
		if !errors.Is(err, errno) || c.reaped {
			continue
		}
		if gone, e := linux.PollExit(c.Pidfd, 0); e == nil && gone {
			return c.ended()
		}
	}
	return err
}

// Send sends the plan, with descriptors of its own (the fifo or the pipe), and
// the mount sources that the parent opened.
func (c *Child) Send(init *wire.Init, own []*os.File, handles []*os.File) error {
	memfd, err := linux.SealedMemfd("plan", wire.EncodeInit(init))
	if err != nil {
		return err
	}
	defer memfd.Close()
	fds := []int{int(memfd.Fd())}
	for _, f := range own {
		fds = append(fds, int(f.Fd()))
	}
	if err := c.conn.Send(wire.KindPlan, nil, fds...); err != nil {
		return err
	}
	for len(handles) > 0 {
		batch := handles[:min(len(handles), wire.MaxFDs)]
		handles = handles[len(batch):]
		fds = fds[:0]
		for _, f := range batch {
			fds = append(fds, int(f.Fd()))
		}
		if err := c.conn.Send(wire.KindHandles, nil, fds...); err != nil {
			return err
		}
	}
	return nil
}

// Answers are what the parent does when init reaches a point.
type Answers struct {
	// Mounts: the mounts are made. Limits, prestart, createRuntime.
	Mounts func() error
	// Limits gives the seccomp program, if the plan has one; rlimits are set.
	Limits func() ([]byte, error)
	// Ready: all that can fail in init has been done but for execve.
	Ready func() error
	// Console takes the master of the terminal.
	Console func(*os.File) error
	// Step takes a line about each step of init, if wire.Init.Debug asked.
	Step func(line string)
}

// Serve answers init until it is ready. Afterwards the socket is closed, and
// init runs on by itself.
func (c *Child) Serve(a Answers) error {
	for {
		m, err := c.recv()
		if err != nil {
			return err
		}
		done, err := c.answer(m, a)
		m.CloseFDs()
		if err != nil {
			return err
		}
		if done {
			return c.conn.Close()
		}
	}
}

func (c *Child) answer(m *wire.Message, a Answers) (done bool, err error) {
	switch m.Kind {
	case wire.KindError:
		c.told = true
		return false, &InitError{wire.DecodeFailure(m.Payload)}
	case wire.KindConsole:
		if len(m.FDs) != 1 {
			return false, fmt.Errorf("console message with %d descriptors", len(m.FDs))
		}
		master := os.NewFile(uintptr(m.FDs[0]), string(m.Payload))
		m.FDs = nil
		return false, a.Console(master)
	case wire.KindStep:
		if a.Step != nil {
			a.Step(string(m.Payload))
		}
		return false, nil
	case wire.KindSync:
	default:
		return false, fmt.Errorf("unexpected message of kind %d from init", m.Kind)
	}
	var reply []byte
	switch string(m.Payload) {
	case plan.SyncMounts:
		err = a.Mounts()
	case plan.SyncLimits:
		reply, err = a.Limits()
	case plan.SyncReady:
		err, done = a.Ready(), true
	default:
		err = fmt.Errorf("unexpected sync point %q from init", m.Payload)
	}
	if err != nil {
		return false, err
	}
	return done, c.conn.Send(wire.KindContinue, reply)
}

// InitError is an error that init reported, as against one of the parent's.
type InitError struct{ Err error }

// Error implements error.
func (e *InitError) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *InitError) Unwrap() error { return e.Err }

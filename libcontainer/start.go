package libcontainer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/inject"
	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/wire"
)

// Start lets the first process of a created container execute the program,
// and waits until it has. If that fails, or a poststart hook does, the
// container is stopped, and its poststop hooks have run; so it is if ctx ends
// before that.
func (c *Container) Start(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	r, err := c.release()
	if r != nil {
		defer r.close()
	}
	if err == nil {
		const during = "unable to start container process: error during container init: "
		release := killAtEnd(ctx, r.pidfd)
		err = awaitExec(int(r.fifo.Fd()), r.pidfd, "container init", during)
		release()
	}
	switch {
	case r == nil:
		return err // nothing was touched
	case err != nil:
		return r.container.startFailed(interrupted(ctx, err))
	default:
		return r.container.postStart(ctx)
	}
}

// released is a container whose init goes on.
type released struct {
	container *Container // as it was under the lock
	pidfd     *os.File
	fifo      *os.File // the end that init's words come out of
}

func (r *released) close() {
	if r.pidfd != nil {
		r.pidfd.Close()
	}
	if r.fifo != nil {
		r.fifo.Close()
	}
}

// release opens the fifo. Init, which waits to open its other end, runs the
// startContainer hooks and executes the program: the end of the fifo's stream
// means that it has, text is the error. The lock decides which of two starts
// does it, and is not held while the hooks run.
func (c *Container) release() (*released, error) {
	if err := c.startable(); err != nil {
		return nil, err
	}
	now, lock, err := c.take(lockTimeout)
	if err != nil {
		return nil, err
	}
	defer lock.Close()
	if err := now.startable(); err != nil {
		return nil, err
	}
	r := &released{container: now}
	// First, for from the open on init runs, and may end at once.
	if r.pidfd, err = linux.OpenPidfd(now.record.InitPid, now.record.InitStart); err != nil {
		return nil, errors.New("cannot start a container that has stopped")
	}
	// Renamed, so that a start that is killed here leaves no container that
	// looks created while its program runs; waits tells the rest.
	path := now.dir.file(startedFile)
	err = os.Rename(now.dir.file(fifoFile), path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // there is none after a start that was killed
		return r, err
	}
	inject.Point("start-renamed")
	r.fifo, err = os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return r, err
	}
	inject.Point("start-opened")
	return r, os.Remove(path)
}

func (c *Container) startable() error {
	status, err := c.Status()
	if err != nil {
		return err
	}
	switch status {
	case Created:
		return nil
	case Paused:
		return errors.New("cannot start a container in the paused state")
	case Stopped:
		return errors.New("cannot start a container that has stopped")
	case Creating:
		return ErrNotExist
	default:
		return errors.New("cannot start an already running container")
	}
}

// awaitExec reads what init says until its program runs: that it executes it,
// or an error, which is given with the prefix. Who ends without a word has been
// killed.
func awaitExec(fd int, pidfd *os.File, who, prefix string) error {
	// Not POLLIN: there is nothing to do before the other end is closed.
	fds := []unix.PollFd{
		{Fd: int32(fd)}, //nolint:gosec // a descriptor
		{Fd: int32(pidfd.Fd()), Events: unix.POLLIN}, //nolint:gosec // a descriptor
	}
	if _, err := linux.Poll(fds, -1); err != nil {
		return err
	}
	said, err := readAll(fd)
	if err != nil {
		return err
	}
	failure, executing := bytes.CutPrefix(said, []byte{wire.Executing})
	switch {
	case len(failure) > 0:
		return fmt.Errorf("%s%w", prefix, wire.DecodeFailure(failure))
	case !executing:
		return errors.New(who + " was killed before its program ran")
	}
	return nil
}

// readAll reads what is in a pipe, whose writer has closed it or has ended.
func readAll(fd int) (said []byte, err error) {
	buf := make([]byte, 4<<10) // most say nothing
	for {
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return said, nil // who could have written has ended
		case err != nil:
			return said, os.NewSyscallError("read", err)
		case n == 0:
			return said, nil
		default:
			said = append(said, buf[:n]...)
		}
	}
}

// startFailed ends what did not come to life. The entry stays, stopped, unless
// a delete was faster.
func (c *Container) startFailed(err error) error {
	now, lock, e := c.take(lockTimeout)
	if errors.Is(e, ErrNotExist) || e == nil && now.record.InitPid != c.record.InitPid {
		if e == nil {
			lock.Close() // a new one of that name
		}
		return err
	}
	if e != nil {
		return errors.Join(err, e)
	}
	defer lock.Close()
	if e := now.end(); e != nil {
		err = errors.Join(err, e)
	}
	if hooks, e := now.ownHooks(); e == nil {
		postStop(hooks, now.record, now.log)
		now.record.PostStopped = true
		if e := now.dir.save(now.record); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}

// postStart runs the poststart hooks, for which the program already runs.
func (c *Container) postStart(ctx context.Context) error {
	hooks, err := c.ownHooks()
	if err != nil {
		return c.startFailed(err)
	}
	if len(hooks.Poststart) == 0 {
		return nil
	}
	state := hookState(c.record, Running, c.record.InitPid)
	if err := runHooks(ctx, "poststart", hooks.Poststart, state); err != nil {
		return c.startFailed(err)
	}
	return nil
}

// endTimeout bounds how long a killed container may take to end.
const endTimeout = 10 * time.Second

// promptly is how long a process that nothing holds may take to end.
const promptly = 50 * time.Millisecond

// end kills every process of the container, waits until the first has ended,
// and removes the cgroups.
func (c *Container) end() error {
	pidfd, err := linux.OpenPidfd(c.record.InitPid, c.record.InitStart)
	if err == nil {
		defer pidfd.Close()
		if err := linux.SignalPidfd(pidfd, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	cg, cgErr := c.cgroup()
	if cgErr == nil && err == nil {
		// What is frozen does not die: the container, or a part of it, whose
		// end init of a pid namespace waits for.
		if gone, _ := linux.PollExit(pidfd, promptly); !gone {
			cgErr = cg.Thaw()
		}
	}
	if err == nil {
		gone, err := linux.PollExit(pidfd, endTimeout)
		if err != nil {
			return err
		}
		if !gone {
			return &fault.Error{
				Op: "kill", Err: errors.New("container init still running"),
				Hint: fmt.Sprintf("pid %d did not die within %s", c.record.InitPid, endTimeout),
			}
		}
	}
	if cgErr != nil {
		return cgErr
	}
	return cg.Destroy()
}

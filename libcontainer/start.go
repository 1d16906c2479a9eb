package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/wire"
)

// startedFile is what the fifo is renamed to by the one start that takes it: a
// start that is killed half way leaves no container that looks created.
const startedFile = "started.fifo"

// Start lets the first process of a created container execute the program,
// and waits until it has. If that fails, or a poststart hook does, the
// container is stopped, and its poststop hooks have run.
func (c *Container) Start(ctx context.Context) error {
	status, err := c.Status()
	if err != nil {
		return err
	}
	switch status {
	case Created:
	case Paused:
		return errors.New("cannot start a container in the paused state")
	case Stopped:
		return errors.New("cannot start a container that has stopped")
	case Creating:
		return ErrNotExist
	default:
		return errors.New("cannot start an already running container")
	}
	err = os.Rename(c.dir.file(fifoFile), c.dir.file(startedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("cannot start an already running container")
	}
	if err != nil {
		return err
	}
	if err := c.releaseInit(); err != nil {
		return c.startFailed(err)
	}
	return c.postStart(ctx)
}

// releaseInit opens the fifo. Init, which waits to open its other end, runs
// the startContainer hooks and executes the program: the end of the fifo's
// stream means that it has, text is the error.
func (c *Container) releaseInit() error {
	// First, for from the open on init runs, and may end at once.
	pidfd, err := linux.OpenPidfd(c.record.InitPid, c.record.InitStart)
	if err != nil {
		return ErrNotRunning
	}
	defer pidfd.Close()
	path := c.dir.file(startedFile)
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	defer os.Remove(path)
	const during = "unable to start container process: error during container init: "
	return awaitExec(fd, pidfd, during)
}

// awaitExec reads what init says before its program runs: nothing, or an
// error, which is given with the prefix. An init that ends without a word has been killed.
func awaitExec(fd int, pidfd *os.File, prefix string) error {
	var said []byte
	buf := make([]byte, wire.MaxPayload)
	for {
		fds := []unix.PollFd{
			{Fd: int32(fd), Events: unix.POLLIN},         //nolint:gosec // a descriptor
			{Fd: int32(pidfd.Fd()), Events: unix.POLLIN}, //nolint:gosec // a descriptor
		}
		if _, err := linux.Poll(fds, -1); err != nil {
			return err
		}
		if fds[0].Revents == 0 {
			// Ended; what it had said may have come after the one was
			// looked at, and before the other was.
			if _, err := linux.Poll(fds[:1], 0); err != nil {
				return err
			}
		}
		if fds[0].Revents == 0 {
			return errors.New("container init was killed before its program ran")
		}
		n, err := unix.Read(fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return os.NewSyscallError("read", err)
		case n > 0:
			said = append(said, buf[:n]...)
			continue
		case len(said) > 0:
			return fmt.Errorf("%s%w", prefix, wire.DecodeFailure(said))
		}
		return nil
	}
}

// startFailed ends what did not come to life. The entry stays, stopped.
func (c *Container) startFailed(err error) error {
	if e := c.end(); e != nil {
		err = errors.Join(err, e)
	}
	if spec, e := c.dir.loadSpec(); e == nil {
		postStop(spec, c.record, c.log)
	}
	return err
}

// postStart runs the poststart hooks, for which the program already runs.
func (c *Container) postStart(ctx context.Context) error {
	spec, err := c.dir.loadSpec()
	if err != nil {
		return c.startFailed(err)
	}
	if spec.Hooks == nil || len(spec.Hooks.Poststart) == 0 {
		return nil
	}
	state := hookState(c.record, Running, c.record.InitPid)
	if err := runHooks(ctx, "poststart", spec.Hooks.Poststart, state); err != nil {
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

package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// lockTimeout bounds how long a delete waits for whoever holds the lock.
const lockTimeout = 10 * time.Second

// Delete removes a stopped or created container: its cgroups, its state, and
// runs its poststop hooks. With force a running one is killed first, and it is
// no error that another Delete was faster.
func (c *Container) Delete(_ context.Context, force bool) error {
	if force {
		now, lock, err := c.killAndTake()
		if errors.Is(err, ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer lock.Close()
		return now.remove()
	}
	// Twice: what is refused is refused at once, and what was seen before may
	// not hold under the lock.
	if err := c.deletable(); err != nil {
		return err
	}
	now, lock, err := c.take(lockTimeout)
	if err != nil {
		return err
	}
	defer lock.Close()
	if err := now.deletable(); err != nil {
		return err
	}
	return now.remove()
}

func (c *Container) deletable() error {
	status, err := c.Status()
	if err == nil && status != Stopped && status != Created {
		err = fmt.Errorf("cannot delete container %s that is not stopped: %s", c.record.ID, status)
	}
	return err
}

// killAndTake kills init before it has the lock, and again while it waits for
// it: a create that hangs holds it, and may not have had an init before.
func (c *Container) killAndTake() (*Container, *os.File, error) {
	const round = 100 * time.Millisecond
	for deadline := time.Now().Add(lockTimeout); ; {
		if err := c.signalInit(unix.SIGKILL); err != nil && !errors.Is(err, ErrNotRunning) {
			return nil, nil, err
		}
		now, lock, err := c.take(round)
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(deadline) {
			return now, lock, err
		}
		if c, err = c.reload(); err != nil {
			return nil, nil, err
		}
	}
}

func (c *Container) remove() error {
	if err := c.end(); err != nil {
		return err
	}
	if !c.record.PostStopped {
		hooks, err := c.ownHooks()
		if err == nil {
			postStop(hooks, c.record, c.log)
		} else if !errors.Is(err, fs.ErrNotExist) {
			c.log.Warnf("poststop hooks: %v", err)
		}
	}
	return c.dir.remove()
}

// RemoveLeftover removes the state directory of a container whose creation
// died before it had any state. It tells whether there was one.
func RemoveLeftover(root, id string) (bool, error) {
	if err := checkID(id); err != nil {
		return false, err
	}
	d := directory{filepath.Join(root, id)}
	st, err := os.Lstat(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !st.IsDir() {
		return false, err
	}
	lock, err := d.lock(lockTimeout)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer lock.Close()
	if _, err := os.Lstat(d.file(stateFile)); err == nil {
		return false, nil // it has state by now
	}
	return true, d.remove()
}

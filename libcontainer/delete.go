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
// runs its poststop hooks. With force a running one is killed first.
func (c *Container) Delete(_ context.Context, force bool) error {
	status, err := c.Status()
	if err != nil {
		return err
	}
	if !force && status != Stopped && status != Created {
		return fmt.Errorf("cannot delete container %s that is not stopped: %s", c.record.ID, status)
	}
	if status != Stopped || force {
		// Not under the lock: a create that hangs holds it.
		if err := c.signalInit(unix.SIGKILL); err != nil && !errors.Is(err, ErrNotRunning) {
			return err
		}
	}
	lock, err := c.dir.lock(lockTimeout)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another delete was faster
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	return c.remove()
}

func (c *Container) remove() error {
	if err := c.end(); err != nil {
		return err
	}
	spec, err := c.dir.loadSpec()
	if err == nil {
		postStop(spec, c.record, c.log)
	} else if !errors.Is(err, fs.ErrNotExist) {
		c.log.Warnf("poststop hooks: %v", err)
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
	if err != nil {
		return false, err
	}
	defer lock.Close()
	if _, err := os.Lstat(d.file(stateFile)); err == nil {
		return false, nil // it has state by now
	}
	return true, d.remove()
}

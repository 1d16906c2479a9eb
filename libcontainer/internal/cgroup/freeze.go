package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
)

// freezeTimeout bounds how long processes may take to stop: one that waits for
// a disk or a network filesystem stops only when it has its answer.
const freezeTimeout = 10 * time.Second

// freezer is a directory with a freezer in it, the file that freezes and the
// word that thaws; "" without any.
func (c *Cgroup) freezer() (dir, file, thaw string) {
	if dir = c.paths["freezer"]; dir != "" {
		return dir, "freezer.state", string(cgroups.Thawed)
	}
	if dir = c.paths[unified]; dir != "" {
		return dir, "cgroup.freeze", "0"
	}
	return "", "", ""
}

// Freeze stops all processes of the container, and waits until they have. When
// it fails they run.
func (c *Cgroup) Freeze() error {
	dir, file, _ := c.freezer()
	var err error
	switch file {
	case "":
		return errors.New("no freezer: the container has no cgroup that could stop it")
	case "freezer.state":
		err = (&fs.FreezerGroup{}).Set(dir, &cgroups.Resources{Freezer: cgroups.Frozen})
	default:
		err = freezeV2(dir)
	}
	if err != nil {
		_ = c.Resume()
	}
	return err
}

// freezeV2 asks, and waits to be notified (cgroup-v2.rst, "cgroup.events").
func freezeV2(dir string) error {
	const events = "cgroup.events"
	fd, err := unix.Open(filepath.Join(dir, events), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: filepath.Join(dir, events), Err: err}
	}
	f := os.NewFile(uintptr(fd), events)
	defer f.Close()
	if err := writeFile(filepath.Join(dir, "cgroup.freeze"), "1"); err != nil {
		return err
	}
	for deadline := time.Now().Add(freezeTimeout); ; {
		var buf [256]byte
		n, err := unix.Pread(fd, buf[:], 0)
		if err != nil {
			return &os.PathError{Op: "read", Path: filepath.Join(dir, events), Err: err}
		}
		if strings.Contains("\n"+string(buf[:n]), "\nfrozen 1") {
			return nil
		}
		left := time.Until(deadline)
		if left <= 0 {
			return &os.PathError{Op: "freeze", Path: dir, Err: unix.ETIMEDOUT}
		}
		changed := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLPRI}} //nolint:gosec // a descriptor
		if _, err := linux.Poll(changed, left); err != nil {
			return err
		}
	}
}

// Resume undoes Freeze. What was frozen by itself in a cgroup below
// stays so.
func (c *Cgroup) Resume() error {
	dir, file, word := c.freezer()
	if dir == "" {
		return nil
	}
	err := writeFile(filepath.Join(dir, file), word)
	if gone(err) {
		return nil
	}
	return err
}

// Thaw lets the container run and every cgroup below its own: on v1 a
// process that is frozen there does not die.
func (c *Cgroup) Thaw() error {
	dir, file, word := c.freezer()
	if dir == "" {
		return nil
	}
	err := walk(dir, func(d *os.File) error { return writeIn(d, file, word) }, nil)
	if gone(err) {
		return nil
	}
	return err
}

// Frozen tells whether the container is paused, or on its way to be: itself,
// not one of the cgroups it lies in. Without a cgroup it is not.
func (c *Cgroup) Frozen() bool {
	dir, file, _ := c.freezer()
	if dir == "" {
		return false
	}
	if file == "freezer.state" {
		file = "freezer.self_freezing" // cgroup-v1/freezer-subsystem.rst
	}
	state, err := readFile(filepath.Join(dir, file))
	return err == nil && strings.HasPrefix(state, "1")
}

package cgroup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"
)

// removeTimeout bounds how long processes may take to end, and cgroups to be
// removed.
const removeTimeout = 10 * time.Second

// PIDs are all processes of the container, also in cgroups below its own.
func (c *Cgroup) PIDs() ([]int, error) {
	dir := c.listing()
	if dir == "" {
		return nil, nil
	}
	pids, err := cgroups.GetAllPids(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return pids, err
}

// Frozen tells whether the container is paused, or on its way to be.
func (c *Cgroup) Frozen() bool {
	path, word := c.freezer()
	if path == "" {
		return false
	}
	data, err := os.ReadFile(path)
	return err == nil && !bytes.HasPrefix(data, []byte(word))
}

// freezer is the freezer's file and what is in it when nothing is frozen.
func (c *Cgroup) freezer() (path, thawed string) {
	if dir := c.paths["freezer"]; dir != "" {
		return filepath.Join(dir, "freezer.state"), "THAWED"
	}
	if dir := c.paths[unified]; dir != "" {
		return filepath.Join(dir, "cgroup.freeze"), "0"
	}
	return "", ""
}

// Thaw lets the container run, and every cgroup below its own: one that is
// frozen there could not be killed.
func (c *Cgroup) Thaw() error {
	path, word := c.freezer()
	if path == "" {
		return nil
	}
	name := filepath.Base(path)
	return filepath.WalkDir(filepath.Dir(path), func(dir string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || !d.IsDir() {
			return err
		}
		err = os.WriteFile(filepath.Join(dir, name), []byte(word), 0)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
			return nil
		}
		return err
	})
}

// Kill ends every process of the container, and waits until none is left.
func (c *Cgroup) Kill() error {
	pause := 500 * time.Microsecond
	for deadline := time.Now().Add(removeTimeout); ; time.Sleep(pause) {
		pids, err := c.PIDs()
		if err != nil || len(pids) == 0 {
			return err
		}
		c.signalAll(pids)
		if err := c.Thaw(); err != nil && !c.o.Rootless {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes do not end: %s", describe(pids))
		}
		pause = min(2*pause, 20*time.Millisecond)
	}
}

// signalAll kills at once where the kernel can, since Linux 5.14, which no
// fork escapes; else one by one, as often as it takes.
func (c *Cgroup) signalAll(pids []int) {
	if dir := c.paths[unified]; dir != "" {
		_ = os.WriteFile(filepath.Join(dir, "cgroup.kill"), []byte("1"), 0)
	}
	for _, pid := range pids {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

// describe names processes that will not die: pid, state, where they hang.
func describe(pids []int) string {
	var list []string
	for _, pid := range pids {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		state := "gone"
		for line := range strings.Lines(string(status)) {
			if rest, ok := strings.CutPrefix(line, "State:"); ok {
				state = strings.TrimSpace(rest)
			}
		}
		wchan, _ := os.ReadFile(fmt.Sprintf("/proc/%d/wchan", pid))
		list = append(list, fmt.Sprintf("pid %d, state %s, in %s", pid, state, wchan))
	}
	return strings.Join(list, "; ")
}

// Destroy removes the cgroups, and those below them. Processes that are still
// in them are killed.
func (c *Cgroup) Destroy() error {
	pause := 200 * time.Microsecond
	for deadline := time.Now().Add(removeTimeout); ; time.Sleep(pause) {
		var busy error
		for _, dir := range c.directories() {
			if err := remove(dir); err != nil {
				busy = err
			}
		}
		if busy == nil {
			return nil
		}
		if !errors.Is(busy, unix.EBUSY) || time.Now().After(deadline) {
			return fmt.Errorf("remove cgroup: %w", busy)
		}
		if err := c.Kill(); err != nil {
			return err
		}
		pause = min(2*pause, 20*time.Millisecond)
	}
}

// remove removes a cgroup and those below it. Most have none, so rmdir is
// tried first.
func remove(dir string) error {
	err := unix.Rmdir(dir)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	entries, readErr := os.ReadDir(dir)
	if errors.Is(readErr, fs.ErrNotExist) {
		return nil
	}
	below := false
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		below = true
		if err := remove(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	if below {
		err = unix.Rmdir(dir)
	}
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return &os.PathError{Op: "rmdir", Path: dir, Err: err}
	}
	return nil
}

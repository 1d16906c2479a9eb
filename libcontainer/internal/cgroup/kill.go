package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/linux"
)

const (
	// removeTimeout bounds how long processes may take to end, and cgroups to
	// be removed.
	removeTimeout = 10 * time.Second
	// killGrace is how long Kill waits for the end of what it has killed. Most
	// are gone in less than a millisecond; one that hangs in the kernel is not
	// waited for.
	killGrace = 100 * time.Millisecond
	// killRounds bounds the search for processes that were forked meanwhile.
	// From the third on everything is frozen first, so that none can be.
	killRounds  = 50
	freezeRound = 2
)

// Kill sends SIGKILL to every process of the container, in cgroups below its
// own too, thaws them, and waits a moment for their end.
func (c *Cgroup) Kill() error {
	for range killRounds {
		pids, err := c.killAll()
		waitEnd(pids, killGrace)
		if err != nil {
			return err
		}
		// A fork that was under way may have become visible by now.
		left, err := c.PIDs()
		if err != nil || !slices.ContainsFunc(left, func(pid int) bool { return !slices.Contains(pids, pid) }) {
			return err
		}
	}
	return fmt.Errorf("processes are forked faster than they are killed: %s", c.describe())
}

// killAll kills all there are, and tells which it found.
func (c *Cgroup) killAll() ([]int, error) {
	dir := c.paths[unified]
	if dir != "" {
		// No fork escapes it, and what is frozen dies too. Linux 5.14.
		err := writeFile(filepath.Join(dir, "cgroup.kill"), "1")
		if c.v2 && err == nil {
			return c.PIDs()
		}
	}
	seen := make(map[int]struct{})
	var all []int
	for round := range killRounds {
		if round >= freezeRound {
			c.beginFreeze()
		}
		pids, err := c.PIDs()
		if err != nil {
			return all, errors.Join(err, c.Thaw())
		}
		news := false
		for _, pid := range pids {
			if pid == os.Getpid() {
				continue
			}
			if e := unix.Kill(pid, unix.SIGKILL); e != nil && !errors.Is(e, unix.ESRCH) {
				err = fmt.Errorf("kill %d: %w", pid, e)
			}
			if _, ok := seen[pid]; !ok {
				seen[pid] = struct{}{}
				all = append(all, pid)
				news = true
			}
		}
		if len(pids) > 0 {
			err = errors.Join(err, c.Thaw())
		}
		if err != nil || !news {
			return all, err
		}
	}
	return all, nil
}

// beginFreeze asks for all to be frozen, without waiting for it.
func (c *Cgroup) beginFreeze() {
	dir, file, _ := c.freezer()
	word := "FROZEN"
	if file == "cgroup.freeze" {
		word = "1"
	}
	if dir != "" {
		_ = writeFile(filepath.Join(dir, file), word)
	}
}

// waitEnd waits until the processes have ended, or for as long as timeout.
func waitEnd(pids []int, timeout time.Duration) {
	deadline := time.Now().Add(timeout)
	for _, pid := range pids {
		f, err := linux.PidfdOpen(pid)
		if errors.Is(err, unix.ESRCH) {
			continue
		}
		if err != nil { // a sandbox
			time.Sleep(min(time.Millisecond, time.Until(deadline)))
			continue
		}
		_, _ = linux.PollExit(f, max(time.Until(deadline), 0))
		f.Close()
	}
}

// Destroy removes the cgroups, and those below them. Processes that are still
// in them are killed.
func (c *Cgroup) Destroy() error {
	pause := 200 * time.Microsecond
	for deadline := time.Now().Add(removeTimeout); ; {
		var left error
		busy := false
		for _, dir := range c.directories() {
			if err := remove(dir); err != nil {
				busy = busy || errors.Is(err, unix.EBUSY)
				left = errors.Join(left, err)
			}
		}
		if left == nil {
			return nil
		}
		if !busy || time.Now().After(deadline) {
			return &fault.Error{Op: "remove cgroup", Err: left, Hint: c.describe()}
		}
		if pids, _ := c.killAll(); len(pids) > 0 {
			waitEnd(pids, time.Until(deadline))
			continue
		}
		// A process that has ended may be counted for a moment.
		time.Sleep(pause)
		pause = min(2*pause, 20*time.Millisecond)
	}
}

// remove removes a cgroup and those below it. Most have none, so rmdir is
// tried first.
func remove(dir string) error {
	err := unix.Rmdir(dir)
	if err == nil || errors.Is(err, unix.ENOENT) || !exists(dir) {
		return nil // a read-only filesystem says so of what is not there too
	}
	if errors.Is(err, unix.EBUSY) {
		walkErr := walk(dir, func(*os.File) error { return nil }, func(parent *os.File, name string) error {
			err := unix.Unlinkat(int(parent.Fd()), name, unix.AT_REMOVEDIR)
			if err != nil && !errors.Is(err, unix.ENOENT) {
				return &os.PathError{Op: "rmdir", Path: dir + "/…/" + name, Err: err}
			}
			return nil
		})
		if walkErr != nil && !gone(walkErr) {
			return walkErr
		}
		err = unix.Rmdir(dir)
	}
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	return &os.PathError{Op: "rmdir", Path: dir, Err: err}
}

// describe names processes that will not die: pid, state, where they hang.
func (c *Cgroup) describe() string {
	pids, _ := c.PIDs()
	var list []string
	for _, pid := range pids {
		status, _ := readFile(fmt.Sprintf("/proc/%d/status", pid))
		state := "gone"
		for line := range strings.Lines(status) {
			if rest, ok := strings.CutPrefix(line, "State:"); ok {
				state = strings.TrimSpace(rest)
			}
		}
		wchan, _ := readFile(fmt.Sprintf("/proc/%d/wchan", pid))
		list = append(list, fmt.Sprintf("pid %d, state %s, in %s", pid, state, wchan))
	}
	return strings.Join(list, "; ")
}

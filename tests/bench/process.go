package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A runtime that has not ended by then is stuck.
const patience = 30 * time.Second

// container is a runtime and where it keeps its containers.
type container struct {
	name, path string
	root       string // --root
}

// command starts programs with as little of our own time in theirs as can be:
// one clone(CLONE_VM|CLONE_VFORK) and execve, no goroutines, no pipes.
type command struct {
	null, stderr *os.File
	env          []string
}

func newCommand(dir string) (*command, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	stderr, err := os.OpenFile(filepath.Join(dir, "stderr"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		null.Close()
		return nil, err
	}
	return &command{null: null, stderr: stderr, env: []string{"PATH=" + os.Getenv("PATH")}}, nil
}

func (c *command) close() {
	c.null.Close()
	c.stderr.Close()
}

// time runs the runtime and tells how long it took.
func (c *command) time(rt *container, args ...string) (time.Duration, error) {
	argv := append([]string{rt.path, "--root", rt.root}, args...)
	attr := &syscall.ProcAttr{
		Env:   c.env,
		Files: []uintptr{c.null.Fd(), c.null.Fd(), c.stderr.Fd()},
	}
	start := time.Now()
	pid, err := syscall.ForkExec(rt.path, argv, attr)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", rt.path, err)
	}
	timer := time.AfterFunc(patience, func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
	status, err := wait(pid)
	elapsed := time.Since(start)
	timer.Stop()
	if err != nil {
		return 0, err
	}
	if !status.Exited() || status.ExitStatus() != 0 {
		return 0, fmt.Errorf("%s %s: %s: %s", rt.name, strings.Join(args, " "), ending(status), c.said())
	}
	return elapsed, nil
}

func ending(status syscall.WaitStatus) string {
	if status.Signaled() {
		return status.Signal().String()
	}
	return "exit status " + strconv.Itoa(status.ExitStatus())
}

// said returns what has been written to stderr, and forgets it.
func (c *command) said() string {
	data, err := os.ReadFile(c.stderr.Name())
	if err != nil {
		return err.Error()
	}
	_ = c.stderr.Truncate(0)
	return strings.TrimSpace(string(data))
}

func wait(pid int) (syscall.WaitStatus, error) {
	var status syscall.WaitStatus
	for {
		_, err := syscall.Wait4(pid, &status, 0, nil)
		if !errors.Is(err, syscall.EINTR) {
			return status, err
		}
	}
}

// reap waits for a detached container's init, whose pid is in the file.
func reap(pidFile string) error {
	data, err := os.ReadFile(pidFile)
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(string(data))
	if err != nil {
		return err
	}
	if _, err := wait(pid); err != nil && !errors.Is(err, syscall.ECHILD) {
		return fmt.Errorf("wait for init %d: %w", pid, err)
	}
	return nil
}

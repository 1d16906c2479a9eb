package libcontainer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/rung-run/rung/libcontainer/internal/cgroup"
	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/spawn"
)

// Status is where a container is in its life (runtime-spec, runtime.md, "State").
type Status string

// The status of a container. Creating is seen only by its hooks.
const (
	Creating Status = "creating"
	Created  Status = "created"
	Running  Status = "running"
	Paused   Status = "paused"
	Stopped  Status = "stopped"
)

// Logger takes what is worth saying beside errors. *logrus.Logger is one.
type Logger interface {
	Debugf(format string, args ...any)
	Warnf(format string, args ...any)
}

// Container is a container that has been created. Its methods look at the
// kernel and the state directory each time; a Container can be kept, and used
// by several callers at once.
type Container struct {
	dir    directory
	record *record
	log    Logger
	// init and hooks are set in the process that created the container, its
	// parent. Others find the hooks in the state directory.
	init  *spawn.Child
	hooks *specs.Hooks
}

// Load finds the container id below the state root; ErrNotExist if there is
// none.
func Load(root, id string, log Logger) (*Container, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	d := directory{filepath.Join(root, id)}
	r, err := d.load()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	if r.ID != id {
		return nil, &Error{Op: "read state", Path: d.file(stateFile), Err: errors.New("it is another container's")}
	}
	return &Container{dir: d, record: r, log: orSilent(log)}, nil
}

// List finds all containers below the state root, sorted by ID. What cannot
// be read is skipped, and said to log.
func List(root string, log Logger) ([]*Container, error) {
	entries, err := os.ReadDir(root) // sorted by name
	if err != nil {
		return nil, err
	}
	log = orSilent(log)
	var list []*Container
	for _, e := range entries {
		if !e.IsDir() || checkID(e.Name()) != nil {
			continue
		}
		c, err := Load(root, e.Name(), log)
		if errors.Is(err, ErrNotExist) {
			continue // being made, or just removed
		}
		if err != nil {
			log.Warnf("skip container %s: %v", e.Name(), err)
			continue
		}
		list = append(list, c)
	}
	return list, nil
}

// ID is the container's name below its state root.
func (c *Container) ID() string { return c.record.ID }

// State is a container's state document.
type State struct {
	specs.State
	Rootfs  string
	Created time.Time
	Owner   uint32 // the user who created it
}

// State tells what the container is doing now. A container that is still
// being created is ErrNotExist.
func (c *Container) State() (*State, error) {
	status, now, err := c.look()
	if err != nil {
		return nil, err
	}
	if status == Creating {
		return nil, ErrNotExist
	}
	return now.state(status), nil
}

func (c *Container) state(status Status) *State {
	s := &State{
		State: specs.State{
			Version:     specs.Version,
			ID:          c.record.ID,
			Status:      specs.ContainerState(status),
			Bundle:      c.record.Bundle,
			Annotations: annotations(c.record.Config.Labels),
		},
		Rootfs:  c.record.Config.Rootfs,
		Created: c.record.Created,
		Owner:   c.record.Owner,
	}
	if status != Stopped {
		s.Pid = c.record.InitPid
	}
	return s
}

// Status asks the kernel: the freezer, the first process and the fifo that it
// waits at.
func (c *Container) Status() (Status, error) {
	status, _, err := c.look()
	return status, err
}

// look gives the status, and the container with the state it is true of.
func (c *Container) look() (Status, *Container, error) {
	if c.record.Creating && c.init == nil {
		if c.dir.locked() {
			return Creating, c, nil
		}
		// Its creator has died, or has ended since the state was read.
		now, err := c.reload()
		if err != nil {
			return "", c, err
		}
		if c = now; c.record.Creating {
			return Stopped, c, nil
		}
	}
	frozen, err := c.cgroup()
	if err == nil && frozen.Frozen() {
		return Paused, c, nil
	}
	switch {
	case !c.record.alive():
		return Stopped, c, nil
	case c.waits():
		return Created, c, nil
	default:
		return Running, c, nil
	}
}

// waits tells whether init, which lives, waits for start.
func (c *Container) waits() bool {
	if _, err := os.Lstat(c.dir.file(fifoFile)); err == nil {
		return true
	}
	// A start is at it, or died there.
	_, err := os.Lstat(c.dir.file(startedFile))
	return err == nil && spawn.IsInit(c.record.InitPid)
}

// reload reads the state again.
func (c *Container) reload() (*Container, error) {
	r, err := c.dir.load()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	return &Container{dir: c.dir, record: r, log: c.log, init: c.init, hooks: c.hooks}, nil
}

// take takes the lock, and gives the container with the state that holds as
// long as it is held.
func (c *Container) take(timeout time.Duration) (*Container, *os.File, error) {
	lock, err := c.dir.lock(timeout)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, ErrNotExist
	}
	if err != nil {
		return nil, nil, err
	}
	now, err := c.reload()
	if err != nil {
		lock.Close()
		return nil, nil, err
	}
	return now, lock, nil
}

func (c *Container) cgroup() (*cgroup.Cgroup, error) {
	return cgroup.Load(c.record.CgroupPaths, c.record.Resources, cgroup.Options{
		ID: c.record.ID, Rootless: c.record.Rootless,
	})
}

// Wait waits for the end of the first process and gives its exit code: its
// own, or 128 and the number of the signal. Only the process that created the
// container can wait for it; its other children are left to it.
func (c *Container) Wait() (int, error) { return c.wait((*spawn.Child).Wait) }

func (c *Container) waitReaping() (int, error) { return c.wait((*spawn.Child).WaitReaping) }

func (c *Container) wait(by func(*spawn.Child) (unix.WaitStatus, error)) (int, error) {
	if c.init == nil {
		return 0, errors.New("wait: not the parent of this container")
	}
	status, err := by(c.init)
	return linux.ExitCode(status), err
}

// Signal sends sig to the container's first process. KILL ends all processes
// of a container that has no pid namespace of its own, and thaws a paused one.
func (c *Container) Signal(sig unix.Signal) error {
	if sig == unix.SIGKILL && c.sharesPids() {
		return c.killAll()
	}
	pidfd, err := linux.OpenPidfd(c.record.InitPid, c.record.InitStart)
	if err == nil {
		defer pidfd.Close()
		err = linux.SignalPidfd(pidfd, sig)
	}
	if errors.Is(err, unix.ESRCH) {
		return ErrNotRunning
	}
	if err != nil || sig != unix.SIGKILL {
		return err
	}
	// A frozen process dies only when it is thawed.
	cg, err := c.cgroup()
	if err != nil {
		return nil
	}
	return cg.Thaw()
}

// SignalAll sends sig to every process of the container, or to the first where
// no cgroup tells which there are. There being none is not an error.
func (c *Container) SignalAll(sig unix.Signal) error {
	if sig == unix.SIGKILL {
		return c.killAll()
	}
	cg, err := c.cgroup()
	if err != nil {
		return err
	}
	if len(c.record.CgroupPaths) == 0 { // rootless
		if err := c.signalInit(sig); !errors.Is(err, ErrNotRunning) {
			return err
		}
		return nil
	}
	pids, err := cg.PIDs()
	if err != nil {
		return err
	}
	var errs []error
	for _, pid := range pids {
		if err := unix.Kill(pid, sig); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// killAll ends the whole cgroup, also when the first process is gone.
func (c *Container) killAll() error {
	cg, err := c.cgroup()
	if err != nil {
		return err
	}
	alive := c.record.alive()
	pids, err := cg.PIDs()
	if err == nil && len(pids) == 0 && !alive {
		return ErrNotRunning
	}
	if err := cg.Kill(); err != nil {
		return err
	}
	if !alive {
		return nil
	}
	// Rootless without a cgroup: at least init.
	if err := c.signalInit(unix.SIGKILL); err != nil && !errors.Is(err, ErrNotRunning) {
		return err
	}
	return nil
}

func (c *Container) signalInit(sig unix.Signal) error {
	pidfd, err := linux.OpenPidfd(c.record.InitPid, c.record.InitStart)
	if err == nil {
		defer pidfd.Close()
		err = linux.SignalPidfd(pidfd, sig)
	}
	if errors.Is(err, unix.ESRCH) {
		return ErrNotRunning
	}
	return err
}

// sharesPids tells whether the container has no pid namespace of its own, so
// that its processes outlive its first.
func (c *Container) sharesPids() bool {
	return !slices.ContainsFunc(c.record.Config.Namespaces, func(ns projectionNamespace) bool {
		return ns.Type == "NEWPID" && ns.Path == ""
	})
}

// annotations reads them back from the labels of the state.
func annotations(labels []string) map[string]string {
	m := make(map[string]string, len(labels))
	for _, l := range labels {
		if key, value, ok := strings.Cut(l, "="); ok && key != "bundle" {
			m[key] = value
		}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}

type silent struct{}

func (silent) Debugf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}

func orSilent(log Logger) Logger {
	if log == nil {
		return silent{}
	}
	return log
}

func nsPath(pid int, file string) string { return "/proc/" + strconv.Itoa(pid) + "/ns/" + file }

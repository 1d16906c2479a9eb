package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/rung-run/rung/libcontainer/internal/bundle"
	"github.com/rung-run/rung/libcontainer/internal/cgroup"
	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"github.com/rung-run/rung/libcontainer/internal/spawn"
	"github.com/rung-run/rung/libcontainer/internal/wire"
)

// ExecOptions say what is executed in a container.
type ExecOptions struct {
	// Process is the process to run, whole.
	Process *specs.Process
	IO      IO
	// Ready is called before the program runs, with its pid and a pidfd.
	Ready func(pid int, pidfd *os.File) error
	// IgnorePaused waits in place of refusing a paused container.
	IgnorePaused bool
	// Debug: the container's Logger is told what is done, a line a step, with
	// its time.
	Debug bool
}

// Process is a process that Exec has added to a container.
type Process struct {
	Pid   int
	child *spawn.Child
}

// Wait waits for its end and gives the exit code: its own, or 128 and the
// number of the signal. Other children of the caller are left to it.
func (p *Process) Wait() (int, error) {
	status, err := p.child.Wait()
	return linux.ExitCode(status), err
}

func (p *Process) waitReaping() (int, error) {
	status, err := p.child.WaitReaping()
	return linux.ExitCode(status), err
}

// Pidfd is a descriptor of the process, which stays the Process's.
func (p *Process) Pidfd() *os.File { return p.child.Pidfd }

// Exec runs a further process in the container. When it returns the program
// has been executed. If ctx ends before that there is none.
func (c *Container) Exec(ctx context.Context, o ExecOptions) (*Process, error) {
	if err := bundle.ValidateProcess(o.Process, "process").Err(); err != nil {
		return nil, err
	}
	if err := refusedProcess(o.Process); err != nil {
		return nil, err
	}
	for _, w := range bundle.ProcessWarnings(o.Process) {
		c.log.Warnf("%s", w)
	}
	status, err := c.Status()
	if err == nil && status == Paused && o.IgnorePaused {
		status, err = c.awaitResumed(ctx)
	}
	if err != nil {
		return nil, err
	}
	switch {
	case status == Stopped:
		return nil, errStopped()
	case status == Paused && !o.IgnorePaused:
		return nil, errors.New("cannot exec in a paused container")
	case status == Creating:
		return nil, ErrNotExist
	}
	e := &execution{c: c, o: o, release: func() {}}
	p, err := e.run(ctx)
	e.release()
	if err != nil {
		if e.child != nil {
			e.child.Kill()
		}
		return nil, interrupted(ctx, c.execError(err))
	}
	return p, nil
}

// awaitResumed waits, until ctx ends, for what no file tells: a process that
// entered a frozen cgroup would be frozen with it, and no signal wakes it there.
func (c *Container) awaitResumed(ctx context.Context) (Status, error) {
	const interval = 20 * time.Millisecond
	for {
		status, err := c.Status()
		if err != nil || status != Paused {
			return status, err
		}
		select {
		case <-ctx.Done():
			return status, fmt.Errorf("wait for the container to be resumed: %w", context.Cause(ctx))
		case <-time.After(interval):
		}
	}
}

// execError is err, or that the container has ended: what fails then for that
// reason alone, the missing cgroup or the dead pid namespace, is misleading.
func (c *Container) execError(err error) error {
	if init, ok := errors.AsType[*spawn.InitError](err); ok {
		return fmt.Errorf("unable to start container process: %w", init.Err)
	}
	pidfd, e := linux.OpenPidfd(c.record.InitPid, c.record.InitStart)
	if e == nil {
		defer pidfd.Close()
		// Init of a pid namespace ends last, after its children.
		if gone, _ := linux.PollExit(pidfd, promptly); !gone {
			if ended, ok := errors.AsType[*spawn.EndedError](err); ok {
				return fmt.Errorf("process ended before its program ran: %s", ended.Cause())
			}
			return err
		}
	}
	return errStopped()
}

func errStopped() error { return errors.New("cannot exec in a stopped container") }

type execution struct {
	c     *Container
	o     ExecOptions
	spec  *specs.Spec
	plan  *plan.Plan
	child *spawn.Child
	// spared: rootless, and no limit is to hold.
	spared bool
	// release: the child is not killed any more when the context ends.
	release func()
}

func (e *execution) run(ctx context.Context) (*Process, error) {
	doors, err := e.doors()
	if err != nil {
		return nil, err
	}
	defer doors.Close()
	boot, err := e.start(doors)
	if err != nil {
		return nil, err
	}
	if err := e.prepare(); err != nil {
		boot.Abort()
		return nil, err
	}
	// The pipe's write end is the last descriptor that the process keeps.
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		boot.Abort()
		return nil, os.NewSyscallError("pipe2", err)
	}
	read, write := os.NewFile(uintptr(pipe[0]), "pipe"), os.NewFile(uintptr(pipe[1]), "pipe")
	defer read.Close()
	err = e.enter(ctx, boot, doors, write)
	write.Close()
	if err != nil {
		if e.child != nil {
			err = e.child.Explain(err)
		}
		boot.Abort()
		return nil, err
	}
	// What it says from here on is the cause, whatever errno it has.
	if err := awaitExecve(read, e.child.Pidfd); err != nil {
		return nil, err
	}
	return &Process{Pid: e.child.Pid, child: e.child}, nil
}

func (e *execution) doors() (*cgroup.Doors, error) {
	cg, err := e.c.cgroup()
	if err != nil {
		return nil, err
	}
	doors, err := cg.Doors()
	if err != nil {
		// Init may have moved, or the cgroup is nested by now.
		doors, err = cgroup.DoorsOf(e.c.record.InitPid)
	}
	e.spared = cg.Spared()
	if err != nil && e.spared {
		return &cgroup.Doors{}, nil
	}
	return doors, err
}

func (e *execution) start(doors *cgroup.Doors) (*spawn.Bootstrap, error) {
	stdio, err := e.o.IO.stdio()
	if err != nil {
		return nil, err
	}
	return spawn.Start(spawn.Options{
		Stdio: stdio, Preserve: e.o.IO.PreserveFDs, Cgroup: doors.V2, Dir: e.c.dir.path,
	})
}

func (e *execution) prepare() (err error) {
	if e.spec, err = e.c.dir.loadSpec(); err != nil {
		return err
	}
	host, err := hostFacts()
	if err != nil {
		return err
	}
	e.plan, err = plan.ForExec(e.o.Process, plan.Container{
		ID: e.c.record.ID, Spec: e.spec, Rootfs: e.c.record.Config.Rootfs, PID: e.c.record.InitPid,
		PreserveFDs: e.o.IO.PreserveFDs, NoNewKeyring: e.c.record.Keyring,
	}, host)
	return err
}

func (e *execution) enter(ctx context.Context, boot *spawn.Bootstrap, doors *cgroup.Doors, pipe *os.File) error {
	joins, err := spawn.OpenProcess(e.c.record.InitPid)
	if err != nil {
		return err
	}
	defer joins.Close()
	// The namespaces are init's only if it was still there when they were
	// opened.
	if !e.c.record.alive() {
		return errStopped()
	}
	h := &wire.Header{
		Join: joins.List, Cgroup: -1, OOMScoreAdj: e.plan.Bootstrap.OOMScoreAdj,
		Flags: headerFlags(e.plan.Steps, e.c.record.Rootless, e.spared),
	}
	if l := e.spec.Linux; l != nil && joins.User() && mapsZero(l) {
		h.Flags |= wire.HeaderRoot
	}
	for _, d := range doors.Tasks {
		h.Doors = append(h.Doors, int(d.Fd()))
	}
	child, err := boot.Enter(ctx, h)
	if err != nil {
		return namedStep(err, nil, joins)
	}
	e.child = child
	e.release = killAtEnd(ctx, child.Pidfd)
	if err := e.place(doors); err != nil {
		return err
	}
	if err := child.Namespaces(); err != nil {
		return namedStep(err, nil, joins)
	}
	err = child.Send(&wire.Init{
		Debug: e.o.Debug, Ignored: e.o.IO.Ignored, Blocked: e.o.IO.Blocked, Steps: e.plan.Steps,
	}, []*os.File{pipe}, nil)
	if err != nil {
		return err
	}
	program := compileFilter(e.spec, e.c.dir.root())
	return child.Serve(spawn.Answers{
		Step:   func(line string) { e.c.log.Debugf("init: %s", line) },
		Mounts: func() error { return errors.New("an exec has no mounts") },
		Limits: func() ([]byte, error) {
			if err := child.SetRlimits(e.plan.Rlimits); err != nil {
				return nil, err
			}
			return program()
		},
		Ready: func() error {
			if err := child.SetScheduler(e.plan.Scheduler); err != nil {
				return err
			}
			if e.o.Ready == nil {
				return nil
			}
			return e.o.Ready(child.Pid, child.Pidfd)
		},
		Console: e.o.IO.takeTerminal,
	})
}

// place moves the child into the v2 cgroup by its pid where it could not be
// started in it: outside it would have neither limits nor device rules.
func (e *execution) place(doors *cgroup.Doors) error {
	if doors.V2 == nil || e.child.Placed {
		return nil
	}
	const file = "cgroup.procs"
	fd, err := unix.Openat(int(doors.V2.Fd()), file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		_, err = unix.Write(fd, []byte(strconv.Itoa(e.child.Pid)))
		_ = unix.Close(fd)
	}
	if err != nil && !e.spared {
		return &Error{Op: "enter cgroup", Path: doors.V2.Name() + "/" + file, Err: err}
	}
	return nil
}

// mapsZero: the container's user namespace has a root. Where it was joined by
// path its maps are not in the spec, and it most likely has.
func mapsZero(l *specs.Linux) bool {
	zero := func(maps []specs.LinuxIDMapping) bool {
		for _, m := range maps {
			if m.ContainerID == 0 {
				return true
			}
		}
		return len(maps) == 0
	}
	return zero(l.UIDMappings) && zero(l.GIDMappings)
}

// awaitExecve reads the pipe to its end, which execve closes.
func awaitExecve(pipe, pidfd *os.File) error {
	if err := unix.SetNonblock(int(pipe.Fd()), true); err != nil {
		return err
	}
	return awaitExec(int(pipe.Fd()), pidfd, "process", "unable to start container process: ")
}

// Signal sends sig to the process.
func (p *Process) Signal(sig unix.Signal) error { return linux.SignalPidfd(p.child.Pidfd, sig) }

package libcontainer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/rung-run/rung/libcontainer/internal/bundle"
	"github.com/rung-run/rung/libcontainer/internal/cgroup"
	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/inject"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"github.com/rung-run/rung/libcontainer/internal/spawn"
	"github.com/rung-run/rung/libcontainer/internal/wire"
)

// IO is how the program of a container or of an exec is connected.
type IO struct {
	// Stdin, Stdout, Stderr become descriptors 0, 1 and 2, unless the process
	// has a terminal; nil is the null device.
	Stdin, Stdout, Stderr *os.File
	// Terminal takes the master of the process's terminal, and owns it.
	Terminal func(master *os.File) error
	// PreserveFDs is how many of the caller's descriptors from 3 on are
	// passed on; ListenFDs of them, the first, by socket activation.
	PreserveFDs, ListenFDs int
	// Ignored and Blocked are signals as the program shall have them: bit N-1
	// is signal N.
	Ignored, Blocked uint64
}

// CreateOptions say what is created, and how.
type CreateOptions struct {
	Root   string // state root
	ID     string // the container's name below it
	Bundle *Bundle
	IO     IO
	// Ready is called when all that can fail before the start has succeeded,
	// with init's pid and a pidfd. Its error undoes the container.
	Ready func(pid int, pidfd *os.File) error
	// NoPivot: MS_MOVE and chroot in place of pivot_root(2).
	NoPivot bool
	// NoNewKeyring: keep the caller's session keyring.
	NoNewKeyring bool
	// Rootless: tolerate cgroups that may not be used.
	Rootless bool
	// NoCgroup: the container stays in the caller's cgroup.
	NoCgroup bool
	Log      Logger
	// Debug: Log is told what is done, a line a step, with its time.
	Debug bool
}

// creation is a create on its way, with all that must be undone if it fails.
type creation struct {
	o      CreateOptions
	log    Logger
	bundle *Bundle
	host   plan.Host
	plan   *plan.Plan
	dir    directory
	lock   *os.File
	record *record
	cgroup *cgroup.Cgroup
	boot   *spawn.Bootstrap
	child  *spawn.Child
	fifo   *os.File
	// owned: the cgroups are this container's, to be emptied and removed.
	owned  bool
	hooked bool // createRuntime hooks have begun: poststop is owed
	last   time.Time
}

// reached marks a point of the protocol: where a test kills the parent, and
// what --debug tells of, with the time since the point before.
func (c *creation) reached(point string) {
	inject.Point(point)
	if !c.o.Debug {
		return
	}
	now := time.Now()
	c.log.Debugf("parent: %s: %.3f ms", point, float64(now.Sub(c.last).Microseconds())/1000)
	c.last = now
}

func newCreation(o CreateOptions) *creation {
	return &creation{o: o, log: orSilent(o.Log), bundle: o.Bundle, last: time.Now()}
}

// Create makes a container: its namespaces, cgroup and root filesystem, and
// its first process, which waits for Start. When it fails, or ctx ends before it
// is done, nothing is left.
func Create(ctx context.Context, o CreateOptions) (*Container, error) {
	c := newCreation(o)
	if err := checkID(o.ID); err != nil {
		return nil, err
	}
	if err := c.prepare(); err != nil {
		c.boot.Abort()
		return nil, err
	}
	err := c.make(ctx)
	if err != nil {
		return nil, c.undo(interrupted(ctx, err))
	}
	c.release()
	return &Container{
		dir: c.dir, record: c.record, log: c.log, init: c.child, hooks: orNone(c.bundle.Spec.Hooks),
	}, nil
}

// prepare does what touches nothing: it plans. The bootstrap is started
// first, to boot meanwhile.
func (c *creation) prepare() (err error) {
	for _, w := range bundle.Warnings(c.bundle.Spec) {
		c.log.Warnf("%s", w)
	}
	spec := c.bundle.Spec
	if err := acceptable(spec); err != nil {
		return err
	}
	if !joinsUser(spec) {
		if c.boot, err = c.start(nil); err != nil {
			return err
		}
	}
	return c.compile()
}

// acceptable refuses what validation, which looks at no file, cannot.
func acceptable(spec *specs.Spec) error {
	if err := refused(spec); err != nil {
		return err
	}
	return sharedSysctls(spec)
}

// compile decides all that will be done.
func (c *creation) compile() (err error) {
	if c.host, err = hostFacts(); err != nil {
		return err
	}
	c.cgroup, err = cgroup.New(c.bundle.Spec, cgroup.Options{
		ID: c.o.ID, Rootless: c.o.Rootless, UserNS: c.host.UserNS, Host: &c.host, Warn: c.log.Warnf,
		Disabled: c.o.NoCgroup,
	})
	if err != nil {
		return err
	}
	c.plan, err = plan.Create(c.bundle.Spec, plan.Options{
		ID: c.o.ID, Bundle: c.bundle.Dir, RootfsPath: c.bundle.Rootfs,
		NoPivot: c.o.NoPivot, NoNewKeyring: c.o.NoNewKeyring,
		PreserveFDs: c.o.IO.PreserveFDs, ListenFDs: c.o.IO.ListenFDs,
		Rootless: c.o.Rootless, CgroupPaths: c.cgroup.Paths(),
	}, c.host)
	return err
}

func (c *creation) start(cgroupDir *os.File) (*spawn.Bootstrap, error) {
	stdio, err := c.o.IO.stdio()
	if err != nil {
		return nil, err
	}
	return spawn.Start(spawn.Options{Stdio: stdio, Preserve: c.o.IO.PreserveFDs, Cgroup: cgroupDir, Dir: c.o.Root})
}

// stdio fills the gaps with the null device.
func (s *IO) stdio() (files [3]*os.File, err error) {
	files = [...]*os.File{s.Stdin, s.Stdout, s.Stderr}
	for i, f := range files {
		if f != nil {
			continue
		}
		if files[i], err = os.OpenFile(os.DevNull, os.O_RDWR, 0); err != nil {
			return files, err
		}
	}
	return files, nil
}

// make does what has to be undone.
func (c *creation) make(ctx context.Context) (err error) {
	if err := makeRoot(c.o.Root); err != nil {
		return err
	}
	if c.dir, c.lock, err = makeDirectory(c.o.Root, c.o.ID); err != nil {
		return err
	}
	if err := c.cgroup.Vacant(); err != nil {
		return err
	}
	c.owned = true
	// From here on delete --force finds all that there will be.
	c.record = c.newRecord()
	if err := c.save(); err != nil {
		return err
	}
	c.reached("created-state")
	if err := c.dir.write(specFile, c.bundle.Raw); err != nil {
		return err
	}
	if err := c.cgroup.Create(); err != nil {
		return err
	}
	c.reached("created-cgroup")
	if err := c.spawn(ctx); err != nil {
		return err
	}
	c.reached("entered")
	defer killAtEnd(ctx, c.child.Pidfd)()
	if err := c.enter(ctx); err != nil {
		return c.explain(err)
	}
	return nil
}

// enter takes init from its first namespaces to the fifo.
func (c *creation) enter(ctx context.Context) error {
	b := &c.plan.Bootstrap
	if b.New&unix.CLONE_NEWUSER != 0 {
		if err := c.child.WriteMaps(ctx, b.UIDMap, b.GIDMap, c.host); err != nil {
			return err
		}
		if err := c.child.Mapped(); err != nil {
			return err
		}
		c.reached("mapped")
	}
	fifo, err := c.makeFifo()
	if err != nil {
		return err
	}
	c.fifo = fifo
	if err := c.child.Namespaces(); err != nil {
		return namedStep(err, nil, &spawn.Joins{})
	}
	c.reached("namespaces")
	handles, err := c.child.OpenHandles(ctx, c.plan)
	if err != nil {
		return err
	}
	defer spawn.CloseAll(handles)
	err = c.child.Send(&wire.Init{
		Create: true, Debug: c.o.Debug, Ignored: c.o.IO.Ignored, Blocked: c.o.IO.Blocked, Steps: c.plan.Steps,
	}, []*os.File{fifo}, handles)
	if err != nil {
		return err
	}
	c.reached("plan-sent")
	program := compileFilter(c.bundle.Spec, c.o.Root)
	return c.child.Serve(spawn.Answers{
		Mounts: func() error { return c.mounts(ctx) },
		Limits: func() ([]byte, error) {
			c.reached("limits")
			if err := c.child.SetRlimits(c.plan.Rlimits); err != nil {
				return nil, err
			}
			return program()
		},
		Ready:   c.ready,
		Console: c.o.IO.takeTerminal,
		Step:    func(line string) { c.log.Debugf("init: %s", line) },
	})
}

func (c *creation) makeFifo() (*os.File, error) {
	path := c.dir.file(fifoFile)
	// Init opens it for writing as whoever it is by then.
	const mode = 0o622
	if err := unix.Mkfifo(path, mode); err != nil {
		return nil, &os.PathError{Op: "mkfifo", Path: path, Err: err}
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		return nil, err
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// mounts is what happens between the container's mounts and its pivot. Limits
// come first, since the hooks may edit device rules.
func (c *creation) mounts(ctx context.Context) error {
	c.reached("mounts-ready")
	if err := c.cgroup.Limit(); err != nil {
		return err
	}
	hooks := c.bundle.Spec.Hooks
	if hooks == nil {
		return nil
	}
	c.hooked = true
	state := hookState(c.record, Creating, c.child.Pid)
	//nolint:staticcheck // deprecated, and still demanded of runtimes
	if err := runHooks(ctx, "prestart", hooks.Prestart, state); err != nil {
		return err
	}
	return runHooks(ctx, "createRuntime", hooks.CreateRuntime, state)
}

// ready is the last word: all that can fail in init has been done.
func (c *creation) ready() error {
	c.reached("ready")
	if err := c.cgroup.LimitPids(); err != nil {
		return err
	}
	if err := c.child.SetScheduler(c.plan.Scheduler); err != nil {
		return err
	}
	c.record.Created = time.Now().UTC()
	c.record.Creating = false
	c.record.NamespacePaths = namespacePaths(c.child.Pid)
	if err := c.save(); err != nil {
		return err
	}
	c.reached("saved")
	if c.o.Ready != nil {
		return c.o.Ready(c.child.Pid, c.child.Pidfd)
	}
	return nil
}

// takeTerminal hands the master of the process's terminal to the caller.
func (s *IO) takeTerminal(master *os.File) error {
	if s.Terminal == nil {
		master.Close()
		return errors.New("process.terminal: nobody takes the terminal")
	}
	return s.Terminal(master)
}

func (c *creation) save() error { return c.dir.save(c.record) }

func (c *creation) release() {
	if c.fifo != nil {
		c.fifo.Close()
	}
	if c.lock != nil {
		c.lock.Close()
	}
}

// explain finds the cause of an init that ended without a word.
func (c *creation) explain(err error) error {
	err = c.child.Explain(err)
	var ended *spawn.EndedError
	if errors.As(err, &ended) && c.cgroup.OOMKilled() {
		return &fault.Error{Err: errors.New("container init was OOM-killed"), Hint: "the memory limit is too low"}
	}
	if init, ok := errors.AsType[*spawn.InitError](err); ok {
		return fmt.Errorf("unable to start container process: error during container init: %w", init.Err)
	}
	return err
}

// undo removes what make has made, in the reverse order.
func (c *creation) undo(err error) error {
	if c.child != nil {
		c.child.Kill()
	} else {
		c.boot.Abort()
	}
	if c.lock != nil { // else the directory is another's
		if c.hooked {
			postStop(c.bundle.Spec.Hooks, c.record, c.log)
		}
		if c.owned {
			if e := c.cgroup.Destroy(); e != nil {
				err = errors.Join(err, e)
			}
		}
		if e := c.dir.remove(); e != nil {
			err = errors.Join(err, e)
		}
	}
	c.release()
	return err
}

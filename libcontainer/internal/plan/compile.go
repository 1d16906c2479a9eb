package plan

import (
	"errors"
	"fmt"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// compiler collects the steps, and every mistake.
type compiler struct {
	spec     *specs.Spec
	o        Options
	h        Host
	plan     *Plan
	mistakes fault.List
	// late are steps that wait until nothing is mounted or made any more.
	late []Step
}

func (c *compiler) add(s Step) { c.plan.Steps = append(c.plan.Steps, s) }

func (c *compiler) wrong(field string, err error) {
	c.mistakes = append(c.mistakes, fault.Invalid(field, err))
}

// Create plans a container: its namespaces, and what init does, in the order
// of DESIGN, "order inside init". The error is a fault.List.
func Create(spec *specs.Spec, o Options, h Host) (*Plan, error) {
	c := &compiler{spec: spec, o: o, h: h, plan: &Plan{}}
	if spec.Process == nil || spec.Root == nil || spec.Linux == nil {
		return nil, fault.List{fault.Invalid("", errors.New("process, root and linux are needed"))}
	}
	c.namespaces()
	c.plan.Rlimits = c.rlimits(spec.Process, "process.")
	c.plan.Bootstrap.OOMScoreAdj = oomScoreAdj(spec.Process)

	if !o.NoNewKeyring {
		c.add(Step{Op: OpKeyring, Value: "_ses." + o.ID})
	}
	if c.plan.Bootstrap.New&unix.CLONE_NEWNET != 0 {
		c.add(Step{Op: OpLoopback})
	}
	c.rootfs()
	c.add(Step{Op: OpStdio})
	c.add(Step{Op: OpMakeCwd, Field: "process.cwd", Path: spec.Process.Cwd})
	c.console(spec.Process, true)
	c.plan.Steps = append(c.plan.Steps, c.late...)
	c.readonlyRoot()
	c.umask(spec.Process)
	c.names()
	c.appArmor(spec.Process)
	c.sysctl()
	c.paths()
	c.identity(spec.Process, true)
	if len(c.mistakes) > 0 {
		return nil, c.mistakes
	}
	return c.plan, nil
}

// ForExec plans a process that joins a running container: all its namespaces
// are entered by the caller, and it has its root filesystem.
func ForExec(p *specs.Process, ctr Container, h Host) (*Plan, error) {
	c := &compiler{
		spec: ctr.Spec, h: h, plan: &Plan{},
		o: Options{ID: ctr.ID, PreserveFDs: ctr.PreserveFDs},
	}
	if p == nil || c.spec == nil || c.spec.Linux == nil {
		return nil, fault.List{fault.Invalid("process", errors.New("missing"))}
	}
	c.plan.Rlimits = c.rlimits(p, "process.")
	c.plan.Bootstrap.OOMScoreAdj = oomScoreAdj(p)
	c.add(Step{Op: OpKeyring, Value: "_ses." + ctr.ID})
	c.add(Step{Op: OpStdio})
	c.console(p, false)
	c.umask(p)
	c.appArmor(p)
	c.identity(p, false)
	if len(c.mistakes) > 0 {
		return nil, c.mistakes
	}
	return c.plan, nil
}

// rootfs plans the mounts and the change of root.
func (c *compiler) rootfs() {
	own := c.hasNamespace(specs.MountNamespace)
	change, first := PivotRoot, c.propagation(c.spec.Linux.RootfsPropagation)
	switch {
	case !own:
		// The mount namespace is the runtime's: its propagation is not ours.
		change, first = Chroot, 0
	case c.o.NoPivot:
		change = MoveRoot
	}
	if first == 0 && own {
		first = unix.MS_SLAVE | unix.MS_REC // the host's mounts come in, ours stay
	}
	if own {
		c.add(Step{Op: OpPropagation, Field: c.propagationField(), Path: "/", Flags: first})
	}
	c.add(Step{Op: OpRootfs, Field: "root.path", Path: c.o.RootfsPath, Flags: first})
	c.mounts()
	c.devices()
	c.add(Step{Op: OpSync, Value: SyncMounts})
	c.hooks("createContainer", "creating")
	c.add(Step{Op: OpPivot, Field: "root.path", Flags: change})
	if p := c.propagation(c.spec.Linux.RootfsPropagation); p != 0 && own {
		c.add(Step{Op: OpPropagation, Field: c.propagationField(), Path: "/", Flags: p})
	}
}

func (c *compiler) propagationField() string {
	if c.spec.Linux.RootfsPropagation == "" {
		return ""
	}
	return "linux.rootfsPropagation"
}

func (c *compiler) propagation(name string) uint64 {
	if name == "" {
		return 0
	}
	for _, o := range mountOptions() {
		if o.kind == propagation && o.name == name {
			return o.set | unix.MS_REC
		}
	}
	c.wrong("linux.rootfsPropagation", fmt.Errorf("unknown propagation %q", name))
	return 0
}

func (c *compiler) readonlyRoot() {
	if c.spec.Root.Readonly {
		c.add(Step{Op: OpReadonlyRoot, Field: "root.readonly"})
	}
}

func (c *compiler) names() {
	if c.spec.Hostname != "" {
		c.add(Step{Op: OpHostname, Field: "hostname", Value: c.spec.Hostname})
	}
	if c.spec.Domainname != "" {
		c.add(Step{Op: OpDomainname, Field: "domainname", Value: c.spec.Domainname})
	}
}

// paths makes read-only what is to be seen only, and hides the rest. They are
// last of what is mounted, in the new root.
func (c *compiler) paths() {
	l := c.spec.Linux
	for i, path := range l.ReadonlyPaths {
		c.add(Step{Op: OpReadonlyPath, Field: index("linux.readonlyPaths", i), Path: path})
	}
	for i, path := range l.MaskedPaths {
		c.add(Step{Op: OpMaskPath, Field: index("linux.maskedPaths", i), Path: path, Value: l.MountLabel})
	}
}

func (c *compiler) console(p *specs.Process, device bool) {
	if !p.Terminal {
		return
	}
	console := &Console{Device: device}
	if s := p.ConsoleSize; s != nil {
		const largest = 1<<16 - 1 // struct winsize, ioctl_tty(2)
		if s.Height > largest || s.Width > largest {
			c.wrong("process.consoleSize", fmt.Errorf("%d×%d: at most %d", s.Height, s.Width, largest))
			return
		}
		console.Height, console.Width = uint16(s.Height), uint16(s.Width) //nolint:gosec // checked above
	}
	c.add(Step{Op: OpConsole, Field: "process.terminal", Console: console})
}

func (c *compiler) umask(p *specs.Process) {
	const usual = 0o022
	s := Step{Op: OpUmask, Flags: usual}
	if p.User.Umask != nil {
		s.Field, s.Flags = "process.user.umask", uint64(*p.User.Umask)
	}
	c.add(s)
}

func (c *compiler) appArmor(p *specs.Process) {
	if p.ApparmorProfile != "" {
		c.add(Step{Op: OpAppArmor, Field: "process.apparmorProfile", Value: p.ApparmorProfile})
	}
}

func oomScoreAdj(p *specs.Process) string {
	if p.OOMScoreAdj == nil {
		return ""
	}
	return strconv.Itoa(*p.OOMScoreAdj)
}

func index(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

package plan

import (
	"errors"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// compiler collects the steps, and every mistake.
type compiler struct {
	spec     *specs.Spec
	o        Options
	h        Host
	table    []option
	plan     *Plan
	mistakes fault.List
	// late are steps that wait until nothing is mounted or made any more.
	late []Step
}

func (c *compiler) add(s Step) { c.plan.Steps = append(c.plan.Steps, s) }

func (c *compiler) wrong(field string, err error) {
	c.mistakes = append(c.mistakes, fault.Invalid(field, err))
}

// refuse is wrong with a remedy.
func (c *compiler) refuse(field, why, hint string) {
	c.mistakes = append(c.mistakes, &fault.Error{Field: field, Err: errors.New(why), Hint: hint})
}

// Create plans a container: its namespaces, and what init does, in the order
// that the package's documentation draws. The error is a fault.List.
func Create(spec *specs.Spec, o Options, h Host) (*Plan, error) {
	if err := complete(spec); err != nil {
		return nil, err
	}
	c := newCompiler(spec, o, h)
	c.namespaces()
	c.limits(spec.Process)
	if !o.NoNewKeyring {
		c.keyring()
	}
	if c.creates(specs.NetworkNamespace) {
		c.add(Step{Op: OpLoopback})
	}
	c.rootfs()
	c.add(Step{Op: OpStdio})
	c.add(Step{Op: OpMakeCwd, Field: "process.cwd", Path: spec.Process.Cwd})
	c.console(spec.Process, c.hasNamespace(specs.MountNamespace))
	c.plan.Steps = append(c.plan.Steps, c.late...)
	c.readonlyRoot()
	c.umask(spec.Process)
	c.names()
	c.appArmor(spec.Process)
	c.sysctl()
	c.paths()
	c.unbindableRoot()
	c.identity(spec.Process, true)
	return c.done()
}

// ForExec plans a process that joins a running container: all its namespaces
// are entered by the caller, and it has its root filesystem.
func ForExec(p *specs.Process, ctr Container, h Host) (*Plan, error) {
	if p == nil {
		return nil, fault.List{fault.Invalid("process", errMissing)}
	}
	spec := specs.Spec{}
	if ctr.Spec != nil {
		spec = *ctr.Spec
	}
	if spec.Linux == nil {
		spec.Linux = &specs.Linux{}
	}
	p = inherit(p, spec.Process)
	c := newCompiler(&spec, Options{ID: ctr.ID, PreserveFDs: ctr.PreserveFDs}, h)
	c.limits(p)
	if !ctr.NoNewKeyring {
		c.keyring()
	}
	if !c.hasNamespace(specs.MountNamespace) && ctr.Rootfs != "" {
		// What it joins is no mount namespace whose root is the container's.
		c.add(Step{Op: OpRootfs, Field: "root.path", Path: ctr.Rootfs})
		c.add(Step{Op: OpPivot, Field: "root.path", Flags: Chroot})
	}
	c.add(Step{Op: OpStdio})
	c.console(p, false)
	c.umask(p)
	c.appArmor(p)
	c.identity(p, false)
	return c.done()
}

func newCompiler(spec *specs.Spec, o Options, h Host) *compiler {
	const usual = 64 // steps of a container as engines make them
	return &compiler{
		spec: spec, o: o, h: h, table: mountOptions(),
		plan: &Plan{Steps: make([]Step, 0, usual+len(spec.Mounts))},
	}
}

var errMissing = errors.New("missing")

// complete refuses a configuration without the parts that all else is about.
func complete(spec *specs.Spec) error {
	if spec == nil {
		return fault.List{fault.Invalid("", errMissing)}
	}
	var mistakes fault.List
	for _, part := range [...]struct {
		field   string
		missing bool
	}{
		{"process", spec.Process == nil},
		{"root", spec.Root == nil},
		{"linux", spec.Linux == nil},
	} {
		if part.missing {
			mistakes = append(mistakes, fault.Invalid(part.field, errMissing))
		}
	}
	return mistakes.Err()
}

func (c *compiler) done() (*Plan, error) {
	if len(c.mistakes) > 0 {
		return nil, c.mistakes
	}
	return c.plan, nil
}

// keyring gives the container a session keyring of its own (session-keyring(7)).
func (c *compiler) keyring() { c.add(Step{Op: OpKeyring, Value: "_ses." + c.o.ID}) }

// limits are those that others than init set.
func (c *compiler) limits(p *specs.Process) {
	c.plan.Rlimits = c.rlimits(p)
	c.plan.Bootstrap.OOMScoreAdj = oomScoreAdj(p)
}

func index(field string, i int) string { return field + "[" + strconv.Itoa(i) + "]" }

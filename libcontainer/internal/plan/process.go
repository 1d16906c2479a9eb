package plan

import (
	"errors"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// When the directory is changed (Flags of OpChdir).
const (
	chdirAsRoot = 1
	chdirAsUser = 2
)

// identity plans what makes the process who it will be, up to execve. The
// order is DESIGN's; each step names what must still be held when it runs.
func (c *compiler) identity(p *specs.Process, create bool) {
	c.checkProgram(p)
	if p.NoNewPrivileges {
		c.add(Step{Op: OpNoNewPrivs, Field: "process.noNewPrivileges"})
	}
	c.ioPriority(p)
	c.personality()
	c.memoryPolicy()
	ids := c.ids(p)
	// Before RLIMIT_NOFILE, which may leave no descriptor to read it with.
	c.add(Step{Op: OpHome, IDs: ids})
	c.add(Step{Op: OpSync, Value: SyncLimits})
	// While CAP_SYS_NICE is held, and nothing is filtered.
	late := create && c.forksLater(p)
	if !late {
		c.scheduler(p, late)
	}
	if p.SelinuxLabel != "" {
		c.add(Step{Op: OpSELinux, Field: "process.selinuxLabel", Value: p.SelinuxLabel})
	}
	caps := c.capabilities(p)
	c.add(Step{Op: OpBounding, Field: "process.capabilities.bounding", Flags: caps.Bounding})
	c.seccomp(p, false)
	c.add(Step{Op: OpChdir, Field: "process.cwd", Path: p.Cwd, Flags: chdirAsRoot})
	c.add(Step{Op: OpOwnStdio, IDs: ids})
	c.add(Step{Op: OpIDs, Field: "process.user", IDs: ids})
	c.add(Step{Op: OpChdir, Field: "process.cwd", Path: p.Cwd, Flags: chdirAsUser})
	c.add(Step{Op: OpCapabilities, Field: "process.capabilities", Caps: caps})
	env := c.environment(p.Env)
	c.add(Step{Op: OpLookup, Field: "process.args[0]", Exec: &Exec{Args: p.Args, Env: env, Cwd: p.Cwd}})
	c.add(Step{Op: OpCloseFDs, Flags: uint64(max(c.o.PreserveFDs, 0))})
	c.seccomp(p, true)
	c.add(Step{Op: OpSync, Value: SyncReady})
	if create {
		c.add(Step{Op: OpRelease})
		c.hooks("startContainer", specs.StateCreated)
	}
	c.add(Step{Op: OpSignals})
	if late {
		c.scheduler(p, late)
	}
	c.add(Step{Op: OpExec, Field: "process.args[0]"})
}

// checkProgram refuses what init could not even look for.
func (c *compiler) checkProgram(p *specs.Process) {
	if len(p.Args) == 0 || p.Args[0] == "" {
		c.wrong("process.args", errors.New("no program is named"))
	}
	if p.Cwd == "" {
		c.wrong("process.cwd", errMissing)
	}
}

func (c *compiler) umask(p *specs.Process) {
	const usual, permissions = 0o022, 0o777
	s := Step{Op: OpUmask, Flags: usual}
	if p.User.Umask != nil {
		s.Field, s.Flags = "process.user.umask", uint64(*p.User.Umask)
		if s.Flags > permissions {
			c.wrong(s.Field, errors.New("more than permission bits"))
		}
	}
	c.add(s)
}

func (c *compiler) appArmor(p *specs.Process) {
	if p.ApparmorProfile != "" {
		c.add(Step{Op: OpAppArmor, Field: "process.apparmorProfile", Value: p.ApparmorProfile})
	}
}

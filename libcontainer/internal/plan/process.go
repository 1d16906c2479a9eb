package plan

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux/uapi"
)

// When the directory is changed (Flags of OpChdir).
const (
	chdirAsRoot = 1
	chdirAsUser = 2
)

// identity plans what makes the process who it will be, up to execve. The
// order is DESIGN's; each step names what must still be held when it runs.
func (c *compiler) identity(p *specs.Process, create bool) {
	if p.NoNewPrivileges {
		c.add(Step{Op: OpNoNewPrivs, Field: "process.noNewPrivileges"})
	}
	c.ioPriority(p)
	if create {
		c.personality()
		c.memoryPolicy()
	}
	c.add(Step{Op: OpSync, Value: SyncLimits})
	if p.SelinuxLabel != "" {
		c.add(Step{Op: OpSELinux, Field: "process.selinuxLabel", Value: p.SelinuxLabel})
	}
	caps := capabilities(p)
	c.add(Step{Op: OpBounding, Field: "process.capabilities.bounding", Flags: caps.Bounding})
	filter := Step{Op: OpSeccomp, Field: "linux.seccomp"}
	filtered := c.spec.Linux.Seccomp != nil
	if filtered && !p.NoNewPrivileges {
		c.add(filter) // while CAP_SYS_ADMIN is held
	}
	ids := c.ids(p)
	c.add(Step{Op: OpChdir, Field: "process.cwd", Path: p.Cwd, Flags: chdirAsRoot})
	c.add(Step{Op: OpHome, IDs: ids})
	c.add(Step{Op: OpOwnStdio, IDs: ids})
	c.add(Step{Op: OpIDs, Field: "process.user", IDs: ids})
	c.add(Step{Op: OpChdir, Field: "process.cwd", Path: p.Cwd, Flags: chdirAsUser})
	c.add(Step{Op: OpCapabilities, Field: "process.capabilities", Caps: &caps})
	c.add(Step{Op: OpLookup, Field: "process.args[0]", Exec: &Exec{
		Args: p.Args, Env: c.environment(p.Env), Cwd: p.Cwd,
	}})
	c.add(Step{Op: OpCloseFDs, Flags: uint64(c.o.PreserveFDs)}) //nolint:gosec // not negative
	if filtered && p.NoNewPrivileges {
		c.add(filter) // last, so that it need not allow our own calls
	}
	c.add(Step{Op: OpSync, Value: SyncReady})
	if create {
		c.add(Step{Op: OpRelease})
		c.hooks("startContainer", "created")
	}
	c.add(Step{Op: OpSignals})
	c.scheduler(p)
	c.add(Step{Op: OpExec, Field: "process.args[0]"})
}

// ids are who the process will be.
func (c *compiler) ids(p *specs.Process) *IDs {
	ids := &IDs{UID: p.User.UID, GID: p.User.GID, Groups: p.User.AdditionalGids}
	if c.spec.Annotations["run.oci.keep_original_groups"] == "1" {
		ids.KeepGroups = true
	}
	if !c.setgroupsDenied() {
		return ids
	}
	ids.KeepGroups = true
	if len(ids.Groups) > 0 {
		c.wrong("process.user.additionalGids",
			errors.New("setgroups is denied in this user namespace: map more groups than one"))
	}
	return ids
}

// setgroupsDenied: a caller without privilege may write a gid map of its own
// gid alone only after it has denied setgroups(2) (user_namespaces(7)).
func (c *compiler) setgroupsDenied() bool {
	gids := c.spec.Linux.GIDMappings
	if c.h.SetgroupsDenied {
		return true
	}
	return c.h.EUID != 0 && len(gids) == 1 && gids[0].Size == 1 && gids[0].HostID == c.h.EGID
}

// environment is the program's: of a name given twice the last counts.
func (c *compiler) environment(env []string) []string {
	last := make(map[string]int, len(env))
	for i, e := range env {
		name, _, _ := strings.Cut(e, "=")
		last[name] = i
	}
	out := make([]string, 0, len(env)+2)
	for i, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if last[name] == i {
			out = append(out, e)
		}
	}
	if c.o.ListenFDs > 0 { // sd_listen_fds(3)
		out = slices.DeleteFunc(out, func(e string) bool {
			return strings.HasPrefix(e, "LISTEN_FDS=") || strings.HasPrefix(e, "LISTEN_PID=")
		})
		out = append(out, "LISTEN_FDS="+strconv.Itoa(c.o.ListenFDs), "LISTEN_PID=1")
	}
	return out
}

// personality is the execution domain (personality(2)).
func (c *compiler) personality() {
	p := c.spec.Linux.Personality
	if p == nil {
		return
	}
	s := Step{Op: OpPersonality, Field: "linux.personality", Flags: uapi.PER_LINUX}
	if p.Domain == specs.PerLinux32 {
		s.Flags = uapi.PER_LINUX32
	}
	c.add(s)
}

func (c *compiler) ioPriority(p *specs.Process) {
	if p.IOPriority == nil {
		return
	}
	var class uint64
	switch p.IOPriority.Class {
	case specs.IOPRIO_CLASS_RT:
		class = uapi.IOPRIO_CLASS_RT
	case specs.IOPRIO_CLASS_BE:
		class = uapi.IOPRIO_CLASS_BE
	case specs.IOPRIO_CLASS_IDLE:
		class = uapi.IOPRIO_CLASS_IDLE
	default:
		c.wrong("process.ioPriority.class", errors.New("unknown class "+strconv.Quote(string(p.IOPriority.Class))))
		return
	}
	level := uint64(p.IOPriority.Priority) & uapi.IOPRIO_LEVEL_MASK //nolint:gosec // validated: 0 to 7
	c.add(Step{Op: OpIOPriority, Field: "process.ioPriority", Flags: class<<uapi.IOPRIO_CLASS_SHIFT | level})
}

// rlimits are set by the parent; RLIMIT_* are their numbers (getrlimit(2)).
func (c *compiler) rlimits(p *specs.Process, prefix string) []Rlimit {
	var limits []Rlimit
	for i, l := range p.Rlimits {
		field := prefix + index("rlimits", i)
		n := rlimitNumber(l.Type)
		if n < 0 {
			c.wrong(field+".type", errors.New("unknown limit "+strconv.Quote(l.Type)))
			continue
		}
		limits = append(limits, Rlimit{Field: field, Type: n, Soft: l.Soft, Hard: l.Hard})
	}
	return limits
}

func rlimitNumber(name string) int {
	switch name {
	case "RLIMIT_CPU":
		return unix.RLIMIT_CPU
	case "RLIMIT_FSIZE":
		return unix.RLIMIT_FSIZE
	case "RLIMIT_DATA":
		return unix.RLIMIT_DATA
	case "RLIMIT_STACK":
		return unix.RLIMIT_STACK
	case "RLIMIT_CORE":
		return unix.RLIMIT_CORE
	case "RLIMIT_RSS":
		return unix.RLIMIT_RSS
	case "RLIMIT_NPROC":
		return unix.RLIMIT_NPROC
	case "RLIMIT_NOFILE":
		return unix.RLIMIT_NOFILE
	case "RLIMIT_MEMLOCK":
		return unix.RLIMIT_MEMLOCK
	case "RLIMIT_AS":
		return unix.RLIMIT_AS
	case "RLIMIT_LOCKS":
		return unix.RLIMIT_LOCKS
	case "RLIMIT_SIGPENDING":
		return unix.RLIMIT_SIGPENDING
	case "RLIMIT_MSGQUEUE":
		return unix.RLIMIT_MSGQUEUE
	case "RLIMIT_NICE":
		return unix.RLIMIT_NICE
	case "RLIMIT_RTPRIO":
		return unix.RLIMIT_RTPRIO
	case "RLIMIT_RTTIME":
		return unix.RLIMIT_RTTIME
	default:
		return -1
	}
}

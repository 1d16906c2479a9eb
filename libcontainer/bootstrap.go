package libcontainer

import (
	"context"
	"errors"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"github.com/rung-run/rung/libcontainer/internal/spawn"
	"github.com/rung-run/rung/libcontainer/internal/wire"
)

// spawn brings the bootstrap to its end and init to life.
func (c *creation) spawn(ctx context.Context) error {
	b := &c.plan.Bootstrap
	joins, err := spawn.OpenJoins(b.Join)
	if err != nil {
		return err
	}
	defer joins.Close()
	doors, err := c.cgroup.Doors()
	if err != nil {
		return err
	}
	defer doors.Close()
	h := &wire.Header{
		New: uint32(b.New), Join: joins.List, Cgroup: -1, //nolint:gosec // CLONE_NEW* bits
		OOMScoreAdj: b.OOMScoreAdj, TimeOffsets: b.TimeOffsets,
		Flags: rootFlag(b.UIDMap, b.GIDMap, joins.User()) | headerFlags(c.plan.Steps, c.o.Rootless, c.cgroup.Spared()),
	}
	for _, d := range doors.Tasks {
		h.Doors = append(h.Doors, int(d.Fd()))
	}
	if c.boot == nil {
		if c.boot, err = c.start(doors.V2); err != nil {
			return err
		}
	} else if doors.V2 != nil {
		h.Cgroup = int(doors.V2.Fd())
	}
	child, err := c.boot.Enter(ctx, h)
	if err != nil {
		return namedStep(err, b.Join, joins)
	}
	c.child = child
	c.record.InitPid, c.record.InitStart = child.Pid, child.Start
	c.record.CgroupPaths = c.cgroup.Paths() // rootless, fewer than planned
	if doors.V2 != nil && !child.Placed {
		if err := c.cgroup.AddPid(child.Pid); err != nil && !c.cgroup.Spared() {
			return err
		}
	}
	return c.save()
}

// joinsUser: a bootstrap that enters a user namespace must be started in the
// cgroup, so not before there is one.
func joinsUser(spec *specs.Spec) bool {
	return spec.Linux != nil && slices.ContainsFunc(spec.Linux.Namespaces, func(ns specs.LinuxNamespace) bool {
		return ns.Type == specs.UserNamespace && ns.Path != ""
	})
}

// rootFlag tells the child to become 0:0 where that is mapped.
func rootFlag(uids, gids []plan.IDMap, joins bool) uint32 {
	zero := func(maps []plan.IDMap) bool {
		return slices.ContainsFunc(maps, func(m plan.IDMap) bool { return m.ContainerID == 0 })
	}
	if joins || zero(uids) && zero(gids) {
		return wire.HeaderRoot
	}
	return 0
}

// headerFlags are those that create and exec decide alike. What the program
// shall not have of the host's groups is left before a user namespace is joined,
// which may deny init setgroups(2).
func headerFlags(steps []plan.Step, rootless, spared bool) uint32 {
	flags := uint32(wire.HeaderSession)
	if rootless {
		flags |= wire.HeaderTolerant
	}
	if spared {
		flags |= wire.HeaderSpared
	}
	for i := range steps {
		if steps[i].Op == plan.OpIDs && !steps[i].IDs.KeepGroups {
			flags |= wire.HeaderDropGroups
		}
	}
	return flags
}

// namedStep gives a failure of the C side the field that asked for it.
func namedStep(err error, joins []plan.Join, open *spawn.Joins) error {
	var step *spawn.StepError
	if !errors.As(err, &step) {
		return err
	}
	e := &fault.Error{Op: wire.StepName(step.Step), Err: step.Errno, Hint: namespaceHint(step.Errno)}
	if strings.HasPrefix(e.Op, "create ") || strings.HasPrefix(e.Op, "clone ") {
		e.Field = "linux.namespaces"
	}
	if e.Op == "set oom_score_adj" {
		e.Field = "process.oomScoreAdj"
		if step.Errno == unix.EACCES { // proc_pid_oom_score_adj(5)
			e.Hint = "a lower score than the caller's needs CAP_SYS_RESOURCE"
		}
	}
	if strings.HasPrefix(e.Op, "clone ") && step.Errno == unix.ENOMEM {
		for _, j := range joins {
			if j.Type == unix.CLONE_NEWPID {
				// pid_namespaces(7)
				e.Field, e.Path, e.Hint = j.Field, j.Path, "the first process of this pid namespace has ended"
			}
		}
	}
	if strings.HasPrefix(e.Op, "join ") && step.Index < len(open.List) {
		for _, j := range joins {
			if j.Type == uint64(open.List[step.Index].Type) {
				e.Field, e.Path = j.Field, j.Path
			}
		}
	}
	return e
}

func namespaceHint(errno unix.Errno) string {
	switch errno {
	case unix.ENOSPC, unix.EUSERS:
		return "a limit below /proc/sys/user, or of nested namespaces, is reached"
	case unix.EPERM:
		return "without privilege a new user namespace is needed, and must be allowed"
	default:
		return ""
	}
}

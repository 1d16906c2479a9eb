package seccomp

import (
	"errors"
	"fmt"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// profile is linux.seccomp, checked and in the kernel's terms.
type profile struct {
	def      uint32 // what a filter returns where no rule matches
	archs    []arch // native first, then as listed, each once
	flags    uint32
	listener bool
	rules    []rule
}

// arch is an architecture of a profile.
type arch struct {
	name  specs.Arch
	audit uint32
	field string
}

// rule is one entry of syscalls.
type rule struct {
	field string
	names []string
	ret   uint32
	// args must all match, each is of another argument.
	args []specs.LinuxSeccompArg
	// anyArg: one of args suffices. Two comparisons of one argument cannot be
	// one rule of libseccomp; the entry stands for a rule each, and that
	// goes for all of its arguments.
	anyArg bool
}

// maxErrno is the kernel's MAX_ERRNO (linux/err.h): a filter cannot return more.
const maxErrno = 4095

// translate checks p and puts it into the kernel's terms, for a machine that Go
// calls goarch.
func translate(p *specs.LinuxSeccomp, goarch string) (*profile, error) {
	var t profile
	var err error
	if t.def, err = actionValue(p.DefaultAction, p.DefaultErrnoRet, "linux.seccomp.defaultAction", "linux.seccomp.defaultErrnoRet"); err != nil {
		return nil, err
	}
	if t.def == unix.SECCOMP_RET_USER_NOTIF {
		// Init could not send its own listener anywhere.
		return nil, fault.Invalid("linux.seccomp.defaultAction", errors.New("SCMP_ACT_NOTIFY cannot be the default action"))
	}
	if t.archs, err = architectures(p.Architectures, goarch); err != nil {
		return nil, err
	}
	t.rules = make([]rule, 0, len(p.Syscalls))
	for i := range p.Syscalls {
		r, err := translateRule(fmt.Sprintf("linux.seccomp.syscalls[%d]", i), &p.Syscalls[i])
		if err != nil {
			return nil, err
		}
		t.rules = append(t.rules, r)
		t.listener = t.listener || r.ret == unix.SECCOMP_RET_USER_NOTIF
	}
	if t.listener && p.ListenerPath == "" {
		return nil, fault.Invalid("linux.seccomp.listenerPath", errors.New("SCMP_ACT_NOTIFY needs a listener"))
	}
	t.flags, err = flags(p.Flags, t.listener)
	return &t, err
}

// architectures puts the native one first: it is always covered.
func architectures(names []specs.Arch, goarch string) ([]arch, error) {
	native, err := nativeArch(goarch)
	if err != nil {
		return nil, err
	}
	audit, err := auditArch(native)
	if err != nil {
		return nil, err
	}
	archs := append(make([]arch, 0, len(names)+1), arch{name: native, audit: audit, field: "linux.seccomp"})
	for i, name := range names {
		field := fmt.Sprintf("linux.seccomp.architectures[%d]", i)
		audit, err := auditArch(name)
		if err != nil {
			return nil, fault.Invalid(field, err)
		}
		if !slices.ContainsFunc(archs, func(a arch) bool { return a.name == name }) {
			archs = append(archs, arch{name: name, audit: audit, field: field})
		}
	}
	return archs, nil
}

func translateRule(field string, s *specs.LinuxSyscall) (rule, error) {
	if len(s.Names) == 0 {
		return rule{}, fault.Invalid(field+".names", errors.New("no system call is named"))
	}
	ret, err := actionValue(s.Action, s.ErrnoRet, field+".action", field+".errnoRet")
	if err != nil {
		return rule{}, err
	}
	if ret == unix.SECCOMP_RET_USER_NOTIF && slices.Contains(s.Names, "write") {
		// Init reports that the filter is loaded with a write that nobody
		// could answer yet.
		return rule{}, fault.Invalid(field+".names", errors.New("SCMP_ACT_NOTIFY cannot be used for the write system call"))
	}
	r := rule{field: field, names: s.Names, ret: ret, args: s.Args}
	seen := uint(0)
	for i, a := range s.Args {
		field := fmt.Sprintf("%s.args[%d]", field, i)
		if a.Index > 5 {
			return rule{}, fault.Invalid(field+".index", fmt.Errorf("argument %d: system calls have six, counted from 0", a.Index))
		}
		if !slices.Contains(Operators(), string(a.Op)) {
			return rule{}, fault.Invalid(field+".op", fmt.Errorf("unknown operator %q", a.Op))
		}
		r.anyArg = r.anyArg || seen&(1<<a.Index) != 0
		seen |= 1 << a.Index
	}
	return r, nil
}

// actionValue is the value a filter returns for an action with its errno, whose
// default is EPERM (runtime-spec config-linux.md, "Seccomp").
func actionValue(name specs.LinuxSeccompAction, errno *uint, field, errnoField string) (uint32, error) {
	ret, err := action(name)
	if err != nil {
		return 0, fault.Invalid(field, err)
	}
	limit := uint(maxErrno)
	switch ret {
	case unix.SECCOMP_RET_ERRNO:
	case unix.SECCOMP_RET_TRACE: // any data for the tracer (seccomp(2))
		limit = unix.SECCOMP_RET_DATA
	default:
		if errno != nil {
			return 0, fault.Invalid(errnoField, fmt.Errorf("%s takes no errno", name))
		}
		return ret, nil
	}
	if errno == nil {
		return ret | uint32(unix.EPERM), nil
	}
	if *errno > limit {
		return 0, fault.Invalid(errnoField, fmt.Errorf("%d is above %d", *errno, limit))
	}
	return ret | uint32(*errno), nil //nolint:gosec // checked above
}

// flags are the flags for seccomp(2). A profile that does not speak of flags
// gets SPEC_ALLOW, as runc's does: the mitigation that it switches off costs
// more than it gives (Linux 5.16 no longer switches it on for seccomp). An
// empty list is none.
func flags(names []specs.LinuxSeccompFlag, listener bool) (uint32, error) {
	if names == nil {
		return unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, nil
	}
	var set uint32
	for i, name := range names {
		f, err := filterFlag(string(name))
		if err != nil {
			return 0, fault.Invalid(fmt.Sprintf("linux.seccomp.flags[%d]", i), err)
		}
		set |= f
	}
	// Init is a Go process: its other threads end at execve(2), and a filter
	// on them could stop the one that loads it.
	set &^= unix.SECCOMP_FILTER_FLAG_TSYNC
	if !listener { // EINVAL without NEW_LISTENER, and of no meaning
		set &^= unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	}
	return set, nil
}

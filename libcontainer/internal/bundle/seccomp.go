package bundle

import (
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// receiver is crun's older name of listenerPath, an annotation.
const receiver = "run.oci.seccomp.receiver"

// maxErrno is the kernel's MAX_ERRNO (linux/err.h); a tracer gets 16 bits
// (seccomp(2), SECCOMP_RET_TRACE).
const (
	maxErrno = 4095
	maxTrace = 1<<16 - 1
)

func (m *mistakes) seccomp(s *specs.LinuxSeccomp, annotations map[string]string) {
	if s == nil {
		return
	}
	m.action("linux.seccomp.defaultAction", "linux.seccomp.defaultErrnoRet", s.DefaultAction, s.DefaultErrnoRet)
	if s.DefaultAction == specs.ActNotify {
		m.add("linux.seccomp.defaultAction", "SCMP_ACT_NOTIFY cannot be the default: the listener itself could not be handed over")
	}
	for i, a := range s.Architectures {
		if !knownArch(a) {
			m.addf(index("linux.seccomp.architectures", i), "unknown architecture %q", a)
		}
	}
	for i, f := range s.Flags {
		switch f {
		case "SECCOMP_FILTER_FLAG_TSYNC", specs.LinuxSeccompFlagLog,
			specs.LinuxSeccompFlagSpecAllow, specs.LinuxSeccompFlagWaitKillableRecv:
		default:
			m.addf(index("linux.seccomp.flags", i), "unknown flag %q", f)
		}
	}
	notifies := slices.ContainsFunc(s.Syscalls, func(c specs.LinuxSyscall) bool { return c.Action == specs.ActNotify })
	if notifies && s.ListenerPath == "" && annotations[receiver] == "" {
		m.add("linux.seccomp.listenerPath", "missing: SCMP_ACT_NOTIFY needs a listener")
	}
	m.text("linux.seccomp.listenerPath", s.ListenerPath)
	if s.ListenerMetadata != "" && s.ListenerPath == "" && annotations[receiver] == "" {
		m.add("linux.seccomp.listenerMetadata", "given without listenerPath")
	}
	for i := range s.Syscalls {
		m.syscall(&s.Syscalls[i], i)
	}
}

func (m *mistakes) syscall(c *specs.LinuxSyscall, i int) {
	at := func() string { return index("linux.seccomp.syscalls", i) }
	if len(c.Names) == 0 {
		m.add(at()+".names", "no system call is named")
	}
	for j, n := range c.Names {
		switch {
		case n == "" || hasNUL(n):
			m.addf(index(at()+".names", j), "%q is no name", n)
		case n == "write" && c.Action == specs.ActNotify:
			// The runtime says by a write(2) that the listener is there.
			m.add(index(at()+".names", j), "SCMP_ACT_NOTIFY cannot be used for write")
		}
	}
	if !knownAction(c.Action) || c.ErrnoRet != nil {
		m.action(at()+".action", at()+".errnoRet", c.Action, c.ErrnoRet)
	}
	for j, a := range c.Args {
		if a.Index > 5 {
			m.addf(index(at()+".args", j)+".index", "%d is out of range: system calls have arguments 0 to 5", a.Index)
		}
		switch a.Op {
		case specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpEqualTo,
			specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpMaskedEqual:
		case "":
			m.add(index(at()+".args", j)+".op", "missing")
		default:
			m.addf(index(at()+".args", j)+".op", "unknown operator %q", a.Op)
		}
	}
}

// action checks one with its errno, which few take.
func (m *mistakes) action(field, errnoField string, a specs.LinuxSeccompAction, errno *uint) {
	switch {
	case a == "":
		m.add(field, "missing")
		return
	case !knownAction(a):
		m.addf(field, "unknown action %q", a)
		return
	case errno == nil:
		return
	}
	limit := uint(maxErrno)
	if a == specs.ActTrace {
		limit = maxTrace
	}
	switch {
	case a != specs.ActErrno && a != specs.ActTrace:
		m.addf(errnoField, "%s takes none, only SCMP_ACT_ERRNO and SCMP_ACT_TRACE do", a)
	case *errno > limit:
		m.addf(errnoField, "%d is out of range: 0 to %d", *errno, limit)
	}
}

func knownAction(a specs.LinuxSeccompAction) bool {
	switch a {
	case specs.ActKill, specs.ActKillProcess, specs.ActKillThread, specs.ActTrap,
		specs.ActErrno, specs.ActTrace, specs.ActAllow, specs.ActLog, specs.ActNotify:
		return true
	}
	return false
}

// knownArch: the list of libseccomp 2.6 (config-linux.md, "Seccomp").
func knownArch(a specs.Arch) bool {
	switch a {
	case specs.ArchX86, specs.ArchX86_64, specs.ArchX32, specs.ArchARM, specs.ArchAARCH64,
		specs.ArchMIPS, specs.ArchMIPS64, specs.ArchMIPS64N32,
		specs.ArchMIPSEL, specs.ArchMIPSEL64, specs.ArchMIPSEL64N32,
		specs.ArchPPC, specs.ArchPPC64, specs.ArchPPC64LE, specs.ArchS390, specs.ArchS390X,
		specs.ArchPARISC, specs.ArchPARISC64, specs.ArchRISCV64, specs.ArchLOONGARCH64,
		specs.ArchM68K, specs.ArchSH, specs.ArchSHEB:
		return true
	}
	return false
}

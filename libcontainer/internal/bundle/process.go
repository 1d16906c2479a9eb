package bundle

import (
	"math"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// noID is (uid_t)-1: "leave it as it is" to the calls that set ids
// (setresuid(2)), so never the id of a process.
const noID = math.MaxUint32

// ValidateProcess gives every mistake of a process. field is where it stands:
// "process" in a config, "" in a file of its own.
func ValidateProcess(p *specs.Process, field string) fault.List {
	var m mistakes
	if p == nil {
		m.add(field, "missing")
		return m.found()
	}
	if field != "" {
		field += "."
	}
	m.process(p, field)
	return m.found()
}

func (m *mistakes) process(p *specs.Process, at string) {
	// consoleSize is ignored without a terminal (config.md, "Process").
	if c := p.ConsoleSize; c != nil && p.Terminal {
		m.consoleSide(at+"consoleSize.height", c.Height)
		m.consoleSide(at+"consoleSize.width", c.Width)
	}
	m.absolute(at+"cwd", p.Cwd)
	m.environment(at+"env", p.Env)
	switch {
	case len(p.Args) == 0:
		m.add(at+"args", "no program is named")
	case p.Args[0] == "":
		m.add(at+"args[0]", "empty")
	}
	m.texts(at+"args", p.Args)
	m.rlimits(p.Rlimits, at)
	m.line(at+"apparmorProfile", p.ApparmorProfile)
	m.line(at+"selinuxLabel", p.SelinuxLabel)
	// proc_pid_oom_score_adj(5).
	if a := p.OOMScoreAdj; a != nil && (*a < -1000 || *a > 1000) {
		m.addf(at+"oomScoreAdj", "%d is out of range: -1000 to 1000", *a)
	}
	m.scheduler(p.Scheduler, at)
	m.ioPriority(p.IOPriority, at)
	if a := p.ExecCPUAffinity; a != nil {
		m.numbers(at+"execCPUAffinity.initial", a.Initial)
		m.numbers(at+"execCPUAffinity.final", a.Final)
	}
	m.user(&p.User, at)
}

// consoleSide: struct winsize holds unsigned short (ioctl_tty(2), TIOCSWINSZ).
func (m *mistakes) consoleSide(field string, n uint) {
	if n > math.MaxUint16 {
		m.addf(field, "%d is out of range: 0 to %d", n, math.MaxUint16)
	}
}

func (m *mistakes) user(u *specs.User, at string) {
	m.id(at+"user.uid", u.UID)
	m.id(at+"user.gid", u.GID)
	if u.Umask != nil && *u.Umask > 0o777 {
		m.addf(at+"user.umask", "%d (octal %o) has more than permission bits", *u.Umask, *u.Umask)
	}
	for i, gid := range u.AdditionalGids {
		if gid == noID {
			m.id(index(at+"user.additionalGids", i), gid)
		}
	}
}

func (m *mistakes) id(field string, id uint32) {
	if id == noID {
		m.addf(field, "%d is no id: the kernel reads it as -1", id)
	}
}

func (m *mistakes) rlimits(limits []specs.POSIXRlimit, at string) {
	seen := 0
	for i, l := range limits {
		n := rlimitNumber(l.Type)
		switch {
		case n < 0:
			m.addf(index(at+"rlimits", i)+".type", "unknown limit %q", l.Type)
		case seen&(1<<n) != 0:
			m.addf(index(at+"rlimits", i)+".type", "%s is given twice", l.Type)
		default:
			seen |= 1 << n
		}
		if l.Soft > l.Hard {
			m.addf(index(at+"rlimits", i)+".soft", "%d is above the hard limit, %d", l.Soft, l.Hard)
		}
	}
}

// rlimitNumber is -1 for a name that getrlimit(2) does not list.
func rlimitNumber(name string) int {
	for i, known := range [...]string{
		"RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE",
		"RLIMIT_LOCKS", "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE", "RLIMIT_NICE",
		"RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS", "RLIMIT_RTPRIO",
		"RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK",
	} {
		if name == known {
			return i
		}
	}
	return -1
}

func (m *mistakes) ioPriority(p *specs.LinuxIOPriority, at string) {
	if p == nil {
		return
	}
	switch p.Class {
	case specs.IOPRIO_CLASS_RT, specs.IOPRIO_CLASS_BE, specs.IOPRIO_CLASS_IDLE:
	case "":
		m.add(at+"ioPriority.class", "missing")
	default:
		m.addf(at+"ioPriority.class", "unknown class %q", p.Class)
	}
	if p.Priority < 0 || p.Priority > 7 {
		m.addf(at+"ioPriority.priority", "%d is out of range: 0 to 7", p.Priority)
	}
}

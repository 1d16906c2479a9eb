//go:build cgo && !noseccomp

package seccomp

import (
	"cmp"
	"fmt"
	"runtime"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// Version is that of the libseccomp that is linked.
func Version() string {
	major, minor, micro := seccomp.GetLibraryVersion()
	return fmt.Sprintf("%d.%d.%d", major, minor, micro)
}

// Compile makes the program for a profile. Names of system calls that
// libseccomp does not know are ignored: profiles name calls of many
// architectures and of kernels to come.
func Compile(p *specs.LinuxSeccomp) (*Program, error) {
	t, err := translate(p, runtime.GOARCH)
	if err != nil {
		return nil, err
	}
	c := compiler{profile: t}
	if err := c.sort(); err != nil {
		return nil, err
	}
	rest, err := c.rest()
	if err != nil {
		return nil, err
	}
	filter, err := join(table(c.calls, c.unknown()), rest)
	if err != nil {
		return nil, fault.Invalid("linux.seccomp", err)
	}
	return &Program{Filter: filter, Flags: t.flags, Listener: t.listener}, nil
}

// compiler sorts the system calls that a profile names into those that the table
// answers and those that libseccomp must see.
type compiler struct {
	*profile
	names []name
	calls []calls // one for each of archs
	// multiplexed: some calls are parts of socketcall(2) or ipc(2).
	multiplexed bool
}

// name is a system call that the profile names.
type name struct {
	name string
	ret  uint32
	// ruled: a rule is not just the default action. asked: the answer is
	// not one number for all arguments.
	ruled, asked bool
}

// sort fills names and calls.
func (c *compiler) sort() error {
	index := make(map[string]int, 512)
	for i := range c.rules {
		r := &c.rules[i]
		for _, s := range r.names {
			at, ok := index[s]
			if !ok {
				at = len(c.names)
				index[s] = at
				c.names = append(c.names, name{name: s})
			}
			if r.ret == c.def {
				continue // libseccomp refuses such a rule
			}
			n := &c.names[at]
			// Different actions for one call: libseccomp decides.
			n.asked = n.asked || len(r.args) > 0 || n.ruled && n.ret != r.ret
			n.ruled, n.ret = true, r.ret
		}
	}
	c.calls = make([]calls, len(c.archs))
	for i := range c.archs {
		if err := c.resolve(&c.calls[i], c.archs[i], index); err != nil {
			return err
		}
	}
	return c.anchor(index)
}

// number is an entry and the name it is from.
type number struct {
	entry
	name int
}

// resolve finds the numbers of all names on one architecture.
func (c *compiler) resolve(out *calls, a arch, index map[string]int) error {
	token, err := scmpArch(a)
	if err != nil {
		return err
	}
	*out = calls{arch: a, newest: -1}
	numbers := make([]number, 0, len(c.names))
	multiplexed := false
	for i := range c.names {
		n := &c.names[i]
		sys, err := seccomp.GetSyscallFromNameByArch(n.name, token)
		nr := int64(sys)
		switch {
		case err != nil || nr <= absent:
			continue
		case nr < 0:
			multiplexed = true
			n.asked = n.asked || n.ruled
			c.multiplexed = c.multiplexed || n.ruled
			continue
		}
		if !out.private(uint32(nr)) { //nolint:gosec // not negative, by the case above
			out.newest = max(out.newest, nr)
		}
		if n.ruled {
			numbers = append(numbers, number{entry{nr: uint32(nr)}, i}) //nolint:gosec // the same
		}
	}
	if multiplexed {
		// The calls have numbers of their own, too, which libseccomp does
		// not tell, and are part of socketcall(2) and ipc(2).
		out.newest = max(out.newest, lastDirect)
		for _, s := range []string{"socketcall", "ipc"} {
			if i, ok := index[s]; ok {
				c.names[i].asked = c.names[i].ruled
			}
		}
	}
	slices.SortFunc(numbers, func(a, b number) int { return cmp.Compare(a.nr, b.nr) })
	c.answer(out, numbers)
	return nil
}

const (
	// absent and all below it are libseccomp's numbers for calls that an
	// architecture does not have; those between it and 0 are parts of
	// socketcall(2) and ipc(2) (seccomp-syscalls.h, __PNR_*).
	absent = -10000
	// lastDirect is the last of the numbers that the parts of socketcall(2)
	// and ipc(2) were given on their own in Linux 4.3 and 5.1 (msgctl in
	// arch/x86/entry/syscalls/syscall_32.tbl; the same on s390, powerpc,
	// m68k and sh).
	lastDirect = 402
)

// answer fills the entries of one architecture from its sorted numbers.
func (c *compiler) answer(out *calls, numbers []number) {
	out.entries = make([]entry, 0, len(numbers))
	for _, nr := range numbers {
		n := &c.names[nr.name]
		e := entry{nr.nr, answer{ret: n.ret, ask: n.asked}}
		if e.ask {
			e.ret = 0
		}
		if last := len(out.entries) - 1; last >= 0 && out.entries[last].nr == e.nr {
			// Two names of one call: what they do not agree on is for
			// libseccomp, which then must know both.
			if out.entries[last].answer != e.answer {
				out.entries[last].answer = answer{ask: true}
				n.asked = true
				c.askSame(numbers, nr.nr)
			}
			continue
		}
		out.entries = append(out.entries, e)
	}
}

// askSame leaves all names of one number to libseccomp.
func (c *compiler) askSame(numbers []number, nr uint32) {
	for _, other := range numbers {
		if other.nr == nr {
			c.names[other.name].asked = true
		}
	}
}

// unknown is the answer to calls that are newer than all the profile names. A
// program tries those and falls back only on ENOSYS; to it, a kernel without
// them is what the author of the profile had. Where the default action lets
// calls pass or somebody looks at them, that stays.
func (c *compiler) unknown() answer {
	switch c.def &^ unix.SECCOMP_RET_DATA {
	case unix.SECCOMP_RET_ERRNO, unix.SECCOMP_RET_TRAP, unix.SECCOMP_RET_KILL_THREAD, unix.SECCOMP_RET_KILL_PROCESS:
		return enosys()
	}
	return answer{ask: true}
}

// scmpArch is libseccomp-golang's number for an architecture.
func scmpArch(a arch) (seccomp.ScmpArch, error) {
	token, err := seccomp.GetArchFromString(strings.TrimPrefix(string(a.name), "SCMP_ARCH_"))
	if err != nil {
		return token, fault.Invalid(a.field, err)
	}
	return token, nil
}

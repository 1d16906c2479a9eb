//go:build cgo && !noseccomp

package seccomp

import (
	"cmp"
	"errors"
	"slices"

	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// anchor gives libseccomp a rule for an ordinary system call beside those for
// parts of socketcall(2) and ipc(2), where there are such.
//
// Since it writes no code for its numbers of those parts
// (github.com/seccomp/libseccomp/issues/252; seen in 2.5.4), it forgets to load
// the number of the call where one of them is the first on an architecture: the
// comparisons that follow are with AUDIT_ARCH_*, no rule matches and the default
// action is all there is. A rule without arguments for an ordinary call comes
// before them. The table has answered that call by then, so that the rule itself
// is never reached.
func (c *compiler) anchor(index map[string]int) error {
	if !c.multiplexed {
		return nil
	}
	for i := range c.names {
		n := &c.names[i]
		if n.ruled && !n.asked && c.everywhere(n.name) {
			n.asked = true // in libseccomp's program as well
			return nil
		}
	}
	for _, s := range []string{"times", "umask", "getpgid", "getsid", "sync", "uname", "acct"} {
		if _, ok := index[s]; !ok && c.everywhere(s) {
			return c.addAnchor(s)
		}
	}
	return fault.Invalid("linux.seccomp.syscalls", errors.New("every system call has a rule with arguments"))
}

// everywhere: all architectures have the call.
func (c *compiler) everywhere(name string) bool {
	for _, a := range c.archs {
		token, err := scmpArch(a)
		if err != nil {
			return false
		}
		if sys, err := seccomp.GetSyscallFromNameByArch(name, token); err != nil || sys < 0 {
			return false
		}
	}
	return true
}

// addAnchor makes a rule for a call that the profile does not name. What the
// call is answered stays.
func (c *compiler) addAnchor(s string) error {
	ret := uint32(unix.SECCOMP_RET_KILL_PROCESS)
	if c.def == ret {
		ret = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	}
	c.names = append(c.names, name{name: s, ret: ret, ruled: true, asked: true})
	c.rules = append(c.rules, rule{field: "linux.seccomp", names: []string{s}, ret: ret})
	for i := range c.calls {
		out := &c.calls[i]
		token, err := scmpArch(out.arch)
		if err != nil {
			return err
		}
		sys, err := seccomp.GetSyscallFromNameByArch(s, token)
		if err != nil {
			return fault.Invalid(out.arch.field, err)
		}
		e := entry{uint32(sys), answer{ret: c.def}} //nolint:gosec // a number is not negative here
		if unknown := c.unknown(); !unknown.ask && out.newest >= 0 && int64(sys) > out.newest {
			e.answer = unknown
		}
		at, _ := slices.BinarySearchFunc(out.entries, e, func(a, b entry) int { return cmp.Compare(a.nr, b.nr) })
		out.entries = slices.Insert(out.entries, at, e)
	}
	return nil
}

//go:build cgo && !noseccomp

package seccomp

import (
	"errors"
	"fmt"
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	seccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// rest is libseccomp's program: the rules the table does not answer, the
// default action, and KILL for foreign architectures.
func (c *compiler) rest() ([]byte, error) {
	f, err := seccomp.NewFilter(scmpAction(c.def))
	if err != nil {
		return nil, fault.Invalid("linux.seccomp.defaultAction", err)
	}
	defer f.Release()
	for _, a := range c.archs {
		token, err := scmpArch(a)
		if err != nil {
			return nil, err
		}
		if err := f.AddArch(token); err != nil {
			return nil, fault.Invalid(a.field, fmt.Errorf("%s: %w", a.name, err))
		}
	}
	asked := make(map[string]bool)
	for i := range c.names {
		if c.names[i].asked {
			asked[c.names[i].name] = true
		}
	}
	for i := range c.rules {
		r := &c.rules[i]
		if r.ret == c.def {
			continue
		}
		for _, s := range r.names {
			if !asked[s] {
				continue
			}
			if err := add(f, s, r); err != nil {
				return nil, fault.Invalid(r.field, fmt.Errorf("%s: %w", s, err))
			}
		}
	}
	return export(f)
}

// add gives libseccomp a rule for one system call.
func add(f *seccomp.ScmpFilter, name string, r *rule) error {
	sys, err := seccomp.GetSyscallFromName(name)
	if err != nil {
		return err
	}
	conds := make([]seccomp.ScmpCondition, len(r.args))
	for i, a := range r.args {
		if conds[i], err = seccomp.MakeCondition(a.Index, scmpOperator(a.Op), a.Value, a.ValueTwo); err != nil {
			return err
		}
	}
	if !r.anyArg {
		return f.AddRuleConditional(sys, scmpAction(r.ret), conds)
	}
	for i := range conds {
		if err := f.AddRuleConditional(sys, scmpAction(r.ret), conds[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

// export gives the program as bytes; libseccomp before 2.6 writes it only to a
// file.
func export(f *seccomp.ScmpFilter) ([]byte, error) {
	code, err := f.ExportBPFMem()
	if !errors.Is(err, unix.EOPNOTSUPP) {
		return code, err
	}
	file, err := memfd()
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := f.ExportBPF(file); err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	code = make([]byte, info.Size())
	_, err = file.ReadAt(code, 0)
	return code, err
}

// memfd is an anonymous file that is not executable: vm.memfd_noexec=2 refuses
// others (Linux 6.3, memfd_create(2)).
func memfd() (*os.File, error) {
	const name = "seccomp"
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_NOEXEC_SEAL)
	if err == unix.EINVAL {
		fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	}
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// scmpAction is libseccomp-golang's number for what a filter returns.
func scmpAction(ret uint32) seccomp.ScmpAction {
	data := int16(ret & unix.SECCOMP_RET_DATA) //nolint:gosec // the bits are what counts
	switch ret &^ unix.SECCOMP_RET_DATA {
	case unix.SECCOMP_RET_ALLOW:
		return seccomp.ActAllow
	case unix.SECCOMP_RET_ERRNO:
		return seccomp.ActErrno.SetReturnCode(data)
	case unix.SECCOMP_RET_KILL_PROCESS:
		return seccomp.ActKillProcess
	case unix.SECCOMP_RET_LOG:
		return seccomp.ActLog
	case unix.SECCOMP_RET_USER_NOTIF:
		return seccomp.ActNotify
	case unix.SECCOMP_RET_TRACE:
		return seccomp.ActTrace.SetReturnCode(data)
	case unix.SECCOMP_RET_TRAP:
		return seccomp.ActTrap
	}
	return seccomp.ActKillThread
}

// scmpOperator is libseccomp-golang's number for a comparison.
func scmpOperator(op specs.LinuxSeccompOperator) seccomp.ScmpCompareOp {
	switch op {
	case specs.OpNotEqual:
		return seccomp.CompareNotEqual
	case specs.OpLessThan:
		return seccomp.CompareLess
	case specs.OpLessEqual:
		return seccomp.CompareLessOrEqual
	case specs.OpEqualTo:
		return seccomp.CompareEqual
	case specs.OpGreaterEqual:
		return seccomp.CompareGreaterEqual
	case specs.OpGreaterThan:
		return seccomp.CompareGreater
	case specs.OpMaskedEqual:
		return seccomp.CompareMaskedEqual
	}
	return seccomp.CompareInvalid
}

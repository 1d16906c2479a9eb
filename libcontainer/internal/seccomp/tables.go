package seccomp

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Actions are the actions of a rule that this package knows, sorted.
func Actions() []string {
	return []string{
		string(specs.ActAllow),
		string(specs.ActErrno),
		string(specs.ActKill),
		string(specs.ActKillProcess),
		string(specs.ActKillThread),
		string(specs.ActLog),
		string(specs.ActNotify),
		string(specs.ActTrace),
		string(specs.ActTrap),
	}
}

// action is the value a filter returns for the action, without data: SCMP_ACT_*
// in seccomp.h, SECCOMP_RET_* in linux/seccomp.h.
func action(name specs.LinuxSeccompAction) (uint32, error) {
	switch name {
	case specs.ActAllow:
		return unix.SECCOMP_RET_ALLOW, nil
	case specs.ActErrno:
		return unix.SECCOMP_RET_ERRNO, nil
	case specs.ActKill, specs.ActKillThread:
		return unix.SECCOMP_RET_KILL_THREAD, nil
	case specs.ActKillProcess:
		return unix.SECCOMP_RET_KILL_PROCESS, nil
	case specs.ActLog:
		return unix.SECCOMP_RET_LOG, nil
	case specs.ActNotify:
		return unix.SECCOMP_RET_USER_NOTIF, nil
	case specs.ActTrace:
		return unix.SECCOMP_RET_TRACE, nil
	case specs.ActTrap:
		return unix.SECCOMP_RET_TRAP, nil
	}
	return 0, fmt.Errorf("unknown action %q", name)
}

// Operators are the comparisons of an argument that this package knows, sorted.
func Operators() []string {
	return []string{
		string(specs.OpEqualTo),
		string(specs.OpGreaterEqual),
		string(specs.OpGreaterThan),
		string(specs.OpLessEqual),
		string(specs.OpLessThan),
		string(specs.OpMaskedEqual),
		string(specs.OpNotEqual),
	}
}

// KnownFlags are the flags of a profile that this package knows, sorted.
func KnownFlags() []string {
	return []string{
		string(specs.LinuxSeccompFlagLog),
		string(specs.LinuxSeccompFlagSpecAllow),
		flagTsync,
		string(specs.LinuxSeccompFlagWaitKillableRecv),
	}
}

// flagTsync has no constant in runtime-spec's Go package.
const flagTsync = "SECCOMP_FILTER_FLAG_TSYNC"

// filterFlag is the SECCOMP_FILTER_FLAG_* of that name.
func filterFlag(name string) (uint32, error) {
	switch name {
	case string(specs.LinuxSeccompFlagLog):
		return unix.SECCOMP_FILTER_FLAG_LOG, nil
	case string(specs.LinuxSeccompFlagSpecAllow):
		return unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, nil
	case flagTsync:
		return unix.SECCOMP_FILTER_FLAG_TSYNC, nil
	case string(specs.LinuxSeccompFlagWaitKillableRecv):
		return unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, nil
	}
	return 0, fmt.Errorf("unknown flag %q", name)
}

// Architectures are the architectures of a profile that this package knows,
// sorted.
func Architectures() []string {
	return []string{
		string(specs.ArchAARCH64),
		string(specs.ArchARM),
		string(specs.ArchLOONGARCH64),
		string(specs.ArchM68K),
		string(specs.ArchMIPS),
		string(specs.ArchMIPS64),
		string(specs.ArchMIPS64N32),
		string(specs.ArchMIPSEL),
		string(specs.ArchMIPSEL64),
		string(specs.ArchMIPSEL64N32),
		string(specs.ArchPARISC),
		string(specs.ArchPARISC64),
		string(specs.ArchPPC),
		string(specs.ArchPPC64),
		string(specs.ArchPPC64LE),
		string(specs.ArchRISCV64),
		string(specs.ArchS390),
		string(specs.ArchS390X),
		string(specs.ArchSH),
		string(specs.ArchSHEB),
		string(specs.ArchX32),
		string(specs.ArchX86),
		string(specs.ArchX86_64),
	}
}

// auditArch is what the kernel puts into seccomp_data.arch: AUDIT_ARCH_* in
// linux/audit.h, with the names of seccomp.h.
func auditArch(name specs.Arch) (uint32, error) {
	switch name {
	case specs.ArchAARCH64:
		return unix.AUDIT_ARCH_AARCH64, nil
	case specs.ArchARM:
		return unix.AUDIT_ARCH_ARM, nil
	case specs.ArchLOONGARCH64:
		return unix.AUDIT_ARCH_LOONGARCH64, nil
	case specs.ArchM68K:
		return unix.AUDIT_ARCH_M68K, nil
	case specs.ArchMIPS:
		return unix.AUDIT_ARCH_MIPS, nil
	case specs.ArchMIPS64:
		return unix.AUDIT_ARCH_MIPS64, nil
	case specs.ArchMIPS64N32:
		return unix.AUDIT_ARCH_MIPS64N32, nil
	case specs.ArchMIPSEL:
		return unix.AUDIT_ARCH_MIPSEL, nil
	case specs.ArchMIPSEL64:
		return unix.AUDIT_ARCH_MIPSEL64, nil
	case specs.ArchMIPSEL64N32:
		return unix.AUDIT_ARCH_MIPSEL64N32, nil
	case specs.ArchPARISC:
		return unix.AUDIT_ARCH_PARISC, nil
	case specs.ArchPARISC64:
		return unix.AUDIT_ARCH_PARISC64, nil
	case specs.ArchPPC:
		return unix.AUDIT_ARCH_PPC, nil
	case specs.ArchPPC64:
		return unix.AUDIT_ARCH_PPC64, nil
	case specs.ArchPPC64LE:
		return unix.AUDIT_ARCH_PPC64LE, nil
	case specs.ArchRISCV64:
		return unix.AUDIT_ARCH_RISCV64, nil
	case specs.ArchS390:
		return unix.AUDIT_ARCH_S390, nil
	case specs.ArchS390X:
		return unix.AUDIT_ARCH_S390X, nil
	case specs.ArchSH:
		return unix.AUDIT_ARCH_SHEL, nil
	case specs.ArchSHEB:
		return unix.AUDIT_ARCH_SH, nil
	case specs.ArchX86:
		return unix.AUDIT_ARCH_I386, nil
	case specs.ArchX32, specs.ArchX86_64: // told apart by a bit of the number
		return unix.AUDIT_ARCH_X86_64, nil
	}
	return 0, fmt.Errorf("unknown architecture %q", name)
}

// nativeArch is the architecture of this machine, by Go's name for it: a
// program always covers it.
func nativeArch(goarch string) (specs.Arch, error) {
	switch goarch {
	case "386":
		return specs.ArchX86, nil
	case "amd64":
		return specs.ArchX86_64, nil
	case "arm":
		return specs.ArchARM, nil
	case "arm64":
		return specs.ArchAARCH64, nil
	case "loong64":
		return specs.ArchLOONGARCH64, nil
	case "mips":
		return specs.ArchMIPS, nil
	case "mips64":
		return specs.ArchMIPS64, nil
	case "mips64le":
		return specs.ArchMIPSEL64, nil
	case "mipsle":
		return specs.ArchMIPSEL, nil
	case "ppc64":
		return specs.ArchPPC64, nil
	case "ppc64le":
		return specs.ArchPPC64LE, nil
	case "riscv64":
		return specs.ArchRISCV64, nil
	case "s390x":
		return specs.ArchS390X, nil
	}
	return "", fmt.Errorf("no seccomp architecture for %s", goarch)
}

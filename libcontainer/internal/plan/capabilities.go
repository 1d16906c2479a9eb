package plan

import (
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// capabilityNames is by number (capabilities(7), linux/capability.h).
func capabilityNames() [41]string {
	return [...]string{
		"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
		"CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
		"CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
		"CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
		"CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
		"CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
		"CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
		"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
	}
}

// CapabilityNames are the capabilities that a configuration may name.
func CapabilityNames() []string {
	names := capabilityNames()
	return names[:]
}

// capabilities are the sets as masks: all empty where the process has none.
// A name that neither the table nor the kernel knows is left out; the runtime
// has warned of it.
//
// Of ambient, what is not both permitted and inheritable is left out, for the
// kernel refuses it (capabilities(7)).
func (c *compiler) capabilities(p *specs.Process) *Capabilities {
	s := p.Capabilities
	if s == nil {
		return &Capabilities{}
	}
	names := capabilityNames()
	known := names[:min(len(names), max(c.h.LastCap, 0)+1)]
	mask := func(list []string) uint64 {
		var m uint64
		for _, name := range list {
			if i := slices.Index(known, name); i >= 0 {
				m |= 1 << i
			}
		}
		return m
	}
	sets := &Capabilities{
		Bounding: mask(s.Bounding), Effective: mask(s.Effective),
		Permitted: mask(s.Permitted), Inheritable: mask(s.Inheritable),
	}
	sets.Ambient = mask(s.Ambient) & sets.Permitted & sets.Inheritable
	return sets
}

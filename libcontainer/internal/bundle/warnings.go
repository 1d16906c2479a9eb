package bundle

import (
	"fmt"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// Warnings gives what a config asks for and will not get, one line each. They
// stop nobody.
func Warnings(spec *specs.Spec) []string {
	if spec == nil {
		return nil
	}
	var w []string
	if spec.Process != nil {
		w = ProcessWarnings(spec.Process)
	}
	for i := range spec.Mounts {
		if d := spec.Mounts[i].Destination; d != "" && !strings.HasPrefix(d, "/") {
			w = append(w, fmt.Sprintf("%s.destination: %q is not absolute, taken as /%s", index("mounts", i), d, d))
		}
	}
	if spec.Linux == nil {
		return w
	}
	l := spec.Linux
	if ns := namespacesOf(l.Namespaces); ns.has(specs.UserNamespace) && !ns.creates(specs.UserNamespace) &&
		len(l.UIDMappings)+len(l.GIDMappings) > 0 {
		w = append(w, "linux.uidMappings, linux.gidMappings: the user namespace is joined by its path, its own mappings count")
	}
	if r := l.Resources; r != nil {
		w = resourceWarnings(w, r)
	}
	if l.Personality != nil && len(l.Personality.Flags) > 0 {
		w = append(w, "linux.personality.flags: none are defined, ignored")
	}
	return w
}

// ProcessWarnings are those of a process, as an exec has one.
func ProcessWarnings(p *specs.Process) []string { return capabilityWarnings(nil, p.Capabilities) }

func resourceWarnings(w []string, r *specs.LinuxResources) []string {
	if mem := r.Memory; mem != nil {
		// Docker and Podman send a zero for "not set".
		if value(mem.Kernel) != 0 { //nolint:staticcheck // deprecated: hence the warning
			w = append(w, "linux.resources.memory.kernel: kernels have no such limit any more, ignored")
		}
		if value(mem.KernelTCP) != 0 {
			w = append(w, "linux.resources.memory.kernelTCP: ignored")
		}
	}
	// sched_group_set_shares clamps to MIN_SHARES and MAX_SHARES
	// (kernel/sched/sched.h); 0 is not set.
	if c := r.CPU; c != nil && (value(c.Shares) == 1 || value(c.Shares) > 262144) {
		w = append(w, fmt.Sprintf("linux.resources.cpu.shares: %d is outside of what the kernel has, 2 to 262144", *c.Shares))
	}
	return w
}

func capabilityWarnings(w []string, c *specs.LinuxCapabilities) []string {
	if c == nil {
		return w
	}
	for _, set := range [...]struct {
		name string
		caps []string
	}{
		{"bounding", c.Bounding},
		{"effective", c.Effective},
		{"inheritable", c.Inheritable},
		{"permitted", c.Permitted},
		{"ambient", c.Ambient},
	} {
		for i, name := range set.caps {
			if !knownCapability(name) {
				w = append(w, fmt.Sprintf("%s: unknown capability %q, ignored", index("process.capabilities."+set.name, i), name))
			}
		}
	}
	return w
}

// knownCapability: capabilities(7), up to Linux 5.9's CAP_CHECKPOINT_RESTORE,
// the last so far.
func knownCapability(name string) bool {
	switch name {
	case "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER",
		"CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
		"CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST",
		"CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
		"CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE",
		"CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
		"CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD",
		"CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP",
		"CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
		"CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF",
		"CAP_CHECKPOINT_RESTORE":
		return true
	}
	return false
}

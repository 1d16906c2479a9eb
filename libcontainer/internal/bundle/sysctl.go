package bundle

import (
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// sysctl lets a container set only what belongs to a namespace of its own; all
// else is the host's.
func (m *mistakes) sysctl(spec *specs.Spec, ns namespaces) {
	if spec.Linux == nil {
		return
	}
	first := len(m.list)
	for name, value := range spec.Linux.Sysctl {
		path, ok := sysctlPath(name)
		if !ok {
			m.add(key("linux.sysctl", name), "not a name below /proc/sys")
			continue
		}
		if why, hint := sysctlRefused(path, spec, ns); why != "" {
			m.addHint(key("linux.sysctl", name), why, hint)
		}
		m.text(key("linux.sysctl", name), value)
	}
	m.sortFrom(first)
}

// sysctlRefused says why the container may not set it, and the remedy.
func sysctlRefused(path string, spec *specs.Spec, ns namespaces) (why, hint string) {
	var needs specs.LinuxNamespaceType
	switch {
	case path == "kernel/hostname":
		return "the name is hostname's to set", "use hostname"
	case path == "kernel/domainname":
		if spec.Domainname != "" {
			return "domainname is given as well", "leave one of them out"
		}
		needs = specs.UTSNamespace
	case isIPC(path):
		needs = specs.IPCNamespace
	case strings.HasPrefix(path, "net/"):
		needs = specs.NetworkNamespace
	default:
		return "not in a namespace: the host's would change", ""
	}
	if ns.has(needs) {
		return "", ""
	}
	return "the host's would change", `add {"type": "` + string(needs) + `"} to linux.namespaces`
}

// isIPC: what ipc/ipc_sysctl.c and ipc/mq_sysctl.c register per ipc namespace.
func isIPC(path string) bool {
	switch path {
	case "kernel/sem", "kernel/sem_next_id", "kernel/auto_msgmni":
		return true
	}
	return strings.HasPrefix(path, "kernel/shm") ||
		strings.HasPrefix(path, "kernel/msg") ||
		strings.HasPrefix(path, "fs/mqueue/")
}

// sysctlPath is the file below /proc/sys that a name stands for. The first
// separator decides (sysctl(8)): after a slash dots are part of names, after a
// dot the slashes are. Names that lead elsewhere are refused.
func sysctlPath(name string) (string, bool) {
	path := name
	if i := strings.IndexAny(name, "./"); i >= 0 && name[i] == '.' {
		path = strings.Map(func(r rune) rune {
			switch r {
			case '.':
				return '/'
			case '/':
				return '.'
			}
			return r
		}, name)
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." || hasNUL(part) {
			return "", false
		}
	}
	return path, true
}

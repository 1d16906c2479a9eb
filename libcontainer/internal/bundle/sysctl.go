package bundle

import (
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
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
	needs := sysctlNamespace(path)
	switch {
	case path == "kernel/hostname":
		return "the name is hostname's to set", "use hostname"
	case path == "kernel/domainname" && spec.Domainname != "":
		return "domainname is given as well", "leave one of them out"
	case needs == "":
		return "not in a namespace: the host's would change", ""
	case ns.has(needs):
		return "", ""
	}
	return "the host's would change", `add {"type": "` + string(needs) + `"} to linux.namespaces`
}

// sysctlNamespace is the namespace that a parameter belongs to, or "".
func sysctlNamespace(path string) specs.LinuxNamespaceType {
	switch {
	case path == "kernel/domainname":
		return specs.UTSNamespace
	case isIPC(path):
		return specs.IPCNamespace
	case strings.HasPrefix(path, "net/"):
		return specs.NetworkNamespace
	default:
		return ""
	}
}

// SharedSysctls gives the parameters of a namespace that is joined by its path
// where that leads to the runtime's own: the host's would change. shared tells
// whether it does.
func SharedSysctls(spec *specs.Spec, shared func(specs.LinuxNamespace) bool) fault.List {
	var m mistakes
	if spec.Linux == nil || len(spec.Linux.Sysctl) == 0 {
		return nil
	}
	for i, ns := range spec.Linux.Namespaces {
		if ns.Path == "" || !shared(ns) {
			continue
		}
		first := len(m.list)
		for name := range spec.Linux.Sysctl {
			if path, ok := sysctlPath(name); ok && sysctlNamespace(path) == ns.Type {
				m.addf(key("linux.sysctl", name), "the host's would change: %s (%s) is the runtime's own namespace",
					index("linux.namespaces", i)+".path", ns.Path)
			}
		}
		m.sortFrom(first)
	}
	return m.found()
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

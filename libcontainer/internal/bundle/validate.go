package bundle

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// Validate gives every mistake of a config that shows without a look at the
// machine, in the order of the specification.
func Validate(spec *specs.Spec) fault.List {
	var m mistakes
	if spec == nil {
		m.add("", "no configuration")
		return m.found()
	}
	if spec.Version == "" {
		m.addHint("ociVersion", "missing", `the version of the runtime-spec it is written for, like "`+specs.Version+`"`)
	}
	m.root(spec.Root)
	if spec.Process == nil {
		m.add("process", "missing")
	} else {
		m.process(spec.Process, "process.")
	}
	linux := spec.Linux
	if linux == nil {
		linux = &specs.Linux{}
	}
	ns := namespacesOf(linux.Namespaces)
	m.names(spec, ns)
	m.mounts(spec.Mounts, ns)
	m.hooks(spec.Hooks)
	m.annotations(spec.Annotations)
	m.linux(spec, linux, ns)
	return m.found()
}

// linux are the parts of the linux section, in the order of config-linux.md.
func (m *mistakes) linux(spec *specs.Spec, l *specs.Linux, ns namespaces) {
	m.namespaces(l.Namespaces)
	m.userMappings(l, ns)
	m.timeOffsets(l.TimeOffsets, ns)
	m.devices(l.Devices)
	m.netDevices(l.NetDevices, ns)
	m.cgroupsPath(l.CgroupsPath)
	if l.Resources != nil {
		m.resources(l.Resources, "linux.resources.")
	}
	m.intelRdt(l.IntelRdt)
	m.memoryPolicy(l.MemoryPolicy)
	m.sysctl(spec, ns)
	m.seccomp(l.Seccomp, spec.Annotations)
	m.rootfsPropagation(l.RootfsPropagation)
	m.hidden("linux.maskedPaths", l.MaskedPaths, ns)
	m.hidden("linux.readonlyPaths", l.ReadonlyPaths, ns)
	m.line("linux.mountLabel", l.MountLabel)
	m.personality(l.Personality)
}

func (m *mistakes) root(root *specs.Root) {
	switch {
	case root == nil:
		m.add("root", "missing")
	case root.Path == "":
		m.add("root.path", "empty")
	default:
		m.text("root.path", root.Path)
	}
}

// maxName is __NEW_UTS_LEN (linux/utsname.h): longer names are EINVAL.
const maxName = 64

// names are those that the container's uts namespace keeps. Without one of its
// own they would become the host's.
func (m *mistakes) names(spec *specs.Spec, ns namespaces) {
	for _, n := range [...]struct{ field, value string }{
		{"hostname", spec.Hostname},
		{"domainname", spec.Domainname},
	} {
		if n.value == "" {
			continue
		}
		if !ns.has(specs.UTSNamespace) {
			m.addHint(n.field, "the host's would change", `add {"type": "uts"} to linux.namespaces`)
		}
		if len(n.value) > maxName {
			m.addf(n.field, "%d bytes long, the kernel takes %d", len(n.value), maxName)
		}
		m.text(n.field, n.value)
	}
}

func (m *mistakes) annotations(annotations map[string]string) {
	// runtime-spec config.md, "Annotations": keys MUST NOT be empty.
	if _, ok := annotations[""]; ok {
		m.add("annotations", "a key is empty")
	}
}

func (m *mistakes) personality(p *specs.LinuxPersonality) {
	if p == nil {
		return
	}
	switch p.Domain {
	case specs.PerLinux, specs.PerLinux32:
	case "":
		m.add("linux.personality.domain", "missing")
	default:
		m.addf("linux.personality.domain", "unknown domain %q", p.Domain)
	}
}

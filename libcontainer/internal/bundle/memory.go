package bundle

import (
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// memoryPolicy checks what set_mempolicy(2) would refuse with a bare EINVAL.
func (m *mistakes) memoryPolicy(p *specs.LinuxMemoryPolicy) {
	if p == nil {
		return
	}
	m.numbers("linux.memoryPolicy.nodes", p.Nodes)
	switch p.Mode {
	case specs.MpolDefault, specs.MpolLocal:
		if p.Nodes != "" {
			m.addf("linux.memoryPolicy.nodes", "%s takes none", p.Mode)
		}
	case specs.MpolBind, specs.MpolInterleave, specs.MpolWeightedInterleave, specs.MpolPreferredMany:
		if p.Nodes == "" {
			m.addf("linux.memoryPolicy.nodes", "missing: %s needs at least one", p.Mode)
		}
	case specs.MpolPreferred:
	case "":
		m.add("linux.memoryPolicy.mode", "missing")
	default:
		m.addf("linux.memoryPolicy.mode", "unknown mode %q", p.Mode)
	}
	static, relative := false, false
	for i, f := range p.Flags {
		switch f {
		case specs.MpolFNumaBalancing:
		case specs.MpolFStaticNodes:
			static = true
		case specs.MpolFRelativeNodes:
			relative = true
		default:
			m.addf(index("linux.memoryPolicy.flags", i), "unknown flag %q", f)
		}
	}
	if static && relative {
		m.add("linux.memoryPolicy.flags", "MPOL_F_STATIC_NODES and MPOL_F_RELATIVE_NODES exclude each other")
	}
}

// intelRdt: closID is a directory of resctrl, the schemas are lines of a file
// in it (config-linux.md, "IntelRdt").
func (m *mistakes) intelRdt(r *specs.LinuxIntelRdt) {
	if r == nil {
		return
	}
	const at = "linux.intelRdt."
	switch id := r.ClosID; {
	case id == "" || id == "/": // the container's ID; the default class
	case id == "." || id == ".." || len(id) > 255 || strings.ContainsAny(id, "/\n\x00"):
		m.addf(at+"closID", "%q is no name for a directory", id)
	case id == "info" || id == "mon_groups" || id == "mon_data":
		m.addf(at+"closID", "%q is a directory of resctrl's own", id)
	}
	for i, s := range r.Schemata {
		if s == "" {
			m.add(index(at+"schemata", i), "empty")
		}
		m.line(index(at+"schemata", i), s)
	}
	// Newlines are only discouraged here: CDP's L3CODE and L3DATA are two lines.
	m.text(at+"l3CacheSchema", r.L3CacheSchema)
	if s := r.MemBwSchema; s != "" && !strings.HasPrefix(s, "MB:") {
		m.addf(at+"memBwSchema", "%q does not begin with MB:", s)
	}
	m.line(at+"memBwSchema", r.MemBwSchema)
}

package bundle

import (
	"math"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// namespaces are those a container is given, a bit each.
type namespaces struct{ given, joined uint8 }

func namespacesOf(list []specs.LinuxNamespace) namespaces {
	var ns namespaces
	for _, n := range list {
		bit := namespaceBit(n.Type)
		ns.given |= bit
		if n.Path != "" {
			ns.joined |= bit
		}
	}
	return ns
}

// has: the container does not share the runtime's, as far as the config tells.
func (ns namespaces) has(t specs.LinuxNamespaceType) bool {
	return ns.given&namespaceBit(t) != 0
}

// creates: it is a new one.
func (ns namespaces) creates(t specs.LinuxNamespaceType) bool {
	return ns.given&^ns.joined&namespaceBit(t) != 0
}

func namespaceBit(t specs.LinuxNamespaceType) uint8 {
	switch t {
	case specs.PIDNamespace:
		return 1 << 0
	case specs.NetworkNamespace:
		return 1 << 1
	case specs.MountNamespace:
		return 1 << 2
	case specs.IPCNamespace:
		return 1 << 3
	case specs.UTSNamespace:
		return 1 << 4
	case specs.UserNamespace:
		return 1 << 5
	case specs.CgroupNamespace:
		return 1 << 6
	case specs.TimeNamespace:
		return 1 << 7
	}
	return 0
}

func (m *mistakes) namespaces(list []specs.LinuxNamespace) {
	var seen uint8
	for i, n := range list {
		bit := namespaceBit(n.Type)
		switch {
		case n.Type == "":
			m.add(index("linux.namespaces", i)+".type", "missing")
		case bit == 0:
			m.addf(index("linux.namespaces", i)+".type", "unknown namespace %q", n.Type)
		case seen&bit != 0:
			m.addf(index("linux.namespaces", i)+".type", "%s is given twice", n.Type)
		}
		seen |= bit
		if n.Path != "" {
			m.absolute(index("linux.namespaces", i)+".path", n.Path)
		}
	}
}

// userMappings: a new user namespace has none of the host's ids until they are
// mapped, and no process could be root in it (user_namespaces(7)).
func (m *mistakes) userMappings(l *specs.Linux, ns namespaces) {
	for _, f := range [...]struct {
		field string
		list  []specs.LinuxIDMapping
	}{
		{"linux.uidMappings", l.UIDMappings},
		{"linux.gidMappings", l.GIDMappings},
	} {
		switch {
		case len(f.list) == 0 && ns.creates(specs.UserNamespace):
			m.add(f.field, "missing: a new user namespace needs them")
		case len(f.list) > 0 && !ns.has(specs.UserNamespace):
			m.addHint(f.field, "given without a user namespace", `add {"type": "user"} to linux.namespaces`)
		}
		m.mappings(f.field, f.list)
	}
}

// maxMappings is the number of lines that a map may have since Linux 4.15
// (user_namespaces(7)).
const maxMappings = 340

// mappings checks what a write to uid_map would refuse with EINVAL.
func (m *mistakes) mappings(field string, list []specs.LinuxIDMapping) {
	if len(list) > maxMappings {
		m.addf(field, "%d entries, the kernel takes %d", len(list), maxMappings)
		return
	}
	for i, a := range list {
		if a.Size == 0 {
			m.add(index(field, i)+".size", "0: maps nothing")
			continue
		}
		fits := m.idRange(index(field, i)+".containerID", a.ContainerID, a.Size)
		fits = m.idRange(index(field, i)+".hostID", a.HostID, a.Size) && fits
		for j, b := range list[:i] {
			if !fits {
				break
			}
			if overlap(a.ContainerID, a.Size, b.ContainerID, b.Size) {
				m.addf(index(field, i)+".containerID", "overlaps %s", index(field, j))
			}
			if overlap(a.HostID, a.Size, b.HostID, b.Size) {
				m.addf(index(field, i)+".hostID", "overlaps %s", index(field, j))
			}
		}
	}
}

// idRange: (uint32)-1 is no id, so no range holds it.
func (m *mistakes) idRange(field string, first, size uint32) bool {
	if uint64(first)+uint64(size) <= math.MaxUint32 {
		return true
	}
	m.addf(field, "%d and the %d after it are beyond the last id, %d", first, size-1, uint32(math.MaxUint32-1))
	return false
}

func overlap(a, aSize, b, bSize uint32) bool {
	return uint64(a) < uint64(b)+uint64(bSize) && uint64(b) < uint64(a)+uint64(aSize)
}

// timeOffsets can be set before the first process only (time_namespaces(7)).
func (m *mistakes) timeOffsets(offsets map[string]specs.LinuxTimeOffset, ns namespaces) {
	if len(offsets) == 0 {
		return
	}
	if !ns.creates(specs.TimeNamespace) {
		m.addHint("linux.timeOffsets", "only a new time namespace takes offsets", `add {"type": "time"} to linux.namespaces`)
	}
	first := len(m.list)
	for clock, o := range offsets {
		if clock != "monotonic" && clock != "boottime" {
			m.add(key("linux.timeOffsets", clock), "unknown clock: monotonic and boottime have offsets")
		}
		if o.Nanosecs > 999_999_999 {
			m.addf(key("linux.timeOffsets", clock)+".nanosecs", "%d is a second or more", o.Nanosecs)
		}
	}
	m.sortFrom(first)
}

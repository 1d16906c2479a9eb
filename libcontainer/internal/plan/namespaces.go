package plan

import (
	"fmt"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// namespaceType is a type of the spec and its bit of clone(2).
type namespaceType struct {
	name specs.LinuxNamespaceType
	flag uint64
}

func namespaceTypes() [8]namespaceType {
	return [...]namespaceType{
		{specs.CgroupNamespace, unix.CLONE_NEWCGROUP},
		{specs.IPCNamespace, unix.CLONE_NEWIPC},
		{specs.MountNamespace, unix.CLONE_NEWNS},
		{specs.NetworkNamespace, unix.CLONE_NEWNET},
		{specs.PIDNamespace, unix.CLONE_NEWPID},
		{specs.TimeNamespace, unix.CLONE_NEWTIME},
		{specs.UserNamespace, unix.CLONE_NEWUSER},
		{specs.UTSNamespace, unix.CLONE_NEWUTS},
	}
}

// NamespaceTypes are the types that a configuration may name.
func NamespaceTypes() []string {
	var names []string
	for _, t := range namespaceTypes() {
		names = append(names, string(t.name))
	}
	return names
}

func namespaceFlag(name specs.LinuxNamespaceType) uint64 {
	for _, t := range namespaceTypes() {
		if t.name == name {
			return t.flag
		}
	}
	return 0
}

// namespaces plans the bootstrap: which to create, which to join, the maps.
func (c *compiler) namespaces() {
	b := &c.plan.Bootstrap
	var seen uint64
	for i, ns := range c.spec.Linux.Namespaces {
		field := index("linux.namespaces", i)
		flag := namespaceFlag(ns.Type)
		switch {
		case flag == 0:
			c.wrong(field+".type", fmt.Errorf("unknown namespace %q", ns.Type))
		case seen&flag != 0:
			c.wrong(field+".type", fmt.Errorf("%s is given twice", ns.Type))
		case ns.Path == "":
			b.New |= flag
		default:
			b.Join = append(b.Join, Join{Type: flag, Path: ns.Path, Field: field + ".path"})
		}
		seen |= flag
	}
	if b.New&unix.CLONE_NEWUSER != 0 {
		b.UIDMap = idMaps(c.spec.Linux.UIDMappings)
		b.GIDMap = idMaps(c.spec.Linux.GIDMappings)
	}
	if b.New&unix.CLONE_NEWTIME != 0 {
		b.TimeOffsets = timeOffsets(c.spec.Linux.TimeOffsets)
	}
}

// timeOffsets is the text for timens_offsets (time_namespaces(7)): a clock a
// line, which the kernel takes only all at once.
func timeOffsets(offsets map[string]specs.LinuxTimeOffset) string {
	var text strings.Builder
	for _, clock := range [...]string{"monotonic", "boottime"} {
		if o, ok := offsets[clock]; ok {
			fmt.Fprintf(&text, "%s %d %d\n", clock, o.Secs, o.Nanosecs)
		}
	}
	return text.String()
}

func idMaps(list []specs.LinuxIDMapping) []IDMap {
	if len(list) == 0 {
		return nil
	}
	maps := make([]IDMap, 0, len(list))
	for _, m := range list {
		maps = append(maps, IDMap{ContainerID: m.ContainerID, HostID: m.HostID, Size: m.Size})
	}
	return maps
}

// hasNamespace tells whether the container has one of its own, new or joined.
func (c *compiler) hasNamespace(t specs.LinuxNamespaceType) bool {
	for _, ns := range c.spec.Linux.Namespaces {
		if ns.Type == t {
			return true
		}
	}
	return false
}

// creates tells whether the container's is a new one.
func (c *compiler) creates(t specs.LinuxNamespaceType) bool {
	for _, ns := range c.spec.Linux.Namespaces {
		if ns.Type == t {
			return ns.Path == ""
		}
	}
	return false
}

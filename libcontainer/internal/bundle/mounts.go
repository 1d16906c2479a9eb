package bundle

import (
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func (m *mistakes) mounts(mounts []specs.Mount, ns namespaces) {
	for i := range mounts {
		mt := &mounts[i]
		if mt.Destination == "" {
			m.add(index("mounts", i)+".destination", "empty")
		}
		if hasNUL(mt.Destination) || hasNUL(mt.Type) || hasNUL(mt.Source) {
			at := index("mounts", i)
			m.text(at+".destination", mt.Destination)
			m.text(at+".type", mt.Type)
			m.text(at+".source", mt.Source)
		}
		for j, o := range mt.Options {
			if hasNUL(o) {
				m.add(index(index("mounts", i)+".options", j), "contains a NUL byte")
			}
		}
		m.idmap(mt, i, ns)
	}
}

// idmap: a mount is mapped for users and groups, or for neither; without maps
// of its own it takes the container's (config.md, "Linux mount options").
func (m *mistakes) idmap(mt *specs.Mount, i int, ns namespaces) {
	users, groups := len(mt.UIDMappings) > 0, len(mt.GIDMappings) > 0
	switch {
	case users && groups:
		at := index("mounts", i)
		m.mappings(at+".uidMappings", mt.UIDMappings)
		m.mappings(at+".gidMappings", mt.GIDMappings)
	case users:
		m.add(index("mounts", i)+".gidMappings", "missing: uidMappings are given")
	case groups:
		m.add(index("mounts", i)+".uidMappings", "missing: gidMappings are given")
	case ns.has(specs.UserNamespace):
	default:
		if o := slices.IndexFunc(mt.Options, isBareIDMap); o >= 0 {
			m.addHint(index(index("mounts", i)+".options", o), mt.Options[o]+" without a mapping",
				"give uidMappings and gidMappings, or the container a user namespace")
		}
	}
}

func isBareIDMap(option string) bool { return option == "idmap" || option == "ridmap" }

func (m *mistakes) rootfsPropagation(p string) {
	switch strings.TrimPrefix(p, "r") {
	case "", "shared", "slave", "private", "unbindable":
		if p != "r" {
			return
		}
	}
	m.addf("linux.rootfsPropagation", "unknown propagation %q", p)
}

// hidden are the masked and the read-only paths. They are made by mounts, which
// would hide the host's paths where its mount namespace is shared.
func (m *mistakes) hidden(field string, paths []string, ns namespaces) {
	if len(paths) > 0 && !ns.has(specs.MountNamespace) {
		m.addHint(field, "the host's paths would change", `add {"type": "mount"} to linux.namespaces`)
	}
	for i, p := range paths {
		if !strings.HasPrefix(p, "/") || hasNUL(p) {
			m.absolute(index(field, i), p)
		}
	}
}

package libcontainer

import (
	"os"
	"sort"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/rung-run/rung/libcontainer/internal/spawn"
)

func (c *creation) newRecord() *record {
	spec := c.bundle.Spec
	r := &record{
		ID: c.o.ID, Schema: schema, Creating: true, Bundle: c.bundle.Dir,
		Owner:       uint32(os.Geteuid()), //nolint:gosec // a uid
		CgroupPaths: c.cgroup.Paths(), Rootless: c.o.Rootless,
		Preserved: c.o.IO.PreserveFDs, Keyring: c.o.NoNewKeyring,
		Config: project(spec, c.bundle.Rootfs, c.bundle.Dir),
	}
	r.Config.Cgroups.Rootless = c.o.Rootless
	if spec.Linux != nil {
		r.Resources = spec.Linux.Resources
		r.Config.Cgroups.Path = spec.Linux.CgroupsPath
	}
	return r
}

// project writes the spec as readers of runc's state expect it.
func project(spec *specs.Spec, rootfs, bundleDir string) projection {
	p := projection{Rootfs: rootfs, Labels: []string{}, Mounts: []projectionMount{}, Namespaces: []projectionNamespace{}}
	for k, v := range spec.Annotations {
		p.Labels = append(p.Labels, k+"="+v)
	}
	sort.Strings(p.Labels)
	p.Labels = append(p.Labels, "bundle="+bundleDir)
	for _, m := range spec.Mounts {
		p.Mounts = append(p.Mounts, projectionMount{Source: m.Source, Destination: m.Destination})
	}
	if spec.Linux != nil {
		for _, ns := range spec.Linux.Namespaces {
			p.Namespaces = append(p.Namespaces, projectionNamespace{Type: namespaceKey(ns.Type), Path: ns.Path})
		}
	}
	return p
}

// namespaceKey is runc's word for a type: NEWNS, NEWPID and so on.
func namespaceKey(t specs.LinuxNamespaceType) string {
	switch t {
	case specs.MountNamespace:
		return "NEWNS"
	case specs.NetworkNamespace:
		return "NEWNET"
	default:
		return "NEW" + strings.ToUpper(string(t))
	}
}

// namespacePaths are the paths by which others join the container.
func namespacePaths(pid int) map[string]string {
	paths := make(map[string]string)
	for _, ns := range spawn.Namespaces() {
		key := "NEW" + strings.ToUpper(ns.File)
		if ns.File == "mnt" {
			key = "NEWNS"
		}
		paths[key] = nsPath(pid, ns.File)
	}
	return paths
}

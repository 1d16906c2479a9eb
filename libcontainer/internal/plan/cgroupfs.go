package plan

import (
	"path"
	"path/filepath"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const cgroupDir = "/sys/fs/cgroup"

// cgroupMount plans a mount of type cgroup: what the container may see of its
// cgroups. With a cgroup namespace they are the root of what is mounted;
// without one they are bound, so that no other cgroup is seen.
func (c *compiler) cgroupMount(field, dest string, r *mountRequest) {
	r.Attr, r.RecAttr = over(r.RecAttr, r.Attr), MountAttr{}
	c.covers(dest)
	dir := cgroupDir
	switch {
	case c.h.Unified:
	case r.Type == "cgroup2": // the v2 part of a hybrid setup, alone
		dir = filepath.Join(cgroupDir, "unified")
	default:
		c.cgroup1(field, dest, r)
		return
	}
	c.add(Step{Op: OpMount, Field: field, Path: dest, Mount: c.cgroup2(r, dir, c.o.CgroupPaths[""])})
}

// cgroup2 is a v2 tree: the one mounted at dir on the host, of which own is
// the container's part.
func (c *compiler) cgroup2(r *mountRequest, dir, own string) *Mount {
	bind := c.cgroupBind(r, dir, own)
	if !c.hasNamespace(specs.CgroupNamespace) {
		return bind
	}
	return &Mount{
		Type: "cgroup2", Source: "cgroup", Data: r.Data, Attr: r.Attr,
		Propagation: r.Propagation, Fallback: bind,
	}
}

// cgroupBind shows a part of the host's tree. A container in a user namespace,
// or of a rootless caller, without a cgroup namespace could write to cgroups
// that are not its own (CVE-2023-25809): it only reads.
func (c *compiler) cgroupBind(r *mountRequest, dir, own string) *Mount {
	source, optional := own, false
	if source == "" {
		source, optional = dir, true
	}
	attr := r.Attr
	foreign := c.o.Rootless || c.hasNamespace(specs.UserNamespace)
	if optional || foreign && !c.hasNamespace(specs.CgroupNamespace) {
		attr.Set |= unix.MOUNT_ATTR_RDONLY
		attr.Clear &^= unix.MOUNT_ATTR_RDONLY
	}
	return &Mount{
		Type: "bind", Source: source, Attr: attr,
		Propagation: r.Propagation, Optional: optional || c.o.Rootless,
	}
}

// cgroup1 is a directory with a mount a hierarchy, as on the host.
func (c *compiler) cgroup1(field, dest string, r *mountRequest) {
	top := &Mount{
		Type: "tmpfs", Source: "tmpfs", Data: c.labelled([]string{"mode=755"}),
		Attr: r.Attr, Propagation: r.Propagation,
	}
	readonly := top.Attr.Set & unix.MOUNT_ATTR_RDONLY
	top.Attr.Set &^= readonly
	c.add(Step{Op: OpMount, Field: field, Path: dest, Mount: top})
	for _, h := range c.h.Hierarchies {
		at := path.Join(dest, h.Name)
		c.add(Step{Op: OpMount, Field: field, Path: at, Mount: c.hierarchy(r, h)})
		for _, link := range h.Links {
			c.add(Step{Op: OpSymlink, Field: field, Path: path.Join(dest, link), Value: h.Name})
		}
	}
	if readonly != 0 {
		c.late = append(c.late, Step{
			Op: OpRemount, Field: field, Path: dest, Mount: &Mount{Type: "tmpfs", Attr: MountAttr{Set: readonly}},
		})
	}
}

func (c *compiler) hierarchy(r *mountRequest, h Hierarchy) *Mount {
	dir := filepath.Join(cgroupDir, h.Name)
	if h.Options == "" { // the v2 part of a hybrid setup
		return c.cgroup2(r, dir, c.o.CgroupPaths[""])
	}
	// Where several controllers share a hierarchy they share the directory.
	first, _, _ := strings.Cut(h.Options, ",")
	bind := c.cgroupBind(r, dir, c.o.CgroupPaths[first])
	if !c.hasNamespace(specs.CgroupNamespace) {
		return bind
	}
	return &Mount{
		Type: "cgroup", Source: "cgroup", Data: strings.Split(h.Options, ","),
		Attr: r.Attr, Propagation: r.Propagation, Fallback: bind,
	}
}

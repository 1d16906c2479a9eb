package plan

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// mounts keeps the order of the spec: a later mount may lie inside an earlier
// one (runtime-spec, config.md, "Mounts").
func (c *compiler) mounts() {
	table := mountOptions()
	for i := range c.spec.Mounts {
		m := &c.spec.Mounts[i]
		field := index("mounts", i)
		if err := c.mount(table, field, m); err != nil {
			c.wrong(field, err)
		}
	}
}

func (c *compiler) mount(table []option, field string, m *specs.Mount) error {
	if m.Destination == "" {
		return errors.New("no destination")
	}
	dest := path.Clean("/" + m.Destination)
	r := parseOptions(table, m.Options)
	r.Type, r.Source = m.Type, m.Source
	r.bind = r.bind || m.Type == "bind"
	switch {
	case r.remount && !r.bind:
		c.add(Step{Op: OpRemount, Field: field, Path: dest, Mount: &Mount{Attr: r.Attr, RecAttr: r.RecAttr}})
		return nil
	case r.bind:
		if err := r.checkBind(table); err != nil {
			c.wrong(field+".options", err)
			return nil
		}
		r.Type = "bind"
		if r.Source == "" {
			return errors.New("a bind mount needs a source")
		}
		if !filepath.IsAbs(r.Source) {
			r.Source = filepath.Join(c.o.Bundle, r.Source)
		}
	case m.Type == "cgroup" || m.Type == "cgroup2":
		return c.cgroupMount(field, dest, &r)
	case m.Type == "" || m.Type == "none":
		return errors.New("no type: a filesystem, or the option bind")
	case r.CopyUp && m.Type != "tmpfs":
		c.wrong(field+".options", errors.New(`"tmpcopyup": only a tmpfs can be filled`))
		return nil
	default:
		c.newFilesystem(&r)
	}
	if err := c.idmapMount(field, m, &r); err != nil {
		return err
	}
	c.waitReadonly(field, dest, &r)
	c.useHandle(field, &r)
	c.add(Step{Op: OpMount, Field: field, Path: dest, Mount: &r.Mount})
	return nil
}

// newFilesystem completes what a new filesystem is made with.
func (c *compiler) newFilesystem(r *mountRequest) {
	switch r.Type {
	case "sysfs":
		// sysfs shows a network namespace; without one of its own a user
		// namespace may not mount it, but may bind the host's.
		if c.hasNamespace(specs.UserNamespace) || c.h.UserNS {
			r.Fallback = &Mount{
				Type: "bind", Source: "/sys", Recursive: true, Attr: r.Attr, RecAttr: r.RecAttr,
				Propagation: r.Propagation,
			}
		}
	case "tmpfs", "proc", "mqueue", "devpts":
	default:
		// Read-only to the filesystem as well: one on a disk must know before
		// it replays its journal.
		if r.Attr.Set&unix.MOUNT_ATTR_RDONLY != 0 {
			r.Data = append(r.Data, "ro")
		}
	}
}

// waitReadonly puts off "ro" where something is still to be made in the mount:
// on a tmpfs mount points, in /dev the devices.
func (c *compiler) waitReadonly(field, dest string, r *mountRequest) {
	if r.Attr.Set&unix.MOUNT_ATTR_RDONLY == 0 || r.Type != "tmpfs" && dest != "/dev" {
		return
	}
	r.Attr.Set &^= unix.MOUNT_ATTR_RDONLY
	c.late = append(c.late, Step{
		Op: OpRemount, Field: field, Path: dest,
		Mount: &Mount{Type: r.Type, Attr: MountAttr{Set: unix.MOUNT_ATTR_RDONLY}},
	})
}

// useHandle lets the parent open the source where init may not reach it, or
// may not give it id maps: from inside a user namespace.
func (c *compiler) useHandle(field string, r *mountRequest) {
	mapped := len(r.UIDMap) > 0 || len(r.GIDMap) > 0
	reach := r.Type == "bind" && c.newNamespace(unix.CLONE_NEWUSER) && c.h.Admin
	if !mapped && !reach {
		return
	}
	c.plan.Handles = append(c.plan.Handles, Handle{Field: field, Mount: Mount{
		Type: r.Type, Source: r.Source, Data: r.Data, Recursive: r.Recursive,
		NoFollowSource: r.NoFollowSource, UIDMap: r.UIDMap, GIDMap: r.GIDMap, IDMapRecursive: r.IDMapRecursive,
	}})
	r.Handle = len(c.plan.Handles)
	r.UIDMap, r.GIDMap, r.IDMapRecursive = nil, nil, false
}

// idmapMount finds the maps of an idmapped mount: its own, those of the
// option, or the container's.
func (c *compiler) idmapMount(field string, m *specs.Mount, r *mountRequest) error {
	if len(m.UIDMappings) > 0 || len(m.GIDMappings) > 0 {
		r.UIDMap, r.GIDMap = idMaps(m.UIDMappings), idMaps(m.GIDMappings)
		return nil
	}
	if !r.idmap {
		return nil
	}
	own := [2][]IDMap{idMaps(c.spec.Linux.UIDMappings), idMaps(c.spec.Linux.GIDMappings)}
	if r.idmapText == "" {
		if len(own[0]) == 0 || len(own[1]) == 0 {
			c.wrong(field+".options", errors.New("idmap: neither the mount nor the container has id mappings"))
			return nil
		}
		r.UIDMap, r.GIDMap = own[0], own[1]
		return nil
	}
	var err error
	r.UIDMap, r.GIDMap, err = parseIDMap(r.idmapText, own)
	if err != nil {
		c.wrong(field+".options", fmt.Errorf("idmap: %w", err))
	}
	return nil
}

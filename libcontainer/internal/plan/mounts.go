package plan

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// mounts keeps the order of the spec: a later mount may lie inside an earlier
// one (runtime-spec, config.md, "Mounts").
func (c *compiler) mounts() {
	for i := range c.spec.Mounts {
		c.mount(index("mounts", i), &c.spec.Mounts[i])
	}
}

func (c *compiler) mount(field string, m *specs.Mount) {
	if m.Destination == "" {
		c.wrong(field+".destination", errMissing)
		return
	}
	dest := path.Clean("/" + m.Destination)
	r := parseOptions(c.table, m.Options)
	r.Type, r.Source = m.Type, m.Source
	if r.bind = r.bind || m.Type == "bind"; r.bind {
		r.Type = "bind"
	}
	switch {
	case r.remount:
		c.remount(field, dest, &r)
		return
	case r.bind:
		c.bind(field, &r)
	case r.Type == "" || r.Type == "none":
		c.wrong(field+".type", errors.New("names no filesystem, and the options have no bind"))
		return
	case r.CopyUp && r.Type != "tmpfs":
		c.wrong(field+".options", errCopyUp)
		return
	case r.Type == "cgroup" || r.Type == "cgroup2":
		c.cgroupMount(field, dest, &r)
		return
	default:
		c.newFilesystem(&r)
	}
	c.idmapMount(field, m, &r)
	c.covers(dest)
	c.waitReadonly(field, dest, &r)
	c.useHandle(field, &r)
	c.add(Step{Op: OpMount, Field: field, Path: dest, Mount: &r.Mount})
}

// remount changes the attributes of a mount that an earlier entry made.
func (c *compiler) remount(field, dest string, r *mountRequest) {
	if err := r.checkExisting(c.table, "remount"); err != nil {
		c.wrong(field+".options", err)
	}
	if len(r.Propagation) > 0 {
		c.wrong(field+".options", errors.New("a remount does not change the propagation"))
	}
	c.add(Step{Op: OpRemount, Field: field, Path: dest, Mount: &Mount{Type: r.Type, Attr: r.Attr, RecAttr: r.RecAttr}})
}

func (c *compiler) bind(field string, r *mountRequest) {
	if err := r.checkExisting(c.table, "bind mount"); err != nil {
		c.wrong(field+".options", err)
	}
	switch {
	case r.Source == "":
		c.wrong(field+".source", errMissing)
	case !filepath.IsAbs(r.Source):
		r.Source = filepath.Join(c.o.Bundle, r.Source)
	}
}

// newFilesystem completes what a new filesystem is made with. It has no mounts
// below it: recursive attributes are for it alone.
func (c *compiler) newFilesystem(r *mountRequest) {
	r.Attr, r.RecAttr = over(r.RecAttr, r.Attr), MountAttr{}
	switch r.Type {
	case "proc", "mqueue":
		return
	case "sysfs":
		c.sysfsFallback(r)
		return
	case "devpts":
		r.Data = c.mappedGroup(r.Data)
	case "tmpfs":
	default:
		// Read-only to the filesystem as well: one on a disk must know before
		// it replays its journal.
		if r.Attr.Set&unix.MOUNT_ATTR_RDONLY != 0 {
			r.Data = append(r.Data, "ro")
		}
	}
	r.Data = c.labelled(r.Data)
}

// sysfsFallback: sysfs shows a network namespace. A user namespace that does
// not own it may not mount one, but may bind the host's. The mounts below that
// come along, and are as read-only as the one that was asked for.
func (c *compiler) sysfsFallback(r *mountRequest) {
	if !c.hasNamespace(specs.UserNamespace) && !c.h.UserNS || c.creates(specs.NetworkNamespace) {
		return
	}
	r.Fallback = &Mount{
		Type: "bind", Source: "/sys", Recursive: true,
		RecAttr:     MountAttr{Set: r.Attr.Set &^ unix.MOUNT_ATTR__ATIME},
		Propagation: r.Propagation,
	}
}

// mappedGroup leaves out a gid= that the user namespace does not have: engines
// ask for group 5, tty, always.
func (c *compiler) mappedGroup(data []string) []string {
	if !c.creates(specs.UserNamespace) {
		return data
	}
	return slices.DeleteFunc(data, func(d string) bool {
		text, ok := strings.CutPrefix(d, "gid=")
		gid, err := strconv.ParseUint(text, 10, 32)
		return ok && err == nil && !mapped(c.plan.Bootstrap.GIDMap, uint32(gid))
	})
}

// labelled gives a filesystem the SELinux context of the container's mounts
// (config-linux.md, "Mount Label"). Its categories have commas, so it is quoted
// (mount(8)).
func (c *compiler) labelled(data []string) []string {
	label := c.spec.Linux.MountLabel
	if label == "" || slices.ContainsFunc(data, func(d string) bool { return strings.HasPrefix(d, "context=") }) {
		return data
	}
	return append(data, `context="`+label+`"`)
}

// waitReadonly puts off "ro" where something is still to be made in the mount:
// on a tmpfs mount points and what hooks bring, in /dev the devices.
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

// covers forgets the remount of what a new mount on the same place hides: it
// would hit the new one.
func (c *compiler) covers(dest string) {
	c.late = slices.DeleteFunc(c.late, func(s Step) bool { return s.Path == dest })
}

// useHandle lets the parent open the source where init may not reach it, or
// may not give it id maps: from inside a user namespace.
func (c *compiler) useHandle(field string, r *mountRequest) {
	idmapped := len(r.UIDMap) > 0 || len(r.GIDMap) > 0
	reach := r.Type == "bind" && c.creates(specs.UserNamespace) && c.h.Admin
	if !idmapped && !reach {
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
func (c *compiler) idmapMount(field string, m *specs.Mount, r *mountRequest) {
	if len(m.UIDMappings) > 0 || len(m.GIDMappings) > 0 {
		r.UIDMap, r.GIDMap = idMaps(m.UIDMappings), idMaps(m.GIDMappings)
		return
	}
	if !r.idmap {
		return
	}
	own := [2][]IDMap{idMaps(c.spec.Linux.UIDMappings), idMaps(c.spec.Linux.GIDMappings)}
	if r.idmapText == "" {
		if len(own[0]) == 0 || len(own[1]) == 0 {
			c.wrong(field+".options", errors.New("idmap: neither the mount nor the container has id mappings"))
			return
		}
		r.UIDMap, r.GIDMap = own[0], own[1]
		return
	}
	var err error
	r.UIDMap, r.GIDMap, err = parseIDMap(r.idmapText, own)
	if err != nil {
		c.wrong(field+".options", fmt.Errorf("idmap: %w", err))
	}
}

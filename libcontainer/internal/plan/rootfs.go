package plan

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// rootfs plans the mounts and the change of root.
func (c *compiler) rootfs() {
	c.checkPropagation()
	first, last := c.propagation()
	change := PivotRoot
	switch {
	case !c.hasNamespace(specs.MountNamespace):
		// The mount namespace is the runtime's: its propagation is not ours.
		c.sharesMounts()
		change, first, last = Chroot, 0, 0
	case c.o.NoPivot:
		change = MoveRoot
	}
	if first != 0 {
		c.add(Step{Op: OpPropagation, Field: c.propagationField(), Path: "/", Flags: first})
	}
	c.add(Step{Op: OpRootfs, Field: "root.path", Path: c.o.RootfsPath, Flags: first})
	c.mounts()
	c.devices()
	c.add(Step{Op: OpSync, Value: SyncMounts})
	c.hooks("createContainer", specs.StateCreating)
	c.add(Step{Op: OpPivot, Field: "root.path", Flags: change})
	if last != 0 && last&unix.MS_UNBINDABLE == 0 {
		c.rootPropagation(last)
	}
}

// sharesMounts refuses what would be done to the host: without a mount
// namespace a mount is one of the host's, and stays when the container ends.
func (c *compiler) sharesMounts() {
	l := c.spec.Linux
	for _, f := range [...]struct {
		field string
		given bool
	}{
		{"mounts", len(c.spec.Mounts) > 0},
		{"root.readonly", c.spec.Root.Readonly},
		{"linux.rootfsPropagation", l.RootfsPropagation != ""},
		{"linux.maskedPaths", len(l.MaskedPaths) > 0},
		{"linux.readonlyPaths", len(l.ReadonlyPaths) > 0},
	} {
		if f.given {
			c.refuse(f.field, "the host's mounts would change", `add {"type": "mount"} to linux.namespaces`)
		}
	}
}

func (c *compiler) rootPropagation(flags uint64) {
	c.add(Step{Op: OpPropagation, Field: c.propagationField(), Path: "/", Flags: flags})
}

// unbindableRoot comes after the masked and read-only paths, which are binds
// of what lies in the root (mount_namespaces(7), "MS_UNBINDABLE mounts").
func (c *compiler) unbindableRoot() {
	if _, last := c.propagation(); last&unix.MS_UNBINDABLE != 0 && c.hasNamespace(specs.MountNamespace) {
		c.rootPropagation(last)
	}
}

func (c *compiler) propagationField() string {
	if c.spec.Linux.RootfsPropagation == "" {
		return ""
	}
	return "linux.rootfsPropagation"
}

// propagation is that of all mounts before anything is mounted, and that of
// the new root (config-linux.md, "Rootfs Mount Propagation"). The second is
// for the root alone, unless its name begins with r: what a volume asked for
// stays.
func (c *compiler) propagation() (first, last uint64) {
	name := c.spec.Linux.RootfsPropagation
	if name == "" {
		return unix.MS_SLAVE | unix.MS_REC, 0 // the host's mounts come in, ours stay
	}
	for _, o := range c.table {
		if o.kind != propagation || o.name != name {
			continue
		}
		first, last = o.set|unix.MS_REC, o.set
		if last&unix.MS_UNBINDABLE != 0 {
			// The same, but that the root and the sources of binds can be bound.
			first = unix.MS_PRIVATE | unix.MS_REC
		}
		return first, last
	}
	return 0, 0
}

func (c *compiler) checkPropagation() {
	if first, _ := c.propagation(); first == 0 {
		c.wrong("linux.rootfsPropagation", fmt.Errorf("unknown propagation %q", c.spec.Linux.RootfsPropagation))
	}
}

func (c *compiler) readonlyRoot() {
	if c.spec.Root.Readonly {
		c.add(Step{Op: OpReadonlyRoot, Field: "root.readonly"})
	}
}

func (c *compiler) names() {
	if c.spec.Hostname != "" {
		c.add(Step{Op: OpHostname, Field: "hostname", Value: c.spec.Hostname})
	}
	if c.spec.Domainname != "" {
		c.add(Step{Op: OpDomainname, Field: "domainname", Value: c.spec.Domainname})
	}
}

package cgroup

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

const (
	defaultRoot = "/sys/fs/cgroup"
	// unified is the key of the v2 tree in a map of paths, also where it
	// stands beside v1 hierarchies.
	unified   = ""
	pathField = "linux.cgroupsPath"
)

// Options say how a container's cgroups are found and used.
type Options struct {
	ID string
	// Rootless: it is no error that there is no permission, where nothing was
	// asked for.
	Rootless bool
	// Root is where the hierarchies are mounted; "" is /sys/fs/cgroup.
	Root string
	// UserNS: we are in a nested user namespace, where device rules cannot be
	// set.
	UserNS bool
	// Host spares New to look for the hierarchies again; nil makes it look.
	Host *plan.Host
	// OwnerUID is given the v2 cgroup, or nil: then New finds whom the spec
	// means.
	OwnerUID *int
	// Disabled: the container has no cgroup of its own.
	Disabled bool
	// Warn is told of what was asked for and had to be left out, or nil.
	Warn func(format string, args ...any)
}

func (o *Options) root() string {
	if o.Root == "" {
		return defaultRoot
	}
	return o.Root
}

func (o *Options) warnf(format string, args ...any) {
	if o.Warn != nil {
		o.Warn(format, args...)
	}
}

// tree is what is mounted, with our own cgroups where asked needs them.
func (o *Options) tree(asked string) (tree, error) {
	if o.Host == nil {
		return readTree(o.root(), "self")
	}
	var own []membership
	if !path.IsAbs(asked) {
		var err error
		if own, err = memberships("self"); err != nil {
			return tree{}, err
		}
	}
	return treeOf(o.root(), o.Host, own), nil
}

// Cgroup is a container's: a directory in each hierarchy.
type Cgroup struct {
	o         Options
	paths     map[string]string // by controller; "" is the v2 tree
	v2        bool              // there is but the one tree
	resources *specs.LinuxResources
	asked     string // linux.cgroupsPath
	vacant    bool   // Vacant has been asked
	fresh     bool   // no directory was there before: its limits are the kernel's defaults
}

// New decides where the cgroups of a container will be. It touches nothing.
func New(spec *specs.Spec, o Options) (*Cgroup, error) {
	c := &Cgroup{o: o}
	if spec.Linux != nil {
		c.asked, c.resources = spec.Linux.CgroupsPath, spec.Linux.Resources
	}
	if o.Disabled {
		return c, c.disable()
	}
	if err := checkAsked(c.asked); err != nil {
		return nil, fault.Invalid(pathField, err)
	}
	if c.o.OwnerUID == nil {
		c.o.OwnerUID = owner(spec)
	}
	t, err := o.tree(c.asked)
	if err != nil {
		return nil, err
	}
	c.v2 = t.v2
	c.paths = t.place(c.asked, o.ID, exists)
	if len(c.paths) == 0 && !c.Spared() {
		return nil, fmt.Errorf("no cgroup hierarchy is mounted at %s", o.root())
	}
	if !c.v2 && len(c.paths) > 0 {
		if err := c.missingV1(c.limits()); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// disable leaves the container where its creator is. A limit cannot hold there.
func (c *Cgroup) disable() error {
	c.paths = map[string]string{}
	if field := limitField(c.limits()); field != "" {
		return &fault.Error{
			Field: field, Err: errors.New("there is no cgroup to limit"), Hint: "--cgroup-manager disabled",
		}
	}
	return nil
}

// Load finds the cgroups of a container that has been created, from its state.
func Load(paths map[string]string, r *specs.LinuxResources, o Options) (*Cgroup, error) {
	c := &Cgroup{o: o, paths: maps.Clone(paths), resources: r}
	if len(paths) == 0 {
		c.paths = map[string]string{} // rootless, without any
		return c, nil
	}
	// Called by every command. A controller's hierarchy is of v1; the v2 tree
	// alone is also what a rootless container may have of a hybrid layout.
	if _, ok := paths[unified]; ok && len(paths) == 1 {
		kind, err := kindOf(o.root())
		if err != nil {
			return nil, err
		}
		c.v2 = kind == treeV2
	}
	for key, dir := range paths {
		// All in these directories will be killed, and they are removed: what
		// a damaged state names must not be a hierarchy, or lie elsewhere.
		rest, ok := strings.CutPrefix(dir, o.root()+"/")
		if !ok || filepath.Clean(dir) != dir || !c.v2 && !strings.Contains(rest, "/") {
			return nil, fmt.Errorf("cgroup path %q of %q is not below %s", dir, key, o.root())
		}
	}
	return c, nil
}

// Paths are the directories, by controller; "" is the v2 tree. After Create
// they may be fewer: rootless, those that could be made.
func (c *Cgroup) Paths() map[string]string { return maps.Clone(c.paths) }

// directories are the paths, each once: some controllers share a hierarchy.
func (c *Cgroup) directories() []string {
	return slices.Compact(slices.Sorted(maps.Values(c.paths)))
}

// Spared tells whether no cgroup is needed: rootless, and nothing was asked for.
func (c *Cgroup) Spared() bool {
	return c.o.Rootless && c.asked == "" && limitField(c.limits()) == ""
}

// checkAsked refuses paths that are not one of a cgroup of one's own.
func checkAsked(asked string) error {
	switch {
	case asked == "":
		return nil
	case path.Clean("/"+asked) == "/":
		return fmt.Errorf("%q is no cgroup of the container's own", asked)
	case strings.Count(asked, ":") == 2 && !strings.Contains(asked, "/"):
		return fmt.Errorf("%q is of the form slice:prefix:name, which is for the systemd driver", asked)
	case strings.ContainsAny(asked, "\n\x00"):
		return errors.New("a newline or NUL is in it")
	}
	return nil
}

// owner is the user on the host whom the v2 cgroup is to belong to: the one
// that the process runs as, if the container has a cgroup namespace and the
// cgroup filesystem is mounted writable (config-linux.md, "Cgroup ownership").
func owner(spec *specs.Spec) *int {
	if spec.Linux == nil || spec.Process == nil || !writesCgroups(spec) {
		return nil
	}
	namespaced := false
	cgroupns := false
	for _, ns := range spec.Linux.Namespaces {
		switch ns.Type {
		case specs.CgroupNamespace:
			cgroupns = ns.Path == ""
		case specs.UserNamespace:
			namespaced = true
		default:
		}
	}
	if !cgroupns {
		return nil
	}
	uid := int64(spec.Process.User.UID)
	if namespaced {
		if uid = hostID(uid, spec.Linux.UIDMappings); uid < 0 {
			return nil
		}
	}
	n := int(uid)
	return &n
}

func writesCgroups(spec *specs.Spec) bool {
	for i := len(spec.Mounts) - 1; i >= 0; i-- { // the last at a place counts
		m := &spec.Mounts[i]
		if filepath.Clean(m.Destination) == defaultRoot {
			return (m.Type == "cgroup" || m.Type == "cgroup2") && !slices.Contains(m.Options, "ro")
		}
	}
	return false
}

// hostID is what the id of the container is outside, or -1.
func hostID(id int64, maps []specs.LinuxIDMapping) int64 {
	for _, m := range maps {
		if first := int64(m.ContainerID); id >= first && id-first < int64(m.Size) {
			return int64(m.HostID) + id - first
		}
	}
	return -1
}

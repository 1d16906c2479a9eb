package cgroup

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/cgroups"
	_ "github.com/opencontainers/cgroups/devices" // or device rules would be ignored
	"github.com/opencontainers/cgroups/fs"
	"github.com/opencontainers/cgroups/fs2"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

const defaultRoot = "/sys/fs/cgroup"

// Options say how a container's cgroups are found and used.
type Options struct {
	ID string
	// Rootless: it is no error that there is no permission, where nothing was
	// asked for.
	Rootless bool
	// UserNS: we are in a nested user namespace.
	UserNS bool
}

// Cgroup is a container's: a directory in each hierarchy.
type Cgroup struct {
	paths     map[string]string // by controller; "" is the v2 tree
	resources *specs.LinuxResources
	asked     string // linux.cgroupsPath
	o         Options
	m         cgroups.Manager
}

// New decides where the cgroups of a container will be.
func New(spec *specs.Spec, o Options) (*Cgroup, error) {
	c := &Cgroup{o: o}
	if spec.Linux != nil {
		c.asked, c.resources = spec.Linux.CgroupsPath, spec.Linux.Resources
	}
	if strings.Count(c.asked, ":") == 2 && !strings.Contains(c.asked, "/") {
		return nil, &fault.Error{
			Field: "linux.cgroupsPath",
			Err:   fmt.Errorf("%q is of the form slice:prefix:name, which is for the systemd driver", c.asked),
		}
	}
	var err error
	c.paths, err = findPaths(defaultRoot, c.asked, o.ID)
	return c, err
}

// Load finds the cgroups of a container that has been created, from its state.
func Load(paths map[string]string, r *specs.LinuxResources, o Options) (*Cgroup, error) {
	return &Cgroup{paths: maps.Clone(paths), resources: r, o: o}, nil
}

// v2 tells whether there is but the one tree.
func (c *Cgroup) v2() bool { return len(c.paths) == 1 && c.paths[unified] != "" }

func (c *Cgroup) manager() (cgroups.Manager, error) {
	if c.m != nil {
		return c.m, nil
	}
	cg := &cgroups.Cgroup{
		Name: c.o.ID, Path: c.asked, Rootless: c.o.Rootless,
		Resources: convert(c.resources, c.v2()),
	}
	var err error
	if c.v2() {
		c.m, err = fs2.NewManager(cg, c.paths[unified])
	} else {
		c.m, err = fs.NewManager(cg, c.paths)
	}
	return c.m, err
}

// Paths are the directories, by controller; "" is the v2 tree.
func (c *Cgroup) Paths() map[string]string { return maps.Clone(c.paths) }

// directories are the paths, each once, sorted.
func (c *Cgroup) directories() []string {
	dirs := slices.Sorted(maps.Values(c.paths))
	return slices.Compact(dirs)
}

// Vacant makes sure that a new container would not share its cgroup with
// others, who would be limited, frozen and killed with it.
func (c *Cgroup) Vacant() error {
	dir := c.listing()
	if dir == "" {
		return nil
	}
	if _, err := os.Lstat(dir); err != nil {
		return nil //nolint:nilerr // the usual case; else Create tells
	}
	if c.Frozen() {
		return &fault.Error{Field: "linux.cgroupsPath", Path: dir, Err: errors.New("container's cgroup unexpectedly frozen")}
	}
	pids, err := cgroups.GetAllPids(dir)
	if err != nil {
		return err
	}
	if len(pids) > 0 {
		return &fault.Error{
			Field: "linux.cgroupsPath", Path: dir,
			Err: fmt.Errorf("container's cgroup is not empty: %d process(es) found", len(pids)),
		}
	}
	return nil
}

// listing is a directory that all processes of the container are in.
func (c *Cgroup) listing() string {
	for _, key := range [...]string{"devices", "pids", "memory", "freezer", unified} {
		if dir := c.paths[key]; dir != "" {
			return dir
		}
	}
	for _, dir := range c.directories() {
		return dir
	}
	return ""
}

// Create makes the directories. Rootless, those that may not be made are
// forgotten, unless a path or a limit was asked for.
func (c *Cgroup) Create() error {
	m, err := c.manager()
	if err != nil {
		return err
	}
	err = m.Apply(-1) // make only; the bootstrap enters by itself
	if err != nil && !errors.Is(err, cgroups.ErrRootless) {
		return &fault.Error{Op: "create cgroup", Field: "linux.cgroupsPath", Path: c.asked, Err: err}
	}
	if c.v2() {
		if err != nil {
			c.paths = map[string]string{}
		}
		return nil
	}
	// The manager has taken the refused ones out of the map we share.
	return c.createWithoutLimits()
}

// createWithoutLimits makes the cgroups that the manager does not insist on:
// of named hierarchies, and of the v2 tree in a hybrid setup. Rootless, the
// container does without.
func (c *Cgroup) createWithoutLimits() error {
	const mode = 0o755
	for key, dir := range c.paths {
		if key != unified && !strings.HasPrefix(key, "name=") {
			continue
		}
		if err := os.MkdirAll(dir, mode); err != nil {
			if !c.o.Rootless {
				return err
			}
			delete(c.paths, key)
		}
	}
	return nil
}

// Doors are descriptors by which a process enters the cgroups by itself.
type Doors struct {
	// Tasks are v1 "tasks" files, into which a thread writes 0.
	Tasks []*os.File
	// V2 is the directory for clone3(2), CLONE_INTO_CGROUP; or nil.
	V2 *os.File
}

// Close closes them.
func (d *Doors) Close() {
	for _, f := range d.Tasks {
		f.Close()
	}
	if d.V2 != nil {
		d.V2.Close()
	}
	d.Tasks, d.V2 = nil, nil
}

// Doors opens them.
func (c *Cgroup) Doors() (*Doors, error) { return openDoors(c.paths) }

func openDoors(paths map[string]string) (*Doors, error) {
	d := &Doors{}
	seen := make(map[string]bool, len(paths))
	for key, dir := range paths {
		if seen[dir] {
			continue
		}
		seen[dir] = true
		var err error
		var f *os.File
		if key == unified {
			f, err = os.Open(dir)
			d.V2 = f
		} else {
			f, err = os.OpenFile(filepath.Join(dir, "tasks"), os.O_WRONLY, 0)
			if err == nil {
				d.Tasks = append(d.Tasks, f)
			}
		}
		if err != nil {
			d.V2 = nil
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

// DoorsOf opens those of the cgroups that the process pid is in now.
func DoorsOf(pid int) (*Doors, error) {
	members, err := memberships(fmt.Sprint(pid))
	if err != nil {
		return nil, err
	}
	v2, err := isUnified(defaultRoot)
	if err != nil {
		return nil, err
	}
	paths := make(map[string]string)
	for _, m := range members {
		switch {
		case v2 && m.controllers == unified:
			paths[unified] = filepath.Join(defaultRoot, m.path)
		case v2:
		default:
			if name := hierarchyDir(defaultRoot, m.controllers); name != "" {
				paths[m.controllers] = filepath.Join(defaultRoot, name, m.path)
			}
		}
	}
	return openDoors(paths)
}

// AddPid moves a process into the cgroups: where it could not enter by itself.
func (c *Cgroup) AddPid(pid int) error {
	for _, dir := range c.directories() {
		if err := cgroups.WriteCgroupProc(dir, pid); err != nil {
			return err
		}
	}
	return nil
}

// Limit sets all limits and device rules but that of pids: init is still a
// program of several threads.
func (c *Cgroup) Limit() error {
	m, err := c.manager()
	if err != nil {
		return err
	}
	r := convert(c.resources, c.v2())
	if len(c.paths) == 0 {
		r.SkipDevices = true
		r.Devices = nil
	}
	err = m.Set(r)
	if errors.Is(err, os.ErrPermission) {
		// The parent may deny devices (a batch system's GPUs).
		r.Devices = withoutMknod(r.Devices)
		err = m.Set(r)
	}
	if err != nil {
		return &fault.Error{Op: "set", Field: "linux.resources", Err: err}
	}
	return nil
}

// LimitPids sets the limit of pids, when no more threads are needed.
func (c *Cgroup) LimitPids() error {
	if c.resources == nil || c.resources.Pids == nil || c.resources.Pids.Limit == nil {
		return nil
	}
	m, err := c.manager()
	if err != nil {
		return err
	}
	err = m.Set(&cgroups.Resources{PidsLimit: c.resources.Pids.Limit, SkipDevices: true})
	if err != nil {
		return &fault.Error{Op: "set", Field: "linux.resources.pids.limit", Err: err}
	}
	return nil
}

// OOMKilled tells whether the kernel has killed a process of the container for
// its memory limit.
func (c *Cgroup) OOMKilled() bool {
	m, err := c.manager()
	if err != nil {
		return false
	}
	n, err := m.OOMKillCount()
	return err == nil && n > 0
}

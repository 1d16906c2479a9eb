package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs"
	"github.com/opencontainers/cgroups/fs2"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// Vacant makes sure that a new container would not share its cgroup with
// others, who would be limited, frozen and killed with it. It touches nothing.
func (c *Cgroup) Vacant() error {
	c.fresh = true
	for _, dir := range c.directories() {
		if !exists(dir) {
			continue
		}
		c.fresh = false
		pids, err := processes(dir)
		if err != nil {
			return &fault.Error{Field: pathField, Err: err}
		}
		if len(pids) > 0 {
			return &fault.Error{
				Field: pathField, Path: dir,
				Err: fmt.Errorf("container's cgroup is not empty: %d process(es) found", len(pids)),
			}
		}
	}
	if !c.fresh && c.Frozen() {
		return &fault.Error{Field: pathField, Err: errors.New("container's cgroup unexpectedly frozen")}
	}
	c.vacant = true
	return nil
}

// Create makes the directories; no process is put into them. Rootless, those
// that may not be made are left out, unless a path or a limit was asked for.
// When it fails, it leaves none of them.
func (c *Cgroup) Create() error {
	if !c.vacant {
		if err := c.Vacant(); err != nil {
			return err
		}
	}
	if c.v2 {
		return c.createV2()
	}
	var made []string
	for _, dir := range c.directories() {
		news, err := c.makeV1(dir)
		made = append(made, news...)
		if err == nil {
			continue
		}
		if refused(err) && c.dispensable(dir) {
			removeMade(news)
			c.forget(dir)
			continue
		}
		removeMade(made)
		return c.explain(err)
	}
	return nil
}

// removeMade removes what was made, the last first.
func removeMade(dirs []string) {
	for _, dir := range slices.Backward(dirs) {
		_ = unix.Rmdir(dir)
	}
}

// makeV1 makes a directory in a v1 hierarchy, and those it lies in. It tells
// which it has made, also when it fails.
func (c *Cgroup) makeV1(dir string) (made []string, err error) {
	err = makeDir(dir)
	switch {
	case err == nil:
		made = []string{dir}
	case errors.Is(err, unix.EEXIST):
	case !errors.Is(err, unix.ENOENT):
		return nil, err
	default:
		for _, d := range missing(dir) {
			if err := makeDir(d); err == nil {
				made = append(made, d)
			} else if !errors.Is(err, unix.EEXIST) {
				return made, err
			}
		}
	}
	if dir == c.paths["cpuset"] {
		if err := c.fillCpuset(dir); err != nil {
			return made, err
		}
	}
	// A realtime thread may enter only where there is time for it.
	if r := c.resources; r != nil && r.CPU != nil && dir == c.paths["cpu"] {
		return made, (&fs.CpuGroup{}).SetRtSched(dir, c.convert())
	}
	return made, nil
}

func makeDir(dir string) error {
	const mode = 0o755
	// cgroupfs, where only root makes directories, and no symlinks.
	if err := unix.Mkdirat(unix.AT_FDCWD, dir, mode); err != nil {
		return &os.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return nil
}

// missing are dir and the directories it lies in that do not exist, the
// topmost first.
func missing(dir string) (list []string) {
	for ; dir != "/" && !exists(dir); dir = filepath.Dir(dir) {
		list = append(list, dir)
	}
	slices.Reverse(list)
	return list
}

// fillCpuset gives a new cpuset its CPUs and memory nodes: without them no
// process may enter (cgroup-v1/cpusets.rst).
func (c *Cgroup) fillCpuset(dir string) error {
	r := c.convert()
	for _, f := range [...]struct{ name, value string }{
		{"cpuset.cpus", r.CpusetCpus}, {"cpuset.mems", r.CpusetMems},
	} {
		if f.value == "" {
			parent, err := readFile(filepath.Join(filepath.Dir(dir), f.name))
			if f.value = strings.TrimSpace(parent); err != nil || f.value == "" {
				// The directories above are new too, or the files have no
				// prefix: the library knows.
				return (&fs.CpusetGroup{}).ApplyDir(dir, r, -1)
			}
			if !c.fresh {
				if own, err := readFile(filepath.Join(dir, f.name)); err == nil && strings.TrimSpace(own) != "" {
					continue
				}
			}
		}
		if err := writeFile(filepath.Join(dir, f.name), f.value); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cgroup) createV2() error {
	dir := c.paths[unified]
	if dir == "" {
		return nil
	}
	made, err := c.makeV2(dir)
	switch {
	case err != nil && refused(err) && c.Spared():
		c.forget(dir)
		return nil
	case err != nil:
		err = c.explain(err)
	default:
		if err = missingV2(dir, c.limits()); err == nil {
			err = c.delegate(dir)
		}
	}
	if err != nil {
		removeMade(made)
	}
	return err
}

// makeV2 makes the directory and those it lies in, with all controllers that
// there are.
func (c *Cgroup) makeV2(dir string) (made []string, err error) {
	err = makeDir(dir)
	switch {
	case err == nil:
		made = []string{dir}
	case errors.Is(err, unix.ENOENT):
		made = missing(dir)
	case !errors.Is(err, unix.EEXIST):
		return nil, err
	}
	if !errors.Is(err, unix.ENOENT) && c.equipped(dir) {
		return made, nil
	}
	// Enables the controllers in each cgroup on the way.
	err = fs2.CreateCgroupPath(dir, &cgroups.Cgroup{Resources: c.convert()})
	return made, err
}

// equipped tells whether the new cgroup has all controllers of the root, so
// that none need be enabled. That spares writes to the cgroup.subtree_control
// of its ancestors: each, also one that changes nothing, makes the kernel look
// at every cgroup below (kernel/cgroup/cgroup.c, cgroup_lock_and_drain_offline).
func (c *Cgroup) equipped(dir string) bool {
	all, err := readFile(c.o.root() + "/cgroup.controllers")
	if err != nil {
		return false
	}
	have, err := readFile(dir + "/cgroup.controllers")
	if err != nil || have != all {
		return false
	}
	kind, err := readFile(dir + "/cgroup.type")
	return err == nil && kind == "domain\n"
}

// dispensable: rootless, the hierarchy of dir need not be had, since no path and
// no limit in it was asked for, or since it only keeps processes together: a
// named one, or the v2 tree in a hybrid layout.
func (c *Cgroup) dispensable(dir string) bool {
	if !c.o.Rootless {
		return false
	}
	limits, list := c.limits(), controllers()
	limitless := true
	for key, d := range c.paths {
		if d != dir || key == unified || strings.HasPrefix(key, "name=") {
			continue
		}
		limitless = false
		for i := range list {
			if list[i].v1 == key && list[i].asked(limits) != "" {
				return false
			}
		}
	}
	return limitless || c.asked == ""
}

// forget leaves out a hierarchy.
func (c *Cgroup) forget(dir string) {
	for key, d := range c.paths {
		if d == dir {
			delete(c.paths, key)
		}
	}
}

func (c *Cgroup) explain(err error) error {
	if f := resourceField(err, c.resources); f != "" {
		return &fault.Error{Op: "set", Field: f, Err: err}
	}
	e := &fault.Error{Op: "create cgroup", Field: pathField, Err: err}
	if c.o.Rootless && refused(err) {
		if field := limitField(c.limits()); c.asked == "" && field != "" {
			e.Field = field
		}
		e.Hint = "rootless needs no limits + no cgrouppath when no permission is granted for cgroups"
	}
	return e
}

// delegate gives the cgroup to the user in the container, with the files that
// the kernel says a delegatee may own; not all need exist (config-linux.md,
// "Cgroup ownership").
func (c *Cgroup) delegate(dir string) error {
	if c.o.OwnerUID == nil || *c.o.OwnerUID == os.Geteuid() {
		return nil
	}
	list, err := readFile("/sys/kernel/cgroup/delegate")
	if err != nil {
		list = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n"
	}
	for _, name := range append(strings.Fields(list), "") {
		path := filepath.Join(dir, name)
		err := os.Lchown(path, *c.o.OwnerUID, -1)
		if err == nil || errors.Is(err, unix.ENOENT) || c.o.Rootless && refused(err) {
			continue
		}
		return &fault.Error{Op: "delegate cgroup", Field: pathField, Err: err}
	}
	return nil
}

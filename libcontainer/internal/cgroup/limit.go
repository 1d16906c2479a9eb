package cgroup

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs"
	"github.com/opencontainers/cgroups/fs2"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// convert is the spec's resources as the library takes them.
func (c *Cgroup) convert() *cgroups.Resources {
	r := convert(c.resources, c.v2)
	if c.fresh {
		dropDefaults(r)
	}
	r.SkipDevices = c.o.UserNS
	return r
}

// Limit sets all limits and device rules but that of pids: the start needs
// more threads than a container may have.
func (c *Cgroup) Limit() error {
	if len(c.paths) == 0 {
		return nil // nothing was asked for, or Create would have failed
	}
	r := c.convert()
	r.PidsLimit = nil
	maps.DeleteFunc(r.Unified, func(name, _ string) bool { return ofPids(name) })
	if len(r.Unified) == 0 {
		r.Unified = nil // the v1 library refuses an empty one as well
	}
	if c.v2 {
		return limitError(c.set(r))
	}
	if err := c.limitDevices(r); err != nil {
		return limitError(err)
	}
	r.SkipDevices = true
	return limitError(c.set(r))
}

// set lets the library write r.
func (c *Cgroup) set(r *cgroups.Resources) error {
	cg := &cgroups.Cgroup{Path: c.asked, Rootless: c.o.Rootless, Resources: r}
	if c.v2 {
		m, err := fs2.NewManager(cg, c.paths[unified])
		if err != nil {
			return err
		}
		return m.Set(r)
	}
	m, err := fs.NewManager(cg, c.paths)
	if err != nil {
		return err
	}
	return m.Set(r)
}

// LimitPids sets the limit of pids, when no more threads are needed.
func (c *Cgroup) LimitPids() error {
	r := c.convert()
	if c.v2 && c.paths[unified] != "" {
		return limitError(limitPidsV2(c.paths[unified], r))
	}
	if r.PidsLimit == nil || len(c.paths) == 0 {
		return nil
	}
	dir := c.paths["pids"]
	if dir == "" {
		return limitError(&os.PathError{Op: "find", Path: "pids.max", Err: errors.New("no pids controller is mounted")})
	}
	return limitError((&fs.PidsGroup{}).Set(dir, r))
}

func limitPidsV2(dir string, r *cgroups.Resources) error {
	if r.PidsLimit != nil {
		// The file and its values are those of v1.
		if err := (&fs.PidsGroup{}).Set(dir, r); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Unified)) {
		if !ofPids(name) {
			continue
		}
		if err := cgroups.WriteFileByLine(dir, name, r.Unified[name]); err != nil {
			return &fault.Error{Op: "set", Field: "linux.resources.unified." + name, Err: err}
		}
	}
	return nil
}

func ofPids(file string) bool { return strings.HasPrefix(file, "pids.") }

// OOMKilled tells whether the kernel has killed a process of the container for
// its memory limit.
func (c *Cgroup) OOMKilled() bool {
	var n uint64
	var err error
	if c.v2 {
		n, err = fs2.OOMKillCount(c.paths[unified])
	} else {
		n, err = fs.OOMKillCount(c.paths["memory"])
	}
	return err == nil && n > 0
}

// limitError names the field that asked for what could not be set.
func limitError(err error) error {
	if err == nil {
		return nil
	}
	if _, named := errors.AsType[*fault.Error](err); named {
		return err
	}
	field := resourceField(err)
	switch {
	case errors.Is(err, cgroups.ErrV1NoUnified):
		field = "linux.resources.unified"
	case field == "":
		field = "linux.resources"
	}
	return &fault.Error{Op: "set", Field: field, Err: err}
}

// resourceField is the field that the file of an error belongs to: its name
// begins with the controller's. "" if it is no controller's file.
func resourceField(err error) string {
	var path *os.PathError
	if !errors.As(err, &path) {
		return ""
	}
	controller, _, ok := strings.Cut(filepath.Base(path.Path), ".")
	if !ok {
		return ""
	}
	const resources = "linux.resources."
	switch controller {
	case "memory", "devices", "rdma", "pids":
		return resources + controller
	case "cpu", "cpuset":
		return resources + "cpu"
	case "blkio", "io":
		return resources + "blockIO"
	case "hugetlb":
		return resources + "hugepageLimits"
	case "net_cls", "net_prio":
		return resources + "network"
	}
	return ""
}

package cgroup

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs"
	"github.com/opencontainers/cgroups/fs2"
	"golang.org/x/sys/unix"

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

// limits are what is asked for, whatever was there before: to have no limit asks
// for nothing.
func (c *Cgroup) limits() *cgroups.Resources {
	r := convert(c.resources, c.v2)
	dropDefaults(r)
	return r
}

// Limit sets all limits and device rules but that of pids: the start needs
// more threads than a container may have.
func (c *Cgroup) Limit() error {
	if len(c.paths) == 0 {
		return nil // nothing was asked for, or Create would have failed
	}
	if c.v2 {
		for _, field := range withoutEffect(c.resources) {
			c.o.warnf("%s: cgroup v2 has no such limit, ignored", field)
		}
	}
	r := c.convert()
	if err := c.limitDevices(r); err != nil {
		return &fault.Error{Op: "set", Field: resourcesField + "devices", Err: err}
	}
	r.SkipDevices, r.PidsLimit = true, nil
	if c.v2 {
		return limitError(c.setV2(r), c.resources)
	}
	if !c.fresh { // else New has looked
		if err := c.missingV1(c.limits()); err != nil {
			return err
		}
	}
	return limitError(c.setV1(r), c.resources)
}

// setV1 writes the files of those controllers of which something is asked.
func (c *Cgroup) setV1(r *cgroups.Resources) error {
	list := controllers()
	for i := range list {
		dir := c.paths[list[i].v1]
		if dir == "" || list[i].group == nil || list[i].asked(r) == "" {
			continue
		}
		if err := list[i].group.Set(dir, r); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cgroup) setV2(r *cgroups.Resources) error {
	dir, files := c.paths[unified], r.Unified
	r.Unified = nil
	if limitField(r) != "" {
		m, err := fs2.NewManager(&cgroups.Cgroup{Rootless: c.o.Rootless, Resources: r}, dir)
		if err != nil {
			return err
		}
		if err := m.Set(r); err != nil {
			return err
		}
	}
	return setUnified(dir, files, func(name string) bool { return !ofPids(name) })
}

// LimitPids sets the limit of pids, when no more threads are needed.
func (c *Cgroup) LimitPids() error {
	if c.resources == nil || len(c.paths) == 0 {
		return nil
	}
	r := c.convert()
	dir := c.paths["pids"]
	if c.v2 {
		dir = c.paths[unified]
	}
	if r.PidsLimit != nil && (dir != "" || *r.PidsLimit >= 0) {
		// The file and its values are the same on v2.
		if err := (&fs.PidsGroup{}).Set(dir, r); err != nil {
			return limitError(err, c.resources)
		}
	}
	if !c.v2 {
		return nil
	}
	return setUnified(dir, r.Unified, ofPids)
}

func ofPids(file string) bool { return strings.HasPrefix(file, "pids.") }

// setUnified writes those of the files that are wanted, in an order that is the
// same each time.
func setUnified(dir string, files map[string]string, want func(string) bool) error {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !want(name) {
			continue
		}
		if err := writeUnified(dir, name, files[name]); err != nil {
			return &fault.Error{Op: "set", Field: unifiedField(name), Err: err}
		}
	}
	return nil
}

func writeUnified(dir, name, lines string) error {
	if strings.Contains(name, "/") {
		return errors.New("not the name of a file in the cgroup")
	}
	err := cgroups.WriteFileByLine(dir, name, lines)
	if !errors.Is(err, unix.ENOENT) {
		return err
	}
	controller, _, ok := strings.Cut(name, ".")
	if !ok {
		return fmt.Errorf("not of the form CONTROLLER.FILE: %w", err)
	}
	have, e := readFile(dir + "/cgroup.controllers")
	if e == nil && controller != "cgroup" && !listed(have, controller) {
		return unavailable(dir, controller, have)
	}
	return err
}

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

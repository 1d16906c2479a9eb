package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/opencontainers/cgroups"
	_ "github.com/opencontainers/cgroups/devices" // or device rules would be ignored
	devices "github.com/opencontainers/cgroups/devices/config"
	"github.com/opencontainers/cgroups/fs"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// deviceRules are the spec's, then those that every container has: it may make
// any node, and use the default devices, terminals and tun. Where the spec has
// no rules, only these are allowed.
func deviceRules(list []specs.LinuxDeviceCgroup) []*devices.Rule {
	const every = devices.Wildcard
	defaults := [...]devices.Rule{
		{Type: devices.CharDevice, Major: every, Minor: every, Permissions: "m"},
		{Type: devices.BlockDevice, Major: every, Minor: every, Permissions: "m"},
		{Type: devices.CharDevice, Major: 1, Minor: 3, Permissions: "rwm"},       // null
		{Type: devices.CharDevice, Major: 1, Minor: 5, Permissions: "rwm"},       // zero
		{Type: devices.CharDevice, Major: 1, Minor: 7, Permissions: "rwm"},       // full
		{Type: devices.CharDevice, Major: 1, Minor: 8, Permissions: "rwm"},       // random
		{Type: devices.CharDevice, Major: 1, Minor: 9, Permissions: "rwm"},       // urandom
		{Type: devices.CharDevice, Major: 5, Minor: 0, Permissions: "rwm"},       // tty
		{Type: devices.CharDevice, Major: 136, Minor: every, Permissions: "rwm"}, // pts/*
		{Type: devices.CharDevice, Major: 5, Minor: 2, Permissions: "rwm"},       // ptmx
		{Type: devices.CharDevice, Major: 10, Minor: 200, Permissions: "rwm"},    // net/tun
	}
	rules := make([]*devices.Rule, 0, len(list)+len(defaults))
	for i := range list {
		rules = append(rules, deviceRule(&list[i]))
	}
	for i := range defaults {
		defaults[i].Allow = true
		rules = append(rules, &defaults[i])
	}
	return rules
}

func deviceRule(d *specs.LinuxDeviceCgroup) *devices.Rule {
	r := &devices.Rule{
		Type: devices.WildcardDevice, Major: devices.Wildcard, Minor: devices.Wildcard, Allow: d.Allow,
		// In the kernel's order, whatever the spec's.
		Permissions: devices.Permissions("").Union(devices.Permissions(d.Access)),
	}
	switch d.Type {
	case "c", "u": // unbuffered is an old word for a character device, mknod(1)
		r.Type = devices.CharDevice
	case "b":
		r.Type = devices.BlockDevice
	}
	if d.Major != nil && *d.Major >= 0 {
		r.Major = *d.Major
	}
	if d.Minor != nil && *d.Minor >= 0 {
		r.Minor = *d.Minor
	}
	return r
}

// limitDevices sets the device rules. On v2 every cgroup on the way has its own
// program, and a device must be allowed by all. Rootless it is no error that
// they cannot be: they are root's to set, and nobody expects them.
func (c *Cgroup) limitDevices(r *cgroups.Resources) error {
	if r.SkipDevices {
		return nil
	}
	err := c.setDevices(r)
	if c.o.Rootless {
		return nil
	}
	return err
}

func (c *Cgroup) setDevices(r *cgroups.Resources) error {
	if c.v2 {
		return cgroups.DevicesSetV2(c.paths[unified], r)
	}
	dir := c.paths["devices"]
	if dir == "" {
		return errors.New("no devices controller is mounted: the container could use every device")
	}
	all, allowed, plain := plainRules(r.Devices)
	if plain && c.fresh {
		return c.allowDevices(dir, all, allowed)
	}
	return (&fs.DevicesGroup{}).Set(dir, r)
}

// plainRules takes apart what nearly every container has: all devices, or a
// list of those allowed, with no exceptions from either.
func plainRules(rules []*devices.Rule) (all bool, allowed []*devices.Rule, plain bool) {
	allowed = rules
	for i, r := range slices.Backward(rules) {
		if r.Type == devices.WildcardDevice { // it ends what was before
			all, allowed = r.Allow, rules[i+1:]
			break
		}
	}
	return all, allowed, !slices.ContainsFunc(allowed, func(r *devices.Rule) bool { return !r.Allow })
}

// allowDevices sets plain rules in a new cgroup, which has inherited its
// parent's. The kernel refuses to allow more than the parent does, as batch
// systems deny their GPUs (cgroup-v1/devices.rst, "Hierarchy"): what is refused
// stays denied.
func (c *Cgroup) allowDevices(dir string, all bool, allowed []*devices.Rule) error {
	if !all {
		if err := writeFile(filepath.Join(dir, "devices.deny"), "a"); err != nil {
			return err
		}
	} else {
		allowed = []*devices.Rule{{Type: devices.WildcardDevice, Major: devices.Wildcard, Minor: devices.Wildcard, Permissions: "rwm"}}
	}
	path := filepath.Join(dir, "devices.allow")
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	for _, r := range allowed {
		rule := r.CgroupString()
		_, err := unix.Write(fd, []byte(rule))
		switch {
		case errors.Is(err, unix.EPERM):
			c.o.warnf("device rule %q is left out: the parent of %s does not allow it", rule, dir)
		case err != nil:
			return &os.PathError{Op: "write " + rule + " to", Path: path, Err: err}
		}
	}
	return nil
}

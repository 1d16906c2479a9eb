package plan

import (
	"errors"
	"fmt"
	"path"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// defaultDevices are those that every container has (runtime-spec,
// config-linux.md, "Default Devices").
func defaultDevices() []specs.LinuxDevice {
	var devices []specs.LinuxDevice
	for _, d := range [...]struct {
		name         string
		major, minor int64
	}{
		{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
	} {
		devices = append(devices, specs.LinuxDevice{Path: "/dev/" + d.name, Type: "c", Major: d.major, Minor: d.minor})
	}
	return devices
}

// devices plans the default devices, those of the spec, and the links beside
// them; nothing where /dev is the host's own, bound. A configured device takes
// the place of a default one; given twice, alike, it is made once.
func (c *compiler) devices() {
	if c.bindsDev() {
		return
	}
	configured := c.spec.Linux.Devices
	paths := make(map[string]bool, len(configured))
	for i := range configured {
		paths[devicePath(&configured[i])] = true
	}
	for _, d := range defaultDevices() {
		if !paths[d.Path] {
			c.device("", &d)
		}
	}
	for i := range configured {
		at := devicePath(&configured[i])
		// The devpts of the container has its own (config-linux.md, "Default
		// Devices"): the link below.
		if paths[at] && at != ptmx {
			c.device(index("linux.devices", i), &configured[i])
		}
		paths[at] = false
	}
	for _, l := range [...]struct{ path, target string }{
		{ptmx, "pts/ptmx"},
		{"/dev/fd", "/proc/self/fd"},
		{"/dev/stdin", "/proc/self/fd/0"},
		{"/dev/stdout", "/proc/self/fd/1"},
		{"/dev/stderr", "/proc/self/fd/2"},
		{"/dev/core", "/proc/kcore"},
	} {
		c.add(Step{Op: OpSymlink, Path: l.path, Value: l.target})
	}
}

const ptmx = "/dev/ptmx"

func devicePath(d *specs.LinuxDevice) string { return path.Clean("/" + d.Path) }

func (c *compiler) bindsDev() bool {
	for i := range c.spec.Mounts {
		m := &c.spec.Mounts[i]
		if path.Clean("/"+m.Destination) != "/dev" {
			continue
		}
		if r := parseOptions(c.table, m.Options); (r.bind || m.Type == "bind") && !r.remount {
			return true
		}
	}
	return false
}

func (c *compiler) device(field string, d *specs.LinuxDevice) {
	if d.Path == "" || devicePath(d) == "/" {
		c.wrong(field+".path", errors.New("names no device"))
		return
	}
	dev := &Device{Mode: 0o666}
	switch d.Type {
	case "c", "u":
		dev.Type = unix.S_IFCHR
	case "b":
		dev.Type = unix.S_IFBLK
	case "p":
		dev.Type = unix.S_IFIFO
	default:
		c.wrong(field+".type", fmt.Errorf("unknown device type %q", d.Type))
		return
	}
	const largest = 1<<32 - 1
	if d.Major < 0 || d.Minor < 0 || d.Major > largest || d.Minor > largest {
		c.wrong(field, fmt.Errorf("device %d:%d is out of range", d.Major, d.Minor))
		return
	}
	dev.Major, dev.Minor = uint32(d.Major), uint32(d.Minor)
	if d.FileMode != nil {
		const permissions = 0o7777
		dev.Mode = uint32(*d.FileMode) & permissions
	}
	if d.UID != nil {
		dev.UID = *d.UID
	}
	if d.GID != nil {
		dev.GID = *d.GID
	}
	c.add(Step{Op: OpDevice, Field: field, Path: devicePath(d), Device: dev})
}

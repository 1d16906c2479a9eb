package bundle

import (
	"math"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// The kernel's dev_t has 12 bits for the major and 20 for the minor number
// (linux/kdev_t.h).
const (
	maxMajor = 1<<12 - 1
	maxMinor = 1<<20 - 1
)

func (m *mistakes) devices(devices []specs.LinuxDevice) {
	at := func(i int) string { return index("linux.devices", i) }
	var byPath map[string]int
	if len(devices) > 1 {
		byPath = make(map[string]int, len(devices))
	}
	for i := range devices {
		d := &devices[i]
		if !strings.HasPrefix(d.Path, "/") || hasNUL(d.Path) {
			m.absolute(at(i)+".path", d.Path)
		}
		switch d.Type {
		case "c", "b", "u":
			if d.Major < 0 || d.Major > maxMajor {
				m.addf(at(i)+".major", "%d is out of range: 0 to %d", d.Major, maxMajor)
			}
			if d.Minor < 0 || d.Minor > maxMinor {
				m.addf(at(i)+".minor", "%d is out of range: 0 to %d", d.Minor, maxMinor)
			}
		case "p":
		case "":
			m.add(at(i)+".type", "missing")
		default:
			m.addf(at(i)+".type", "unknown type %q: one of c, b, u, p", d.Type)
		}
		if d.UID != nil && *d.UID == noID {
			m.id(at(i)+".uid", *d.UID)
		}
		if d.GID != nil && *d.GID == noID {
			m.id(at(i)+".gid", *d.GID)
		}
		// The same device twice does no harm, engines that merge lists send
		// it; another one at the same path cannot be had.
		if j, ok := byPath[d.Path]; ok && !sameDevice(d, &devices[j]) {
			m.addf(at(i)+".path", "%q is another device in %s", d.Path, at(j))
		} else if byPath != nil {
			byPath[d.Path] = i
		}
	}
}

func sameDevice(a, b *specs.LinuxDevice) bool {
	return strings.Replace(a.Type, "u", "c", 1) == strings.Replace(b.Type, "u", "c", 1) &&
		(a.Type == "p" || a.Major == b.Major && a.Minor == b.Minor)
}

// maxInterface is IFNAMSIZ less the NUL (linux/if.h).
const maxInterface = 15

func (m *mistakes) netDevices(devices map[string]specs.LinuxNetDevice, ns namespaces) {
	if len(devices) == 0 {
		return
	}
	if !ns.has(specs.NetworkNamespace) {
		m.addHint("linux.netDevices", "no network namespace to move them to", `add {"type": "network"} to linux.namespaces`)
	}
	first := len(m.list)
	taken := make(map[string]int, len(devices))
	for host, d := range devices {
		at := key("linux.netDevices", host)
		if why := badInterface(host); why != "" {
			m.add(at, why)
		}
		inside := d.Name
		if inside == "" {
			inside = host
		} else if why := badInterface(strings.Replace(inside, "%d", "0", 1)); why != "" {
			m.addf(at+".name", "%q: %s", inside, why)
		}
		if taken[inside]++; taken[inside] == 2 && !strings.Contains(inside, "%d") {
			m.addf("linux.netDevices", "two devices would be named %q", inside)
		}
	}
	m.sortFrom(first)
}

// badInterface is what the kernel's dev_valid_name (net/core/dev.c) has against
// a name, or "".
func badInterface(name string) string {
	switch {
	case name == "":
		return "empty name"
	case len(name) > maxInterface:
		return "longer than 15 bytes"
	case name == "." || name == "..":
		return "not a name for an interface"
	case strings.ContainsAny(name, "/: \t\n\v\f\r\x00%"):
		return "a name has no slash, colon, percent sign, space or NUL"
	}
	return ""
}

// deviceRules: access is any subset of rwm, in any order; -1 stands for all
// numbers, as an absent one does.
func (m *mistakes) deviceRules(rules []specs.LinuxDeviceCgroup, at string) {
	for i := range rules {
		r := &rules[i]
		switch r.Type {
		case "", "a", "c", "b":
		default:
			m.addf(index(at+"devices", i)+".type", "unknown type %q: one of a, c, b", r.Type)
		}
		if r.Major != nil && (*r.Major < -1 || *r.Major > math.MaxUint32) {
			m.addf(index(at+"devices", i)+".major", "%d is out of range: 0 to %d, or -1 for all", *r.Major, uint32(math.MaxUint32))
		}
		if r.Minor != nil && (*r.Minor < -1 || *r.Minor > math.MaxUint32) {
			m.addf(index(at+"devices", i)+".minor", "%d is out of range: 0 to %d, or -1 for all", *r.Minor, uint32(math.MaxUint32))
		}
		if strings.Trim(r.Access, "rwm") != "" {
			m.addf(index(at+"devices", i)+".access", "%q has other letters than r, w, m", r.Access)
		}
	}
}

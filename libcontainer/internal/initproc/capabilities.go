package initproc

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// lastCap ends the search for capabilities that the kernel does not know.
const lastCap = 63

// dropBounding drops what keep does not name from the bounding set. It is done
// while CAP_SETPCAP is still held, before the ids change (capabilities(7)).
func dropBounding(keep uint64) error {
	for c := range uintptr(lastCap + 1) {
		if keep&(1<<c) != 0 {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if err == unix.EINVAL {
			return nil // past the last one the kernel knows
		}
		if err != nil {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	return nil
}

// lacking names the capabilities that are asked for and not ours to give.
func lacking(want uint64) string {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var have [2]unix.CapUserData
	if err := unix.Capget(&header, &have[0]); err != nil {
		return ""
	}
	want &^= uint64(have[0].Permitted) | uint64(have[1].Permitted)<<32
	var names []string
	for i, name := range plan.CapabilityNames() {
		if want&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " (the runtime does not hold " + strings.Join(names, ", ") + ")"
}

// setCapabilities sets the sets of this thread; the bounding set is done.
func setCapabilities(c *plan.Capabilities) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	for i := range data {
		shift := 32 * i
		data[i] = unix.CapUserData{
			Effective:   uint32(c.Effective >> shift),   //nolint:gosec // one half of the mask
			Permitted:   uint32(c.Permitted >> shift),   //nolint:gosec // one half of the mask
			Inheritable: uint32(c.Inheritable >> shift), //nolint:gosec // one half of the mask
		}
	}
	if err := unix.Capset(&header, &data[0]); err != nil {
		return fmt.Errorf("capset: %w%s", err, lacking(c.Permitted))
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clear ambient set: %w", err)
	}
	for n := range uintptr(lastCap + 1) {
		if c.Ambient&(1<<n) == 0 {
			continue
		}
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, n, 0, 0); err != nil {
			return fmt.Errorf("raise ambient capability %d: %w", n, err)
		}
	}
	return nil
}

package libcontainer

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/cgroup"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// cgroupRoot is where the hierarchies are mounted, by convention.
const cgroupRoot = "/sys/fs/cgroup"

// hostFacts gathers what a plan depends on.
func hostFacts() (plan.Host, error) {
	h := plan.Host{
		EUID:    uint32(os.Geteuid()), //nolint:gosec // a uid
		EGID:    uint32(os.Getegid()), //nolint:gosec // a gid
		UserNS:  inUserNamespace(),
		Admin:   hasCapability(unix.CAP_SYS_ADMIN),
		LastCap: unix.CAP_LAST_CAP,
	}
	h.Nice = !h.UserNS && hasCapability(unix.CAP_SYS_NICE)
	if h.UserNS {
		text, err := os.ReadFile("/proc/self/setgroups")
		h.SetgroupsDenied = err == nil && string(text) == "deny\n"
	}
	var err error
	h.Hierarchies, h.Unified, err = cgroup.Hierarchies(cgroupRoot)
	return h, err
}

// inUserNamespace tells whether we are in a user namespace that is not the
// machine's first. Its maps do not tell: identity maps exist. Its inode does:
// the first one's is fixed (include/linux/proc_ns.h, PROC_USER_INIT_INO).
func inUserNamespace() bool {
	const first = 0xEFFFFFFD
	var st unix.Stat_t
	err := unix.Stat("/proc/self/ns/user", &st)
	return err == nil && st.Ino != first
}

func hasCapability(n uint) bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	const bits = 32
	return data[n/bits].Effective&(1<<(n%bits)) != 0
}

// IsRootless tells whether cgroup permission errors are to be tolerated, where
// the user has not said: an ordinary user, or root of a user namespace.
func IsRootless() bool { return os.Geteuid() != 0 || inUserNamespace() }

// InUserNamespace tells whether the caller is in a user namespace that is not
// the machine's first.
func InUserNamespace() bool { return inUserNamespace() }

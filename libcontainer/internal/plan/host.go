package plan

import specs "github.com/opencontainers/runtime-spec/specs-go"

// Host are the facts about this machine that a plan depends on. The caller
// gathers them, so that a plan is the same wherever they are.
type Host struct {
	EUID uint32
	EGID uint32
	// UserNS: the runtime itself runs in a user namespace that is not the
	// machine's first.
	UserNS bool
	// SetgroupsDenied: /proc/self/setgroups says "deny", and so it will in
	// every user namespace below.
	SetgroupsDenied bool
	// Admin: CAP_SYS_ADMIN in the runtime's mount namespace, so that the
	// parent can clone mounts for init.
	Admin bool
	// Nice: CAP_SYS_NICE over all processes of the machine, so that the parent
	// can give init any scheduling.
	Nice bool
	// Unified: /sys/fs/cgroup is a cgroup v2 tree.
	Unified bool
	// Hierarchies are the mounted cgroup hierarchies, those of v1 by their
	// directory below /sys/fs/cgroup.
	Hierarchies []Hierarchy
	// LastCap is the highest capability the kernel knows.
	LastCap int
}

// Hierarchy is a mounted cgroup hierarchy.
type Hierarchy struct {
	// Name is the directory below /sys/fs/cgroup: "cpu,cpuacct", "systemd".
	Name string
	// Options of mount -t cgroup: "cpu,cpuacct", "name=systemd".
	Options string
	// Links are other names for it: "cpu", "cpuacct".
	Links []string
}

// Options are what the command line adds to the spec.
type Options struct {
	ID     string
	Bundle string // absolute
	// RootfsPath is root.path made absolute, its symlinks resolved.
	RootfsPath   string
	NoPivot      bool
	NoNewKeyring bool
	// PreserveFDs is how many descriptors from 3 on the process is given.
	PreserveFDs int
	// ListenFDs of them were passed by socket activation (LISTEN_FDS).
	ListenFDs int
	// Rootless: permission errors of cgroups are tolerated.
	Rootless bool
	// CgroupPaths are the container's cgroups, by controller ("" on v2).
	CgroupPaths map[string]string
}

// Container are the facts about a running container that an exec needs.
type Container struct {
	ID          string
	Spec        *specs.Spec // as saved at create
	Rootfs      string      // on the host
	PID         int         // init's
	PreserveFDs int
	// NoNewKeyring: it was created so, and what joins keeps the caller's.
	NoNewKeyring bool
}

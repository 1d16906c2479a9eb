package plan

// Plan is everything one create, run or exec will do, decided before anything
// is touched. It holds results, no copies of the spec: flags, masks, and the
// steps of init in the order in which they run.
type Plan struct {
	Bootstrap Bootstrap `json:"bootstrap"`
	// Rlimits are set by the parent, with prlimit(2), when init asks: init in
	// a user namespace may not raise them.
	Rlimits []Rlimit `json:"rlimits,omitempty"`
	// Scheduler is set by the parent, where it may, when init is ready.
	Scheduler *Scheduler `json:"scheduler,omitempty"`
	// Handles are the mount sources the parent opens because init cannot
	// reach or may not clone them; Mount.Handle counts from 1 into this list.
	Handles []Handle `json:"handles,omitempty"`
	// Steps are init's.
	Steps []Step `json:"steps"`
}

// Bootstrap is what happens before Go runs in the child: namespaces and maps.
type Bootstrap struct {
	// New is the set of namespaces to create, CLONE_NEW* bits.
	New uint64 `json:"new"`
	// Join are the namespaces entered by path.
	Join []Join `json:"join,omitempty"`
	// UIDMap and GIDMap are written by the parent once the child exists.
	UIDMap []IDMap `json:"uidMap,omitempty"`
	GIDMap []IDMap `json:"gidMap,omitempty"`
	// TimeOffsets is the content of /proc/self/timens_offsets, or "".
	TimeOffsets string `json:"timeOffsets,omitempty"`
	// OOMScoreAdj is the content of /proc/self/oom_score_adj, or "".
	OOMScoreAdj string `json:"oomScoreAdj,omitempty"`
}

// Join is a namespace that exists already.
type Join struct {
	Type  uint64 `json:"type"` // one CLONE_NEW* bit
	Path  string `json:"path"`
	Field string `json:"field"`
}

// IDMap is a line of /proc/PID/uid_map or gid_map (user_namespaces(7)).
type IDMap struct {
	ContainerID uint32 `json:"containerID"`
	HostID      uint32 `json:"hostID"`
	Size        uint32 `json:"size"`
}

// Rlimit is one resource limit (getrlimit(2)); RLIM_INFINITY is ^0.
type Rlimit struct {
	Field string `json:"field"`
	Type  int    `json:"type"` // RLIMIT_*
	Soft  uint64 `json:"soft"`
	Hard  uint64 `json:"hard"`
}

// Handle is a mount source that the parent opens and sends to init.
type Handle struct {
	Field string `json:"field"`
	Mount Mount  `json:"mount"`
}

// Op names what a step does; the words are those of logs and errors.
type Op string

// The operations of init, in the order in which a create runs them. An exec
// runs those after the root filesystem.
const (
	OpKeyring      Op = "join session keyring"       // Value: name
	OpLoopback     Op = "bring up loopback"          //
	OpPropagation  Op = "set propagation"            // Flags: MS_*; Path: "/" of the mount namespace
	OpRootfs       Op = "open root filesystem"       // Path: rootfs on the host; Flags: propagation it is given first
	OpMount        Op = "mount"                      // Path, Mount
	OpDevice       Op = "create device"              // Path, Device
	OpSymlink      Op = "create link"                // Path, Value: target
	OpSync         Op = "wait for the runtime"       // Value: SyncMounts, SyncLimits, SyncReady
	OpHooks        Op = "run hooks"                  // Value: hook kind; Hooks
	OpPivot        Op = "pivot to root filesystem"   // Flags: PivotRoot, MoveRoot or Chroot
	OpStdio        Op = "reopen standard streams"    //
	OpMakeCwd      Op = "create working directory"   // Path
	OpConsole      Op = "set up terminal"            // Console
	OpReadonlyRoot Op = "make root read-only"        //
	OpRemount      Op = "remount read-only"          // Path: a mount whose attributes come late; Mount.Attr
	OpUmask        Op = "set umask"                  // Flags
	OpHostname     Op = "set hostname"               // Value
	OpDomainname   Op = "set domain name"            // Value
	OpAppArmor     Op = "apply AppArmor profile"     // Value
	OpSysctl       Op = "set sysctl"                 // Path: below /proc/sys; Value
	OpReadonlyPath Op = "make path read-only"        // Path
	OpMaskPath     Op = "mask path"                  // Path; Value: mount label
	OpNoNewPrivs   Op = "set no_new_privs"           //
	OpIOPriority   Op = "set I/O priority"           // Flags: ioprio value
	OpPersonality  Op = "set personality"            // Flags
	OpMemoryPolicy Op = "set memory policy"          // MemoryPolicy
	OpSELinux      Op = "apply SELinux label"        // Value
	OpBounding     Op = "drop bounding capabilities" // Flags: mask that stays
	OpSeccomp      Op = "load seccomp filter"        //
	OpChdir        Op = "change directory"           // Path; Flags: 1 before the ids change, 2 after
	OpHome         Op = "find home directory"        // IDs.UID
	OpOwnStdio     Op = "own standard streams"       // IDs.UID
	OpIDs          Op = "set user and groups"        // IDs
	OpCapabilities Op = "set capabilities"           // Caps
	OpLookup       Op = "find program"               // Exec
	OpCloseFDs     Op = "close descriptors"          // Flags: how many from 3 on are kept
	OpRelease      Op = "wait for start"             // create only: the fifo
	OpSignals      Op = "restore signals"            // Signals
	OpScheduler    Op = "set scheduler"              // Scheduler
	OpExec         Op = "execute program"            //
)

// Where init waits for the parent (Step.Value of OpSync).
const (
	SyncMounts = "mounts-ready" // limits, prestart, createRuntime
	SyncLimits = "limits"       // rlimits; the answer carries the seccomp program
	SyncReady  = "ready"        // pids limit, state, pid file
)

// How the root is changed (Step.Flags of OpPivot).
const (
	PivotRoot uint64 = iota // pivot_root(2), the default
	MoveRoot                // --no-pivot: MS_MOVE and chroot
	Chroot                  // no mount namespace of its own
)

// Step is one act of init. Op says which of the other fields it reads.
type Step struct {
	Op           Op            `json:"op"`
	Field        string        `json:"field,omitempty"` // JSON path of what asked for it
	Path         string        `json:"path,omitempty"`  // inside the container unless Op says otherwise
	Value        string        `json:"value,omitempty"`
	Flags        uint64        `json:"flags,omitempty"`
	Mount        *Mount        `json:"mount,omitempty"`
	Device       *Device       `json:"device,omitempty"`
	Hooks        []Hook        `json:"hooks,omitempty"`
	Console      *Console      `json:"console,omitempty"`
	IDs          *IDs          `json:"ids,omitempty"`
	Caps         *Capabilities `json:"capabilities,omitempty"`
	Exec         *Exec         `json:"exec,omitempty"`
	Scheduler    *Scheduler    `json:"scheduler,omitempty"`
	MemoryPolicy *MemoryPolicy `json:"memoryPolicy,omitempty"`
}

// MountAttr are MOUNT_ATTR_* bits to set and to clear (mount_setattr(2)).
type MountAttr struct {
	Set   uint64 `json:"set,omitempty"`
	Clear uint64 `json:"clear,omitempty"`
}

// Mount is one mount with its options taken apart.
type Mount struct {
	// Type is the filesystem, or "bind".
	Type   string `json:"type"`
	Source string `json:"source,omitempty"`
	// Data are the filesystem's own options, "key=value" or "flag", and those
	// of the superblock ("ro", "sync").
	Data []string `json:"data,omitempty"`
	// Recursive binds the mounts below the source as well (rbind).
	Recursive bool `json:"recursive,omitempty"`
	// Attr is for the mount itself, RecAttr for it and all below.
	Attr    MountAttr `json:"attr,omitzero"`
	RecAttr MountAttr `json:"recAttr,omitzero"`
	// Propagation are MS_SHARED, MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE, each
	// perhaps with MS_REC, applied one after the other.
	Propagation []uint64 `json:"propagation,omitempty"`
	// CopyUp fills a tmpfs with what lay at its destination (tmpcopyup).
	CopyUp bool `json:"copyUp,omitempty"`
	// Optional is a mount the container can do without: a bind of a cgroup
	// hierarchy that the rootless caller cannot see.
	Optional bool `json:"optional,omitempty"`
	// NoFollowSource and NoFollowDestination are src-nofollow, dest-nofollow.
	NoFollowSource      bool `json:"noFollowSource,omitempty"`
	NoFollowDestination bool `json:"noFollowDestination,omitempty"`
	// Handle is the number, from 1, of the source that the parent opened.
	Handle int `json:"handle,omitempty"`
	// UIDMap, GIDMap: an idmapped mount (mount_setattr(2), MOUNT_ATTR_IDMAP);
	// IDMapRecursive is ridmap. Attached by the parent, with Handle.
	UIDMap         []IDMap `json:"uidMap,omitempty"`
	GIDMap         []IDMap `json:"gidMap,omitempty"`
	IDMapRecursive bool    `json:"idMapRecursive,omitempty"`
	// Fallback is tried where the kernel forbids this mount in a user
	// namespace: sysfs and cgroup2 become binds of the host's.
	Fallback *Mount `json:"fallback,omitempty"`
}

// Device is a node to make, or to bind from the host where mknod is refused.
type Device struct {
	Type  uint32 `json:"type"` // S_IFCHR, S_IFBLK, S_IFIFO
	Mode  uint32 `json:"mode"` // permission bits
	Major uint32 `json:"major"`
	Minor uint32 `json:"minor"`
	UID   uint32 `json:"uid"`
	GID   uint32 `json:"gid"`
}

// Hook is a hook that init runs itself, inside the container's namespaces.
type Hook struct {
	Field   string   `json:"field"`
	Path    string   `json:"path"`
	Args    []string `json:"args,omitempty"`
	Env     []string `json:"env,omitempty"`
	Timeout int      `json:"timeout,omitempty"` // seconds; 0 is none
	// State is the document for its standard input, less the pid.
	State string `json:"state,omitempty"`
}

// Console asks for a pseudoterminal.
type Console struct {
	Height uint16 `json:"height,omitempty"`
	Width  uint16 `json:"width,omitempty"`
	// Device is also bound onto /dev/console: create, not exec.
	Device bool `json:"device,omitempty"`
}

// IDs are the identity of the process.
type IDs struct {
	UID    uint32   `json:"uid"`
	GID    uint32   `json:"gid"`
	Groups []uint32 `json:"groups,omitempty"`
	// KeepGroups leaves the caller's groups: setgroups(2) is denied in the
	// user namespace.
	KeepGroups bool `json:"keepGroups,omitempty"`
}

// Capabilities are the five sets as masks, bit N is capability N.
type Capabilities struct {
	Bounding    uint64 `json:"bounding"`
	Effective   uint64 `json:"effective"`
	Permitted   uint64 `json:"permitted"`
	Inheritable uint64 `json:"inheritable"`
	Ambient     uint64 `json:"ambient"`
}

// Exec is the program at the end.
type Exec struct {
	Args []string `json:"args"`
	Env  []string `json:"env"`
	Cwd  string   `json:"cwd"`
}

// Scheduler are the arguments of sched_setattr(2).
type Scheduler struct {
	Policy   uint32 `json:"policy"`
	Flags    uint64 `json:"flags,omitempty"`
	Nice     int32  `json:"nice,omitempty"`
	Priority uint32 `json:"priority,omitempty"`
	Runtime  uint64 `json:"runtime,omitempty"` // ns
	Deadline uint64 `json:"deadline,omitempty"`
	Period   uint64 `json:"period,omitempty"`
}

// MemoryPolicy are the arguments of set_mempolicy(2).
type MemoryPolicy struct {
	Mode  uint32   `json:"mode"` // MPOL_* with its MPOL_F_* flags
	Nodes []uint32 `json:"nodes,omitempty"`
}

// Package uapi holds constants of the kernel's interface that
// golang.org/x/sys/unix lacks, by their kernel names. It has no code, so that
// package plan, which makes no system call, can import it.
package uapi

// linux/personality.h.
const (
	PER_LINUX   = 0x0000 //nolint:revive // the kernel's spelling
	PER_LINUX32 = 0x0008 //nolint:revive // the kernel's spelling
)

// linux/ioprio.h.
const (
	IOPRIO_CLASS_SHIFT = 13       //nolint:revive // the kernel's spelling
	IOPRIO_CLASS_RT    = 1        //nolint:revive // the kernel's spelling
	IOPRIO_CLASS_BE    = 2        //nolint:revive // the kernel's spelling
	IOPRIO_CLASS_IDLE  = 3        //nolint:revive // the kernel's spelling
	IOPRIO_LEVEL_MASK  = 1<<3 - 1 //nolint:revive // the kernel's spelling
)

// linux/sched.h, linux/sched/types.h.
const (
	SCHED_OTHER    = 0 //nolint:revive // the kernel's spelling
	SCHED_FIFO     = 1 //nolint:revive // the kernel's spelling
	SCHED_RR       = 2 //nolint:revive // the kernel's spelling
	SCHED_BATCH    = 3 //nolint:revive // the kernel's spelling
	SCHED_ISO      = 4 //nolint:revive // the kernel's spelling
	SCHED_IDLE     = 5 //nolint:revive // the kernel's spelling
	SCHED_DEADLINE = 6 //nolint:revive // the kernel's spelling

	SCHED_FLAG_RESET_ON_FORK  = 0x01 //nolint:revive // the kernel's spelling
	SCHED_FLAG_RECLAIM        = 0x02 //nolint:revive // the kernel's spelling
	SCHED_FLAG_DL_OVERRUN     = 0x04 //nolint:revive // the kernel's spelling
	SCHED_FLAG_KEEP_POLICY    = 0x08 //nolint:revive // the kernel's spelling
	SCHED_FLAG_KEEP_PARAMS    = 0x10 //nolint:revive // the kernel's spelling
	SCHED_FLAG_UTIL_CLAMP_MIN = 0x20 //nolint:revive // the kernel's spelling
	SCHED_FLAG_UTIL_CLAMP_MAX = 0x40 //nolint:revive // the kernel's spelling
)

// linux/mempolicy.h.
const (
	MPOL_DEFAULT             = 0 //nolint:revive // the kernel's spelling
	MPOL_PREFERRED           = 1 //nolint:revive // the kernel's spelling
	MPOL_BIND                = 2 //nolint:revive // the kernel's spelling
	MPOL_INTERLEAVE          = 3 //nolint:revive // the kernel's spelling
	MPOL_LOCAL               = 4 //nolint:revive // the kernel's spelling
	MPOL_PREFERRED_MANY      = 5 //nolint:revive // Linux 5.15
	MPOL_WEIGHTED_INTERLEAVE = 6 //nolint:revive // Linux 6.9

	MPOL_F_STATIC_NODES   = 1 << 15 //nolint:revive // the kernel's spelling
	MPOL_F_RELATIVE_NODES = 1 << 14 //nolint:revive // the kernel's spelling
	MPOL_F_NUMA_BALANCING = 1 << 13 //nolint:revive // Linux 5.12
)

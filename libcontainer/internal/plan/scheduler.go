package plan

import (
	"errors"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/linux/uapi"
)

// scheduler plans sched_setattr(2).
func (c *compiler) scheduler(p *specs.Process) {
	s := p.Scheduler
	if s == nil {
		return
	}
	policy := schedulerPolicy(s.Policy)
	if policy < 0 {
		c.wrong("process.scheduler.policy", errors.New("unknown policy "+strconv.Quote(string(s.Policy))))
		return
	}
	if s.Priority < 0 {
		c.wrong("process.scheduler.priority", errors.New("negative"))
		return
	}
	attr := &Scheduler{
		Policy: uint32(policy), Nice: s.Nice, Priority: uint32(s.Priority), //nolint:gosec // checked above
		Runtime: s.Runtime, Deadline: s.Deadline, Period: s.Period,
	}
	for i, name := range s.Flags {
		flag := schedulerFlag(name)
		if flag == 0 {
			c.wrong(index("process.scheduler.flags", i), errors.New("unknown flag "+strconv.Quote(string(name))))
		}
		attr.Flags |= flag
	}
	c.add(Step{Op: OpScheduler, Field: "process.scheduler", Scheduler: attr})
}

func schedulerPolicy(p specs.LinuxSchedulerPolicy) int {
	switch p {
	case specs.SchedOther:
		return uapi.SCHED_OTHER
	case specs.SchedFIFO:
		return uapi.SCHED_FIFO
	case specs.SchedRR:
		return uapi.SCHED_RR
	case specs.SchedBatch:
		return uapi.SCHED_BATCH
	case specs.SchedISO:
		return uapi.SCHED_ISO
	case specs.SchedIdle:
		return uapi.SCHED_IDLE
	case specs.SchedDeadline:
		return uapi.SCHED_DEADLINE
	default:
		return -1
	}
}

func schedulerFlag(f specs.LinuxSchedulerFlag) uint64 {
	switch f {
	case specs.SchedFlagResetOnFork:
		return uapi.SCHED_FLAG_RESET_ON_FORK
	case specs.SchedFlagReclaim:
		return uapi.SCHED_FLAG_RECLAIM
	case specs.SchedFlagDLOverrun:
		return uapi.SCHED_FLAG_DL_OVERRUN
	case specs.SchedFlagKeepPolicy:
		return uapi.SCHED_FLAG_KEEP_POLICY
	case specs.SchedFlagKeepParams:
		return uapi.SCHED_FLAG_KEEP_PARAMS
	case specs.SchedFlagUtilClampMin:
		return uapi.SCHED_FLAG_UTIL_CLAMP_MIN
	case specs.SchedFlagUtilClampMax:
		return uapi.SCHED_FLAG_UTIL_CLAMP_MAX
	default:
		return 0
	}
}

// policyEntry is a word of linux.memoryPolicy and its number.
type policyEntry struct {
	name  string
	value uint32
}

func memoryPolicyModes() [7]policyEntry {
	return [...]policyEntry{
		{string(specs.MpolDefault), uapi.MPOL_DEFAULT},
		{string(specs.MpolBind), uapi.MPOL_BIND},
		{string(specs.MpolInterleave), uapi.MPOL_INTERLEAVE},
		{string(specs.MpolWeightedInterleave), uapi.MPOL_WEIGHTED_INTERLEAVE},
		{string(specs.MpolPreferred), uapi.MPOL_PREFERRED},
		{string(specs.MpolPreferredMany), uapi.MPOL_PREFERRED_MANY},
		{string(specs.MpolLocal), uapi.MPOL_LOCAL},
	}
}

func memoryPolicyFlags() [3]policyEntry {
	return [...]policyEntry{
		{string(specs.MpolFNumaBalancing), uapi.MPOL_F_NUMA_BALANCING},
		{string(specs.MpolFRelativeNodes), uapi.MPOL_F_RELATIVE_NODES},
		{string(specs.MpolFStaticNodes), uapi.MPOL_F_STATIC_NODES},
	}
}

// MemoryPolicyModes are the modes that a configuration may name.
func MemoryPolicyModes() []string {
	modes := memoryPolicyModes()
	return policyNames(modes[:])
}

// MemoryPolicyFlags are the flags that a configuration may name.
func MemoryPolicyFlags() []string {
	flags := memoryPolicyFlags()
	return policyNames(flags[:])
}

func policyNames(list []policyEntry) []string {
	var names []string
	for _, e := range list {
		names = append(names, e.name)
	}
	return names
}

func policyValue(list []policyEntry, name string) (uint32, bool) {
	for _, e := range list {
		if e.name == name {
			return e.value, true
		}
	}
	return 0, false
}

// memoryPolicy plans set_mempolicy(2).
func (c *compiler) memoryPolicy() {
	m := c.spec.Linux.MemoryPolicy
	if m == nil {
		return
	}
	const field = "linux.memoryPolicy"
	modes, flags := memoryPolicyModes(), memoryPolicyFlags()
	mode, ok := policyValue(modes[:], string(m.Mode))
	if !ok {
		c.wrong(field+".mode", errors.New("unknown mode "+strconv.Quote(string(m.Mode))))
	}
	for i, f := range m.Flags {
		bit, ok := policyValue(flags[:], string(f))
		if !ok {
			c.wrong(index(field+".flags", i), errors.New("unknown flag "+strconv.Quote(string(f))))
		}
		mode |= bit
	}
	nodes, err := nodeList(m.Nodes)
	if err != nil {
		c.wrong(field+".nodes", err)
	}
	c.add(Step{Op: OpMemoryPolicy, Field: field, MemoryPolicy: &MemoryPolicy{Mode: mode, Nodes: nodes}})
}

// nodeList reads "0-3,7" (cpuset(7), "List format").
func nodeList(text string) ([]uint32, error) {
	const largest = 1023 // MAX_NUMNODES of the largest configuration
	var nodes []uint32
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			high = low
		}
		first, err1 := strconv.ParseUint(low, 10, 32)
		last, err2 := strconv.ParseUint(high, 10, 32)
		if err1 != nil || err2 != nil || first > last || last > largest {
			return nil, errors.New("malformed list " + strconv.Quote(text))
		}
		for n := first; n <= last; n++ {
			nodes = append(nodes, uint32(n))
		}
	}
	return nodes, nil
}

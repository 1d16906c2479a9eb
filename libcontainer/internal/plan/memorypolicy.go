package plan

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/linux/uapi"
)

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

// nodeList reads "0-3,7" (cpuset(7), "List format"). Nodes come out sorted, each
// once, so that no text makes a list longer than there can be nodes.
func nodeList(text string) ([]uint32, error) {
	const nodes = 1024 // MAX_NUMNODES of the largest configuration
	if text == "" {
		return nil, nil
	}
	var set [nodes]bool
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(strings.TrimSpace(part), "-")
		if !isRange {
			high = low
		}
		first, err1 := strconv.ParseUint(low, 10, 32)
		last, err2 := strconv.ParseUint(high, 10, 32)
		if err := errors.Join(err1, err2); err != nil || first > last {
			return nil, fmt.Errorf("malformed list %q", text)
		}
		if last >= nodes {
			return nil, fmt.Errorf("%q: node %d is beyond the last, %d", text, last, nodes-1)
		}
		for n := first; n <= last; n++ {
			set[n] = true
		}
	}
	var list []uint32
	for n := range uint32(nodes) {
		if set[n] {
			list = append(list, n)
		}
	}
	return list, nil
}

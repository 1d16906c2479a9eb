package cgroup

import (
	"fmt"
	"math"
	"strings"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

const resourcesField = "linux.resources."

// controller is one of the kernel's, by its name on v1 and on v2, where it has
// one. Devices and unified are apart from these.
type controller struct {
	v1, v2 string
	// asked is the field, below linux.resources, that makes it needed; "" is
	// none.
	asked func(*cgroups.Resources) string
	// group writes its files on v1; nil for pids, whose time is later.
	group interface {
		Set(dir string, r *cgroups.Resources) error
	}
}

// controllers are in the order in which the library sets them on v1: a cpuset
// first, for no process enters one that is empty.
func controllers() [9]controller {
	return [...]controller{
		{v1: "cpuset", v2: "cpuset", asked: askedCpuset, group: &fs.CpusetGroup{}},
		{v1: "memory", v2: "memory", asked: askedMemory, group: &fs.MemoryGroup{}},
		{v1: "cpu", v2: "cpu", asked: askedCPU, group: &fs.CpuGroup{}},
		{v1: "blkio", v2: "io", asked: askedBlockIO, group: &fs.BlkioGroup{}},
		{v1: "hugetlb", v2: "hugetlb", asked: askedHugetlb, group: &fs.HugetlbGroup{}},
		{v1: "net_cls", asked: askedClassID, group: &fs.NetClsGroup{}},
		{v1: "net_prio", asked: askedPriorities, group: &fs.NetPrioGroup{}},
		{v1: "rdma", v2: "rdma", asked: askedRdma, group: &fs.RdmaGroup{}},
		{v1: "pids", v2: "pids", asked: askedPids},
	}
}

// ask is a field and whether it is set.
type ask struct {
	set   bool
	field string
}

func firstSet(asks ...ask) string {
	for _, a := range asks {
		if a.set {
			return a.field
		}
	}
	return ""
}

func askedCpuset(r *cgroups.Resources) string {
	return firstSet(ask{r.CpusetCpus != "", "cpu.cpus"}, ask{r.CpusetMems != "", "cpu.mems"})
}

func askedMemory(r *cgroups.Resources) string {
	return firstSet(
		ask{r.Memory != 0, "memory.limit"}, ask{r.MemoryReservation != 0, "memory.reservation"},
		ask{r.MemorySwap != 0, "memory.swap"}, ask{r.OomKillDisable, "memory.disableOOMKiller"},
		// -1, as old engines say, is not set.
		ask{r.MemorySwappiness != nil && *r.MemorySwappiness != math.MaxUint64, "memory.swappiness"},
	)
}

func askedCPU(r *cgroups.Resources) string {
	return firstSet(
		ask{r.CpuShares != 0, "cpu.shares"}, ask{r.CpuQuota != 0, "cpu.quota"}, ask{r.CpuPeriod != 0, "cpu.period"},
		ask{r.CpuBurst != nil, "cpu.burst"}, ask{r.CPUIdle != nil, "cpu.idle"},
		ask{r.CpuRtRuntime != 0, "cpu.realtimeRuntime"}, ask{r.CpuRtPeriod != 0, "cpu.realtimePeriod"},
	)
}

func askedBlockIO(r *cgroups.Resources) string {
	return firstSet(
		ask{r.BlkioWeight != 0, "blockIO.weight"}, ask{r.BlkioLeafWeight != 0, "blockIO.leafWeight"},
		ask{len(r.BlkioWeightDevice) > 0, "blockIO.weightDevice"},
		ask{len(r.BlkioThrottleReadBpsDevice) > 0, "blockIO.throttleReadBpsDevice"},
		ask{len(r.BlkioThrottleWriteBpsDevice) > 0, "blockIO.throttleWriteBpsDevice"},
		ask{len(r.BlkioThrottleReadIOPSDevice) > 0, "blockIO.throttleReadIOPSDevice"},
		ask{len(r.BlkioThrottleWriteIOPSDevice) > 0, "blockIO.throttleWriteIOPSDevice"},
	)
}

func askedHugetlb(r *cgroups.Resources) string {
	return firstSet(ask{len(r.HugetlbLimit) > 0, "hugepageLimits"})
}

func askedClassID(r *cgroups.Resources) string {
	return firstSet(ask{r.NetClsClassid != 0, "network.classID"})
}

func askedPriorities(r *cgroups.Resources) string {
	return firstSet(ask{len(r.NetPrioIfpriomap) > 0, "network.priorities"})
}

func askedRdma(r *cgroups.Resources) string { return firstSet(ask{len(r.Rdma) > 0, "rdma"}) }

func askedPids(r *cgroups.Resources) string {
	return firstSet(ask{r.PidsLimit != nil, "pids.limit"})
}

// limitField is the first field that asks for a limit, "" if none does. Device
// rules are none: they are asked for by everybody, and nobody expects them of a
// rootless runtime.
func limitField(r *cgroups.Resources) string {
	list := controllers()
	for i := range list {
		if field := list[i].asked(r); field != "" {
			return resourcesField + field
		}
	}
	if len(r.Unified) > 0 {
		return resourcesField + "unified"
	}
	return ""
}

// missingV1 refuses limits for which no hierarchy is there.
func (c *Cgroup) missingV1(r *cgroups.Resources) error {
	if len(r.Unified) > 0 {
		return &fault.Error{
			Op: "set", Field: resourcesField + "unified", Err: cgroups.ErrV1NoUnified,
			Hint: "unified names files of cgroup v2",
		}
	}
	list := controllers()
	for i := range list {
		name := list[i].v1
		if c.paths[name] != "" {
			continue
		}
		if field := list[i].asked(r); field != "" {
			return &fault.Error{
				Op: "set", Field: resourcesField + field,
				Err: fmt.Errorf("the cgroup controller %s is not mounted at %s", name, c.o.root()),
			}
		}
	}
	return nil
}

// missingV2 refuses limits whose controllers are not enabled in dir, or could
// not be.
func missingV2(dir string, r *cgroups.Resources) error {
	field := limitField(r)
	if field == "" || field == resourcesField+"unified" { // those are told when they are set
		return nil
	}
	have, err := readFile(dir + "/cgroup.controllers")
	if err != nil {
		return err
	}
	list := controllers()
	for i := range list {
		name := list[i].v2
		if field := list[i].asked(r); field != "" && name != "" && !listed(have, name) {
			return &fault.Error{Op: "set", Field: resourcesField + field, Err: unavailable(dir, name, have)}
		}
	}
	return nil
}

func unavailable(dir, name, have string) error {
	if have = strings.Join(strings.Fields(have), ", "); have == "" {
		have = "none"
	}
	return fmt.Errorf("the cgroup controller %s is not available in %s, only: %s", name, dir, have)
}

// listed: name is one of the words of list.
func listed(list, name string) bool {
	for word := range strings.FieldsSeq(list) {
		if word == name {
			return true
		}
	}
	return false
}

package cgroup

import (
	"maps"
	"math"

	"github.com/opencontainers/cgroups"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// convert is the spec's resources as the library takes them. What the spec
// leaves out, or gives as 0, stays unset. The result is never nil, which the
// library could not bear, and is made anew each time: the library keeps what
// it is given.
func convert(r *specs.LinuxResources, v2 bool) *cgroups.Resources {
	out := &cgroups.Resources{}
	if r == nil {
		out.Devices = deviceRules(nil)
		return out
	}
	if v2 {
		r = forV2(r)
	}
	out.Devices = deviceRules(r.Devices)
	convertMemory(out, r.Memory)
	convertCPU(out, r.CPU, v2)
	convertBlockIO(out, r.BlockIO)
	if r.Pids != nil && r.Pids.Limit != nil {
		limit := *r.Pids.Limit
		out.PidsLimit = &limit
	}
	for _, h := range r.HugepageLimits {
		out.HugetlbLimit = append(out.HugetlbLimit, &cgroups.HugepageLimit{Pagesize: h.Pagesize, Limit: h.Limit})
	}
	if n := r.Network; n != nil {
		out.NetClsClassid = value(n.ClassID)
		for _, p := range n.Priorities {
			out.NetPrioIfpriomap = append(out.NetPrioIfpriomap,
				&cgroups.IfPrioMap{Interface: p.Name, Priority: int64(p.Priority)})
		}
	}
	if len(r.Rdma) > 0 {
		out.Rdma = make(map[string]cgroups.LinuxRdma, len(r.Rdma))
		for device, limit := range r.Rdma {
			out.Rdma[device] = cgroups.LinuxRdma{HcaHandles: limit.HcaHandles, HcaObjects: limit.HcaObjects}
		}
	}
	if len(r.Unified) > 0 {
		out.Unified = maps.Clone(r.Unified)
	}
	return out
}

// forV2 is r less what v2 has nothing for.
func forV2(r *specs.LinuxResources) *specs.LinuxResources {
	out := *r
	out.Network = nil
	if r.Memory != nil {
		memory := *r.Memory
		memory.Swappiness, memory.DisableOOMKiller = nil, nil
		out.Memory = &memory
	}
	if r.CPU != nil {
		cpu := *r.CPU
		cpu.RealtimeRuntime, cpu.RealtimePeriod = nil, nil
		out.CPU = &cpu
	}
	if r.BlockIO != nil {
		blockIO := *r.BlockIO
		blockIO.LeafWeight = nil
		out.BlockIO = &blockIO
	}
	return &out
}

// withoutEffect are the fields that forV2 leaves out, as far as they are set.
func withoutEffect(r *specs.LinuxResources) (fields []string) {
	if r == nil {
		return nil
	}
	all := convert(r, false)
	for _, a := range [...]ask{
		{r.Memory != nil && r.Memory.Swappiness != nil && *r.Memory.Swappiness != math.MaxUint64, "memory.swappiness"},
		{all.OomKillDisable, "memory.disableOOMKiller"},
		{all.CpuRtRuntime != 0, "cpu.realtimeRuntime"},
		{all.CpuRtPeriod != 0, "cpu.realtimePeriod"},
		{all.BlkioLeafWeight != 0, "blockIO.leafWeight"},
		{all.NetClsClassid != 0, "network.classID"},
		{len(all.NetPrioIfpriomap) > 0, "network.priorities"},
	} {
		if a.set {
			fields = append(fields, resourcesField+a.field)
		}
	}
	return fields
}

// value is what p points to, or the zero that stands for unset.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// convertMemory leaves out the limits of kernel memory, which kernels do not
// have any more (5.4); the user has been warned when the config was read.
func convertMemory(out *cgroups.Resources, m *specs.LinuxMemory) {
	if m == nil {
		return
	}
	out.Memory = value(m.Limit)
	out.MemoryReservation = value(m.Reservation)
	out.MemorySwap = value(m.Swap) // memory and swap; the library takes them apart for v2
	out.MemorySwappiness = m.Swappiness
	out.OomKillDisable = value(m.DisableOOMKiller)
	out.MemoryCheckBeforeUpdate = value(m.CheckBeforeUpdate)
}

func convertCPU(out *cgroups.Resources, c *specs.LinuxCPU, v2 bool) {
	if c == nil {
		return
	}
	out.CpuShares = value(c.Shares)
	out.CPUIdle = c.Idle
	// An idle cgroup has the least weight, and v2 refuses to be given another
	// (kernel/sched/fair.c, sched_group_set_shares).
	if v2 && value(c.Idle) != 1 {
		out.CpuWeight = cgroups.ConvertCPUSharesToCgroupV2Value(out.CpuShares)
	}
	out.CpuQuota = value(c.Quota)
	out.CpuBurst = c.Burst
	out.CpuPeriod = value(c.Period)
	out.CpuRtRuntime = value(c.RealtimeRuntime)
	out.CpuRtPeriod = value(c.RealtimePeriod)
	out.CpusetCpus = c.Cpus
	out.CpusetMems = c.Mems
}

func convertBlockIO(out *cgroups.Resources, b *specs.LinuxBlockIO) {
	if b == nil {
		return
	}
	out.BlkioWeight = value(b.Weight)
	out.BlkioLeafWeight = value(b.LeafWeight)
	for _, d := range b.WeightDevice {
		out.BlkioWeightDevice = append(out.BlkioWeightDevice,
			cgroups.NewWeightDevice(d.Major, d.Minor, value(d.Weight), value(d.LeafWeight)))
	}
	out.BlkioThrottleReadBpsDevice = throttles(b.ThrottleReadBpsDevice)
	out.BlkioThrottleWriteBpsDevice = throttles(b.ThrottleWriteBpsDevice)
	out.BlkioThrottleReadIOPSDevice = throttles(b.ThrottleReadIOPSDevice)
	out.BlkioThrottleWriteIOPSDevice = throttles(b.ThrottleWriteIOPSDevice)
}

func throttles(list []specs.LinuxThrottleDevice) (out []*cgroups.ThrottleDevice) {
	for _, d := range list {
		out = append(out, cgroups.NewThrottleDevice(d.Major, d.Minor, d.Rate))
	}
	return out
}

// dropDefaults leaves out what a new cgroup is like anyway. Engines send "no
// limit" for all they know, also where the kernel has no such controller.
func dropDefaults(r *cgroups.Resources) {
	for _, limit := range [...]*int64{&r.MemoryReservation, &r.MemorySwap, &r.CpuQuota} {
		if *limit < 0 {
			*limit = 0
		}
	}
	// A limit of swap says something else where it stands alone.
	if r.Memory < 0 && r.MemorySwap == 0 {
		r.Memory = 0
	}
	if r.PidsLimit != nil && *r.PidsLimit < 0 {
		r.PidsLimit = nil
	}
	if r.CpuBurst != nil && *r.CpuBurst == 0 {
		r.CpuBurst = nil
	}
	if r.CPUIdle != nil && *r.CPUIdle == 0 {
		r.CPUIdle = nil
	}
}

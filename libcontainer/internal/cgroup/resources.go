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
	for _, limit := range [...]*int64{&r.Memory, &r.MemoryReservation, &r.MemorySwap, &r.CpuQuota} {
		if *limit < 0 {
			*limit = 0
		}
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

// limited tells whether any limit is asked for. Device rules are none: they
// are asked for by everybody, and nobody expects them of a rootless runtime.
func limited(r *specs.LinuxResources) bool {
	if r == nil {
		return false
	}
	c := convert(r, false)
	dropDefaults(c)
	memory := c.Memory != 0 || c.MemoryReservation != 0 || c.MemorySwap != 0 || c.OomKillDisable ||
		c.MemorySwappiness != nil && *c.MemorySwappiness != math.MaxUint64 // -1, as old engines say
	cpu := c.CpuShares != 0 || c.CpuQuota != 0 || c.CpuBurst != nil || c.CpuPeriod != 0 ||
		c.CpuRtRuntime != 0 || c.CpuRtPeriod != 0 || c.CpusetCpus != "" || c.CpusetMems != "" || c.CPUIdle != nil
	blockIO := c.BlkioWeight != 0 || c.BlkioLeafWeight != 0 || len(c.BlkioWeightDevice) > 0 ||
		len(c.BlkioThrottleReadBpsDevice) > 0 || len(c.BlkioThrottleWriteBpsDevice) > 0 ||
		len(c.BlkioThrottleReadIOPSDevice) > 0 || len(c.BlkioThrottleWriteIOPSDevice) > 0
	return memory || cpu || blockIO || c.PidsLimit != nil || len(c.HugetlbLimit) > 0 ||
		c.NetClsClassid != 0 || len(c.NetPrioIfpriomap) > 0 || len(c.Rdma) > 0 || len(c.Unified) > 0
}

package cgroup

import (
	"maps"

	"github.com/opencontainers/cgroups"
	devices "github.com/opencontainers/cgroups/devices/config"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// convert is the spec's resources as the controllers take them. What the spec
// leaves out, or gives as 0, stays unset. The result is never nil.
func convert(r *specs.LinuxResources, v2 bool) *cgroups.Resources {
	out := &cgroups.Resources{}
	if r == nil {
		r = &specs.LinuxResources{}
	}
	out.Devices = deviceRules(r.Devices)
	convertMemory(out, r.Memory)
	convertCPU(out, r.CPU, v2)
	convertBlockIO(out, r.BlockIO)
	for _, h := range r.HugepageLimits {
		out.HugetlbLimit = append(out.HugetlbLimit, &cgroups.HugepageLimit{Pagesize: h.Pagesize, Limit: h.Limit})
	}
	if r.Network != nil {
		if r.Network.ClassID != nil {
			out.NetClsClassid = *r.Network.ClassID
		}
		for _, p := range r.Network.Priorities {
			out.NetPrioIfpriomap = append(out.NetPrioIfpriomap,
				&cgroups.IfPrioMap{Interface: p.Name, Priority: int64(p.Priority)})
		}
	}
	for name, limit := range r.Rdma {
		if out.Rdma == nil {
			out.Rdma = make(map[string]cgroups.LinuxRdma)
		}
		out.Rdma[name] = cgroups.LinuxRdma{HcaHandles: limit.HcaHandles, HcaObjects: limit.HcaObjects}
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

func convertMemory(out *cgroups.Resources, m *specs.LinuxMemory) {
	if m == nil {
		return
	}
	out.Memory = value(m.Limit)
	out.MemoryReservation = value(m.Reservation)
	out.MemorySwap = value(m.Swap)
	out.MemorySwappiness = m.Swappiness
	out.OomKillDisable = value(m.DisableOOMKiller)
	out.MemoryCheckBeforeUpdate = value(m.CheckBeforeUpdate)
}

func convertCPU(out *cgroups.Resources, c *specs.LinuxCPU, v2 bool) {
	if c == nil {
		return
	}
	out.CpuShares = value(c.Shares)
	if v2 {
		out.CpuWeight = cgroups.ConvertCPUSharesToCgroupV2Value(out.CpuShares)
	}
	out.CpuQuota = value(c.Quota)
	out.CpuBurst = c.Burst
	out.CpuPeriod = value(c.Period)
	out.CpuRtRuntime = value(c.RealtimeRuntime)
	out.CpuRtPeriod = value(c.RealtimePeriod)
	out.CpusetCpus = c.Cpus
	out.CpusetMems = c.Mems
	out.CPUIdle = c.Idle
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
	for _, t := range [...]struct {
		from []specs.LinuxThrottleDevice
		to   *[]*cgroups.ThrottleDevice
	}{
		{b.ThrottleReadBpsDevice, &out.BlkioThrottleReadBpsDevice},
		{b.ThrottleWriteBpsDevice, &out.BlkioThrottleWriteBpsDevice},
		{b.ThrottleReadIOPSDevice, &out.BlkioThrottleReadIOPSDevice},
		{b.ThrottleWriteIOPSDevice, &out.BlkioThrottleWriteIOPSDevice},
	} {
		for _, d := range t.from {
			*t.to = append(*t.to, cgroups.NewThrottleDevice(d.Major, d.Minor, d.Rate))
		}
	}
}

// deviceRules are the spec's, then those that every container has: it may make
// any node, and use the default devices, terminals and tun.
func deviceRules(list []specs.LinuxDeviceCgroup) []*devices.Rule {
	var rules []*devices.Rule
	for _, d := range list {
		kind := devices.WildcardDevice
		if d.Type != "" {
			kind = devices.Type(d.Type[0])
		}
		if kind == 'u' {
			kind = devices.CharDevice
		}
		rules = append(rules, &devices.Rule{
			Type: kind, Major: number(d.Major), Minor: number(d.Minor),
			// In the kernel's order, whatever the spec's.
			Permissions: devices.Permissions("").Union(devices.Permissions(d.Access)), Allow: d.Allow,
		})
	}
	return append(rules, defaultRules()...)
}

func number(n *int64) int64 {
	if n == nil {
		return devices.Wildcard
	}
	return *n
}

func defaultRules() []*devices.Rule {
	const all = devices.Wildcard
	rules := []*devices.Rule{
		{Type: devices.CharDevice, Major: all, Minor: all, Permissions: "m", Allow: true},
		{Type: devices.BlockDevice, Major: all, Minor: all, Permissions: "m", Allow: true},
	}
	for _, d := range [...][2]int64{
		{1, 3}, {1, 5}, {1, 7}, {1, 8}, {1, 9}, {5, 0}, // null zero full random urandom tty
		{136, all}, {5, 2}, // pts/*, ptmx
		{10, 200}, // net/tun
	} {
		rules = append(rules, &devices.Rule{
			Type: devices.CharDevice, Major: d[0], Minor: d[1], Permissions: "rwm", Allow: true,
		})
	}
	return rules
}

// withoutMknod are the rules without those that let every node be made, which
// a parent may not have.
func withoutMknod(rules []*devices.Rule) []*devices.Rule {
	var rest []*devices.Rule
	for _, r := range rules {
		if r.Allow && r.Permissions == "m" && r.Major == devices.Wildcard && r.Minor == devices.Wildcard {
			continue
		}
		rest = append(rest, r)
	}
	return rest
}

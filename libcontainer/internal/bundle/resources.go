package bundle

import (
	"math"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// resources are those of a config.
func (m *mistakes) resources(r *specs.LinuxResources, at string) {
	m.deviceRules(r.Devices, at)
	m.limits(r, at, false)
	for i, h := range r.HugepageLimits {
		if !isPageSize(h.Pagesize) {
			m.addf(index(at+"hugepageLimits", i)+".pageSize", "%q is no size like 64KB, 2MB or 1GB", h.Pagesize)
		}
	}
	if r.Network != nil {
		for i, p := range r.Network.Priorities {
			if why := badInterface(p.Name); why != "" {
				m.add(index(at+"network.priorities", i)+".name", why)
			}
		}
	}
	m.rdma(r.Rdma, at)
}

// limits are what an update may change as well. What it leaves out stays as it
// was, so that less can be said about it.
func (m *mistakes) limits(r *specs.LinuxResources, at string, update bool) {
	if r.Memory != nil {
		m.memory(r.Memory, at+"memory.", update)
	}
	if r.CPU != nil {
		m.cpu(r.CPU, at+"cpu.")
	}
	if r.Pids != nil && value(r.Pids.Limit) < -1 {
		m.addf(at+"pids.limit", "%d is negative: -1 is no limit", *r.Pids.Limit)
	}
	if r.BlockIO != nil {
		m.blockIO(r.BlockIO, at+"blockIO.")
	}
	m.unified(r.Unified, at)
}

// memory: -1 is no limit and 0, which engines send, is not set.
func (m *mistakes) memory(r *specs.LinuxMemory, at string, update bool) {
	for _, f := range [...]struct {
		name  string
		value *int64
	}{
		{"limit", r.Limit},
		{"reservation", r.Reservation},
		{"swap", r.Swap},
		{"kernel", r.Kernel}, //nolint:staticcheck // deprecated, and sent
		{"kernelTCP", r.KernelTCP},
	} {
		if value(f.value) < -1 {
			m.addf(at+f.name, "%d is negative: -1 is no limit", *f.value)
		}
	}
	// swap is memory and swap together (config-linux.md, "Memory").
	limit, swap := value(r.Limit), value(r.Swap)
	switch {
	case swap > 0 && limit > swap:
		m.addf(at+"swap", "%d is below the limit, %d: it counts memory and swap together", swap, limit)
	case swap > 0 && limit <= 0 && !update:
		m.addf(at+"swap", "needs a memory limit: %slimit is missing", at)
	}
	// (uint64)-1 is how old engines say "not set".
	if s := value(r.Swappiness); s > 100 && s != math.MaxUint64 {
		m.addf(at+"swappiness", "%d is out of range: 0 to 100", s)
	}
}

// The least and the longest that the kernel takes, in microseconds
// (kernel/sched/core.c, min_cfs_quota_period and max_cfs_quota_period).
const (
	minQuota  = 1000
	maxPeriod = 1_000_000
)

func (m *mistakes) cpu(r *specs.LinuxCPU, at string) {
	quota := value(r.Quota)
	if quota > 0 && quota < minQuota {
		m.addf(at+"quota", "%d µs is too little: at least %d", quota, minQuota)
	}
	if p := value(r.Period); p != 0 && (p < minQuota || p > maxPeriod) {
		m.addf(at+"period", "%d µs is out of range: %d to %d", p, minQuota, maxPeriod)
	}
	if b := value(r.Burst); quota > 0 && b > uint64(quota) {
		m.addf(at+"burst", "%d is above the quota, %d", b, quota)
	}
	if run, period := value(r.RealtimeRuntime), value(r.RealtimePeriod); run > 0 && period > 0 && uint64(run) > period {
		m.addf(at+"realtimeRuntime", "%d is above the period, %d", run, period)
	}
	m.kernelList(at+"cpus", r.Cpus)
	m.kernelList(at+"mems", r.Mems)
	if i := value(r.Idle); i != 0 && i != 1 {
		m.addf(at+"idle", "%d is neither 0 nor 1", i)
	}
}

func (m *mistakes) blockIO(r *specs.LinuxBlockIO, at string) {
	m.weight(at+"weight", r.Weight)
	m.weight(at+"leafWeight", r.LeafWeight)
	for i, d := range r.WeightDevice {
		at := index(at+"weightDevice", i)
		m.blockDevice(d.LinuxBlockIODevice, at)
		if d.Weight == nil && d.LeafWeight == nil {
			m.add(at, "neither weight nor leafWeight is given")
		}
		m.weight(at+".weight", d.Weight)
		m.weight(at+".leafWeight", d.LeafWeight)
	}
	for _, f := range [...]struct {
		name string
		list []specs.LinuxThrottleDevice
	}{
		{"throttleReadBpsDevice", r.ThrottleReadBpsDevice},
		{"throttleWriteBpsDevice", r.ThrottleWriteBpsDevice},
		{"throttleReadIOPSDevice", r.ThrottleReadIOPSDevice},
		{"throttleWriteIOPSDevice", r.ThrottleWriteIOPSDevice},
	} {
		for i, d := range f.list {
			m.blockDevice(d.LinuxBlockIODevice, index(at+f.name, i))
		}
	}
}

// weight: 10 to 1000 (cgroup-v1/blkio-controller.rst); 0, which engines send, is
// not set.
func (m *mistakes) weight(field string, w *uint16) {
	if n := value(w); n != 0 && (n < 10 || n > 1000) {
		m.addf(field, "%d is out of range: 10 to 1000", n)
	}
}

func (m *mistakes) blockDevice(d specs.LinuxBlockIODevice, at string) {
	if d.Major < 0 || d.Major > maxMajor {
		m.addf(at+".major", "%d is out of range: 0 to %d", d.Major, maxMajor)
	}
	if d.Minor < 0 || d.Minor > maxMinor {
		m.addf(at+".minor", "%d is out of range: 0 to %d", d.Minor, maxMinor)
	}
}

// isPageSize: the form of the names below /sys/fs/cgroup/hugetlb, like 2MB.
func isPageSize(s string) bool {
	n, ok := strings.CutSuffix(s, "B")
	if !ok || len(n) < 2 || !strings.ContainsRune("KMGTPE", rune(n[len(n)-1])) {
		return false
	}
	n = n[:len(n)-1]
	return n[0] != '0' && strings.Trim(n, "0123456789") == ""
}

func (m *mistakes) rdma(limits map[string]specs.LinuxRdma, at string) {
	first := len(m.list)
	for device, l := range limits {
		if device == "" || strings.ContainsAny(device, " \t\n\x00") {
			m.add(key(at+"rdma", device), "not a name for a device")
		}
		if l.HcaHandles == nil && l.HcaObjects == nil {
			m.add(key(at+"rdma", device), "neither hcaHandles nor hcaObjects is given")
		}
	}
	m.sortFrom(first)
}

// unified: each key is a file of the cgroup's directory and of no other.
func (m *mistakes) unified(files map[string]string, at string) {
	first := len(m.list)
	for name, v := range files {
		if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
			m.add(key(at+"unified", name), "not a name for a file of a cgroup")
		}
		m.text(key(at+"unified", name), v)
	}
	m.sortFrom(first)
}

// cgroupsPath is a path, or slice:prefix:name for the systemd driver.
func (m *mistakes) cgroupsPath(path string) {
	m.line("linux.cgroupsPath", path)
	for part := range strings.SplitSeq(path, "/") {
		if part == ".." {
			m.addf("linux.cgroupsPath", "%q leads out of its parent with ..", path)
			return
		}
	}
}

// value is what p points to, zero for an absent one.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

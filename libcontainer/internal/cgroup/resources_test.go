package cgroup

import (
	"reflect"
	"testing"

	"github.com/opencontainers/cgroups"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestConvert(t *testing.T) {
	for name, tc := range map[string]struct {
		in   *specs.LinuxResources
		v2   bool
		want cgroups.Resources // its device rules are not compared
	}{
		"absent":    {},
		"empty":     {in: &specs.LinuxResources{}},
		"empty cpu": {in: &specs.LinuxResources{CPU: &specs.LinuxCPU{}, Pids: &specs.LinuxPids{}, Network: &specs.LinuxNetwork{}}},
		"zero is not set": {in: &specs.LinuxResources{
			CPU:     &specs.LinuxCPU{Shares: new(uint64(0)), Quota: new(int64(0)), Period: new(uint64(0))},
			Memory:  &specs.LinuxMemory{Limit: new(int64(0)), Swap: new(int64(0))},
			BlockIO: &specs.LinuxBlockIO{Weight: new(uint16(0))},
		}, v2: true},
		"memory": {
			in: &specs.LinuxResources{Memory: &specs.LinuxMemory{
				Limit: new(int64(2)), Reservation: new(int64(1)), Swap: new(int64(3)), Swappiness: new(uint64(60)),
				Kernel:    new(int64(9)), //nolint:staticcheck // deprecated, and sent
				KernelTCP: new(int64(9)), DisableOOMKiller: new(true), CheckBeforeUpdate: new(true),
			}},
			want: cgroups.Resources{
				Memory: 2, MemoryReservation: 1, MemorySwap: 3, MemorySwappiness: new(uint64(60)),
				OomKillDisable: true, MemoryCheckBeforeUpdate: true,
			},
		},
		"cpu on v1": {
			in: &specs.LinuxResources{CPU: &specs.LinuxCPU{
				Shares: new(uint64(512)), Quota: new(int64(-1)), Period: new(uint64(30000)), Burst: new(uint64(7)),
				RealtimeRuntime: new(int64(5)), RealtimePeriod: new(uint64(6)), Cpus: "0-1", Mems: "0", Idle: new(int64(1)),
			}},
			want: cgroups.Resources{
				CpuShares: 512, CpuQuota: -1, CpuPeriod: 30000, CpuBurst: new(uint64(7)),
				CpuRtRuntime: 5, CpuRtPeriod: 6, CpusetCpus: "0-1", CpusetMems: "0", CPUIdle: new(int64(1)),
			},
		},
		"shares become a weight on v2, least":   {in: shares(2), v2: true, want: cgroups.Resources{CpuShares: 2, CpuWeight: 1}},
		"shares become a weight on v2, default": {in: shares(1024), v2: true, want: cgroups.Resources{CpuShares: 1024, CpuWeight: 100}},
		"shares become a weight on v2, most":    {in: shares(262144), v2: true, want: cgroups.Resources{CpuShares: 262144, CpuWeight: 10000}},
		"no weight for an idle cgroup": {
			in: &specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: new(uint64(1024)), Idle: new(int64(1))}}, v2: true,
			want: cgroups.Resources{CpuShares: 1024, CPUIdle: new(int64(1))},
		},
		"pids 0":  {in: &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(0))}}, want: cgroups.Resources{PidsLimit: new(int64(0))}},
		"pids -1": {in: &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(-1))}}, want: cgroups.Resources{PidsLimit: new(int64(-1))}},
		"block I/O": {
			in: &specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{
				Weight: new(uint16(10)), LeafWeight: new(uint16(20)),
				WeightDevice: []specs.LinuxWeightDevice{{
					LinuxBlockIODevice: specs.LinuxBlockIODevice{Major: 8}, Weight: new(uint16(30)),
				}},
				ThrottleReadBpsDevice:   []specs.LinuxThrottleDevice{{Rate: 1}},
				ThrottleWriteBpsDevice:  []specs.LinuxThrottleDevice{{Rate: 2}},
				ThrottleReadIOPSDevice:  []specs.LinuxThrottleDevice{{Rate: 3}},
				ThrottleWriteIOPSDevice: []specs.LinuxThrottleDevice{{Rate: 4}},
			}},
			want: cgroups.Resources{
				BlkioWeight: 10, BlkioLeafWeight: 20,
				BlkioWeightDevice:            []*cgroups.WeightDevice{cgroups.NewWeightDevice(8, 0, 30, 0)},
				BlkioThrottleReadBpsDevice:   []*cgroups.ThrottleDevice{cgroups.NewThrottleDevice(0, 0, 1)},
				BlkioThrottleWriteBpsDevice:  []*cgroups.ThrottleDevice{cgroups.NewThrottleDevice(0, 0, 2)},
				BlkioThrottleReadIOPSDevice:  []*cgroups.ThrottleDevice{cgroups.NewThrottleDevice(0, 0, 3)},
				BlkioThrottleWriteIOPSDevice: []*cgroups.ThrottleDevice{cgroups.NewThrottleDevice(0, 0, 4)},
			},
		},
		"the rest": {
			in: &specs.LinuxResources{
				HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB", Limit: 9}},
				Network: &specs.LinuxNetwork{
					ClassID: new(uint32(5)), Priorities: []specs.LinuxInterfacePriority{{Name: "lo", Priority: 3}},
				},
				Rdma:    map[string]specs.LinuxRdma{"mlx": {HcaHandles: new(uint32(2))}},
				Unified: map[string]string{"memory.high": "1"},
			},
			want: cgroups.Resources{
				HugetlbLimit:  []*cgroups.HugepageLimit{{Pagesize: "2MB", Limit: 9}},
				NetClsClassid: 5, NetPrioIfpriomap: []*cgroups.IfPrioMap{{Interface: "lo", Priority: 3}},
				Rdma:    map[string]cgroups.LinuxRdma{"mlx": {HcaHandles: new(uint32(2))}},
				Unified: map[string]string{"memory.high": "1"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := convert(tc.in, tc.v2)
			if len(got.Devices) == 0 {
				t.Error("no device rules")
			}
			got.Devices = nil
			if !reflect.DeepEqual(*got, tc.want) {
				t.Errorf("got %+v\nwant %+v", *got, tc.want)
			}
		})
	}
}

func shares(n uint64) *specs.LinuxResources {
	return &specs.LinuxResources{CPU: &specs.LinuxCPU{Shares: &n}}
}

func TestLimited(t *testing.T) {
	for name, tc := range map[string]struct {
		in   *specs.LinuxResources
		want bool
	}{
		"absent":   {},
		"devices":  {in: &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{{Access: "rwm"}}}},
		"no limit": {in: &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(-1))}, Memory: &specs.LinuxMemory{Limit: new(int64(-1)), Swappiness: new(^uint64(0))}}},
		"pids 0":   {in: &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(0))}}, want: true},
		"shares":   {in: shares(2), want: true},
		"cpuset":   {in: &specs.LinuxResources{CPU: &specs.LinuxCPU{Mems: "0"}}, want: true},
		"unified":  {in: &specs.LinuxResources{Unified: map[string]string{"a.b": "c"}}, want: true},
		"weight":   {in: &specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: new(uint16(10))}}, want: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := convert(tc.in, false)
			dropDefaults(r)
			if got := limitField(r) != ""; got != tc.want {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

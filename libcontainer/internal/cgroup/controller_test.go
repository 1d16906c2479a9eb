package cgroup

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// each is a limit of each kind, by its field.
func each() map[string]*specs.LinuxResources {
	throttle := []specs.LinuxThrottleDevice{{Rate: 1}}
	memory := func(m specs.LinuxMemory) *specs.LinuxResources { return &specs.LinuxResources{Memory: &m} }
	cpu := func(c specs.LinuxCPU) *specs.LinuxResources { return &specs.LinuxResources{CPU: &c} }
	blockIO := func(b specs.LinuxBlockIO) *specs.LinuxResources { return &specs.LinuxResources{BlockIO: &b} }
	return map[string]*specs.LinuxResources{
		"memory.limit":                    memory(specs.LinuxMemory{Limit: new(int64(1))}),
		"memory.reservation":              memory(specs.LinuxMemory{Reservation: new(int64(1))}),
		"memory.swap":                     memory(specs.LinuxMemory{Swap: new(int64(1))}),
		"memory.swappiness":               memory(specs.LinuxMemory{Swappiness: new(uint64(0))}),
		"memory.disableOOMKiller":         memory(specs.LinuxMemory{DisableOOMKiller: new(true)}),
		"cpu.shares":                      cpu(specs.LinuxCPU{Shares: new(uint64(2))}),
		"cpu.quota":                       cpu(specs.LinuxCPU{Quota: new(int64(1))}),
		"cpu.period":                      cpu(specs.LinuxCPU{Period: new(uint64(1))}),
		"cpu.burst":                       cpu(specs.LinuxCPU{Burst: new(uint64(1))}),
		"cpu.idle":                        cpu(specs.LinuxCPU{Idle: new(int64(1))}),
		"cpu.realtimeRuntime":             cpu(specs.LinuxCPU{RealtimeRuntime: new(int64(1))}),
		"cpu.realtimePeriod":              cpu(specs.LinuxCPU{RealtimePeriod: new(uint64(1))}),
		"cpu.cpus":                        cpu(specs.LinuxCPU{Cpus: "0"}),
		"cpu.mems":                        cpu(specs.LinuxCPU{Mems: "0"}),
		"blockIO.weight":                  blockIO(specs.LinuxBlockIO{Weight: new(uint16(10))}),
		"blockIO.leafWeight":              blockIO(specs.LinuxBlockIO{LeafWeight: new(uint16(10))}),
		"blockIO.weightDevice":            blockIO(specs.LinuxBlockIO{WeightDevice: []specs.LinuxWeightDevice{{Weight: new(uint16(10))}}}),
		"blockIO.throttleReadBpsDevice":   blockIO(specs.LinuxBlockIO{ThrottleReadBpsDevice: throttle}),
		"blockIO.throttleWriteBpsDevice":  blockIO(specs.LinuxBlockIO{ThrottleWriteBpsDevice: throttle}),
		"blockIO.throttleReadIOPSDevice":  blockIO(specs.LinuxBlockIO{ThrottleReadIOPSDevice: throttle}),
		"blockIO.throttleWriteIOPSDevice": blockIO(specs.LinuxBlockIO{ThrottleWriteIOPSDevice: throttle}),
		"hugepageLimits":                  {HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "2MB"}}},
		"network.classID":                 {Network: &specs.LinuxNetwork{ClassID: new(uint32(1))}},
		"network.priorities":              {Network: &specs.LinuxNetwork{Priorities: []specs.LinuxInterfacePriority{{Name: "lo"}}}},
		"rdma":                            {Rdma: map[string]specs.LinuxRdma{"mlx": {}}},
		"pids.limit":                      {Pids: &specs.LinuxPids{Limit: new(int64(0))}},
		"unified":                         {Unified: map[string]string{"a.b": "c"}},
	}
}

// onlyV1 are the fields for which v2 has nothing.
var onlyV1 = []string{
	"memory.swappiness", "memory.disableOOMKiller", "cpu.realtimeRuntime", "cpu.realtimePeriod",
	"blockIO.leafWeight", "network.classID", "network.priorities",
}

// Every limit is seen, needs its controller, and says which field it is.
func TestMissing(t *testing.T) {
	for field, r := range each() {
		t.Run(field, func(t *testing.T) {
			without := &Cgroup{resources: r, paths: map[string]string{"freezer": "/sys/fs/cgroup/freezer/c"}}
			if got := limitField(without.limits()); got != resourcesField+field {
				t.Errorf("v1: limited by %q", got)
			}
			checkFault(t, without.missingV1(without.limits()), "cgroup", resourcesField+field)

			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "cgroup.controllers"), []byte("misc\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			v2 := &Cgroup{resources: r, v2: true}
			none := slices.Contains(onlyV1, field)
			want := []string{resourcesField + field}
			if got := withoutEffect(r); none != slices.Equal(got, want) {
				t.Errorf("v2: without effect: %q", got)
			}
			err := missingV2(dir, v2.limits())
			if none || field == "unified" {
				checkError(t, err, "")
			} else {
				checkFault(t, err, "only: misc", resourcesField+field)
			}
		})
	}
}

func TestNothingMissing(t *testing.T) {
	c := &Cgroup{resources: each()["memory.limit"], paths: map[string]string{"memory": "/sys/fs/cgroup/memory/c"}}
	checkError(t, c.missingV1(c.limits()), "")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cgroup.controllers"), []byte("cpu memory pids\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.v2 = true
	checkError(t, missingV2(dir, c.limits()), "")
}

// Rootless, a hierarchy that may not be used is done without, unless a limit
// or a path was asked for in it.
func TestDispensable(t *testing.T) {
	paths := map[string]string{
		"cpu": "/cg/cpu,cpuacct/c", "cpuacct": "/cg/cpu,cpuacct/c", "memory": "/cg/memory/c", "pids": "/cg/pids/c",
		"name=systemd": "/cg/systemd/c", unified: "/cg/unified/c",
	}
	for name, tc := range map[string]struct {
		rootful bool
		asked   string
		r       *specs.LinuxResources
		want    []string
	}{
		"root":           {rootful: true},
		"rootless":       {want: []string{"/cg/cpu,cpuacct/c", "/cg/memory/c", "/cg/pids/c", "/cg/systemd/c", "/cg/unified/c"}},
		"a path":         {asked: "/c", want: []string{"/cg/systemd/c", "/cg/unified/c"}},
		"limit of CPU":   {r: shares(2), want: []string{"/cg/memory/c", "/cg/pids/c", "/cg/systemd/c", "/cg/unified/c"}},
		"limit of pids":  {r: each()["pids.limit"], want: []string{"/cg/cpu,cpuacct/c", "/cg/memory/c", "/cg/systemd/c", "/cg/unified/c"}},
		"no limit of it": {r: &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(-1))}}, want: []string{"/cg/cpu,cpuacct/c", "/cg/memory/c", "/cg/pids/c", "/cg/systemd/c", "/cg/unified/c"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := &Cgroup{o: Options{Rootless: !tc.rootful}, asked: tc.asked, resources: tc.r, paths: paths}
			var got []string
			for _, dir := range c.directories() {
				if c.dispensable(dir) {
					got = append(got, dir)
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestDropDefaults(t *testing.T) {
	for name, tc := range map[string]struct {
		memory, swap         int64
		wantMemory, wantSwap int64
	}{
		"no limits":             {-1, -1, 0, 0},
		"no limit of memory":    {-1, 0, 0, 0},
		"a limit of swap alone": {-1, 5, -1, 5}, // without the -1 it would have nothing to add to
		"a limit of memory":     {5, -1, 5, 0},
		"both":                  {5, 7, 5, 7},
	} {
		t.Run(name, func(t *testing.T) {
			r := convert(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &tc.memory, Swap: &tc.swap}}, true)
			dropDefaults(r)
			if r.Memory != tc.wantMemory || r.MemorySwap != tc.wantSwap {
				t.Errorf("got %d and %d, want %d and %d", r.Memory, r.MemorySwap, tc.wantMemory, tc.wantSwap)
			}
		})
	}
}

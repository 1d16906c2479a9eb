package cgroup

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/opencontainers/cgroups"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestResourceField(t *testing.T) {
	pages := &specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{{Pagesize: "1GB"}, {Pagesize: "2MB"}}}
	period := &specs.LinuxResources{CPU: &specs.LinuxCPU{Period: new(uint64(9))}}
	both := &specs.LinuxResources{CPU: &specs.LinuxCPU{Period: new(uint64(9)), Quota: new(int64(9))}}
	weight := &specs.LinuxResources{BlockIO: &specs.LinuxBlockIO{Weight: new(uint16(10))}}
	for name, tc := range map[string]struct {
		file, written string
		r             *specs.LinuxResources
		want          string
	}{
		"v1 memory":           {file: "memory.limit_in_bytes", want: "memory.limit"},
		"v1 memory and swap":  {file: "memory.memsw.limit_in_bytes", want: "memory.swap"},
		"v1 soft limit":       {file: "memory.soft_limit_in_bytes", want: "memory.reservation"},
		"v1 OOM":              {file: "memory.oom_control", want: "memory.disableOOMKiller"},
		"v1 swappiness":       {file: "memory.swappiness", want: "memory.swappiness"},
		"v1 shares":           {file: "cpu.shares", want: "cpu.shares"},
		"v1 quota":            {file: "cpu.cfs_quota_us", want: "cpu.quota"},
		"v1 period":           {file: "cpu.cfs_period_us", want: "cpu.period"},
		"v1 burst":            {file: "cpu.cfs_burst_us", want: "cpu.burst"},
		"v1 realtime":         {file: "cpu.rt_runtime_us", want: "cpu.realtimeRuntime"},
		"v1 realtime period":  {file: "cpu.rt_period_us", want: "cpu.realtimePeriod"},
		"idle":                {file: "cpu.idle", want: "cpu.idle"},
		"cpus":                {file: "cpuset.cpus", want: "cpu.cpus"},
		"mems":                {file: "cpuset.mems", want: "cpu.mems"},
		"pids":                {file: "pids.max", want: "pids.limit"},
		"v1 weight":           {file: "blkio.bfq.weight", want: "blockIO.weight"},
		"v1 leaf weight":      {file: "blkio.leaf_weight", want: "blockIO.leafWeight"},
		"v1 weight of device": {file: "blkio.weight_device", want: "blockIO.weightDevice"},
		"v1 read_bps":         {file: "blkio.throttle.read_bps_device", want: "blockIO.throttleReadBpsDevice"},
		"v1 write_bps":        {file: "blkio.throttle.write_bps_device", want: "blockIO.throttleWriteBpsDevice"},
		"v1 read_iops":        {file: "blkio.throttle.read_iops_device", want: "blockIO.throttleReadIOPSDevice"},
		"v1 write_iops":       {file: "blkio.throttle.write_iops_device", want: "blockIO.throttleWriteIOPSDevice"},
		"v1 huge pages":       {file: "hugetlb.2MB.limit_in_bytes", r: pages, want: "hugepageLimits[1]"},
		"v1 reserved":         {file: "hugetlb.1GB.rsvd.limit_in_bytes", r: pages, want: "hugepageLimits[0]"},
		"v1 class":            {file: "net_cls.classid", want: "network.classID"},
		"v1 priorities":       {file: "net_prio.ifpriomap", want: "network.priorities"},
		"rdma":                {file: "rdma.max", want: "rdma"},
		"v1 devices":          {file: "devices.allow", want: "devices"},
		"v2 memory":           {file: "memory.max", want: "memory.limit"},
		"v2 swap":             {file: "memory.swap.max", want: "memory.swap"},
		"v2 reservation":      {file: "memory.low", want: "memory.reservation"},
		"v2 weight":           {file: "cpu.weight", want: "cpu.shares"},
		"v2 quota":            {file: "cpu.max", r: both, want: "cpu.quota"},
		"v2 period":           {file: "cpu.max", r: period, want: "cpu.period"},
		"v2 burst":            {file: "cpu.max.burst", want: "cpu.burst"},
		"v2 huge pages":       {file: "hugetlb.2MB.max", r: pages, want: "hugepageLimits[1]"},
		"v2 size not asked":   {file: "hugetlb.64KB.max", r: pages, want: "hugepageLimits"},
		"v2 io weight":        {file: "io.bfq.weight", r: weight, want: "blockIO.weight"},
		"v2 weight of device": {file: "io.bfq.weight", want: "blockIO.weightDevice"},
		"v2 rbps":             {file: "io.max", written: "8:0 rbps=1", want: "blockIO.throttleReadBpsDevice"},
		"v2 wbps":             {file: "io.max", written: "8:0 wbps=1", want: "blockIO.throttleWriteBpsDevice"},
		"v2 riops":            {file: "io.max", written: "8:0 riops=1", want: "blockIO.throttleReadIOPSDevice"},
		"v2 wiops":            {file: "io.max", written: "8:0 wiops=1", want: "blockIO.throttleWriteIOPSDevice"},
		"another of memory's": {file: "memory.usage_in_bytes", want: "memory"},
		"of the core":         {file: "cgroup.procs"},
		"a directory":         {file: "memory-hungry"},
	} {
		t.Run(name, func(t *testing.T) {
			var err error = &os.PathError{Op: "write", Path: "/sys/fs/cgroup/memory/c/" + tc.file, Err: os.ErrInvalid}
			// As the library wraps it.
			err = fmt.Errorf("failed to write %q: %w", tc.written, err)
			want := tc.want
			if want != "" {
				want = "linux.resources." + want
			}
			if got := resourceField(err, tc.r); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

// Errors of the library that come without a file.
func TestTextField(t *testing.T) {
	_, alone := cgroups.ConvertMemorySwapToCgroupV2Value(5, 0)
	_, less := cgroups.ConvertMemorySwapToCgroupV2Value(1, 2)
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"swap alone":           {alone, "linux.resources.memory.swap"},
		"swap below the limit": {less, "linux.resources.memory.swap"},
		"usage":                {errors.New("rejecting memory limit 1 <= usage 2"), "linux.resources.memory.limit"},
		"another":              {errors.New("other"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.err == nil {
				t.Fatal("the library takes it")
			}
			if got := resourceField(tc.err, nil); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

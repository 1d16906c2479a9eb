package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// limitError names the field that asked for what could not be set.
func limitError(err error, r *specs.LinuxResources) error {
	if err == nil {
		return nil
	}
	if _, named := errors.AsType[*fault.Error](err); named {
		return err
	}
	field := resourceField(err, r)
	if field == "" {
		field = strings.TrimSuffix(resourcesField, ".")
	}
	return &fault.Error{Op: "set", Field: field, Err: err}
}

// resourceField is the field that the file of an error belongs to, or the one
// that its text is about where the library gives no more; "" is neither.
func resourceField(err error, r *specs.LinuxResources) string {
	text := err.Error()
	if r == nil {
		r = &specs.LinuxResources{}
	}
	field := ""
	if path, ok := errors.AsType[*os.PathError](err); ok {
		field = fileField(filepath.Base(path.Path), text, r)
	} else {
		field = textField(text)
	}
	if field == "" {
		return ""
	}
	return resourcesField + field
}

func fileField(file, text string, r *specs.LinuxResources) string {
	controller, rest, _ := strings.Cut(file, ".")
	switch controller {
	case "memory":
		return "memory" + memoryField(rest)
	case "cpu":
		return "cpu" + cpuField(rest, r)
	case "cpuset":
		return "cpu." + rest
	case "pids":
		return "pids.limit"
	case "blkio", "io":
		return "blockIO" + blockIOField(file, text, r)
	case "hugetlb":
		return "hugepageLimits" + hugepageIndex(rest, r)
	case "net_cls":
		return "network.classID"
	case "net_prio":
		return "network.priorities"
	case "devices", "rdma":
		return controller
	}
	return ""
}

func memoryField(file string) string {
	switch file {
	case "limit_in_bytes", "max":
		return ".limit"
	case "memsw.limit_in_bytes", "swap.max":
		return ".swap"
	case "soft_limit_in_bytes", "low":
		return ".reservation"
	case "oom_control":
		return ".disableOOMKiller"
	case "swappiness":
		return ".swappiness"
	}
	return ""
}

func cpuField(file string, r *specs.LinuxResources) string {
	switch file {
	case "shares", "weight":
		return ".shares"
	case "max": // holds both
		if r.CPU != nil && value(r.CPU.Quota) == 0 {
			return ".period"
		}
		return ".quota"
	case "cfs_quota_us":
		return ".quota"
	case "cfs_period_us":
		return ".period"
	case "cfs_burst_us", "max.burst":
		return ".burst"
	case "rt_runtime_us":
		return ".realtimeRuntime"
	case "rt_period_us":
		return ".realtimePeriod"
	case "idle":
		return ".idle"
	}
	return ""
}

func blockIOField(file, text string, r *specs.LinuxResources) string {
	switch file {
	case "blkio.weight", "blkio.bfq.weight":
		return ".weight"
	case "blkio.leaf_weight":
		return ".leafWeight"
	case "blkio.weight_device", "blkio.bfq.weight_device", "blkio.leaf_weight_device":
		return ".weightDevice"
	case "io.weight", "io.bfq.weight":
		if r.BlockIO == nil || value(r.BlockIO.Weight) == 0 {
			return ".weightDevice"
		}
		return ".weight"
	case "blkio.throttle.read_bps_device":
		return ".throttleReadBpsDevice"
	case "blkio.throttle.write_bps_device":
		return ".throttleWriteBpsDevice"
	case "blkio.throttle.read_iops_device":
		return ".throttleReadIOPSDevice"
	case "blkio.throttle.write_iops_device":
		return ".throttleWriteIOPSDevice"
	case "io.max": // the text has what was written: "8:0 rbps=1"
		for _, f := range [...]struct{ key, field string }{
			{"rbps=", ".throttleReadBpsDevice"},
			{"wbps=", ".throttleWriteBpsDevice"},
			{"riops=", ".throttleReadIOPSDevice"},
			{"wiops=", ".throttleWriteIOPSDevice"},
		} {
			if strings.Contains(text, f.key) {
				return f.field
			}
		}
	}
	return ""
}

// hugepageIndex finds the limit by its size, in the file's name.
func hugepageIndex(file string, r *specs.LinuxResources) string {
	size, _, _ := strings.Cut(file, ".")
	for i, h := range r.HugepageLimits {
		if h.Pagesize == size {
			return "[" + strconv.Itoa(i) + "]"
		}
	}
	return ""
}

// textField reads errors of the library that come with no file.
func textField(text string) string {
	for _, f := range [...]struct{ part, field string }{
		{"cpu-shares", "cpu.shares"},
		{"swappiness", "memory.swappiness"},
		{"swap", "memory.swap"}, // also "memory+swap limit should be >= memory limit"
		{"memory limit", "memory.limit"},
	} {
		if strings.Contains(text, f.part) {
			return f.field
		}
	}
	return ""
}

// unifiedField is that of a file of the cgroup.
func unifiedField(name string) string { return resourcesField + `unified["` + name + `"]` }

package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

func TestV1Enter(t *testing.T) {
	needV1(t)
	spec := specFor(nil)
	c := create(t, spec, Options{})
	cmd, line := enter(t, c, `echo ready; exec sleep 100`)
	if line != "ready" {
		t.Fatal("the doors did not open")
	}
	members, err := memberships(strconv.Itoa(cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range members {
		key, _, _ := strings.Cut(m.controllers, ",")
		if c.paths[key] != "" && m.path != spec.Linux.CgroupsPath {
			t.Errorf("in %q of %q, want %q", m.path, m.controllers, spec.Linux.CgroupsPath)
		}
	}
	if pids := pidsOf(t, c); !slices.Equal(pids, []int{cmd.Process.Pid}) {
		t.Errorf("PIDs %v, want %d", pids, cmd.Process.Pid)
	}

	// An exec enters where init is by then.
	d, err := DoorsOf(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := enterBy(t, d, `echo ready; exec sleep 100`)
	d.Close()
	if pids := pidsOf(t, c); !slices.Contains(pids, second.Process.Pid) {
		t.Errorf("PIDs %v, want %d too", pids, second.Process.Pid)
	}

	// Found again from the state.
	loaded, err := Load(c.Paths(), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.Kill(); err != nil {
		t.Error(err)
	}
	ends(t, cmd)
	ends(t, second)
}

func TestV1AddPid(t *testing.T) {
	needV1(t)
	c := create(t, specFor(nil), Options{})
	cmd, _ := enterBy(t, &Doors{}, `echo ready; exec sleep 100`)
	for range 2 { // the second time it is there already
		if err := c.AddPid(cmd.Process.Pid); err != nil {
			t.Fatal(err)
		}
	}
	for key, dir := range c.paths {
		if pids, err := processes(dir); err != nil || !slices.Contains(pids, cmd.Process.Pid) {
			t.Errorf("%q: PIDs %v, %v", key, pids, err)
		}
	}
}

// The host's facts must lead to the same place as looking again.
func TestV1Host(t *testing.T) {
	needV1(t)
	var h plan.Host
	var err error
	if h.Hierarchies, h.Unified, err = Hierarchies(defaultRoot); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/rung-test", "rung-test", ""} {
		spec := &specs.Spec{Linux: &specs.Linux{CgroupsPath: path}}
		a, err := New(spec, Options{ID: "id"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := New(spec, Options{ID: "id", Host: &h})
		if err != nil {
			t.Fatal(err)
		}
		if fmt.Sprint(a.Paths()) != fmt.Sprint(b.Paths()) || a.v2 != b.v2 {
			t.Errorf("%q: %v, with the host's facts %v", path, a.Paths(), b.Paths())
		}
	}
}

func TestV1Limits(t *testing.T) {
	needV1(t)
	const mib = 1 << 20
	var warned []string
	c := create(t, specFor(&specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: new(int64(64 * mib)), Reservation: new(int64(32 * mib)), Swap: new(int64(-1))},
		CPU: &specs.LinuxCPU{
			Shares: new(uint64(512)), Quota: new(int64(20000)), Period: new(uint64(40000)), Cpus: "0", Burst: new(uint64(0)),
		},
		Pids:    &specs.LinuxPids{Limit: new(int64(17))},
		Devices: []specs.LinuxDeviceCgroup{{Access: "rwm"}, {Allow: true, Type: "c", Major: new(int64(1)), Minor: new(int64(11)), Access: "r"}},
	}), Options{Warn: func(f string, a ...any) { warned = append(warned, fmt.Sprintf(f, a...)) }})
	if err := c.Limit(); err != nil {
		t.Fatal(err)
	}
	holds(t, c.paths["memory"], "memory.limit_in_bytes", "67108864")
	holds(t, c.paths["memory"], "memory.soft_limit_in_bytes", "33554432")
	holds(t, c.paths["cpu"], "cpu.shares", "512")
	holds(t, c.paths["cpu"], "cpu.cfs_quota_us", "20000")
	holds(t, c.paths["cpu"], "cpu.cfs_period_us", "40000")
	holds(t, c.paths["cpuset"], "cpuset.cpus", "0")
	holds(t, c.paths["devices"], "devices.list", strings.Join(append([]string{"c 1:11 r"}, defaultRules...), "\n"))
	holds(t, c.paths["pids"], "pids.max", "max") // not yet
	if err := c.LimitPids(); err != nil {
		t.Fatal(err)
	}
	holds(t, c.paths["pids"], "pids.max", "17")
	if len(warned) > 0 {
		t.Errorf("warned: %q", warned)
	}
}

// What engines write for "no limit" leaves a new cgroup as it is.
func TestV1NoLimits(t *testing.T) {
	needV1(t)
	c := create(t, specFor(&specs.LinuxResources{
		Memory:  &specs.LinuxMemory{Limit: new(int64(-1)), Swap: new(int64(-1)), Swappiness: new(^uint64(0))},
		CPU:     &specs.LinuxCPU{Shares: new(uint64(0)), Quota: new(int64(-1)), Idle: new(int64(0))},
		Pids:    &specs.LinuxPids{Limit: new(int64(-1))},
		BlockIO: &specs.LinuxBlockIO{Weight: new(uint16(0))},
	}), Options{})
	if err := errors.Join(c.Limit(), c.LimitPids()); err != nil {
		t.Fatal(err)
	}
	holds(t, c.paths["cpu"], "cpu.shares", "1024")
	holds(t, c.paths["cpu"], "cpu.cfs_quota_us", "-1")
	holds(t, c.paths["pids"], "pids.max", "max")
}

// A cpuset without CPUs lets nobody in: they come from the parent, also where
// that is new too.
func TestV1Cpuset(t *testing.T) {
	needV1(t)
	spec := specFor(nil)
	top := spec.Linux.CgroupsPath
	spec.Linux.CgroupsPath += "/below/it"
	cpus, err := readFile(defaultRoot + "/cpuset/cpuset.cpus")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { // registered first, so run last
		for _, h := range mustTree(t).list {
			if err := remove(filepath.Join(defaultRoot, h.name, top)); err != nil {
				t.Error(err)
			}
		}
	})
	c := create(t, spec, Options{})
	for _, dir := range []string{c.paths["cpuset"], filepath.Dir(c.paths["cpuset"])} {
		holds(t, dir, "cpuset.cpus", strings.TrimSpace(cpus))
	}
	if _, line := enter(t, c, `echo ready; exec sleep 100`); line != "ready" {
		t.Error("the doors did not open")
	}
}

func mustTree(t *testing.T) tree {
	t.Helper()
	tr, err := readTree(defaultRoot, "self")
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// stages goes as far as the cgroup lets it, as a create does.
func stages(t *testing.T, spec *specs.Spec) (stage string, err error) {
	t.Helper()
	c, err := New(spec, Options{ID: "test"})
	if err != nil {
		return "new", err
	}
	defer func() {
		if e := c.Destroy(); e != nil {
			t.Error(e)
		}
	}()
	if err := c.Create(); err != nil {
		for _, dir := range c.directories() {
			if exists(dir) {
				t.Errorf("%s is left", dir)
			}
		}
		return "create", err
	}
	if err := c.Limit(); err != nil {
		return "limit", err
	}
	return "pids", c.LimitPids()
}

func checkFault(t *testing.T, err error, text, field string) {
	t.Helper()
	checkError(t, err, text)
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		t.Errorf("no field in %v, want %q", err, field)
	} else if f.Field != field {
		t.Errorf("field %q, want %q", f.Field, field)
	}
}

func TestV1Refused(t *testing.T) {
	needV1(t)
	for name, tc := range map[string]struct {
		r                 *specs.LinuxResources
		stage, err, field string
	}{
		"CPUs that are not there": {
			r: &specs.LinuxResources{CPU: &specs.LinuxCPU{Cpus: "4000"}}, err: "write 4000", field: "linux.resources.cpu.cpus", stage: "create",
		},
		"shares": {r: shares(1 << 40), err: "the maximum allowed cpu-shares", field: "linux.resources.cpu.shares", stage: "limit"},
		"quota": {
			r:   &specs.LinuxResources{CPU: &specs.LinuxCPU{Quota: new(int64(1))}},
			err: "invalid argument", field: "linux.resources.cpu.quota", stage: "limit",
		},
		"unified": {
			r:   &specs.LinuxResources{Unified: map[string]string{"memory.high": "1"}},
			err: "cannot use unified on cgroup v1", field: "linux.resources.unified", stage: "new",
		},
		"pids": {
			r:   &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(1 << 40))}},
			err: "invalid argument", field: "linux.resources.pids.limit", stage: "pids",
		},
		"a hole in a list": {
			r: &specs.LinuxResources{Devices: []specs.LinuxDeviceCgroup{
				{Access: "rwm"},
				{Allow: true, Type: "c", Access: "rwm"},
				{Type: "c", Major: new(int64(1)), Minor: new(int64(1)), Access: "r"},
			}}, err: "punch hole", field: "linux.resources.devices", stage: "limit",
		},
	} {
		t.Run(name, func(t *testing.T) {
			stage, err := stages(t, specFor(tc.r))
			checkFault(t, err, tc.err, tc.field)
			if stage != tc.stage {
				t.Errorf("refused at %s, want %s", stage, tc.stage)
			}
		})
	}
}

// A limit below what is used already names both.
func TestV1MemoryInUse(t *testing.T) {
	needV1(t)
	c := create(t, specFor(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(4096))}}), Options{})
	enter(t, c, `x=$(head -c 1000000 /dev/zero | tr "\\000" x); echo ready; sleep 100`)
	checkFault(t, c.Limit(), "unable to set memory limit", "linux.resources.memory.limit")
}

func TestV1NotVacant(t *testing.T) {
	needV1(t)
	spec := specFor(nil)
	c := create(t, spec, Options{})
	sub := filepath.Join(c.paths["pids"], "sub")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	another := func() error {
		c, err := New(spec, Options{ID: "another"})
		if err != nil {
			t.Fatal(err)
		}
		return c.Create()
	}
	checkError(t, another(), "")
	cmd, _ := enter(t, c, fmt.Sprintf(`echo 0 >%s/tasks; echo ready; exec sleep 100`, sub))
	checkError(t, another(), "container's cgroup is not empty")
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	ends(t, cmd)
	if err := c.Freeze(); err != nil {
		t.Fatal(err)
	}
	checkError(t, another(), "container's cgroup unexpectedly frozen")
}

func TestV1OOM(t *testing.T) {
	needV1(t)
	c := create(t, specFor(&specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: new(int64(4 << 20)), Swap: new(int64(4 << 20))}}), Options{})
	err := c.Limit()
	var path *os.PathError
	if errors.As(err, &path) && strings.Contains(path.Path, "memsw") {
		t.Skip("no swap accounting")
	}
	if err != nil {
		t.Fatal(err)
	}
	if c.OOMKilled() {
		t.Error("killed before anything ran")
	}
	cmd, _ := enter(t, c, `x=xxxxxxxx; while :; do x=$x$x; done`)
	ends(t, cmd)
	if !c.OOMKilled() {
		t.Error("the kernel's kill went unseen")
	}
}

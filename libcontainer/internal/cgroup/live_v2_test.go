package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestV2Enter(t *testing.T) {
	if !onV2(t) {
		return
	}
	spec := specFor(nil)
	c := create(t, spec, Options{})
	want := map[string]string{"": defaultRoot + spec.Linux.CgroupsPath}
	if fmt.Sprint(c.Paths()) != fmt.Sprint(want) {
		t.Errorf("paths %v, want %v", c.Paths(), want)
	}
	cmd, _ := enter(t, c, `echo ready; exec sleep 100`)
	if pids := pidsOf(t, c); !slices.Equal(pids, []int{cmd.Process.Pid}) {
		t.Errorf("PIDs %v, want %d", pids, cmd.Process.Pid)
	}
	second, _ := enterBy(t, &Doors{}, `echo ready; exec sleep 100`)
	if err := c.AddPid(second.Process.Pid); err != nil {
		t.Fatal(err)
	}
	if pids := pidsOf(t, c); !slices.Contains(pids, second.Process.Pid) {
		t.Errorf("PIDs %v, want %d too", pids, second.Process.Pid)
	}
	loaded, err := Load(c.Paths(), nil, Options{})
	if err != nil || !loaded.v2 {
		t.Fatal(loaded, err)
	}
	if err := loaded.Kill(); err != nil {
		t.Error(err)
	}
	ends(t, cmd)
	ends(t, second)
}

func TestV2Hierarchies(t *testing.T) {
	if !onV2(t) {
		return
	}
	list, v2, err := Hierarchies(defaultRoot)
	if err != nil || !v2 || len(list) > 0 {
		t.Errorf("got %v, %v, %v", list, v2, err)
	}
}

// Which controllers there are is the machine's choice; the files of the core
// are always there.
func TestV2Limits(t *testing.T) {
	if !onV2(t) {
		return
	}
	c := create(t, specFor(&specs.LinuxResources{
		Unified: map[string]string{"cgroup.max.depth": "3", "cgroup.max.descendants": "5"},
		// No limits: no controller is needed for them.
		Memory:  &specs.LinuxMemory{Limit: new(int64(-1)), Swap: new(int64(-1)), Reservation: new(int64(-1))},
		CPU:     &specs.LinuxCPU{Shares: new(uint64(0)), Quota: new(int64(-1)), Burst: new(uint64(0)), Idle: new(int64(0))},
		Pids:    &specs.LinuxPids{Limit: new(int64(-1))},
		Devices: []specs.LinuxDeviceCgroup{{Access: "rwm"}},
	}), Options{})
	if err := errors.Join(c.Limit(), c.LimitPids()); err != nil {
		t.Fatal(err)
	}
	holds(t, c.paths[unified], "cgroup.max.depth", "3")
	holds(t, c.paths[unified], "cgroup.max.descendants", "5")
	// 1:11 is kmsg, 1:3 null.
	_, line := enter(t, c, `(: </dev/kmsg) 2>/dev/null && k=1; : </dev/null && n=1; echo "kmsg=$k null=$n"; exec sleep 100`)
	if line != "kmsg= null=1" {
		t.Errorf("devices: %s", line)
	}
	if c.OOMKilled() {
		t.Error("no memory controller, yet killed for memory")
	}
}

func TestV2Refused(t *testing.T) {
	if !onV2(t) {
		return
	}
	have, err := readFile(defaultRoot + "/cgroup.controllers")
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		r                             *specs.LinuxResources
		controller, stage, err, field string
	}{
		"pids": {
			r:          &specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(7))}},
			controller: "pids", stage: "create", err: "controller pids is not available", field: "linux.resources.pids.limit",
		},
		"memory": {
			r:          &specs.LinuxResources{Memory: &specs.LinuxMemory{Reservation: new(int64(1 << 20))}},
			controller: "memory", stage: "create", err: "controller memory is not available", field: "linux.resources.memory.reservation",
		},
		"shares": {
			r: shares(512), controller: "cpu", stage: "create", err: "controller cpu is not available", field: "linux.resources.cpu.shares",
		},
		"unified": {
			r:     &specs.LinuxResources{Unified: map[string]string{"bogus.max": "1"}},
			stage: "limit", err: "controller bogus is not available", field: `linux.resources.unified["bogus.max"]`,
		},
		"unified, no such file": {
			r:     &specs.LinuxResources{Unified: map[string]string{"cgroup.bogus": "1"}},
			stage: "limit", err: "no such file", field: `linux.resources.unified["cgroup.bogus"]`,
		},
		"unified, no controller": {
			r:     &specs.LinuxResources{Unified: map[string]string{"bogus": "1"}},
			stage: "limit", err: "CONTROLLER.FILE", field: `linux.resources.unified["bogus"]`,
		},
		"unified, elsewhere": {
			r:     &specs.LinuxResources{Unified: map[string]string{"../cgroup.freeze": "1"}},
			stage: "limit", err: "not the name of a file", field: `linux.resources.unified["../cgroup.freeze"]`,
		},
		"unified, pids": {
			r:          &specs.LinuxResources{Unified: map[string]string{"pids.max": "5"}},
			controller: "pids", stage: "pids", err: "controller pids is not available", field: `linux.resources.unified["pids.max"]`,
		},
		"a page size": {
			r: &specs.LinuxResources{HugepageLimits: []specs.LinuxHugepageLimit{
				{Pagesize: "2MB", Limit: 0}, {Pagesize: "3MB", Limit: 0},
			}}, stage: "limit", err: "hugetlb.3MB.max", field: "linux.resources.hugepageLimits[1]",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.controller != "" && listed(have, tc.controller) {
				t.Skipf("this machine has the controller %s on v2", tc.controller)
			}
			if strings.HasPrefix(tc.field, "linux.resources.hugepageLimits") && !listed(have, "hugetlb") {
				t.Skip("needs the controller hugetlb")
			}
			stage, err := stages(t, specFor(tc.r))
			checkFault(t, err, tc.err, tc.field)
			if stage != tc.stage {
				t.Errorf("refused at %s, want %s", stage, tc.stage)
			}
		})
	}
}

// What fails leaves none of the directories that it made on the way, and what
// succeeds has the controllers all the way down.
func TestV2Parents(t *testing.T) {
	if !onV2(t) {
		return
	}
	spec := specFor(nil)
	top := filepath.Join(defaultRoot, spec.Linux.CgroupsPath)
	spec.Linux.CgroupsPath += "/below/it"
	c := create(t, spec, Options{})
	t.Cleanup(func() { // runs before the one that create has registered
		if err := remove(top); err != nil {
			t.Error(err)
		}
	})
	all, err := readFile(defaultRoot + "/cgroup.controllers")
	if err != nil {
		t.Fatal(err)
	}
	holds(t, c.paths[unified], "cgroup.controllers", strings.TrimSpace(all))

	if listed(all, "pids") {
		return // there is no limit that this machine would refuse
	}
	refused := specFor(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(7))}})
	first := filepath.Join(defaultRoot, refused.Linux.CgroupsPath)
	refused.Linux.CgroupsPath += "/below/it"
	if _, err := stages(t, refused); err == nil {
		t.Error("not refused")
	}
	if exists(first) {
		t.Errorf("%s is left", first)
		_ = remove(first)
	}
}

// What v1 has and v2 has not is told, and no reason to fail.
func TestV2WithoutEffect(t *testing.T) {
	if !onV2(t) {
		return
	}
	var warned []string
	c := create(t, specFor(&specs.LinuxResources{
		Network: &specs.LinuxNetwork{ClassID: new(uint32(5))},
		Memory:  &specs.LinuxMemory{Swappiness: new(uint64(60))},
	}), Options{Warn: func(f string, a ...any) { warned = append(warned, fmt.Sprintf(f, a...)) }})
	if err := errors.Join(c.Limit(), c.LimitPids()); err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(warned, "\n"); len(warned) != 2 || !strings.Contains(all, "memory.swappiness") || !strings.Contains(all, "network.classID") {
		t.Errorf("warned: %q", warned)
	}
}

// A container that has shared its controllers out takes no process any more:
// who comes later must go where init is, never stay where the runtime is.
func TestV2DoorsOfNested(t *testing.T) {
	if !onV2(t) {
		return
	}
	if have, _ := readFile(defaultRoot + "/cgroup.controllers"); !listed(have, "hugetlb") {
		t.Skip("needs the controller hugetlb")
	}
	c := create(t, specFor(nil), Options{})
	sub := filepath.Join(c.paths[unified], "init")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd, _ := enter(t, c, fmt.Sprintf(`echo 0 >%s/cgroup.procs; echo ready; exec sleep 100`, sub))
	if err := writeFile(c.paths[unified]+"/cgroup.subtree_control", "+hugetlb"); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(c.Paths(), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loaded.Doors(); !errors.Is(err, unix.EBUSY) {
		t.Errorf("got %v, want EBUSY", err)
	}
	d, err := DoorsOf(cmd.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	second, _ := enterBy(t, d, `echo ready; exec sleep 100`)
	d.Close()
	if pids, err := processes(sub); err != nil || !slices.Contains(pids, second.Process.Pid) {
		t.Errorf("PIDs of init's cgroup: %v, %v; want %d too", pids, err, second.Process.Pid)
	}
}

func TestV2Freeze(t *testing.T) {
	if !onV2(t) {
		return
	}
	c := create(t, specFor(nil), Options{})
	testFreeze(t, c)
}

func TestV2KillNested(t *testing.T) {
	if !onV2(t) {
		return
	}
	c := create(t, specFor(nil), Options{})
	sub := filepath.Join(c.paths[unified], "a", "b")
	if err := os.MkdirAll(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd, _ := enter(t, c, fmt.Sprintf(`echo $$ >%s/cgroup.procs; echo ready; exec sleep 100`, sub))
	if err := writeFile(sub+"/cgroup.freeze", "1"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := c.Destroy(); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("took %s", d)
	}
	ends(t, cmd)
}

func TestV2NotVacant(t *testing.T) {
	if !onV2(t) {
		return
	}
	spec := specFor(nil)
	c := create(t, spec, Options{})
	enter(t, c, `echo ready; exec sleep 100`)
	another, err := New(spec, Options{ID: "another"})
	if err != nil {
		t.Fatal(err)
	}
	checkError(t, another.Create(), "container's cgroup is not empty")
}

// The cgroup and the files that the kernel lists belong to the user in the
// container; those that are not there are no error.
func TestV2Delegate(t *testing.T) {
	if !onV2(t) {
		return
	}
	const uid = 100005
	c := create(t, specFor(nil), Options{OwnerUID: new(uid)})
	for file, want := range map[string]uint32{"": uid, "cgroup.procs": uid, "cgroup.subtree_control": uid, "cgroup.max.depth": 0} {
		var st unix.Stat_t
		if err := unix.Lstat(filepath.Join(c.paths[unified], file), &st); err != nil || st.Uid != want {
			t.Errorf("%q belongs to %d, %v; want %d", file, st.Uid, err, want)
		}
	}
}

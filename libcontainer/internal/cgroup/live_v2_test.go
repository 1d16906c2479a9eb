package cgroup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	for name, tc := range map[string]struct {
		r   *specs.LinuxResources
		err string
	}{
		"a controller that is not there": {r: &specs.LinuxResources{Unified: map[string]string{"bogus.max": "1"}}, err: `controller "bogus" not available`},
		"pids, by unified":               {r: &specs.LinuxResources{Unified: map[string]string{"pids.bogus": "1"}}, err: "linux.resources.unified.pids.bogus"},
		"swap alone":                     {r: &specs.LinuxResources{Memory: &specs.LinuxMemory{Swap: new(int64(1 << 20))}}, err: "unable to set swap limit without memory limit"},
	} {
		t.Run(name, func(t *testing.T) {
			c := create(t, specFor(tc.r), Options{})
			checkError(t, errors.Join(c.Limit(), c.LimitPids()), tc.err)
		})
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

package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestV1Freeze(t *testing.T) {
	needV1(t)
	c := create(t, specFor(nil), Options{})
	testFreeze(t, c)
}

func testFreeze(t *testing.T, c *Cgroup) {
	t.Helper()
	cmd, _ := enter(t, c, `echo ready; while :; do :; done`)
	if c.Frozen() {
		t.Error("frozen from the start")
	}
	if err := c.Freeze(); err != nil {
		t.Fatal(err)
	}
	if !c.Frozen() {
		t.Error("not frozen")
	}
	before := cpuTime(t, cmd.Process.Pid)
	time.Sleep(50 * time.Millisecond)
	if after := cpuTime(t, cmd.Process.Pid); after != before {
		t.Errorf("it ran while frozen: %s, then %s ticks", before, after)
	}
	if err := c.Resume(); err != nil {
		t.Fatal(err)
	}
	if c.Frozen() {
		t.Error("still frozen")
	}
	if err := c.Freeze(); err != nil {
		t.Fatal(err)
	}
	if err := c.Kill(); err != nil { // frozen
		t.Fatal(err)
	}
	ends(t, cmd)
}

func cpuTime(t *testing.T, pid int) string {
	t.Helper()
	stat, err := readFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(stat[strings.LastIndexByte(stat, ')'):])
	return f[12] + "+" + f[13] // utime, stime
}

// Resume leaves alone what was frozen by itself below; Kill does not.
func TestV1FrozenChild(t *testing.T) {
	needV1(t)
	c := create(t, specFor(nil), Options{})
	sub := filepath.Join(c.paths["freezer"], "sub")
	if err := os.Mkdir(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd, _ := enter(t, c, fmt.Sprintf(`echo 0 >%s/tasks; echo ready; exec sleep 100`, sub))
	if err := writeFile(sub+"/freezer.state", "FROZEN"); err != nil {
		t.Fatal(err)
	}
	if c.Frozen() {
		t.Error("the child is frozen, not the container")
	}
	if err := c.Resume(); err != nil {
		t.Fatal(err)
	}
	holds(t, sub, "freezer.self_freezing", "1")
	start := time.Now()
	if err := c.Destroy(); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("took %s", d)
	}
	ends(t, cmd)
}

// What forks all the time does not escape, also without cgroup.kill.
func TestV1KillForking(t *testing.T) {
	needV1(t)
	c := create(t, specFor(&specs.LinuxResources{Pids: &specs.LinuxPids{Limit: new(int64(50))}}), Options{})
	if err := c.LimitPids(); err != nil {
		t.Fatal(err)
	}
	enter(t, c, `echo ready; f() { f & f & }; while :; do f 2>/dev/null; done`)
	eventually(t, "10 processes", func() bool { return len(pidsOf(t, c)) >= 10 })
	paths := c.Paths()
	delete(paths, unified)
	v1, err := Load(paths, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := v1.Kill(); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("took %s", d)
	}
	eventually(t, "the end of all", func() bool { return len(pidsOf(t, c)) == 0 })
}

// Frozen on the way, so that nothing forks, is not frozen for ever.
func TestV1KillFreezing(t *testing.T) {
	needV1(t)
	testKillFreezing(t)
}

func TestV2KillFreezing(t *testing.T) {
	if onV2(t) {
		testKillFreezing(t)
	}
}

func testKillFreezing(t *testing.T) {
	t.Helper()
	c := create(t, specFor(nil), Options{})
	cmd, _ := enter(t, c, `echo ready; exec sleep 100`)
	if said, want := c.describe(), fmt.Sprintf("pid %d, state ", cmd.Process.Pid); !strings.HasPrefix(said, want) {
		t.Errorf("described as %q, want %q", said, want)
	}
	c.beginFreeze()
	if !c.Frozen() {
		t.Error("not frozen")
	}
	pids, err := c.killAll()
	if err != nil || !slices.Equal(pids, []int{cmd.Process.Pid}) {
		t.Errorf("killed %v, %v; want %d", pids, err, cmd.Process.Pid)
	}
	ends(t, cmd)
	// On v2 what is frozen dies as well, so nothing need be thawed.
	if !c.v2 && c.Frozen() {
		t.Error("still frozen")
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A payload with a writable cgroup filesystem can nest deeper than a path is
// long, and wide.
func TestV1Nested(t *testing.T) {
	needV1(t)
	c := create(t, specFor(nil), Options{})
	const depth, wide = 30, 20
	name := strings.Repeat("n", 200) // 30 of them are longer than PATH_MAX
	fd, err := unix.Open(c.paths["pids"], unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range depth {
		if err := unix.Mkdirat(fd, name, 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := unix.Openat(fd, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(fd)
		fd = next
	}
	for i := range wide {
		if err := unix.Mkdirat(fd, strconv.Itoa(i), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	unix.Close(fd)
	visited := 0
	err = walk(c.paths["pids"], func(*os.File) error { visited++; return nil }, nil)
	if want := 1 + depth + wide; err != nil || visited != want {
		t.Errorf("visited %d, %v; want %d", visited, err, want)
	}
	if err := c.Destroy(); err != nil {
		t.Error(err)
	}
}

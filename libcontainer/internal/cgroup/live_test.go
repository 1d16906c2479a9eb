package cgroup

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// v2Env tells a test that it runs where /sys/fs/cgroup is a v2 tree.
const v2Env = "RUNG_CGROUP_TEST_V2"

var serial atomic.Int32

// needV1 skips where the machine's cgroups cannot be used for tests of v1.
func needV1(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	if k, err := kindOf(defaultRoot + "/freezer"); err != nil || k != treeV1 {
		t.Skip("needs cgroup v1 at " + defaultRoot)
	}
}

// onV2 runs the calling test again where a cgroup of its own, in the v2 tree
// of a hybrid layout, is /sys/fs/cgroup: in a mount namespace, and a process
// that has not seen another. It tells whether this is that process.
func onV2(t *testing.T) bool {
	t.Helper()
	if os.Getenv(v2Env) == t.Name() {
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	from := defaultRoot + "/unified"
	if k, err := kindOf(from); err != nil || k != treeV2 {
		if from = defaultRoot; kindOr(from) != treeV2 {
			t.Skip("needs a cgroup v2 tree")
		}
	}
	top := fmt.Sprintf("%s/rung-test-%d-%d", from, os.Getpid(), serial.Add(1))
	if err := os.Mkdir(top, 0o755); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := remove(top); err != nil {
			t.Error(err)
		}
	}()
	cmd := exec.Command("unshare", "-m", "--propagation", "private", "sh", "-c",
		`mount --bind "$1" /sys/fs/cgroup && exec "$2" -test.run "^$3\$" -test.v`, "sh", top, os.Args[0], t.Name())
	cmd.Env = append(os.Environ(), v2Env+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

func kindOr(path string) treeKind {
	k, _ := kindOf(path)
	return k
}

// specFor is a spec with a cgroup of its own.
func specFor(r *specs.LinuxResources) *specs.Spec {
	return &specs.Spec{Linux: &specs.Linux{
		CgroupsPath: fmt.Sprintf("/rung-test-%d-%d", os.Getpid(), serial.Add(1)), Resources: r,
	}}
}

// create makes the cgroup of spec, and makes sure that nothing of it is left
// when the test ends.
func create(t *testing.T, spec *specs.Spec, o Options) *Cgroup {
	t.Helper()
	o.ID = "test"
	c, err := New(spec, o)
	if err != nil {
		t.Fatal(err)
	}
	dirs := c.directories()
	if len(dirs) == 0 {
		t.Fatal("no directories")
	}
	t.Cleanup(func() {
		if err := c.Destroy(); err != nil {
			t.Error(err)
		}
		for _, dir := range dirs {
			if exists(dir) {
				t.Errorf("%s is left", dir)
			}
		}
	})
	if err := c.Create(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		if !exists(dir) {
			t.Errorf("%s was not made", dir)
		}
	}
	return c
}

// enter starts a shell in the cgroups as a bootstrap enters them, by its own
// doing, and gives what it printed first: the script must print a line once it
// is ready.
func enter(t *testing.T, c *Cgroup, script string) (*exec.Cmd, string) {
	t.Helper()
	d, err := c.Doors()
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	return enterBy(t, d, script)
}

func enterBy(t *testing.T, d *Doors, script string) (*exec.Cmd, string) {
	t.Helper()
	var doors strings.Builder
	for i := range d.Tasks {
		fmt.Fprintf(&doors, "echo 0 >/proc/self/fd/%d && ", 3+i)
	}
	cmd := exec.Command("sh", "-c", doors.String()+script)
	cmd.ExtraFiles = d.Tasks
	cmd.Stderr = os.Stderr
	if d.V2 != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(d.V2.Fd())}
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, _ := bufio.NewReader(out).ReadString('\n')
	return cmd, strings.TrimSpace(line)
}

// ends waits for the end of a process that was killed.
func ends(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Errorf("process %d did not end", cmd.Process.Pid)
	}
	if s, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != unix.SIGKILL {
		t.Errorf("process ended by %v, want SIGKILL", cmd.ProcessState)
	}
}

// holds compares a file of the cgroup.
func holds(t *testing.T, dir, file, want string) {
	t.Helper()
	got, err := readFile(filepath.Join(dir, file))
	if err != nil {
		t.Error(err)
	} else if strings.TrimSpace(got) != want {
		t.Errorf("%s holds %q, want %q", file, strings.TrimSpace(got), want)
	}
}

func pidsOf(t *testing.T, c *Cgroup) []int {
	t.Helper()
	pids, err := c.PIDs()
	if err != nil {
		t.Fatal(err)
	}
	return pids
}

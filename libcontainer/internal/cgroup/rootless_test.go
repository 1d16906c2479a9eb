package cgroup

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const (
	rootlessEnv = "RUNG_CGROUP_TEST_ROOTLESS"
	nobody      = 65534
)

// asNobody runs the calling test again as an ordinary user.
func asNobody(t *testing.T) {
	t.Helper()
	// Where the test binary lies, others may not go.
	binary := filepath.Join("/tmp", fmt.Sprintf("rung-cgroup-test-%d", os.Getpid()))
	data, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(binary, data, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer os.Remove(binary)
	cmd := exec.Command(binary, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), rootlessEnv+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestV1Rootless(t *testing.T) {
	if os.Getenv(rootlessEnv) != "" {
		testRootless(t)
		return
	}
	needV1(t)
	asNobody(t)
}

func TestV2Rootless(t *testing.T) {
	switch {
	case os.Getenv(rootlessEnv) != "":
		testRootless(t)
	case onV2(t):
		asNobody(t)
	}
}

// Rootless: nothing asked for, nothing needed; else the error names it.
func testRootless(t *testing.T) {
	t.Helper()
	for name, tc := range map[string]struct {
		path string
		r    *specs.LinuxResources
		err  string
	}{
		"nothing asked for": {},
		"a path":            {path: "/rung-test-rootless", err: "rootless needs no limits + no cgrouppath"},
		"a limit":           {r: shares(100), err: "rootless needs no limits + no cgrouppath"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := &specs.Spec{Linux: &specs.Linux{CgroupsPath: tc.path, Resources: tc.r}}
			c, err := New(spec, Options{ID: "rung-test-rootless", Rootless: true})
			if err != nil {
				t.Fatal(err)
			}
			err = c.Create()
			checkError(t, err, tc.err)
			if err != nil {
				if !errors.Is(err, unix.EACCES) {
					t.Errorf("the cause is lost: %v", err)
				}
				return
			}
			if len(c.Paths()) > 0 {
				t.Errorf("paths that are not there: %v", c.Paths())
			}
			d, err := c.Doors()
			if err = errors.Join(err, c.Limit(), c.LimitPids(), c.Destroy()); err != nil || d == nil || len(d.Tasks) > 0 {
				t.Errorf("got %v, %v", d, err)
			}
		})
	}
}

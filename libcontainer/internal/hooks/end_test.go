package hooks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// TestMain lets the test binary be a runtime that dies while its hook runs.
func TestMain(m *testing.M) {
	if script := os.Getenv("HOOKS_TEST_SCRIPT"); script != "" {
		err := Run(context.Background(), "k", []Hook{sh(script)}, nil, "", nil)
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestTimeoutKillsTheGroup(t *testing.T) {
	for name, script := range map[string]string{
		"child":           "sleep 100 & echo $! >FILE; wait",
		"ignores SIGTERM": "trap '' TERM INT HUP; (sleep 100; sleep 100) & echo $! >FILE; wait",
		"itself":          "echo $$ >FILE; exec sleep 100",
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pid")
			start := time.Now()
			err := Run(t.Context(), "k", []Hook{within(sh(strings.ReplaceAll(script, "FILE", file)), 500*time.Millisecond)}, nil, "", nil)
			checkError(t, err, "error running k hook #0: hook ran past specified timeout of 500ms")
			if took := time.Since(start); took < 500*time.Millisecond || took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			gone(t, pidIn(t, file))
		})
	}
}

func TestTimeoutReaps(t *testing.T) {
	// As a subreaper we get the hook's orphans.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0) }()
	err := Run(t.Context(), "k", []Hook{within(sh("sleep 100 & sleep 100 & wait"), 300*time.Millisecond)}, nil, "", nil)
	checkError(t, err, "error running k hook #0: hook ran past specified timeout of 300ms")
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); !errors.Is(err, unix.ECHILD) {
		t.Errorf("wait4: %d, %v: children are left", pid, err)
	}
}

func TestOutputKeptOpen(t *testing.T) {
	for name, tc := range map[string]struct{ script, want string }{
		"success":        {"sleep 100 & echo $! >FILE", ""},
		"failure":        {"sleep 100 & echo $! >FILE; echo out; exit 1", "error running k hook #0: exit status 1, stdout: out"},
		"stdout is busy": {"yes & echo $! >FILE; sleep 0.2", ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pid")
			start := time.Now()
			err := Run(t.Context(), "k", []Hook{sh(strings.ReplaceAll(tc.script, "FILE", file))}, nil, "", nil)
			took := time.Since(start)
			pid := pidIn(t, file)
			defer func() { _ = unix.Kill(pid, unix.SIGKILL) }()
			checkError(t, err, tc.want)
			if took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			// It may live on: the hook was in time.
			if tc.script[0] == 's' && unix.Kill(pid, 0) != nil {
				t.Error("the child was killed")
			}
		})
	}
}

func TestCancel(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	reason := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		pidIn(t, file)
		cancel(reason)
	}()
	err := Run(ctx, "k", []Hook{sh("sleep 100 & echo $! >" + file + "; wait"), sh("true")}, nil, "", nil)
	checkError(t, err, "error running k hook #0: interrupted")
	if !errors.Is(err, reason) {
		t.Errorf("%v does not wrap its cause", err)
	}
	gone(t, pidIn(t, file))
	checkError(t, Run(ctx, "k", []Hook{sh("true")}, nil, "", nil), "error running k hook #0: interrupted")
}

func TestWithoutPidfd(t *testing.T) {
	for name, tc := range map[string]struct {
		script   string
		deadline time.Duration
		want     ending
	}{
		"exit": {"sleep 0.1; echo x", 10 * time.Second, exited}, "timeout": {"sleep 100", 200 * time.Millisecond, late},
	} {
		t.Run(name, func(t *testing.T) {
			h := sh(tc.script)
			p, err := newSetting("", nil).start(&h, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer p.close()
			if p.pidfd < 0 {
				t.Fatal("no pidfd")
			}
			_ = unix.Close(p.pidfd)
			p.pidfd = -1
			status, end := p.wait(time.Now().Add(tc.deadline), -1)
			if end != tc.want || status != 0 {
				t.Errorf("ending %d, status %v", end, status)
			}
			if end == late {
				p.kill()
			} else if p.stdout.text() != "x" {
				t.Errorf("stdout %q", p.stdout.text())
			}
		})
	}
}

func TestKilledRuntimeLeavesNoHook(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "HOOKS_TEST_SCRIPT=echo $$ >"+file+"; exec sleep 100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := pidIn(t, file)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	gone(t, pid)
}

// inside runs RunInside as init does: on a thread that is never given back.
func inside(prepare func(), kind string, hooks []plan.Hook) error {
	result := make(chan error)
	go func() {
		runtime.LockOSThread()
		prepare()
		result <- RunInside(kind, hooks, -1)
	}()
	return <-result
}

func TestRunInside(t *testing.T) {
	script := func(s string) plan.Hook {
		return plan.Hook{Path: "/bin/sh", Args: []string{"sh", "-c", s}, State: `{"id":"a"}`}
	}
	with := func(h plan.Hook, change func(*plan.Hook)) plan.Hook {
		change(&h)
		return h
	}
	t.Setenv("OURS", "1")
	for name, tc := range map[string]struct {
		kind string
		hook plan.Hook
		want string
	}{
		"state":       {"startContainer", script("cat; exit 1"), fmt.Sprintf(`exit status 1, stdout: {"id":"a","pid":%d}`, os.Getpid())},
		"no state":    {"startContainer", with(script("true"), func(h *plan.Hook) { h.State = "" }), `state "" is no JSON object`},
		"caller's":    {"startContainer", script("echo $OURS-; exit 1"), "exit status 1, stdout: -"},
		"own":         {"startContainer", with(script("echo $X; exit 1"), func(h *plan.Hook) { h.Env = []string{"X=1"} }), "exit status 1, stdout: 1"},
		"timeout":     {"startContainer", with(script("sleep 100"), func(h *plan.Hook) { h.Timeout = 1 }), "hook ran past specified timeout of 1s"},
		"umask":       {"createContainer", script("umask; exit 1"), "exit status 1, stdout: 0022"},
		"later umask": {"startContainer", script("umask; exit 1"), "exit status 1, stdout: 0000"},
		"slow":        {"startContainer", script("sleep 0.3"), ""},
	} {
		t.Run(name, func(t *testing.T) {
			defer unix.Umask(unix.Umask(0))
			err := inside(func() {}, tc.kind, []plan.Hook{script("true"), tc.hook})
			want := tc.want
			if want != "" {
				want = "error running " + tc.kind + " hook #1: " + want
			}
			checkError(t, err, want)
			if left := unix.Umask(0); left != 0 {
				t.Errorf("umask %#o is left", left)
			}
		})
	}
}

func TestInsideHasTheThreadsIdentity(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to change the thread's user")
	}
	prepare := func() {
		// Raw: of this thread only (setresuid(2), NOTES).
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, 1234, 1234, 1234); errno != 0 {
			t.Error(errno)
		}
	}
	err := inside(prepare, "startContainer", []plan.Hook{{
		Path: "/bin/sh", Args: []string{"sh", "-c", "id -u; exit 1"}, Env: []string{"PATH=" + os.Getenv("PATH")}, State: "{}",
	}})
	checkError(t, err, "error running startContainer hook #0: exit status 1, stdout: 1234")
}

func TestWithPid(t *testing.T) {
	for name, tc := range map[string]struct{ in, want string }{
		"object":     {`{"id":"a"}`, `{"id":"a","pid":7}`},
		"empty":      {`{}`, `{"pid":7}`},
		"blanks":     {" { } \n", `{"pid":7}`},
		"not closed": {`{"id":"a"`, ""},
		"array":      {`[]`, ""},
		"nothing":    {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := withPid(tc.in, 7)
			if string(got) != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("got %q, %v; want %q", got, err, tc.want)
			}
		})
	}
}

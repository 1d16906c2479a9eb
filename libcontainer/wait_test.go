package libcontainer_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer"
)

// A program that runs containers has other children, whose end is its own to
// learn of.
func TestWaitLeavesOtherChildrenToTheCaller(t *testing.T) {
	dir, err := exampleBundle()
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(dir)
	bundle, err := libcontainer.OpenBundle(filepath.Join(dir, "bundle"))
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	ctr, err := libcontainer.Create(ctx, libcontainer.CreateOptions{
		Root: filepath.Join(dir, "state"), ID: fmt.Sprintf("wait-test-%d", os.Getpid()), Bundle: bundle,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ctr.Delete(ctx, true) }()
	if err := ctr.Start(ctx); err != nil {
		t.Fatal(err)
	}

	added := *bundle.Spec.Process
	added.Args = []string{"sh", "-c", "sleep 0.5; exit 7"}
	p, err := ctr.Exec(ctx, libcontainer.ExecOptions{Process: &added})
	if err != nil {
		t.Fatal(err)
	}
	own := childThatEnds(t)
	if code, err := p.Wait(); code != 7 || err != nil {
		t.Errorf("wait for the process: %d, %v; want 7", code, err)
	}
	if err := own.Wait(); err != nil {
		t.Errorf("the caller's child, after the process: %v", err)
	}

	own = childThatEnds(t)
	if err := ctr.Signal(unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code, err := ctr.Wait(); code != 128+9 || err != nil {
		t.Errorf("wait for the container: %d, %v; want 137", code, err)
	}
	if err := own.Wait(); err != nil {
		t.Errorf("the caller's child, after the container: %v", err)
	}
}

// childThatEnds is a child of this process that has ended, and has not been
// waited for.
func childThatEnds(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if err != nil {
			t.Fatal(err)
		}
		if info.Signo != 0 {
			return cmd
		}
		if time.Now().After(end) {
			t.Fatal("the child does not end")
		}
	}
}

package linux

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestParseStat(t *testing.T) {
	const rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4242 20 21"
	for name, tc := range map[string]struct {
		line string
		ok   bool
	}{
		"plain":             {"17 (sleep)" + rest, true},
		"spaces in name":    {"17 (a b c)" + rest, true},
		"parenthesis":       {"17 (a) S 9 (b)" + rest, true},
		"truncated":         {"17 (sleep) S 1 2", false},
		"no name":           {"17 sleep S", false},
		"start not numeric": {"17 (x) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 x 20", false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseStat([]byte(tc.line))
			if (err == nil) != tc.ok {
				t.Fatalf("got error %v", err)
			}
			if want := (ProcStat{State: 'S', Start: 4242}); tc.ok && got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

func TestAlive(t *testing.T) {
	cmd := exec.Command("sleep", "100")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	stat, err := ReadStat(pid)
	if err != nil {
		t.Fatal(err)
	}
	if !Alive(pid, stat.Start) {
		t.Error("a running process is not alive")
	}
	if Alive(pid, stat.Start+1) {
		t.Error("another process with the same pid is alive")
	}
	if _, err := OpenPidfd(pid, stat.Start+1); !errors.Is(err, unix.ESRCH) {
		t.Errorf("opened another process: %v", err)
	}
	pidfd, err := OpenPidfd(pid, stat.Start)
	if err != nil {
		t.Fatal(err)
	}
	defer pidfd.Close()
	if gone, err := PollExit(pidfd, 0); gone || err != nil {
		t.Errorf("gone %v, %v before it is killed", gone, err)
	}
	if err := SignalPidfd(pidfd, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if gone, err := PollExit(pidfd, 10*time.Second); !gone || err != nil {
		t.Errorf("gone %v, %v after it was killed", gone, err)
	}
	if Alive(pid, stat.Start) {
		t.Error("a zombie is alive")
	}
	_ = cmd.Wait()
}

// A process that is gone, while a process group keeps its number in use: up to
// Linux 6.15 the kernel says EINVAL.
func TestOpenPidfdGone(t *testing.T) {
	cmd := exec.Command("sh", "-c", "read start; sleep 100 & exit 0")
	cmd.SysProcAttr = &unix.SysProcAttr{Setpgid: true}
	start, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := cmd.Process.Pid
	defer func() { _ = unix.Kill(-pid, unix.SIGKILL) }()
	stat, err := ReadStat(pid)
	if err != nil {
		t.Fatal(err)
	}
	start.Close()
	_ = cmd.Wait()
	if err := unix.Kill(-pid, 0); err != nil {
		t.Fatalf("the group is gone as well: %v", err)
	}
	if _, err := OpenPidfd(pid, stat.Start); !errors.Is(err, unix.ESRCH) {
		t.Errorf("got %v, want ESRCH", err)
	}
}

func TestExitCode(t *testing.T) {
	for name, tc := range map[string]struct {
		script string
		want   int
	}{
		"code":   {"exit 7", 7},
		"signal": {"kill -TERM $$", 128 + 15},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("sh", "-c", tc.script)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			status, err := Wait(cmd.Process.Pid)
			if err != nil || ExitCode(status) != tc.want {
				t.Errorf("got %d, %v, want %d", ExitCode(status), err, tc.want)
			}
		})
	}
}

func TestSealedMemfd(t *testing.T) {
	f, err := SealedMemfd("test", []byte("content"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data := make([]byte, 20)
	if n, _ := f.ReadAt(data, 0); string(data[:n]) != "content" {
		t.Errorf("got %q", data[:n])
	}
	if _, err := f.WriteAt([]byte("x"), 0); !errors.Is(err, unix.EPERM) {
		t.Errorf("write: got %v, want EPERM", err)
	}
	if err := f.Truncate(0); !errors.Is(err, unix.EPERM) {
		t.Errorf("truncate: got %v, want EPERM", err)
	}
}

// Each way to a sealed executable gives a file that runs and cannot be opened
// for writing.
func TestSealedSelf(t *testing.T) {
	before, err := os.ReadFile(selfExe)
	if err != nil {
		t.Fatal(err)
	}
	for name, seal := range map[string]func() (int, error){
		"clone":    cloneReadOnly,
		"rootless": cloneReadOnlyRootless,
		"copy":     func() (int, error) { return copySelf(t.TempDir()) },
	} {
		t.Run(name, func(t *testing.T) {
			fd, err := seal()
			if errors.Is(err, unix.EPERM) {
				t.Skipf("needs CAP_SYS_ADMIN, or user namespaces: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			f := os.NewFile(uintptr(fd), "sealed")
			defer f.Close()
			path := "/proc/self/fd/" + strconv.Itoa(fd)
			if w, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
				_, err = w.Write([]byte("evil"))
				w.Close()
				if err == nil {
					t.Error("written to")
				}
			}
			if err := os.Truncate(path, 0); err == nil {
				t.Error("truncated")
			}
			after, err := os.ReadFile(selfExe)
			if err != nil || string(after) != string(before) {
				t.Errorf("the executable has changed: %v", err)
			}
			cmd := exec.Command(path, "-test.run=^$")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("execute: %v\n%s", err, out)
			}
		})
	}
}

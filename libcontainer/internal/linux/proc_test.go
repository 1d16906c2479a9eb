package linux

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func openProc(t *testing.T) *Proc {
	t.Helper()
	p, err := OpenProc()
	must(t, err)
	t.Cleanup(func() { p.Close() })
	return p
}

func TestProcHandleIsVerified(t *testing.T) {
	for name, path := range map[string]string{
		"directory": t.TempDir(), "sysfs": "/sys", "inside procfs": "/proc/self", "file": "/proc/version",
	} {
		t.Run(name, func(t *testing.T) {
			fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
			must(t, err)
			f := os.NewFile(uintptr(fd), path)
			defer f.Close()
			if _, err := ProcFromHandle(f); err == nil {
				t.Error("was taken for a procfs")
			}
		})
	}
	if _, err := ProcFromHandle(nil); !errors.Is(err, unix.EBADF) {
		t.Errorf("no handle: %v", err)
	}
}

func TestProcOpen(t *testing.T) {
	p := openProc(t)
	for name, want := range map[string]error{
		"version":             nil,
		"sys/kernel/ostype":   nil,
		"self/status":         unix.ELOOP,
		"mounts":              unix.ELOOP,
		"../etc/passwd":       unix.EXDEV,
		"sys/../../etc/hosts": unix.EXDEV,
		"none":                unix.ENOENT,
	} {
		t.Run(name, func(t *testing.T) {
			for way, open := range map[string]func(*os.File, string, int) (int, error){"openat2": openProcAt, "walk": walkProc} {
				fd, err := open(p.root, name, unix.O_RDONLY)
				// Without openat2(2) a link in the middle is no directory.
				notDir := way == "walk" && errors.Is(want, unix.ELOOP) && errors.Is(err, unix.ENOTDIR)
				if !errors.Is(err, want) && !notDir {
					t.Errorf("%s: got %v, want %v", way, err, want)
				}
				if err == nil {
					_ = unix.Close(fd)
				}
			}
		})
	}
}

func TestProcThreadSelf(t *testing.T) {
	p := openProc(t)
	runtime.LockOSThread() // never unlocked: the name goes with the thread
	must(t, p.WriteThreadSelf("comm", "renamed"))
	f, err := p.OpenThreadSelf("comm", unix.O_RDONLY)
	must(t, err)
	defer f.Close()
	buf := make([]byte, 32)
	n, err := f.Read(buf)
	if got := string(buf[:max(n, 0)]); got != "renamed\n" {
		t.Errorf("got %q, %v", got, err)
	}
	err = p.Write("sys/kernel/none", "1")
	if err == nil || !strings.HasPrefix(err.Error(), "open /proc/sys/kernel/none: ") {
		t.Errorf("got %v", err)
	}
}

// What is mounted over a name is not what is written to: a private procfs is.
func TestProcOvermounted(t *testing.T) {
	const env = "RUNG_LINUX_TEST"
	if os.Getenv(env) == "" {
		if os.Geteuid() != 0 {
			t.Skip("needs root, for a mount namespace")
		}
		cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.count=1")
		cmd.Env = append(os.Environ(), env+"=1")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	runtime.LockOSThread()
	must(t, unix.Mount("", "/", "", unix.MS_PRIVATE|unix.MS_REC, ""))
	p := openProc(t)
	must(t, unix.Mount("fake", "/proc/sys", "tmpfs", 0, ""))
	must(t, os.MkdirAll("/proc/sys/kernel", 0o755))
	must(t, os.WriteFile("/proc/sys/kernel/ostype", []byte("fake"), 0o644))
	for _, way := range []func(*os.File, string, int) (int, error){openProcAt, walkProc} {
		if _, err := way(p.root, "sys/kernel/ostype", unix.O_RDONLY); !errors.Is(err, unix.EXDEV) {
			t.Errorf("overmounted: %v", err)
		}
	}
	f, err := p.Open("sys/kernel/ostype", unix.O_RDONLY)
	must(t, err)
	defer f.Close()
	buf := make([]byte, 16)
	n, err := f.Read(buf)
	if got := string(buf[:max(n, 0)]); got != "Linux\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

//go:build cgo && !noseccomp

package seccomp

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A filter stays for good, so that each test loads it in a copy of the test
// binary: envLoad asks for one of these, envProfile is the profile.
const (
	envLoad    = "RUNG_TEST_SECCOMP"
	envProfile = "RUNG_TEST_SECCOMP_PROFILE"
)

func TestMain(m *testing.M) {
	if what := os.Getenv(envLoad); what != "" {
		fmt.Println(loaded(what))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// loaded loads the profile and tries a call under it, and says what came of it.
func loaded(what string) string {
	runtime.LockOSThread()
	var p specs.LinuxSeccomp
	if err := json.Unmarshal([]byte(os.Getenv(envProfile)), &p); err != nil {
		return err.Error()
	}
	prog, err := Compile(&p)
	if err != nil {
		return err.Error()
	}
	if what == "unprivileged" {
		err = syscall.Setresuid(65534, 65534, 65534)
	} else {
		err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	}
	if err != nil {
		return err.Error()
	}
	start := time.Now()
	fd, err := Load(prog)
	took := time.Since(start)
	if err != nil {
		return err.Error()
	}
	switch what {
	case "notify":
		return notified(fd)
	case "again":
		_, err := Load(prog)
		return fmt.Sprint(err)
	case "time":
		return fmt.Sprintf("%d instructions: %s", len(prog.Filter)/insnSize, took)
	}
	if fd != -1 {
		return fmt.Sprintf("a listener nobody asked for: %d", fd)
	}
	_, _, listed := unix.Syscall(unix.SYS_KEXEC_LOAD, 0, 0, 0)
	_, _, unknown := unix.Syscall(5000, 0, 0, 0)
	return fmt.Sprintf("kexec_load %d, 5000 %d", listed, unknown)
}

// notified makes a call that the filter reports, on a thread that has it, and
// answers it from one that does not.
func notified(fd int) string {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC == 0 {
		return fmt.Sprintf("listener %d: flags %#x, %v", fd, flags, err)
	}
	got := make(chan string)
	go func() {
		// struct seccomp_notif, struct seccomp_notif_resp (linux/seccomp.h)
		var req struct {
			id         uint64
			pid, flags uint32
			nr         int32
			arch       uint32
			ip         uint64
			args       [6]uint64
		}
		var resp struct {
			id    uint64
			val   int64
			error int32
			flags uint32
		}
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&req))); errno != 0 {
			got <- errno.Error()
			return
		}
		resp.id, resp.error = req.id, -int32(unix.EXFULL)
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&resp)))
		got <- fmt.Sprintf("number %d, %d", req.nr, errno)
	}()
	_, _, errno := unix.RawSyscall(unix.SYS_KEXEC_LOAD, 0, 0, 0)
	return fmt.Sprintf("%s, errno %d", <-got, errno)
}

// child runs loaded in a process of its own.
func child(t *testing.T, what, profile string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envLoad+"="+what, envProfile+"="+profile)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out) + fmt.Sprint(cmd.ProcessState.ExitCode()))
}

func TestLoad(t *testing.T) {
	needAMD64(t)
	const deny = `"syscalls":[{"names":["kexec_load"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}`
	raw, err := json.Marshal(docker(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		what, profile, want string
	}{
		"deny list":        {"call", `{"defaultAction":"SCMP_ACT_ALLOW",` + deny, "kexec_load 28, 5000 38\n0"},
		"docker":           {"call", string(raw), "kexec_load 1, 5000 38\n0"},
		"every flag":       {"call", `{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG","SECCOMP_FILTER_FLAG_SPEC_ALLOW","SECCOMP_FILTER_FLAG_TSYNC"],` + deny, "kexec_load 28, 5000 38\n0"},
		"no_new_privs off": {"unprivileged", `{"defaultAction":"SCMP_ACT_ALLOW",` + deny, "seccomp: permission denied (without CAP_SYS_ADMIN a filter needs no_new_privs)\n0"},
		"listener": {
			"notify", `{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/s","syscalls":[{"names":["kexec_load"],"action":"SCMP_ACT_NOTIFY"}]}`,
			"number 246, 0, errno 54\n0",
		},
		"second listener": {
			"again", `{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/s","syscalls":[{"names":["kexec_load"],"action":"SCMP_ACT_NOTIFY"}]}`,
			"seccomp: device or resource busy (a filter above this one already has a listener)\n0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.what == "unprivileged" && os.Geteuid() != 0 {
				t.Skip("needs root, to change its user id")
			}
			if got := child(t, tc.what, tc.profile); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
	t.Run("time", func(t *testing.T) { t.Log(child(t, "time", string(raw))) })
}

func TestLoadNoFilter(t *testing.T) {
	for name, filter := range map[string][]byte{
		"empty":    nil,
		"cut":      make([]byte, 12),
		"too long": make([]byte, (unix.BPF_MAXINSNS+1)*insnSize),
	} {
		t.Run(name, func(t *testing.T) {
			if fd, err := Load(&Program{Filter: filter}); err == nil || fd != -1 {
				t.Errorf("descriptor %d, error %v", fd, err)
			}
		})
	}
}

func TestSupportedFlags(t *testing.T) {
	got := SupportedFlags()
	for _, f := range got {
		if !slices.Contains(KnownFlags(), f) {
			t.Errorf("%s is not known", f)
		}
	}
	// Linux 4.14 and 4.17, below the floor.
	for _, f := range []string{"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"} {
		if !slices.Contains(got, f) {
			t.Errorf("%s is missing in %v", f, got)
		}
	}
}

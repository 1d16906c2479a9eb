package rootfs

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// insideEnv names the test that a re-executed test binary is to run.
const insideEnv = "RUNG_ROOTFS_TEST"

// kind is what a test runs in.
type kind struct {
	userns bool
	filter unix.Errno // what a sandbox's filter answers to the new mount calls
}

// isolated runs the calling test again in a process with a mount namespace of
// its own, and tells whether this is that process.
func isolated(t *testing.T, k kind) bool {
	t.Helper()
	if os.Getenv(insideEnv) == t.Name() {
		harmless(t)
		if k.filter != 0 {
			installFilter(t, k.filter)
		}
		return true
	}
	rerun(t, k.userns)
	return false
}

// harmless makes sure that no mistake of a test reaches the machine: a mount
// namespace does not protect the files. Whatever was inherited is read-only,
// and so is every bind of it; what is written goes to a /tmp that ends with
// this process. Nothing has to be cleaned up, so nothing is.
func harmless(t *testing.T) {
	t.Helper()
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	unix.Umask(0)
	if err := SetPropagation(unix.MS_PRIVATE | unix.MS_REC); err != nil {
		t.Fatal(err)
	}
	all := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &all); err != nil {
		t.Fatal(err)
	}
	// But for the maps of a child's user namespace.
	proc := unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/proc", 0, &proc); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("test", "/tmp", "tmpfs", 0, "mode=755"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/dev/rung-test", nil, 0o600); !errors.Is(err, unix.EROFS) {
		t.Fatalf("the machine's /dev is not read-only here: %v", err)
	}
}

// rerun runs the calling test in a new mount namespace, perhaps in a new user
// namespace, with the files from descriptor 3 on.
func rerun(t *testing.T, userns bool, files ...*os.File) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for mount namespaces")
	}
	name := "^" + strings.ReplaceAll(t.Name(), "/", "$/^") + "$"
	cmd := exec.Command("/proc/self/exe", "-test.run="+name, "-test.v", "-test.count=1", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), insideEnv+"="+t.Name())
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
	cmd.ExtraFiles = files
	if userns {
		cmd.SysProcAttr.Cloneflags |= unix.CLONE_NEWUSER | unix.CLONE_NEWPID | unix.CLONE_NEWIPC
		all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1 << 16}}
		cmd.SysProcAttr.UidMappings, cmd.SysProcAttr.GidMappings = all, all
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if strings.Contains(string(out), "--- SKIP") {
		t.Skipf("inside: %s", out)
	}
	if !strings.Contains(string(out), "--- PASS: ") {
		t.Fatalf("did not run: %s", out)
	}
	if testing.Verbose() {
		t.Logf("%s", out)
	}
}

// installFilter makes the kernel answer errno to the calls that sandboxes
// refuse, in all threads.
func installFilter(t *testing.T, errno unix.Errno) {
	t.Helper()
	refused := []uint32{
		unix.SYS_OPENAT2, unix.SYS_OPEN_TREE, unix.SYS_MOVE_MOUNT, unix.SYS_MOUNT_SETATTR,
		unix.SYS_FSOPEN, unix.SYS_FSCONFIG, unix.SYS_FSMOUNT,
	}
	const nrOffset = 0
	prog := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: nrOffset}}
	for i, nr := range refused {
		prog = append(prog, unix.SockFilter{
			Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: nr, Jt: uint8(len(refused) - i),
		})
	}
	prog = append(prog,
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)})
	linuxFilter(t, prog)
}

// fixture is a root filesystem below a tmpfs, and beside it a canary that
// nothing may touch.
type fixture struct {
	*testing.T
	dir    string // holds rootfs, host, canary
	rootfs string
	root   *Root
	proc   *linux.Proc
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	const dir = "/tmp/fixture" // of this process alone, see harmless
	if err := unix.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("test", dir, "tmpfs", 0, "mode=755"); err != nil {
		t.Fatal(err)
	}
	f := &fixture{T: t, dir: dir, rootfs: dir + "/rootfs"}
	for _, name := range []string{"rootfs", "rootfs/dev", "rootfs/proc", "rootfs/sys", "rootfs/etc", "host", "canary"} {
		f.mkdir(dir + "/" + name)
	}
	f.write(dir+"/host/file", "from the host")
	var err error
	if f.proc, err = linux.OpenProc(); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) open() {
	f.Helper()
	var err error
	if f.root, err = Open(f.rootfs, unix.MS_PRIVATE|unix.MS_REC, nil, f.proc); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { f.root.Close() })
}

func (f *fixture) mkdir(path string) {
	f.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) write(path, text string) {
	f.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) symlink(target, path string) {
	f.Helper()
	if err := os.Symlink(target, path); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) apply(s plan.Step) {
	f.Helper()
	if err := f.root.Apply(&s); err != nil {
		f.Fatalf("%s %s: %v", s.Op, s.Path, err)
	}
}

// refuses expects an error that contains text.
func (f *fixture) refuses(s plan.Step, text string) {
	f.Helper()
	err := f.root.Apply(&s)
	if err == nil || !strings.Contains(err.Error(), text) {
		f.Errorf("%s %s: got %v, want an error with %q", s.Op, s.Path, err, text)
	}
}

func (f *fixture) mount(dest string, m plan.Mount) {
	f.Helper()
	f.apply(plan.Step{Op: plan.OpMount, Path: dest, Mount: &m})
}

// untouched expects that the canary is an empty directory with no mount.
func (f *fixture) untouched() {
	f.Helper()
	entries, err := os.ReadDir(f.dir + "/canary")
	if err != nil || len(entries) != 0 {
		f.Errorf("the canary has %v, %v", entries, err)
	}
	for _, m := range mountinfo(f.T) {
		if strings.HasPrefix(m.point, f.dir+"/canary") {
			f.Errorf("mounted outside of the root: %+v", m)
		}
	}
}

// mountLine is a line of mountinfo.
type mountLine struct {
	point, options, tags, fstype, super, dev string
}

func mountinfo(t *testing.T) []mountLine {
	t.Helper()
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var all []mountLine
	for lines := bufio.NewScanner(file); lines.Scan(); {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		b, a := strings.Fields(before), strings.Fields(after)
		all = append(all, mountLine{
			point: b[4], options: b[5], tags: strings.Join(b[6:], " "), dev: b[2],
			fstype: a[0], super: a[len(a)-1],
		})
	}
	return all
}

// mounted is the topmost mount at a path of the root.
func (f *fixture) mounted(path string) mountLine {
	f.Helper()
	point := filepath.Join(f.rootfs, path)
	for _, m := range slices.Backward(mountinfo(f.T)) {
		if m.point == point {
			return m
		}
	}
	f.Fatalf("nothing is mounted at %s", point)
	return mountLine{}
}

// has tells whether all the options are in a comma separated list.
func has(list string, options ...string) bool {
	for _, o := range options {
		if !strings.Contains(","+list+",", ","+o+",") {
			return false
		}
	}
	return true
}

// namespace is a mount namespace that a sleeping process keeps.
type namespace struct {
	*testing.T
	list *os.File
}

// otherNamespace makes a copy of this mount namespace, a peer where mounts are
// shared: the host's, in tests.
func (f *fixture) otherNamespace() *namespace {
	f.Helper()
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestKeepNamespace$")
	cmd.Env = append(os.Environ(), insideEnv+"=TestKeepNamespace")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS, Pdeathsig: unix.SIGKILL}
	out, err := cmd.StdoutPipe()
	f.must(err)
	f.must(cmd.Start())
	f.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := out.Read(make([]byte, 1)); err != nil {
		f.Fatal(err)
	}
	list, err := os.Open("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/mountinfo")
	f.must(err)
	f.Cleanup(func() { list.Close() })
	return &namespace{T: f.T, list: list}
}

func (n *namespace) mounts() string {
	n.Helper()
	if _, err := n.list.Seek(0, io.SeekStart); err != nil {
		n.Fatal(err)
	}
	text, err := io.ReadAll(n.list)
	if err != nil {
		n.Fatal(err)
	}
	return string(text)
}

// TestKeepNamespace is what otherNamespace runs.
func TestKeepNamespace(t *testing.T) {
	if os.Getenv(insideEnv) != t.Name() {
		t.Skip("runs on behalf of other tests")
	}
	_, _ = os.Stdout.WriteString("x")
	for {
		_ = unix.Pause()
	}
}

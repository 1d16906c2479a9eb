package rootfs

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

const (
	readOnly = unix.MOUNT_ATTR_RDONLY
	noSuid   = unix.MOUNT_ATTR_NOSUID
)

// everywhere runs a test with the kernel as it is and below sandboxes' filters.
func everywhere(t *testing.T, test func(*fixture)) {
	t.Helper()
	for name, k := range map[string]kind{
		"kernel": {}, "ENOSYS": {filter: unix.ENOSYS}, "EPERM": {filter: unix.EPERM},
	} {
		t.Run(name, func(t *testing.T) {
			if isolated(t, k) {
				test(newFixture(t))
			}
		})
	}
}

func TestBind(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.mkdir(f.dir + "/host/sub")
		if err := unix.Mount("test", f.dir+"/host/sub", "tmpfs", 0, ""); err != nil {
			f.Fatal(err)
		}
		if err := unix.Mkfifo(f.dir+"/host/fifo", 0o600); err != nil {
			f.Fatal(err)
		}
		f.symlink("/run/there", f.rootfs+"/etc/dangling")
		f.open()
		f.mount("/a//b/c/", plan.Mount{Type: "bind", Source: f.dir + "/host", Attr: plan.MountAttr{Set: readOnly}})
		f.mount("/rec", plan.Mount{Type: "bind", Source: f.dir + "/host", Recursive: true})
		f.mount("/x/file", plan.Mount{Type: "bind", Source: f.dir + "/host/file"})
		f.mount("/fifo", plan.Mount{Type: "bind", Source: f.dir + "/host/fifo", Attr: plan.MountAttr{Set: readOnly}})
		f.mount("/etc/dangling", plan.Mount{Type: "bind", Source: f.dir + "/host/file"})

		if m := f.mounted("/a/b/c"); !has(m.options, "ro") || has(m.options, "nosuid") {
			f.Errorf("options are %s", m.options)
		}
		if m := f.mounted("/rec"); !has(m.options, "rw") {
			f.Errorf("options are %s", m.options)
		}
		f.mounted("/rec/sub")
		f.mounted("/x/file")
		f.mounted("/run/there")
		if m := f.mounted("/fifo"); !has(m.options, "ro") {
			f.Errorf("options are %s", m.options)
		}
		if got, err := os.ReadFile(f.rootfs + "/x/file"); string(got) != "from the host" {
			f.Errorf("got %q, %v", got, err)
		}
		for _, m := range mountinfo(f.T) {
			if m.point == f.rootfs+"/a/b/c/sub" {
				f.Error("a bind that is not recursive took a submount along")
			}
		}
		for path, mode := range map[string]os.FileMode{"/a": 0o755, "/a/b": 0o755, "/x": 0o755} {
			if st, err := os.Stat(f.rootfs + path); err != nil || st.Mode().Perm() != mode {
				f.Errorf("%s: %v, %v", path, st, err)
			}
		}
	})
}

func TestBindRefused(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.symlink("/", f.rootfs+"/self")
		f.write(f.rootfs+"/plain", "")
		f.open()
		bind := func(dest, source string) plan.Step {
			return plan.Step{Op: plan.OpMount, Path: dest, Mount: &plan.Mount{Type: "bind", Source: source}}
		}
		f.refuses(bind("/", f.dir+"/host"), "over the root")
		f.refuses(bind("/self", f.dir+"/host"), "over the root")
		f.refuses(bind("/plain", f.dir+"/host"), "not a directory")
		f.refuses(bind("/etc", f.dir+"/host/file"), "not a directory")
		f.refuses(bind("/new", f.dir+"/none"), f.dir+"/none: no such file or directory")
		f.refuses(bind("/proc", f.dir+"/host"), "is not of type proc")
		f.refuses(bind("/proc/self/attr", f.dir+"/host"), "inside /proc")
		f.mount("/proc", plan.Mount{Type: "proc", Source: "proc"})
		f.symlink("/proc/sys/net", f.rootfs+"/net")
		f.refuses(bind("/net", f.dir+"/host"), "inside /proc")
		f.mount("/proc/cpuinfo", plan.Mount{Type: "bind", Source: f.dir + "/host/file"})
		f.mounted("/proc/cpuinfo")
		s := bind("/opt", f.dir+"/none")
		s.Mount.Optional = true
		f.apply(s)
	})
}

func TestPropagation(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.open()
		f.mount("/shared", plan.Mount{Type: "bind", Source: f.dir + "/host", Propagation: []uint64{unix.MS_SHARED}})
		f.mount("/both", plan.Mount{
			Type: "bind", Source: f.rootfs + "/shared",
			Propagation: []uint64{unix.MS_SLAVE, unix.MS_SHARED | unix.MS_REC},
		})
		f.mount("/un", plan.Mount{Type: "tmpfs", Source: "tmpfs", Propagation: []uint64{unix.MS_UNBINDABLE}})
		for path, want := range map[string]string{"/shared": "shared:", "/both": "master:", "/un": "unbindable"} {
			if m := f.mounted(path); !strings.Contains(m.tags, want) {
				f.Errorf("%s is %q, want %s", path, m.tags, want)
			}
		}
	})
}

func TestRecursiveAttributes(t *testing.T) {
	if !isolated(t, kind{}) {
		return
	}
	f := newFixture(t)
	f.mkdir(f.dir + "/host/sub")
	if err := unix.Mount("test", f.dir+"/host/sub", "tmpfs", unix.MS_NOSUID, ""); err != nil {
		t.Fatal(err)
	}
	f.open()
	f.mount("/r", plan.Mount{
		Type: "bind", Source: f.dir + "/host", Recursive: true,
		RecAttr: plan.MountAttr{Set: readOnly | unix.MOUNT_ATTR_NOATIME, Clear: noSuid},
		Attr:    plan.MountAttr{Clear: readOnly},
	})
	if m := f.mounted("/r"); !has(m.options, "rw", "noatime") {
		t.Errorf("top: %s", m.options)
	}
	if m := f.mounted("/r/sub"); !has(m.options, "ro", "noatime") || has(m.options, "nosuid") {
		t.Errorf("below: %s", m.options)
	}
}

func TestRecursiveAttributesNeedTheCall(t *testing.T) {
	if !isolated(t, kind{filter: unix.ENOSYS}) {
		return
	}
	f := newFixture(t)
	f.open()
	f.refuses(plan.Step{Op: plan.OpMount, Path: "/r", Mount: &plan.Mount{
		Type: "bind", Source: f.dir + "/host", Recursive: true, RecAttr: plan.MountAttr{Set: readOnly},
	}}, "recursive mount attributes")
}

// A handle comes from the host's namespace, where it may be shared.
func TestHandleIsNoPeerOfTheHost(t *testing.T) {
	if !isolated(t, kind{}) {
		return
	}
	f := newFixture(t)
	if err := unix.Mount("", f.dir, "", unix.MS_SHARED, ""); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.OpenTree(unix.AT_FDCWD, f.dir+"/host", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	f.root, err = Open(f.rootfs, unix.MS_SLAVE|unix.MS_REC, []*os.File{os.NewFile(uintptr(fd), "host")}, f.proc)
	if err != nil {
		t.Fatal(err)
	}
	if n := countMounts(t, f.rootfs); n != 1 {
		t.Errorf("the root was mounted %d times: it reached a peer", n)
	}
	f.mount("/h", plan.Mount{Type: "bind", Handle: 1, Attr: plan.MountAttr{Set: readOnly}})
	if m := f.mounted("/h"); strings.Contains(m.tags, "shared:") || !has(m.options, "ro") {
		t.Errorf("%+v", m)
	}
	f.refuses(plan.Step{Op: plan.OpMount, Path: "/i", Mount: &plan.Mount{Type: "bind", Handle: 1}}, "has not sent")
}

func countMounts(t *testing.T, point string) int {
	t.Helper()
	n := 0
	for _, m := range mountinfo(t) {
		if m.point == point {
			n++
		}
	}
	return n
}

func TestNoFollow(t *testing.T) {
	if !isolated(t, kind{}) {
		return
	}
	f := newFixture(t)
	f.symlink("file", f.dir+"/host/link")
	f.symlink("elsewhere", f.rootfs+"/link")
	f.open()
	f.mount("/link", plan.Mount{
		Type: "bind", Source: f.dir + "/host/link", NoFollowSource: true, NoFollowDestination: true,
	})
	f.mounted("/link")
	if got, err := os.Readlink(f.rootfs + "/link"); got != "file" {
		t.Errorf("the link leads to %q, %v", got, err)
	}
	if _, err := os.Lstat(f.rootfs + "/elsewhere"); err == nil {
		t.Error("the destination's link was followed")
	}
}

func TestRemount(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.open()
		f.mount("/t", plan.Mount{Type: "tmpfs", Source: "tmpfs", Attr: plan.MountAttr{Set: noSuid}})
		f.write(f.rootfs+"/t/x", "")
		f.apply(plan.Step{Op: plan.OpRemount, Path: "/t", Mount: &plan.Mount{Attr: plan.MountAttr{Set: readOnly}}})
		if m := f.mounted("/t"); !has(m.options, "ro", "nosuid") || !has(m.super, "rw") {
			f.Errorf("%+v", m)
		}
	})
}

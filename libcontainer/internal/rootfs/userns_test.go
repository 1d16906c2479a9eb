package rootfs

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// inLocked runs test in a user namespace that has inherited, and so locked, a
// mount that is read-only, nosuid, nodev and noexec, from a mount namespace
// that is already the test's own.
func inLocked(t *testing.T, test func(f *fixture, source string)) {
	t.Helper()
	const env, source = "RUNG_ROOTFS_LOCKED", "/var/tmp"
	if os.Getenv(env) != "" {
		if isolated(t, kind{userns: true}) {
			test(newFixture(t), source)
		}
		return
	}
	if !isolated(t, kind{}) {
		return
	}
	const flags = uintptr(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	if err := unix.Mount("test", source, "tmpfs", flags, "mode=755"); err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{source + "/v", source + "/v/below"} {
		if err := os.Mkdir(sub, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := unix.Mount("", source, "", unix.MS_REMOUNT|unix.MS_BIND|unix.MS_RDONLY|flags, ""); err != nil {
		t.Fatal(err)
	}
	// As the runtime does for init, from outside of the user namespace.
	fd, err := unix.OpenTree(unix.AT_FDCWD, source, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(env, "inside")
	rerun(t, true, os.NewFile(uintptr(fd), source))
}

// What the runtime opened is not locked: the namespace never inherited it.
func TestHandleInUserNamespace(t *testing.T) {
	inLocked(t, func(f *fixture, _ string) {
		f.open()
		f.root.handles = []*os.File{os.NewFile(3, "from the runtime")}
		f.mount("/h", plan.Mount{
			Type: "bind", Handle: 1, Recursive: true,
			Attr: plan.MountAttr{Clear: readOnly}, RecAttr: plan.MountAttr{Set: noSuid},
			Propagation: []uint64{unix.MS_PRIVATE | unix.MS_REC},
		})
		if m := f.mounted("/h"); !has(m.options, "rw", "nosuid", "nodev") {
			f.Errorf("%+v", m)
		}
		f.write(f.rootfs+"/h/v/new", "")
		f.apply(plan.Step{Op: plan.OpReadonlyPath, Path: "/h/v"})
		f.apply(plan.Step{Op: plan.OpPivot})
	})
}

func TestLockedFlagsAreKept(t *testing.T) {
	inLocked(t, func(f *fixture, source string) {
		f.open()
		f.mount("/v", plan.Mount{Type: "bind", Source: source + "/v", Recursive: true})
		f.mount("/ro", plan.Mount{Type: "bind", Source: source + "/v", Attr: plan.MountAttr{Set: readOnly}})
		f.mount("/rro", plan.Mount{Type: "bind", Source: source, Recursive: true, RecAttr: plan.MountAttr{Set: readOnly}})
		for _, path := range []string{"/v", "/ro", "/rro"} {
			if m := f.mounted(path); !has(m.options, "ro", "nosuid", "nodev", "noexec") {
				f.Errorf("%s: %s", path, m.options)
			}
		}
		f.apply(plan.Step{Op: plan.OpReadonlyPath, Path: "/v/below"})
		f.mounted("/v/below")
		f.refuses(plan.Step{Op: plan.OpMount, Path: "/rw", Mount: &plan.Mount{
			Type: "bind", Source: source + "/v", Attr: plan.MountAttr{Clear: readOnly},
		}}, "locked by the source's mount")
	})
}

func TestUserNamespace(t *testing.T) {
	if !isolated(t, kind{userns: true}) {
		return
	}
	f := newFixture(t)
	f.open()
	f.mount("/proc", plan.Mount{Type: "proc", Source: "proc"})
	// The network namespace is not ours, so no new sysfs shows it.
	f.mount("/sys", plan.Mount{
		Type: "sysfs", Source: "sysfs", Attr: plan.MountAttr{Set: readOnly},
		Fallback: &plan.Mount{Type: "bind", Source: "/sys", Recursive: true, Attr: plan.MountAttr{Set: readOnly}},
	})
	f.mount("/dev", plan.Mount{Type: "tmpfs", Source: "tmpfs", Data: []string{"mode=755"}})
	const unmapped = "gid=4000000"
	f.mount("/dev/pts", plan.Mount{Type: "devpts", Source: "devpts", Data: []string{"newinstance", unmapped, "mode=0620"}})
	f.mount("/dev/mqueue", plan.Mount{Type: "mqueue", Source: "mqueue"})
	null := plan.Device{Type: unix.S_IFCHR, Mode: 0o666, Major: 1, Minor: 3}
	f.apply(device("/dev/null", null))
	f.apply(device("/dev/fifo", plan.Device{Type: unix.S_IFIFO, Mode: 0o600}))
	f.apply(device("/dev/null", null))
	f.refuses(device("/dev/zero", null), "is not device 1:3")
	f.refuses(device("/dev/none-such", null), "operation not permitted")

	if m := f.mounted("/sys"); m.fstype != "sysfs" || !has(m.options, "ro") {
		t.Errorf("%+v", m)
	}
	if n := countMounts(t, f.rootfs+"/dev/null"); n != 1 {
		t.Errorf("/dev/null is mounted %d times", n)
	}
	f.apply(plan.Step{Op: plan.OpPivot})
	f.rootfs = ""
	f.mkdir("/m")
	f.write("/key", "secret")
	f.apply(mask("/m"))
	f.apply(mask("/key"))
	f.apply(mask("/proc/kcore"))
	f.apply(mask("/sys/firmware"))
	for _, path := range []string{"/proc/sys", "/proc/bus", "/sys/fs/cgroup"} {
		f.apply(plan.Step{Op: plan.OpReadonlyPath, Path: path})
		if m := f.mounted(path); path != "/sys/fs/cgroup" && !has(m.options, "ro") {
			t.Errorf("%+v", m)
		}
	}
	f.apply(plan.Step{Op: plan.OpReadonlyRoot})
	if m := f.mounted("/"); !has(m.options, "ro") {
		t.Errorf("%+v", m)
	}
}

// A rootless container in the host's pid namespace has the host's /proc, all
// of its flags locked, and nothing may be uncovered.
func TestBoundProc(t *testing.T) {
	if !isolated(t, kind{userns: true}) {
		return
	}
	f := newFixture(t)
	f.open()
	f.mount("/proc", plan.Mount{
		Type: "bind", Source: "/proc", Recursive: true,
		Attr: plan.MountAttr{Set: noSuid | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC},
	})
	f.apply(device("/dev/null", plan.Device{Type: unix.S_IFCHR, Mode: 0o666, Major: 1, Minor: 3}))
	f.apply(plan.Step{Op: plan.OpPivot})
	f.rootfs = ""
	for _, path := range []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys"} {
		f.apply(plan.Step{Op: plan.OpReadonlyPath, Path: path})
		if m := f.mounted(path); !has(m.options, "ro", "nosuid", "nodev", "noexec") {
			t.Errorf("%+v", m)
		}
	}
	f.apply(mask("/proc/kcore"))
}

package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

func mask(path string) plan.Step { return plan.Step{Op: plan.OpMaskPath, Path: path} }

func TestMask(t *testing.T) {
	everywhere(t, func(f *fixture) {
		for i := range 5 {
			f.mkdir(fmt.Sprintf("%s/m/%d/full", f.rootfs, i))
		}
		f.write(f.rootfs+"/etc/key", "secret")
		f.write(f.dir+"/canary-file", "outside")
		f.symlink(f.dir+"/canary-file", f.rootfs+"/etc/out")
		f.open()
		f.refuses(mask("/etc/key"), "/dev/null: no such file or directory")
		f.apply(device("/dev/null", plan.Device{Type: unix.S_IFCHR, Mode: 0o666, Major: 1, Minor: 3}))
		for i := range 5 {
			f.apply(mask(fmt.Sprintf("/m/%d", i)))
		}
		f.apply(mask("/etc/key"))
		f.apply(mask("/etc/none/at/all"))
		f.apply(mask("/etc/key/below"))
		f.apply(mask("/etc/out")) // leads nowhere in the root

		devs := map[string]bool{}
		for i := range 5 {
			path := fmt.Sprintf("/m/%d", i)
			m := f.mounted(path)
			devs[m.dev] = true
			if !has(m.options, "ro") || !has(m.super, "ro") {
				f.Errorf("%+v", m)
			}
			if entries, err := os.ReadDir(f.rootfs + path); err != nil || len(entries) != 0 {
				f.Errorf("%s: %v, %v", path, entries, err)
			}
			if err := os.WriteFile(f.rootfs+path+"/new", nil, 0o600); !errors.Is(err, unix.EROFS) {
				f.Errorf("%s was written to: %v", path, err)
			}
		}
		if len(devs) != 1 {
			f.Errorf("%d filesystems for the masks", len(devs))
		}
		if got, err := os.ReadFile(f.rootfs + "/etc/key"); err != nil || len(got) != 0 {
			f.Errorf("%q, %v", got, err)
		}
		if n := countMounts(f.T, f.dir+"/canary-file"); n != 0 {
			f.Error("the target of a link was masked outside of the root")
		}
	})
}

// CVE-2025-31133: something else in place of the null device.
func TestMaskNeedsGenuineNull(t *testing.T) {
	for name, prepare := range map[string]func(f *fixture, path string){
		"file":         func(f *fixture, path string) { f.write(path, "x") },
		"other device": func(f *fixture, path string) { f.must(unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5)))) },
		"link": func(f *fixture, path string) {
			f.symlink("/etc/target", path)
			f.write(f.rootfs+"/etc/target", "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			if !isolated(t, kind{}) {
				return
			}
			f := newFixture(t)
			f.write(f.rootfs+"/etc/key", "secret")
			prepare(f, f.rootfs+"/dev/null")
			f.open()
			f.refuses(mask("/etc/key"), "is not device 1:3")
			if n := countMounts(t, f.rootfs+"/etc/key"); n != 0 {
				t.Error("masked with something else")
			}
		})
	}
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func TestReadonlyPath(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.mkdir(f.rootfs + "/data/sub")
		f.write(f.rootfs+"/etc/conf", "")
		f.open()
		f.mount("/data", plan.Mount{Type: "tmpfs", Source: "tmpfs", Attr: plan.MountAttr{Set: noSuid}})
		f.mount("/data/rw", plan.Mount{Type: "tmpfs", Source: "tmpfs"})
		for _, path := range []string{"/data", "/etc/conf", "/none/such", "/etc/conf/below"} {
			f.apply(plan.Step{Op: plan.OpReadonlyPath, Path: path})
		}
		if m := f.mounted("/data"); !has(m.options, "ro", "nosuid") {
			f.Errorf("%+v", m)
		}
		if m := f.mounted("/data/rw"); !has(m.options, "rw") {
			f.Errorf("%+v", m)
		}
		if err := os.WriteFile(f.rootfs+"/etc/conf", nil, 0); !errors.Is(err, unix.EROFS) {
			f.Errorf("written to: %v", err)
		}
		f.write(f.rootfs+"/etc/other", "")
		f.apply(plan.Step{Op: plan.OpReadonlyRoot})
		if err := os.WriteFile(f.rootfs+"/etc/other", nil, 0); !errors.Is(err, unix.EROFS) {
			f.Errorf("root written to: %v", err)
		}
		f.write(f.rootfs+"/data/rw/x", "")
	})
}

func TestChangeRoot(t *testing.T) {
	for name, how := range map[string]uint64{"pivot": plan.PivotRoot, "move": plan.MoveRoot} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(f *fixture) {
				f.mkdir(f.rootfs + "/m")
				f.open()
				f.mount("/proc", plan.Mount{Type: "proc", Source: "proc"})
				f.mount("/dev", plan.Mount{Type: "tmpfs", Source: "tmpfs", Data: []string{"mode=755"}})
				f.apply(device("/dev/null", plan.Device{Type: unix.S_IFCHR, Mode: 0o666, Major: 1, Minor: 3}))
				f.apply(plan.Step{Op: plan.OpPivot, Flags: how})
				outer := f.dir
				f.rootfs, f.dir = "", "" // paths are the container's from here on
				f.apply(plan.Step{Op: plan.OpPropagation, Path: "/", Flags: unix.MS_SHARED})
				f.apply(plan.Step{Op: plan.OpMakeCwd, Path: "/work/dir"})
				f.apply(plan.Step{Op: plan.OpRemount, Path: "/dev", Mount: &plan.Mount{Attr: plan.MountAttr{Set: readOnly}}})
				f.apply(plan.Step{Op: plan.OpReadonlyRoot})
				f.apply(plan.Step{Op: plan.OpReadonlyPath, Path: "/proc/sys"})
				f.apply(mask("/proc/kcore"))
				f.apply(mask("/m"))

				if wd, err := os.Getwd(); wd != "/" || err != nil {
					f.Errorf("working directory %q, %v", wd, err)
				}
				for path, want := range map[string]mountLine{
					"/dev": {options: "ro"}, "/proc/sys": {options: "ro", fstype: "proc"}, "/m": {options: "ro", fstype: "tmpfs"},
				} {
					m := f.mounted(path)
					if !has(m.options, want.options) || want.fstype != "" && m.fstype != want.fstype {
						f.Errorf("%s: %+v", path, m)
					}
				}
				if m := f.mounted("/"); !has(m.options, "ro") || !strings.Contains(m.tags, "shared:") {
					f.Errorf("root: %+v", m)
				}
				if _, err := os.Stat(outer); !errors.Is(err, fs.ErrNotExist) {
					f.Errorf("the old root is still to be seen: %v", err)
				}
				f.oldRootHides(how, outer)
				f.proc.Close()
			})
		})
	}
}

// oldRootHides expects that what lies below the root shows no procfs or sysfs.
func (f *fixture) oldRootHides(how uint64, outer string) {
	for _, m := range mountinfo(f.T) {
		if how == plan.PivotRoot && strings.HasPrefix(m.point, outer) {
			f.Errorf("left of the old root: %+v", m)
		}
		if m.fstype == "sysfs" || m.fstype == "proc" && !strings.HasPrefix(m.point, "/proc") {
			f.Errorf("visible: %+v", m)
		}
	}
}

func TestChrootMountsNothing(t *testing.T) {
	if !isolated(t, kind{}) {
		return
	}
	f := newFixture(t)
	before := len(mountinfo(t))
	var err error
	if f.root, err = Open(f.rootfs, 0, nil, f.proc); err != nil {
		t.Fatal(err)
	}
	f.apply(plan.Step{Op: plan.OpMakeCwd, Path: "/work"})
	if after := len(mountinfo(t)); after != before {
		t.Errorf("%d mounts, before %d", after, before)
	}
	f.apply(plan.Step{Op: plan.OpPivot, Flags: plan.Chroot})
	if _, err := os.Stat("/work"); err != nil {
		t.Error(err)
	}
}

// The old root's mounts are shared with the host: detaching them must not
// detach the host's, nor may the root's clone show up there.
func TestPivotLeavesTheHostAlone(t *testing.T) {
	if !isolated(t, kind{}) {
		return
	}
	f := newFixture(t)
	f.must(SetPropagation(unix.MS_SHARED | unix.MS_REC))
	host := f.otherNamespace()
	before := host.mounts()
	f.must(SetPropagation(unix.MS_SHARED | unix.MS_REC)) // rootfsPropagation=rshared
	var err error
	if f.root, err = Open(f.rootfs, unix.MS_SHARED|unix.MS_REC, nil, f.proc); err != nil {
		t.Fatal(err)
	}
	f.mount("/proc", plan.Mount{Type: "proc", Source: "proc"})
	f.apply(plan.Step{Op: plan.OpPivot})
	f.apply(plan.Step{Op: plan.OpPropagation, Path: "/", Flags: unix.MS_SHARED | unix.MS_REC})
	if after := host.mounts(); after != before {
		t.Errorf("the host's mounts were\n%s\nand are\n%s", before, after)
	}
}

// rootfsPropagation=unbindable: the host's files can be bound before, and parts
// of the container's mounts after.
func TestUnbindableRoot(t *testing.T) {
	if !isolated(t, kind{}) {
		return
	}
	f := newFixture(t)
	const unbindable = unix.MS_UNBINDABLE | unix.MS_REC
	f.must(SetPropagation(unbindable))
	var err error
	if f.root, err = Open(f.rootfs, unbindable, nil, f.proc); err != nil {
		t.Fatal(err)
	}
	f.mount("/h", plan.Mount{Type: "bind", Source: f.dir + "/host"})
	f.mount("/proc", plan.Mount{Type: "proc", Source: "proc"})
	f.apply(plan.Step{Op: plan.OpPivot})
	f.apply(plan.Step{Op: plan.OpPropagation, Path: "/", Flags: unbindable})
	f.apply(plan.Step{Op: plan.OpReadonlyPath, Path: "/proc/sys"})
	f.rootfs = ""
	if m := f.mounted("/"); !strings.Contains(m.tags, "unbindable") {
		t.Errorf("%+v", m)
	}
}

func TestUnknownStep(t *testing.T) {
	r := &Root{}
	if err := r.Apply(&plan.Step{Op: plan.OpHostname}); err == nil {
		t.Error("a step of another package was taken")
	}
}

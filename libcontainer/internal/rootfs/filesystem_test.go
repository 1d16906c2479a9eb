package rootfs

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

func TestFilesystems(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.open()
		const nodev = unix.MOUNT_ATTR_NODEV
		for dest, m := range map[string]plan.Mount{
			"/proc":    {Type: "proc", Source: "proc"},
			"/sys":     {Type: "sysfs", Source: "sysfs", Attr: plan.MountAttr{Set: noSuid | nodev | readOnly}},
			"/dev":     {Type: "tmpfs", Source: "tmpfs", Data: []string{"mode=755", "size=65536k"}, Attr: plan.MountAttr{Set: noSuid}},
			"/dev/pts": {Type: "devpts", Source: "devpts", Data: []string{"newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}},
			"/dev/mq":  {Type: "mqueue", Source: "mqueue", Attr: plan.MountAttr{Set: noSuid | nodev}},
			"/rotmp":   {Type: "tmpfs", Source: "", Data: []string{"ro", "nr_inodes=10"}},
		} {
			if !strings.HasPrefix(dest, "/dev/") {
				f.mount(dest, m)
			} else {
				defer f.checkNested(dest, m)
			}
		}
		for path, want := range map[string]struct{ fstype, options, super string }{
			"/proc":  {fstype: "proc", options: "rw,relatime"},
			"/sys":   {fstype: "sysfs", options: "ro,nosuid,nodev,relatime"},
			"/dev":   {fstype: "tmpfs", options: "rw,nosuid,relatime", super: "mode=755"},
			"/rotmp": {fstype: "tmpfs", super: "ro"},
		} {
			m := f.mounted(path)
			if m.fstype != want.fstype || want.options != "" && m.options != want.options ||
				want.super != "" && !has(m.super, want.super) {
				f.Errorf("%s: %+v, want %+v", path, m, want)
			}
		}
	})
}

func (f *fixture) checkNested(dest string, m plan.Mount) {
	f.mount(dest, m)
	if got := f.mounted(dest); got.fstype != m.Type {
		f.Errorf("%s: %+v", dest, got)
	}
}

// The mode must not depend on whether the root was started before.
func TestTmpfsMode(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.mkdir(f.rootfs + "/run")
		f.mkdir(f.rootfs + "/secret")
		if err := os.Chmod(f.rootfs+"/secret", 0o700); err != nil {
			f.Fatal(err)
		}
		for range 2 {
			f.open()
			for dest, want := range map[string]uint32{"/made": 0o1777, "/a/b": 0o1777, "/run": 0o755, "/secret": 0o700} {
				f.mount(dest, plan.Mount{Type: "tmpfs", Source: "tmpfs"})
				f.mode(dest, want)
			}
			f.mount("/a/b/in", plan.Mount{Type: "tmpfs", Source: "tmpfs", Data: []string{"mode=0711"}})
			f.mode("/a/b/in", 0o711)
			f.root.Close()
			if err := unix.Unmount(f.rootfs, unix.MNT_DETACH); err != nil {
				f.Fatal(err)
			}
		}
	})
}

func (f *fixture) mode(path string, want uint32) {
	f.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(f.rootfs+path, &st); err != nil {
		f.Error(err)
	}
	if got := st.Mode & 0o7777; got != want {
		f.Errorf("%s has mode %o, want %o", path, got, want)
	}
}

func TestFilesystemErrors(t *testing.T) {
	if !isolated(t, kind{}) {
		return
	}
	f := newFixture(t)
	f.write(f.rootfs+"/file", "")
	f.open()
	mount := func(dest, fstype string, data ...string) plan.Step {
		return plan.Step{Op: plan.OpMount, Path: dest, Mount: &plan.Mount{Type: fstype, Source: fstype, Data: data}}
	}
	f.refuses(mount("/t", "tmpfs", "bogus=1"), "fsconfig bogus=1: tmpfs: Unknown parameter 'bogus': invalid argument")
	f.refuses(mount("/t", "nofs"), "fsopen nofs: no such device")
	f.refuses(mount("/file", "tmpfs"), "not a directory")
	f.refuses(mount("/", "tmpfs"), "over the root")
	f.refuses(mount("/proc", "tmpfs"), "is not of type proc")
}

func TestReadOnlyFilesystemIsNamed(t *testing.T) {
	everywhere(t, func(f *fixture) {
		if err := unix.Mount("", f.dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			f.Fatal(err)
		}
		f.open()
		err := f.root.Apply(&plan.Step{Op: plan.OpMount, Path: "/new/x", Mount: &plan.Mount{Type: "tmpfs"}})
		if !errors.Is(err, unix.EROFS) || !strings.Contains(err.Error(), "mkdir /new/x") {
			f.Errorf("got %v", err)
		}
	})
}

// fsconfig(2) takes 255 bytes; an overlay of many layers needs more.
func TestLongOption(t *testing.T) {
	if !isolated(t, kind{}) {
		return
	}
	f := newFixture(t)
	var layers []string
	for _, name := range []string{"a", "b", "c"} {
		dir := f.dir + "/" + strings.Repeat(name, 120)
		f.mkdir(dir)
		f.write(dir+"/"+name, "")
		layers = append(layers, dir)
	}
	f.open()
	f.mount("/o", plan.Mount{
		Type: "overlay", Source: "overlay", Data: []string{"lowerdir=" + strings.Join(layers, ":")},
		Attr: plan.MountAttr{Set: noSuid}, Propagation: []uint64{unix.MS_SHARED},
	})
	if m := f.mounted("/o"); m.fstype != "overlay" || !has(m.options, "nosuid") || !strings.Contains(m.tags, "shared:") {
		t.Errorf("%+v", m)
	}
	if _, err := os.Stat(f.rootfs + "/o/c"); err != nil {
		t.Error(err)
	}
	f.refuses(plan.Step{Op: plan.OpMount, Path: "/p", Mount: &plan.Mount{
		Type: "tmpfs", Data: []string{"size=" + strings.Repeat("1", 5000)},
	}}, "size=")
}

func TestOrdinaryDirectory(t *testing.T) {
	everywhere(t, func(f *fixture) {
		for _, fstype := range []string{"proc", "sysfs"} {
			f.symlink(f.dir+"/canary", f.rootfs+"/link-"+fstype)
			f.write(f.rootfs+"/file-"+fstype, "")
			f.mkdir(f.rootfs + "/real")
		}
		f.symlink("/real", f.rootfs+"/way")
		f.open()
		for _, fstype := range []string{"proc", "sysfs"} {
			for _, dest := range []string{"/link-" + fstype, "/file-" + fstype, "/way/x", "/way"} {
				f.refuses(plan.Step{Op: plan.OpMount, Path: dest, Mount: &plan.Mount{Type: fstype, Source: fstype}},
					"must be mounted on ordinary directory")
			}
			f.mount("/new/"+fstype, plan.Mount{Type: fstype, Source: fstype})
			f.mounted("/new/" + fstype)
		}
		f.untouched()
	})
}

func TestCgroupNamespacesOwn(t *testing.T) {
	if !isolated(t, kind{}) {
		return
	}
	f := newFixture(t)
	f.open()
	f.mount("/sys/fs/cgroup", plan.Mount{Type: "cgroup2", Source: "cgroup", Attr: plan.MountAttr{Set: readOnly}})
	if m := f.mounted("/sys/fs/cgroup"); m.fstype != "cgroup2" || !has(m.options, "ro") {
		t.Errorf("%+v", m)
	}
}

func TestCopyUp(t *testing.T) {
	everywhere(t, func(f *fixture) {
		src := f.rootfs + "/var"
		f.mkdir(src + "/lib/deep")
		f.write(src+"/file", "content")
		f.write(src+"/lib/deep/tool", "#!")
		f.symlink(f.dir+"/canary", src+"/link")
		for _, err := range []error{
			os.Chmod(src, 0o2750), os.Chown(src, 11, 12), os.Chmod(src, 0o2750|os.ModeSetgid),
			unix.Chmod(src+"/lib/deep/tool", 0o4711), os.Chown(src+"/file", 1, 2),
			os.Lchown(src+"/link", 3, 4), unix.Mkfifo(src+"/fifo", 0o600),
			unix.Setxattr(src+"/file", "trusted.test", []byte("value"), 0),
			unix.UtimesNanoAt(unix.AT_FDCWD, src+"/file", []unix.Timespec{{Sec: 5}, {Sec: 6}}, 0),
			os.Mkdir(src+"/other", 0o711), unix.Mount("t", src+"/other", "tmpfs", 0, "mode=700"),
		} {
			if err != nil {
				f.Fatal(err)
			}
		}
		f.write(src+"/other/hidden", "")
		f.open()
		f.mount("/var", plan.Mount{
			Type: "tmpfs", Source: "tmpfs", CopyUp: true, Data: []string{"ro"}, Attr: plan.MountAttr{Set: noSuid},
		})
		if m := f.mounted("/var"); m.fstype != "tmpfs" || !has(m.options, "ro", "nosuid") {
			f.Errorf("%+v", m)
		}
		for path, want := range map[string]unix.Stat_t{
			"/var":               {Mode: unix.S_IFDIR | 0o2750, Uid: 11, Gid: 12},
			"/var/file":          {Mode: unix.S_IFREG | 0o644, Uid: 1, Gid: 2},
			"/var/link":          {Mode: unix.S_IFLNK | 0o777, Uid: 3, Gid: 4},
			"/var/fifo":          {Mode: unix.S_IFIFO | 0o600, Gid: 12}, // of a set-gid directory
			"/var/lib":           {Mode: unix.S_IFDIR | 0o755},
			"/var/lib/deep/tool": {Mode: unix.S_IFREG | 0o4711},
		} {
			var st unix.Stat_t
			if err := unix.Lstat(f.rootfs+path, &st); err != nil {
				f.Error(err)
				continue
			}
			if st.Mode != want.Mode || st.Uid != want.Uid || st.Gid != want.Gid {
				f.Errorf("%s: %o %d:%d, want %o %d:%d", path, st.Mode, st.Uid, st.Gid, want.Mode, want.Uid, want.Gid)
			}
			if path == "/var/file" && st.Mtim.Sec != 6 {
				f.Errorf("time of %s is %d", path, st.Mtim.Sec)
			}
		}
		if got, err := os.ReadFile(f.rootfs + "/var/file"); string(got) != "content" {
			f.Errorf("got %q, %v", got, err)
		}
		buf := make([]byte, 16)
		if n, err := unix.Getxattr(f.rootfs+"/var/file", "trusted.test", buf); err != nil || string(buf[:n]) != "value" {
			f.Errorf("attribute: %q, %v", buf[:max(n, 0)], err)
		}
		if _, err := os.Stat(f.rootfs + "/var/other/hidden"); err == nil {
			f.Error("another filesystem was copied")
		}
		f.untouched()
	})
}

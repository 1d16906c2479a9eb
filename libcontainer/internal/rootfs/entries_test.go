package rootfs

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/console"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

func device(dest string, d plan.Device) plan.Step {
	return plan.Step{Op: plan.OpDevice, Path: dest, Device: &d}
}

func link(dest, target string) plan.Step {
	return plan.Step{Op: plan.OpSymlink, Path: dest, Value: target}
}

func TestDevices(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.write(f.rootfs+"/dev/wrong", "text")
		f.symlink(f.dir+"/canary/x", f.rootfs+"/dev/link")
		f.open()
		null := plan.Device{Type: unix.S_IFCHR, Mode: 0o666, Major: 1, Minor: 3}
		for range 2 { // what is there already stays
			f.apply(device("/dev/null", null))
			f.apply(device("/dev/md/x", plan.Device{Type: unix.S_IFBLK, Mode: 0o640, Major: 9, Minor: 7, UID: 3, GID: 4}))
			f.apply(device("/dev/fifo", plan.Device{Type: unix.S_IFIFO, Mode: 0o622, UID: 5}))
		}
		for path, want := range map[string]unix.Stat_t{
			"/dev/null": {Mode: unix.S_IFCHR | 0o666, Rdev: unix.Mkdev(1, 3)},
			"/dev/md/x": {Mode: unix.S_IFBLK | 0o640, Rdev: unix.Mkdev(9, 7), Uid: 3, Gid: 4},
			"/dev/md":   {Mode: unix.S_IFDIR | 0o755},
			"/dev/fifo": {Mode: unix.S_IFIFO | 0o622, Uid: 5},
		} {
			var st unix.Stat_t
			if err := unix.Lstat(f.rootfs+path, &st); err != nil {
				f.Error(err)
				continue
			}
			if st.Mode != want.Mode || st.Rdev != want.Rdev || st.Uid != want.Uid || st.Gid != want.Gid {
				f.Errorf("%s: %+v", path, st)
			}
		}
		f.refuses(device("/dev/null", plan.Device{Type: unix.S_IFCHR, Mode: 0o666, Major: 1, Minor: 5}), "is not device 1:5")
		f.refuses(device("/dev/link", null), "is a symbolic link")
		f.untouched()
	})
}

// A file is what the bind of an earlier start, in a user namespace, left.
func TestDeviceOverFile(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.write(f.rootfs+"/dev/null", "")
		f.open()
		f.apply(device("/dev/null", plan.Device{Type: unix.S_IFCHR, Mode: 0o666, Major: 1, Minor: 3}))
		f.mounted("/dev/null")
	})
}

// CVE-2026-41579: the image's /dev leads out of it.
func TestDevIsSymlink(t *testing.T) {
	everywhere(t, func(f *fixture) {
		if err := os.Remove(f.rootfs + "/dev"); err != nil {
			f.Fatal(err)
		}
		f.symlink(f.dir+"/canary", f.rootfs+"/dev")
		f.open()
		f.apply(device("/dev/null", plan.Device{Type: unix.S_IFCHR, Mode: 0o666, Major: 1, Minor: 3}))
		f.apply(link("/dev/fd", "/proc/self/fd"))
		f.apply(plan.Step{Op: plan.OpMakeCwd, Path: "/dev/a/b"})
		f.mount("/dev/shm", plan.Mount{Type: "tmpfs", Source: "tmpfs"})
		if _, err := os.Lstat(f.rootfs + f.dir + "/canary/null"); err != nil {
			f.Error(err)
		}
		f.untouched()
	})
}

func TestLinks(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.write(f.rootfs+"/dev/ptmx", "")
		f.write(f.rootfs+"/dev/core", "kept")
		f.open()
		for range 2 {
			f.apply(link("/dev/ptmx", "pts/ptmx"))
			f.apply(link("/dev/core", "/proc/kcore"))
			f.apply(link("/dev/fd", "/proc/self/fd"))
			f.apply(link("/new/dir/l", "x"))
		}
		for path, want := range map[string]string{
			"/dev/ptmx": "pts/ptmx", "/dev/fd": "/proc/self/fd", "/new/dir/l": "x",
		} {
			if got, err := os.Readlink(f.rootfs + path); got != want {
				f.Errorf("%s: %q, %v", path, got, err)
			}
		}
		if got, _ := os.ReadFile(f.rootfs + "/dev/core"); string(got) != "kept" {
			f.Error("what the image had there was replaced")
		}
	})
}

func TestMakeCwd(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.symlink("/../../var", f.rootfs+"/etc/up")
		if err := os.Chmod(f.rootfs, 0o755|os.ModeSetgid); err != nil {
			f.Fatal(err)
		}
		f.open()
		for _, path := range []string{"/", "/a/b/c", "/etc/up/work", "/a/b/c"} {
			f.apply(plan.Step{Op: plan.OpMakeCwd, Path: path})
		}
		for _, path := range []string{"/a/b/c", "/var/work"} {
			if st, err := os.Stat(f.rootfs + path); err != nil || !st.IsDir() || st.Mode().Perm() != 0o755 {
				f.Errorf("%s: %v, %v", path, st, err)
			}
		}
	})
}

func TestConsole(t *testing.T) {
	everywhere(t, func(f *fixture) {
		f.open()
		f.mount("/dev", plan.Mount{Type: "tmpfs", Source: "tmpfs", Data: []string{"mode=755"}})
		f.mount("/dev/pts", plan.Mount{Type: "devpts", Source: "devpts", Data: []string{"newinstance", "ptmxmode=0666"}})
		master, slave, err := console.Open(f.rootfs + "/dev/pts")
		if err != nil {
			f.Fatal(err)
		}
		defer master.Close()
		defer slave.Close()
		f.symlink(f.dir+"/canary/c", f.rootfs+"/dev/console")
		if err := f.root.BindConsole(slave); err == nil {
			f.Error("a symlink was taken for the console")
		}
		if err := os.Remove(f.rootfs + "/dev/console"); err != nil {
			f.Fatal(err)
		}
		if err := f.root.BindConsole(slave); err != nil {
			f.Fatal(err)
		}
		if m := f.mounted("/dev/console"); m.fstype != "devpts" {
			f.Errorf("%+v", m)
		}
		var st, pty unix.Stat_t
		if err := unix.Stat(f.rootfs+"/dev/console", &st); err != nil {
			f.Fatal(err)
		}
		if err := unix.Fstat(int(slave.Fd()), &pty); err != nil || st.Rdev != pty.Rdev {
			f.Errorf("the console is %x, the terminal %x, %v", st.Rdev, pty.Rdev, err)
		}
		f.untouched()
	})
}

package console

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain lets the test binary be a child with namespaces of its own.
func TestMain(m *testing.M) {
	switch os.Getenv("CONSOLE_TEST_CHILD") {
	case "":
		os.Exit(m.Run())
	case "devpts":
		exit(privateDevpts())
	case "ptmx":
		exit(mountedOver())
	case "controlling":
		exit(controlling())
	case "background":
		exit(shell())
	case "job":
		exit(backgroundJob())
	}
}

func exit(err error) {
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	os.Exit(0)
}

// openPair makes a terminal of this machine's, whoever we are.
func openPair() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, err
	}
	err = control(master, func(fd int) error {
		if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
			return err
		}
		peer, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.TIOCGPTPEER, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC)
		if errno != 0 {
			return errno
		}
		slave = os.NewFile(peer, "slave")
		return nil
	})
	return master, slave, err
}

func newPTY(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, slave, err := openPair()
	if err != nil {
		t.Skipf("needs a pseudoterminal: %v", err)
	}
	t.Cleanup(func() {
		master.Close()
		slave.Close()
	})
	return master, slave
}

// child runs this test binary again, with namespaces where they are allowed.
func child(t *testing.T, what string, attr *syscall.SysProcAttr) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "CONSOLE_TEST_CHILD="+what, "DIR="+t.TempDir())
	cmd.SysProcAttr = attr
	out, err := cmd.CombinedOutput()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) {
		t.Skipf("needs mount and user namespaces: %v", err)
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func namespaces() *syscall.SysProcAttr {
	if os.Geteuid() == 0 {
		return &syscall.SysProcAttr{Unshareflags: unix.CLONE_NEWNS}
	}
	return &syscall.SysProcAttr{
		Cloneflags:  unix.CLONE_NEWNS | unix.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

func mountDevpts() (string, error) {
	dir := os.Getenv("DIR")
	return dir, unix.Mount("devpts", dir, "devpts", 0, "newinstance,ptmxmode=0666")
}

func privateDevpts() error {
	dir, err := mountDevpts()
	if err != nil {
		return err
	}
	for _, name := range []string{"/dev/pts/0", "/dev/pts/1"} {
		master, slave, err := Open(dir)
		if err != nil {
			return err
		}
		if slave.Name() != name {
			return errors.New("slave is " + slave.Name())
		}
		for _, f := range []*os.File{master, slave} {
			if flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0); err != nil || flags&unix.FD_CLOEXEC == 0 {
				return errors.New(f.Name() + " is not close-on-exec")
			}
		}
		if _, err := os.Stat(filepath.Join(dir, filepath.Base(name))); err != nil {
			return err // not of this instance
		}
		if _, err := slave.WriteString("hello"); err != nil {
			return err
		}
		buf := make([]byte, 10)
		if n, err := master.Read(buf); err != nil || string(buf[:n]) != "hello" {
			return errors.New("master reads " + string(buf[:n]))
		}
	}
	return nil
}

// mountedOver: another device, or another devpts's ptmx, lies over ptmx.
func mountedOver() error {
	other, err := mountDevpts()
	if err != nil {
		return err
	}
	// The second instance lies over the first, which a handle keeps.
	handle, err := os.Open(other + "/ptmx")
	if err != nil {
		return err
	}
	dir, err := mountDevpts()
	if err != nil {
		return err
	}
	for _, source := range []string{"/dev/null", "/proc/self/fd/" + strconv.Itoa(int(handle.Fd()))} {
		if err := unix.Mount(source, dir+"/ptmx", "", unix.MS_BIND, ""); err != nil {
			return err
		}
		if _, _, err := Open(dir); err == nil || !strings.HasSuffix(err.Error(), "not the filesystem's own") {
			return errors.Join(errors.New(source+" over ptmx: accepted, or refused otherwise"), err)
		}
		if err := unix.Unmount(dir+"/ptmx", unix.MNT_DETACH); err != nil {
			return err
		}
	}
	return nil
}

// controlling becomes the foreground of a new terminal.
func controlling() error {
	runtime.LockOSThread()
	if _, err := unix.Setsid(); err != nil {
		return err
	}
	dir, err := mountDevpts()
	if err != nil {
		return err
	}
	_, slave, err := Open(dir)
	if err != nil {
		return err
	}
	if _, err := os.Open("/dev/tty"); !errors.Is(err, unix.ENXIO) {
		return errors.Join(errors.New("there is a controlling terminal already"), err)
	}
	if err := MakeControlling(slave); err != nil {
		return err
	}
	group, err := unix.IoctlGetUint32(int(slave.Fd()), unix.TIOCGPGRP)
	if err == nil && int(group) != unix.Getpgrp() {
		err = errors.New("another group is in the foreground")
	}
	return err
}

func TestOpen(t *testing.T)            { child(t, "devpts", namespaces()) }
func TestOpenMountedOver(t *testing.T) { child(t, "ptmx", namespaces()) }
func TestMakeControlling(t *testing.T) { child(t, "controlling", namespaces()) }

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/dev/pts", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/ptmx", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ path, want string }{
		"missing":            {dir + "/none", "open " + dir + "/none: no such file or directory"},
		"no devpts":          {dir, dir + " is not a devpts filesystem"},
		"symbolic link":      {dir + "/link", "open " + dir + "/link: not a directory"},
		"not a directory":    {"/dev/null", "open /dev/null: not a directory"},
		"another filesystem": {"/proc", "/proc is not a devpts filesystem"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Open(tc.path)
			checkError(t, err, tc.want)
		})
	}
	t.Run("not the root", func(t *testing.T) {
		_, slave := newPTY(t)
		_, _, err := OpenAt(slave)
		checkError(t, err, "slave is not a devpts filesystem")
	})
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func TestSetSize(t *testing.T) {
	master, slave := newPTY(t)
	checkError(t, SetSize(master, 24, 80), "")
	size, err := unix.IoctlGetWinsize(int(slave.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Row != 24 || size.Col != 80 {
		t.Errorf("size %+v, %v", size, err)
	}
	null, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	checkError(t, SetSize(null, 24, 80), "ioctl(TIOCSWINSZ): inappropriate ioctl for device")
}

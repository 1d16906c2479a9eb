package spawn_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/spawn"
	"github.com/rung-run/rung/libcontainer/internal/wire"
	"github.com/rung-run/rung/nsenter" // this program is its own bootstrap
)

func TestMain(m *testing.M) {
	if in := nsenter.Inherit(); in.Init {
		// Init waits for a plan that does not come.
		_, _ = wire.NewConn(in.Socket).Recv()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// enter brings a child to where it waits: for its maps if it has a user
// namespace, else for the plan.
func enter(t *testing.T, namespaces uint32) *spawn.Child {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	b, err := spawn.Start(spawn.Options{Stdio: [3]*os.File{null, null, null}, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	c, err := b.Enter(&wire.Header{New: namespaces, Cgroup: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

// Until its maps are written the child has root's ids on the host. A process
// with these ids and no capability must not reach it, though it owns the user
// namespace.
func TestUnmappedChildIsOutOfReach(t *testing.T) {
	c := enter(t, unix.CLONE_NEWUSER|unix.CLONE_NEWPID)
	errs := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			errs <- err
			return
		}
		fd, err := unix.Open(filepath.Join("/proc", strconv.Itoa(c.Pid), "root"), unix.O_PATH|unix.O_CLOEXEC, 0)
		if err == nil {
			_ = unix.Close(fd)
		}
		errs <- err
	}()
	if err := <-errs; !errors.Is(err, unix.EACCES) {
		t.Errorf("open of the child's root: %v, want %v", err, unix.EACCES)
	}
}

// What our caller has left open is not the child's.
func TestChildHasNoDescriptorsOfTheCaller(t *testing.T) {
	const leaked = 77
	secret, err := os.Open("/etc/hostname")
	if err != nil {
		t.Fatal(err)
	}
	defer secret.Close()
	if err := unix.Dup3(int(secret.Fd()), leaked, 0); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(leaked)
	c := enter(t, 0)
	if err := c.Namespaces(); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join("/proc", strconv.Itoa(c.Pid), "fd", strconv.Itoa(leaked))
	if to, err := os.Readlink(link); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the child has descriptor %d open: %q, %v", leaked, to, err)
	}
}

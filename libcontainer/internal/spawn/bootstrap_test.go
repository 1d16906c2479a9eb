package spawn_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
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
	c, err := b.Enter(t.Context(), &wire.Header{New: namespaces, Cgroup: -1})
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
	if err := <-reach(func() error { return openRoot(c.Pid) }); !errors.Is(err, unix.EACCES) {
		t.Errorf("open of the child's root: %v, want %v", err, unix.EACCES)
	}
}

// reach runs try on a thread without capabilities.
func reach(try func() error) <-chan error {
	errs := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err := unix.Capset(&header, &none[0]); err != nil {
			errs <- err
			return
		}
		errs <- try()
	}()
	return errs
}

func openRoot(pid int) error {
	fd, err := unix.Open(filepath.Join("/proc", strconv.Itoa(pid), "root"), unix.O_PATH|unix.O_CLOEXEC, 0)
	if err == nil {
		_ = unix.Close(fd)
	}
	return err
}

// Nor the process that is made for the user namespace of an idmapped mount.
func TestIDMapHelperIsOutOfReach(t *testing.T) {
	c := enter(t, unix.CLONE_NEWUSER|unix.CLONE_NEWPID)
	p := &plan.Plan{Handles: []plan.Handle{{Mount: plan.Mount{
		Type: "bind", Source: t.TempDir(),
		UIDMap: []plan.IDMap{{ContainerID: 0, HostID: 100000, Size: 10}},
		GIDMap: []plan.IDMap{{ContainerID: 0, HostID: 100000, Size: 10}},
	}}}}
	var done atomic.Bool
	reached := reach(func() error {
		for !done.Load() {
			tasks, _ := filepath.Glob("/proc/self/task/*/children")
			for _, task := range tasks {
				list, _ := os.ReadFile(task)
				for text := range strings.FieldsSeq(string(list)) {
					if pid, err := strconv.Atoi(text); err == nil && openRoot(pid) == nil && userNamespaceOf(pid) {
						return fmt.Errorf("the root of process %d was opened", pid)
					}
				}
			}
		}
		return nil
	})
	for range 30 {
		files, err := c.OpenHandles(t.Context(), p)
		if err != nil && !strings.Contains(err.Error(), "mount_setattr") { // the filesystem need not know idmaps
			t.Error(err)
		}
		spawn.CloseAll(files)
	}
	done.Store(true)
	if err := <-reached; err != nil {
		t.Error(err)
	}
}

// userNamespaceOf tells whether the process has one of its own: until it has,
// it is a fork of ours like any other.
func userNamespaceOf(pid int) bool {
	theirs, err := os.Readlink(filepath.Join("/proc", strconv.Itoa(pid), "ns/user"))
	ours, _ := os.Readlink("/proc/self/ns/user")
	return err == nil && theirs != ours
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

package rootfs

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

const (
	directoryMode = unix.S_IFDIR | 0o755
	fileMode      = unix.S_IFREG | 0o644
)

// target is a place for a mount.
type target struct {
	*os.File
	info linux.Info
	path string // inside the container, clean
	made bool   // there was nothing before
}

// lookup says how a mount's destination is to be found.
type lookup struct {
	mode     uint32 // what is made where nothing is
	nofollow bool   // a symlink at its end is the destination itself
	// ordinary: no symlinks on the way, and a directory at its end.
	ordinary bool
	fstype   string
}

// target opens the destination of a mount and makes it where it is missing.
// What it returns is a handle: whatever happens to the path from here on, the
// mount goes there (CVE-2021-30465).
func (r *Root) target(dest string, how lookup) (*target, error) {
	t := &target{path: path.Clean("/" + dest)}
	if t.path == "/" {
		return nil, errOverRoot
	}
	flags, resolve := 0, uint64(0)
	if how.nofollow {
		flags = unix.O_NOFOLLOW
	}
	if how.ordinary {
		resolve = unix.RESOLVE_NO_SYMLINKS
	}
	var err error
	t.File, t.made, err = linux.CreateInRoot(r.dir, t.path, how.mode, flags, resolve)
	if err != nil {
		if how.ordinary && (errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR)) {
			err = notOrdinary(how.fstype, t.path)
		}
		return nil, err
	}
	if err := r.verifyTarget(t, how); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

var errOverRoot = errors.New("a mount over the root of the container is not possible: " +
	"what root.path names is mounted there")

func notOrdinary(fstype, path string) error {
	return fmt.Errorf("filesystem %q at %s must be mounted on ordinary directory", fstype, path)
}

func (r *Root) verifyTarget(t *target, how lookup) error {
	var err error
	if t.info, err = linux.StatHandle(t.File); err != nil {
		return err
	}
	if t.info.Same(&r.info) { // by way of a symlink
		return errOverRoot
	}
	isDir, wantDir := t.info.Is(unix.S_IFDIR), how.mode&unix.S_IFMT == unix.S_IFDIR
	if how.ordinary && !isDir {
		return notOrdinary(how.fstype, t.path)
	}
	if isDir != wantDir {
		// As graft_tree in fs/namespace.c has it, either way round.
		return &os.PathError{Op: "mount", Path: t.path, Err: unix.ENOTDIR}
	}
	return insideProc(t)
}

// insideProc refuses to cover what lies below /proc: security profiles, sysctl
// and masks are written and read there by path (CVE-2019-16884). Both the path
// and what it leads to count. What lxcfs emulates may be covered.
func insideProc(t *target) error {
	below, isBelow := strings.CutPrefix(t.path, "/proc/")
	if !isBelow && (t.path == "/proc" || !linux.IsFilesystem(t.File, unix.PROC_SUPER_MAGIC)) {
		return nil
	}
	switch below {
	case "cpuinfo", "diskstats", "meminfo", "stat", "swaps", "uptime", "loadavg", "slabinfo",
		"net/dev", "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled":
		return nil
	}
	return fmt.Errorf("%q cannot be mounted because it is inside /proc", t.path)
}

// overProc lets nothing be mounted at /proc but a procfs.
func overProc(dest string, m *plan.Mount, tree *os.File) error {
	if path.Clean("/"+dest) != "/proc" || m.Type == "proc" {
		return nil
	}
	if m.Type == "bind" && linux.IsProcRoot(tree) {
		return nil
	}
	return fmt.Errorf("%q cannot be mounted because it is not of type proc", "/proc")
}

// reopen finds the mount that mount(2), by path, has put on t.
func (r *Root) reopen(t *target, how lookup) (*os.File, error) {
	flags := 0
	if how.nofollow {
		flags = unix.O_NOFOLLOW
	}
	f, err := linux.OpenInRoot(r.dir, t.path, flags, 0)
	if err != nil {
		return nil, err
	}
	// The path may lead elsewhere by now: to where nothing was mounted.
	info, err := linux.StatHandle(f)
	if err == nil && info.MountID != 0 && info.MountID == t.info.MountID {
		err = &os.PathError{Op: "mount", Path: t.path, Err: errChanged}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

package spawn

import (
	"fmt"
	"os"
	"strconv"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"github.com/rung-run/rung/libcontainer/internal/wire"
	"golang.org/x/sys/unix"
)

// Namespace is a type of namespace and its names.
type Namespace struct {
	Flag uint32 // CLONE_NEW*
	File string // below /proc/PID/ns
}

// Namespaces are all types, in the order in which they are joined: the pid
// namespace last, so that the container's processes see the joining one as
// late as possible (CVE-2016-9962).
func Namespaces() [8]Namespace {
	return [...]Namespace{
		{unix.CLONE_NEWUSER, "user"},
		{unix.CLONE_NEWIPC, "ipc"},
		{unix.CLONE_NEWUTS, "uts"},
		{unix.CLONE_NEWNET, "net"},
		{unix.CLONE_NEWCGROUP, "cgroup"},
		{unix.CLONE_NEWTIME, "time"},
		{unix.CLONE_NEWNS, "mnt"},
		{unix.CLONE_NEWPID, "pid"},
	}
}

// Joins are open namespaces, for the header.
type Joins struct {
	files []*os.File
	List  []wire.JoinFD
}

// Close closes them.
func (j *Joins) Close() {
	for _, f := range j.files {
		f.Close()
	}
	j.files = nil
}

// User tells whether a user namespace is among them.
func (j *Joins) User() bool {
	for _, fd := range j.List {
		if fd.Type == unix.CLONE_NEWUSER {
			return true
		}
	}
	return false
}

// OpenJoins opens the namespaces that a plan joins by path.
func OpenJoins(joins []plan.Join) (*Joins, error) {
	j := &Joins{}
	for _, ns := range Namespaces() {
		for _, want := range joins {
			if want.Type != uint64(ns.Flag) {
				continue
			}
			if err := j.open(ns, want.Path); err != nil {
				j.Close()
				return nil, &fault.Error{Op: "join", Field: want.Field, Path: want.Path, Err: err}
			}
		}
	}
	return j, nil
}

// OpenProcess opens the namespaces of the process pid.
func OpenProcess(pid int) (*Joins, error) {
	j := &Joins{}
	for _, ns := range Namespaces() {
		path := "/proc/" + strconv.Itoa(pid) + "/ns/" + ns.File
		if err := j.open(ns, path); err != nil {
			if os.IsNotExist(err) && ns.Flag == unix.CLONE_NEWTIME {
				continue // a kernel without time namespaces
			}
			j.Close()
			return nil, &fault.Error{Op: "join namespace", Path: path, Err: err}
		}
	}
	return j, nil
}

// open opens one, unless we are in it already: a user namespace cannot be
// entered again (setns(2), EINVAL), and others need not be.
func (j *Joins) open(ns Namespace, path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	kind, err := unix.IoctlRetInt(int(f.Fd()), unix.NS_GET_NSTYPE)
	if err != nil || uint32(kind) != ns.Flag { //nolint:gosec // a CLONE_NEW* bit
		f.Close()
		return fmt.Errorf("not a %s namespace", ns.File)
	}
	var theirs, ours unix.Stat_t
	if unix.Fstat(int(f.Fd()), &theirs) == nil && unix.Stat("/proc/self/ns/"+ns.File, &ours) == nil &&
		theirs.Dev == ours.Dev && theirs.Ino == ours.Ino {
		return f.Close()
	}
	j.files = append(j.files, f)
	j.List = append(j.List, wire.JoinFD{Type: ns.Flag, FD: int(f.Fd())})
	return nil
}

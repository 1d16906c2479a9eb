package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"
)

// Doors are descriptors by which a process enters the cgroups by itself.
type Doors struct {
	// Tasks are v1 "tasks" files, into which a thread writes 0.
	Tasks []*os.File
	// V2 is the directory for clone3(2), CLONE_INTO_CGROUP; or nil.
	V2 *os.File
}

// Close closes them.
func (d *Doors) Close() {
	for _, f := range d.Tasks {
		f.Close()
	}
	if d.V2 != nil {
		d.V2.Close()
	}
	d.Tasks, d.V2 = nil, nil
}

// Doors opens them. Without any cgroup there are none. A v2 cgroup that shares
// its controllers out to those below takes no process: then the error is EBUSY,
// and DoorsOf init's pid lead to where init has gone.
func (c *Cgroup) Doors() (*Doors, error) {
	if dir := c.paths[unified]; dir != "" && !c.fresh {
		const file = "/cgroup.subtree_control"
		if shared, err := readFile(dir + file); err == nil && strings.TrimSpace(shared) != "" {
			return nil, &os.PathError{Op: "enter", Path: dir, Err: unix.EBUSY}
		}
	}
	return openDoors(c.directories(), c.paths[unified], c.Spared())
}

// DoorsOf opens those of the cgroups that the process pid is in now.
func DoorsOf(pid int) (*Doors, error) {
	t, err := readTree(defaultRoot, strconv.Itoa(pid))
	if err != nil {
		return nil, err
	}
	var dirs []string
	v2 := ""
	for _, h := range t.list {
		dir := find(filepath.Join(t.root, h.name), h.path, exists)
		if dir == "" {
			return nil, &os.PathError{Op: "find cgroup", Path: h.path, Err: unix.ENOENT}
		}
		if h.controllers == unified {
			v2 = dir
		}
		dirs = append(dirs, dir)
	}
	return openDoors(dirs, v2, false)
}

// find is the directory of another process's cgroup, "" if it is not within
// what is mounted at base. In a container without a cgroup namespace the path
// counts from the host's root, and only a part of the tree is mounted: then its
// beginning is not to be found there.
func find(base, path string, exists func(string) bool) string {
	switch {
	case path == "/":
		return base
	case strings.HasPrefix(path, "/.."): // outside of our cgroup namespace
		return ""
	}
	for rest := filepath.Clean("/" + path); rest != "/"; {
		if exists(base + rest) {
			return base + rest
		}
		_, rest, _ = strings.Cut(rest[1:], "/")
		rest = "/" + rest
	}
	return ""
}

// openDoors opens those of dirs, of which v2 is of the v2 tree; with tolerant
// only those that may be opened.
func openDoors(dirs []string, v2 string, tolerant bool) (*Doors, error) {
	d := &Doors{Tasks: make([]*os.File, 0, len(dirs))}
	for _, dir := range dirs {
		path, flags := dir+"/tasks", unix.O_WRONLY
		if dir == v2 {
			path, flags = dir, unix.O_PATH|unix.O_DIRECTORY
		}
		fd, err := unix.Open(path, flags|unix.O_CLOEXEC, 0)
		if tolerant && refused(err) {
			continue
		}
		if err != nil {
			d.Close()
			return nil, &os.PathError{Op: "open", Path: path, Err: err}
		}
		f := os.NewFile(uintptr(fd), path)
		if dir == v2 {
			d.V2 = f
		} else {
			d.Tasks = append(d.Tasks, f)
		}
	}
	return d, nil
}

// AddPid moves a process into the cgroups in which it is not yet: where it
// could not enter by itself. Each move waits for a grace period.
func (c *Cgroup) AddPid(pid int) error {
	members, err := memberships(strconv.Itoa(pid))
	if err != nil {
		return err
	}
	at := make(map[string]string, len(c.paths))
	for _, m := range members {
		for key := range strings.SplitSeq(m.controllers, ",") {
			if dir := c.paths[key]; dir != "" && c.inside(dir) != m.path {
				at[dir] = key
			}
		}
	}
	var first error
	for dir := range at {
		err := cgroups.WriteCgroupProc(dir, pid)
		if refused(err) && c.Spared() {
			continue
		}
		if err != nil && first == nil {
			first = err
		}
	}
	return first
}

// inside is dir as /proc/PID/cgroup names it, where the whole tree is mounted.
func (c *Cgroup) inside(dir string) string {
	rest := strings.TrimPrefix(dir, c.o.root())
	if !c.v2 {
		_, rest, _ = strings.Cut(strings.TrimPrefix(rest, "/"), "/")
		rest = "/" + rest
	}
	return rest
}

// PIDs are all processes of the container, also in cgroups below its own.
func (c *Cgroup) PIDs() ([]int, error) {
	dir := c.listing()
	if dir == "" {
		return nil, nil
	}
	pids, err := processes(dir)
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	return pids, err
}

// listing is a directory that all processes of the container are in.
func (c *Cgroup) listing() string {
	for _, key := range [...]string{"devices", "pids", "freezer", "memory", unified} {
		if dir := c.paths[key]; dir != "" {
			return dir
		}
	}
	for _, dir := range c.directories() {
		return dir
	}
	return ""
}

// processes are those in dir and below.
func processes(dir string) (pids []int, err error) {
	err = walk(dir, func(d *os.File) error {
		list, err := readIn(d, "cgroup.procs")
		if errors.Is(err, unix.EOPNOTSUPP) { // threaded, cgroup-v2.rst
			list, err = readIn(d, "cgroup.threads")
		}
		for line := range strings.Lines(list) {
			// 0 is a process that our pid namespace does not show.
			if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
		return err
	}, nil)
	return pids, err
}

package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// unified is the key of the v2 tree in a map of paths, also where it stands
// beside v1 hierarchies.
const unified = ""

// membership is a line of /proc/self/cgroup (cgroups(7)): a hierarchy and the
// cgroup we are in.
type membership struct {
	controllers string // "cpu,cpuacct", "name=systemd"; "" on v2
	path        string
}

func parseMemberships(text string) []membership {
	var list []membership
	for line := range strings.Lines(text) {
		_, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if !ok {
			continue
		}
		controllers, path, ok := strings.Cut(rest, ":")
		if ok {
			list = append(list, membership{controllers, path})
		}
	}
	return list
}

func memberships(pid string) ([]membership, error) {
	data, err := os.ReadFile("/proc/" + pid + "/cgroup")
	if err != nil {
		return nil, err
	}
	return parseMemberships(string(data)), nil
}

// isUnified tells whether root is a v2 tree.
func isUnified(root string) (bool, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(root, &st); err != nil {
		if errors.Is(err, unix.ENOENT) {
			return false, nil // a machine without cgroups
		}
		return false, &os.PathError{Op: "statfs", Path: root, Err: err}
	}
	return st.Type == unix.CGROUP2_SUPER_MAGIC, nil
}

// hierarchyDir is the directory below the root at which a hierarchy is
// mounted, by convention; "" if it is not.
func hierarchyDir(root, controllers string) string {
	name := strings.TrimPrefix(controllers, "name=")
	if controllers == unified {
		name = "unified"
	}
	for _, candidate := range append([]string{name}, reversed(name)...) {
		if st, err := os.Lstat(filepath.Join(root, candidate)); err == nil && st.IsDir() {
			return candidate
		}
	}
	return ""
}

// reversed are other names of a hierarchy: its controllers in another order,
// as "cpu,cpuacct" is "cpuacct,cpu" to some.
func reversed(name string) []string {
	parts := strings.Split(name, ",")
	if len(parts) == 1 {
		return nil
	}
	slices.Reverse(parts)
	return []string{strings.Join(parts, ",")}
}

// Hierarchies tells which cgroup hierarchies are mounted below root, and
// whether it is one v2 tree.
func Hierarchies(root string) (list []plan.Hierarchy, v2 bool, err error) {
	if v2, err = isUnified(root); err != nil || v2 {
		return nil, v2, err
	}
	members, err := memberships("self")
	if err != nil {
		return nil, false, err
	}
	for _, m := range members {
		dir := hierarchyDir(root, m.controllers)
		if dir == "" {
			continue
		}
		h := plan.Hierarchy{Name: dir, Options: m.controllers}
		if names := strings.Split(m.controllers, ","); len(names) > 1 {
			h.Links = names
		}
		list = append(list, h)
	}
	slices.SortFunc(list, func(a, b plan.Hierarchy) int { return strings.Compare(a.Name, b.Name) })
	return list, false, nil
}

// findPaths decides where a container's cgroups are. An absolute path counts
// from the root of each hierarchy; a relative one, or the ID where there is
// none, from the cgroup we are in, on v2 from its parent: a cgroup with
// processes cannot have children with controllers there.
func findPaths(root, cgroupsPath, id string) (map[string]string, error) {
	v2, err := isUnified(root)
	if err != nil {
		return nil, err
	}
	members, err := memberships("self")
	if err != nil {
		return nil, err
	}
	paths := make(map[string]string)
	for _, m := range members {
		dir := root
		switch {
		case v2 && m.controllers != unified:
			continue
		case !v2:
			name := hierarchyDir(root, m.controllers)
			if name == "" {
				continue
			}
			dir = filepath.Join(root, name)
		}
		at := place(dir, m.path, cgroupsPath, id, v2)
		for key := range strings.SplitSeq(m.controllers, ",") {
			paths[key] = at
		}
	}
	return paths, nil
}

func place(dir, own, cgroupsPath, id string, v2 bool) string {
	if cgroupsPath == "" {
		cgroupsPath = id
	}
	if filepath.IsAbs(cgroupsPath) {
		return filepath.Join(dir, cgroupsPath)
	}
	if v2 {
		own = filepath.Dir(own)
	}
	// In a container without a cgroup namespace the path counts from the
	// host's root, and only our own part is mounted.
	if _, err := os.Lstat(filepath.Join(dir, own)); err != nil {
		own = "/"
	}
	// Cleaned as if rooted: no ".." leads out.
	return filepath.Join(dir, own, filepath.Clean("/"+cgroupsPath))
}

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

// membership is a line of /proc/PID/cgroup (cgroups(7)): a hierarchy and the
// process's cgroup in it.
type membership struct {
	controllers string // "cpu,cpuacct", "name=systemd"; "" on v2
	path        string
}

func parseMemberships(text string) []membership {
	list := make([]membership, 0, strings.Count(text, "\n"))
	for line := range strings.Lines(text) {
		_, rest, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if !ok {
			continue
		}
		if controllers, path, ok := strings.Cut(rest, ":"); ok {
			list = append(list, membership{controllers, path})
		}
	}
	return list
}

func memberships(pid string) ([]membership, error) {
	data, err := readFile("/proc/" + pid + "/cgroup")
	return parseMemberships(data), err
}

// treeKind is what a directory is of.
type treeKind int

const (
	treeNone treeKind = iota
	treeV1
	treeV2
)

// kindOf asks which kind of cgroup filesystem path is of. A hierarchy that the
// kernel has need not be mounted here: then there may be an ordinary directory
// of its name.
func kindOf(path string) (treeKind, error) {
	var st unix.Statfs_t
	err := unix.Statfs(path, &st)
	switch {
	case errors.Is(err, unix.ENOENT):
		return treeNone, nil
	case err != nil:
		return treeNone, &os.PathError{Op: "statfs", Path: path, Err: err}
	case st.Type == unix.CGROUP_SUPER_MAGIC:
		return treeV1, nil
	case st.Type == unix.CGROUP2_SUPER_MAGIC:
		return treeV2, nil
	}
	return treeNone, nil
}

// hierarchy is a mounted one, and the cgroup in it of the process asked about.
type hierarchy struct {
	name  string // directory below the root; "" is the root itself, v2
	links []string
	membership
}

// tree is all that is mounted at a root.
type tree struct {
	root string
	v2   bool
	list []hierarchy
}

func readTree(root, pid string) (tree, error) {
	members, err := memberships(pid)
	if err != nil {
		return tree{}, err
	}
	return findTree(root, members, kindOf)
}

func findTree(root string, members []membership, kind func(string) (treeKind, error)) (tree, error) {
	t := tree{root: root}
	top, err := kind(root)
	if err != nil {
		return t, err
	}
	if top == treeV2 {
		t.v2 = true
		for _, m := range members {
			if m.controllers == unified {
				t.list = []hierarchy{{membership: m}}
			}
		}
		return t, nil
	}
	entries, err := os.ReadDir(root)
	if errors.Is(err, os.ErrNotExist) {
		return t, nil // a machine without cgroups
	}
	if err != nil {
		return t, err
	}
	for _, m := range members {
		want := treeV1
		if m.controllers == unified {
			want = treeV2
		}
		name := directoryOf(m.controllers, entries)
		if name == "" {
			continue
		}
		if is, err := kind(filepath.Join(root, name)); err != nil || is != want {
			continue // not mounted, or out of our reach
		}
		t.list = append(t.list, hierarchy{name: name, links: linksTo(root, name, entries), membership: m})
	}
	slices.SortFunc(t.list, func(a, b hierarchy) int { return strings.Compare(a.name, b.name) })
	return t, nil
}

// treeOf is the tree that Hierarchies has found, with the cgroups of own.
func treeOf(root string, h *plan.Host, own []membership) tree {
	t := tree{root: root, v2: h.Unified}
	if t.v2 {
		t.list = []hierarchy{{}}
	}
	for _, m := range h.Hierarchies {
		t.list = append(t.list, hierarchy{name: m.Name, membership: membership{controllers: m.Options}})
	}
	for i := range t.list {
		for _, m := range own {
			if m.controllers == t.list[i].controllers {
				t.list[i].path = m.path
			}
		}
	}
	return t
}

// directoryOf finds the directory of a hierarchy by its name. Controllers that
// share one are listed in either order: "cpu,cpuacct" and "cpuacct,cpu".
func directoryOf(controllers string, entries []os.DirEntry) string {
	first, _, _ := strings.Cut(controllers, ",")
	first = strings.TrimPrefix(first, "name=")
	if controllers == unified {
		first = "unified"
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		for part := range strings.SplitSeq(e.Name(), ",") {
			if part == first {
				return e.Name()
			}
		}
	}
	return ""
}

func linksTo(root, name string, entries []os.DirEntry) (links []string) {
	for _, e := range entries {
		if e.Type()&os.ModeSymlink == 0 {
			continue
		}
		target, err := os.Readlink(filepath.Join(root, e.Name()))
		if err == nil && filepath.Base(target) == name {
			links = append(links, e.Name())
		}
	}
	return links
}

// Hierarchies tells which cgroup hierarchies are mounted below root, and
// whether it is one v2 tree.
func Hierarchies(root string) (list []plan.Hierarchy, v2 bool, err error) {
	t, err := readTree(root, "self")
	if err != nil || t.v2 {
		return nil, t.v2, err
	}
	for _, h := range t.list {
		list = append(list, plan.Hierarchy{Name: h.name, Options: h.controllers, Links: h.links})
	}
	return list, false, nil
}

// place decides where a container's cgroups are. An absolute path counts from
// the root of each hierarchy; a relative one, or the ID where there is none,
// from the cgroup we are in, on v2 from its parent: there a cgroup that has
// processes has no controllers for its children (cgroup-v2.rst, "No Internal
// Process Constraint").
func (t *tree) place(asked, id string, exists func(string) bool) map[string]string {
	if asked == "" {
		asked = id
	}
	paths := make(map[string]string, len(t.list)+1)
	for i := range t.list {
		h := &t.list[i]
		base := filepath.Join(t.root, h.name)
		if !filepath.IsAbs(asked) {
			base = below(base, h.path, t.v2, exists)
		}
		// Cleaned as if rooted: no ".." leads out.
		dir := filepath.Join(base, filepath.Clean("/"+asked))
		for key := range strings.SplitSeq(h.controllers, ",") {
			paths[key] = dir
		}
	}
	return paths
}

func below(base, own string, parent bool, exists func(string) bool) string {
	own = filepath.Clean("/" + own)
	if parent {
		own = filepath.Dir(own)
	}
	// In a container without a cgroup namespace the path counts from the
	// host's root, and only our own part is mounted.
	if own != "/" && exists(filepath.Join(base, own)) {
		return filepath.Join(base, own)
	}
	return base
}

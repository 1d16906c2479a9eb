package cgroup

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// fakeRoot makes directories, and links for names with " -> ".
func fakeRoot(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, n := range names {
		var err error
		if link, target, ok := strings.Cut(n, " -> "); ok {
			err = os.Symlink(target, filepath.Join(root, link))
		} else {
			err = os.MkdirAll(filepath.Join(root, n), 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// fakeKind tells what is mounted at names below root; "" is the root itself.
func fakeKind(root string, kinds map[string]treeKind) func(string) (treeKind, error) {
	return func(path string) (treeKind, error) {
		name, _ := strings.CutPrefix(strings.TrimPrefix(path, root), "/")
		return kinds[name], nil
	}
}

func TestFindTree(t *testing.T) {
	const v1Lines = "9:name=systemd:/init.scope\n4:memory:/\n2:cpuacct,cpu:/a:b\n1:net_cls,net_prio:/\n0::/user.slice\n"
	for name, tc := range map[string]struct {
		dirs  []string
		kinds map[string]treeKind
		lines string
		want  []plan.Hierarchy
		v2    bool
	}{
		"v2": {
			dirs: []string{"system.slice"}, kinds: map[string]treeKind{"": treeV2},
			lines: "1:name=elogind:/1\n0::/user.slice/x\n", v2: true,
			want: []plan.Hierarchy{{}},
		},
		"hybrid, co-mounted in another order than the kernel's": {
			dirs: []string{"memory", "cpu,cpuacct", "cpu -> cpu,cpuacct", "cpuacct -> cpu,cpuacct", "systemd", "unified"},
			kinds: map[string]treeKind{
				"memory": treeV1, "cpu,cpuacct": treeV1, "systemd": treeV1, "unified": treeV2,
			},
			lines: v1Lines,
			want: []plan.Hierarchy{
				{Name: "cpu,cpuacct", Options: "cpuacct,cpu", Links: []string{"cpu", "cpuacct"}},
				{Name: "memory", Options: "memory"},
				{Name: "systemd", Options: "name=systemd"},
				{Name: "unified", Options: ""},
			},
		},
		"directories in which nothing is mounted": {
			dirs:  []string{"memory", "cpu,cpuacct", "unified"},
			kinds: map[string]treeKind{"memory": treeV1}, lines: v1Lines,
			want: []plan.Hierarchy{{Name: "memory", Options: "memory"}},
		},
		"cpu is not cpuset": {
			dirs:  []string{"cpuset"},
			kinds: map[string]treeKind{"cpuset": treeV1}, lines: "2:cpu:/\n1:cpuset:/\n",
			want: []plan.Hierarchy{{Name: "cpuset", Options: "cpuset"}},
		},
		"nothing mounted": {lines: v1Lines},
	} {
		t.Run(name, func(t *testing.T) {
			root := fakeRoot(t, tc.dirs...)
			got, err := findTree(root, parseMemberships(tc.lines), fakeKind(root, tc.kinds))
			if err != nil {
				t.Fatal(err)
			}
			var list []plan.Hierarchy
			for _, h := range got.list {
				list = append(list, plan.Hierarchy{Name: h.name, Options: h.controllers, Links: h.links})
			}
			if got.v2 != tc.v2 || !reflect.DeepEqual(list, tc.want) {
				t.Errorf("v2 %v, got %+v, want %+v", got.v2, list, tc.want)
			}
		})
	}
}

func TestFindTreeWithoutRoot(t *testing.T) {
	got, err := findTree(filepath.Join(t.TempDir(), "none"), parseMemberships("0::/\n"), kindOf)
	if err != nil || len(got.list) > 0 {
		t.Errorf("got %+v, %v; want nothing", got, err)
	}
}

func TestParseMemberships(t *testing.T) {
	got := parseMemberships("2:cpu,cpuacct:/a:b/c\n1:name=systemd:/\n0::/x y\ngarbage\n")
	want := []membership{{"cpu,cpuacct", "/a:b/c"}, {"name=systemd", "/"}, {"", "/x y"}}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPlace(t *testing.T) {
	v1 := []hierarchy{
		{name: "cpu,cpuacct", membership: membership{"cpu,cpuacct", "/own"}},
		{name: "memory", membership: membership{"memory", "/"}},
		{name: "systemd", membership: membership{"name=systemd", "/own/deep"}},
		{name: "unified", membership: membership{"", "/own"}},
	}
	onV2 := func(own string) []hierarchy { return []hierarchy{{membership: membership{"", own}}} }
	for name, tc := range map[string]struct {
		list   []hierarchy
		asked  string
		hidden bool // our own cgroup is not in what is mounted
		want   map[string]string
	}{
		"v1 absolute": {
			list: v1, asked: "/pods/c", want: map[string]string{
				"cpu": "/cg/cpu,cpuacct/pods/c", "cpuacct": "/cg/cpu,cpuacct/pods/c", "memory": "/cg/memory/pods/c",
				"name=systemd": "/cg/systemd/pods/c", "": "/cg/unified/pods/c",
			},
		},
		"v1 relative": {
			list: v1, asked: "pods/c", want: map[string]string{
				"cpu": "/cg/cpu,cpuacct/own/pods/c", "cpuacct": "/cg/cpu,cpuacct/own/pods/c", "memory": "/cg/memory/pods/c",
				"name=systemd": "/cg/systemd/own/deep/pods/c", "": "/cg/unified/own/pods/c",
			},
		},
		"v1 absent": {
			list: v1[1:3], want: map[string]string{"memory": "/cg/memory/ID", "name=systemd": "/cg/systemd/own/deep/ID"},
		},
		"v1 in a container without cgroup namespace": {
			list: v1[2:3], asked: "c", hidden: true, want: map[string]string{"name=systemd": "/cg/systemd/c"},
		},
		"v2 absolute":             {list: onV2("/a/b"), asked: "/c", want: map[string]string{"": "/cg/c"}},
		"v2 relative":             {list: onV2("/a/b"), asked: "x/c", want: map[string]string{"": "/cg/a/x/c"}},
		"v2 absent":               {list: onV2("/a/b"), want: map[string]string{"": "/cg/a/ID"}},
		"v2 absent, in the root":  {list: onV2("/"), want: map[string]string{"": "/cg/ID"}},
		"v2 outside of our root":  {list: onV2("/../../x"), want: map[string]string{"": "/cg/ID"}},
		"v2 own is not mounted":   {list: onV2("/a/b"), hidden: true, want: map[string]string{"": "/cg/ID"}},
		"dots do not lead out":    {list: onV2("/a/b"), asked: "../../../c", want: map[string]string{"": "/cg/a/c"}},
		"nor from an absolute":    {list: onV2("/"), asked: "/../../etc", want: map[string]string{"": "/cg/etc"}},
		"slashes do not multiply": {list: onV2("/"), asked: "//a//c/", want: map[string]string{"": "/cg/a/c"}},
	} {
		t.Run(name, func(t *testing.T) {
			tr := tree{root: "/cg", v2: tc.list[0].name == "", list: tc.list}
			got := tr.place(tc.asked, "ID", func(string) bool { return !tc.hidden })
			if !maps.Equal(got, tc.want) {
				t.Errorf("got %v\nwant %v", got, tc.want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	have := []string{"/cg/c", "/cg/c/init", "/cg/a/c"}
	for name, tc := range map[string]struct{ path, want string }{
		"plain":                         {"/c/init", "/cg/c/init"},
		"nested":                        {"/a/c", "/cg/a/c"},
		"without a cgroup namespace":    {"/docker/1/c/init", "/cg/c/init"},
		"outside of our namespace":      {"/../c", ""},
		"the root":                      {"/", "/cg"},
		"not within":                    {"/docker/1", ""},
		"removed while it was still in": {"/c (deleted)", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := find("/cg", tc.path, func(dir string) bool { return slices.Contains(have, dir) })
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTreeOf(t *testing.T) {
	h := &plan.Host{Hierarchies: []plan.Hierarchy{{Name: "cpu,cpuacct", Options: "cpuacct,cpu"}, {Name: "unified"}}}
	own := parseMemberships("2:cpuacct,cpu:/a\n0::/b\n")
	got := treeOf("/cg", h, own)
	want := []hierarchy{
		{name: "cpu,cpuacct", membership: membership{"cpuacct,cpu", "/a"}},
		{name: "unified", membership: membership{"", "/b"}},
	}
	if !reflect.DeepEqual(got.list, want) {
		t.Errorf("got %+v, want %+v", got.list, want)
	}
	if got := treeOf("/cg", &plan.Host{Unified: true}, own); !got.v2 || got.list[0].path != "/b" {
		t.Errorf("v2: got %+v", got)
	}
}

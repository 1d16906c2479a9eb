package cgroup

import (
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func TestCheckAsked(t *testing.T) {
	for name, tc := range map[string]struct{ asked, err string }{
		"absent":         {},
		"absolute":       {asked: "/a/b"},
		"relative":       {asked: "a"},
		"root":           {asked: "/", err: "own"},
		"root, disguise": {asked: "/a/../.", err: "own"},
		"our own":        {asked: ".", err: "own"},
		"systemd":        {asked: "system.slice:docker:abc", err: "systemd"},
		"colons":         {asked: "/a:b:c"},
		"newline":        {asked: "/a\nb", err: "newline"},
	} {
		t.Run(name, func(t *testing.T) { checkError(t, checkAsked(tc.asked), tc.err) })
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("unexpected error: %v", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error %v, want %q in it", err, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	root := fakeRoot(t, "memory/c")
	for name, tc := range map[string]struct{ dir, err string }{
		"below":              {dir: root + "/memory/c"},
		"a hierarchy":        {dir: root + "/memory", err: "not below"},
		"the root":           {dir: root, err: "not below"},
		"elsewhere":          {dir: "/etc", err: "not below"},
		"a longer name":      {dir: root + "x/memory/c", err: "not below"},
		"dots":               {dir: root + "/memory/c/../..", err: "not below"},
		"a hierarchy, slash": {dir: root + "/memory/", err: "not below"},
		"relative":           {dir: "memory/c", err: "not below"},
		"empty":              {dir: "", err: "not below"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(map[string]string{"memory": tc.dir}, nil, Options{Root: root})
			checkError(t, err, tc.err)
		})
	}
}

// Rootless, a container may have no cgroup at all.
func TestWithoutAny(t *testing.T) {
	c, err := Load(nil, nil, Options{Rootless: true})
	if err != nil {
		t.Fatal(err)
	}
	pids, err := c.PIDs()
	if err != nil || len(pids) > 0 {
		t.Errorf("PIDs: %v, %v", pids, err)
	}
	d, err := c.Doors()
	if err != nil || len(d.Tasks) > 0 || d.V2 != nil {
		t.Errorf("Doors: %+v, %v", d, err)
	}
	for name, f := range map[string]func() error{
		"Limit": c.Limit, "LimitPids": c.LimitPids, "Resume": c.Resume, "Thaw": c.Thaw,
		"Kill": c.Kill, "Destroy": c.Destroy,
	} {
		if err := f(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c.Frozen() || c.OOMKilled() {
		t.Error("frozen or killed without a cgroup")
	}
	checkError(t, c.Freeze(), "no freezer")
}

func TestNewWithoutHierarchies(t *testing.T) {
	spec := func(path string, limit int64) *specs.Spec {
		return &specs.Spec{Linux: &specs.Linux{
			CgroupsPath: path, Resources: &specs.LinuxResources{Memory: &specs.LinuxMemory{Limit: &limit}},
		}}
	}
	for name, tc := range map[string]struct {
		spec     *specs.Spec
		rootless bool
		err      string
	}{
		"root":              {spec: &specs.Spec{}, err: "no cgroup hierarchy"},
		"rootless":          {spec: &specs.Spec{}, rootless: true},
		"rootless, nothing": {spec: spec("", -1), rootless: true},
		"rootless, a path":  {spec: spec("/c", 0), rootless: true, err: "no cgroup hierarchy"},
		"rootless, a limit": {spec: spec("", 1<<20), rootless: true, err: "no cgroup hierarchy"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(tc.spec, Options{ID: "c", Rootless: tc.rootless, Root: t.TempDir()})
			checkError(t, err, tc.err)
		})
	}
}

func TestOwner(t *testing.T) {
	mapped := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 1000}}
	writable := specs.Mount{Destination: "/sys/fs/cgroup/", Type: "cgroup", Options: []string{"nosuid"}}
	readonly := specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Options: []string{"ro"}}
	const none = -1
	for name, tc := range map[string]struct {
		uid    uint32
		mounts []specs.Mount
		ns     []specs.LinuxNamespaceType
		want   int
	}{
		"mapped":              {uid: 5, mounts: []specs.Mount{writable}, ns: []specs.LinuxNamespaceType{"cgroup", "user"}, want: 100005},
		"not mapped":          {uid: 5000, mounts: []specs.Mount{writable}, ns: []specs.LinuxNamespaceType{"cgroup", "user"}, want: none},
		"no user namespace":   {uid: 5, mounts: []specs.Mount{writable}, ns: []specs.LinuxNamespaceType{"cgroup"}, want: 5},
		"no cgroup namespace": {uid: 5, mounts: []specs.Mount{writable}, ns: []specs.LinuxNamespaceType{"user"}, want: none},
		"read-only":           {uid: 5, mounts: []specs.Mount{writable, readonly}, ns: []specs.LinuxNamespaceType{"cgroup", "user"}, want: none},
		"not mounted":         {uid: 5, ns: []specs.LinuxNamespaceType{"cgroup", "user"}, want: none},
	} {
		t.Run(name, func(t *testing.T) {
			spec := &specs.Spec{
				Process: &specs.Process{User: specs.User{UID: tc.uid}}, Mounts: tc.mounts,
				Linux: &specs.Linux{UIDMappings: mapped},
			}
			for _, ns := range tc.ns {
				spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: ns})
			}
			got := none
			if uid := owner(spec); uid != nil {
				got = *uid
			}
			if got != tc.want {
				t.Errorf("got %d, want %d", got, tc.want)
			}
		})
	}
}

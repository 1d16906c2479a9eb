package plan

import (
	"reflect"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func tmpfs(at string, options ...string) specs.Mount {
	return specs.Mount{Destination: at, Type: "tmpfs", Source: "tmpfs", Options: options}
}

func TestLateReadonly(t *testing.T) {
	bind := func(at string, options ...string) specs.Mount {
		return specs.Mount{Destination: at, Type: "bind", Source: "/src", Options: options}
	}
	for name, tc := range map[string]struct {
		mounts []specs.Mount
		want   string
	}{
		"tmpfs":                 {[]specs.Mount{tmpfs("/a", "ro"), tmpfs("/b"), tmpfs("/a/c", "ro")}, "/a /a/c"},
		"recursive":             {[]specs.Mount{tmpfs("/a", "rro")}, "/a"},
		"undone":                {[]specs.Mount{tmpfs("/a", "ro", "rw"), tmpfs("/b", "rro", "rw")}, ""},
		"dev":                   {[]specs.Mount{bind("dev/", "ro")}, "/dev"},
		"bind":                  {[]specs.Mount{bind("/a", "ro"), bind("/dev/x", "ro")}, ""},
		"covered by a bind":     {[]specs.Mount{tmpfs("/a", "ro"), tmpfs("/b", "ro"), bind("/a/")}, "/b"},
		"covered by its like":   {[]specs.Mount{tmpfs("/a", "ro"), tmpfs("/a", "ro")}, "/a"},
		"a remount is no cover": {[]specs.Mount{tmpfs("/a", "ro"), {Destination: "/a", Options: []string{"remount", "nodev"}}}, "/a /a"},
	} {
		t.Run(name, func(t *testing.T) {
			s := small()
			s.Mounts = tc.mounts
			p := create(t, s, fixedFacts())
			if got := paths(of(p, OpRemount)); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			for _, m := range of(p, OpMount) {
				late := m.Mount.Type == "tmpfs" || m.Path == "/dev"
				if late && (m.Mount.Attr.Set|m.Mount.RecAttr.Set)&1 != 0 {
					t.Errorf("%s is read-only at once", m.Path)
				}
			}
		})
	}
}

func TestSysfsFallback(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*specs.Spec, *Host)
		want   bool
	}{
		"host's user namespace": {func(*specs.Spec, *Host) {}, false},
		"host's network":        {func(s *specs.Spec, _ *Host) { addUser(s) }, true},
		"own network":           {func(s *specs.Spec, _ *Host) { addUser(s); addNamespaces(s, specs.NetworkNamespace) }, false},
		"joined network": {func(s *specs.Spec, _ *Host) {
			addUser(s)
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace, Path: "/n"})
		}, true},
		"nested":              {func(_ *specs.Spec, h *Host) { h.UserNS = true }, true},
		"nested, own network": {func(s *specs.Spec, h *Host) { h.UserNS = true; addNamespaces(s, specs.NetworkNamespace) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := small(), fixedFacts()
			s.Mounts = []specs.Mount{{Destination: "/sys", Type: "sysfs", Options: []string{"ro", "rnosuid", "relatime"}}}
			tc.change(s, &f.Host)
			m := of(create(t, s, f), OpMount)[0].Mount
			if got := m.Fallback != nil; got != tc.want {
				t.Fatalf("fallback %v", got)
			}
			want := &Mount{Type: "bind", Source: "/sys", Recursive: true, RecAttr: MountAttr{Set: 1 | 2}}
			if tc.want && !reflect.DeepEqual(m.Fallback, want) {
				t.Errorf("%+v", m.Fallback)
			}
		})
	}
}

func TestCgroupMounts(t *testing.T) {
	const ro = 1
	v1 := fixedFacts()
	v1.Host.Unified = false
	v1.Host.Hierarchies = []Hierarchy{
		{Name: "cpu,cpuacct", Options: "cpu,cpuacct", Links: []string{"cpu", "cpuacct"}},
		{Name: "systemd", Options: "name=systemd"},
		{Name: "unified"},
	}
	v1.Options.CgroupPaths = map[string]string{"cpu": "/c/cpu", "cpuacct": "/c/cpu", "name=systemd": "/c/systemd", "": "/c/v2"}
	lost := v1
	lost.Options.CgroupPaths = nil
	rootless := v1
	rootless.Options.Rootless = true
	bind := func(source string) *Mount { return &Mount{Type: "bind", Source: source} }
	unseen := func(m *Mount) *Mount { m.Optional, m.Attr.Set = true, m.Attr.Set|ro; return m }
	fresh := func(kind string, fallback *Mount, data ...string) *Mount {
		return &Mount{Type: kind, Source: "cgroup", Data: data, Fallback: fallback}
	}
	top := &Mount{Type: "tmpfs", Source: "tmpfs", Data: []string{"mode=755"}}
	for name, tc := range map[string]struct {
		f    facts
		own  bool // a cgroup namespace
		kind string
		want []*Mount
	}{
		"v2":            {fixedFacts(), false, "cgroup", []*Mount{bind("/sys/fs/cgroup/c1")}},
		"v2, namespace": {fixedFacts(), true, "cgroup2", []*Mount{fresh("cgroup2", bind("/sys/fs/cgroup/c1"))}},
		"v1":            {v1, false, "cgroup", []*Mount{top, bind("/c/cpu"), bind("/c/systemd"), bind("/c/v2")}},
		"v1, namespace": {v1, true, "cgroup", []*Mount{
			top, fresh("cgroup", bind("/c/cpu"), "cpu", "cpuacct"), fresh("cgroup", bind("/c/systemd"), "name=systemd"),
			fresh("cgroup2", bind("/c/v2")),
		}},
		"v1, cgroup2 asked for": {v1, true, "cgroup2", []*Mount{fresh("cgroup2", bind("/c/v2"))}},
		"v1, no cgroup of its own": {lost, false, "cgroup", []*Mount{
			top, unseen(bind("/sys/fs/cgroup/cpu,cpuacct")), unseen(bind("/sys/fs/cgroup/systemd")),
			unseen(bind("/sys/fs/cgroup/unified")),
		}},
		"v1, rootless": {rootless, false, "cgroup", []*Mount{
			top, unseen(bind("/c/cpu")), unseen(bind("/c/systemd")), unseen(bind("/c/v2")),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s := small()
			if tc.own {
				addNamespaces(s, specs.CgroupNamespace)
			}
			s.Mounts = []specs.Mount{{Destination: "/sys/fs/cgroup", Type: tc.kind}}
			p := create(t, s, tc.f)
			var got []*Mount
			for _, step := range of(p, OpMount) {
				got = append(got, step.Mount)
			}
			if !reflect.DeepEqual(got, tc.want) {
				for i := range got {
					t.Errorf("%+v", got[i])
				}
			}
		})
	}
}

func TestHandles(t *testing.T) {
	for name, tc := range map[string]struct {
		user, admin bool
		options     []string
		want        int
	}{
		"host's user namespace": {false, true, []string{"bind"}, 0},
		"user namespace":        {true, true, []string{"bind"}, 2},
		"without privilege":     {true, false, []string{"bind"}, 0},
		"idmapped":              {false, false, []string{"bind", "idmap=uids=0-1-1;gids=0-1-1"}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := small(), fixedFacts()
			f.Host.Admin = tc.admin
			if tc.user {
				addUser(s)
			}
			s.Mounts = []specs.Mount{
				{Destination: "/a", Source: "a", Options: tc.options},
				tmpfs("/t"),
				{Destination: "/b", Source: "b", Options: tc.options},
			}
			p := create(t, s, f)
			if len(p.Handles) != tc.want {
				t.Fatalf("%+v", p.Handles)
			}
			steps := of(p, OpMount)
			for i, step := range []int{0, 2} {
				if want := min(i+1, tc.want); steps[step].Mount.Handle != want {
					t.Errorf("mounts[%d] has handle %d, want %d", step, steps[step].Mount.Handle, want)
				}
				if tc.want > 0 && (p.Handles[i].Field != index("mounts", step) || p.Handles[i].Mount.Source != steps[step].Mount.Source) {
					t.Errorf("handle %d: %+v", i+1, p.Handles[i])
				}
			}
		})
	}
}

func TestMountLabel(t *testing.T) {
	s := small()
	s.Linux.MountLabel = "a:b:c:s0:c1,c2"
	s.Mounts = []specs.Mount{
		tmpfs("/a", "size=1m"), tmpfs("/b", `context="own"`),
		{Destination: "/c", Type: "proc"},
		{Destination: "/d", Type: "bind", Source: "/d"},
	}
	want := [][]string{{"size=1m", `context="a:b:c:s0:c1,c2"`}, {`context="own"`}, nil, nil}
	for i, step := range of(create(t, s, fixedFacts()), OpMount) {
		if !reflect.DeepEqual(step.Mount.Data, want[i]) {
			t.Errorf("%s: %q, want %q", step.Path, step.Mount.Data, want[i])
		}
	}
}

func TestDevices(t *testing.T) {
	char := func(at string) specs.LinuxDevice { return specs.LinuxDevice{Path: at, Type: "c", Major: 1, Minor: 3} }
	const usual = "/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty"
	for name, tc := range map[string]struct {
		devices []specs.LinuxDevice
		mount   specs.Mount
		want    string
	}{
		"defaults":    {nil, tmpfs("/dev"), usual},
		"more":        {[]specs.LinuxDevice{char("/dev/x"), char("/srv//y")}, tmpfs("/dev"), usual + " /dev/x /srv/y"},
		"overridden":  {[]specs.LinuxDevice{char("/dev/./null")}, tmpfs("/dev"), usual[len("/dev/null "):] + " /dev/null"},
		"twice":       {[]specs.LinuxDevice{char("/dev/x"), char("/dev//x")}, tmpfs("/dev"), usual + " /dev/x"},
		"ptmx":        {[]specs.LinuxDevice{char("/dev/ptmx")}, tmpfs("/dev"), usual},
		"host's /dev": {[]specs.LinuxDevice{char("/dev/x")}, specs.Mount{Destination: "/dev/", Source: "/dev", Options: []string{"rbind"}}, ""},
		"remounted":   {nil, specs.Mount{Destination: "/dev", Options: []string{"remount", "bind", "ro"}}, usual},
		"below /dev":  {nil, specs.Mount{Destination: "/dev/shm", Source: "/x", Options: []string{"rbind"}}, usual},
	} {
		t.Run(name, func(t *testing.T) {
			s := small()
			s.Linux.Devices, s.Mounts = tc.devices, []specs.Mount{tc.mount}
			p := create(t, s, fixedFacts())
			if got := paths(of(p, OpDevice)); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
			links := 6
			if tc.want == "" {
				links = 0
			}
			if got := of(p, OpSymlink); len(got) != links {
				t.Errorf("links: %+v", got)
			}
		})
	}
}

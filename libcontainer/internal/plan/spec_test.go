package plan

import (
	"errors"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// small is the least that can be planned, for tests to add to.
func small() *specs.Spec {
	return &specs.Spec{
		Process: &specs.Process{Args: []string{"true"}, Cwd: "/"},
		Root:    &specs.Root{Path: "rootfs"},
		Linux:   &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}}},
	}
}

func addNamespaces(s *specs.Spec, types ...specs.LinuxNamespaceType) {
	for _, t := range types {
		s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: t})
	}
}

// addUser gives a user namespace with ids 0 to 999.
func addUser(s *specs.Spec) {
	addNamespaces(s, specs.UserNamespace)
	m := []specs.LinuxIDMapping{{HostID: 100000, Size: 1000}}
	s.Linux.UIDMappings, s.Linux.GIDMappings = m, m
}

func create(t *testing.T, s *specs.Spec, f facts) *Plan {
	t.Helper()
	p, err := Create(s, f.Options, f.Host)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// of are the steps of a plan that are such.
func of(p *Plan, op Op) []Step {
	var steps []Step
	for _, s := range p.Steps {
		if s.Op == op {
			steps = append(steps, s)
		}
	}
	return steps
}

// paths are what steps act on, in order.
func paths(steps []Step) string {
	var list []string
	for _, s := range steps {
		list = append(list, s.Path)
	}
	return strings.Join(list, " ")
}

func TestErrors(t *testing.T) {
	user := func(f func(*specs.Process)) func(*specs.Spec) {
		return func(s *specs.Spec) { f(s.Process) }
	}
	mount := func(m specs.Mount) func(*specs.Spec) {
		return func(s *specs.Spec) { s.Mounts = []specs.Mount{{Destination: "/a", Type: "tmpfs"}, m} }
	}
	for name, tc := range map[string]struct {
		change func(*specs.Spec)
		want   string // all mistakes, as they print
	}{
		"process":   {func(s *specs.Spec) { s.Process = nil }, "process: missing"},
		"two parts": {func(s *specs.Spec) { s.Root, s.Linux = nil, nil }, "root: missing; linux: missing"},
		"no program": {
			user(func(p *specs.Process) { p.Args, p.Cwd = nil, "" }),
			"process.args: no program is named; process.cwd: missing",
		},
		"umask": {
			user(func(p *specs.Process) { u := uint32(0o1777); p.User.Umask = &u }),
			"process.user.umask: more than permission bits",
		},
		"console": {
			user(func(p *specs.Process) { p.Terminal, p.ConsoleSize = true, &specs.Box{Height: 1 << 16} }),
			"process.consoleSize: 65536×0: at most 65535",
		},
		"rlimits": {user(func(p *specs.Process) {
			p.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_FOO"}, {Type: "RLIMIT_CPU", Soft: 2, Hard: 1}}
		}), `process.rlimits[0].type: unknown limit "RLIMIT_FOO"; ` +
			"process.rlimits[1].soft: 2 is above the hard limit, 1"},
		"I/O class": {
			user(func(p *specs.Process) { p.IOPriority = &specs.LinuxIOPriority{Class: "X"} }),
			`process.ioPriority.class: unknown class "X"`,
		},
		"I/O level": {user(func(p *specs.Process) {
			p.IOPriority = &specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_BE, Priority: 8}
		}), "process.ioPriority.priority: 8 is out of range: 0 to 7"},
		"scheduler": {
			user(func(p *specs.Process) { p.Scheduler = &specs.Scheduler{Policy: "X"} }),
			`process.scheduler.policy: unknown policy "X"`,
		},
		"scheduler flag": {user(func(p *specs.Process) {
			p.Scheduler = &specs.Scheduler{Policy: specs.SchedIdle, Flags: []specs.LinuxSchedulerFlag{"X"}}
		}), `process.scheduler.flags[0]: unknown flag "X"`},
		"ids outside the maps": {func(s *specs.Spec) {
			addUser(s)
			s.Process.User = specs.User{UID: 1000, GID: 1000, AdditionalGids: []uint32{1, 1001}}
		}, "process.user.uid: 1000 is not in linux.uidMappings; process.user.gid: 1000 is not in linux.gidMappings; " +
			"process.user.additionalGids[1]: 1001 is not in linux.gidMappings"},
		"personality": {
			func(s *specs.Spec) { s.Linux.Personality = &specs.LinuxPersonality{Domain: "BSD"} },
			`linux.personality.domain: unknown domain "BSD"`,
		},
		"memory policy": {func(s *specs.Spec) {
			s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{Mode: "X", Nodes: "1-", Flags: []specs.MemoryPolicyFlagType{"Y"}}
		}, `linux.memoryPolicy.mode: unknown mode "X"; linux.memoryPolicy.flags[0]: unknown flag "Y"; ` +
			`linux.memoryPolicy.nodes: malformed list "1-"`},
		"namespaces": {
			func(s *specs.Spec) { addNamespaces(s, "moon", specs.MountNamespace) },
			`linux.namespaces[1].type: unknown namespace "moon"; linux.namespaces[2].type: mount is given twice`,
		},
		"propagation": {
			func(s *specs.Spec) { s.Linux.RootfsPropagation = "loud" },
			`linux.rootfsPropagation: unknown propagation "loud"`,
		},
		"sysctl": {
			func(s *specs.Spec) { s.Linux.Sysctl = map[string]string{"net/../kernel": "1"} },
			`linux.sysctl["net/../kernel"]: not a name below /proc/sys`,
		},
		"devices": {func(s *specs.Spec) {
			s.Linux.Devices = []specs.LinuxDevice{{Type: "c"}, {Path: "/dev/a", Type: "z"}, {Path: "/dev/b", Type: "c", Major: -1}}
		}, `linux.devices[0].path: names no device; linux.devices[1].type: unknown device type "z"; ` +
			`linux.devices[2]: device -1:0 is out of range`},
		"no mount namespace": {func(s *specs.Spec) {
			s.Linux.Namespaces, s.Mounts, s.Root.Readonly = nil, []specs.Mount{{Destination: "/a", Type: "tmpfs"}}, true
		}, `mounts: the host's mounts would change (add {"type": "mount"} to linux.namespaces); ` +
			`root.readonly: the host's mounts would change (add {"type": "mount"} to linux.namespaces)`},

		"mount: no destination": {mount(specs.Mount{Type: "tmpfs"}), "mounts[1].destination: missing"},
		"mount: no type": {
			mount(specs.Mount{Destination: "/b", Source: "/b"}),
			"mounts[1].type: names no filesystem, and the options have no bind",
		},
		"mount: none": {
			mount(specs.Mount{Destination: "/b", Type: "none", Options: []string{"ro"}}),
			"mounts[1].type: names no filesystem, and the options have no bind",
		},
		"mount: bind without source": {mount(specs.Mount{Destination: "/b", Type: "bind"}), "mounts[1].source: missing"},
		"mount: data on a bind": {
			mount(specs.Mount{Destination: "/b", Source: "/b", Options: []string{"bind", "sync", "size=10m"}}),
			`mounts[1].options: "size=10m": a bind mount takes no filesystem options`,
		},
		"mount: data on a remount": {
			mount(specs.Mount{Destination: "/a", Options: []string{"remount", "size=10m"}}),
			`mounts[1].options: "size=10m": a remount takes no filesystem options`,
		},
		"mount: propagation of a remount": {
			mount(specs.Mount{Destination: "/a", Options: []string{"remount", "shared"}}),
			"mounts[1].options: a remount does not change the propagation",
		},
		"mount: copy up": {
			mount(specs.Mount{Destination: "/b", Type: "proc", Options: []string{"tmpcopyup"}}),
			`mounts[1].options: "tmpcopyup": only a tmpfs can be filled`,
		},
		"mount: copy up to a bind": {
			mount(specs.Mount{Destination: "/b", Type: "bind", Source: "/b", Options: []string{"tmpcopyup"}}),
			`mounts[1].options: "tmpcopyup": only a tmpfs can be filled`,
		},
		"mount: idmap of nothing": {
			mount(specs.Mount{Destination: "/b", Source: "/b", Options: []string{"bind", "idmap"}}),
			"mounts[1].options: idmap: neither the mount nor the container has id mappings",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := small()
			tc.change(s)
			f := fixedFacts()
			p, err := Create(s, f.Options, f.Host)
			if p != nil || err == nil || err.Error() != tc.want {
				t.Fatalf("plan %v, error %v\nwant %s", p, err, tc.want)
			}
			checkList(t, err)
		})
	}
}

// checkList holds what callers rely on: a list of errors, each with the field.
func checkList(t *testing.T, err error) {
	t.Helper()
	list, ok := err.(fault.List) //nolint:errorlint // the type is what is promised
	if !ok || len(list) == 0 {
		t.Fatalf("%T: %v", err, err)
	}
	for _, e := range list {
		var f *fault.Error
		if !errors.As(e, &f) || f.Field == "" || f.Err == nil {
			t.Errorf("no field: %v", e)
		}
	}
}

func TestExecErrors(t *testing.T) {
	f := fixedFacts()
	if _, err := ForExec(nil, Container{Spec: small()}, f.Host); err == nil || err.Error() != "process: missing" {
		t.Errorf("no process: %v", err)
	}
	if _, err := ForExec(&specs.Process{}, Container{}, f.Host); err == nil ||
		err.Error() != "process.args: no program is named; process.cwd: missing" {
		t.Errorf("empty process: %v", err)
	}
	s := small()
	addUser(s)
	p := &specs.Process{Args: []string{"a"}, Cwd: "/", User: specs.User{UID: 5000}}
	if _, err := ForExec(p, Container{Spec: s}, f.Host); err == nil ||
		err.Error() != "process.user.uid: 5000 is not in linux.uidMappings" {
		t.Errorf("the container's maps: %v", err)
	}
}

func TestExecKeyring(t *testing.T) {
	p := &specs.Process{Args: []string{"a"}, Cwd: "/"}
	for _, none := range []bool{false, true} {
		got, err := ForExec(p, Container{ID: "c1", Spec: small(), NoNewKeyring: none}, Host{})
		if err != nil {
			t.Fatal(err)
		}
		if has := len(of(got, OpKeyring)) == 1; has == none {
			t.Errorf("NoNewKeyring %v: %v", none, got.Steps)
		}
	}
}

func TestPropagation(t *testing.T) {
	const shared, slave, private, unbindable, rec = 1 << 20, 1 << 19, 1 << 18, 1 << 17, 1 << 14
	for name, want := range map[string]struct{ first, last uint64 }{
		"":            {slave | rec, 0},
		"shared":      {shared | rec, shared},
		"rshared":     {shared | rec, shared | rec},
		"slave":       {slave | rec, slave},
		"rslave":      {slave | rec, slave | rec},
		"private":     {private | rec, private},
		"rprivate":    {private | rec, private | rec},
		"unbindable":  {private | rec, unbindable},
		"runbindable": {private | rec, unbindable | rec},
	} {
		t.Run("="+name, func(t *testing.T) {
			s := small()
			s.Linux.RootfsPropagation = name
			s.Linux.MaskedPaths = []string{"/a"}
			p := create(t, s, fixedFacts())
			steps := of(p, OpPropagation)
			last := uint64(0)
			if len(steps) == 2 {
				last = steps[1].Flags
			}
			if steps[0].Flags != want.first || last != want.last || len(steps) > 2 {
				t.Errorf("%+v, want %+v", steps, want)
			}
			if root := of(p, OpRootfs)[0].Flags; root != want.first {
				t.Errorf("root %#x, want %#x", root, want.first)
			}
			if where := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Op == OpPropagation && s.Flags == want.last }); last&unbindable != 0 &&
				where < slices.IndexFunc(p.Steps, func(s Step) bool { return s.Op == OpMaskPath }) {
				t.Error("unbindable before paths are masked")
			}
		})
	}
}

func TestNamespaces(t *testing.T) {
	want := map[string]uint64{ // linux/sched.h
		"cgroup": 0x02000000, "ipc": 0x08000000, "mount": 0x00020000, "network": 0x40000000,
		"pid": 0x20000000, "time": 0x00000080, "user": 0x10000000, "uts": 0x04000000,
	}
	names := NamespaceTypes()
	if len(names) != len(want) || !slices.IsSorted(names) {
		t.Errorf("%q", names)
	}
	for name, flag := range want {
		s := small()
		s.Linux.Namespaces = []specs.LinuxNamespace{{Type: specs.LinuxNamespaceType(name)}}
		if name == "user" {
			s.Linux.Namespaces = nil
			addUser(s)
		}
		if p := create(t, s, fixedFacts()); p.Bootstrap.New != flag || p.Bootstrap.Join != nil {
			t.Errorf("new %s: %+v", name, p.Bootstrap)
		}
		s.Linux.Namespaces[0].Path = "/x"
		p := create(t, s, fixedFacts())
		if p.Bootstrap.New != 0 || !slices.Equal(p.Bootstrap.Join, []Join{{flag, "/x", "linux.namespaces[0].path"}}) ||
			p.Bootstrap.UIDMap != nil {
			t.Errorf("joined %s: %+v", name, p.Bootstrap)
		}
		if pivot := of(p, OpPivot)[0].Flags; (name == "mount") != (pivot == PivotRoot) {
			t.Errorf("joined %s: root is changed by way %d", name, pivot)
		}
	}
}

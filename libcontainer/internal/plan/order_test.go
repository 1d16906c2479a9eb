package plan

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// order is the design's order of init's steps. Where an operation may stand at
// several places, its value, flags or field tells them apart (place).
func order() []string {
	return []string{
		string(OpKeyring), string(OpLoopback), "propagation before", string(OpRootfs), "mounts",
		string(OpDevice), "links", "sync mounts-ready", "hooks createContainer", string(OpPivot),
		"propagation after", string(OpStdio), string(OpMakeCwd), string(OpConsole), "late", string(OpReadonlyRoot),
		string(OpUmask), string(OpHostname), string(OpDomainname), string(OpAppArmor), string(OpSysctl),
		string(OpReadonlyPath), string(OpMaskPath), "propagation unbindable", string(OpNoNewPrivs),
		string(OpIOPriority), string(OpPersonality), string(OpMemoryPolicy), string(OpHome), "sync limits", "scheduler early", string(OpSELinux),
		string(OpBounding), "seccomp early", "chdir 1", string(OpOwnStdio), string(OpIDs), "chdir 2",
		string(OpCapabilities), string(OpLookup), string(OpCloseFDs), "seccomp late", "sync ready",
		string(OpRelease), "hooks startContainer", string(OpSignals), "scheduler late", string(OpExec),
	}
}

// place names where a step belongs; pivoted and closed tell what was before.
func place(s *Step, pivoted, closed bool) string {
	const unbindable = 1 << 17 // MS_UNBINDABLE
	switch s.Op {
	case OpMount:
		return "mounts"
	case OpRemount:
		if pivoted {
			return "late"
		}
		return "mounts"
	case OpSymlink:
		if s.Field != "" { // of a cgroup hierarchy
			return "mounts"
		}
		return "links"
	case OpPropagation:
		switch {
		case !pivoted:
			return "propagation before"
		case s.Flags&unbindable != 0:
			return "propagation unbindable"
		default:
			return "propagation after"
		}
	case OpSync:
		return "sync " + s.Value
	case OpHooks:
		return "hooks " + s.Value
	case OpChdir:
		return fmt.Sprint("chdir ", s.Flags)
	case OpSeccomp, OpScheduler:
		when := "early"
		if closed {
			when = "late"
		}
		return map[Op]string{OpSeccomp: "seccomp ", OpScheduler: "scheduler "}[s.Op] + when
	default:
		return string(s.Op)
	}
}

// checkOrder holds that the steps follow the order, that those which init
// cannot do without are there, once, and that what a step reads is there.
func checkOrder(t testing.TB, p *Plan, exec bool) {
	t.Helper()
	places := order()
	last, pivoted, closed := 0, false, false
	seen := map[string]int{}
	for i := range p.Steps {
		s := &p.Steps[i]
		at := place(s, pivoted, closed)
		seen[at]++
		n := slices.Index(places, at)
		if n < last {
			t.Errorf("step %d, %q %s, comes after %q", i, at, s.Field, places[last])
		}
		last = max(last, n)
		pivoted = pivoted || s.Op == OpPivot
		closed = closed || s.Op == OpCloseFDs
		checkParts(t, s, p)
	}
	once := []string{
		string(OpStdio), string(OpUmask), "sync limits", string(OpBounding), "chdir 1", string(OpHome), string(OpOwnStdio),
		string(OpIDs), "chdir 2", string(OpCapabilities), string(OpLookup), string(OpCloseFDs), "sync ready",
		string(OpSignals), string(OpExec),
	}
	create := []string{string(OpRootfs), "sync mounts-ready", string(OpPivot), string(OpMakeCwd), string(OpRelease)}
	for _, at := range once {
		if seen[at] != 1 {
			t.Errorf("%q is there %d times", at, seen[at])
		}
	}
	for _, at := range create {
		if want := map[bool]int{true: 0, false: 1}[exec]; seen[at] != want {
			t.Errorf("%q is there %d times, exec %v", at, seen[at], exec)
		}
	}
	if seen["seccomp early"]+seen["seccomp late"] > 1 {
		t.Error("two filters")
	}
}

func checkParts(t testing.TB, s *Step, p *Plan) {
	t.Helper()
	missing := false
	switch s.Op {
	case OpMount:
		missing = s.Mount == nil || s.Mount.Type == "" || s.Mount.Handle > len(p.Handles) || !strings.HasPrefix(s.Path, "/")
	case OpRemount:
		missing = s.Mount == nil
	case OpDevice:
		missing = s.Device == nil || s.Device.Type == 0 || !strings.HasPrefix(s.Path, "/")
	case OpHooks:
		missing = len(s.Hooks) == 0
	case OpConsole:
		missing = s.Console == nil
	case OpHome, OpOwnStdio, OpIDs:
		missing = s.IDs == nil
	case OpCapabilities:
		missing = s.Caps == nil || s.Caps.Ambient&^(s.Caps.Permitted&s.Caps.Inheritable) != 0
	case OpLookup:
		missing = s.Exec == nil || len(s.Exec.Args) == 0
	case OpScheduler:
		missing = s.Scheduler == nil
	case OpMemoryPolicy:
		missing = s.MemoryPolicy == nil
	default: // Field, Path, Value and Flags say all
	}
	if missing {
		t.Errorf("%s %s: incomplete: %+v", s.Op, s.Field, s)
	}
}

// engines are configs as Docker, Podman and containerd wrote them.
func engines(t testing.TB) map[string]*specs.Spec {
	t.Helper()
	files, err := filepath.Glob("../bundle/testdata/engines/*.json")
	if err != nil {
		t.Fatal(err)
	}
	configs := map[string]*specs.Spec{}
	for _, f := range files {
		if strings.HasSuffix(f, ".process.json") {
			continue
		}
		s := &specs.Spec{}
		decode(t, f, s)
		configs[strings.TrimSuffix(filepath.Base(f), ".json")] = s
	}
	if len(configs) != 10 {
		t.Fatalf("%d configs, want 10", len(configs))
	}
	return configs
}

func TestEngines(t *testing.T) {
	hosts := map[string]Host{
		"v2":       {Admin: true, Unified: true, LastCap: 40},
		"v1":       {Admin: true, LastCap: 40, Hierarchies: []Hierarchy{{Name: "memory", Options: "memory"}}},
		"rootless": {Unified: true, LastCap: 40, UserNS: true, EUID: 0},
	}
	process := &specs.Process{}
	decode(t, "../bundle/testdata/engines/docker-exec.process.json", process)
	for name, spec := range engines(t) {
		for kind, h := range hosts {
			t.Run(name+" "+kind, func(t *testing.T) {
				o := fixedFacts().Options
				o.Rootless = h.UserNS
				p, err := Create(spec, o, h)
				if err != nil {
					t.Fatal(err)
				}
				checkOrder(t, p, false)
				mounts := 0
				for i := range spec.Mounts {
					if slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Op == OpMount && s.Field == index("mounts", i) }) {
						mounts++
					}
				}
				if mounts != len(spec.Mounts) {
					t.Errorf("%d of %d mounts are planned", mounts, len(spec.Mounts))
				}
				again, err := Create(spec, o, h)
				if err != nil {
					t.Fatal(err)
				}
				if a, b := text(t, p), text(t, again); a != b {
					t.Errorf("two plans of one spec:\n%s\n%s", a, b)
				}
				e, err := ForExec(process, Container{ID: "c1", Spec: spec}, h)
				if err != nil {
					t.Fatal(err)
				}
				checkOrder(t, e, true)
				if e.Bootstrap.New != 0 || e.Bootstrap.Join != nil || e.Handles != nil {
					t.Errorf("an exec's bootstrap: %+v", e.Bootstrap)
				}
			})
		}
	}
}

func text(t testing.TB, p *Plan) string {
	t.Helper()
	data, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestGoldenOrder(t *testing.T) {
	files, err := filepath.Glob("testdata/*/plan.golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		p := &Plan{}
		decode(t, f, p)
		t.Run(filepath.Base(filepath.Dir(f)), func(t *testing.T) {
			checkOrder(t, p, strings.Contains(f, "/exec/"))
		})
	}
}

func BenchmarkCreate(b *testing.B) {
	spec, f := engines(b)["docker-default"], fixedFacts()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Create(spec, f.Options, f.Host); err != nil {
			b.Fatal(err)
		}
	}
}

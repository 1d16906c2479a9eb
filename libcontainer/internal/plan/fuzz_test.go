package plan

import (
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// FuzzCreate plans any config.json, validated or not: there is a plan whose
// steps are in order and complete, or a list of mistakes that name fields.
func FuzzCreate(f *testing.F) {
	for _, pattern := range []string{"testdata/*/config.json", "../bundle/testdata/engines/*.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for i, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			for seed := range uint64(4) {
				f.Add(data, uint8(i), seed)
			}
		}
	}
	f.Fuzz(func(t *testing.T, config []byte, flags uint8, seed uint64) {
		var spec specs.Spec
		if json.Unmarshal(edited(config, seed), &spec) != nil {
			return
		}
		on := func(bit int) bool { return flags>>bit&1 != 0 }
		h := Host{Admin: on(0), Unified: on(1), UserNS: on(2), LastCap: 40}
		if !h.Unified {
			h.Hierarchies = []Hierarchy{
				{Name: "cpu,cpuacct", Options: "cpu,cpuacct", Links: []string{"cpu", "cpuacct"}},
				{Name: "systemd", Options: "name=systemd"},
				{Name: "unified"},
			}
		}
		if on(3) {
			h.EUID, h.EGID = 1000, 1000
		}
		o := Options{ID: "c1", Bundle: "/b", RootfsPath: "/b/r", NoPivot: on(4), NoNewKeyring: on(5), Rootless: on(6)}
		if on(7) {
			o.ListenFDs, o.PreserveFDs = 1, 2
		}
		p, err := Create(&spec, o, h)
		checkOutcome(t, p, err, false)
		p, err = ForExec(spec.Process, Container{ID: "c1", Spec: &spec}, h)
		checkOutcome(t, p, err, true)
	})
}

// edited changes values here and there, so that what comes out is a document
// still: seed 0 none, else some. Bytes changed at random hardly ever are.
func edited(config []byte, seed uint64) []byte {
	var doc any
	if seed == 0 || json.Unmarshal(config, &doc) != nil {
		return config
	}
	r := rand.New(rand.NewPCG(seed, 0))
	for range 1 + seed%8 {
		edit(r, doc)
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return config
	}
	return data
}

// edit walks down at random and replaces or removes what it ends at.
func edit(r *rand.Rand, v any) {
	values := []any{
		nil, "", "/", "bind", "remount", "ro", "rro", "tmpcopyup", "none", "tmpfs", "cgroup", "sysfs", "../..",
		"unbindable", "idmap=uids=@0-0-1;gids=@0-0-1", "a.b", "CAP_KILL", -1, 0, 1, 1 << 40, true, false,
		[]any{},
		map[string]any{},
		[]any{"a"},
		map[string]any{"type": "user"},
		[]any{map[string]any{"size": 1}},
	}
	value := values[r.IntN(len(values))]
	stop := r.IntN(4) == 0
	switch v := v.(type) {
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		if len(keys) == 0 {
			return
		}
		key := keys[r.IntN(len(keys))]
		switch child := v[key].(type) {
		case map[string]any, []any:
			if !stop {
				edit(r, child)
				return
			}
		}
		if v[key] = value; value == nil {
			delete(v, key)
		}
	case []any:
		if len(v) == 0 {
			return
		}
		i := r.IntN(len(v))
		switch child := v[i].(type) {
		case map[string]any, []any:
			if !stop {
				edit(r, child)
				return
			}
			value = v[r.IntN(len(v))] // twice, or in another order
		}
		v[i] = value
	}
}

func checkOutcome(t *testing.T, p *Plan, err error, exec bool) {
	t.Helper()
	if err == nil {
		checkOrder(t, p, exec)
		return
	}
	if p != nil {
		t.Errorf("a plan beside the error %v", err)
	}
	var list fault.List
	if !errors.As(err, &list) {
		t.Fatalf("%T: %v", err, err)
	}
	checkList(t, list)
}

// FuzzOptions: any options of a mount are taken apart so that the kernel can
// take them: no bit both set and cleared but in the access time, which is
// cleared as a whole.
func FuzzOptions(f *testing.F) {
	f.Add("rbind\x00rro\x00noatime\x00rw")
	f.Add("idmap=uids=@0-0-1;gids=0-0-1\x00size=1m")
	f.Fuzz(func(t *testing.T, text string) {
		r := parseOptions(mountOptions(), strings.Split(text, "\x00"))
		const times = 0x70 // MOUNT_ATTR__ATIME
		for _, a := range []MountAttr{r.Attr, r.RecAttr} {
			if a.Set&a.Clear&^times != 0 {
				t.Errorf("%q: %+v sets and clears", text, a)
			}
			if a.Set&times != 0 && a.Clear&times != times {
				t.Errorf("%q: %+v: an access time without its mask", text, a)
			}
		}
		_, _, _ = parseIDMap(text, [2][]IDMap{{{0, 0, ^uint32(0)}}, {{5, ^uint32(0) - 5, 5}}})
	})
}

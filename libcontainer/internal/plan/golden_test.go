package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

var update = flag.Bool("update", false, "write the golden plans anew; review them with git diff")

// facts are a host and a command line, the same on every machine.
type facts struct {
	Host    Host
	Options Options
}

func fixedFacts() facts {
	return facts{
		Host: Host{Admin: true, Unified: true, LastCap: 40},
		Options: Options{
			ID: "c1", Bundle: "/bundle", RootfsPath: "/bundle/rootfs",
			CgroupPaths: map[string]string{"": "/sys/fs/cgroup/c1"},
		},
	}
}

func TestGolden(t *testing.T) {
	dirs, err := filepath.Glob("testdata/*/plan.golden")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden plans: %v", err)
	}
	for _, golden := range dirs {
		dir := filepath.Dir(golden)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			got := compile(t, dir)
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if want := readFile(t, golden); !bytes.Equal(got, want) {
				t.Errorf("plan changed (-update, then git diff)\n%s", got)
			}
		})
	}
}

// compile plans a directory of testdata, as indented JSON.
func compile(t *testing.T, dir string) []byte {
	t.Helper()
	f := fixedFacts()
	decode(t, dir+"/facts.json", &f)
	var (
		spec    specs.Spec
		process specs.Process
		p       *Plan
		err     error
	)
	decode(t, dir+"/config.json", &spec)
	if decode(t, dir+"/process.json", &process) {
		c := Container{ID: f.Options.ID, Spec: &spec, PID: 10, PreserveFDs: 1}
		p, err = ForExec(&process, c, f.Host)
	} else {
		p, err = Create(&spec, f.Options, f.Host)
	}
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// decode reads a file that may be missing.
func decode(t testing.TB, name string, into any) bool {
	t.Helper()
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return true
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

package bundle

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

func TestRepeatsKey(t *testing.T) {
	object := func(n int, last string) string {
		var b strings.Builder
		b.WriteByte('{')
		for i := range n {
			b.WriteString(strconv.Quote("k"+strconv.Itoa(i)) + `:0,`)
		}
		return b.String() + last + `:0}`
	}
	for doc, want := range map[string]bool{
		`{}`:                            false,
		`"a"`:                           false,
		`{"a":1,"b":1}`:                 false,
		`{"a":1,"a":1}`:                 true,
		`{"a":1,"b":1,"a" : 1}`:         true,
		`{"a":1,"A":1}`:                 false,
		`{"a":{"a":1},"b":{"a":1}}`:     false,
		`{"a":{"b":1},"a":1}`:           true,
		`{"a":["a","a","a"]}`:           false,
		`[{"a":1},{"a":1}]`:             false,
		`[{"a":1,"b":{},"a":1}]`:        true,
		`{"a":"a","b":"a\":\"a","c":1}`: false,
		`{"a\"":1,"a\\":1,"a":1}`:       false,
		`{"a\\":1,"a\\":1}`:             true,
		`{"\u0061":1,"a":1}`:            true,
		`{"":1,"":1}`:                   true,
		object(31, `"k0"`):              true,
		object(31, `"x"`):               false,
		object(32, `"k0"`):              true,
		object(33, `"k31"`):             true,
		object(100, `"k99"`):            true,
		object(100, `"x"`):              false,
	} {
		if !json.Valid([]byte(doc)) {
			t.Fatalf("no JSON: %s", doc)
		}
		if got := repeatsKey([]byte(doc)); got != want {
			t.Errorf("%v for %s", got, doc)
		}
	}
}

// The reason for repeatsKey. Should encoding/json stop it, so may we.
func TestMergedElements(t *testing.T) {
	var spec specs.Spec
	doc := `{"mounts": [{"destination": "/a", "options": ["rw"]}], "mounts": [{"destination": "/b"}]}`
	if err := json.Unmarshal([]byte(doc), &spec); err != nil {
		t.Fatal(err)
	}
	if m := spec.Mounts[0]; m.Destination != "/b" || !slices.Equal(m.Options, []string{"rw"}) {
		t.Errorf("options no longer move from one mount to another: %+v", m)
	}
}

func TestSysctlPath(t *testing.T) {
	for name, want := range map[string]string{
		"net.ipv4.ip_forward":                 "net/ipv4/ip_forward",
		"net/ipv4/ip_forward":                 "net/ipv4/ip_forward",
		"net/ipv4/conf/eth0.100/forwarding":   "net/ipv4/conf/eth0.100/forwarding",
		"net.ipv4.conf.eth0/100.forwarding":   "net/ipv4/conf/eth0.100/forwarding",
		"kernel":                              "kernel",
		"":                                    "",
		".net":                                "",
		"net.":                                "",
		"net..core":                           "",
		"/net":                                "",
		"net//core":                           "",
		"net/./core":                          "",
		"net/../kernel":                       "",
		"net.//.kernel":                       "", // the dots become the separators
		"net.ipv4.conf.//./../kernel.panic":   "",
		"net.a\x00b":                          "",
		"net/ipv4/conf/../../../kernel/panic": "",
	} {
		got, ok := sysctlPath(name)
		if got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", name, got, ok, want)
		}
	}
}

// agrees holds what decode says against encoding/json: the second walk finds
// something exactly where the first fails, or where a key is given twice.
func agrees[T any](t *testing.T, data []byte) (*T, bool) {
	t.Helper()
	v, err := decode[T](data)
	if (v == nil) == (err == nil) {
		t.Fatalf("value %v, error %v", v, err)
	}
	if checkText(data) != nil {
		return v, err == nil
	}
	plain := json.Unmarshal(data, new(T))
	_, mistyped := errors.AsType[*json.UnmarshalTypeError](plain)
	_, listed := errors.AsType[fault.List](err)
	switch {
	case plain != nil && !mistyped: // syntax
		if err == nil || listed {
			t.Fatalf("%v, but we: %v", plain, err)
		}
	case mistyped || repeatsKey(data):
		if !listed {
			t.Fatalf("%v, but we: %v", plain, err)
		}
	case err != nil:
		t.Fatalf("no error, but we: %v", err)
	default:
		if list := locate(data, reflect.TypeFor[T]()); len(list) > 0 {
			t.Fatalf("found in a good document: %v", list)
		}
	}
	return v, err == nil
}

func FuzzDecode(f *testing.F) {
	base, err := os.ReadFile("testdata/base.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(base)
	for _, data := range engines(f) {
		f.Add(data)
	}
	for _, file := range []string{"broken.json", "accepted.json"} {
		for _, d := range documents(f, file) {
			if d.Patch == "" {
				f.Add([]byte(d.Raw))
				f.Add(d.Base64)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		spec, ok := agrees[specs.Spec](t, data)
		if !ok {
			return
		}
		list := Validate(spec)
		if len(list) > maxMistakes+1 {
			t.Errorf("%d mistakes", len(list))
		}
		if err := list.Err(); err != nil && err.Error() == "" {
			t.Error("a mistake without a word")
		}
		Warnings(spec)
	})
}

func FuzzProcess(f *testing.F) {
	f.Add(engines(f)["docker-exec.process"])
	for _, d := range documents(f, "broken-process.json") {
		if d.Patch == "" {
			f.Add([]byte(d.Raw))
		}
	}
	f.Add([]byte(`{"args": ["a"], "cwd": "/", "env": ["A=1"], "execCPUAffinity": {"initial": "0-3,7"}, "scheduler": {"policy": "SCHED_RR", "priority": 1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, ok := agrees[specs.Process](t, data)
		if !ok {
			return
		}
		inConfig, alone := ValidateProcess(p, "process"), ValidateProcess(p, "")
		if len(inConfig) != len(alone) {
			t.Errorf("%v, but alone %v", inConfig, alone)
		}
	})
}

func FuzzResources(f *testing.F) {
	f.Add([]byte(`{"memory": {"limit": -1, "swap": 5}, "cpu": {"cpus": "0-1"}, "unified": {"a": "b"}, "rdma": {"a": {}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, ok := agrees[specs.LinuxResources](t, data)
		if !ok {
			return
		}
		var m mistakes
		m.resources(r, "")
		m.limits(r, "", true)
	})
}

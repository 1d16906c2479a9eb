package cgroup

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	devices "github.com/opencontainers/cgroups/devices/config"
	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// defaultRules are what the contract says follows the user's.
var defaultRules = []string{
	"c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm", "c 1:9 rwm", "c 5:0 rwm",
	"c 136:* rwm", "c 5:2 rwm", "c 10:200 rwm",
}

func TestDeviceRules(t *testing.T) {
	for name, tc := range map[string]struct {
		in   []specs.LinuxDeviceCgroup
		want []string
	}{
		"none":                 {},
		"deny all, as engines": {in: []specs.LinuxDeviceCgroup{{Access: "rwm"}}, want: []string{"-a *:* rwm"}},
		"letters in any order": {
			in:   []specs.LinuxDeviceCgroup{{Allow: true, Type: "c", Major: new(int64(4)), Minor: new(int64(2)), Access: "mwr"}},
			want: []string{"c 4:2 rwm"},
		},
		"u, and no minor": {in: []specs.LinuxDeviceCgroup{{Allow: true, Type: "u", Major: new(int64(4)), Access: "r"}}, want: []string{"c 4:* r"}},
		"-1 is any":       {in: []specs.LinuxDeviceCgroup{{Type: "b", Major: new(int64(-1)), Minor: new(int64(-1)), Access: "w"}}, want: []string{"-b *:* w"}},
		"a":               {in: []specs.LinuxDeviceCgroup{{Allow: true, Type: "a", Access: "rwm"}}, want: []string{"a *:* rwm"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range deviceRules(tc.in) {
				s := r.CgroupString()
				if !r.Allow {
					s = "-" + s
				}
				got = append(got, s)
			}
			if want := append(tc.want, defaultRules...); !reflect.DeepEqual(got, want) {
				t.Errorf("got %q\nwant %q", got, want)
			}
		})
	}
}

func TestPlainRules(t *testing.T) {
	rule := func(kind devices.Type, allow bool) *devices.Rule {
		return &devices.Rule{Type: kind, Major: 1, Minor: 1, Permissions: "r", Allow: allow}
	}
	const all, char = devices.WildcardDevice, devices.CharDevice
	for name, tc := range map[string]struct {
		in         []*devices.Rule
		all, plain bool
		allowed    int
	}{
		"a list of the allowed":    {in: []*devices.Rule{rule(all, false), rule(char, true)}, plain: true, allowed: 1},
		"all is denied by default": {in: []*devices.Rule{rule(char, true)}, plain: true, allowed: 1},
		"all":                      {in: []*devices.Rule{rule(char, false), rule(all, true), rule(char, true)}, all: true, plain: true, allowed: 1},
		"all but one":              {in: []*devices.Rule{rule(all, true), rule(char, false)}, all: true, allowed: 1},
		"denied again":             {in: []*devices.Rule{rule(char, true), rule(char, false)}, allowed: 2},
		"the last word counts":     {in: []*devices.Rule{rule(all, true), rule(char, false), rule(all, false)}, plain: true},
	} {
		t.Run(name, func(t *testing.T) {
			gotAll, allowed, plain := plainRules(tc.in)
			if plain != tc.plain || gotAll != tc.all || len(allowed) != tc.allowed {
				t.Errorf("got all %v, %d allowed, plain %v", gotAll, len(allowed), plain)
			}
		})
	}
}

// A parent that denies some devices must not break the start, and keeps
// denying them (a batch system's GPUs).
func TestV1ParentDenies(t *testing.T) {
	needV1(t)
	for name, tc := range map[string]struct {
		deny, allow []string // the parent's
		rules       []specs.LinuxDeviceCgroup
		list        []string // the container's, then
		warnings    int
	}{
		"one kind": {
			deny: []string{"c 195:* rwm"}, rules: []specs.LinuxDeviceCgroup{{Access: "rwm"}},
			list: defaultRules[1:], warnings: 1,
		},
		"all but a few": {
			deny: []string{"a"}, allow: []string{"c 1:* rwm"}, rules: []specs.LinuxDeviceCgroup{{Access: "rwm"}},
			list: defaultRules[2:7], warnings: 6,
		},
		"all, and all is asked for": {
			deny: []string{"a"}, allow: []string{"c 1:3 rwm"}, rules: []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}},
			list: []string{"c 1:3 rwm"}, warnings: 1,
		},
		"one kind, and all is asked for": {
			deny: []string{"c 195:* rwm"}, rules: []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}},
			list: []string{"a *:* rwm"}, // less what the parent denies
		},
	} {
		t.Run(name, func(t *testing.T) {
			spec := specFor(&specs.LinuxResources{Devices: tc.rules})
			parent := filepath.Join(defaultRoot, "devices", spec.Linux.CgroupsPath)
			tr := mustTree(t)
			t.Cleanup(func() {
				for _, h := range tr.list {
					if err := remove(filepath.Join(defaultRoot, h.name, filepath.Dir(spec.Linux.CgroupsPath))); err != nil {
						t.Error(err)
					}
				}
			})
			spec.Linux.CgroupsPath += "/c"
			if err := os.Mkdir(parent, 0o755); err != nil {
				t.Fatal(err)
			}
			for _, rule := range tc.deny {
				if err := writeFile(parent+"/devices.deny", rule); err != nil {
					t.Fatal(err)
				}
			}
			for _, rule := range tc.allow {
				if err := writeFile(parent+"/devices.allow", rule); err != nil {
					t.Fatal(err)
				}
			}
			warnings := 0
			c := create(t, spec, Options{Warn: func(string, ...any) { warnings++ }})
			if err := c.Limit(); err != nil {
				t.Fatal(err)
			}
			holds(t, c.paths["devices"], "devices.list", strings.Join(tc.list, "\n"))
			if warnings != tc.warnings {
				t.Errorf("%d warnings, want %d", warnings, tc.warnings)
			}
		})
	}
}

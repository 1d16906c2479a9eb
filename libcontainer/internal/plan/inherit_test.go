package plan

import (
	"slices"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// What a process of an exec does not say is the container's: else it would run
// without the container's confinement.
func TestExecInherits(t *testing.T) {
	score := 300
	own := &specs.Process{
		Args: []string{"sh"}, Cwd: "/", ApparmorProfile: "confined", SelinuxLabel: "u:r:t:s0",
		Capabilities: &specs.LinuxCapabilities{Bounding: []string{"CAP_KILL"}},
		OOMScoreAdj:  &score,
		IOPriority:   &specs.LinuxIOPriority{Class: specs.IOPRIO_CLASS_IDLE},
		Scheduler:    &specs.Scheduler{Policy: specs.SchedBatch},
	}
	other := 7
	for name, tc := range map[string]struct {
		process                  specs.Process
		apparmor, selinux, score string
		bounding                 uint64
	}{
		"nothing said": {specs.Process{}, "confined", "u:r:t:s0", "300", 1 << 5},
		"all said": {
			specs.Process{
				ApparmorProfile: "other", SelinuxLabel: "x:x:x:s0", OOMScoreAdj: &other,
				Capabilities: &specs.LinuxCapabilities{Bounding: []string{"CAP_CHOWN"}},
			}, "other", "x:x:x:s0", "7", 1,
		},
		"no capabilities": {specs.Process{Capabilities: &specs.LinuxCapabilities{}}, "confined", "u:r:t:s0", "300", 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := tc.process
			p.Args, p.Cwd = []string{"ls"}, "/"
			got, err := ForExec(&p, Container{ID: "c1", Spec: &specs.Spec{Process: own}}, Host{LastCap: 40})
			if err != nil {
				t.Fatal(err)
			}
			if v := stepOf(t, got, OpAppArmor).Value; v != tc.apparmor {
				t.Errorf("AppArmor profile %q, want %q", v, tc.apparmor)
			}
			if v := stepOf(t, got, OpSELinux).Value; v != tc.selinux {
				t.Errorf("SELinux label %q, want %q", v, tc.selinux)
			}
			if v := got.Bootstrap.OOMScoreAdj; v != tc.score {
				t.Errorf("OOM score %q, want %q", v, tc.score)
			}
			if v := stepOf(t, got, OpBounding).Flags; v != tc.bounding {
				t.Errorf("bounding set %#x, want %#x", v, tc.bounding)
			}
			stepOf(t, got, OpIOPriority)
			stepOf(t, got, OpScheduler)
			if stepOf(t, got, OpLookup).Exec.Args[0] != "ls" {
				t.Error("the program is the container's")
			}
		})
	}
}

func stepOf(t *testing.T, p *Plan, op Op) *Step {
	t.Helper()
	i := slices.IndexFunc(p.Steps, func(s Step) bool { return s.Op == op })
	if i < 0 {
		t.Fatalf("no step %q", op)
	}
	return &p.Steps[i]
}

// Package imports keeps the rooms of the tree apart: what a package may reach,
// directly or through others, is read from `go list -deps`.
package imports

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/rung-run/rung"

// deps lists all that pkg, a path below the module, imports in the end.
func deps(t *testing.T, pkg string) []string {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-tags", "urfave_cli_no_docs", "./"+pkg)
	cmd.Dir = "../.."
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps ./%s: %v\n%s", pkg, err, stderr.String())
	}
	return strings.Fields(string(out))
}

// within tells whether pkg is tree or lies below it.
func within(pkg, tree string) bool {
	return pkg == tree || strings.HasPrefix(pkg, tree+"/")
}

func TestForbidden(t *testing.T) {
	// The child's part is small enough to be read in one sitting, and none of
	// it runs before main (each init() counts at every start).
	child := []string{
		"github.com/opencontainers/cgroups",
		"github.com/coreos/go-systemd",
		"github.com/godbus/dbus",
		"github.com/vishvananda/netlink",
		"github.com/vishvananda/netns",
		"github.com/urfave/cli",
		"github.com/sirupsen/logrus",
		"google.golang.org/protobuf",
		"net",
		"net/http",
		module + "/commands",
		module + "/nsenter",
		module + "/libcontainer/internal/cgroup",
		module + "/libcontainer/internal/criu",
		module + "/libcontainer/internal/spawn",
		module + "/libcontainer/internal/bundle",
	}
	// A plan is computed from its arguments: nothing that acts or looks around.
	pure := append(slices.Clone(child),
		"os/exec",
		"os/user",
		"os/signal",
		"github.com/cyphar/filepath-securejoin",
		"github.com/seccomp/libseccomp-golang",
		"github.com/moby/sys/mountinfo",
		module+"/libcontainer/internal/console",
		module+"/libcontainer/internal/hooks",
		module+"/libcontainer/internal/initproc",
		module+"/libcontainer/internal/rootfs",
		module+"/libcontainer/internal/wire",
	)
	for pkg, forbidden := range map[string][]string{
		"libcontainer/internal/initproc": child,
		"libcontainer/internal/rootfs":   child,
		"libcontainer/internal/wire":     child,
		"libcontainer/internal/linux":    child,
		"libcontainer/internal/plan":     pure,
		// Only a program that acts as init links the constructor.
		"libcontainer": {module + "/nsenter", module + "/commands", "github.com/urfave/cli"},
		"commands":     {module + "/nsenter"},
	} {
		t.Run(pkg, func(t *testing.T) {
			for _, dep := range deps(t, pkg) {
				for _, tree := range forbidden {
					if within(dep, tree) {
						t.Errorf("%s reaches %s", pkg, dep)
					}
				}
			}
		})
	}
}

// A plan may know the kernel's constants, not its calls.
func TestPlanKnowsConstantsOnly(t *testing.T) {
	const rooms = module + "/libcontainer/internal/"
	allowed := []string{
		rooms + "plan",
		rooms + "fault",
		rooms + "linux/uapi",
	}
	for _, dep := range deps(t, "libcontainer/internal/plan") {
		if within(dep, module) && !slices.Contains(allowed, dep) {
			t.Errorf("plan reaches %s", dep)
		}
	}
}

// Commands parse, call the library and print.
func TestCommandsUseTheLibraryOnly(t *testing.T) {
	cmd := exec.Command("go", "list", "-f", `{{join .Imports "\n"}}`, "./commands")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list ./commands: %v", err)
	}
	for imported := range strings.FieldsSeq(string(out)) {
		if within(imported, module) && imported != module+"/libcontainer" {
			t.Errorf("commands imports %s", imported)
		}
	}
}

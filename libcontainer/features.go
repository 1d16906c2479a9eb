package libcontainer

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go/features"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"github.com/rung-run/rung/libcontainer/internal/seccomp"
)

// nearestRunc is the version of runc whose behaviour is closest.
const nearestRunc = "1.5.0"

// Features tells what this runtime can do (runtime-spec, features.md), from
// the tables that its own parsers use. Of this host only the seccomp flags
// are asked.
func Features() *features.Features {
	yes, no := true, false
	f := &features.Features{
		OCIVersionMin: "1.0.0",
		OCIVersionMax: specs.Version,
		Hooks:         plan.HookKinds(),
		MountOptions:  plan.MountOptions(),
		Linux: &features.Linux{
			Namespaces:   plan.NamespaceTypes(),
			Capabilities: plan.CapabilityNames(),
			Cgroup: &features.Cgroup{
				V1: &yes, V2: &yes, Systemd: &no, SystemdUser: &no, Rdma: &yes,
			},
			Seccomp:         &features.Seccomp{Enabled: &no},
			Apparmor:        &features.Apparmor{Enabled: &yes},
			Selinux:         &features.Selinux{Enabled: &yes},
			IntelRdt:        &features.IntelRdt{Enabled: &no},
			NetDevices:      &features.NetDevices{Enabled: &no},
			MountExtensions: &features.MountExtensions{IDMap: &features.IDMap{Enabled: &yes}},
			MemoryPolicy: &features.MemoryPolicy{
				Modes: plan.MemoryPolicyModes(), Flags: plan.MemoryPolicyFlags(),
			},
		},
		Annotations: map[string]string{
			"org.opencontainers.runc.version":            nearestRunc,
			"org.opencontainers.runc.checkpoint.enabled": "false",
		},
		PotentiallyUnsafeConfigAnnotations: []string{"bundle", "run.oci.keep_original_groups"},
	}
	if seccomp.Version() != "" {
		// Less what refused does not let through.
		actions := slices.DeleteFunc(seccomp.Actions(), func(a string) bool { return a == string(specs.ActNotify) })
		f.Linux.Seccomp = &features.Seccomp{
			Enabled: &yes, Actions: actions, Operators: seccomp.Operators(),
			Archs: seccomp.Architectures(), KnownFlags: seccomp.KnownFlags(), SupportedFlags: seccomp.SupportedFlags(),
		}
	}
	return f
}

// SeccompVersion is that of libseccomp, or "" in a build without it.
func SeccompVersion() string { return seccomp.Version() }

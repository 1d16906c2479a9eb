package plan

import specs "github.com/opencontainers/runtime-spec/specs-go"

// inherit is the process of an exec with what it leaves open taken from the
// container's own: whoever writes "run this" does not mean "unconfined". An
// empty object, as "capabilities": {}, is an answer, and stays. Of what has a
// value for "nothing" (no_new_privs, the user) the process's own counts.
func inherit(p, own *specs.Process) *specs.Process {
	if own == nil {
		return p
	}
	with := *p
	if with.Capabilities == nil {
		with.Capabilities = own.Capabilities
	}
	if with.ApparmorProfile == "" {
		with.ApparmorProfile = own.ApparmorProfile
	}
	if with.SelinuxLabel == "" {
		with.SelinuxLabel = own.SelinuxLabel
	}
	if with.OOMScoreAdj == nil {
		with.OOMScoreAdj = own.OOMScoreAdj
	}
	if with.IOPriority == nil {
		with.IOPriority = own.IOPriority
	}
	if with.Scheduler == nil {
		with.Scheduler = own.Scheduler
	}
	return &with
}

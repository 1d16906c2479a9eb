package plan

import specs "github.com/opencontainers/runtime-spec/specs-go"

// seccomp plans the filter's load, at one of two places. Without no_new_privs
// it needs CAP_SYS_ADMIN, so it is loaded while that is held. With it, last,
// so that it need not allow what init itself still does (seccomp(2)). The
// program comes from the parent.
func (c *compiler) seccomp(p *specs.Process, last bool) {
	if c.spec.Linux.Seccomp != nil && p.NoNewPrivileges == last {
		c.add(Step{Op: OpSeccomp, Field: "linux.seccomp"})
	}
}

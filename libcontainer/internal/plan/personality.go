package plan

import (
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/linux/uapi"
)

// personality is the execution domain (personality(2)), the container's: of
// each process in it. Flags are not defined by the specification.
func (c *compiler) personality() {
	p := c.spec.Linux.Personality
	if p == nil {
		return
	}
	s := Step{Op: OpPersonality, Field: "linux.personality"}
	switch p.Domain {
	case specs.PerLinux:
		s.Flags = uapi.PER_LINUX
	case specs.PerLinux32:
		s.Flags = uapi.PER_LINUX32
	default:
		c.wrong("linux.personality.domain", fmt.Errorf("unknown domain %q", p.Domain))
		return
	}
	c.add(s)
}

package plan

import (
	"fmt"
	"strconv"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// rlimits are set by the parent; RLIMIT_* are their numbers (getrlimit(2)).
func (c *compiler) rlimits(p *specs.Process) []Rlimit {
	if len(p.Rlimits) == 0 {
		return nil
	}
	limits := make([]Rlimit, 0, len(p.Rlimits))
	for i, l := range p.Rlimits {
		field := index("process.rlimits", i)
		n := rlimitNumber(l.Type)
		if n < 0 {
			c.wrong(field+".type", fmt.Errorf("unknown limit %q", l.Type))
			continue
		}
		if l.Soft > l.Hard {
			c.wrong(field+".soft", fmt.Errorf("%d is above the hard limit, %d", l.Soft, l.Hard))
			continue
		}
		limits = append(limits, Rlimit{Field: field, Type: n, Soft: l.Soft, Hard: l.Hard})
	}
	return limits
}

func rlimitNumber(name string) int {
	switch name {
	case "RLIMIT_CPU":
		return unix.RLIMIT_CPU
	case "RLIMIT_FSIZE":
		return unix.RLIMIT_FSIZE
	case "RLIMIT_DATA":
		return unix.RLIMIT_DATA
	case "RLIMIT_STACK":
		return unix.RLIMIT_STACK
	case "RLIMIT_CORE":
		return unix.RLIMIT_CORE
	case "RLIMIT_RSS":
		return unix.RLIMIT_RSS
	case "RLIMIT_NPROC":
		return unix.RLIMIT_NPROC
	case "RLIMIT_NOFILE":
		return unix.RLIMIT_NOFILE
	case "RLIMIT_MEMLOCK":
		return unix.RLIMIT_MEMLOCK
	case "RLIMIT_AS":
		return unix.RLIMIT_AS
	case "RLIMIT_LOCKS":
		return unix.RLIMIT_LOCKS
	case "RLIMIT_SIGPENDING":
		return unix.RLIMIT_SIGPENDING
	case "RLIMIT_MSGQUEUE":
		return unix.RLIMIT_MSGQUEUE
	case "RLIMIT_NICE":
		return unix.RLIMIT_NICE
	case "RLIMIT_RTPRIO":
		return unix.RLIMIT_RTPRIO
	case "RLIMIT_RTTIME":
		return unix.RLIMIT_RTTIME
	default:
		return -1
	}
}

// oomScoreAdj is written before init is cloned, which inherits it
// (proc_pid_oom_score_adj(5)).
func oomScoreAdj(p *specs.Process) string {
	if p.OOMScoreAdj == nil {
		return ""
	}
	return strconv.Itoa(*p.OOMScoreAdj)
}

package plan

import (
	"slices"
	"strconv"
	"strings"
)

// environment is the program's: of a name given twice the last counts.
func (c *compiler) environment(env []string) []string {
	last := make(map[string]int, len(env))
	for i, e := range env {
		name, _, _ := strings.Cut(e, "=")
		last[name] = i
	}
	out := make([]string, 0, len(env)+2)
	for i, e := range env {
		name, _, _ := strings.Cut(e, "=")
		if last[name] == i {
			out = append(out, e)
		}
	}
	if c.o.ListenFDs > 0 { // sd_listen_fds(3)
		out = slices.DeleteFunc(out, func(e string) bool {
			return strings.HasPrefix(e, "LISTEN_FDS=") || strings.HasPrefix(e, "LISTEN_PID=")
		})
		out = append(out, "LISTEN_FDS="+strconv.Itoa(c.o.ListenFDs), "LISTEN_PID=1")
	}
	return out
}

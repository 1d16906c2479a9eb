package plan

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// sysctl writes the kernel parameters, sorted, so that a plan is always the
// same. Which are allowed is decided where the spec is validated.
func (c *compiler) sysctl() {
	for _, name := range slices.Sorted(maps.Keys(c.spec.Linux.Sysctl)) {
		field, file := `linux.sysctl["`+name+`"]`, sysctlFile(name)
		for part := range strings.SplitSeq(file, "/") {
			if part == "" || part == "." || part == ".." {
				c.wrong(field, errors.New("not a name below /proc/sys"))
				break
			}
		}
		c.add(Step{Op: OpSysctl, Field: field, Path: file, Value: c.spec.Linux.Sysctl[name]})
	}
}

// sysctlFile is the file below /proc/sys. The first separator decides
// (sysctl(8)): after a slash dots are part of names, after a dot slashes are.
func sysctlFile(name string) string {
	i := strings.IndexAny(name, "./")
	if i < 0 || name[i] == '/' {
		return name
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case '.':
			return '/'
		case '/':
			return '.'
		default:
			return r
		}
	}, name)
}

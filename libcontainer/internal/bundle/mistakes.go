package bundle

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// maxMistakes bounds what a hostile document can make of our memory and of the
// caller's log.
const maxMistakes = 100

// mistakes collects what is wrong with one document. Nothing is formatted or
// allocated before there is a mistake.
type mistakes struct {
	list fault.List
	more int
}

func (m *mistakes) add(field, text string) {
	m.report(fault.Invalid(field, errors.New(text)))
}

func (m *mistakes) addf(field, format string, args ...any) {
	m.report(fault.Invalid(field, fmt.Errorf(format, args...)))
}

// addHint adds a mistake whose remedy is known.
func (m *mistakes) addHint(field, text, hint string) {
	m.report(&fault.Error{Field: field, Err: errors.New(text), Hint: hint})
}

func (m *mistakes) report(err *fault.Error) {
	if len(m.list) == maxMistakes {
		m.more++
		return
	}
	m.list = append(m.list, err)
}

// sortFrom orders the mistakes from number n on: those of a map, which has no
// order of its own.
func (m *mistakes) sortFrom(n int) {
	slices.SortStableFunc(m.list[n:], func(a, b error) int {
		return strings.Compare(a.Error(), b.Error())
	})
}

// found is the list, with a word about what it leaves out.
func (m *mistakes) found() fault.List {
	if m.more == 0 {
		return m.list
	}
	return append(m.list, &fault.Error{Err: fmt.Errorf("and %d more mistakes", m.more)})
}

// text reports a string that the kernel could not take whole: it ends at the
// first NUL.
func (m *mistakes) text(field, s string) {
	if hasNUL(s) {
		m.add(field, "contains a NUL byte")
	}
}

// texts is text for each element of a list.
func (m *mistakes) texts(field string, list []string) {
	for i, s := range list {
		if hasNUL(s) {
			m.add(index(field, i), "contains a NUL byte")
		}
	}
}

// line reports a string that is written to a file of one line.
func (m *mistakes) line(field, s string) {
	if strings.ContainsAny(s, "\x00\n") {
		m.add(field, "contains a NUL byte or a newline")
	}
}

// absolute reports a path that is not.
func (m *mistakes) absolute(field, path string) {
	switch {
	case path == "":
		m.add(field, "empty")
	case path[0] != '/':
		m.addf(field, "%q is not an absolute path", path)
	case hasNUL(path):
		m.add(field, "contains a NUL byte")
	}
}

// environment reports what execve(2) would pass on but environ(7) does not
// allow.
func (m *mistakes) environment(field string, env []string) {
	for i, e := range env {
		switch name, _, ok := strings.Cut(e, "="); {
		case !ok:
			m.addf(index(field, i), "%q has no =", e)
		case name == "":
			m.addf(index(field, i), "%q has no name before the =", e)
		case hasNUL(e):
			m.add(index(field, i), "contains a NUL byte")
		}
	}
}

func hasNUL(s string) bool { return strings.IndexByte(s, 0) >= 0 }

// index is the JSON path of an element.
func index(field string, i int) string {
	return field + "[" + strconv.Itoa(i) + "]"
}

// key is the JSON path of a member whose name is data.
func key(field, name string) string {
	return field + "[" + strconv.Quote(name) + "]"
}

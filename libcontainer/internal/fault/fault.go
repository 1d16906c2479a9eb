// Package fault holds the error every layer speaks: an operation, the field of
// the spec that asked for it, the path it touched, the cause and, where known,
// the remedy. libcontainer exports it as libcontainer.Error.
package fault

import (
	"errors"
	"strings"
)

// Error says which operation failed, for which field of config.json, on which
// path, and why. Everything but Err may be empty.
//
// It prints as one line: OP FIELD (PATH): cause (hint).
type Error struct {
	Op    string // what was tried: "mount", "pivot", "setuid"
	Field string // JSON path in config.json: "mounts[3].options"
	Path  string // the file or directory concerned
	Err   error  // the cause, with its errno where there is one
	Hint  string // what the user can do about it
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Field != "" {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(e.Field)
	}
	if e.Path != "" {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString("(" + e.Path + ")")
	}
	if e.Err != nil {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(e.Err.Error())
	}
	if e.Hint != "" {
		b.WriteString(" (" + e.Hint + ")")
	}
	return b.String()
}

// Unwrap gives the cause to errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// Invalid is the error of a field whose value is wrong.
func Invalid(field string, err error) *Error { return &Error{Field: field, Err: err} }

// List is every mistake found in one document, in document order.
// It prints them on one line, joined by "; ".
type List []error

// Error implements error.
func (l List) Error() string {
	parts := make([]string, len(l))
	for i, err := range l {
		parts[i] = err.Error()
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives the mistakes to errors.Is and errors.As.
func (l List) Unwrap() []error { return l }

// Err is the list as an error: nil when it is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// What callers branch on with errors.Is. The texts are matched by engines
// that see only the output of the command.
var (
	ErrNotExist   = errors.New("container does not exist")
	ErrExist      = errors.New("container with given ID already exists")
	ErrNotRunning = errors.New("container not running")
	ErrPaused     = errors.New("container paused")
	ErrNotPaused  = errors.New("container not paused")
)

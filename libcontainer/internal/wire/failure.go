package wire

import (
	"errors"
	"syscall"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// Executing is what init says last, before it executes the program: the stream
// ends when it has, but also when it is killed before. A failure of execve
// follows it; no failure begins so, for an errno is less.
const Executing byte = 0xff

// EncodeFailure carries an error of init to the parent with all that callers
// test for: the step, the field, the path, the text of the cause and its errno.
func EncodeFailure(f *fault.Error) []byte {
	c := &codec{}
	v := failure{op: f.Op, field: f.Field, path: f.Path, hint: f.Hint}
	if f.Err != nil {
		v.text = f.Err.Error()
		if errno, ok := errors.AsType[syscall.Errno](f.Err); ok {
			v.errno = uint32(errno) //nolint:gosec // an errno is small
		}
	}
	if len(v.text) > MaxPayload/2 {
		v.text = v.text[:MaxPayload/2] // a hook's output may be long
	}
	c.failure(&v)
	return c.buf
}

// DecodeFailure reverses EncodeFailure. A mangled one is still an error, with
// what could be read of it.
func DecodeFailure(b []byte) *fault.Error {
	c := &codec{buf: b, decoding: true}
	var v failure
	c.failure(&v)
	cause := &remoteError{text: v.text, errno: syscall.Errno(v.errno)}
	if v.text == "" {
		cause.text = "init failed, and its message is malformed"
	}
	return &fault.Error{Op: v.op, Field: v.field, Path: v.path, Err: cause, Hint: v.hint}
}

type failure struct {
	op, field, path, text, hint string
	errno                       uint32
}

func (c *codec) failure(f *failure) {
	c.u32(&f.errno)
	c.text(&f.op)
	c.text(&f.field)
	c.text(&f.path)
	c.text(&f.hint)
	c.text(&f.text)
}

// remoteError is an error of another process: its words, and its errno for
// errors.Is.
type remoteError struct {
	text  string
	errno syscall.Errno
}

func (e *remoteError) Error() string { return e.text }

func (e *remoteError) Unwrap() error {
	if e.errno == 0 {
		return nil
	}
	return e.errno
}

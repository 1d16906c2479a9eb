package libcontainer

import "github.com/rung-run/rung/libcontainer/internal/fault"

// Error says which operation failed, for which field of config.json, on which
// path, and why. It prints as one line: OP FIELD (PATH): cause (hint).
type Error = fault.Error

// What callers branch on, with errors.Is. The texts are matched by engines
// that see only a command's output.
var (
	// ErrNotExist: there is no container with this ID below the root.
	ErrNotExist = fault.ErrNotExist
	// ErrExist: there is one already.
	ErrExist = fault.ErrExist
	// ErrNotRunning: the container's first process has ended.
	ErrNotRunning = fault.ErrNotRunning
	// ErrPaused: the container is frozen.
	ErrPaused = fault.ErrPaused
	// ErrNotPaused: it is not.
	ErrNotPaused = fault.ErrNotPaused
)

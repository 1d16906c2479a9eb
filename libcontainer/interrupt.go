package libcontainer

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/spawn"
)

// InterruptedError is why a start in the foreground has been given up: the
// caller was sent this signal.
type InterruptedError struct{ Signal unix.Signal }

// Error implements error.
func (e *InterruptedError) Error() string { return "interrupted by " + unix.SignalName(e.Signal) }

// Setup gives a context for the time until there is a process to forward
// signals to: HUP, INT, QUIT and TERM end it with an InterruptedError, unless
// our caller had them ignored. All are kept for the process, which Wait sends
// them to if there is one nevertheless. The function it gives ends that time.
func (f *Foreground) Setup(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case s := <-f.signals:
				f.early = append(f.early, s)
				if sig, ok := s.(unix.Signal); ok && f.interrupts(sig) {
					cancel(&InterruptedError{sig})
				}
			case <-over:
				return
			}
		}
	}()
	return ctx, sync.OnceFunc(func() {
		close(over)
		<-done
		cancel(nil)
	})
}

func (f *Foreground) interrupts(sig unix.Signal) bool {
	return slices.Contains([]unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM}, sig) &&
		f.ignored&(1<<(sig-1)) == 0
}

// interrupted is err, or why ctx has ended: what fails then fails for that
// reason.
func interrupted(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		return cause
	}
	return err
}

// killAtEnd kills the process of pidfd when ctx ends, until the function that
// it gives has been called: whatever waits for the process then goes on.
func killAtEnd(ctx context.Context, pidfd *os.File) (release func()) {
	return spawn.AtEnd(ctx, func() { _ = linux.SignalPidfd(pidfd, unix.SIGKILL) })
}

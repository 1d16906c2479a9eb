package hooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// Hook is one program to run.
type Hook struct {
	Path string
	// Args is its argv, the first as given; empty: the path alone.
	Args []string
	// Env is its whole environment; nil: the default of its kind.
	Env []string
	// Timeout is how long it may run; 0: without a bound.
	Timeout time.Duration
}

// FromSpec takes the hooks of one kind from a configuration.
func FromSpec(list []specs.Hook) []Hook {
	hooks := make([]Hook, len(list))
	for i, h := range list {
		hooks[i] = Hook{Path: h.Path, Args: h.Args, Env: h.Env}
		if h.Timeout != nil {
			hooks[i].Timeout = seconds(*h.Timeout)
		}
	}
	return hooks
}

func seconds(n int) time.Duration {
	return time.Duration(min(int64(n), math.MaxInt64/int64(time.Second))) * time.Second
}

// Run runs hooks in order, up to the first that fails. Each is given state on
// its standard input, dir as its working directory ("": the caller's), and env
// where it has no environment of its own (nil: the caller's). When ctx ends,
// or this process dies, the hook that runs is killed.
//
// It reaps by pid: nothing in this process may wait for any child (wait4(-1))
// meanwhile.
func Run(ctx context.Context, kind string, hooks []Hook, state []byte, dir string, env []string) error {
	s := newSetting(dir, env)
	for i := range hooks {
		if err := s.run(ctx, kind, i, &hooks[i], state); err != nil {
			return err
		}
	}
	return nil
}

// RunAll is Run that goes on when a hook fails, as poststop asks (runtime.md,
// "Lifecycle", step 13). The errors are on one line.
func RunAll(ctx context.Context, kind string, hooks []Hook, state []byte, dir string, env []string) error {
	s := newSetting(dir, env)
	var failed fault.List
	for i := range hooks {
		if err := s.run(ctx, kind, i, &hooks[i], state); err != nil {
			failed = append(failed, err)
		}
	}
	return failed.Err()
}

// RunInside runs the hooks of init, in order, up to the first that fails, on
// the calling thread, which must be locked. They start in the current working
// directory, with the environment of the plan and no other, and read a state
// whose pid is this process's. When parent, a descriptor or -1, becomes readable,
// the parent has gone, and the hook that runs is killed.
func RunInside(kind string, hooks []plan.Hook, parent int) error {
	if kind == "createContainer" {
		// Init's umask is 0 until the step that sets it; what a hook creates
		// must not be writable by all.
		defer unix.Umask(unix.Umask(0o022))
	}
	s := setting{env: []string{}, inside: true, parent: parent}
	for i, h := range hooks {
		state, err := withPid(h.State, os.Getpid())
		if err != nil {
			return failure(kind, i, err)
		}
		hook := Hook{Path: h.Path, Args: h.Args, Env: h.Env, Timeout: seconds(h.Timeout)}
		if err := s.run(context.Background(), kind, i, &hook, state); err != nil {
			return err
		}
	}
	return nil
}

// withPid completes the state document: only init knows its pid in the
// container's namespace.
func withPid(state string, pid int) ([]byte, error) {
	head, ok := bytes.CutSuffix(bytes.TrimSpace([]byte(state)), []byte("}"))
	if !ok || !bytes.HasPrefix(head, []byte("{")) {
		return nil, fmt.Errorf("state %q is no JSON object", state)
	}
	head = bytes.TrimSpace(head)
	if len(head) > 1 {
		head = append(head, ',')
	}
	head = append(head, `"pid":`...)
	return append(strconv.AppendInt(head, int64(pid), 10), '}'), nil
}

// setting is what the hooks of one call share.
type setting struct {
	dir string
	env []string
	// inside: in init, on its locked thread.
	inside bool
	parent int
}

func newSetting(dir string, env []string) *setting {
	if env == nil {
		env = os.Environ()
	}
	return &setting{dir: dir, env: env}
}

// failure names the hook; the words are matched by others.
func failure(kind string, index int, err error) error {
	return fmt.Errorf("error running %s hook #%d: %w", kind, index, err)
}

func (s *setting) run(ctx context.Context, kind string, index int, h *Hook, state []byte) error {
	if err := context.Cause(ctx); err != nil {
		return failure(kind, index, err)
	}
	cancelled, release, err := watch(ctx)
	if err != nil {
		return failure(kind, index, err)
	}
	defer release()
	if s.inside {
		cancelled = s.parent
	}
	var deadline time.Time
	if h.Timeout > 0 {
		deadline = time.Now().Add(h.Timeout)
	}
	if !s.inside {
		unlock := lockThread()
		defer unlock()
	}
	p, err := s.start(h, state)
	if err != nil {
		return failure(kind, index, err)
	}
	defer p.close()
	status, end := p.wait(deadline, cancelled)
	switch end {
	case exited:
		if status.Exited() && status.ExitStatus() == 0 {
			return nil
		}
		err = fmt.Errorf("%s%s", describe(status), p.output())
	case late:
		p.kill()
		err = fmt.Errorf("hook ran past specified timeout of %s%s", h.Timeout, p.output())
	case stopped:
		p.kill()
		cause := context.Cause(ctx)
		if s.inside {
			cause = errors.New("the runtime is gone")
		}
		err = fmt.Errorf("%w%s", cause, p.output())
	default:
		p.kill()
		err = fmt.Errorf("%w%s", p.err, p.output())
	}
	return failure(kind, index, err)
}

package libcontainer

import (
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/seccomp"
)

// compileFilter starts to compile the seccomp profile, beside the child's boot.
// The function it gives waits for the program: flags, then instructions.
func compileFilter(spec *specs.Spec, root string) func() ([]byte, error) {
	if spec.Linux == nil || spec.Linux.Seccomp == nil {
		return func() ([]byte, error) { return nil, nil }
	}
	type result struct {
		program *seccomp.Program
		err     error
	}
	done := make(chan result, 1)
	go func() {
		p, err := seccomp.CompileCached(filepath.Join(root, "@seccomp"), spec.Linux.Seccomp)
		done <- result{p, err}
	}()
	return func() ([]byte, error) {
		r := <-done
		if r.err != nil {
			return nil, &fault.Error{Op: "compile", Field: "linux.seccomp", Err: r.err}
		}
		return r.program.Encode(), nil
	}
}

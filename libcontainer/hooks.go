package libcontainer

import (
	"context"
	"encoding/json"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/rung-run/rung/libcontainer/internal/hooks"
)

// hookState is the document that a hook reads from its standard input.
func hookState(r *record, status Status, pid int) []byte {
	data, err := json.Marshal(specs.State{
		Version: specs.Version, ID: r.ID, Status: specs.ContainerState(status), Pid: pid,
		Bundle: r.Bundle, Annotations: annotations(r.Config.Labels),
	})
	if err != nil {
		panic(err) // strings and a number
	}
	return data
}

func runHooks(ctx context.Context, kind string, list []specs.Hook, state []byte) error {
	if len(list) == 0 {
		return nil
	}
	return hooks.Run(ctx, kind, hooks.FromSpec(list), state, "", nil)
}

// ownHooks are the hooks as they were when the container was created; never nil
// without an error.
func (c *Container) ownHooks() (*specs.Hooks, error) {
	if c.hooks != nil {
		return c.hooks, nil
	}
	return c.dir.loadHooks()
}

// orNone is h, or no hooks at all.
func orNone(h *specs.Hooks) *specs.Hooks {
	if h == nil {
		return &specs.Hooks{}
	}
	return h
}

// postStop runs the poststop hooks, all of them: one that fails is a warning
// (runtime.md, lifecycle, step 13).
func postStop(h *specs.Hooks, r *record, log Logger) {
	if h == nil || len(h.Poststop) == 0 {
		return
	}
	state := hookState(r, Stopped, 0)
	if err := hooks.RunAll(context.Background(), "poststop", hooks.FromSpec(h.Poststop), state, "", nil); err != nil {
		log.Warnf("%v", err)
	}
}

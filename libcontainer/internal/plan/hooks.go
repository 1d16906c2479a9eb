package plan

import (
	"encoding/json"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// HookKinds are the kinds of hooks, in the order in which they run.
func HookKinds() []string {
	return []string{"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"}
}

// hooks plans those that init runs itself. Without an environment of its own
// a createContainer hook has none, and a startContainer hook the program's.
func (c *compiler) hooks(kind string, status specs.ContainerState) {
	if c.spec.Hooks == nil {
		return
	}
	list, env := c.spec.Hooks.CreateContainer, []string{}
	if kind == "startContainer" {
		list = c.spec.Hooks.StartContainer
	}
	if len(list) == 0 {
		return
	}
	if kind == "startContainer" {
		env = c.environment(c.spec.Process.Env)
	}
	state := c.hookState(status)
	s := Step{Op: OpHooks, Value: kind}
	for i, h := range list {
		hook := Hook{Field: index("hooks."+kind, i), Path: h.Path, Args: h.Args, Env: h.Env, State: state}
		if h.Env == nil {
			hook.Env = env
		}
		if h.Timeout != nil {
			hook.Timeout = *h.Timeout
		}
		s.Hooks = append(s.Hooks, hook)
	}
	c.add(s)
}

// hookState is the document on a hook's standard input, less the pid, which
// only init knows.
func (c *compiler) hookState(status specs.ContainerState) string {
	data, err := json.Marshal(struct {
		Version     string               `json:"ociVersion"`
		ID          string               `json:"id"`
		Status      specs.ContainerState `json:"status"`
		Bundle      string               `json:"bundle"`
		Annotations map[string]string    `json:"annotations,omitempty"`
	}{specs.Version, c.o.ID, status, c.o.Bundle, c.spec.Annotations})
	if err != nil {
		panic(err) // strings alone
	}
	return string(data)
}

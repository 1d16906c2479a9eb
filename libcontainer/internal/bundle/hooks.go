package bundle

import (
	"strings"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

func (m *mistakes) hooks(h *specs.Hooks) {
	if h == nil {
		return
	}
	for _, kind := range [...]struct {
		field string
		hooks []specs.Hook
	}{
		{"hooks.prestart", h.Prestart}, //nolint:staticcheck // deprecated, and in use
		{"hooks.createRuntime", h.CreateRuntime},
		{"hooks.createContainer", h.CreateContainer},
		{"hooks.startContainer", h.StartContainer},
		{"hooks.poststart", h.Poststart},
		{"hooks.poststop", h.Poststop},
	} {
		for i := range kind.hooks {
			m.hook(&kind.hooks[i], index(kind.field, i))
		}
	}
}

func (m *mistakes) hook(h *specs.Hook, at string) {
	if !strings.HasPrefix(h.Path, "/") || hasNUL(h.Path) {
		m.absolute(at+".path", h.Path)
	}
	m.texts(at+".args", h.Args)
	m.environment(at+".env", h.Env)
	if h.Timeout != nil && *h.Timeout <= 0 {
		m.addHint(at+".timeout", "not greater than zero", "leave it out for none")
	}
}

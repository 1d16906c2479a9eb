package libcontainer

import (
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/bundle"
)

// Bundle is a container's directory and its config.json, read and validated.
type Bundle = bundle.Bundle

// OpenBundle reads the bundle in dir. Its error names every mistake in
// config.json, each with its JSON path.
func OpenBundle(dir string) (*Bundle, error) { return bundle.Load(dir) }

// LoadProcess reads a process object of config.json from the file at path, for
// Exec. Its error names every mistake.
func LoadProcess(path string) (*specs.Process, error) { return bundle.LoadProcess(path) }

// BundleProcess is the process of the bundle's config.json as it is now, from
// which an exec without a process of its own starts.
func (c *Container) BundleProcess() (*specs.Process, error) {
	b, err := bundle.Load(c.record.Bundle)
	if err != nil {
		return nil, err
	}
	return b.Spec.Process, nil
}

// Bundle is the absolute path of the container's bundle.
func (c *Container) Bundle() string { return c.record.Bundle }

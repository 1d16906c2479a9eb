package libcontainer

import (
	"encoding/json"

	"github.com/rung-run/rung/libcontainer/internal/bundle"
	"github.com/rung-run/rung/libcontainer/internal/cgroup"
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// Plan tells what creating a container of the bundle would do, as indented
// JSON, and does nothing. The document's form may change between versions.
func Plan(id, dir string, rootless, noCgroup bool) ([]byte, error) {
	if err := checkID(id); err != nil {
		return nil, err
	}
	b, err := bundle.Load(dir)
	if err != nil {
		return nil, err
	}
	host, err := hostFacts()
	if err != nil {
		return nil, err
	}
	cg, err := cgroup.New(b.Spec, cgroup.Options{ID: id, Rootless: rootless, UserNS: host.UserNS, Disabled: noCgroup})
	if err != nil {
		return nil, err
	}
	p, err := plan.Create(b.Spec, plan.Options{
		ID: id, Bundle: b.Dir, RootfsPath: b.Rootfs, Rootless: rootless, CgroupPaths: cg.Paths(),
	}, host)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(p, "", "  ")
}

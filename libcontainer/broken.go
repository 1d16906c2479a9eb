package libcontainer

import (
	"encoding/json"
	"errors"
	"path/filepath"

	"github.com/rung-run/rung/libcontainer/internal/cgroup"
)

// RemoveBroken removes a container whose state.json is damaged, as a disk that
// was full or a machine that crashed leaves it; err is what Load said of it. It
// tells whether it was such a one. What is known of it is its configuration:
// the processes in its cgroups are killed. Its poststop hooks are not run, for
// what they are told is lost.
func RemoveBroken(root, id string, err error, log Logger) (bool, error) {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	_, kind := errors.AsType[*json.UnmarshalTypeError](err)
	if !syntax && !kind {
		return false, nil
	}
	if err := checkID(id); err != nil {
		return false, err
	}
	d := directory{filepath.Join(root, id)}
	lock, err := d.lock(lockTimeout)
	if err != nil {
		return false, err
	}
	defer lock.Close()
	spec, err := d.loadSpec()
	if err != nil {
		orSilent(log).Warnf("container %s: its processes and cgroups, if there are any, are not known: %v", id, err)
		return true, d.remove()
	}
	cg, err := cgroup.New(spec, cgroup.Options{ID: id, Rootless: IsRootless(), UserNS: inUserNamespace()})
	if err != nil {
		return false, err
	}
	if err := cg.Destroy(); err != nil {
		return false, err
	}
	return true, d.remove()
}

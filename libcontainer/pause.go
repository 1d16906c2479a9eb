package libcontainer

import (
	"fmt"
	"slices"

	"github.com/rung-run/rung/libcontainer/internal/cgroup"
)

// Pause stops all processes of a created or running container with the
// freezer of its cgroup, and waits until they have stopped. ErrNotRunning if
// it is neither.
func (c *Container) Pause() error {
	return c.freeze("pause", (*cgroup.Cgroup).Freeze, ErrNotRunning, Created, Running)
}

// Resume lets a paused container run on, as it was before. ErrNotPaused if it
// is not paused.
func (c *Container) Resume() error {
	return c.freeze("resume", (*cgroup.Cgroup).Resume, ErrNotPaused, Paused)
}

// freeze does what the freezer is asked for, to a container whose status is one
// of those; of another, other is the error.
func (c *Container) freeze(op string, do func(*cgroup.Cgroup) error, other error, may ...Status) error {
	status, err := c.Status()
	switch {
	case err != nil:
		return err
	case status == Creating:
		return ErrNotExist
	case !slices.Contains(may, status):
		return other
	}
	cg, err := c.cgroup()
	if err != nil {
		return err
	}
	if err := do(cg); err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

// PIDs are the container's processes as the caller's pid namespace numbers
// them, also those in cgroups below its own; none if it is stopped. Of a
// container without a cgroup only the first is known.
func (c *Container) PIDs() ([]int, error) {
	cg, err := c.cgroup()
	if err != nil {
		return nil, err
	}
	pids, err := cg.PIDs()
	if len(pids) == 0 && err == nil && c.record.alive() {
		pids = []int{c.record.InitPid}
	}
	return pids, err
}

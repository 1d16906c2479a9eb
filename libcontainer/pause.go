package libcontainer

import "fmt"

// Pause stops all processes of a created or running container with the
// freezer of its cgroup, and waits until they have stopped. ErrNotRunning if
// it is neither.
func (c *Container) Pause() error {
	status, err := c.Status()
	switch {
	case err != nil:
		return err
	case status == Creating:
		return ErrNotExist
	case status != Created && status != Running:
		return ErrNotRunning
	}
	cg, err := c.cgroup()
	if err != nil {
		return err
	}
	if err := cg.Freeze(); err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	return nil
}

// Resume lets a paused container run on, as it was before. ErrNotPaused if it
// is not paused.
func (c *Container) Resume() error {
	status, err := c.Status()
	switch {
	case err != nil:
		return err
	case status == Creating:
		return ErrNotExist
	case status != Paused:
		return ErrNotPaused
	}
	cg, err := c.cgroup()
	if err != nil {
		return err
	}
	if err := cg.Resume(); err != nil {
		return fmt.Errorf("resume: %w", err)
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

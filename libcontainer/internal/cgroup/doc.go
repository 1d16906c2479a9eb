// Package cgroup is the parent's door to control groups: where a container's
// are, making them, entering them, limits, freezing, killing, removing. It is
// the only package that imports github.com/opencontainers/cgroups, which
// writes the controllers' files and the device rules. What lies on the way of
// every start is done here, with as few system calls as it takes: no mountinfo
// is read, which grows with the machine's mounts, and no pid is moved, which
// waits for a grace period.
//
//	New ─▶ Vacant ─▶ Create ─▶ Doors ─▶ Limit ─▶ LimitPids      create
//	Load ─▶ Doors, Freeze, Resume, Frozen, PIDs                   exec, pause …
//	Load ─▶ Kill ─▶ Destroy                                     kill, delete
//
// Three layouts (cgroups(7)): v2, one tree at /sys/fs/cgroup; v1, a hierarchy
// a controller in directories below it; hybrid, v1 and a v2 tree in
// /sys/fs/cgroup/unified, in which the container has a directory too.
//
// Nothing that runs inside a container may import it.
package cgroup

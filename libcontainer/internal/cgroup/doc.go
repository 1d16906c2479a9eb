// Package cgroup is the parent's door to control groups: where a container's
// are, making them, entering them, limits, freezing, killing, removing.
// github.com/opencontainers/cgroups does the work of the controllers; what it
// finds by reading mountinfo, which grows with the machine's mounts, is found
// here in /proc/self/cgroup.
//
// Nothing that runs inside a container may import it.
package cgroup

// Package rootfs makes the container's root filesystem: mounts, devices,
// links, masks, and the change of root. It applies steps of a plan, inside
// init, in the container's mount namespace, on the locked main thread.
//
//	Open ─▶ mounts, devices, links ─▶ pivot ─▶ cwd, console ─▶ late attributes,
//	(handle of the root, cloned)       └ from here "/" is the root
//	read-only root and paths, masks
//
// Everything goes by handles. The root is one; destinations are resolved below
// it by openat2(2), what is missing is made inside the handle of its parent,
// and mounts are made detached and then attached to a handle. A path that
// another container changes meanwhile (a shared volume) leads nowhere but
// inside the root. The handle stays that of the root when the root becomes
// "/", so nothing here differs before and after the pivot.
//
// Where a sandbox refuses open_tree(2), move_mount(2) or mount_setattr(2), or a
// filesystem some option in the new form, mount(2) is used on
// /proc/self/fd/N of the same handles, by way of a verified procfs.
//
// It expects an umask of 0. It may not import what talks to the outside
// (cgroups, D-Bus, netlink, CRIU, the command line).
package rootfs

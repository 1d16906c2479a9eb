// Package bundle reads what callers hand over as JSON, config.json, the process
// of an exec and the resources of an update, and says everything that is wrong
// with it before anything is created.
//
//	file ─▶ size, kind ─▶ decode once ─┬─▶ Validate ─▶ root.path ─▶ Bundle
//	                                   └─▶ on a type error only: a second walk
//	                                       that finds all of them and where
//
// Mistakes are a fault.List of *fault.Error, each with its JSON path
// ("mounts[3].destination", `linux.sysctl["net.core.somaxconn"]`), in the order
// of the runtime-spec's documents.
//
// What counts as a mistake: what runtime-spec 1.3 forbids, and what the kernel
// refuses whatever the machine. What depends on the machine (which cgroup
// version, which filesystems, whose network namespace a path is) is for the
// packages that look at it; mount options are for plan. Unknown keys and the
// sections of other platforms are ignored, as the runtime-spec demands, and any
// ociVersion is accepted.
//
// JSON is read as encoding/json reads it: keys without regard to case. A key
// given twice in one object is refused.
//
// The package reads config.json and looks at root.path; it may not change
// anything, nor import what does.
package bundle

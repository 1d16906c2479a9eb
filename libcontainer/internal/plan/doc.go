// Package plan compiles a runtime-spec configuration into the list of steps
// that make the container. It decides and does nothing: no system call, no
// file, no clock. The same spec, options and Host give the same Plan, so it
// is tested without root, by golden files, and printed by "rung plan".
//
// It may import the spec and constants, nothing that acts.
package plan

// Package initproc is the child's side: what becomes the container's first
// process, or the process of an exec, interprets the plan that the parent
// sends, step by step, and executes the program.
//
// It runs on the main thread, which is locked, alone in the world: other
// threads of the Go runtime do nothing here. What belongs to a thread (ids,
// capabilities, filters) is set with raw system calls on this one; glibc's
// wrappers, and Go's, would signal threads they do not know of. Nothing is
// decided here but what only init can see, and every step is one file's.
//
// It may not import what talks to the outside (cgroups, D-Bus, netlink, CRIU,
// the command line): this is the code an attacker's image meets, and it is
// meant to be read in one sitting.
package initproc

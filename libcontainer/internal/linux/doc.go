// Package linux is where system calls are made that need care, and where the
// kernel's words are that golang.org/x/sys lacks: mounts and paths by handle,
// a verified /proc, processes by pidfd, the sealed executable, and the one
// probe of what a sandbox around us refuses. It decides nothing and knows
// neither the spec nor a plan.
package linux

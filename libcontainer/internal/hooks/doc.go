// Package hooks runs the programs that a configuration attaches to points of a
// container's life (runtime-spec config.md, "POSIX-platform Hooks"): one after
// the other, the container's state on standard input, their output kept for
// the error.
//
// The parent and init both use it. In init the calling thread is the only one
// that has the container's identity, there may be a seccomp filter, and the
// pids limit may forbid another thread. So a hook is forked on the calling
// thread and watched there, by one loop of poll(2) and without a goroutine:
//
//	fork ─▶ poll: stdin writable │ output │ pidfd │ cancelled │ deadline ─▶ wait4
//
// What a hook leaves behind when it has exited is its own affair: descendants
// that hold its output open are not waited for. A hook that is out of time is
// killed with all of its process group.
//
// It may import nothing of the parent's, as init does.
package hooks

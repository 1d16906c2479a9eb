// Package wire is what the parent, the bootstrap and init say to each other.
//
// They share one SOCK_SEQPACKET pair, so that a message is a packet, whole or
// not at all. Each begins with its kind.
//
//	parent                        bootstrap (C)
//	  │ Header, fds                  │  enters cgroups, joins namespaces
//	  ├─────────────────────────────▶│
//	  │                          Pid │  clone3
//	  │◀─────────────────────────────┤
//	  │                              ╵  exits
//	  │                           init (C)
//	  │ Mapped                       │  only with a new user namespace
//	  ├─────────────────────────────▶│
//	  │                   Namespaces │  all entered; Go starts
//	  │◀─────────────────────────────┤
//	  │                           init (Go)
//	  │ Plan, fds; Handles, fds      │
//	  ├─────────────────────────────▶│
//	  │                 Console, pty │  at its place among the steps
//	  │◀─────────────────────────────┤
//	  │         Sync "mounts-ready"  │
//	  │◀─────────────────────────────┤  limits, prestart, createRuntime
//	  │ Continue                     │
//	  ├─────────────────────────────▶│
//	  │               Sync "limits"  │
//	  │◀─────────────────────────────┤  rlimits
//	  │ Continue, seccomp program    │
//	  ├─────────────────────────────▶│
//	  │                Sync "ready"  │
//	  │◀─────────────────────────────┤  state, pid file
//	  │ Continue                     │
//	  ├─────────────────────────────▶│
//	  ╵ closed                       │  waits at the fifo (create) or execs
//
// Any message from the child may be a Failed (C) or an Error (Go) instead, and
// is then the last. Until the last Continue init ends at the end of the
// socket: a killed parent leaves nothing running. Afterwards it has the fifo,
// or for an exec a pipe: Executing, or an Error, and the end of the stream,
// which execve closes.
//
// The plan is larger than a packet may be, so it travels as a sealed memfd.
package wire

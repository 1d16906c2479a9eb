// Package plan compiles a runtime-spec configuration into the list of steps
// that make the container. It decides and does nothing: no system call, no
// file, no clock. The same spec, options and Host give the same Plan, so it
// is tested without root, by golden files, and printed by "rung plan".
//
// It may import the spec and constants, nothing that acts.
//
// The steps of a create, in their order; those marked * are an exec's too. A
// step is there only if the configuration asks for it, or always where nothing
// is said.
//
//	*keyring                      unless --no-new-keyring
//	 loopback                     a new network namespace
//	 propagation of "/"           a mount namespace
//	 root filesystem              always
//	 mounts, remounts             as the spec lists them
//	 devices, links               unless /dev is bound
//	 wait "mounts-ready"          always
//	 createContainer hooks
//	 pivot, move or chroot        always
//	 propagation of the root
//	*standard streams             always
//	 working directory            always
//	*terminal
//	 late read-only: tmpfs, /dev, then the root
//	*umask                        always
//	 host name, domain name
//	*AppArmor
//	 sysctl                       sorted
//	 read-only paths, masked paths
//	 unbindable root              nothing can be bound from it any more
//	*no_new_privs
//	*I/O priority, personality, memory policy
//	*wait "limits"                always
//	*scheduler                    by a parent without privilege, but SCHED_DEADLINE with startContainer hooks
//	*SELinux
//	*bounding set                 always
//	*seccomp                      without no_new_privs
//	*chdir, home, own streams     always
//	*groups, gid, uid             always
//	*chdir, capabilities          always
//	*program, descriptors         always
//	*seccomp                      with no_new_privs
//	*wait "ready"                 always
//	 wait for start               always
//	 startContainer hooks
//	*signals                      always
//	 scheduler                    SCHED_DEADLINE with startContainer hooks
//	*execve                       always
//
// An exec in a container without a mount namespace has the root filesystem and
// the chroot of a create, too.
package plan

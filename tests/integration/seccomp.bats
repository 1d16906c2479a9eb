#!/usr/bin/env bats
# linux.seccomp, seen by system calls that the probe makes.

load helpers

setup() {
	new_bundle
	require seccomp
}

profile() { # JQ OBJECT
	config ".linux.seccomp = $1"
}

# syscall_errno NUMBER ERRNO
syscall_errno() {
	args /bin/probe syscall "$1"
	run -0 --separate-stderr rung run "$ID"
	check '.errno == $e' --argjson e "$2"
}

@test "seccomp: an errno, with and without no_new_privs" {
	profile '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getpgrp"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}'
	local nnp
	for nnp in true false; do
		config ".process.noNewPrivileges = $nnp"
		syscall_errno 111 28
		probe
		check '.seccomp == 2'
	done
}

@test "seccomp: the default errno, and ENOSYS for calls newer than the profile" {
	profile '{defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 1, syscalls: [{names: ["read", "write", "open", "openat",
		"close", "execve", "exit", "exit_group", "brk", "mmap", "munmap", "mprotect", "arch_prctl", "set_tid_address",
		"set_robust_list", "rseq", "prlimit64", "getrandom", "fstat", "newfstatat", "readlink", "readlinkat", "uname",
		"ioctl", "rt_sigaction", "rt_sigprocmask", "fcntl", "writev", "lseek", "poll", "futex", "statx"],
		action: "SCMP_ACT_ALLOW"}]}'
	syscall_errno 246 1   # kexec_load: known, not listed
	syscall_errno 5000 38 # of a later kernel
}

@test "seccomp: an argument decides" {
	profile '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["personality"], action: "SCMP_ACT_ERRNO", errnoRet: 5,
		args: [{index: 0, value: 8, op: "SCMP_CMP_EQ"}]}]}'
	args /bin/probe syscall 135 8
	run -0 --separate-stderr rung run "$ID"
	check '.errno == 5'
	args /bin/probe syscall 135 0
	run -0 --separate-stderr rung run "$ID"
	check '.ret >= 0'
}

@test "seccomp: exec is filtered as well" {
	profile '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getpgrp"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}'
	run -0 rung run -d "$ID"
	run -0 --separate-stderr rung exec "$ID" /bin/probe syscall 111
	check '.errno == 28'
}

@test "seccomp: a forbidden call may kill" {
	profile '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getpgrp"], action: "SCMP_ACT_KILL_PROCESS"}]}'
	args sh -c '/bin/probe syscall 111; exit $?'
	run -159 rung run "$ID"
}

@test "seccomp: the compiled profile is kept for the next start, ours alone" {
	profile '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getpgrp"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}'
	syscall_errno 111 28
	run -0 stat -c %a "$STATE/@seccomp"
	[ "$output" = 700 ]
	local entry
	entry=$(find "$STATE/@seccomp" -type f | head -1)
	[ "$(stat -c %a "$entry")" = 600 ]
	# A damaged one is not trusted.
	printf 'xxxx' | dd of="$entry" bs=1 seek=100 conv=notrunc status=none
	syscall_errno 111 28
}

@test "seccomp: a listener is refused, not ignored" {
	profile '{defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/s", syscalls: [{names: ["getpgrp"], action: "SCMP_ACT_NOTIFY"}]}'
	run -1 rung create "$ID"
	[[ $output == *'linux.seccomp.listenerPath: not honoured'* ]]
	[ ! -e "$STATE/$ID" ]
}

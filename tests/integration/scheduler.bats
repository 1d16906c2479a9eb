#!/usr/bin/env bats
# scheduler: the policy that the program runs under.

load helpers

# The process's policy and nice value (proc_pid_stat(5), fields 41 and 19).
# shellcheck disable=SC2016 # for the container's shell
show='set -- $(cat /proc/self/stat); shift 18; echo $1; shift 22; echo $1'

@test "scheduler: set for a program that may not do so itself" {
	require cap:SYS_NICE
	config '.process.scheduler = {policy: "SCHED_BATCH", nice: -5}
		| .process.user = {uid: 1000, gid: 1000}'
	args sh -c "$show"
	run -0 rung run "$ID"
	[ "$output" = $'-5\n3' ] # SCHED_BATCH
}

@test "scheduler: set though the filter refuses the call" {
	require seccomp
	config '.process.scheduler = {policy: "SCHED_IDLE"}
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
			syscalls: [{names: ["sched_setattr"], action: "SCMP_ACT_ERRNO"}]}'
	args sh -c "$show"
	local privileges
	for privileges in true false; do
		config '.process.noNewPrivileges = $p' --argjson p "$privileges"
		run -0 rung run "$ID"
		[ "${lines[1]}" = 5 ] # SCHED_IDLE
	done
}

@test "scheduler: exec has the container's, or its own" {
	config '.process.scheduler = {policy: "SCHED_BATCH", nice: 3}'
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" sh -c "$show"
	[ "$output" = $'3\n3' ]
	jq -n --arg s "$show" '{args: ["sh", "-c", $s], cwd: "/", env: ["PATH=/bin"], user: {uid: 0, gid: 0},
		scheduler: {policy: "SCHED_IDLE"}}' >"$BATS_TEST_TMPDIR/p.json"
	run -0 rung exec --process "$BATS_TEST_TMPDIR/p.json" "$ID"
	[ "${lines[1]}" = 5 ]
}

@test "scheduler: a deadline, with and without a hook that forks" {
	require cap:SYS_NICE chrt
	chrt --deadline --sched-runtime 1000000 --sched-period 100000000 0 true || skip 'needs SCHED_DEADLINE'
	config '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 100000000, period: 100000000}
		| .process.capabilities.bounding += ["CAP_SYS_NICE"]
		| .process.capabilities.permitted += ["CAP_SYS_NICE"] | .process.capabilities.effective += ["CAP_SYS_NICE"]'
	args cat /proc/self/stat
	run -0 rung run "$ID"
	[ "$(cut -d' ' -f41 <<<"$output")" = 6 ] # SCHED_DEADLINE
	config '.hooks.startContainer = [{path: "/bin/true"}]'
	run -0 rung run "$ID"
	[ "$(cut -d' ' -f41 <<<"$output")" = 6 ]
}

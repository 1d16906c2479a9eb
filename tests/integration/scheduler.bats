#!/usr/bin/env bats
# scheduler: the policy that the program runs under.

load helpers

# The process's policy and nice value (proc_pid_stat(5), fields 41 and 19).
# shellcheck disable=SC2016 # for the container's shell
show='set -- $(cat /proc/self/stat); shift 18; echo $1; shift 22; echo $1'

INIT='unable to start container process: error during container init: '

# refused MESSAGE: create says so, and makes nothing.
refused() {
	run -1 rung --log log create "$ID"
	[ "$output" = "rung create failed: $1" ]
	[ ! -e "$STATE/$ID" ]
}

scheduler() { # JSON
	config '.process.scheduler = $s' --argjson s "$1"
}

# realtime gives the container's cgroup 50 ms of real time a second, where that
# is shared out: groups of v1 have none of their own (sched(7)).
realtime() {
	require cap:SYS_NICE
	if [ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]; then
		config '.linux.resources.cpu = {realtimeRuntime: 50000, realtimePeriod: 1000000}'
	fi
}

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

@test "scheduler: SCHED_OTHER and SCHED_BATCH with a nice value, also below the caller's" {
	require cap:SYS_NICE
	local policy nice
	for policy in OTHER BATCH; do
		for nice in -20 -3 0 19; do
			scheduler "{\"policy\": \"SCHED_$policy\", \"nice\": $nice}"
			probe
			check '.scheduler | {policy, nice, flags} == {policy: $p, nice: $n, flags: 0}' \
				--arg p "SCHED_$policy" --argjson n "$nice"
		done
	done
}

@test "scheduler: SCHED_IDLE" {
	scheduler '{"policy": "SCHED_IDLE"}'
	probe
	check '.scheduler.policy == "SCHED_IDLE"'
}

@test "scheduler: SCHED_FIFO and SCHED_RR with a priority, for a process without CAP_SYS_NICE" {
	realtime
	local policy
	for policy in FIFO RR; do
		scheduler "{\"policy\": \"SCHED_$policy\", \"priority\": 17}"
		probe
		check '.scheduler | {policy, priority} == {policy: $p, priority: 17}' --arg p "SCHED_$policy"
		check '.capabilities.bounding | index("CAP_SYS_NICE") == null'
	done
}

@test "scheduler: a real-time policy on cgroup v1 without real time names the field that gives it" {
	require cap:SYS_NICE
	[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || skip 'needs a kernel that shares out real time (CONFIG_RT_GROUP_SCHED)'
	scheduler '{"policy": "SCHED_FIFO", "priority": 1}'
	refused "set scheduler process.scheduler: sched_setattr: operation not permitted \
(on cgroup v1 it needs time of its own: linux.resources.cpu.realtimeRuntime)"
}

@test "scheduler: SCHED_FLAG_RESET_ON_FORK: the child of a real-time process is none" {
	realtime
	scheduler '{"policy": "SCHED_RR", "priority": 3, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}'
	probe
	check '.scheduler | {policy, flags} == {policy: "SCHED_RR", flags: 1}'
	args sh -c '/bin/probe; :' # the probe is a child
	run -0 --separate-stderr rung run "$ID"
	check '.pid > 1 and .scheduler.policy == "SCHED_OTHER"'
}

@test "scheduler: without privilege: what lowers it works, the rest is refused" {
	user_bundle
	args /bin/probe
	scheduler '{"policy": "SCHED_BATCH", "nice": 6}'
	run -0 --separate-stderr user_rung run "$ID"
	check '.scheduler | {policy, nice} == {policy: "SCHED_BATCH", nice: 6}'
	scheduler '{"policy": "SCHED_OTHER", "nice": -1}'
	run -1 user_rung --log "$BATS_TEST_TMPDIR/runtime/log" run "$ID"
	[ "$output" = "rung run failed: ${INIT}set scheduler process.scheduler: sched_setattr: operation not permitted" ]
}

@test "scheduler: values that the policy does not have, each with its field" {
	scheduler '{"policy": "SCHED_OTHER", "nice": 20, "priority": 1, "runtime": 5}'
	refused 'process.scheduler.nice: 20 is out of range: -20 to 19; '\
'process.scheduler.priority: SCHED_OTHER has no priorities, only SCHED_FIFO and SCHED_RR do; '\
'process.scheduler.runtime: only SCHED_DEADLINE has one, not SCHED_OTHER'
	scheduler '{"policy": "SCHED_RR", "flags": ["SCHED_FLAG_RESET_ON_FORK", "RESET"]}'
	refused 'process.scheduler.priority: 0 is out of range for SCHED_RR: 1 to 99; process.scheduler.flags[1]: unknown flag "RESET"'
	scheduler '{"policy": "SCHED_DEADLINE", "runtime": 3000000, "deadline": 2000000, "period": 1000000}'
	refused 'process.scheduler.deadline: 2000000 ns is less than the runtime, 3000000; process.scheduler.period: 1000000 ns is less than the deadline, 2000000'
	scheduler '{"policy": "SCHED_ISO"}' # reserved, implemented by no kernel
	refused 'set scheduler process.scheduler: sched_setattr: invalid argument'
}

@test "scheduler: in a user namespace, where no capability would allow it" {
	require cap:SYS_NICE
	user_namespace
	scheduler '{"policy": "SCHED_BATCH", "nice": -4}'
	config '.process.user = {uid: 7, gid: 7}'
	probe
	check '.scheduler | {policy, nice} == {policy: "SCHED_BATCH", nice: -4}'
	check '.uid.real == 7'
}

@test "scheduler: little time for the program is no little time for its start" {
	require cap:SYS_NICE
	scheduler '{"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 1000000000, "period": 1000000000}'
	# Init would take some 3 ms, and so as many seconds.
	RUNG_TIMEOUT=2 run -0 rung create "$ID"
	run -0 chrt -p "$(host_pid "$ID")"
	[[ $output == *SCHED_DEADLINE* ]]
}

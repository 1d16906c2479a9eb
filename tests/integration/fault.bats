#!/usr/bin/env bats
# The runtime is killed at each message of its talk with init. RUNG_TEST is a
# build that dies where RUNG_FAULT says, and writes first that it got there.

load helpers

POINTS='created-state created-cgroup entered namespaces plan-sent mounts-ready limits ready saved mapped start-renamed start-opened'

setup() {
	require faultinject
	new_bundle
	# One of this test's own: whatever runs it is ours.
	cp "$RUNG_TEST" "$BATS_TEST_TMPDIR/rung-test"
}

# killed_at POINT [COMMAND OPTION...]: nothing keeps running, list shows what
# is left, delete --force removes it, and the name is free again.
killed_at() {
	local fired=$BATS_TEST_TMPDIR/fired
	run env RUNG_FAULT="$1" RUNG_FAULT_FIRED="$fired" \
		"$BATS_TEST_TMPDIR/rung-test" --root "$STATE" "${@:2}" "$ID" </dev/null 3>&- 4>&-
	[ "$status" -eq 137 ]
	[ "$(<"$fired")" = "$1" ]

	RUNG_FAULT='' wait_for 2 nothing_runs
	run -0 rung list
	[ "${#lines[@]}" -eq 2 ]
	[[ ${lines[1]} =~ ^$ID\ +0\ +stopped\ +$BUNDLE\  ]]
	run -0 rung state "$ID"
	check '.status == "stopped" and .pid == 0'
	run -1 rung start "$ID"
	[[ $output == *'cannot start a container that has stopped'* ]]
	run -0 rung delete --force "$ID"
	[ ! -e "$STATE/$ID" ]
	[ -z "$(remains)" ]

	run -0 rung run -d "$ID"
	has_status "$ID" running
}

# No process runs the binary, under whatever name, and none is in the cgroups.
# Init has no environment, so no mark.
nothing_runs() {
	local exe file
	for exe in /proc/[0-9]*/exe; do
		[[ ! $exe -ef $BATS_TEST_TMPDIR/rung-test ]] || return 1
	done
	while read -r file; do
		[[ -z $(<"$file") ]] || return 1
	done < <(find /sys/fs/cgroup -path "*$ID/cgroup.procs" 2>/dev/null)
}

@test "fault: the checks see an init that waits" {
	RUNG=$BATS_TEST_TMPDIR/rung-test run -0 rung create "$ID"
	run ! nothing_runs
}

@test "fault: killed when the state is saved" { killed_at created-state run; }
@test "fault: killed when the cgroups are made" { killed_at created-cgroup run; }
@test "fault: killed when init is cloned" { killed_at entered run; }
@test "fault: killed when init is in its namespaces" { killed_at namespaces run; }
@test "fault: killed when the plan is sent" { killed_at plan-sent run; }
@test "fault: killed when the mounts are ready" { killed_at mounts-ready run; }
@test "fault: killed when init asks for its limits" { killed_at limits run; }
@test "fault: killed when init is ready" { killed_at ready run; }
@test "fault: killed when the container is saved as created" { killed_at saved run; }

@test "fault: killed when the id maps are written" {
	user_namespace
	killed_at mapped run
}

@test "fault: create and run -d, killed early and late" {
	killed_at created-cgroup create
	run -0 rung delete --force "$ID"
	rm "$BATS_TEST_TMPDIR/fired"
	killed_at saved create
	run -0 rung delete --force "$ID"
	rm "$BATS_TEST_TMPDIR/fired"
	killed_at ready run -d
}

@test "fault: without namespaces of its own, init ends all the same" {
	config '.linux.namespaces |= map(select(.type == "mount" or .type == "uts"))'
	killed_at ready run
}

@test "fault: with every namespace, a terminal and a profile, init ends all the same" {
	user_namespace
	require timens
	config '.linux.namespaces |= (. + [{type: "cgroup"}, {type: "time"}] | unique_by(.type)) | .linux.timeOffsets = {boottime: {secs: 100}}
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
	killed_at limits run
}

@test "fault: pid file and sockets are not written by a create that is killed" {
	killed_at saved create --pid-file "$BATS_TEST_TMPDIR/container.file"
	[ ! -e "$BATS_TEST_TMPDIR/container.file" ]
	[ -z "$(find "$BATS_TEST_TMPDIR" -name '.container.file')" ]
}

@test "fault: killed while a createRuntime hook runs (C077)" {
	config '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "2"]}]'
	run_bg create rung create "$ID"
	wait_for 5 hook_runs
	kill -KILL "$BG_PID"
	wait_for 5 no_hook_runs
	wait_for 2 nothing_runs
	config 'del(.hooks)'
	run -0 rung delete --force "$ID"
	[ ! -e "$STATE/$ID" ]
	[ -z "$(remains)" ]
	run -0 rung run -d "$ID"
}

hook_runs() {
	pgrep -P "$BG_PID" -x sleep >/dev/null
}

no_hook_runs() {
	local pid
	for pid in $(pgrep -x sleep); do
		! grep -qzxF "RUNG_MARK=$RUNG_MARK" "/proc/$pid/environ" 2>/dev/null || return 1
	done
}

# start_killed_at POINT: the start is killed there.
start_killed_at() {
	local fired=$BATS_TEST_TMPDIR/fired
	rm -f "$fired"
	run -137 env RUNG_FAULT="$1" RUNG_FAULT_FIRED="$fired" "$BATS_TEST_TMPDIR/rung-test" --root "$STATE" start "$ID"
	[ "$(<"$fired")" = "$1" ]
}

@test "fault: a start killed before init goes on can be repeated, or the container deleted" {
	args sh -c 'echo run >>/runs; sleep 1000'
	run -0 rung create "$ID"
	start_killed_at start-renamed
	has_status "$ID" created
	start_killed_at start-renamed
	[ ! -e rootfs/runs ]
	run -0 rung start "$ID"
	has_status "$ID" running
	wait_for 5 test -s rootfs/runs
	[ "$(<rootfs/runs)" = run ]
	run -1 rung start "$ID"
	[[ $output == *'cannot start an already running container'* ]]
	run -0 rung delete --force "$ID"

	run -0 rung create "$ID"
	start_killed_at start-renamed
	run -0 rung delete "$ID"
	[ ! -e "$STATE/$ID" ]
	[ -z "$(remains)" ]
}

@test "fault: a start killed when init goes on has started it, once" {
	args sh -c 'echo run >>/runs; sleep 1000'
	run -0 rung create "$ID"
	sleep 0.2 # init waits
	start_killed_at start-opened
	wait_for 5 test -s rootfs/runs
	has_status "$ID" running
	run -1 timeout 10 "$RUNG" --root "$STATE" start "$ID"
	[[ $output == *'cannot start an already running container'* ]]
	[ "$(<rootfs/runs)" = run ]
	run -0 rung kill "$ID" KILL
	wait_for 5 has_status "$ID" stopped
	run -0 rung delete "$ID"
}

@test "fault: init killed at create is an error that names no more than it knows" {
	config '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c",
		"kill -KILL $(sed -n \"s/.*\\\"pid\\\": *\\([0-9]*\\).*/\\1/p\")"]}]'
	run -1 rung create "$ID"
	[[ $output == *'rung create failed: '*'init'* ]]
	[ ! -e "$STATE/$ID" ]
	[ -z "$(remains)" ]
}

@test "fault: every point of the source is among these" {
	local found
	found=$(grep -rhoE '(inject\.Point|\.reached)\("[a-z-]+"\)' "$BATS_TEST_DIRNAME/../../libcontainer" | cut -d'"' -f2 | sort)
	[ "$found" = "$(tr ' ' '\n' <<<"$POINTS" | sort)" ]
}

@test "fault: the normal build has no such points" {
	local point
	for point in created-state ready; do
		export RUNG_FAULT=$point RUNG_FAULT_FIRED=$BATS_TEST_TMPDIR/fired
		run -0 rung run -d "$ID"
		has_status "$ID" running
		[ ! -e "$RUNG_FAULT_FIRED" ]
		run -0 rung delete -f "$ID"
	done
}

#!/usr/bin/env bats
# The runtime is killed at each message of its talk with init. RUNG_TEST is a
# build that dies where RUNG_FAULT says, and writes first that it got there.

load helpers

# killed_at POINT: nothing keeps running, list shows what is left, delete
# --force removes it, and the name is free again.
killed_at() {
	require faultinject
	local fired=$BATS_TEST_TMPDIR/fired
	run env RUNG_FAULT="$1" RUNG_FAULT_FIRED="$fired" "$RUNG_TEST" --root "$STATE" run -d "$ID" 3>&- 4>&-
	[ "$status" -eq 137 ]
	[ "$(<"$fired")" = "$1" ]

	wait_for 5 nothing_runs
	run -0 rung list
	[[ ${lines[1]} =~ ^$ID\ +0\ +stopped\  ]]
	run -0 rung delete --force "$ID"
	[ ! -e "$STATE/$ID" ]
	[ -z "$(remains)" ]

	run -0 rung run -d "$ID"
	has_status "$ID" running
}

# What this test has started is marked in its environment; init clears its own,
# but is in the container's cgroup.
nothing_runs() {
	local file
	! pgrep -f 'rung init' >/dev/null || return 1
	while read -r file; do
		[[ -z $(<"$file") ]] || return 1
	done < <(find /sys/fs/cgroup -path "*$ID/cgroup.procs" 2>/dev/null)
}

@test "fault: killed when the state is saved" { killed_at created-state; }
@test "fault: killed when the cgroups are made" { killed_at created-cgroup; }
@test "fault: killed when init is cloned" { killed_at entered; }
@test "fault: killed when init is in its namespaces" { killed_at namespaces; }
@test "fault: killed when the plan is sent" { killed_at plan-sent; }
@test "fault: killed when the mounts are ready" { killed_at mounts-ready; }
@test "fault: killed when init asks for its limits" { killed_at limits; }
@test "fault: killed when init is ready" { killed_at ready; }
@test "fault: killed when the container is saved as created" { killed_at saved; }

@test "fault: killed when the id maps are written" {
	require userns
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	killed_at mapped
}

@test "fault: the normal build has no such points" {
	export RUNG_FAULT=ready
	run -0 rung run -d "$ID"
	has_status "$ID" running
}

#!/usr/bin/env bats
# --cgroup-manager: who makes a container's cgroups.

load helpers

without() {
	call timeout --foreground -k 5 "${RUNG_TIMEOUT:-60}" "$RUNG" --root "$STATE" --cgroup-manager disabled -- "$@"
}

@test "cgroupmanager: what is unknown is refused" {
	run -1 "$RUNG" --cgroup-manager none list
	[[ $output == *"for --cgroup-manager: cgroupfs or disabled"* ]]
}

@test "cgroupmanager: disabled, the container stays in the caller's cgroup, and ends as any other" {
	config '.linux.namespaces |= map(select(.type != "cgroup")) | .linux.resources = {}'
	run -0 without run -d "$ID"
	local pid
	pid=$(host_pid "$ID")
	[ "$(<"/proc/$pid/cgroup")" = "$(cat /proc/self/cgroup)" ]
	[ -z "$(find /sys/fs/cgroup -type d -name "$ID")" ]
	run -0 rung exec "$ID" cat /proc/self/cgroup
	[ "$output" = "$(cat /proc/self/cgroup)" ]
	run -0 rung kill "$ID" KILL
	wait_for 10 has_status "$ID" stopped
	run -0 rung delete "$ID"
	run -0 without run -d "$ID"
	pid=$(host_pid "$ID")
	run -0 rung delete --force "$ID"
	wait_for 5 ended "$pid"
}

@test "cgroupmanager: disabled, a limit is refused by its name" {
	config '.linux.resources = {memory: {limit: 67108864}}'
	run -1 without create "$ID"
	[[ $output == *'linux.resources.memory.limit: there is no cgroup to limit (--cgroup-manager disabled)'* ]]
	[ ! -e "$STATE/$ID" ]
}

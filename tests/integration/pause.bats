#!/usr/bin/env bats
# pause, resume and ps: what they do, and in which state they may.

load helpers

setup() { new_bundle; }

# counter makes the program count in /count for ever.
counter() {
	args sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/next; mv /next /count; done'
}

count() { cat rootfs/count; }

counts() { # it goes on from N
	[[ $(count) != "$1" ]]
}

@test "pause: nothing in the container runs until it is resumed" {
	counter
	run -0 rung run -d "$ID"
	wait_for 5 test -e rootfs/count
	run -0 rung pause "$ID"
	[ -z "$output" ]
	has_status "$ID" paused
	local stopped
	stopped=$(count)
	sleep 0.3
	[ "$(count)" = "$stopped" ]
	run -0 rung resume "$ID"
	[ -z "$output" ]
	has_status "$ID" running
	wait_for 5 counts "$stopped"
}

@test "pause: a created container is paused, and created again afterwards" {
	run -0 rung create "$ID"
	run -0 rung pause "$ID"
	has_status "$ID" paused
	run -1 rung start "$ID"
	[[ $output == *'cannot start a container in the paused state'* ]]
	run -0 rung resume "$ID"
	has_status "$ID" created
	run -0 rung start "$ID"
	has_status "$ID" running
}

@test "pause: what is paused, stopped or not there is refused, and stays as it is" {
	run -1 rung pause "$ID"
	[[ $output == *'container does not exist'* ]]
	run -1 rung resume "$ID"
	[[ $output == *'container does not exist'* ]]
	run -0 rung run -d "$ID"
	run -1 rung resume "$ID"
	[[ $output == *'container not paused'* ]]
	has_status "$ID" running
	run -0 rung pause "$ID"
	run -1 rung pause "$ID"
	[[ $output == *'container not running'* ]]
	has_status "$ID" paused
	run -1 rung delete "$ID"
	[[ $output == *"cannot delete container $ID that is not stopped: paused"* ]]
	run -0 rung kill "$ID" KILL
	wait_for 5 has_status "$ID" stopped
	local command
	for command in pause resume; do
		run -1 rung "$command" "$ID"
		[[ $output == *"container not "* ]]
		run -1 rung "$command"
		[[ $output == *"$command"*' takes 1 argument(s), not 0'* ]]
	done
}

@test "pause: a paused container is killed by delete --force" {
	counter
	run -0 rung run -d "$ID"
	run -0 rung pause "$ID"
	local dir
	dir=$(cgroup_dir "$ID" freezer)
	[ -d "$dir" ]
	run -0 rung delete --force "$ID"
	[ ! -d "$dir" ]
	[ ! -e "$STATE/$ID" ]
}

@test "pause: without a cgroup it is refused" {
	user_bundle
	[[ $(cgroup_version) == 1 ]] || skip 'needs a user without a cgroup of its own: cgroup v1'
	run -0 user_rung run -d "$ID"
	run -1 user_rung pause "$ID"
	[[ $output == *'pause: no freezer: the container has no cgroup that could stop it'* ]]
	run -0 user_rung state "$ID"
	[ "$(jq -r .status <<<"$output")" = running ]
	user_rung delete --force "$ID"
}

@test "ps: the container's processes as the host sees them" {
	args sh -c 'sleep 1001 & exec sleep 1000'
	run -0 rung run -d "$ID"
	local pid
	pid=$(host_pid "$ID")
	wait_for 5 pgrep -P "$pid"
	run -0 rung ps "$ID"
	[[ ${lines[0]} == *PID*CMD* ]]
	[ "${#lines[@]}" = 3 ]
	[[ ${lines[1]} == *" $pid "*'sleep 1000' ]]
	[[ ${lines[2]} == *'sleep 1001' ]]
	run -0 rung ps --format json "$ID"
	[ "$(jq -c sort <<<"$output")" = "$(jq -cn '[$ARGS.positional[] | tonumber] | sort' --args "$pid" "$(pgrep -P "$pid")")" ]
	# All behind the ID is for ps(1).
	run -0 rung ps "$ID" -eo args,pid
	[[ ${lines[1]} =~ ^'sleep 1000'\ +$pid$ ]]
}

@test "ps: of a stopped container there are none" {
	args true
	run -0 rung run -d "$ID"
	wait_for 5 has_status "$ID" stopped
	run -0 rung ps "$ID"
	[ "${#lines[@]}" = 1 ]
	[[ $output == *PID* ]]
	run -0 rung ps -f json "$ID"
	[ "$output" = null ]
}

@test "ps: mistakes" {
	run -0 rung run -d "$ID"
	run -1 rung ps
	[[ $output == *' does not take 0 argument(s)'* ]]
	run -1 rung ps -f yaml "$ID"
	[[ $output == *'invalid value '*yaml*' for --format: table or json'* ]]
	run -1 rung ps "$ID" -o args
	[[ $output == *'ps -o args: its output has no column PID'* ]]
	run -1 rung ps "$ID" --no-such-option
	[[ $output == *'ps --no-such-option: error: unknown gnu long option"' ]]
	run -1 rung ps "$ID-2"
	[[ $output == *'container does not exist'* ]]
}

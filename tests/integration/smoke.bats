#!/usr/bin/env bats
# The life of a container, one test a command; the details are in the others.

load helpers

@test "smoke: run gives the command's output and its exit code" {
	args sh -c 'echo hello from $(hostname); exit 7'
	run -7 rung run "$ID"
	[ "$output" = 'hello from rung' ]
	run -1 rung state "$ID"
	[[ $output == *'does not exist'* ]]
}

@test "smoke: init is pid 1 and sees its own root only" {
	probe
	check '.pid == 1'
	check '.hostname == "rung"'
	check '.cwd == "/"'
	check '[.mounts[] | select(.destination == "/")] | length == 1'
	check '[.mounts[] | select(.destination == "/proc")][0].type == "proc"'
	check '.fds | map(.fd) == [0, 1, 2]'
}

@test "smoke: run -d leaves a running container" {
	run -0 rung run -d --pid-file "$BATS_TEST_TMPDIR/pid.file" "$ID"
	[ -z "$output" ]
	run -0 rung state "$ID"
	check '.status == "running"'
	check '.id == $id' --arg id "$ID"
	check '.bundle == $b' --arg b "$BUNDLE"
	check '.pid == ($p | tonumber)' --arg p "$(<"$BATS_TEST_TMPDIR/pid.file")"
	[ "$(tr '\0' ' ' <"/proc/$(host_pid "$ID")/cmdline")" = 'sleep 1000 ' ]
}

@test "smoke: create waits for start" {
	args touch /started
	run -0 rung create "$ID"
	run -0 rung state "$ID"
	check '.status == "created"'
	[ ! -e rootfs/started ]

	run -0 rung start "$ID"
	wait_for 10 test -e rootfs/started
	wait_for 10 has_status "$ID" stopped

	run -0 rung delete "$ID"
	[ ! -e "$STATE/$ID" ]
}

@test "smoke: exec joins the container and gives the exit code" {
	run -0 rung run -d "$ID"
	run -3 rung exec "$ID" sh -c 'echo $$ $(hostname); exit 3'
	[[ $output =~ ^[0-9]+\ rung$ ]]
	probe_exec "$ID"
	check '.pid > 1'
	check '.namespaces.pid == $ns' --arg ns "$(readlink "/proc/$(host_pid "$ID")/ns/pid")"
	check '.fds | map(.fd) == [0, 1, 2]'
}

@test "smoke: exec -d leaves a second process" {
	run -0 rung run -d "$ID"
	run -0 rung exec -d --pid-file "$BATS_TEST_TMPDIR/exec.file" "$ID" sleep 2000
	[ "$(tr '\0' ' ' <"/proc/$(<"$BATS_TEST_TMPDIR/exec.file")/cmdline")" = 'sleep 2000 ' ]
}

@test "smoke: list shows the containers" {
	run -0 rung run -d "$ID"
	run -0 rung create "$ID-2"
	run -0 rung list
	[[ ${lines[0]} =~ ^ID\ +PID\ +STATUS\ +BUNDLE\ +CREATED\ +OWNER$ ]]
	[[ ${lines[1]} =~ ^$ID\ +[0-9]+\ +running\ +$BUNDLE\ .*\ root$ ]]
	[[ ${lines[2]} =~ ^$ID-2\ +[0-9]+\ +created\  ]]
	run -0 rung list --quiet
	[ "$output" = "$ID"$'\n'"$ID-2" ]
	run -0 rung list --format json
	check 'map(.id) == [$id, $id + "-2"]' --arg id "$ID"
}

@test "smoke: kill ends a container, delete removes it" {
	# pid 1 dies of no signal that it has no handler for, but KILL.
	args sh -c 'trap "exit 0" TERM; while :; do sleep 0.05; done'
	run -0 rung run -d "$ID"
	wait_for 10 catches_term
	run -1 rung delete "$ID"
	[[ $output == *'that is not stopped: running'* ]]

	run -0 rung kill "$ID"
	wait_for 10 has_status "$ID" stopped
	run -1 rung kill "$ID" KILL
	[[ $output == *'container not running'* ]]
	run -0 rung delete "$ID"
	run -1 rung delete "$ID"
	[[ $output == *'does not exist'* ]]
}

catches_term() {
	local caught
	caught=$(sed -n 's/^SigCgt:\t//p' "/proc/$(host_pid "$ID")/status")
	(((0x$caught >> 14) & 1))
}

@test "smoke: delete --force removes a running container with its cgroup" {
	run -0 rung run -d "$ID"
	local pid cgroup
	pid=$(host_pid "$ID")
	cgroup=$(cgroup_dir "$ID" memory)
	[ -d "$cgroup" ]
	run -0 rung delete --force "$ID"
	[ ! -e "$STATE/$ID" ]
	[ ! -e "$cgroup" ]
	wait_for 5 test ! -e "/proc/$pid"
	run -0 rung delete --force "$ID"
}

@test "smoke: a command that is not there fails create and leaves nothing" {
	args no-such-command
	run -1 rung create "$ID"
	[[ $output == *'executable file not found in $PATH'* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "smoke: a container without privileges" {
	user_bundle
	args /bin/probe
	run -0 --separate-stderr user_rung run "$ID"
	check '.pid == 1'
	check '.uid.real == 0'
	check '.uidMap == [[0, ($u | tonumber), 1]]' --arg u "$TEST_UID"
}

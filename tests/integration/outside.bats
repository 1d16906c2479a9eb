#!/usr/bin/env bats
# What happens to a container, or to the command that is at work on it, from
# outside: it is killed, stopped, not what the state says any more.

load helpers

# seconds MOST COMMAND...: rung's COMMAND takes no more; its result is in
# $status and $output.
seconds() {
	local most=$1 begin=$SECONDS
	shift
	run timeout -k 2 $((most + 5)) "$RUNG" --root "$STATE" "$@"
	((SECONDS - begin <= most)) || {
		echo "$* took $((SECONDS - begin)) s: $output"
		return 1
	}
}

# create_hangs: a create that is in a createRuntime hook which waits for
# $BATS_TEST_TMPDIR/go; its init is $INIT.
create_hangs() {
	config '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", $s]}]' \
		--arg s "cat >$BUNDLE/hook; until test -e $BATS_TEST_TMPDIR/go; do sleep 0.05; done"
	run_bg create rung create "$ID"
	wait_for 10 test -s hook
	INIT=$(jq .pid hook)
	kill -0 "$INIT"
}

# create_has_failed: it says why, and left nothing.
create_has_failed() {
	local status=0
	bg_status create 10 || status=$?
	[ "$status" -eq 1 ]
	grep -qF 'rung create failed: init ended: signal: killed' "$BATS_TEST_TMPDIR/create.err"
	[ ! -e "$STATE/$ID" ]
	[ -z "$(remains)" ]
}

# innocent: a process that must live on, $INNOCENT.
innocent() {
	run_bg innocent sleep 1000
	INNOCENT=$BG_PID
}

@test "outside: while a create is at work: no state, no delete, kill reaches init" {
	create_hangs
	seconds 2 state "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'container does not exist'* ]]
	seconds 2 list -q
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	seconds 2 start "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'container does not exist'* ]]
	seconds 2 exec "$ID" true
	[ "$status" -eq 255 ]
	[[ $output == *'container does not exist'* ]]
	seconds 2 delete "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot delete container $ID that is not stopped: creating"* ]]
	seconds 2 create "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'container with given ID already exists'* ]]
	seconds 2 kill "$ID" KILL
	[ "$status" -eq 0 ]
	wait_for 2 ended_or_zombie "$INIT"
	touch "$BATS_TEST_TMPDIR/go"
	create_has_failed
}

@test "outside: delete by force of a create at work ends both" {
	create_hangs
	run_bg delete rung delete --force "$ID"
	wait_for 5 ended_or_zombie "$INIT"
	touch "$BATS_TEST_TMPDIR/go"
	create_has_failed
	bg_status delete 10
}

@test "outside: a create that is stopped (SIGSTOP): nobody waits longer than 10 s, or for nothing" {
	create_hangs
	kill -STOP "$BG_PID"
	seconds 2 state "$ID"
	[[ $output == *'container does not exist'* ]]
	seconds 2 list -q
	[ -z "$output" ]
	seconds 2 kill "$ID" 0
	[ "$status" -eq 0 ]
	seconds 12 delete --force "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'another rung is at work on this container'* ]]
	ended_or_zombie "$INIT"
	kill -CONT "$BG_PID"
	touch "$BATS_TEST_TMPDIR/go"
	create_has_failed
}

ended_or_zombie() {
	[[ ! -e /proc/$1/stat ]] || grep -q '^State:.[ZX]' "/proc/$1/status" 2>/dev/null
}

@test "outside: the lock of a running container held by a stopped process" {
	run -0 rung run -d "$ID"
	local pid holder
	pid=$(host_pid "$ID")
	run_bg holder flock "$STATE/$ID" sleep 1000
	holder=$BG_PID
	wait_for 5 pgrep -P "$holder"
	kill -STOP "$holder"
	seconds 2 state "$ID"
	check '.status == "running"'
	seconds 2 list -q
	[ "$output" = "$ID" ]
	seconds 2 exec "$ID" echo inside
	[ "$output" = inside ]
	seconds 12 delete --force "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'another rung is at work on this container'* ]]
	wait_for 5 ended "$pid"
	has_status "$ID" stopped
	kill -KILL "$(pgrep -P "$holder")" "$holder"
	seconds 5 delete --force "$ID"
	[ "$status" -eq 0 ]
	[ ! -e "$STATE/$ID" ]
}

@test "outside: killed between create and start" {
	run -0 rung create "$ID"
	run -0 rung kill "$ID" KILL
	wait_for 5 has_status "$ID" stopped
	run -1 rung start "$ID"
	[[ $output == *'cannot start a container that has stopped'* ]]
	run -0 rung delete "$ID"
	[ ! -e "$STATE/$ID" ]
}

@test "outside: init killed, at each point of its life" {
	local step
	for step in create 'run -d'; do
		# shellcheck disable=SC2086 # words
		run -0 rung $step "$ID"
		kill -KILL "$(host_pid "$ID")"
		wait_for 5 has_status "$ID" stopped
		run -0 rung state "$ID"
		check '.pid == 0'
		run -1 rung kill "$ID" TERM
		[[ $output == *'container not running'* ]]
		run -0 rung delete "$ID"
		[ ! -e "$STATE/$ID" ]
		[ -z "$(remains)" ]
	done
}

@test "outside: killed while a start waits for its hook: start says so, poststop runs once" {
	config '.hooks.startContainer = [{path: "/bin/sleep", args: ["sleep", "1000"]}]
		| .hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", $s]}]' --arg s "echo stop >>$BUNDLE/stops"
	run -0 rung create "$ID"
	run_bg start rung start "$ID"
	wait_for 5 started_hook
	seconds 2 start "$ID"
	[[ $output == *'cannot start an already running container'* ]]
	kill -KILL "$(host_pid "$ID")"
	local status=0
	bg_status start 10 || status=$?
	[ "$status" -eq 1 ]
	grep -qF 'container init was killed before its program ran' "$BATS_TEST_TMPDIR/start.err"
	has_status "$ID" stopped
	run -0 rung delete "$ID"
	[ "$(<stops)" = stop ]
}

started_hook() {
	pgrep -P "$(host_pid "$ID")" -x sleep >/dev/null
}

@test "outside: a pid that is another's by now is not touched" {
	args true
	run -0 rung run -d "$ID"
	wait_for 5 has_status "$ID" stopped
	innocent
	jq --argjson p "$INNOCENT" '.init_process_pid = $p' "$STATE/$ID/state.json" >state.new
	cat state.new >"$STATE/$ID/state.json"
	has_status "$ID" stopped
	run -1 rung kill "$ID" KILL
	[[ $output == *'container not running'* ]]
	run -0 rung kill --all "$ID" KILL
	run -255 rung exec "$ID" true
	[[ $output == *'cannot exec in a stopped container'* ]]
	run -1 rung start "$ID"
	[[ $output == *'cannot start a container that has stopped'* ]]
	run -0 rung delete --force "$ID"
	[ ! -e "$STATE/$ID" ]
	kill -0 "$INNOCENT"
}

@test "outside: two containers in one pid namespace: the first ends, and the second with it" {
	run -0 rung run -d "$ID"
	config '(.linux.namespaces[] | select(.type == "pid")).path = $p' --arg p "/proc/$(host_pid "$ID")/ns/pid"
	run -0 rung run -d "$ID-2"
	run -0 rung run -d "$ID-3"
	# The third ends alone.
	run -0 rung kill "$ID-3" KILL
	wait_for 5 has_status "$ID-3" stopped
	run -0 rung delete --force "$ID-3"
	has_status "$ID" running
	has_status "$ID-2" running

	run -0 rung delete --force "$ID"
	wait_for 5 has_status "$ID-2" stopped
	seconds 5 exec "$ID-2" true
	[ "$status" -eq 255 ]
	[[ $output == *'cannot exec in a stopped container'* ]]
	run -1 rung run -d "$ID-4"
	# Its pid may still be a zombie's.
	[[ $output == *'linux.namespaces['*'].path (/proc/'*'/ns/pid): '* ]]
	[[ $output == *'no such file or directory'* || $output == *'the first process of this pid namespace has ended'* ]]
	run -0 rung delete "$ID-2"
	[ -z "$(remains)" ]
}

@test "outside: a foreground run is killed: its container stays, is listed, can be deleted" {
	args sh -c 'echo up; sleep 1000'
	run_bg run rung run "$ID"
	wait_for 10 grep -qx up "$BATS_TEST_TMPDIR/run.out"
	kill -KILL "$BG_PID"
	wait_for 5 ended "$BG_PID"
	has_status "$ID" running
	run -0 rung list -q
	[ "$output" = "$ID" ]
	run -0 rung exec "$ID" echo inside
	[ "$output" = inside ]
	run -0 rung delete --force "$ID"
	[ ! -e "$STATE/$ID" ]
	[ -z "$(remains)" ]
}

# A program that starts two of itself and ends: none has the same pid for long.
bomb() {
	require controller:pids
	printf '#!/bin/sh\n/bomb & /bomb &\n' >rootfs/bomb
	chmod 755 rootfs/bomb
	args sh -c '/bomb & exec sleep 1000'
	config '.linux.namespaces |= map(select(.type != "pid")) | .linux.resources.pids.limit = 60'
	run -0 rung run -d "$ID"
	DIR=$(cgroup_dir "$ID" pids)
	wait_for 10 many
}

many() {
	(($(<"$DIR/pids.current") > 20))
}

none() {
	[[ ! -e $DIR/pids.current || $(<"$DIR/pids.current") == 0 ]]
}

@test "outside: processes that fork all the time: kill ends them all" {
	bomb
	seconds 20 kill "$ID" KILL
	[ "$status" -eq 0 ]
	wait_for 5 none
	sleep 0.2
	none
	has_status "$ID" stopped
	run -0 rung delete "$ID"
}

@test "outside: processes that fork all the time: kill --all, and delete by force" {
	bomb
	seconds 20 kill --all "$ID" KILL
	[ "$status" -eq 0 ]
	wait_for 5 none
	run -0 rung delete "$ID"
	bomb
	seconds 20 delete --force "$ID"
	[ "$status" -eq 0 ]
	none
	[ ! -e "$DIR" ]
}

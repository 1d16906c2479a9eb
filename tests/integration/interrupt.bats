#!/usr/bin/env bats
# Signals to a command in the foreground before there is a process that they
# could be for: the start is undone.

load helpers

# waits_in HOOK: the container's hook of that name tells that it runs, and waits
# for $BUNDLE/go.
waits_in() {
	config '.hooks[$h] = [{path: "/bin/sh", args: ["sh", "-c", $s]}]' --arg h "$1" \
		--arg s "echo >>$BUNDLE/hook; until test -e $BUNDLE/go; do sleep 0.05; done"
}

# interrupted_by SIGNAL NAME: the job of that name ends by it, says so in one
# line, and has left nothing.
interrupted_by() {
	local status=0 errors=$BATS_TEST_TMPDIR/$2.err
	bg_status "$2" 10 || status=$?
	echo "$status: $(<"$errors")"
	[ "$status" -eq $((128 + $(kill -l "$1"))) ]
	[ "$(wc -l <"$errors")" -eq 1 ]
	[[ $(<"$errors") == *" failed: "*"interrupted by SIG$1"* ]]
	[ ! -e "$STATE/$ID" ]
	[ -z "$(remains)" ]
}

@test "interrupt: run in a createRuntime hook that hangs, by each signal that asks for the end" {
	waits_in createRuntime
	local signal
	for signal in TERM INT HUP QUIT; do
		rm -f hook
		run_bg run rung run "$ID"
		wait_for 10 test -s hook
		kill "-$signal" "$BG_PID"
		interrupted_by "$signal" run
		[[ $(<"$BATS_TEST_TMPDIR/run.err") == *'error running createRuntime hook #0: '* ]]
		run pgrep -f "until test -e $BUNDLE/go"
		[ -z "$output" ]
	done
}

@test "interrupt: run in a createContainer hook that hangs, which init runs" {
	waits_in createContainer
	run_bg run rung run "$ID"
	wait_for 10 test -s hook
	kill -TERM "$BG_PID"
	interrupted_by TERM run
	run pgrep -f "until test -e $BUNDLE/go"
	[ -z "$output" ]
}

@test "interrupt: run in a startContainer hook that hangs: poststop is run" {
	config '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "echo >/hook; sleep 1000"]}]
		| .hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", $s]}]' --arg s "echo stop >>$BUNDLE/stops"
	run_bg run rung run "$ID"
	wait_for 10 test -s rootfs/hook
	kill -INT "$BG_PID"
	interrupted_by INT run
	[ "$(<stops)" = stop ]
}

@test "interrupt: run while newuidmap hangs" {
	require uidmap
	user_bundle
	local sub
	sub=$(sed -n "s/^$TEST_USER:\([0-9]*\):.*/\1/p" /etc/subuid | head -1)
	config '.linux.uidMappings = [{containerID: 0, hostID: $s, size: 65535}] | .linux.gidMappings = .linux.uidMappings' \
		--argjson s "$sub"
	mkdir "$BATS_TEST_TMPDIR/bin"
	printf '#!/bin/sh\nsleep 1000 &\necho $! >>%s/hook\nwait\n' "$BUNDLE" >"$BATS_TEST_TMPDIR/bin/newgidmap"
	chmod 755 "$BATS_TEST_TMPDIR/bin/newgidmap"
	as_user_environment
	run_bg run "${AS_USER[@]}" "PATH=$BATS_TEST_TMPDIR/bin:$PATH" "$BIN/rung" run "$ID"
	wait_for 10 test -s hook
	kill -TERM "$BG_PID"
	STATE=$BATS_TEST_TMPDIR/runtime/rung interrupted_by TERM run
	# Neither the program nor what it has started.
	wait_for 5 ended_or_zombie "$(<hook)"
	run pgrep -f "$BATS_TEST_TMPDIR/bin/newgidmap"
	[ -z "$output" ]
}

@test "interrupt: exec whose process does not get ready" {
	run -0 rung run -d "$ID"
	local pid
	pid=$(host_pid "$ID")
	# It is stopped while it has a long list of users to read.
	mkdir -p rootfs/etc
	yes 'x:x:1:1::/:/bin/sh' | head -c 16M >rootfs/etc/passwd
	run_bg exec rung exec "$ID" true
	wait_for 5 child_of "$BG_PID"
	kill -STOP "$CHILD"
	kill -TERM "$(<"$BATS_TEST_TMPDIR/exec.pid")"
	local status=0
	bg_status exec 10 || status=$?
	[ "$status" -eq 255 ]
	grep -q 'msg="exec failed: interrupted by SIGTERM"' "$BATS_TEST_TMPDIR/exec.err"
	wait_for 5 ended_or_zombie "$CHILD"
	kill -0 "$pid"
}

child_of() {
	CHILD=$(cat "/proc/$1"/task/*/children) && CHILD=${CHILD%% *} && [[ -n $CHILD ]]
}

@test "interrupt: a signal that our caller ignores ends nothing" {
	waits_in createRuntime
	args echo ran
	run_bg run env --ignore-signal=HUP "$RUNG" --root "$STATE" run "$ID"
	wait_for 10 test -s hook
	kill -HUP "$BG_PID"
	sleep 0.3
	touch go
	bg_status run 10
	grep -qx ran "$BATS_TEST_TMPDIR/run.out"
}

@test "interrupt: another signal waits for the program" {
	waits_in createRuntime
	# In a pid namespace of its own it would not die of it (pid_namespaces(7)).
	config '.linux.namespaces |= map(select(.type != "pid"))'
	run_bg run rung run "$ID"
	wait_for 10 test -s hook
	kill -USR1 "$BG_PID"
	sleep 0.3
	touch go
	local status=0
	bg_status run 10 || status=$?
	[ "$status" -eq $((128 + 10)) ]
	[ ! -s "$BATS_TEST_TMPDIR/run.err" ]
}

@test "interrupt: create, detached, just ends: nothing of it runs on, and delete --force removes the rest" {
	local hook command
	for hook in createRuntime createContainer; do
		for command in create 'run -d'; do
			waits_in "$hook"
			rm -f hook
			# shellcheck disable=SC2086 # words
			run_bg run rung $command "$ID"
			wait_for 10 test -s hook
			kill -TERM "$BG_PID"
			wait_for 10 ended "$BG_PID"
			wait_for 5 no_init
			run pgrep -f "until test -e $BUNDLE/go"
			[ -z "$output" ]
			run -0 rung delete --force "$ID"
			[ ! -e "$STATE/$ID" ]
			[ -z "$(remains)" ]
			config 'del(.hooks)'
		done
	done
}

no_init() {
	local pid
	pid=$(jq .init_process_pid "$STATE/$ID/state.json") && [[ $pid -gt 0 ]] && ended_or_zombie "$pid"
}

# Whoever has them now may not wait for them.
ended_or_zombie() {
	[[ ! -e /proc/$1/stat ]] || grep -q '^State:.[ZX]' "/proc/$1/status" 2>/dev/null
}

#!/usr/bin/env bats
# process.terminal: in the foreground, and by a console socket.

load helpers

terminal() {
	config '.process.terminal = true'
}

# on_terminal COMMAND: with a terminal of its own as the caller's.
on_terminal() {
	script -qec "$1" /dev/null </dev/null
}

@test "terminal: the process has one of the container's, also as /dev/console" {
	require script
	terminal
	args sh -c 'tty; stat -c %F /dev/console; cat /proc/self/mountinfo | grep -c " /dev/console "'
	run -0 on_terminal "'$RUNG' --root '$STATE' run '$ID'"
	[[ ${lines[0]} == */dev/pts/0* ]]
	[[ ${lines[1]} == 'character special file'* ]]
	[[ ${lines[2]} == 1* ]]
}

@test "terminal: the size is the caller's, or as configured" {
	require script
	terminal
	args stty size
	run -0 on_terminal "stty rows 33 cols 77; '$RUNG' --root '$STATE' run '$ID'"
	[[ $output == *'33 77'* ]]
}

@test "terminal: no byte is lost at the end" {
	require script
	terminal
	args sh -c 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done'
	run -0 on_terminal "'$RUNG' --root '$STATE' run '$ID'"
	[ "${#lines[@]}" -eq 3000 ]
	[[ ${lines[2999]} == 'line 2999'* ]]
}

@test "terminal: detached, its master goes to the console socket" {
	terminal
	config '.process.consoleSize = {height: 11, width: 22}'
	args sh -c 'stty size; sleep 1000'
	receive console "$BATS_TEST_TMPDIR/console.sock" console
	run -0 rung run -d --console-socket "$BATS_TEST_TMPDIR/console.sock" "$ID"
	wait_for 5 grep -q '11 22' "$BATS_TEST_TMPDIR/console.out"
}

@test "terminal: a console socket is needed exactly when detached with a terminal" {
	terminal
	run -1 rung create "$ID"
	[[ $output == *'cannot allocate tty if rung will detach without setting console socket'* ]]
	config '.process.terminal = false'
	run -1 rung create --console-socket /nonexistent "$ID"
	[[ $output == *'cannot use console socket if rung will not detach or allocate tty'* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "terminal: a console socket that nobody listens at fails create, and nothing is left" {
	terminal
	run -1 rung create --console-socket "$BATS_TEST_TMPDIR/none" "$ID"
	[[ $output == *"$BATS_TEST_TMPDIR/none"*'no such file or directory'* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "terminal: signals are forwarded in the foreground, WINCH is not one" {
	args sh -c 'trap "echo got; exit 7" TERM; echo up; while :; do sleep 0.05; done'
	run_bg front rung run "$ID"
	local front=$BG_PID
	wait_for 10 grep -q up "$BATS_TEST_TMPDIR/front.out"
	kill -WINCH "$front"
	kill -URG "$front"
	kill -TERM "$front"
	run_status=0
	bg_status front 10 || run_status=$?
	[ "$run_status" -eq 7 ]
	grep -q got "$BATS_TEST_TMPDIR/front.out"
}

@test "terminal: real-time signals are forwarded in the foreground, by run and by exec" {
	# 32 and 33 are the C library's (nptl(7)), 34 cannot be had in Go.
	local script='trap "echo first" 35; trap "echo last; exit 7" 64; echo up; while :; do sleep 0.05; done'
	args sh -c "$script"
	run_bg front rung run "$ID"
	told_both front
	args sleep 1000
	run -0 rung run -d "$ID-2"
	run_bg added rung exec "$ID-2" sh -c "$script"
	told_both added
}

told_both() { # NAME of the job in the background, $BG_PID
	wait_for 10 grep -q up "$BATS_TEST_TMPDIR/$1.out"
	kill -35 "$BG_PID"
	wait_for 5 grep -qx first "$BATS_TEST_TMPDIR/$1.out"
	kill -64 "$BG_PID"
	local status=0
	bg_status "$1" 10 || status=$?
	[ "$status" -eq 7 ]
	grep -qx last "$BATS_TEST_TMPDIR/$1.out"
}

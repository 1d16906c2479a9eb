#!/usr/bin/env bats
# pidfile: who waits for the pid of what was started.

load helpers

@test "pidfile: decimal, no newline, of init; created by create, run and exec" {
	local file=$BATS_TEST_TMPDIR/file
	run -0 rung create --pid-file "$file" "$ID"
	[ "$(cat "$file"; echo .)" = "$(host_pid "$ID")." ]
	rm "$file"
	run -0 rung exec -d --pid-file "$file" "$ID" sleep 2000
	[ "$(tr '\0' ' ' <"/proc/$(<"$file")/cmdline")" = 'sleep 2000 ' ]
}

@test "pidfile: a program that the kernel refuses leaves none, of run or exec" {
	local file=$BATS_TEST_TMPDIR/file
	echo 'no program' >rootfs/bin/garbage
	chmod 755 rootfs/bin/garbage
	run -0 rung run -d "$ID"
	run -255 rung exec -d --pid-file "$file" "$ID" /bin/garbage
	[[ $output == *'exec format error'* ]]
	[ ! -e "$file" ]
	args /bin/garbage
	run -1 rung run -d --pid-file "$file" "$ID-2"
	[[ $output == *'exec format error'* ]]
	[ ! -e "$file" ]
	run -1 rung run --pid-file "$file" "$ID-2"
	[ ! -e "$file" ]
}

@test "pidfile: a link in the place of its temporary name is not followed" {
	echo precious >"$BATS_TEST_TMPDIR/victim"
	ln -s victim "$BATS_TEST_TMPDIR/.file"
	run -0 rung run -d --pid-file "$BATS_TEST_TMPDIR/file" "$ID"
	[ "$(<"$BATS_TEST_TMPDIR/victim")" = precious ]
	[ "$(<"$BATS_TEST_TMPDIR/file")" = "$(host_pid "$ID")" ]
	[ ! -L "$BATS_TEST_TMPDIR/file" ]
}

@test "pidfile: what a killed runtime left of one is no hindrance" {
	echo 12 >"$BATS_TEST_TMPDIR/.file"
	run -0 rung run -d --pid-file "$BATS_TEST_TMPDIR/file" "$ID"
	[ "$(<"$BATS_TEST_TMPDIR/file")" = "$(host_pid "$ID")" ]
}

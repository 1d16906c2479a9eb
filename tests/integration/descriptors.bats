#!/usr/bin/env bats
# What passes between the caller and the process beside its standard streams:
# preserved descriptors, socket activation, the pidfd socket, session keyrings.

# shellcheck disable=SC2030,SC2031 # each test is a subshell: exports end with it

load helpers

# activated OPTION... runs the container, or what follows `--`, as a service
# manager would: FDS descriptors from 3 on are open, and LISTEN_PID is ours if
# it is "self". Environment: FDS, LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES.
activated() {
	# shellcheck disable=SC2016 # for the inner shell
	FDS=${FDS:-2} bash -c 'for ((fd = 3; fd < 3 + FDS; fd++)); do eval "exec $fd</etc/passwd"; done
		[[ ${LISTEN_PID:-} != self ]] || export LISTEN_PID=$$
		exec "$@"' - "$RUNG" --root "$STATE" "$@" </dev/null
}

# listen_is NAME=VALUE...: these variables of the kind, sorted, are all it had.
listen_is() {
	check '.env | map(select(startswith("LISTEN_"))) | sort == $ARGS.positional' --args -- "$@"
}

@test "listen: descriptors of socket activation come first, then the preserved" {
	args /bin/probe
	export LISTEN_FDS=2 LISTEN_PID=self
	FDS=4 run -0 --separate-stderr activated run --preserve-fds 1 "$ID"
	check '.fds | map(.fd) == [0, 1, 2, 3, 4, 5]'
	listen_is LISTEN_FDS=2 LISTEN_PID=1
}

@test "listen: the sockets are the caller's own, and open in init that waits" {
	require python3
	args /bin/probe
	run -0 --separate-stderr python3 - "$RUNG" "$STATE" "$ID" <<-'END'
		import os, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind("\0" + sys.argv[3])
		s.listen()
		os.dup2(s.fileno(), 3)
		os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
		os.execv(sys.argv[1], [sys.argv[1], "--root", sys.argv[2], "run", sys.argv[3]])
	END
	check '.fds | map(select(.fd == 3)) | (length == 1 and .[0].type == "socket" and (.[0].cloexec | not))'
}

@test "listen: meant for another process, or for nobody known, they are not passed on" {
	args /bin/probe
	export LISTEN_FDS=1
	local pid
	for pid in 1 '' 0 x; do # sd_listen_fds(3): the caller's own or none
		LISTEN_PID=$pid run -0 --separate-stderr activated run "$ID"
		check '.fds | map(.fd) == [0, 1, 2]'
		listen_is
	done
	unset LISTEN_PID
	run -0 --separate-stderr activated run "$ID"
	check '.fds | map(.fd) == [0, 1, 2]'
	listen_is
}

@test "listen: names and other variables of the caller stay outside, those of the configuration count" {
	args /bin/probe
	config '.process.env += ["LISTEN_FDNAMES=web:api", "LISTEN_FDS=7", "LISTEN_PID=9"]'
	export LISTEN_FDS=2 LISTEN_PID=self LISTEN_FDNAMES=a:b
	run -0 --separate-stderr activated run "$ID"
	listen_is LISTEN_FDNAMES=web:api LISTEN_FDS=2 LISTEN_PID=1
	unset LISTEN_FDS
	run -0 --separate-stderr activated run "$ID"
	listen_is LISTEN_FDNAMES=web:api LISTEN_FDS=7 LISTEN_PID=9
}

@test "listen: not for an exec" {
	run -0 rung run -d "$ID"
	export LISTEN_FDS=2 LISTEN_PID=self
	run -0 --separate-stderr activated exec "$ID" /bin/probe
	check '.fds | map(.fd) == [0, 1, 2]'
	listen_is
	FDS=1 run -0 --separate-stderr activated exec --preserve-fds 1 "$ID" /bin/probe
	check '.fds | map(.fd) == [0, 1, 2, 3]'
	listen_is
}

@test "listen: with create the descriptors reach the program that start runs" {
	args sh -c 'cat <&3 >/out; echo $LISTEN_FDS $LISTEN_PID >>/out'
	echo text >input
	# shellcheck disable=SC2016 # for the inner shell
	run -0 bash -c 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<input >/dev/null 2>&1 </dev/null' - "$RUNG" --root "$STATE" create "$ID"
	run -0 rung start "$ID"
	wait_for 10 has_status "$ID" stopped
	[ "$(<rootfs/out)" = $'text\n1 1' ]
}

@test "listen: more than are open, or no number, is refused, and nothing made" {
	export LISTEN_PID=self
	local count
	for count in 3 2147483647; do
		LISTEN_FDS=$count run -1 activated --log log run "$ID"
		[ "$output" = 'rung run failed: descriptor 5 is not open, but is to be preserved (--preserve-fds, LISTEN_FDS)' ]
	done
	LISTEN_FDS=1 run -1 activated --log log run --preserve-fds 2 "$ID"
	[ "$output" = 'rung run failed: descriptor 5 is not open, but is to be preserved (--preserve-fds, LISTEN_FDS)' ]
	# The largest of both: no sum of them is small.
	LISTEN_FDS=2 run -1 activated --log log run --preserve-fds 9223372036854775807 "$ID"
	[ "$output" = 'rung run failed: descriptor 5 is not open, but is to be preserved (--preserve-fds, LISTEN_FDS)' ]
	for count in x -1 1.5 9223372036854775807 99999999999999999999; do
		LISTEN_FDS=$count run -1 activated --log log run "$ID"
		[ "$output" = "rung run failed: invalid LISTEN_FDS \"$count\"" ]
	done
	[ ! -e "$STATE/$ID" ]
}

@test "preserve-fds: a number below zero, or none, is a usage error of each command" {
	local row
	for row in "create $ID" "run $ID" "exec $ID true"; do
		# shellcheck disable=SC2086 # words
		[ "${row%% *}" != exec ] || run -0 rung run -d $ID
		# shellcheck disable=SC2086
		run -1 rung --log log ${row%% *} --preserve-fds=-1 ${row#* }
		[[ $output == *'invalid value -1 for --preserve-fds' ]]
		# shellcheck disable=SC2086
		run -1 rung --log log ${row%% *} --preserve-fds two ${row#* }
		[[ $output == *'"two"'*preserve-fds* ]]
		[[ $row == exec* || ! -e $STATE/$ID ]]
	done
}

@test "pidfd-socket: create sends a pidfd of init, payload standard" {
	receive pidfd "$BATS_TEST_TMPDIR/p.sock" pidfd
	run -0 rung create --pidfd-socket "$BATS_TEST_TMPDIR/p.sock" "$ID"
	received pidfd standard "$(host_pid "$ID")"
	run -0 rung start "$ID"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/pidfd.out")" -eq 1 ]
	run -0 rung kill "$ID" KILL
	# Readable at its end: it is the process, and no other.
	bg_status pidfd 10
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/pidfd.out")" = '{"ended":true}' ]
}

# received NAME PAYLOAD PID: one message came, with a pidfd of that process.
received() {
	wait_for 5 test -s "$BATS_TEST_TMPDIR/$1.out"
	output=$(head -n 1 "$BATS_TEST_TMPDIR/$1.out")
	check '.payload == $p' --arg p "$2"
	check '.fds | map(.pid) == [$pid]' --argjson pid "$3"
}

@test "pidfd-socket: run in the foreground and detached" {
	receive first "$BATS_TEST_TMPDIR/1.sock" pidfd
	args sh -c 'exit 6'
	run -6 rung run --pidfd-socket "$BATS_TEST_TMPDIR/1.sock" "$ID"
	bg_status first 10
	output=$(head -n 1 "$BATS_TEST_TMPDIR/first.out")
	check '.payload == "standard" and (.fds | length == 1)'
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/first.out")" = '{"ended":true}' ]

	args sleep 1000
	receive second "$BATS_TEST_TMPDIR/2.sock" pidfd
	run -0 rung run -d --pidfd-socket "$BATS_TEST_TMPDIR/2.sock" "$ID"
	received second standard "$(host_pid "$ID")"
}

@test "pidfd-socket: exec sends one of its process, payload setns" {
	run -0 rung run -d "$ID"
	receive pidfd "$BATS_TEST_TMPDIR/p.sock" pidfd
	run -0 rung exec -d --pid-file "$BATS_TEST_TMPDIR/file" --pidfd-socket "$BATS_TEST_TMPDIR/p.sock" "$ID" sleep 1000
	received pidfd setns "$(<"$BATS_TEST_TMPDIR/file")"
	kill -KILL "$(<"$BATS_TEST_TMPDIR/file")"
	bg_status pidfd 10
	has_status "$ID" running
}

@test "pidfd-socket: a relative one is found from the bundle, wherever the caller is" {
	receive first p.sock pidfd
	cd /
	run -0 rung create --bundle "$BUNDLE" --pidfd-socket p.sock "$ID"
	received first standard "$(host_pid "$ID")"
	cd "$BUNDLE"
	receive second p.sock pidfd
	cd /
	run -0 rung exec --pidfd-socket p.sock "$ID" true
	wait_for 5 test -s "$BATS_TEST_TMPDIR/second.out"
	output=$(head -n 1 "$BATS_TEST_TMPDIR/second.out")
	check '.payload == "setns"'
}

@test "pidfd-socket: a path longer than a socket's address" {
	local dir
	dir=$BUNDLE/$(printf 'x%.0s' {1..120}) # unix(7): 107 bytes
	mkdir "$dir"
	cd "$dir"
	receive pidfd p.sock pidfd
	run -0 rung create --bundle "$BUNDLE" --pidfd-socket "$dir/p.sock" "$ID"
	received pidfd standard "$(host_pid "$ID")"
}

@test "pidfd-socket: nobody listens, or it is no socket: create fails, and nothing is left" {
	: >file
	receive gone gone.sock fds
	kill -KILL "$(<"$BATS_TEST_TMPDIR/gone.pid")"
	wait_for 5 ended "$(<"$BATS_TEST_TMPDIR/gone.pid")"
	local row
	for row in 'none|no such file or directory' 'file|is not a socket' 'gone.sock|connection refused (nobody listens there)'; do
		run -1 rung --log log create --pidfd-socket "${row%|*}" "$ID"
		[[ $output == 'rung create failed: '*"$BUNDLE/${row%|*}"*"${row#*|}" ]]
		[ ! -e "$STATE/$ID" ]
	done
	run -0 rung run -d "$ID"
	run -255 rung --log log exec --pidfd-socket none "$ID" touch /ran
	[[ $output == 'exec failed: '*"$BUNDLE/none: no such file or directory" ]]
	[ ! -e rootfs/ran ]
	has_status "$ID" running
}

# in_session COMMAND... in a session keyring that is the caller's.
in_session() {
	"$BIN/probe" session callers "$@" </dev/null
}

@test "keyring: a session keyring of the container's, named after it" {
	args /bin/probe
	run -0 --separate-stderr in_session "$RUNG" --root "$STATE" run "$ID"
	check '.sessionKeyring.description == "_ses." + $id' --arg id "$ID"
	# keyctl_setperm(3): possessor all; user view, read, search, link.
	check '.sessionKeyring.permissions == "3f1b0000"'
}

@test "keyring: an exec is in one of the same name, not in the caller's" {
	run -0 rung run -d "$ID"
	run -0 --separate-stderr in_session "$RUNG" --root "$STATE" exec "$ID" /bin/probe
	check '.sessionKeyring.description == "_ses." + $id' --arg id "$ID"
}

@test "keyring: two containers have two" {
	run -0 rung run -d "$ID"
	run -0 rung run -d "$ID-2"
	probe_exec "$ID"
	local first=$output
	probe_exec "$ID-2"
	check '.sessionKeyring.serial != $f[0].sessionKeyring.serial' --slurpfile f <(echo "$first")
}

@test "keyring: --no-new-keyring keeps the caller's, for run, create and an exec" {
	args /bin/probe
	run -0 --separate-stderr in_session "$RUNG" --root "$STATE" run --no-new-keyring "$ID"
	check '.sessionKeyring.description == "callers"'
	args sleep 1000
	run -0 rung create --no-new-keyring "$ID"
	run -0 --separate-stderr in_session "$RUNG" --root "$STATE" exec "$ID" /bin/probe
	check '.sessionKeyring.description == "callers"'
}

@test "keyring: --no-new-keyring is an option of create and run alone, and takes no value" {
	run -0 rung run -d "$ID"
	run -1 rung --log log exec --no-new-keyring "$ID" true
	[[ $output == *no-new-keyring* ]]
	run -1 rung --log log create --no-new-keyring=perhaps "$ID-2"
	[[ $output == *'"perhaps"'*no-new-keyring* ]]
	[ ! -e "$STATE/$ID-2" ]
}

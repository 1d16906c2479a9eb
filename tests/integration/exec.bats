#!/usr/bin/env bats
# exec: a further process in a container.

load helpers

setup() {
	new_bundle
	run -0 rung run -d "$ID"
}

@test "exec: options on top of the bundle's process" {
	probe_exec "$ID" --user 1000:1001 --additional-gids 7 --additional-gids 8 --cwd /bin --env FOO=1 --env FOO=2
	check '.uid.effective == 1000 and .gid.effective == 1001'
	check '.groups == [7, 8]'
	check '.cwd == "/bin"'
	check '.env | map(select(startswith("FOO="))) == ["FOO=2"]'
	check '.env | map(select(startswith("PATH="))) | length == 1'
}

@test "exec: capabilities: added to three sets, never inheritable" {
	run -0 rung exec --cap CAP_SYS_PTRACE "$ID" grep -E '^Cap(Inh|Bnd)' /proc/self/status
	[ "${lines[0]}" = "$(printf 'CapInh:\t%016x' 0)" ]
	local bound=$((16#${lines[1]#CapBnd:?}))
	(((bound >> 19) & 1)) # CAP_SYS_PTRACE
}

@test "exec: ids are numbers in range" {
	local user
	for user in 99999999999 4294967295 -1 root 1:x; do
		run -255 rung exec --user "$user" "$ID" true
		[[ $output == *'is not an id'* || $output == *'--user'* ]]
	done
}

@test "exec: --process FILE is the whole process" {
	jq -n '{args: ["/bin/probe"], cwd: "/bin", env: ["A=1"], user: {uid: 5, gid: 6}, noNewPrivileges: true}' >"$BATS_TEST_TMPDIR/p.json"
	run -0 --separate-stderr rung exec --process "$BATS_TEST_TMPDIR/p.json" "$ID"
	check '.uid.effective == 5 and .gid.effective == 6 and .noNewPrivileges == 1'
	check '.env | index("A=1") != null'
	run -255 rung exec --process "$BATS_TEST_TMPDIR/none" "$ID"
	[[ $output == *'no such file or directory'* ]]
}

@test "exec: what a process file leaves open is the container's" {
	rung delete --force "$ID"
	config '.process.oomScoreAdj = 333'
	run -0 rung run -d "$ID"
	local process='{args: ["/bin/probe"], cwd: "/", env: [], user: {uid: 0, gid: 0}}'
	jq -n "$process" >"$BATS_TEST_TMPDIR/p.json"
	run -0 --separate-stderr rung exec --process "$BATS_TEST_TMPDIR/p.json" "$ID"
	check '.capabilities.bounding | sort == $c' --argjson c "$(jq '.process.capabilities.bounding | sort' config.json)"
	check '.capabilities.effective | sort == $c' --argjson c "$(jq '.process.capabilities.effective | sort' config.json)"
	check '.oomScoreAdj == 333'
	jq -n "$process + {capabilities: {}, oomScoreAdj: 444}" >"$BATS_TEST_TMPDIR/p.json"
	run -0 --separate-stderr rung exec --process "$BATS_TEST_TMPDIR/p.json" "$ID"
	check '.capabilities.bounding == [] and .oomScoreAdj == 444'
}

@test "exec: what is open inside" {
	run -0 --separate-stderr bash -c 'exec "$1" --root "$2" exec --preserve-fds 1 "$3" /bin/probe 3</etc/hostname 4</etc/hostname 9</etc/hostname </dev/null' - "$RUNG" "$STATE" "$ID"
	check '.fds | map(.fd) == [0, 1, 2, 3]'
	run -255 bash -c 'exec "$1" --root "$2" exec --preserve-fds 2 "$3" true 3</etc/hostname 4>&- </dev/null' - "$RUNG" "$STATE" "$ID"
	[[ $output == *'descriptor 4 is not open'* ]]
}

@test "exec: it is in the container's cgroups and namespaces" {
	probe_exec "$ID"
	local pid ns second=$BATS_TEST_TMPDIR/second.file
	pid=$(host_pid "$ID")
	for ns in cgroup ipc mnt net pid uts; do
		check '.namespaces[$n] == $v' --arg n "$ns" --arg v "$(readlink "/proc/$pid/ns/$ns")"
	done
	# From outside: a cgroup namespace would hide where it is.
	run -0 rung exec -d --pid-file "$second" "$ID" sleep 1000
	[ "$(cat "/proc/$(<"$second")/cgroup")" = "$(cat "/proc/$pid/cgroup")" ]
}

@test "exec: without a mount namespace its root is the container's, too" {
	rung delete --force "$ID"
	config '.mounts = [] | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .linux.namespaces |= map(select(.type != "mount"))'
	echo container >rootfs/etc/where
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" cat /etc/where
	[ "$output" = container ]
	run -0 rung exec --cwd /bin "$ID" sh -c 'pwd; cd ../../..; ls -d etc/where'
	[ "$output" = $'/bin\netc/where' ]
}

@test "exec: a command that is not there: 255 and the known words" {
	run -255 "$RUNG" --root "$STATE" --log "$BATS_TEST_TMPDIR/log" exec "$ID" nope </dev/null
	[[ $output == 'exec failed: unable to start container process: '*'exec: "nope": executable file not found in $PATH' ]]
	run -255 rung exec "$ID" /nope
	[[ $output == *'stat /nope: no such file or directory'* ]]
}

@test "exec: a script whose interpreter is missing says so, each time" {
	printf '#!/no/interpreter\n' >rootfs/bin/orphan
	chmod 755 rootfs/bin/orphan
	local n
	for n in {1..15}; do
		run -255 rung exec "$ID" orphan
		[[ $output == *'exec /bin/orphan: no such file or directory: the interpreter or loader that it names is missing'* ]]
	done
}

@test "exec: usage errors are 1, not 255" {
	run -1 rung exec "$ID"
	run -1 rung exec --no-such-option "$ID" true
	[[ $output == *no-such-option* ]]
}

@test "exec: -d returns when it runs, and writes the pid file" {
	run -0 rung exec -d --pid-file "$BATS_TEST_TMPDIR/file" "$ID" sleep 2000
	[ -z "$output" ]
	[ "$(tr '\0' ' ' <"/proc/$(<"$BATS_TEST_TMPDIR/file")/cmdline")" = 'sleep 2000 ' ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/file")" -eq 0 ]
}

@test "exec: --tty gives the process a terminal of the container's, its user's" {
	require script
	run -0 script -qec "'$RUNG' --root '$STATE' exec -t -u 1000:1000 '$ID' sh -c 'tty; stat -c %u \$(tty)'" /dev/null </dev/null
	[[ $output == *'/dev/pts/'*$'\n'1000* ]]
}

@test "exec: the program is sealed: nobody inside can write to the runtime" {
	local before pid
	before=$(sha256sum <"$RUNG")
	cat >rootfs/bin/attack <<-'END'
		#!/bin/sh
		i=0
		while [ $i -lt 2000 ]; do
			i=$((i + 1))
			for exe in /proc/[0-9]*/exe; do
				(echo evil >>"$exe") 2>/dev/null && echo written
			done
		done
	END
	chmod 755 rootfs/bin/attack
	run -0 rung exec -d "$ID" sh -c '/bin/attack > /attack.out 2>&1'
	for _ in {1..40}; do
		rung exec "$ID" true
	done
	[ "$(sha256sum <"$RUNG")" = "$before" ]
	run -0 rung exec "$ID" true
}

@test "exec: an entrypoint that is /proc/self/exe does not run the runtime again" {
	printf '#!/proc/self/exe\n' >rootfs/bin/loop
	chmod 755 rootfs/bin/loop
	local before
	before=$(sha256sum <"$RUNG")
	run rung exec "$ID" /bin/loop
	[ "$status" -ne 0 ]
	[ "$(sha256sum <"$RUNG")" = "$before" ]
}

@test "exec: a working directory outside of the root is refused" {
	local n
	for n in 3 4 5 6 7 8 9 10 11 12 16 24 32; do
		run -255 rung exec --cwd "/proc/self/fd/$n" "$ID" true
	done
}

@test "exec: what failed inside is said each time, whoever is the first to see the end" {
	local n
	for n in {1..20}; do
		run -255 rung --log log exec --cwd /no/such "$ID" true
		[ "$output" = 'exec failed: unable to start container process: '\
'change directory process.cwd (/no/such): chdir /no/such: no such file or directory' ]
	done
}

#!/usr/bin/env bats
# Who the process is and what it has: process.* of config.json.

load helpers

@test "process: what is preserved is open, and nothing else" {
	args /bin/probe
	exec 20</etc/hostname
	run -0 --separate-stderr bash -c 'exec "$1" --root "$2" run --preserve-fds 2 "$3" 3</etc/hostname 4</etc/hostname 5</etc/hostname </dev/null' - "$RUNG" "$STATE" "$ID"
	check '.fds | map(.fd) == [0, 1, 2, 3, 4]'
	exec 20<&-
}

@test "process: a preserved descriptor that is not open is named" {
	run -1 bash -c 'exec "$1" --root "$2" run --preserve-fds 3 "$3" 3</etc/hostname 4>&- 5>&- </dev/null' - "$RUNG" "$STATE" "$ID"
	[[ $output == *'descriptor 4 is not open'* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "process: stdin, stdout and stderr that are closed" {
	args sh -c 'echo ok > /out'
	run -0 bash -c 'exec "$1" --root "$2" run "$3" <&- >&- 2>&-' - "$RUNG" "$STATE" "$ID"
	[ "$(<rootfs/out)" = ok ]
}

@test "process: the null device is the container's own" {
	args sh -c 'stat -Lc %d /proc/self/fd/0 /dev/null'
	run -0 "$RUNG" --root "$STATE" run "$ID" </dev/null
	[ "${lines[0]}" = "${lines[1]}" ]
}

@test "process: ids, groups and umask" {
	config '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 6], umask: 63}'
	probe
	check '.uid == {real: 1000, effective: 1000, saved: 1000, fs: 1000}'
	check '.gid.real == 1001'
	check '.groups == [5, 6]'
	check '.umask == "0077"'
}

@test "process: without a umask it is 022, whatever the caller's" {
	umask 0
	probe
	check '.umask == "0022"'
}

@test "process: capabilities, each set as given, inheritable empty" {
	config '.process.capabilities = {
		bounding: ["CAP_KILL", "CAP_CHOWN", "CAP_NET_RAW"], effective: ["CAP_KILL"],
		permitted: ["CAP_KILL", "CAP_CHOWN"]}'
	run -0 rung create "$ID"
	# Before execve, which gives root's program what it may have.
	run -0 grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb)' "/proc/$(host_pid "$ID")/status"
	local chown=0x1 kill=0x20 raw=0x2000
	[ "${lines[0]}" = "$(printf 'CapInh:\t%016x' 0)" ]
	[ "${lines[1]}" = "$(printf 'CapPrm:\t%016x' $((chown | kill)))" ]
	[ "${lines[2]}" = "$(printf 'CapEff:\t%016x' $((kill)))" ]
	[ "${lines[3]}" = "$(printf 'CapBnd:\t%016x' $((chown | kill | raw)))" ]
	[ "${lines[4]}" = "$(printf 'CapAmb:\t%016x' 0)" ]
}

@test "process: ambient capabilities survive a change of user" {
	config '.process.user = {uid: 1000, gid: 1000}
		| .process.capabilities = (["CAP_NET_RAW"] | {bounding: ., effective: ., permitted: ., inheritable: ., ambient: .})'
	probe
	check '.capabilities.ambient == ["CAP_NET_RAW"]'
	check '.capabilities.effective == ["CAP_NET_RAW"]'
}

@test "process: an unknown capability is a warning, and ignored" {
	config '.process.capabilities.bounding += ["CAP_NOT_ONE"]'
	args true
	run -0 rung run "$ID"
	[[ $output == *'level=warning'*'CAP_NOT_ONE'* ]]
}

@test "process: no_new_privs exactly as asked" {
	config '.process.noNewPrivileges = true'
	probe
	check '.noNewPrivileges == 1'
	config '.process.noNewPrivileges = false'
	probe
	check '.noNewPrivileges == 0'
}

@test "process: limits are set, also lower than the runtime's" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 1000, hard: 1024}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]'
	args sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c'
	run -0 rung run "$ID"
	[ "$output" = $'1000\n1024\n0' ]
}

@test "process: without limits the caller's soft limit is kept" {
	config '.process.rlimits = []'
	args sh -c 'ulimit -Sn; ulimit -Hn'
	ulimit -Sn 777
	run -0 rung run "$ID"
	[ "${lines[0]}" = 777 ]
	[ "${lines[1]}" = "$(ulimit -Hn)" ]
}

@test "process: a hard limit above ours is refused with its field" {
	if has_capability SYS_RESOURCE; then
		skip 'needs a caller without CAP_SYS_RESOURCE'
	fi
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 1, hard: 100000000}]'
	run -1 rung run "$ID"
	[[ $output == *'set rlimit process.rlimits[0]: operation not permitted (raising a hard limit needs CAP_SYS_RESOURCE)'* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "process: of a variable given twice the last counts, HOME is the user's" {
	printf 'root:x:0:0:root:/root:/bin/sh\n1234:x:1:1::/wrong:\nzz:x:1234:1234::/home/zz:/bin/sh\n' >rootfs/etc/passwd 2>/dev/null ||
		{ mkdir rootfs/etc && printf '1234:x:1:1::/wrong:\nzz:x:1234:1234::/home/zz:/bin/sh\n' >rootfs/etc/passwd; }
	config '.process.env += ["B=1", "B=2"] | .process.user = {uid: 1234, gid: 1234}'
	args sh -c 'env | sort | grep -E "^(B|HOME)="'
	FOREIGN=1 run -0 rung run "$ID"
	[ "$output" = $'B=2\nHOME=/home/zz' ]
}

@test "process: a limit of open files that leaves the program one is enough, a lower one is named" {
	mkdir -p rootfs/etc
	echo 'zz:x:0:0::/home/zz:/bin/sh' >rootfs/etc/passwd
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 4, hard: 4}]'
	args sh -c 'ulimit -n; echo $HOME'
	run -0 rung run "$ID"
	[ "$output" = $'4\n/home/zz' ]
	local n
	for n in 0 3; do
		config '.process.rlimits[0] |= (.soft = $n | .hard = $n)' --argjson n $n
		run -1 rung run "$ID"
		[[ $output == *'error during container init: set rlimit process.rlimits: too many open files (RLIMIT_NOFILE must be at least 4,'* ]]
		[ ! -e "$STATE/$ID" ]
	done
	config '.process.rlimits = [] | .process.args = ["sleep", "1000"]'
	run -0 rung run -d "$ID"
	jq '.process | .rlimits = [{type: "RLIMIT_NOFILE", soft: 3, hard: 3}] | .args = ["sh", "-c", "ulimit -n; echo $HOME"]' \
		config.json >process.json
	run -0 rung exec -p process.json "$ID"
	[ "$output" = $'3\n/home/zz' ]
}

@test "process: an empty HOME is replaced, and there is one" {
	config '.process.env += ["HOME="]'
	args env
	run -0 rung run "$ID"
	[ "$(grep ^HOME= <<<"$output")" = HOME=/root ]
}

@test "process: without a PATH no program is found, not that in the working directory" {
	printf '#!/bin/sh\necho found\n' >rootfs/mine
	chmod 755 rootfs/mine
	args mine
	local env
	for env in '[]' '["PATH="]'; do
		config ".process.env = $env"
		run -1 rung run "$ID"
		[[ $output == *'exec: \"mine\": executable file not found in $PATH'* ]]
	done
	config '.process.env = ["PATH=/bin:"]' # an empty name is the working directory
	run -0 rung run "$ID"
	[ "$output" = found ]
}

@test "process: nothing of the caller's environment comes along" {
	args env
	export FOREIGN=1
	run -0 rung run "$ID"
	[[ $output != *FOREIGN* && $output != *RUNG* ]]
}

@test "process: cwd is made where there is none" {
	config '.process.cwd = "/new/place"'
	args pwd
	run -0 rung run "$ID"
	[ "$output" = /new/place ]
}

@test "process: a cwd that only root may enter" {
	mkdir -m 700 rootfs/d
	config '.process.cwd = "/d" | .process.user = {uid: 1000, gid: 1000} | .process.capabilities = {}'
	args pwd
	run -0 rung run "$ID"
	[ "$output" = /d ]
}

@test "process: a cwd outside of the root is refused, for every descriptor" {
	local n
	for n in 3 4 5 6 7 8 9 10 12 16; do
		config ".process.cwd = \"/proc/self/fd/$n\""
		args true
		run -1 rung run "$ID"
		[[ $output == *'process.cwd'* ]]
	done
}

@test "process: commands that cannot be run fail create, with the known words" {
	mkdir -p rootfs/dir
	: >rootfs/bin/plain
	local row
	for row in 'nope|exec: "nope": executable file not found in $PATH' '/nope|exec: "/nope": stat /nope: no such file or directory' \
		'/dir|exec: "/dir": is a directory' '/bin/plain|exec: "/bin/plain": permission denied'; do
		args "${row%%|*}"
		run -1 "$RUNG" --root "$STATE" --log "$BATS_TEST_TMPDIR/log" create "$ID" </dev/null
		[[ $output == "rung create failed: unable to start container process: error during container init: "*"${row#*|}"* ]]
	done
}

@test "process: a program whose name begins with a dot is found in PATH" {
	printf '#!/bin/sh\necho hi\n' >rootfs/bin/.hid
	chmod 755 rootfs/bin/.hid
	args .hid
	run -0 rung run "$ID"
	[ "$output" = hi ]
}

@test "process: a program of another format names the cause at start" {
	printf '\177ELF garbage' >rootfs/bin/bad
	chmod 755 rootfs/bin/bad
	args /bin/bad
	run -0 rung create "$ID"
	run -1 rung start "$ID"
	[[ $output == *'exec /bin/bad: exec format error'* ]]
	has_status "$ID" stopped
}

@test "process: exit codes: its own, or 128 and the signal" {
	args sh -c 'exit 9'
	run -9 rung run "$ID"
	args sh -c 'kill -9 $$' # pid 1 ends only by a signal from outside
	config '.process.args = ["sh", "-c", "sh -c \"kill -TERM \\$\\$\"; exit $?"]'
	run -143 rung run "$ID"
}

@test "process: the score of the OOM killer" {
	config '.process.oomScoreAdj = 321'
	probe
	check '.oomScoreAdj == 321'
}

@test "process: signals are ignored as the caller had it" {
	args /bin/probe
	run -0 --separate-stderr bash -c 'trap "" USR1; exec "$1" --root "$2" run "$3" </dev/null' - "$RUNG" "$STATE" "$ID"
	check '.signals.ignored | index(10) != null'
	run -0 --separate-stderr env --default-signal "$RUNG" --root "$STATE" run "$ID" </dev/null
	# 32 and 33 are the C library's own, and as they were.
	check '.signals.ignored - [32, 33] == []'
	check '.signals.blocked == []'
}

@test "process: SIGPIPE ends a program, also under a caller that ignores it, as conmon does" {
	args sh -c '(yes; echo "went on: $?" >&2) | head -n 1'
	run -0 bash -c 'trap "" PIPE; exec "$1" --root "$2" run "$3" </dev/null' - "$RUNG" "$STATE" "$ID"
	[ "$output" = $'y\nwent on: 141' ]
	args sleep 1000
	run -0 rung run -d "$ID"
	run -0 bash -c 'trap "" PIPE; exec "$1" --root "$2" exec "$3" grep SigIgn /proc/self/status </dev/null' - "$RUNG" "$STATE" "$ID"
	local ignored=$((16#${output##*[[:space:]]}))
	((!(ignored & 1 << 12)))
}

@test "process: the session keyring is a new one" {
	probe
	check '.sessionKeyring != null'
}

@test "process: a small memory limit is enough to start" {
	require cgroup_v1 controller:memory
	config '.linux.resources.memory = {limit: 8388608, swap: 8388608}'
	args true
	run -0 rung run "$ID"
}

@test "process: an init that waits for start holds nothing of the host's but its fifo and /proc" {
	run -0 rung create "$ID"
	local pid fd
	pid=$(host_pid "$ID")
	for fd in "/proc/$pid/fd"/*; do
		case ${fd##*/}:$(readlink "$fd") in
		[012]:*) ;;
		*:"$STATE/$ID/exec.fifo" | *:/proc | *:anon_inode:\[event*\]) ;;
		*)
			echo "open: $fd $(readlink "$fd")"
			return 1
			;;
		esac
	done
}

@test "process: the runtime that init runs from cannot be opened for writing" {
	config '.process.capabilities |= with_entries(.value += ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"])'
	run -0 rung create "$ID"
	# While it runs, writing is ETXTBSY, which passes; the mount it is seen
	# through is read-only, which stays.
	run -1 rung exec "$ID" chmod 755 /proc/1/exe
	[[ $output == *'Read-only file system'* ]]
}

@test "process: transparent huge pages are as the caller has them, for hooks as well" {
	require python3
	printf '#!/bin/sh\ngrep THP_enabled /proc/self/status >"%s/$1"\n' "$BUNDLE" >hook
	chmod 755 hook
	config '.hooks = {createRuntime: [{path: $h, args: ["hook", "runtime"]}], createContainer: [{path: $h, args: ["hook", "container"]}]}' \
		--arg h "$BUNDLE/hook"
	args grep THP_enabled /proc/self/status
	run -0 rung run "$ID"
	[ "$output" = $'THP_enabled:\t1' ]
	[ "$(cat runtime container)" = $'THP_enabled:\t1\nTHP_enabled:\t1' ]

	# PR_SET_THP_DISABLE, prctl(2)
	run -0 python3 -c 'import ctypes, os, sys
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])' "$RUNG" --root "$STATE" run "$ID"
	[ "$output" = $'THP_enabled:\t0' ]
}

@test "process: in the foreground, one file for stdout and stderr keeps their order" {
	args sh -c 'i=0; while [ $i -lt 200 ]; do echo "$i"; i=$((i + 1)); echo "$i" >&2; i=$((i + 1)); done'
	rung run "$ID" >both 2>&1
	diff <(seq 0 199) both
	rung run "$ID" >one 2>other
	[ "$(wc -l <one) $(wc -l <other)" = "100 100" ]
}

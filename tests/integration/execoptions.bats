#!/usr/bin/env bats
# The options of exec, each by its long and its short name, used rightly and
# wrongly, where exec.bats does not.

load helpers

setup() {
	new_bundle
	run -0 rung run -d "$ID"
}

# refused WORDS OPTION...: exec of a command that leaves a trace fails with 255
# and the words, and the command has not run.
refused() {
	local words=$1
	shift
	run -255 rung --log log exec "$@" "$ID" touch /ran
	[[ $output == 'exec failed: '*"$words" ]] || {
		echo "says: $output"
		return 1
	}
	[ ! -e rootfs/ran ]
}

@test "exec options: short names" {
	probe_exec "$ID" -u 1000:1001 -g 7 -g 8 -e FOO=1 -e BAR=2,3 -c CAP_NET_RAW
	check '.uid.real == 1000 and .gid.real == 1001 and .groups == [7, 8]'
	check '.env | index("FOO=1") != null and index("BAR=2,3") != null' # commas do not split
	check '.capabilities.bounding | index("CAP_NET_RAW") != null'
	jq -n '{args: ["/bin/probe"], cwd: "/bin"}' >p.json
	run -0 --separate-stderr rung exec -p p.json "$ID"
	check '.cwd == "/bin"'
}

@test "exec options: --env that is no assignment" {
	refused 'process.env[2]: "NAME" has no =' --env NAME
	refused 'process.env[2]: "=x" has no name before the =' -e =x
}

@test "exec options: --user alone keeps the group of the configuration" {
	config '.process.user = {uid: 1, gid: 2, additionalGids: [3]}'
	probe_exec "$ID" --user 1000
	check '.uid.real == 1000 and .gid.real == 2 and .groups == [3]'
}

@test "exec options: --additional-gids that are none" {
	local gid
	for gid in staff -1 4294967295 4294967296 1,2 ''; do
		refused "--additional-gids: \"$gid\" is not an id: a number from 0 to 4294967294" --additional-gids "$gid"
	done
}

@test "exec options: --cwd: relative, missing, a file" {
	: >rootfs/file
	refused 'process.cwd: "bin" is not an absolute path' --cwd bin
	refused 'chdir /none: no such file or directory' --cwd /none
	refused 'chdir /file: not a directory' --cwd /file
	[ ! -e rootfs/none ]
}

@test "exec options: --no-new-privs, and =false over a configuration that has it" {
	probe_exec "$ID" --no-new-privs=false
	check '.noNewPrivileges == 0'
	config '.process.noNewPrivileges = false'
	probe_exec "$ID"
	check '.noNewPrivileges == 0'
	probe_exec "$ID" --no-new-privs
	check '.noNewPrivileges == 1'
}

@test "exec options: --cap that does not exist is a warning, as in a configuration" {
	run -0 rung exec --cap CAP_NOT_ONE --cap CAP_NET_RAW "$ID" sh -c 'echo ran'
	[[ $output == *'level=warning'*'unknown capability'*'CAP_NOT_ONE'*$'\nran' ]]
	[[ $output != *CAP_NET_RAW* ]]
}

@test "exec options: --cap reaches the ambient set only where something is inheritable" {
	probe_exec "$ID" --user 1000 --cap CAP_NET_RAW
	check '.capabilities.ambient == [] and .capabilities.effective == []'
	config '.process.capabilities.inheritable = ["CAP_KILL", "CAP_NET_RAW"]'
	probe_exec "$ID" --user 1000 --cap CAP_NET_RAW
	check '.capabilities.ambient == ["CAP_NET_RAW"] and .capabilities.effective == ["CAP_NET_RAW"]'
}

@test "exec options: --tty and -d need a console socket, a console socket needs both" {
	refused 'cannot allocate tty if rung will detach without setting console socket' -d --tty
	refused 'cannot use console socket if rung will not detach or allocate tty' --console-socket /nowhere
	refused 'cannot use console socket if rung will not detach or allocate tty' --tty --console-socket /nowhere
	refused "$BUNDLE/none.sock: no such file or directory" -d --tty --console-socket none.sock
}

@test "exec options: --console-socket is sent the terminal, relative to the bundle" {
	receive console c.sock console
	cd /
	run -0 rung exec -d -t --console-socket c.sock --pid-file "$BATS_TEST_TMPDIR/file" "$ID" sh -c 'tty; id -u'
	cd "$BUNDLE"
	wait_for 10 grep -q /dev/pts/ "$BATS_TEST_TMPDIR/console.out"
	output=$(head -n 1 "$BATS_TEST_TMPDIR/console.out")
	check '.fds | map(.tty) == [true]'
}

@test "exec options: --process that is none, and with a command besides" {
	run -255 rung --log log exec --process none "$ID"
	[[ $output == 'exec failed: '*none*'no such file or directory' ]]
	run -1 rung --log log exec --process config.json "$ID" true
	[[ $output == *'"exec" takes 1 argument(s), not 2'* ]]
	mkdir folder
	run -255 rung --log log exec --process folder "$ID"
	[[ $output == 'exec failed: '*'is a directory' ]]
}

@test "exec options: --ignore-paused waits until the container is resumed" {
	require cgroup_v1 controller:freezer
	local state
	state=$(cgroup_dir "$ID" freezer)/freezer.state
	echo FROZEN >"$state"
	wait_for 5 grep -qx FROZEN "$state"
	refused 'cannot exec in a paused container'
	refused 'cannot exec in a paused container' --ignore-paused=false
	run_bg waiting rung exec --ignore-paused "$ID" touch /ran
	sleep 0.5
	kill -0 "$BG_PID"
	[ ! -e rootfs/ran ]
	echo THAWED >"$state"
	bg_status waiting 10
	[ -e rootfs/ran ]
}

@test "exec options: a waiting --ignore-paused can be interrupted, and leaves nothing" {
	require cgroup_v1 controller:freezer
	local dir
	dir=$(cgroup_dir "$ID" freezer)
	echo FROZEN >"$dir/freezer.state"
	wait_for 5 grep -qx FROZEN "$dir/freezer.state"
	run_bg waiting rung exec --ignore-paused "$ID" touch /ran
	sleep 0.5
	kill -TERM "$BG_PID"
	local status=0
	bg_status waiting 5 || status=$?
	[ "$status" -eq 255 ]
	grep -q 'exec failed: wait for the container to be resumed: ' "$BATS_TEST_TMPDIR/waiting.err"
	[ "$(wc -l <"$dir/cgroup.procs")" -eq 1 ]
	echo THAWED >"$dir/freezer.state"
	run -0 rung exec "$ID" true
	[ ! -e rootfs/ran ]
}

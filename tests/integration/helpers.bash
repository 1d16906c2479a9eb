# shellcheck shell=bash
# What the tests share. Each test has
#
#	$BUNDLE  its bundle, the current folder: config.json and a busybox rootfs
#	$ID      its container's name; more containers: "$ID-2" …
#	$STATE   its state root
#	$BATS_TEST_TMPDIR  for files of its own
#
# and leaves nothing behind: teardown removes its containers and looks. A file
# with a setup or teardown of its own calls new_bundle and end_test there.

bats_require_minimum_version 1.5.0

setup() {
	new_bundle
}

teardown() {
	end_test
}

new_bundle() {
	require root
	export RUNG_MARK="$RUNG_SUITE-$BATS_SUITE_TEST_NUMBER"
	ID=$RUNG_MARK
	STATE=$BATS_TEST_TMPDIR/state
	BUNDLE=$BATS_TEST_TMPDIR/bundle
	chmod 0711 "${BATS_TEST_TMPDIR%/*}" "$BATS_TEST_TMPDIR"
	cp -a "$TEMPLATE" "$BUNDLE"
	cd "$BUNDLE" || return
}

# user_bundle gives the bundle to the unprivileged user, with a config.json for
# containers without privileges. Use it with user_rung.
user_bundle() {
	require rootless
	# shellcheck disable=SC2153 # both are set by setup_suite
	chown -R "$TEST_UID:$TEST_GID" "$BUNDLE"
	rm config.json
	as_user "$BIN/rung" spec --rootless
	config '.process.terminal = false | .process.args = ["sleep", "1000"] | .root.readonly = false'
	chown "$TEST_UID:$TEST_GID" config.json
}

# end_test removes the test's containers and background jobs, and fails if
# anything else of it is there.
end_test() {
	[[ -n ${STATE:-} ]] || return 0 # skipped before it began
	local status=0 file pid
	cd /
	for file in "$BATS_TEST_TMPDIR"/*.pid; do
		[[ -e $file ]] || continue
		pid=$(<"$file")
		if [[ -r /proc/$pid/environ ]] && grep -qzxF "RUNG_MARK=$RUNG_MARK" "/proc/$pid/environ" 2>/dev/null; then
			kill -KILL "$pid" 2>/dev/null || true
		fi
	done
	remove_containers "$STATE" rung || status=1
	remove_containers "$BATS_TEST_TMPDIR/runtime/rung" user_rung || status=1
	if ! wait_for 5 gone 2>/dev/null; then
		echo "left behind by $RUNG_MARK:"
		remains
		status=1
	fi
	return "$status"
}

remove_containers() { # ROOT FUNCTION
	local entry status=0
	for entry in "$1"/*/; do
		entry=${entry%/}
		# @seccomp, the cache of compiled filters, is no container.
		[[ -d $entry && ${entry##*/} != @* ]] || continue
		"$2" delete --force "${entry##*/}" || status=1
		if [[ -e $entry ]]; then
			echo "delete --force left $entry"
			status=1
		fi
	done
	return "$status"
}

remains() {
	find /sys/fs/cgroup -type d -name "*$RUNG_MARK" -o -type d -name "*${RUNG_MARK}[-_.]*" 2>/dev/null
	grep -F "$BATS_TEST_TMPDIR/" /proc/self/mountinfo
}

gone() {
	[[ -z $(remains) ]]
}

# --- the runtime ---

# rung runs the binary under test, bounded in time. What a detached container
# inherits as stdout and stderr are files ($BATS_TEST_TMPDIR/run.out, run.err,
# create.out, exec.out …, of the latest call), not the pipes of bats, which
# would wait for it; what is in them when the command ends is passed on.
# `"$RUNG" --root "$STATE"` is for tests of descriptors and signals.
rung() {
	call timeout --foreground -k 5 "${RUNG_TIMEOUT:-60}" "$RUNG" --root "$STATE" -- "$@"
}

# user_rung is rung as the unprivileged user, with the state root that is the
# default for it.
user_rung() {
	as_user_environment
	call timeout --foreground -k 5 "${RUNG_TIMEOUT:-60}" "${AS_USER[@]}" "$BIN/rung" -- "$@"
}

as_user() {
	as_user_environment
	"${AS_USER[@]}" "$@"
}

as_user_environment() {
	local runtime=$BATS_TEST_TMPDIR/runtime
	[[ -d $runtime ]] || install -d -m 0700 -o "$TEST_UID" -g "$TEST_GID" "$runtime"
	AS_USER=(setpriv --reuid "$TEST_UID" --regid "$TEST_GID" --clear-groups
		env -i "PATH=$PATH" HOME=/nonexistent "XDG_RUNTIME_DIR=$runtime" "RUNG_MARK=$RUNG_MARK")
}

# call COMMAND... -- ARGUMENTS...: the command with the arguments.
call() {
	local command=() detached='' name='' arg skip='' status=0
	while [[ $1 != -- ]]; do
		command+=("$1")
		shift
	done
	shift
	for arg in "$@"; do
		if [[ -n $name ]]; then
			case $arg in
			-d | --detach | -detach | --detach=true) detached=1 ;;
			esac
		elif [[ -n $skip ]]; then
			skip=
		else
			case $arg in
			--log | --log-format | --root | --rootless | --criu) skip=1 ;;
			-*) ;;
			*) name=$arg ;;
			esac
		fi
	done
	if [[ $name != create && -z $detached ]]; then
		"${command[@]}" "$@" 3>&- 4>&-
		return
	fi
	local out=$BATS_TEST_TMPDIR/$name.out err=$BATS_TEST_TMPDIR/$name.err
	rm -f "$out" "$err" # an earlier container may still write to them
	"${command[@]}" "$@" >"$out" 2>"$err" 3>&- 4>&- || status=$?
	cat "$out"
	cat "$err" >&2
	return "$status"
}

# run_bg NAME COMMAND...: in the background; its output is in
# $BATS_TEST_TMPDIR/NAME.out and NAME.err, its pid in $BG_PID. `rung` as the
# command is the binary itself, so that it can be signalled.
run_bg() {
	local name=$BATS_TEST_TMPDIR/$1
	shift
	if [[ $1 == rung ]]; then
		shift
		set -- "$RUNG" --root "$STATE" "$@"
	fi
	# What bash starts in the background ignores INT and QUIT.
	env --default-signal=INT,QUIT "$@" >"$name.out" 2>"$name.err" 3>&- 4>&- &
	BG_PID=$!
	echo "$BG_PID" >"$name.pid"
}

# bg_status NAME SECONDS waits for it to end and returns its exit status; not
# under `run`, whose subshell is no parent of it.
bg_status() {
	local pid
	pid=$(<"$BATS_TEST_TMPDIR/$1.pid")
	wait_for "$2" ended "$pid" || return 254
	wait "$pid"
}

ended() {
	! kill -0 "$1" 2>/dev/null
}

# wait_for SECONDS COMMAND... until it succeeds; fails after that time.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		if ((SECONDS >= end)); then
			echo "still not after the time given: $*" >&2
			return 1
		fi
		sleep 0.02
	done
}

# --- containers ---

# config PROGRAM [JQ OPTION...] edits config.json.
config() {
	local edited
	# As stdin: after --args a file name would be one more argument.
	edited=$(jq "$@" <config.json) || return
	[[ -n $edited ]] || return
	printf '%s\n' "$edited" >config.json
}

# args ARG... is the container's command.
args() {
	config '.process.args = $ARGS.positional' --args -- "$@"
}

# probe [RUN OPTION...] runs the container with /bin/probe as its command; what
# it finds, a JSON document (probe/), is in $output for check.
probe() {
	args /bin/probe
	run -0 --separate-stderr rung run "$@" "$ID"
}

# probe_exec ID [EXEC OPTION...] likewise in a running container.
probe_exec() {
	local id=$1
	shift
	run -0 --separate-stderr rung exec "$@" "$id" /bin/probe
}

# check FILTER [JQ OPTION...] holds for the JSON in $output.
check() {
	# shellcheck disable=SC2154 # set by run
	if jq -e "$@" <<<"$output" >/dev/null; then
		return 0
	fi
	echo "does not hold: $1"
	# The value that is compared, where the filter is a plain comparison.
	if [[ $1 == *' == '* ]]; then
		printf 'it is: '
		jq -c "${1%% == *}" "${@:2}" <<<"$output" || true
	fi
	output=${output:0:2000} # bats prints it
	return 1
}

# add_mount DESTINATION TYPE SOURCE [OPTION...] adds an entry to mounts.
add_mount() {
	config '$ARGS.positional as $a | .mounts += [{destination: $a[0], type: $a[1], source: $a[2], options: $a[3:]}]' \
		--args -- "$@"
}

# last_mount prints the path of the last entry, as messages name it.
last_mount() {
	jq -r '"mounts[\(.mounts | length - 1)]"' config.json
}

# mount_of DESTINATION FILTER [JQ OPTION...] holds for the topmost mount there,
# in what the probe has found.
mount_of() {
	check '[.mounts[] | select(.destination == $destination)][-1] | '"$2" --arg destination "$1" "${@:3}"
}

# user_namespace maps the container's ids 0 to 65535 to 200000 on, and gives
# its root filesystem to them.
user_namespace() {
	require userns
	chown -R --no-dereference 200000:200000 rootfs
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
}

# has_status ID STATUS
has_status() {
	[[ $(rung state "$1" 2>/dev/null | jq -r .status) == "$2" ]]
}

# host_pid ID prints init's pid on the host.
host_pid() {
	rung state "$1" | jq -e .pid
}

# cgroup_dir ID [CONTROLLER] prints where the container's cgroup is on the host.
cgroup_dir() {
	local pid path
	pid=$(host_pid "$1") || return
	if [[ $(cgroup_version) == 2 ]]; then
		path=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
		echo "/sys/fs/cgroup$path"
		return
	fi
	path=$(awk -F: -v c="${2:?v1: which controller}" \
		'{ n = split($2, names, ","); for (i = 1; i <= n; i++) if (names[i] == c) print $3 }' "/proc/$pid/cgroup")
	[[ -n $path ]] || return
	echo "/sys/fs/cgroup/$2$path"
}

cgroup_version() {
	if [[ $(stat -fc %T /sys/fs/cgroup) == cgroup2fs ]]; then
		echo 2
	else
		echo 1
	fi
}

# receive NAME SOCKET MODE starts the other end of a socket (receive.c) in the
# background; its output is in $BATS_TEST_TMPDIR/NAME.out.
receive() {
	run_bg "$1" "$BIN/receive" "$2" "$3"
	wait_for 5 test -S "$2"
}

# private_mounts COMMAND...: in a mount namespace of its own. The machine's
# mounts are seen there, what is mounted there is not seen outside.
private_mounts() {
	unshare --mount --propagation slave -- "$@"
}

# private_namespace: from here on rung runs in a mount namespace of the test's
# own, a slave of the machine's, and so does `in_private COMMAND...`.
private_namespace() {
	run_bg namespace unshare --mount --propagation slave -- sleep 1000
	PRIVATE=$BG_PID
	wait_for 5 differs "/proc/$PRIVATE/ns/mnt" /proc/self/ns/mnt
	# The namespace is left when it is gone: containers are still deleted.
	cat >"$BATS_TEST_TMPDIR/rung-in-private" <<-END
		#!/bin/bash
		enter=()
		if [[ -e /proc/$PRIVATE/ns/mnt ]]; then
			enter=(nsenter --mount=/proc/$PRIVATE/ns/mnt -- sh -c 'cd "\$0" && exec "\$@"' "\$PWD")
		fi
		exec "\${enter[@]}" "$RUNG" "\$@"
	END
	chmod 755 "$BATS_TEST_TMPDIR/rung-in-private"
	RUNG=$BATS_TEST_TMPDIR/rung-in-private
}

in_private() {
	# shellcheck disable=SC2016 # for the inner shell
	nsenter --mount="/proc/$PRIVATE/ns/mnt" -- sh -c 'cd "$0" && exec "$@"' "$PWD" "$@"
}

differs() {
	[[ $(readlink "$1") != "$(readlink "$2")" ]]
}

# --- what a test needs of the machine ---

# require NEED... skips the test, naming what is missing.
require() {
	local need
	for need in "$@"; do
		case $need in
		root) ((EUID == 0)) || skip 'needs root' ;;
		cgroup_v1) [[ $(cgroup_version) == 1 ]] || skip 'needs cgroup v1' ;;
		cgroup_v2) [[ $(cgroup_version) == 2 ]] || skip 'needs cgroup v2' ;;
		controller:*) has_controller "${need#*:}" || skip "needs the cgroup controller ${need#*:}" ;;
		userns) unshare --user true 2>/dev/null || skip 'needs user namespaces' ;;
		timens) [[ -e /proc/self/ns/time ]] || skip 'needs time namespaces' ;;
		uidmap) command -v newuidmap >/dev/null || skip 'needs newuidmap (package uidmap)' ;;
		rootless)
			[[ -n $TEST_UID ]] || skip 'needs an unprivileged user'
			as_user unshare --user true 2>/dev/null || skip 'needs user namespaces for unprivileged users'
			;;
		seccomp) grep -q '^Seccomp:' /proc/self/status || skip 'needs seccomp in the kernel' ;;
		apparmor) [[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) == Y ]] || skip 'needs AppArmor' ;;
		selinux) [[ -d /sys/fs/selinux ]] || skip 'needs SELinux' ;;
		systemd) [[ -d /run/systemd/system ]] || skip 'needs systemd' ;;
		overlay) grep -qw overlay /proc/filesystems || skip 'needs overlayfs' ;;
		faultinject) [[ -x $RUNG_TEST ]] || skip 'needs rung-test, the build for fault injection' ;;
		cap:*) has_capability "${need#*:}" || skip "needs CAP_${need#*:}" ;;
		*) command -v "$need" >/dev/null || skip "needs the program $need" ;;
		esac
	done
}

has_controller() {
	if [[ $(cgroup_version) == 2 ]]; then
		grep -qw "$1" /sys/fs/cgroup/cgroup.controllers
	else
		[[ -d /sys/fs/cgroup/$1 ]]
	fi
}

# has_capability NAME: have we, the caller, CAP_NAME?
has_capability() {
	"$BIN/probe" | jq -e --arg c "CAP_$1" '.capabilities.effective | index($c)' >/dev/null
}

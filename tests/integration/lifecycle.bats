#!/usr/bin/env bats
# Each command in each state, on each ID: CONTRACT between engines and runtime.

load helpers

# exits_at TERM: a container that ends when it is told to.
stopped_container() {
	args true
	run -0 rung create "$1"
	run -0 rung start "$1"
	wait_for 10 has_status "$1" stopped
}

@test "lifecycle: created: start once, kill, delete" {
	run -0 rung create "$ID"
	has_status "$ID" created
	run -0 rung kill "$ID" 0
	run -0 rung start "$ID"
	has_status "$ID" running
	run -1 rung start "$ID"
	[[ $output == *'cannot start an already running container'* ]]
	run -1 rung delete "$ID"
	[[ $output == *"cannot delete container $ID that is not stopped: running"* ]]
}

@test "lifecycle: created: delete kills and removes it" {
	run -0 rung create "$ID"
	local pid
	pid=$(host_pid "$ID")
	run -0 rung delete "$ID"
	wait_for 5 test ! -e "/proc/$pid"
	[ ! -e "$STATE/$ID" ]
}

@test "lifecycle: created: exec works" {
	run -0 rung create "$ID"
	run -0 rung exec "$ID" echo inside
	[ "$output" = inside ]
	has_status "$ID" created
}

@test "lifecycle: stopped: start, exec and kill say so, delete removes it" {
	stopped_container "$ID"
	run -1 rung start "$ID"
	[[ $output == *'cannot start a container that has stopped'* ]]
	run -255 rung exec "$ID" true
	[[ $output == *'cannot exec in a stopped container'* ]]
	run -1 rung kill "$ID" TERM
	[[ $output == *'container not running'* ]]
	run -0 rung kill --all "$ID" KILL
	run -0 rung state "$ID"
	check '.pid == 0 and .status == "stopped"'
	run -0 rung delete "$ID"
	run -1 rung state "$ID"
	[[ $output == *'container does not exist'* ]]
}

@test "lifecycle: paused: it is seen, exec and start refuse, KILL thaws" {
	require cgroup_v1 controller:freezer
	run -0 rung run -d "$ID"
	echo FROZEN >"$(cgroup_dir "$ID" freezer)/freezer.state"
	wait_for 5 has_status "$ID" paused
	run -255 rung exec "$ID" true
	[[ $output == *'cannot exec in a paused container'* ]]
	run -1 rung start "$ID"
	[[ $output == *'cannot start a container in the paused state'* ]]
	run -1 rung delete "$ID"
	[[ $output == *'that is not stopped: paused'* ]]
	run -0 rung kill "$ID" KILL
	wait_for 5 has_status "$ID" stopped
}

@test "lifecycle: delete --force of a paused container, and of one with a frozen part" {
	require cgroup_v1 controller:freezer
	run -0 rung run -d "$ID"
	local dir pid
	dir=$(cgroup_dir "$ID" freezer)
	echo FROZEN >"$dir/freezer.state"
	run -0 timeout 5 "$RUNG" --root "$STATE" delete --force "$ID"
	[ ! -e "$dir" ]

	run -0 rung run -d "$ID-2"
	run -0 rung exec -d --pid-file "$BATS_TEST_TMPDIR/part" "$ID-2" sleep 1000
	dir=$(cgroup_dir "$ID-2" freezer)
	mkdir "$dir/sub"
	cat "$BATS_TEST_TMPDIR/part" >"$dir/sub/cgroup.procs"
	echo FROZEN >"$dir/sub/freezer.state"
	run -0 timeout 5 "$RUNG" --root "$STATE" delete --force "$ID-2"
	[ ! -e "$dir" ]
}

@test "lifecycle: without a pid namespace KILL and delete --force end all processes" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	args sleep 2
	run -0 rung run -d "$ID"
	run -0 rung exec -d --pid-file "$BATS_TEST_TMPDIR/other" "$ID" sleep 1000
	wait_for 5 has_status "$ID" stopped
	kill -0 "$(<"$BATS_TEST_TMPDIR/other")"
	run -0 rung kill "$ID" KILL
	wait_for 5 test ! -e "/proc/$(<"$BATS_TEST_TMPDIR/other")"
	run -0 rung delete "$ID"

	args sleep 1000
	run -0 rung run -d "$ID-2"
	run -0 rung exec -d --pid-file "$BATS_TEST_TMPDIR/other" "$ID-2" sleep 1000
	run -0 rung delete --force "$ID-2"
	wait_for 5 test ! -e "/proc/$(<"$BATS_TEST_TMPDIR/other")"
}

@test "lifecycle: unknown IDs" {
	local command
	mkdir -p "$STATE"
	for command in state start delete kill exec; do
		run rung "$command" nobody true
		[ "$status" -ne 0 ]
	done
	run -1 rung state nobody
	[[ $output == *'container does not exist'* ]]
	run -1 rung delete nobody
	[[ $output == *'container does not exist'* ]]
	run -0 rung delete --force nobody
}

@test "lifecycle: IDs that are no file name are refused before anything is touched" {
	local id
	mkdir -p "$STATE" "$BATS_TEST_TMPDIR/other"
	for id in .. . ../other a/b 'a b' $'a\nb' ''; do
		for command in create state start kill delete; do
			run -1 rung "$command" "$id"
			[[ $output == *'invalid container ID format'* || $output == *'container id cannot be empty'* ]]
		done
	done
	run -1 rung create "$(printf 'x%.0s' {1..256})"
	[ -d "$BATS_TEST_TMPDIR/other" ]
	[ -z "$(ls -A "$STATE")" ]
}

@test "lifecycle: the same ID twice" {
	run -0 rung run -d "$ID"
	run -1 rung create "$ID"
	[[ $output == *'container with given ID already exists'* ]]
	has_status "$ID" running
	[ -d "/proc/$(host_pid "$ID")" ]
}

@test "lifecycle: a cgroup that is in use is refused, and its processes live on" {
	local own='^.*:devices:'
	[[ $(cgroup_version) == 1 ]] || own='^0::'
	run -0 rung run -d "$ID"
	config '.linux.cgroupsPath = $p' --arg p "$(sed -n "s/$own//p" "/proc/$(host_pid "$ID")/cgroup")"
	run -1 rung run -d "$ID-2"
	[[ $output == *"container's cgroup is not empty"* ]]
	has_status "$ID" running
	[ ! -e "$STATE/$ID-2" ]
}

@test "lifecycle: run --keep keeps the entry" {
	args sh -c 'exit 3'
	run -3 rung run --keep "$ID"
	has_status "$ID" stopped
	run -0 rung delete "$ID"
}

@test "lifecycle: what a create left that died before its state is removed" {
	mkdir -p "$STATE/$ID"
	run -0 rung delete --force "$ID"
	[ ! -e "$STATE/$ID" ]
	mkdir -p "$STATE/$ID"
	run -0 rung delete "$ID"
	[ ! -e "$STATE/$ID" ]
}

@test "lifecycle: the state root" {
	run -1 "$RUNG" --root / list
	[[ $output == *'/ cannot be the state root'* ]]
	run -1 "$RUNG" --root "$BATS_TEST_TMPDIR/none" list
	[[ $output == *'no such file or directory'* ]]
	mkdir "$BATS_TEST_TMPDIR/open"
	local mode
	for mode in 777 1777 770 1770; do
		chmod $mode "$BATS_TEST_TMPDIR/open"
		run -1 call "$RUNG" --root "$BATS_TEST_TMPDIR/open" -- create "$ID"
		[[ $output == *'writable by group or others'* ]]
	done
	run -0 rung run -d "$ID"
	[ "$(stat -c %a "$STATE")" = 700 ]
	[ "$(stat -c %a "$STATE/$ID")" = 711 ]
	[ "$(stat -c %a "$STATE/$ID/state.json")" = 600 ]
}

@test "lifecycle: state has the keys that engines decode, and no others" {
	config '.annotations = {"k": "v=1"}'
	run -0 rung run -d "$ID"
	run -0 rung state "$ID"
	check 'keys == ["annotations", "bundle", "created", "id", "ociVersion", "owner", "pid", "rootfs", "status"]'
	check '.annotations == {"k": "v=1"} and .owner == ""'
	check '.created | test("^[0-9-]+T[0-9:.]+Z$")'
}

@test "lifecycle: 16 creates of one ID at once: one wins, nothing is left" {
	local i won=0 pids=()
	for i in {1..16}; do
		"$RUNG" --root "$STATE" create "$ID" </dev/null >/dev/null 2>&1 3>&- 4>&- &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" && won=$((won + 1))
	done
	[ "$won" -eq 1 ]
	has_status "$ID" created
}

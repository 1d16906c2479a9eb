#!/usr/bin/env bats
# What people do without root, on a machine whose systemd gives each user a
# manager with delegated controllers. Runs in the guest, as its user.

load ../integration/helpers
. "$BATS_TEST_DIRNAME/../lib.sh"

setup_file() {
	((EUID != 0)) || skip 'is for a user'
	[[ -S ${XDG_RUNTIME_DIR:-/nonexistent}/systemd/private ]] || skip "needs the user's systemd"
	export RUNG_SUITE="rung-suite-$$"
	busybox_rootfs "$BATS_FILE_TMPDIR/rootfs"
}

setup() {
	export RUNG_MARK="$RUNG_SUITE-$BATS_SUITE_TEST_NUMBER"
	ID=$RUNG_MARK
	STATE=$BATS_TEST_TMPDIR/state
	BUNDLE=$BATS_TEST_TMPDIR/bundle
	mkdir "$BUNDLE"
	cd "$BUNDLE" || return
	cp -r "$BATS_FILE_TMPDIR/rootfs" rootfs
	"$RUNG" spec --rootless
	config '.process.terminal = false | .process.args = ["sleep", "1000"] | .root.readonly = false'
}

teardown() {
	cd / || return
	remove_containers "$STATE" rung
	if ! wait_for 10 gone; then
		remains
		return 1
	fi
}

remains() {
	find /sys/fs/cgroup -type d -name "*$RUNG_MARK*" 2>/dev/null
	systemctl --user --no-legend list-units --all "*$RUNG_MARK*"
	grep -F "$BATS_TEST_TMPDIR/" /proc/self/mountinfo
}

# systemd_rung is rung with the systemd driver.
systemd_rung() {
	call timeout --foreground -k 5 "${RUNG_TIMEOUT:-60}" "$RUNG" --root "$STATE" --systemd-cgroup -- "$@"
}

needs_systemd_driver() {
	require cgroup_v2 # systemd delegates no controllers of v1
	"$RUNG" --help | grep -q -e --systemd-cgroup || skip 'needs --systemd-cgroup, which this runtime has not'
}

scope() {
	systemctl --user show --property="$1" --value "rung-$ID.scope"
}

@test "rootless: run, exec, kill and delete" {
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" id -u
	[ "$output" = 0 ]
	run -0 rung exec "$ID" cat /proc/self/uid_map
	[ "$(tr -s ' ' <<<"$output")" = " 0 $EUID 1" ]
	run -0 rung kill "$ID" KILL
	wait_for 10 has_status "$ID" stopped
	run -0 rung delete "$ID"
	run -1 rung state "$ID"
	[[ $output == *'does not exist'* ]]
}

@test "rootless: newuidmap gives a container a range of ids" {
	local first
	first=$(sed -n "s/^$(id -un):\([0-9]*\):.*/\1/p" /etc/subuid)
	config '.linux.uidMappings += [{containerID: 1, hostID: $first, size: 1000}]
		| .linux.gidMappings += [{containerID: 1, hostID: $first, size: 1000}]
		| .process.user = {uid: 7, gid: 7}
		| .process.args = ["sh", "-c", "id -u; cat /proc/self/uid_map"]' --argjson first "$first"
	run -0 rung run "$ID"
	[ "${lines[0]}" = 7 ]
	[ "$(tr -s ' ' <<<"${lines[2]}")" = " 1 $first 1000" ]
}

@test "rootless: the user's systemd makes a scope with the limits" {
	needs_systemd_driver
	config '.linux.cgroupsPath = "user.slice:rung:" + $id
		| .linux.resources = {memory: {limit: 67108864}, pids: {limit: 50}, cpu: {quota: 50000, period: 100000}}' --arg id "$ID"
	run -0 systemd_rung run -d "$ID"
	[ "$(scope ActiveState)" = active ]
	[ "$(scope MemoryMax)" = 67108864 ]
	[ "$(scope TasksMax)" = 50 ]
	[ "$(scope CPUQuotaPerSecUSec)" = 500ms ]
	local cgroup
	cgroup=$(cgroup_dir "$ID")
	[[ $cgroup == */user@$EUID.service/user.slice/rung-$ID.scope ]]
	[ "$(<"$cgroup/memory.max")" = 67108864 ]
	[ "$(<"$cgroup/pids.max")" = 50 ]
	[ "$(<"$cgroup/cpu.max")" = '50000 100000' ]

	run -0 systemd_rung update --memory 33554432 "$ID"
	[ "$(<"$cgroup/memory.max")" = 33554432 ]
	[ "$(scope MemoryMax)" = 33554432 ]
	[ "$(<"$cgroup/pids.max")" = 50 ]

	run -0 systemd_rung pause "$ID"
	has_status "$ID" paused
	run -0 systemd_rung resume "$ID"
	has_status "$ID" running
	run -0 systemd_rung delete --force "$ID"
	[ ! -e "$cgroup" ]
}

@test "rootless: without a path the scope is in the user's slice" {
	needs_systemd_driver
	run -0 systemd_rung run -d "$ID"
	[ "$(scope ActiveState)" = active ]
	[[ $(cgroup_dir "$ID") == */user@$EUID.service/user.slice/rung-$ID.scope ]]
	run -0 systemd_rung exec "$ID" cat /proc/self/cgroup
}

@test "rootless: in a delegated cgroup limits hold" {
	require cgroup_v2
	config '.linux.resources = {memory: {limit: 67108864}, pids: {limit: 50}, cpu: {quota: 50000, period: 100000}}'
	run -0 rung run -d "$ID"
	local cgroup
	cgroup=$(cgroup_dir "$ID")
	[[ $cgroup == */user@$EUID.service/*/$ID ]]
	[ "$(<"$cgroup/memory.max")" = 67108864 ]
	[ "$(<"$cgroup/pids.max")" = 50 ]
	[ "$(<"$cgroup/cpu.max")" = '50000 100000' ]
	run -0 rung delete --force "$ID"
	[ ! -e "$cgroup" ]
}

@test "rootless: with a cgroup namespace the container divides its own cgroup" {
	require cgroup_v2
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])
		| .mounts |= map(select(.destination != "/sys"))
		| .mounts += [{destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["rw", "nosuid", "noexec", "nodev"]}]'
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" sh -c 'cat /proc/self/cgroup && mkdir /sys/fs/cgroup/inner && echo 0 >/sys/fs/cgroup/inner/cgroup.procs && cat /proc/self/cgroup'
	[ "$output" = $'0::/\n0::/inner' ]
}

@test "rootless: what is not delegated is an error, not a container without a limit" {
	require cgroup_v2
	config '.linux.resources = {hugepageLimits: [{pageSize: "2MB", limit: 2097152}]}'
	run -1 rung run -d "$ID"
	[[ $output == *'controller hugetlb is not available'* ]]
	run -1 rung state "$ID"
}

@test "rootless: on v1, which is not delegated, a limit is an error that names it" {
	require cgroup_v1
	config '.linux.resources = {memory: {limit: 67108864}}'
	run -1 rung run -d "$ID"
	[[ $output == *'linux.resources.memory.limit: '*'permission denied'* ]]
	run -1 rung state "$ID"
}

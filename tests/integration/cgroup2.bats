#!/usr/bin/env bats
# Containers where /sys/fs/cgroup is one cgroup v2 tree, read on the host's
# side. Where the machine has v1 with a v2 tree beside it, that is arranged: a
# cgroup of the test's own is the root of a cgroup namespace, and mounted in a
# mount namespace. Which controllers there are is the machine's choice.

load helpers

setup() {
	new_bundle
	HOLDER=
	TOP=
	if [[ $(cgroup_version) == 2 ]]; then
		return
	fi
	[[ $(stat -fc %T /sys/fs/cgroup/unified 2>/dev/null) == cgroup2fs ]] || skip 'needs a cgroup v2 tree'
	TOP=/sys/fs/cgroup/unified/${RUNG_MARK}v2
	mkdir "$TOP"
	# The runtime has a cgroup of its own, as everything has on such a machine:
	# a cgroup with processes has no controllers for its children.
	run_bg holder sh -c 'echo 0 >"$1/cgroup.procs" && exec unshare --cgroup --mount --propagation slave sh -c "
		mount -t cgroup2 none /sys/fs/cgroup && mkdir /sys/fs/cgroup/host &&
		echo 0 >/sys/fs/cgroup/host/cgroup.procs && echo ready && exec sleep 1000"' sh "$TOP"
	HOLDER=$BG_PID
	disown "$HOLDER" # its end is no news
	wait_for 5 grep -q ready "$BATS_TEST_TMPDIR/holder.out"
}

teardown() {
	local status=0
	# Not yet the holder: the containers are to be deleted where they are.
	rm -f "$BATS_TEST_TMPDIR/holder.pid"
	end_test || status=1
	if [[ -n ${HOLDER:-} ]]; then
		kill -KILL "$HOLDER" 2>/dev/null || true
		wait_for 5 ended "$HOLDER" || status=1
	fi
	if [[ -n ${TOP:-} ]]; then
		wait_for 5 no_cgroup "$TOP" || status=1
	fi
	return "$status"
}

no_cgroup() {
	[[ ! -e $1 ]] || find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
}

# on_v2 COMMAND... runs it on the v2 machine.
on_v2() {
	if [[ -z $HOLDER ]]; then
		"$@"
		return
	fi
	nsenter --target "$HOLDER" --mount --cgroup -- \
		sh -c 'echo 0 >/sys/fs/cgroup/host/cgroup.procs && cd "$1" && shift && exec "$@"' sh "$PWD" "$@"
}

# As in helpers, on that machine.
rung() {
	call on_v2 timeout --foreground -k 5 "${RUNG_TIMEOUT:-60}" "$RUNG" --root "$STATE" -- "$@"
}

# dir NAME is the cgroup of that path on the host's side.
dir() {
	echo "${TOP:-/sys/fs/cgroup}/$1"
}

# path_of PID is its v2 cgroup as the v2 machine sees it.
path_of() {
	on_v2 sed -n 's/^0:://p' "/proc/$1/cgroup"
}

controller() {
	on_v2 grep -qw "$1" /sys/fs/cgroup/cgroup.controllers
}

need() {
	controller "$1" || skip "needs the cgroup controller $1 on v2"
}

own_path() {
	config '.linux.cgroupsPath = $p' --arg p "/$ID"
}

# nests the container's init into a cgroup below its own, as an init system does.
nesting() {
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])
		| .mounts |= (map(select(.destination != "/sys/fs/cgroup")) + [{destination: "/sys/fs/cgroup", type: "cgroup",
			source: "cgroup", options: ["nosuid", "noexec", "nodev"]}])'
	args sh -c "mkdir /sys/fs/cgroup/init && echo 0 >/sys/fs/cgroup/init/cgroup.procs && $1 touch /ready; exec sleep 1000"
}

@test "cgroup2: run, exec, kill, delete" {
	own_path
	run -0 rung run -d "$ID"
	local pid
	pid=$(host_pid "$ID")
	[ "$(path_of "$pid")" = "/$ID" ]
	[ "$(<"$(dir "$ID")/cgroup.procs")" = "$pid" ]
	run -0 rung exec "$ID" sed -n 's/^0:://p' /proc/self/cgroup
	[ "$output" = "$(rung exec "$ID" sed -n 's/^0:://p' /proc/1/cgroup)" ]
	run -0 rung exec -d --pid-file "$BATS_TEST_TMPDIR/second.pid" "$ID" sleep 1000
	[ "$(path_of "$(<"$BATS_TEST_TMPDIR/second.pid")")" = "/$ID" ]
	run -0 rung kill "$ID" KILL
	wait_for 5 has_status "$ID" stopped
	run -0 rung delete "$ID"
	[ ! -e "$(dir "$ID")" ]
}

@test "cgroup2: state names the one cgroup" {
	own_path
	run -0 rung create "$ID"
	run -0 jq -c .cgroup_paths "$STATE/$ID/state.json"
	[ "$output" = "{\"\":\"/sys/fs/cgroup/$ID\"}" ]
	run -0 rung start "$ID"
}

@test "cgroup2: the path: absolute, relative, none" {
	local own
	own=$(on_v2 sed -n 's/^0:://p' /proc/self/cgroup)
	config '.linux.cgroupsPath = $p' --arg p "/$ID/deep"
	run -0 rung run -d "$ID"
	[ "$(path_of "$(host_pid "$ID")")" = "/$ID/deep" ]
	run -0 rung delete --force "$ID"
	[ ! -e "$(dir "$ID/deep")" ]
	rmdir "$(dir "$ID")"

	# A cgroup with processes has no children with controllers: beside ours.
	config '.linux.cgroupsPath = $p' --arg p "$ID-rel"
	run -0 rung run -d "$ID"
	local parent=${own%/*}
	[ "$(path_of "$(host_pid "$ID")")" = "$parent/$ID-rel" ]
	run -0 rung delete --force "$ID"

	config 'del(.linux.cgroupsPath)'
	run -0 rung run -d "$ID"
	[ "$(path_of "$(host_pid "$ID")")" = "$parent/$ID" ]
}

@test "cgroup2: a create without limits needs no controller" {
	own_path
	args true
	local r
	for r in 'null' '{}' '{cpu: {}}' '{cpu: {shares: 0, quota: 0, period: 0}, memory: {limit: 0, swap: 0}, blockIO: {weight: 0}}' \
		'{cpu: {quota: -1, idle: 0, burst: 0}, memory: {limit: -1, swap: -1, reservation: -1}, pids: {limit: -1}}'; do
		config ".linux.resources = $r"
		run -0 rung run "$ID"
	done
}

@test "cgroup2: a limit that cannot be set says which controller is missing" {
	own_path
	args true
	local field name limit
	# Not as stdin, which the container would read.
	while read -r field name limit <&7; do
		if controller "$name"; then
			continue
		fi
		config ".linux.resources = $limit"
		run -1 rung run "$ID" 7<&-
		[[ $output == *"linux.resources.$field: "*"controller $name is not available"* ]]
		[ ! -e "$(dir "$ID")" ]
		[ ! -e "$STATE/$ID" ]
	done 7<<-'EOF'
		pids.limit pids {pids: {limit: 50}}
		memory.limit memory {memory: {limit: 100000000}}
		cpu.shares cpu {cpu: {shares: 512}}
		cpu.cpus cpuset {cpu: {cpus: "0"}}
		blockIO.throttleReadBpsDevice io {blockIO: {throttleReadBpsDevice: [{major: 1, minor: 0, rate: 1000000}]}}
		unified[\"memory.high\"] memory {unified: {"memory.high": "1000000000"}}
		unified[\"bogus.max\"] bogus {unified: {"bogus.max": "1"}}
	EOF
}

@test "cgroup2: limits are in the kernel's files" {
	need memory
	need cpu
	need pids
	own_path
	config '.linux.resources = {memory: {limit: 67108864, swap: 100663296, reservation: 33554432},
		cpu: {quota: 50000, period: 100000}, pids: {limit: 50}}'
	run -0 rung run -d "$ID"
	[ "$(<"$(dir "$ID")/memory.max")" = 67108864 ]
	[ "$(<"$(dir "$ID")/memory.low")" = 33554432 ]
	[ ! -e "$(dir "$ID")/memory.swap.max" ] || [ "$(<"$(dir "$ID")/memory.swap.max")" = 33554432 ]
	[ "$(<"$(dir "$ID")/cpu.max")" = '50000 100000' ]
	[ "$(<"$(dir "$ID")/pids.max")" = 50 ]
}

@test "cgroup2: shares become a weight, the default the default" {
	need cpu
	own_path
	local pair
	for pair in 2:1 1024:100 262144:10000; do
		config ".linux.resources.cpu = {shares: ${pair%:*}}"
		run -0 rung run -d "$ID"
		[ "$(<"$(dir "$ID")/cpu.weight")" = "${pair#*:}" ]
		run -0 rung delete --force "$ID"
	done
}

@test "cgroup2: a limit of swap needs one of memory" {
	config '.linux.resources.memory = {swap: 67108864}'
	run -1 rung run "$ID"
	[[ $output == *'linux.resources.memory.swap'*'linux.resources.memory.limit'* ]]
}

@test "cgroup2: a container that waits takes little memory, also where all have huge pages" {
	need memory
	own_path
	run -0 rung create "$ID"
	# Two huge pages would be 4 MiB.
	(($(<"$(dir "$ID")/memory.current") < 3145728))
}

@test "cgroup2: huge pages" {
	need hugetlb
	[[ -d /sys/kernel/mm/hugepages/hugepages-2048kB ]] || skip 'needs huge pages of 2 MB'
	own_path
	config '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]'
	run -0 rung run -d "$ID"
	[ "$(<"$(dir "$ID")/hugetlb.2MB.max")" = 4194304 ]
	[ "$(<"$(dir "$ID")/hugetlb.2MB.rsvd.max")" = 4194304 ]
	run -0 rung delete --force "$ID"

	config '.linux.resources.hugepageLimits += [{pageSize: "3MB", limit: 0}]'
	run -1 rung run "$ID"
	[[ $output == *'linux.resources.hugepageLimits[1]'* ]]
	[ ! -e "$(dir "$ID")" ]
}

@test "cgroup2: unified" {
	own_path
	config '.linux.resources.unified = {"cgroup.max.depth": "3", "cgroup.max.descendants": "5"}'
	run -0 rung run -d "$ID"
	[ "$(<"$(dir "$ID")/cgroup.max.depth")" = 3 ]
	[ "$(<"$(dir "$ID")/cgroup.max.descendants")" = 5 ]
}

@test "cgroup2: what only v1 has is warned of" {
	own_path
	args true
	config '.linux.resources = {network: {classID: 5}, memory: {swappiness: 60}}'
	run -0 rung run "$ID"
	[[ $output == *linux.resources.network.classID:*ignored* ]]
	[[ $output == *linux.resources.memory.swappiness:*ignored* ]]
}

@test "cgroup2: devices are denied but for the defaults and what is allowed" {
	own_path
	config '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 1, minor: 11, access: "r"}]
		| .linux.devices = [{path: "/dev/kmsg", type: "c", major: 1, minor: 11, fileMode: 438},
			{path: "/dev/mem", type: "c", major: 1, minor: 1, fileMode: 438}]
		| .process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN", "CAP_SYS_RAWIO", "CAP_SYSLOG", "CAP_MKNOD"])'
	# In subshells: a redirection of : that fails would end the shell.
	args sh -c 'echo x >/dev/null && echo null; (: </dev/kmsg) && echo kmsg; (: </dev/mem) || echo mem denied
		(: >/dev/kmsg) || echo kmsg read-only; mknod /tmp/port c 1 4 && echo made; (: </tmp/port) || echo port denied'
	run -0 --separate-stderr rung run "$ID"
	[ "$output" = $'null\nkmsg\nmem denied\nkmsg read-only\nmade\nport denied' ]
}

@test "cgroup2: an exec has the container's device rules" {
	own_path
	config '.linux.devices = [{path: "/dev/mem", type: "c", major: 1, minor: 1, fileMode: 438}]
		| .process.capabilities |= with_entries(.value += ["CAP_SYS_RAWIO"])'
	run -0 rung run -d "$ID"
	run -1 rung exec "$ID" sh -c ': </dev/mem'
	[[ $output == *'not permitted'* ]]
	run -0 rung exec "$ID" sh -c ': </dev/null'
}

@test "cgroup2: cgroup namespace: the container's is the root" {
	own_path
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])
		| .mounts |= (map(select(.destination != "/sys/fs/cgroup")) + [{destination: "/sys/fs/cgroup", type: "cgroup",
			source: "cgroup", options: ["nosuid", "noexec", "nodev", "ro"]}])'
	args sh -c 'sed -n "s/^0:://p" /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x || echo read-only'
	run -0 --separate-stderr rung run "$ID"
	[ "${lines[0]}" = / ]
	[ "${lines[1]}" = 1 ]
	[ "${lines[-1]}" = read-only ]
}

@test "cgroup2: an exec goes where init has nested itself" {
	need hugetlb
	own_path
	nesting 'echo +hugetlb >/sys/fs/cgroup/cgroup.subtree_control &&'
	run -0 rung run -d "$ID"
	wait_for 5 test -e rootfs/ready
	[ "$(<"$(dir "$ID")/cgroup.subtree_control")" = hugetlb ]
	run -0 rung exec "$ID" sed -n 's/^0:://p' /proc/self/cgroup
	[ "$output" = /init ]
	run -0 rung exec -d --pid-file "$BATS_TEST_TMPDIR/second.pid" "$ID" sleep 1000
	[ "$(path_of "$(<"$BATS_TEST_TMPDIR/second.pid")")" = "/$ID/init" ]
}

@test "cgroup2: cgroups that the container has made go with it, frozen ones too" {
	own_path
	nesting 'mkdir -p /sys/fs/cgroup/a/b /sys/fs/cgroup/c && echo 1 >/sys/fs/cgroup/c/cgroup.freeze &&'
	run -0 rung run -d "$ID"
	wait_for 5 test -e rootfs/ready
	run -0 rung exec -d --pid-file "$BATS_TEST_TMPDIR/frozen.pid" "$ID" sleep 1000
	cat "$BATS_TEST_TMPDIR/frozen.pid" >"$(dir "$ID")/c/cgroup.procs"
	RUNG_TIMEOUT=3 run -0 rung delete --force "$ID"
	[ ! -e "$(dir "$ID")" ]
	ended "$(<"$BATS_TEST_TMPDIR/frozen.pid")"

	rm rootfs/ready
	args sh -c 'mkdir -p /sys/fs/cgroup/a/b'
	run -0 rung run "$ID"
	[ ! -e "$(dir "$ID")" ]
}

@test "cgroup2: a frozen container is paused, and dies" {
	own_path
	run -0 rung run -d "$ID"
	echo 1 >"$(dir "$ID")/cgroup.freeze"
	has_status "$ID" paused
	run ! rung exec "$ID" true
	[[ $output == *'cannot exec in a paused container'* ]]
	RUNG_TIMEOUT=3 run -0 rung delete --force "$ID"
	[ ! -e "$(dir "$ID")" ]
}

@test "cgroup2: kill without a pid namespace ends all, however fast they fork" {
	own_path
	config '.linux.namespaces |= map(select(.type != "pid"))'
	# Each lives a moment, so that there are never more than some dozens.
	args sh -c 'while :; do (sleep 0.05 & sleep 0.05 &) ; done'
	run -0 rung run -d "$ID"
	wait_for 10 some_processes "$(dir "$ID")" 3
	RUNG_TIMEOUT=10 run -0 rung kill "$ID" KILL
	wait_for 5 no_processes "$(dir "$ID")"
	wait_for 5 has_status "$ID" stopped
	run -0 rung delete "$ID"
	[ ! -e "$(dir "$ID")" ]
}

some_processes() {
	[[ $(wc -l <"$1/cgroup.procs") -ge $2 ]]
}

no_processes() {
	grep -qx 'populated 0' "$1/cgroup.events"
}

@test "cgroup2: a cgroup in use is refused, and its processes live on" {
	own_path
	run -0 rung run -d "$ID"
	run -1 rung run "$ID-2"
	[[ $output == *"container's cgroup is not empty"* ]]
	has_status "$ID" running
	[ ! -e "$STATE/$ID-2" ]
}

@test "cgroup2: the cgroup belongs to the container's user" {
	require userns
	own_path
	config '.linux.namespaces |= (map(select(.type != "cgroup" and .type != "user")) + [{type: "cgroup"}, {type: "user"}])
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .mounts |= (map(select(.destination != "/sys/fs/cgroup")) + [{destination: "/sys/fs/cgroup", type: "cgroup",
			source: "cgroup", options: ["nosuid", "noexec", "nodev"]}])'
	chown -R 100000:100000 rootfs
	run -0 rung run -d "$ID"
	local file
	for file in . cgroup.procs cgroup.subtree_control cgroup.threads; do
		[ "$(stat -c %u "$(dir "$ID")/$file")" = 100000 ]
	done
	[ "$(stat -c %u "$(dir "$ID")/cgroup.max.depth")" = 0 ]
	run -0 rung exec "$ID" mkdir /sys/fs/cgroup/sub
	run -0 rung delete --force "$ID"
	[ ! -e "$(dir "$ID")" ]
}

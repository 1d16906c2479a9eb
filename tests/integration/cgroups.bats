#!/usr/bin/env bats
# linux.cgroupsPath and linux.resources on cgroup v1, read on the host's side.

load helpers

setup() {
	new_bundle
	require cgroup_v1
}

@test "cgroups: limits are in the kernel's files" {
	require controller:memory controller:cpu controller:pids
	config '.linux.resources |= . + {memory: {limit: 67108864, swap: 67108864, reservation: 33554432},
		cpu: {shares: 512, quota: 50000, period: 100000, cpus: "0"}, pids: {limit: 50}}'
	run -0 rung run -d "$ID"
	[ "$(<"$(cgroup_dir "$ID" memory)/memory.limit_in_bytes")" = 67108864 ]
	[ "$(<"$(cgroup_dir "$ID" memory)/memory.soft_limit_in_bytes")" = 33554432 ]
	[ "$(<"$(cgroup_dir "$ID" cpu)/cpu.shares")" = 512 ]
	[ "$(<"$(cgroup_dir "$ID" cpu)/cpu.cfs_quota_us")" = 50000 ]
	[ "$(<"$(cgroup_dir "$ID" pids)/pids.max")" = 50 ]
	[ "$(<"$(cgroup_dir "$ID" cpuset)/cpuset.cpus")" = 0 ]
}

@test "cgroups: a pids limit of 1 starts one program" {
	require controller:pids
	config '.linux.resources.pids = {limit: 1}'
	args sh -c 'echo alone; /bin/true || echo no second'
	run --separate-stderr rung run "$ID"
	[[ ${lines[0]} == alone ]]
}

@test "cgroups: created, with a pids limit of 1, it waits without a wakeup, and starts" {
	require controller:pids
	config '.linux.resources.pids = {limit: 1}'
	run -0 rung create "$ID"
	local pid before after
	pid=$(host_pid "$ID")
	sleep 0.5 # the Go runtime's monitor goes to sleep
	before=$(switches "$pid")
	sleep 2
	after=$(switches "$pid")
	((after - before < 20)) # a hundred a second, if it does not
	run -0 rung start "$ID"
	[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = 'sleep 1000 ' ]
}

switches() { # PID: context switches of all threads
	awk '/ctxt_switches/ {n += $2} END {print n}' "/proc/$1"/task/*/status
}

@test "cgroups: what a limit cannot be names the field" {
	require controller:memory
	config '.linux.resources.memory = {limit: 1024}'
	run -1 rung run "$ID"
	[[ $output == *memory* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "cgroups: 0 and what is absent leave the kernel's values" {
	local r
	for r in 'null' '{}' '{cpu: {}}' '{cpu: {shares: 0, quota: 0, period: 0}, memory: {limit: 0, swap: 0}}'; do
		config ".linux.resources = $r"
		args true
		run -0 rung run "$ID"
	done
}

@test "cgroups: the path: absolute, relative, none" {
	config '.linux.cgroupsPath = $p' --arg p "/$ID/deep"
	run -0 rung run -d "$ID"
	[[ $(cgroup_dir "$ID" pids) == "/sys/fs/cgroup/pids/$ID/deep" ]]
	run -0 rung delete --force "$ID"
	[ ! -e "/sys/fs/cgroup/pids/$ID/deep" ]
	find /sys/fs/cgroup -depth -type d -name "$ID" -exec rmdir {} +

	config '.linux.cgroupsPath = $p' --arg p "$ID-rel"
	run -0 rung run -d "$ID"
	[[ $(cgroup_dir "$ID" memory) == */"$ID-rel" ]]
	run -0 rung delete --force "$ID"
}

@test "cgroups: those the container made inside go with it" {
	run -0 rung run -d "$ID"
	local dir
	dir=$(cgroup_dir "$ID" memory)
	mkdir -p "$dir/a/b"
	run -0 rung delete --force "$ID"
	[ ! -e "$dir" ]
}

@test "cgroups: devices are denied but for the defaults and what is allowed" {
	config '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 1, minor: 11, access: "r"}]
		| .linux.devices = [{path: "/dev/kmsg", type: "c", major: 1, minor: 11, fileMode: 438},
			{path: "/dev/mem", type: "c", major: 1, minor: 1, fileMode: 438}]
		| .process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN", "CAP_SYS_RAWIO", "CAP_SYSLOG"])'
	args sh -c 'echo x > /dev/null && echo null; : < /dev/kmsg && echo kmsg; cat /dev/mem > /dev/null || echo denied'
	run -0 --separate-stderr rung run "$ID"
	[ "$output" = $'null\nkmsg\ndenied' ]
}

@test "cgroups: an init that the limit kills is said to be" {
	require controller:memory
	config '.linux.resources.memory = {limit: 200000, swap: 200000}'
	args true
	run rung run "$ID"
	[ "$status" -ne 0 ]
	[ ! -e "$STATE/$ID" ]
}

@test "cgroups: the container starts in little memory" {
	require controller:memory
	config '.linux.resources.memory = {limit: 3145728, swap: 3145728}'
	args true
	local _
	for _ in 1 2 3 4 5; do
		run -0 rung run "$ID"
	done
}

# no_entry DIR: the "tasks" there takes nobody, as where a rule of the kernel
# forbids it, in rung's own mount namespace (private_namespace).
no_entry() {
	in_private mount --bind /dev/full "$1/tasks"
}

@test "cgroups: rootless, a cgroup that refuses the container is an error where it has a limit" {
	require controller:memory
	local dir
	dir=$(own_cgroup memory)/$ID
	private_namespace
	mkdir "$dir"
	no_entry "$dir"
	args true
	run -0 rung --rootless true run "$ID"
	mkdir "$dir" # the first went with its container
	no_entry "$dir"
	config '.linux.resources.memory = {limit: 67108864}'
	run -1 rung --rootless true run "$ID"
	[[ $output == *'rung run failed: enter cgroup: no space left on device'* ]]
	[ ! -e "$STATE/$ID" ]
}

own_cgroup() {
	echo "/sys/fs/cgroup/$1$(sed -n "s/^[0-9]*:\(.*,\)\?$1\(,.*\)\?://p" /proc/self/cgroup)"
}

@test "cgroups: rootless, a cgroup that refuses an exec is an error where it has a limit" {
	require controller:memory
	run -0 rung --rootless true run -d "$ID"
	config '.linux.resources.memory = {limit: 67108864}'
	run -0 rung --rootless true run -d "$ID-2"
	private_namespace
	no_entry "$(cgroup_dir "$ID" memory)"
	no_entry "$(cgroup_dir "$ID-2" memory)"
	run -0 rung exec "$ID" true
	run -255 rung exec "$ID-2" true
	[[ $output == *'exec failed: enter cgroup: no space left on device'* ]]
}

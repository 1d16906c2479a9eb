#!/usr/bin/env bats
# What the kernel ranks and labels a process by: process.ioPriority, oomScoreAdj,
# apparmorProfile, selinuxLabel; linux.memoryPolicy, personality, mountLabel.

load helpers

INIT='unable to start container process: error during container init: '

# refused MESSAGE: create says so, and makes nothing.
refused() {
	run -1 rung --log log create "$ID"
	[ "$output" = "rung create failed: $1" ]
	[ ! -e "$STATE/$ID" ]
}

@test "ioPriority: each class with a level, and who is not given one has none" {
	local class
	for class in RT BE IDLE; do
		config '.process.ioPriority = {class: $c, priority: 5}' --arg c "IOPRIO_CLASS_$class"
		probe
		check '.ioPriority == {class: $c, priority: 5}' --arg c "IOPRIO_CLASS_$class"
	done
	config 'del(.process.ioPriority)'
	probe
	check '.ioPriority.class == "IOPRIO_CLASS_NONE"'
}

@test "ioPriority: exec has its own" {
	config '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 1}'
	run -0 rung run -d "$ID"
	jq '.process | .args = ["/bin/probe"] | .ioPriority.priority = 6' config.json >process.json
	run -0 --separate-stderr rung exec --process process.json "$ID"
	check '.ioPriority == {class: "IOPRIO_CLASS_BE", priority: 6}'
}

@test "ioPriority: a class or level that is none, and one that needs privilege" {
	config '.process.ioPriority = {class: "IOPRIO_CLASS_NONE", priority: -1}'
	refused 'process.ioPriority.class: unknown class "IOPRIO_CLASS_NONE"; process.ioPriority.priority: -1 is out of range: 0 to 7'
	user_bundle
	config '.process.ioPriority = {class: "IOPRIO_CLASS_RT", priority: 0}'
	run -1 user_rung --log "$BATS_TEST_TMPDIR/runtime/log" run "$ID"
	[ "$output" = "rung run failed: ${INIT}set I/O priority process.ioPriority: ioprio_set: operation not permitted" ]
}

@test "memoryPolicy: each mode, with its nodes" {
	[ -e /sys/devices/system/node ] || skip 'needs a kernel with NUMA'
	local mode
	for mode in BIND PREFERRED INTERLEAVE PREFERRED_MANY; do
		config '.linux.memoryPolicy = {mode: $m, nodes: "0"}' --arg m "MPOL_$mode"
		probe
		check '.memoryPolicy == {mode: $m, flags: [], nodes: [0]}' --arg m "MPOL_$mode"
	done
	for mode in LOCAL DEFAULT; do
		config '.linux.memoryPolicy = {mode: $m, nodes: ""}' --arg m "MPOL_$mode"
		probe
		check '.memoryPolicy == {mode: $m, flags: [], nodes: []}' --arg m "MPOL_$mode"
	done
}

@test "memoryPolicy: its flags, and an exec has it too" {
	[ -e /sys/devices/system/node ] || skip 'needs a kernel with NUMA'
	config '.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}'
	run -0 rung run -d "$ID"
	probe_exec "$ID"
	check '.memoryPolicy == {mode: "MPOL_INTERLEAVE", flags: ["MPOL_F_STATIC_NODES"], nodes: [0]}'
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_RELATIVE_NODES", "MPOL_F_NUMA_BALANCING"]}'
	args /bin/probe
	run -0 --separate-stderr rung run "$ID-2"
	check '.memoryPolicy | (.mode == "MPOL_BIND" and (.flags | sort) == ["MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES"])'
}

@test "memoryPolicy: nodes that the machine has not, a mode that takes none" {
	[ -e /sys/devices/system/node ] || skip 'needs a kernel with NUMA'
	[ ! -e /sys/devices/system/node/node1000 ]
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "1000"}'
	refused "${INIT}set memory policy linux.memoryPolicy: set_mempolicy: invalid argument"
	config '.linux.memoryPolicy = {mode: "MPOL_DEFAULT", nodes: "0"}'
	refused 'linux.memoryPolicy.nodes: MPOL_DEFAULT takes none'
	# Balancing goes with MPOL_BIND and MPOL_PREFERRED_MANY (set_mempolicy(2)).
	config '.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_NUMA_BALANCING"]}'
	refused "${INIT}set memory policy linux.memoryPolicy: set_mempolicy: invalid argument"
}

@test "personality: LINUX32 changes the machine's name, for an exec too" {
	[ "$(uname -m)" = x86_64 ] || skip 'needs x86_64'
	config '.linux.personality = {domain: "LINUX32"}'
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" uname -m
	[ "$output" = i686 ]
	run -0 cat "/proc/$(host_pid "$ID")/personality"
	[ "$output" = 00000008 ] # PER_LINUX32, sys/personality.h
}

@test "personality: LINUX, whatever the caller's" {
	config '.linux.personality = {domain: "LINUX"}'
	args /bin/probe
	run -0 --separate-stderr setarch --addr-no-randomize "$RUNG" --root "$STATE" run "$ID" </dev/null
	check '.personality == 0'
}

@test "personality: an unknown domain is refused, flags are a warning" {
	config '.linux.personality = {domain: "SVR4"}'
	refused 'linux.personality.domain: unknown domain "SVR4"'
	config '.linux.personality = {domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"]}'
	args true
	run -0 rung run "$ID"
	[[ $output == *'level=warning msg="linux.personality.flags: none are defined, ignored"'* ]]
}

@test "oomScoreAdj: zero is set, without one the caller's is kept, exec has its own" {
	local row adj want
	for row in '0 0' '77 77' 'null 250'; do
		read -r adj want <<<"$row"
		config '.process.oomScoreAdj = $a | if $a == null then del(.process.oomScoreAdj) else . end' --argjson a "$adj"
		args /bin/probe
		run -0 --separate-stderr bash -c 'echo 250 >/proc/self/oom_score_adj; exec "$@"' - \
			"$RUNG" --root "$STATE" run "$ID" </dev/null
		check '.oomScoreAdj == $w' --argjson w "$want"
	done
	args sleep 1000
	run -0 rung run -d "$ID"
	jq '.process | .args = ["/bin/probe"] | .oomScoreAdj = 900' config.json >process.json
	run -0 --separate-stderr rung exec --process process.json "$ID"
	check '.oomScoreAdj == 900'
}

@test "oomScoreAdj: out of range, or lower than the caller may go, is refused with its field" {
	config '.process.oomScoreAdj = -1001'
	refused 'process.oomScoreAdj: -1001 is out of range: -1000 to 1000'
	config '.process.oomScoreAdj = -1000'
	if has_capability SYS_RESOURCE; then
		probe
		check '.oomScoreAdj == -1000'
		return
	fi
	refused "set oom_score_adj process.oomScoreAdj: permission denied (a lower score than the caller's needs CAP_SYS_RESOURCE)"
	config 'del(.process.oomScoreAdj)'
	run -0 rung run -d "$ID"
	jq '.process | .args = ["true"] | .oomScoreAdj = -1000' config.json >process.json
	run -255 rung --log log exec --process process.json "$ID"
	[[ $output == 'exec failed: set oom_score_adj process.oomScoreAdj: permission denied'* ]]
}

@test "apparmorProfile: refused where the kernel has no AppArmor, by exec as well" {
	[[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) != Y ]] || skip 'needs a kernel without AppArmor'
	config '.process.apparmorProfile = "no-such"'
	run -1 rung --log log create "$ID"
	[[ $output == "rung create failed: ${INIT}apply AppArmor profile process.apparmorProfile: \
AppArmor is not enabled on this host, or does not know profile \"no-such\": write /proc/"*'/attr/exec: invalid argument' ]]
	[ ! -e "$STATE/$ID" ]
	config 'del(.process.apparmorProfile)'
	run -0 rung run -d "$ID"
	run -255 rung --log log exec --apparmor other "$ID" true
	[[ $output == 'exec failed: unable to start container process: apply AppArmor profile process.apparmorProfile: '*'"other"'* ]]
}

@test "selinuxLabel: refused where the kernel has no SELinux, by exec as well" {
	[ ! -d /sys/fs/selinux ] || skip 'needs a kernel without SELinux'
	config '.process.selinuxLabel = "a_u:a_r:a_t:s0"'
	run -1 rung --log log create "$ID"
	[[ $output == "rung create failed: ${INIT}apply SELinux label process.selinuxLabel: \
SELinux is not enabled on this host, or does not know label \"a_u:a_r:a_t:s0\": write /proc/"*'/attr/exec: invalid argument' ]]
	[ ! -e "$STATE/$ID" ]
	config 'del(.process.selinuxLabel)'
	run -0 rung run -d "$ID"
	run -255 rung --log log exec --process-label b_u:b_r:b_t:s0 "$ID" true
	[[ $output == 'exec failed: unable to start container process: apply SELinux label process.selinuxLabel: '*'"b_u:b_r:b_t:s0"'* ]]
}

@test "mountLabel: refused where the kernel has no SELinux, with the mount that would have it" {
	[ ! -d /sys/fs/selinux ] || skip 'needs a kernel without SELinux'
	config '.linux.mountLabel = "a_u:a_r:a_t:s0:c1,c2"'
	run -1 rung --log log create "$ID"
	[[ $output == "rung create failed: ${INIT}mount mounts["*'): SELinux is not enabled on this host, '\
'or does not know the label that linux.mountLabel gives: '*'invalid argument' ]]
	[ ! -e "$STATE/$ID" ]
}

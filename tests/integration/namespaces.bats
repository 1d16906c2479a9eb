#!/usr/bin/env bats
# linux.namespaces: new, joined by path, the host's; user namespaces and their
# maps, as root and without privilege.

load helpers

join() { # TYPE PATH
	config '.linux.namespaces |= map(if .type == $t then .path = $p else . end)' --arg t "$1" --arg p "$2"
}

@test "namespaces: each one of its own, and the host's where none is named" {
	probe
	local ns
	for ns in ipc mnt net pid uts; do
		check '.namespaces[$n] != $v' --arg n "$ns" --arg v "$(readlink /proc/self/ns/$ns)"
	done
	check '.namespaces.user == $v' --arg v "$(readlink /proc/self/ns/user)"
	config '.linux.namespaces |= map(select(.type != "network" and .type != "ipc"))'
	probe
	check '.namespaces.net == $v' --arg v "$(readlink /proc/self/ns/net)"
}

@test "namespaces: those of another container, by path" {
	run -0 rung run -d "$ID"
	local pid
	pid=$(host_pid "$ID")
	join network "/proc/$pid/ns/net"
	join ipc "/proc/$pid/ns/ipc"
	join uts "/proc/$pid/ns/uts"
	join pid "/proc/$pid/ns/pid"
	config 'del(.hostname)'
	args /bin/probe
	run -0 --separate-stderr rung run "$ID-2"
	check '.namespaces.net == $v' --arg v "$(readlink "/proc/$pid/ns/net")"
	check '.namespaces.pid == $v' --arg v "$(readlink "/proc/$pid/ns/pid")"
	check '.pid > 1'
}

@test "namespaces: a path of another type, or none, is refused with its field" {
	join network /proc/self/ns/uts
	run -1 rung create "$ID"
	[[ $output == *'linux.namespaces['*'].path (/proc/self/ns/uts): not a net namespace'* ]]
	join network /no/such
	run -1 rung create "$ID"
	[[ $output == *'(/no/such): '*'no such file or directory'* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "namespaces: loopback is up in a new network namespace" {
	args sh -c 'cat /sys/class/net/lo/flags'
	run -0 rung run "$ID"
	[ "$((output & 1))" -eq 1 ]
}

@test "namespaces: clocks with offsets" {
	require timens
	config '.linux.namespaces += [{type: "time"}] | .linux.timeOffsets = {boottime: {secs: 864000, nanosecs: 0}}'
	args cut -d. -f1 /proc/uptime
	run -0 rung run "$ID"
	((output > 864000 && output > $(cut -d. -f1 /proc/uptime) + 863000))
}

@test "namespaces: a user namespace with maps, exec in it too" {
	require userns
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
	run -0 rung run -d "$ID"
	[ "$(stat -c %u "/proc/$(host_pid "$ID")")" -eq 200000 ]
	probe_exec "$ID" --user 5:6
	check '.uid.real == 5 and .gid.real == 6'
	check '.uidMap == [[0, 200000, 65536]]'
	run -0 rung exec "$ID" sh -c 'ls -ln /proc/1/exe >/dev/null && echo seen'
	[ "$output" = seen ]
}

@test "namespaces: a source that only the host's root can reach is bound in a user namespace" {
	require userns
	mkdir -m 700 private
	echo text >private/file
	chmod 644 private/file
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 65536}] | .linux.gidMappings = .linux.uidMappings
		| .mounts += [{destination: "/proc/../tmp/f", type: "bind", source: "private/file", options: ["bind", "ro"]}]'
	mkdir -p rootfs/tmp
	: >rootfs/tmp/f
	args cat /tmp/f
	run -0 rung run "$ID"
	[ "$output" = text ]
}

@test "namespaces: rootless, exec, list and delete" {
	user_bundle
	run -0 user_rung run -d "$ID"
	run -0 --separate-stderr user_rung exec "$ID" /bin/probe
	check '.uid.real == 0 and .pid > 1'
	check '.uidMap == [[0, ($u | tonumber), 1]]' --arg u "$TEST_UID"
	run -0 user_rung list -q
	[ "$output" = "$ID" ]
	run -0 user_rung delete --force "$ID"
}

# deny_setgroups: a user's container of the user's own gid alone, for which the
# kernel has made setgroups(2) be denied (user_namespaces(7)).
deny_setgroups() {
	user_bundle
	config 'del(.process.rlimits)' # to set another user's takes CAP_SYS_RESOURCE
	run -0 user_rung run -d "$ID"
	ROOT=$BATS_TEST_TMPDIR/runtime/rung
	PID=$(user_rung state "$ID" | jq .pid)
	[ "$(<"/proc/$PID/setgroups")" = deny ]
}

@test "namespaces: root, in a container that denies setgroups, has none of the host's groups" {
	deny_setgroups
	run -0 --separate-stderr setpriv --groups 4,27 "$RUNG" --root "$ROOT" exec "$ID" /bin/probe
	check '.groups == []'
	run -255 setpriv --groups 4,27 "$RUNG" --root "$ROOT" exec -g 0 "$ID" true
	[[ $output == *'exec failed: '*'process.user'*'setgroups'*'operation not permitted'* ]]
}

@test "namespaces: root, for a user namespace that denies setgroups, creates without the host's groups" {
	deny_setgroups
	config '(.linux.namespaces[] | select(.type == "user")).path = $p | del(.linux.uidMappings, .linux.gidMappings)' \
		--arg p "/proc/$PID/ns/user"
	args /bin/probe
	run -0 --separate-stderr setpriv --groups 4,27 "$RUNG" --root "$STATE" run "$ID-2"
	check '.groups == []'
	config '.annotations = {"run.oci.keep_original_groups": "1"}'
	run -0 --separate-stderr setpriv --groups 4,27 "$RUNG" --root "$STATE" run "$ID-2"
	check '.groups == [65534, 65534]'
}

@test "namespaces: rootless with subordinate ids, another user inside" {
	require uidmap
	user_bundle
	local sub
	sub=$(sed -n "s/^$TEST_USER:\([0-9]*\):.*/\1/p" /etc/subuid | head -1)
	config '.linux.uidMappings = [{containerID: 0, hostID: $u, size: 1}, {containerID: 1, hostID: $s, size: 65535}]
		| .linux.gidMappings = [{containerID: 0, hostID: $g, size: 1}, {containerID: 1, hostID: $s, size: 65535}]
		| .process.user = {uid: 1000, gid: 1000, additionalGids: [7]}' \
		--argjson u "$TEST_UID" --argjson g "$TEST_GID" --argjson s "$sub"
	args /bin/probe
	run -0 --separate-stderr user_rung run "$ID"
	check '.uid.real == 1000 and .groups == [7]'
}

@test "namespaces: rootless, a range that is not the user's names the remedy" {
	require uidmap
	user_bundle
	config '.linux.uidMappings = [{containerID: 0, hostID: 5000000, size: 10}] | .linux.gidMappings = .linux.uidMappings'
	run -1 user_rung run "$ID"
	[[ $output == *'map linux.gidMappings'*'/etc/subgid?'* ]]
}

#!/usr/bin/env bats
# Propagation of mounts: of the root, of volumes, to and from the host.

load helpers

# shared_volume makes a shared mount at $BUNDLE/vol, as a host has it.
shared_volume() {
	private_namespace
	in_private mkdir vol
	in_private mount --bind vol vol
	in_private mount --make-shared vol
	in_private mkdir vol/host vol/inside
	config '.process.capabilities[] += ["CAP_SYS_ADMIN"]'
}

in_mountinfo() { # PID PATH
	cut -d' ' -f5 "/proc/$1/mountinfo" | grep -qxF "$2"
}

@test "propagation: rshared: the host sees what is mounted inside, and the other way round" {
	shared_volume
	# As Docker asks for it: the volume was cut off before, else.
	config '.linux.rootfsPropagation = "rshared"'
	add_mount /vol bind vol rbind rshared
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" mount -t tmpfs tmpfs /vol/inside
	in_mountinfo "$PRIVATE" "$BUNDLE/vol/inside"
	in_private mount -t tmpfs tmpfs vol/host
	in_mountinfo "$(host_pid "$ID")" /vol/host
	# Neither goes with the container.
	run -0 rung delete -f "$ID"
	in_mountinfo "$PRIVATE" "$BUNDLE/vol/inside"
}

@test "propagation: rslave: the host's mounts come in, the container's stay inside" {
	shared_volume
	add_mount /vol bind vol rbind rslave
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" mount -t tmpfs tmpfs /vol/inside
	in_mountinfo "$(host_pid "$ID")" /vol/inside
	run ! in_mountinfo "$PRIVATE" "$BUNDLE/vol/inside"
	in_private mount -t tmpfs tmpfs vol/host
	in_mountinfo "$(host_pid "$ID")" /vol/host
}

@test "propagation: rprivate: neither way" {
	shared_volume
	add_mount /vol bind vol rbind rprivate
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" mount -t tmpfs tmpfs /vol/inside
	run ! in_mountinfo "$PRIVATE" "$BUNDLE/vol/inside"
	in_private mount -t tmpfs tmpfs vol/host
	run ! in_mountinfo "$(host_pid "$ID")" /vol/host
}

@test "propagation: in a user namespace: the host's mounts come in, none goes out" {
	user_namespace
	shared_volume
	chown 200000:200000 vol vol/*
	in_private chown 200000:200000 vol/inside
	add_mount /vol bind vol rbind rslave
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" mount -t tmpfs tmpfs /vol/inside
	run ! in_mountinfo "$PRIVATE" "$BUNDLE/vol/inside"
	in_private mount -t tmpfs tmpfs vol/host
	in_mountinfo "$(host_pid "$ID")" /vol/host
}

# tags DESTINATION FILTER: the propagation of a mount without the group numbers.
tags() {
	mount_of "$1" "(.propagation | map(sub(\":.*\"; \"\")) | sort) == $2"
}

@test "propagation: of a volume, each value" {
	shared_volume
	in_private mount -t tmpfs tmpfs vol/host
	in_private mount --make-shared vol/host
	config '.mounts += [$ARGS.positional[] | {destination: "/p/\(.)", type: "bind", source: "vol", options: ["rbind", .]}]' \
		--args shared rshared slave rslave private rprivate
	config '.mounts += [$ARGS.positional[] | {destination: "/u/\(.)", type: "tmpfs", source: "tmpfs", options: [.]}]' \
		--args shared unbindable
	probe
	tags /p/shared '["master", "shared"]' # it came as a slave of the host's
	tags /p/rshared '["master", "shared"]'
	tags /p/rshared/host '["master", "shared"]'
	tags /p/rslave '["master"]'
	tags /p/rslave/host '["master"]'
	tags /p/private '[]'
	tags /p/private/host '["master"]' # not the one below
	tags /p/rprivate '[]'
	tags /p/rprivate/host '[]'
	tags /u/shared '["shared"]'
	tags /u/unbindable '["unbindable"]'
}

@test "propagation: of the root, without a value: what the host mounts is seen, not the other way round" {
	probe
	mount_of / '(.propagation | map(select(startswith("shared")))) == []'
	check '[.mounts[].propagation[] | select(startswith("shared"))] == []'
}

@test "propagation: of the root, each value" {
	private_namespace
	in_private mount --make-shared /
	local row
	for row in 'shared ["shared"]' 'rshared ["shared"]' 'slave []' 'rslave []' 'private []' 'rprivate []' \
		'unbindable ["unbindable"]' 'runbindable ["unbindable"]'; do
		config '.linux.rootfsPropagation = $p' --arg p "${row%% *}"
		probe
		mount_of / '(.propagation | map(sub(":.*"; "") | select(. != "master"))) == ($want | fromjson)' --arg want "${row#* }"
		case $row in
		rprivate*) check '[.mounts[].propagation[]] == []' ;;
		rshared*) mount_of /proc '.propagation | any(startswith("shared"))' ;;
		esac
	done
}

@test "propagation: of the root: shared does not reach the host" {
	private_namespace
	in_private mount --make-rshared /
	config '.linux.rootfsPropagation = "rshared" | .process.capabilities[] += ["CAP_SYS_ADMIN"]'
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" mount -t tmpfs tmpfs /home
	in_mountinfo "$(host_pid "$ID")" /home
	run ! grep -F "$BUNDLE/rootfs" "/proc/$PRIVATE/mountinfo"
}

@test "propagation: an unknown value" {
	config '.linux.rootfsPropagation = "open"'
	run -1 rung create "$ID"
	[[ $output == *'linux.rootfsPropagation: unknown propagation \"open\"'* ]]
	[ ! -e "$STATE/$ID" ]
}

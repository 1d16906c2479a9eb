#!/usr/bin/env bats
# Idmapped mounts: who owns what, inside and on the disk.

load helpers

setup() {
	new_bundle
	idmapped_here || skip 'needs a filesystem below TMPDIR that knows idmapped mounts'
	mkdir vol
	echo a >vol/root
	echo b >vol/user
	chown 1000:1000 vol/user
	chmod 777 vol
}

idmapped_here() {
	[[ $(stat -fc %T .) =~ ^(ext2/ext3|xfs|btrfs|tmpfs)$ ]]
}

owners() {
	args sh -c 'stat -c "%u:%g" /m/root /m/user; touch /m/new && stat -c "%u:%g" /m/new'
	run -0 --separate-stderr rung run "$ID"
}

@test "idmap: maps of the mount, without a user namespace" {
	add_mount /m bind vol bind
	config '.mounts[-1].uidMappings = [{containerID: 0, hostID: 0, size: 1}, {containerID: 1000, hostID: 3000, size: 10}]
		| .mounts[-1].gidMappings = [{containerID: 0, hostID: 0, size: 1}, {containerID: 1000, hostID: 4000, size: 10}]'
	owners
	[ "$output" = $'0:0\n3000:4000\n0:0' ]
	# The other way: what 3000 writes is 1000's on the disk.
	config '.process.user = {uid: 3000, gid: 4000}'
	args touch /m/by-user
	run -0 rung run "$ID"
	[ "$(stat -c %u:%g vol/by-user)" = 1000:1000 ]
}

@test "idmap: without it, the host's owners are nobody's in a user namespace" {
	user_namespace
	add_mount /m bind vol bind
	owners
	[ "$output" = $'65534:65534\n65534:65534\n0:0' ]
	[ "$(stat -c %u:%g vol/new)" = 200000:200000 ]
}

@test "idmap: the option takes the container's maps" {
	user_namespace
	add_mount /m bind vol bind idmap
	owners
	[ "$output" = $'0:0\n1000:1000\n0:0' ]
	[ "$(stat -c %u:%g vol/new)" = 0:0 ]
}

@test "idmap: maps of the mount that are the container's, as Podman gives them" {
	user_namespace
	add_mount /m bind vol rbind rprivate nosuid nodev rw
	config '.mounts[-1] += {uidMappings: .linux.uidMappings, gidMappings: .linux.gidMappings}'
	owners
	[ "$output" = $'0:0\n1000:1000\n0:0' ]
	[ "$(stat -c %u:%g vol/new)" = 0:0 ]
	probe
	mount_of /m '.options | contains(["nosuid", "nodev"])'
}

@test "idmap: ridmap reaches what is mounted below, idmap does not" {
	user_namespace
	private_namespace
	in_private mkdir vol/sub
	in_private mount -t tmpfs -o mode=777 tmpfs vol/sub
	in_private touch vol/sub/file
	add_mount /r bind vol rbind ridmap
	add_mount /i bind vol rbind idmap
	args stat -c %u /r/sub/file /i/sub/file /r/root /i/root
	run rung run "$ID"
	if [[ $output == *'the filesystem may not know them'* ]]; then
		skip 'needs a kernel whose tmpfs knows idmapped mounts'
	fi
	[ "$output" = $'0\n65534\n0\n0' ]
}

@test "idmap: maps in the option, as crun has them" {
	user_namespace
	add_mount /m bind vol bind 'idmap=uids=1000-200005-1;gids=1000-200006-1'
	args stat -c %u:%g /m/user
	run -0 rung run "$ID"
	[ "$output" = 5:6 ]
	# With @ the second is an id of the container.
	config '.mounts[-1].options[1] = "idmap=uids=@1000-7-1;gids=@1000-8-1"'
	run -0 rung run "$ID"
	[ "$output" = 7:8 ]
}

@test "idmap: the mount is read-only and idmapped at once" {
	user_namespace
	add_mount /m bind vol bind idmap ro
	args sh -c 'exec 2>&1; stat -c %u /m/root; touch /m/x'
	run -1 rung run "$ID"
	[ "${lines[0]}" = 0 ]
	[[ ${lines[1]} == *'Read-only file system'* ]]
}

@test "idmap: a filesystem that does not know them is named" {
	user_namespace
	add_mount /m bind /sys/kernel rbind idmap
	run -1 rung run "$ID"
	[[ $output == *"mount $(last_mount) (/sys/kernel): idmapped mount: the filesystem may not know them: "*'invalid argument'* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "idmap: mistakes" {
	local row
	add_mount /m bind vol bind
	for row in '.uidMappings = [{containerID: 0, hostID: 0, size: 1}]|.gidMappings: missing' \
		'.gidMappings = [{containerID: 0, hostID: 0, size: 1}]|.uidMappings: missing' \
		'.options += ["idmap"]|.options[1]: idmap without a mapping' \
		'.options += ["idmap=uids=0-0;gids=0-0-1"]|.options: idmap: \"0-0\" is not A-B-N' \
		'.options += ["idmap=uids=0-0-1"]|.options: idmap: '; do
		cp config.json plain.json
		config ".mounts[-1]${row%%|*}"
		run -1 rung create "$ID"
		[[ $output == *"$(last_mount)${row#*|}"* ]]
		mv plain.json config.json
	done
	[ ! -e "$STATE/$ID" ]
}

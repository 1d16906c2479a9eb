#!/usr/bin/env bats
# root.path, the change of root, and what is left of the host's mounts.

load helpers

@test "rootfs: root.path relative to the bundle, absolute, and through symlinks (C007)" {
	ln -s rootfs link
	mkdir deep
	ln -s .. deep/up
	local path
	for path in rootfs "$BUNDLE/rootfs" ./rootfs/../rootfs link deep/up/link "$BUNDLE/deep/up/rootfs"; do
		config '.root.path = $p' --arg p "$path"
		args cat /marker
		echo "$path" >rootfs/marker
		run -0 rung run "$ID"
		[ "$output" = "$path" ]
	done
	args sleep 1000
	run -0 rung run -d "$ID"
	run -0 rung state "$ID"
	check '.rootfs == $b + "/rootfs"' --arg b "$BUNDLE"
}

@test "rootfs: the bundle by a symlink, as -b and as the current folder (C008)" {
	ln -s "$BUNDLE" "$BATS_TEST_TMPDIR/link"
	run -0 rung run -d -b "$BATS_TEST_TMPDIR/link" "$ID"
	cd "$BATS_TEST_TMPDIR/link"
	run -0 rung run -d "$ID-2"
	local id
	for id in "$ID" "$ID-2"; do
		run -0 rung state "$id"
		check '[.bundle, .rootfs] == [$b, $b + "/rootfs"]' --arg b "$BUNDLE"
	done
}

@test "rootfs: a root.path that is no directory is refused, and nothing left" {
	: >file
	ln -s nowhere dangling
	local row
	for row in 'missing:no such file or directory' 'dangling:no such file or directory' 'file:not a directory'; do
		config '.root.path = $p' --arg p "${row%%:*}"
		run -1 rung create "$ID"
		[[ $output == *"root.path"*"${row#*:}"* ]]
		[ ! -e "$STATE/$ID" ]
	done
}

@test "rootfs: a name with spaces, newlines and backslashes" {
	local name=$'a b\n\\040c'
	mv rootfs "$name"
	config '.root.path = $p' --arg p "$name"
	args echo ok
	run -0 rung run "$ID"
	[ "$output" = ok ]
	run -0 rung run --no-pivot "$ID"
	[ "$output" = ok ]
}

@test "rootfs: the mounts inside are the container's own, none of the host's is left" {
	private_namespace
	in_private mkdir host
	in_private mount -t tmpfs canary host
	args /bin/probe
	run -0 --separate-stderr rung run "$ID"
	check '[.mounts[] | select(.destination == "/")] | length == 1'
	check '[.mounts[] | select(.destination == "/")][0].root | endswith("/bundle/rootfs")'
	check '[.mounts[].source] | index("canary") == null'
	# Those of config.json, with what the paths to mask and the hierarchies add.
	check '([.mounts[].destination] - $given | map(select(test("^/proc/|^/sys/(firmware|fs/cgroup/)") | not))) == ["/"]' \
		--argjson given "$(jq -c '[.mounts[].destination]' config.json)"
	# Nor can it be reached: what is above the root is the root.
	args sh -c 'cd /; cd ../../..; ls -d bin/probe; ls ..; stat -c %i / /..'
	run -0 rung run "$ID"
	[ "${lines[0]}" = bin/probe ]
	[ "${lines[-1]}" = "${lines[-2]}" ]
	[[ $output != *bundle* ]]
}

@test "rootfs: mounts below root.path come along" {
	private_namespace
	in_private mount -t tmpfs tmpfs rootfs/home
	in_private touch rootfs/home/here
	args ls /home
	run -0 rung run "$ID"
	[ "$output" = here ]
}

@test "rootfs: root.path on a mount that is shared, or of its own" {
	private_namespace
	in_private mount --bind rootfs rootfs
	in_private mount --make-rshared rootfs
	local before
	before=$(cut -d' ' -f5 "/proc/$PRIVATE/mountinfo")
	args echo ok
	run -0 rung run "$ID"
	[ "$output" = ok ]
	[ "$(cut -d' ' -f5 "/proc/$PRIVATE/mountinfo")" = "$before" ]
}

@test "rootfs: --no-pivot: the host's files cannot be reached by path" {
	args sh -c 'ls -d /bin/probe; ls "$1"; cd /; cd ../../..; ls "$1"; ls -d proc/1' - "$BUNDLE/config.json"
	run -0 rung run --no-pivot "$ID"
	[ "${lines[0]}" = /bin/probe ]
	[[ ${lines[1]} == *'config.json: No such file'* ]]
	[[ ${lines[2]} == *'config.json: No such file'* ]]
	[ "${lines[3]}" = proc/1 ]
}

@test "rootfs: --no-pivot leaves no proc or sysfs of the host in the mount table" {
	probe --no-pivot
	check '[.mounts[] | select(.type == "proc" and .root == "/")] | length == 1'
	check '[.mounts[] | select(.type == "sysfs" and .root == "/")] | length == 1'
	probe # so a plain start does not either
	check '[.mounts[] | select(.type == "proc" and .root == "/")] | length == 1'
}

@test "rootfs: --no-pivot with create, and from a ramfs" {
	run -0 rung create --no-pivot "$ID"
	run -0 rung start "$ID"
	run -0 rung exec "$ID" ls -d /bin/probe
	[ "$output" = /bin/probe ]
	run -0 rung delete -f "$ID"

	# A root that cannot be pivoted from is none of a mount: as in an initramfs.
	private_namespace
	in_private mount -t ramfs ramfs rootfs/home
	in_private cp -a rootfs/bin rootfs/proc rootfs/dev rootfs/sys rootfs/home/
	config '.root.path = "rootfs/home"'
	args echo ok
	run -0 rung run --no-pivot "$ID"
	[ "$output" = ok ]
}

# host_mounts: a container without a mount namespace of its own.
host_mounts() {
	config '.linux.namespaces |= map(select(.type != "mount")) | .mounts = []
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
}

@test "rootfs: without a mount namespace it is a chroot, and nothing is mounted" {
	private_namespace
	host_mounts
	local before
	before=$(cut -d' ' -f3- "/proc/$PRIVATE/mountinfo")
	args sh -c 'ls -d /bin/probe; ls "$1"; cd ../../..; ls -d bin/probe; stat -c %t:%T /dev/null' - "$BUNDLE/config.json"
	run -0 rung run "$ID"
	[ "${lines[0]}" = /bin/probe ]
	[[ ${lines[1]} == *'config.json: No such file'* ]]
	[ "${lines[2]}" = bin/probe ]
	[ "${lines[3]}" = 1:3 ]
	args sleep 1000
	run -0 rung run -d "$ID"
	[ "$(readlink "/proc/$(host_pid "$ID")/ns/mnt")" = "$(readlink "/proc/$PRIVATE/ns/mnt")" ]
	[ "$(readlink "/proc/$(host_pid "$ID")/root")" = "$BUNDLE/rootfs" ]
	[ "$(cut -d' ' -f3- "/proc/$PRIVATE/mountinfo")" = "$before" ]
}

@test "rootfs: without a mount namespace nothing that would change the host's mounts" {
	private_namespace
	local row before
	before=$(cut -d' ' -f3- "/proc/$PRIVATE/mountinfo")
	host_mounts
	cp config.json plain.json
	for row in 'mounts: .mounts = [{destination: "/m", type: "tmpfs", source: "tmpfs"}]' \
		'root.readonly: .root.readonly = true' \
		'linux.rootfsPropagation: .linux.rootfsPropagation = "shared"' \
		'linux.maskedPaths: .linux.maskedPaths = ["/bin"]' \
		'linux.readonlyPaths: .linux.readonlyPaths = ["/bin"]'; do
		cp plain.json config.json
		config "${row#*: }"
		run -1 rung create "$ID"
		[[ $output == *"${row%%: *}: the host's "*" would change"*'linux.namespaces'* ]]
		[ ! -e "$STATE/$ID" ]
	done
	[ "$(cut -d' ' -f3- "/proc/$PRIVATE/mountinfo")" = "$before" ]
}

@test "rootfs: a mount namespace by path is joined, and the container's mounts are in it" {
	private_namespace
	config '(.linux.namespaces[] | select(.type == "mount")).path = $p' --arg p "/proc/$PRIVATE/ns/mnt"
	args sh -c 'ls -d /bin/probe; grep -c " /proc " /proc/mounts'
	# The binary itself is outside: only the container is in that namespace.
	RUNG=$BIN/rung run -0 rung run "$ID"
	[ "${lines[0]}" = /bin/probe ]
}

@test "rootfs: a folder that the user namespace may not enter is named" {
	user_namespace
	mkdir -m 700 closed
	mv rootfs closed/
	config '.root.path = "closed/rootfs"'
	args echo ok
	run -1 rung run "$ID"
	[[ $output == *"root.path ($BUNDLE/closed/rootfs): open $BUNDLE/closed/rootfs: permission denied"* ]]
	[ ! -e "$STATE/$ID" ]
	chmod 711 closed
	run -0 rung run "$ID"
	[ "$output" = ok ]
}

#!/usr/bin/env bats
# mounts and root, as the container sees them in its mountinfo.

load helpers

# mount_of DESTINATION FILTER holds for the topmost mount there.
mount_of() {
	check '[.mounts[] | select(.destination == $d)][-1] | '"$2" --arg d "$1"
}

@test "mounts: a directory and a file are bound, with their options" {
	mkdir -p source/sub
	echo text >source/file
	config '.mounts += [{destination: "/dir", type: "bind", source: "'"$BUNDLE"'/source", options: ["rbind", "ro", "nosuid", "nodev", "noexec"]}]'
	config '.mounts += [{destination: "/a/b/file", type: "none", source: "source/file", options: ["bind"]}]'
	probe
	mount_of /dir '.options | contains(["ro", "nosuid", "nodev", "noexec"])'
	mount_of /a/b/file '.root | endswith("/source/file")'
	args cat /a/b/file
	run -0 rung run "$ID"
	[ "$output" = text ]
}

@test "mounts: a source that is not there is named, and nothing is left" {
	config '.mounts += [{destination: "/m", type: "bind", source: "/no/such/source", options: ["bind"]}]'
	local n
	n=$(jq '.mounts | length - 1' config.json)
	run -1 rung run "$ID"
	[[ $output == *"mount mounts[$n] (/m): open_tree /no/such/source: no such file or directory"* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "mounts: options of a filesystem are refused on a bind" {
	config '.mounts += [{destination: "/m", type: "bind", source: "/tmp", options: ["bind", "size=10m"]}]'
	local n
	n=$(jq '.mounts | length - 1' config.json)
	run -1 rung run "$ID"
	[[ $output == *"mounts[$n].options: "*'size=10m'*': a bind mount takes no filesystem options'* ]]
}

@test "mounts: a new filesystem with its options and mode, the same at each start" {
	config '.mounts += [{destination: "/t", type: "tmpfs", source: "tmpfs", options: ["size=64k", "mode=750", "nosuid", "strictatime"]},
		{destination: "/test//made", type: "tmpfs", source: "tmpfs"}]'
	args sh -c 'stat -c %a /t /test/made; grep " /t " /proc/mounts'

	for _ in 1 2; do
		run -0 rung run "$ID"
		[ "${lines[0]}" = 750 ]
		[ "${lines[1]}" = 1777 ]
		[[ ${lines[2]} == 'tmpfs /t tmpfs rw,nosuid,size=64k,mode=750'* ]]
	done
}

@test "mounts: an option or a type that the kernel does not know" {
	config '.mounts += [{destination: "/t", type: "tmpfs", source: "tmpfs", options: ["nonsense=1"]}]'
	run -1 rung run "$ID"
	[[ $output == *'(/t): '*nonsense* ]]
	config '.mounts[-1] = {destination: "/t", type: "nofs", source: "x"}'
	run -1 rung run "$ID"
	[[ $output == *'(/t): '*'no such device'* ]]
}

@test "mounts: a read-only tmpfs, filled with what it covers" {
	mkdir -p rootfs/etc/d
	echo kept >rootfs/etc/d/file
	chmod 640 rootfs/etc/d/file
	config '.mounts += [{destination: "/etc", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "ro"]}]'
	args sh -c 'cat /etc/d/file; stat -c %a /etc/d/file; touch /etc/new || echo refused'
	run -0 --separate-stderr rung run "$ID"
	[ "$output" = $'kept\n640\nrefused' ]
}

@test "mounts: recursive attributes reach what is mounted below" {
	private_mounts bash -ec '
		mkdir s && mount -t tmpfs s s && mkdir s/sub && mount -t tmpfs sub s/sub
		jq ".mounts += [{destination: \"/m\", type: \"bind\", source: \"$PWD/s\", options: [\"rbind\", \"rro\", \"rnoatime\"]}]
			| .process.args = [\"grep\", \" /m\", \"/proc/mounts\"]" config.json >c && mv c config.json
		"$RUNG" --root "$0" run "$1" </dev/null >out 2>err || { cat err; exit 1; }
	' "$STATE" "$ID"
	[ "$(grep -c 'ro,noatime' out)" -eq 2 ]
}

@test "mounts: a FIFO is bound without being opened" {
	mkfifo fifo
	config '.mounts += [{destination: "/fifo", type: "bind", source: "fifo", options: ["bind", "ro"]}]'
	args sh -c 'test -p /fifo && echo fifo'
	RUNG_TIMEOUT=10 run -0 rung run "$ID"
	[ "$output" = fifo ]
}

@test "mounts: destinations stay inside the root, whatever links say" {
	mkdir outside
	ln -s "$BUNDLE/outside" rootfs/absolute
	ln -s "../../../../../../..$BUNDLE/outside" rootfs/relative
	config '.mounts += [{destination: "/absolute/x", type: "tmpfs", source: "tmpfs"}, {destination: "/relative/y", type: "tmpfs", source: "tmpfs"}]'
	args true
	run rung run "$ID"
	[ -z "$(ls -A outside)" ]
}

@test "mounts: /dev that is a link to a directory of the host" {
	rmdir rootfs/dev
	mkdir evil
	ln -s "$BUNDLE/evil" rootfs/dev
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	args true
	run rung run "$ID"
	[ -z "$(ls -A evil)" ]
}

@test "mounts: proc on a link is refused" {
	rmdir rootfs/proc
	mkdir rootfs/elsewhere
	ln -s /elsewhere rootfs/proc
	run -1 rung run "$ID"
	[[ $output == *'(/proc): '*'must be mounted on ordinary directory'* ]]
}

@test "mounts: only the container's mounts are seen, and the old root is gone" {
	probe
	check '[.mounts[].destination] | sort | unique == ([.[]] | sort | unique)'
	check '[.mounts[] | select(.destination == "/")] | length == 1'
	check '.mounts | map(select(.root | contains("/home") or contains("/var"))) | length == 0'
	check '.mounts | map(.destination) | all(test("^/($|proc|dev|sys)"))'
}

@test "mounts: propagation of the root is as asked" {
	probe
	mount_of / '.propagation | map(select(startswith("shared"))) == []'
	config '.linux.rootfsPropagation = "shared"'
	probe
	mount_of / '.propagation | map(select(startswith("shared"))) | length == 1'
}

@test "mounts: a volume that is rshared passes mounts on to the host" {
	private_mounts bash -ec '
		mkdir s && mount --bind s s && mount --make-rshared s
		jq ".mounts += [{destination: \"/s\", type: \"bind\", source: \"$PWD/s\", options: [\"rbind\", \"rshared\"]}]
			| .linux.rootfsPropagation = \"rshared\"
			| .process.capabilities |= with_entries(.value += [\"CAP_SYS_ADMIN\"])
			| .process.args = [\"sh\", \"-c\", \"mkdir /s/in; mount -t tmpfs t /s/in\"]" config.json >c && mv c config.json
		"$RUNG" --root "$0" run "$1" </dev/null >out 2>err || { cat err; exit 1; }
		grep -q "$PWD/s/in" /proc/self/mountinfo
	' "$STATE" "$ID"
}

@test "mounts: default devices, links, and those of the configuration" {
	config '.linux.devices = [{path: "/dev/md/x", type: "c", major: 1, minor: 3, fileMode: 438, uid: 5, gid: 6},
		{path: "/dev/pipe", type: "p", fileMode: 384}]'
	args sh -c 'for d in null zero full random urandom tty md/x pipe; do stat -c "%n %F %a %u %t:%T" /dev/$d; done
		for l in ptmx fd stdin stdout stderr core; do readlink /dev/$l; done; stat -c %a /dev/md'
	umask 077
	run -0 rung run "$ID"
	[ "${lines[0]}" = '/dev/null character special file 666 0 1:3' ]
	[ "${lines[5]}" = '/dev/tty character special file 666 0 5:0' ]
	[ "${lines[6]}" = '/dev/md/x character special file 666 5 1:3' ]
	[[ ${lines[7]} == '/dev/pipe fifo 600 0 '* ]]
	[ "${lines[8]}" = pts/ptmx ]
	[ "${lines[13]}" = /proc/kcore ]
	[ "${lines[14]}" = 755 ]
}

@test "mounts: masked and read-only paths" {
	mkdir -p rootfs/secret rootfs/fixed
	echo key >rootfs/secret/key
	echo text >rootfs/fixed/file
	echo hidden >rootfs/one
	config '.linux.maskedPaths += ["/secret", "/one", "/not/there"] | .linux.readonlyPaths += ["/fixed", "/not/there/either"]'
	args sh -c 'ls -A /secret; cat /one; touch /secret/new || echo masked; echo x > /fixed/file || echo fixed; cat /fixed/file'
	run -0 --separate-stderr rung run "$ID"
	[ "$output" = $'masked\nfixed\ntext' ]
}

@test "mounts: a read-only root" {
	config '.root.readonly = true'
	args sh -c 'touch /x || echo refused; touch /dev/shm/x && echo allowed'
	run -0 --separate-stderr rung run "$ID"
	[ "$output" = $'refused\nallowed' ]
}

@test "mounts: root.path through links, and the bundle by a link" {
	ln -s rootfs rl
	config '.root.path = "rl"'
	ln -s "$BUNDLE" "$BATS_TEST_TMPDIR/link"
	run -0 rung run -d -b "$BATS_TEST_TMPDIR/link" "$ID"
	run -0 rung state "$ID"
	check '.bundle == $b and .rootfs == $b + "/rootfs"' --arg b "$BUNDLE"
}

@test "mounts: --no-pivot" {
	args sh -c 'ls -d /bin; ls "$1"' - "$BUNDLE/config.json"
	run rung run --no-pivot "$ID"
	[ "${lines[0]}" = /bin ]
	[[ $output == *'config.json: No such file'* ]]
}

@test "mounts: cgroups are seen from the container's own" {
	require cgroup_v1 controller:memory
	args sh -c 'cat /sys/fs/cgroup/memory/cgroup.procs; ls -d /sys/fs/cgroup/systemd; mkdir /sys/fs/cgroup/memory/x || echo read-only'
	run -0 --separate-stderr rung run "$ID"
	[ "${lines[0]}" = 1 ]
	[[ $output == *read-only ]]
}

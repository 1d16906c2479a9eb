#!/usr/bin/env bats
# root.readonly and linux.readonlyPaths: what can only be read.

load helpers

@test "readonly: the root cannot be written to, mounts on it can" {
	config '.root.readonly = true'
	probe
	mount_of / '.options | index("ro") != null'
	args sh -c 'touch /x; touch /etc/passwd; touch /dev/shm/x && echo allowed'
	run -0 rung run "$ID"
	[[ ${lines[0]} == *'Read-only file system'* ]]
	[[ ${lines[1]} == *'Read-only file system'* ]]
	[ "${lines[2]}" = allowed ]
	touch rootfs/here # on the host it can
}

@test "readonly: the root, for exec and for remounting as well" {
	config '.root.readonly = true'
	run -0 rung run -d "$ID"
	run -1 rung exec "$ID" touch /x
	[[ $output == *'Read-only file system'* ]]
	run -1 rung exec "$ID" mount -o remount,rw /
	[[ $output == *'not permitted'* || $output == *'denied'* ]]
}

@test "readonly: mount points and devices are made in a root that becomes read-only" {
	config '.root.readonly = true | .linux.devices = [{path: "/node/x", type: "p"}] | .process.cwd = "/made/cwd"'
	add_mount /new/mount tmpfs tmpfs
	args sh -c 'pwd; test -p /node/x && touch /new/mount/x && echo all'
	run -0 rung run "$ID"
	[ "$output" = $'/made/cwd\nall' ]
}

@test "readonly: without root.readonly the root can be written to" {
	args touch /written
	run -0 rung run "$ID"
	[ -e rootfs/written ]
}

@test "readonly: paths: a file and a directory, what is beside them not" {
	mkdir -p rootfs/fixed/sub
	echo text >rootfs/fixed/file
	echo text >rootfs/file
	config '.linux.readonlyPaths += ["/fixed", "/file", "/not/there", "/file/below"]'
	args sh -c 'touch /fixed/sub/new; echo x >/fixed/file; echo x >>/file; cat /fixed/file /file; touch /beside && echo beside'
	run -0 rung run "$ID"
	[ "$(grep -c 'Read-only file system' <<<"$output")" = 3 ]
	[ "${lines[*]:3}" = 'text text beside' ]
}

@test "readonly: paths of /proc and /sys, as the default configuration has it" {
	# The owner may write; the mount alone is in the way. What is written would
	# be refused by the kernel.
	args sh -c 'echo x >/proc/sys/vm/swappiness; echo x >/proc/irq/default_smp_affinity; ls /proc/sys/vm/swappiness'
	run -0 rung run "$ID"
	[[ ${lines[0]} == *'Read-only file system'* ]]
	[[ ${lines[1]} == *'Read-only file system'* ]]
	[ "${lines[2]}" = /proc/sys/vm/swappiness ]
}

@test "readonly: paths: a writable mount below one stays writable" {
	mkdir -p rootfs/fixed
	add_mount /fixed/rw tmpfs tmpfs
	config '.linux.readonlyPaths += ["/fixed"]'
	args sh -c 'touch /fixed/rw/x && echo written; touch /fixed/x'
	run -1 rung run "$ID"
	[ "${lines[0]}" = written ]
	[[ ${lines[1]} == *'Read-only file system'* ]]
}

@test "readonly: paths keep the other options of the mount they lie in" {
	add_mount /m tmpfs tmpfs nosuid nodev noexec
	add_mount /m/d tmpfs tmpfs nosuid
	config '.linux.readonlyPaths += ["/m/d"]'
	probe
	mount_of /m/d '.options | sort == ["nosuid", "relatime", "ro"]'
	mount_of /m '.options | index("rw") != null'
}

@test "readonly: paths: a symlink is followed inside the root" {
	mkdir -p rootfs/real outside
	ln -s /real rootfs/link
	ln -s "$BUNDLE/outside" rootfs/out
	config '.linux.readonlyPaths += ["/link", "/out"]'
	args touch /real/x
	run -1 rung run "$ID"
	[[ $output == *'Read-only file system'* ]]
	touch outside/x
}

@test "readonly: paths in a user namespace" {
	user_namespace
	mkdir rootfs/fixed
	chown 200000:200000 rootfs/fixed
	config '.linux.readonlyPaths += ["/fixed"]'
	args sh -c 'touch /fixed/x; echo x >/proc/sys/kernel/hostname'
	run -1 rung run "$ID"
	[ "$(grep -c 'Read-only file system' <<<"$output")" = 2 ]
}

@test "readonly: paths of a rootless container with the host's pids and /proc (C013)" {
	user_bundle
	config '.linux.namespaces |= map(select(.type != "pid"))
		| .mounts |= map(if .destination == "/proc"
			then {destination: "/proc", type: "none", source: "/proc", options: ["rbind", "nosuid", "nodev", "noexec"]} else . end)'
	args /bin/probe
	run -0 --separate-stderr user_rung run "$ID"
	check '[.mounts[] | select(.destination == ("/proc/sys", "/proc/bus", "/proc/irq")) | .options | index("ro") != null] == [true, true, true]'
}

@test "readonly: paths that are not absolute" {
	config '.linux.readonlyPaths = ["relative"]'
	run -1 rung create "$ID"
	[[ $output == *"linux.readonlyPaths[0]: "*absolute* ]]
	[ ! -e "$STATE/$ID" ]
}

#!/usr/bin/env bats
# linux.devices, the default devices and the links beside them.

load helpers

# nodes PATH...: what the container's nodes are.
nodes() {
	args stat -c '%n %F %a %u:%g %t:%T' "$@"
	run -0 rung run "$ID"
}

@test "devices: the default ones, whatever the umask" {
	umask 077
	nodes /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty
	[ "${lines[0]}" = '/dev/null character special file 666 0:0 1:3' ]
	[ "${lines[1]}" = '/dev/zero character special file 666 0:0 1:5' ]
	[ "${lines[2]}" = '/dev/full character special file 666 0:0 1:7' ]
	[ "${lines[3]}" = '/dev/random character special file 666 0:0 1:8' ]
	[ "${lines[4]}" = '/dev/urandom character special file 666 0:0 1:9' ]
	[ "${lines[5]}" = '/dev/tty character special file 666 0:0 5:0' ]
}

@test "devices: the default ones work" {
	args sh -c 'echo x >/dev/null && head -c 3 /dev/zero | od -An -tx1 && head -c 8 /dev/urandom | wc -c; echo x >/dev/full || echo full'
	run -0 --separate-stderr rung run "$ID"
	[ "${lines[0]}" = ' 00 00 00' ]
	[ "${lines[1]}" = 8 ]
	[ "${lines[2]}" = full ]
}

@test "devices: the links" {
	args sh -c 'cd /dev; for l in ptmx fd stdin stdout stderr core; do echo "$l $(readlink $l)"; done'
	run -0 rung run "$ID"
	[ "$output" = 'ptmx pts/ptmx
fd /proc/self/fd
stdin /proc/self/fd/0
stdout /proc/self/fd/1
stderr /proc/self/fd/2
core /proc/kcore' ]
}

@test "devices: a link that the image has stays, but for ptmx" {
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	ln -s /elsewhere rootfs/dev/core
	ln -s /elsewhere rootfs/dev/ptmx
	args sh -c 'readlink /dev/core; readlink /dev/ptmx'
	run -0 rung run "$ID"
	[ "$output" = $'/elsewhere\npts/ptmx' ]
}

@test "devices: configured ones, of each type, with owner and mode" {
	config '.linux.devices = [
		{path: "/dev/char", type: "c", major: 1, minor: 3, fileMode: 416, uid: 5, gid: 6},
		{path: "/dev/raw", type: "u", major: 1, minor: 5},
		{path: "/dev/block", type: "b", major: 7, minor: 300, fileMode: 384},
		{path: "/dev/pipe", type: "p", fileMode: 438, gid: 7},
		{path: "/outside/of/dev", type: "c", major: 1, minor: 7, fileMode: 2541}]'
	umask 077
	nodes /dev/char /dev/raw /dev/block /dev/pipe /outside/of/dev
	[ "${lines[0]}" = '/dev/char character special file 640 5:6 1:3' ]
	[ "${lines[1]}" = '/dev/raw character special file 666 0:0 1:5' ]
	[ "${lines[2]}" = '/dev/block block special file 600 0:0 7:12c' ]
	[[ ${lines[3]} == '/dev/pipe fifo 666 0:7 '* ]]
	[ "${lines[4]}" = '/outside/of/dev character special file 4755 0:0 1:7' ]
}

@test "devices: a FIFO carries data" {
	config '.linux.devices = [{path: "/dev/pipe", type: "p"}]'
	args sh -c 'echo through >/dev/pipe & cat /dev/pipe'
	RUNG_TIMEOUT=10 run -0 rung run "$ID"
	[ "$output" = through ]
}

@test "devices: what is made above them is 0755, another user reaches them (C031)" {
	config '.linux.devices = [{path: "/dev/md/x", type: "c", major: 1, minor: 3, fileMode: 438, uid: 0, gid: 0}]
		| .process.user = {uid: 1000, gid: 1000}'
	args sh -c 'stat -c %a /dev/md; ls /dev/md; echo >/dev/md/x && echo written'
	umask 077
	run -0 rung run "$ID"
	[ "$output" = $'755\nx\nwritten' ]
}

@test "devices: a configured one takes the place of a default" {
	config '.linux.devices = [{path: "/dev/tty", type: "c", major: 5, minor: 0, fileMode: 384, gid: 5}]'
	nodes /dev/tty
	[ "$output" = '/dev/tty character special file 600 0:5 5:0' ]
}

@test "devices: one that is listed twice is made once" {
	config '[{path: "/dev/x", type: "c", major: 1, minor: 3}] as $d | .linux.devices = $d + $d'
	nodes /dev/x
	[ "$output" = '/dev/x character special file 666 0:0 1:3' ]
	config '.linux.devices[1].minor = 5'
	run -1 rung create "$ID"
	[[ $output == *'linux.devices[1].path: '*'is another device in linux.devices[0]'* ]]
}

@test "devices: a configured ptmx does not take the place of the container's" {
	config '.linux.devices = [{path: "/dev/ptmx", type: "c", major: 5, minor: 2}]'
	args readlink /dev/ptmx
	run -0 rung run "$ID"
	[ "$output" = pts/ptmx ]
}

@test "devices: what the image has is kept if it is the device, else refused" {
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	mknod -m 600 rootfs/dev/null c 1 3
	nodes /dev/null /dev/zero
	[ "${lines[0]}" = '/dev/null character special file 600 0:0 1:3' ]
	[ "${lines[1]}" = '/dev/zero character special file 666 0:0 1:5' ]
	# Again, on what the first start left.
	run -0 rung run "$ID"

	rm rootfs/dev/null
	mknod rootfs/dev/null c 1 5
	run -1 rung run "$ID"
	[[ $output == *'(/dev/null): '*'exists, and is not device 1:3'* ]]
	rm rootfs/dev/null
	mkdir rootfs/dev/null
	run -1 rung run "$ID"
	[[ $output == *'(/dev/null): '*'exists, and is not device 1:3'* ]]
	rmdir rootfs/dev/null
	ln -s /etc/passwd rootfs/dev/null
	run -1 rung run "$ID"
	[[ $output == *'(/dev/null): '*'is a symbolic link'* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "devices: a /dev that is bound stays as it is" {
	mkdir -p dev/pts dev/shm dev/mqueue
	config '.mounts |= map(if .destination == "/dev" then {destination: "/dev", type: "bind", source: "dev", options: ["rbind"]} else . end)
		| .linux.devices = [{path: "/dev/new", type: "c", major: 1, minor: 3}] | .linux.maskedPaths = []'
	args ls /dev
	run -0 rung run "$ID"
	[ "$output" = $'mqueue\npts\nshm' ]
	[ "$(ls -A dev)" = $'mqueue\npts\nshm' ]
}

@test "devices: a read-only /dev has them all the same" {
	config '(.mounts[] | select(.destination == "/dev") | .options) += ["ro"]
		| .linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 3}]'
	args sh -c 'ls /dev/x; touch /dev/y || echo read-only'
	run -0 --separate-stderr rung run "$ID"
	[ "$output" = $'/dev/x\nread-only' ]
}

@test "devices: in a user namespace they are the host's, bound" {
	user_namespace
	args sh -c 'echo x >/dev/null && head -c 2 /dev/zero | wc -c && stat -c "%t:%T" /dev/null && grep -c " /dev/null " /proc/self/mountinfo'
	run -0 rung run "$ID"
	[ "$output" = $'2\n1:3\n1' ]
	# One that the host does not have at that path is not to be had.
	config '.linux.devices = [{path: "/dev/not-there", type: "c", major: 1, minor: 3}]'
	run -1 rung run "$ID"
	[[ $output == *'linux.devices[0] (/dev/not-there): mknod /dev/not-there: operation not permitted; in its place the host'*'no such file or directory'* ]]
}

@test "devices: mistakes name their field" {
	local row
	for row in '{path: "/dev/x", type: "x"}|linux.devices[0].type: unknown type' \
		'{path: "dev/x", type: "c", major: 1, minor: 3}|linux.devices[0].path: ' \
		'{path: "/dev/x", type: "c", major: -1, minor: 3}|linux.devices[0].major: -1 is out of range' \
		'{path: "/dev/x", type: "c", major: 1, minor: 1048576}|linux.devices[0].minor: 1048576 is out of range' \
		'{type: "c", major: 1, minor: 3}|linux.devices[0].path: '; do
		config ".linux.devices = [${row%%|*}]"
		run -1 rung create "$ID"
		[[ $output == *"${row#*|}"* ]]
	done
	config '.linux.devices = [{path: "/dev/shm", type: "c", major: 1, minor: 3}]'
	run -1 rung create "$ID"
	[[ $output == *'linux.devices[0] (/dev/shm): '*'exists, and is not device 1:3'* ]]
	[ ! -e "$STATE/$ID" ]
}

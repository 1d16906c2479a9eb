#!/usr/bin/env bats
# linux.maskedPaths: what is hidden from the container.

load helpers

@test "mask: a masked directory is empty and read-only" {
	install -D /dev/null rootfs/secret/key
	config '.linux.maskedPaths += ["/secret"]'
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" ls -A /secret
	[ -z "$output" ]
	run -1 rung exec "$ID" touch /secret/new
	[[ $output == *'Read-only file system'* ]]
}

@test "mask: a masked file is the null device, and cannot be written through" {
	echo key >rootfs/secret
	mkfifo rootfs/pipe
	config '.linux.maskedPaths += ["/secret", "/pipe"]'
	args sh -c 'stat -c "%F %t:%T" /secret /pipe; cat /secret; echo changed >/secret; cat /pipe'
	RUNG_TIMEOUT=10 run -0 rung run "$ID"
	[ "$output" = $'character special file 1:3\ncharacter special file 1:3' ]
	[ "$(<rootfs/secret)" = key ]
}

@test "mask: what is not there is no mistake" {
	: >rootfs/file
	config '.linux.maskedPaths += ["/not/there", "/file/below"]'
	args sh -c 'ls -d /not || echo absent'
	run -0 --separate-stderr rung run "$ID"
	[ "$output" = absent ]
}

@test "mask: a symlink is followed inside the root" {
	install -D -m 644 <(echo key) rootfs/real/key
	echo canary >canary
	ln -s /real/key rootfs/link
	ln -s "$BUNDLE/canary" rootfs/out
	config '.linux.maskedPaths += ["/link", "/out"]'
	args cat /real/key
	run -0 rung run "$ID"
	[ -z "$output" ]
	[ "$(<canary)" = canary ]
}

@test "mask: of /proc and /sys, as the default configuration has it" {
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" sh -c 'ls -A /proc/acpi /sys/firmware; stat -c "%t:%T" /proc/keys /proc/timer_list; cat /proc/keys'
	[[ $output != *ACPI* ]]
	[[ $output == *$'1:3\n1:3' ]]
	grep -q . /proc/keys # here there is something to hide
}

@test "mask: paths behind a mount of the configuration are those of the mount" {
	install -D -m 644 <(echo key) volume/key
	add_mount /v bind volume bind
	config '.linux.maskedPaths += ["/v/key"]'
	args cat /v/key
	run -0 rung run "$ID"
	[ -z "$output" ]
	[ "$(<volume/key)" = key ]
}

@test "mask: a hundred directories share one filesystem (C149)" {
	local i
	for i in {1..100}; do
		install -D /dev/null "rootfs/m/$i/file"
	done
	config '.linux.maskedPaths += [range(1; 101) | "/m/\(.)"]'
	args sh -c 'grep " /m/" /proc/self/mountinfo | cut -d" " -f3 | sort -u | wc -l; grep -c " /m/" /proc/self/mountinfo; ls -A /m/1 /m/100 | grep -c file; touch /m/100/x'
	run -1 rung run "$ID"
	[ "${lines[0]}" -le 2 ]
	[ "${lines[1]}" = 100 ]
	[ "${lines[2]}" = 0 ]
	[[ ${lines[3]} == *'Read-only file system'* ]]
}

@test "mask: exec sees the masks, too" {
	echo key >rootfs/secret
	config '.linux.maskedPaths += ["/secret"] | .process.capabilities[] += ["CAP_DAC_OVERRIDE"]'
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" cat /secret
	[ -z "$output" ]
	run -0 rung exec "$ID" /bin/probe open /secret rt
	check '.ret >= 0'
	[ "$(<rootfs/secret)" = key ]
}

@test "mask: a masked path cannot be unmounted without the capability" {
	echo key >rootfs/secret
	config '.linux.maskedPaths += ["/secret"]'
	args umount /secret
	run -1 rung run "$ID"
	[[ $output == *'not permitted'* ]]
}

@test "mask: in a user namespace" {
	user_namespace
	echo key >rootfs/secret
	install -D /dev/null rootfs/dir/key
	chown -R 200000:200000 rootfs/secret rootfs/dir
	config '.linux.maskedPaths += ["/secret", "/dir"]'
	args sh -c 'cat /secret; ls -A /dir; touch /dir/x || echo read-only'
	run -0 --separate-stderr rung run "$ID"
	[ "$output" = read-only ]
}

@test "mask: paths that are not absolute, or in a mount namespace that is the host's" {
	config '.linux.maskedPaths += ["relative"]'
	local n
	n=$(jq '.linux.maskedPaths | length - 1' config.json)
	run -1 rung create "$ID"
	[[ $output == *"linux.maskedPaths[$n]: "*absolute* ]]
	config 'del(.linux.maskedPaths[-1]) | .linux.namespaces |= map(select(.type != "mount")) | .mounts = []
		| .linux.readonlyPaths = []'
	run -1 private_mounts "$RUNG" --root "$STATE" create "$ID"
	[[ $output == *'linux.maskedPaths: '*"the host's paths would change"* ]]
	[ ! -e "$STATE/$ID" ]
}

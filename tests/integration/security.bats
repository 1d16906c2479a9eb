#!/usr/bin/env bats
# Attacks from inside: on the runtime's executable, on descriptors that it holds,
# on paths while they are being mounted on. The binary is a copy of the test's
# own, since an attack that succeeds overwrites it.

load helpers

setup_file() {
	[[ $EUID -ne 0 ]] || gcc -std=gnu11 -O2 -static -o "$BATS_FILE_TMPDIR/attack" "$BATS_TEST_DIRNAME/attack.c"
}

setup() {
	new_bundle
	cp "$BATS_FILE_TMPDIR/attack" rootfs/bin/
	cp "$RUNG" "$BATS_TEST_TMPDIR/rung"
	RUNG=$BATS_TEST_TMPDIR/rung
	SUM=$(sha256sum <"$RUNG")
}

# strong gives the container every capability that we have: what is refused
# must not be refused for want of one.
strong() {
	config '.process.capabilities |= map_values($held)' \
		--argjson held "$("$BIN/probe" | jq -c .capabilities.bounding)"
}

# refused OUTPUT: attacks were made, and none worked.
refused() {
	echo "$1"
	[ "$(grep -cE ' E[A-Z]+$' <<<"$1")" -ge 14 ]
	[[ $1 != *written* && $1 != *'cannot be reached'* ]]
}

unchanged() {
	[ "$(sha256sum <"$RUNG")" = "$SUM" ]
	[ "$(stat -c %a "$RUNG")" = 755 ]
}

# --- the executable (CVE-2019-5736) ---

@test "security: the attacks work on a file that is not sealed" {
	strong
	cp "$BIN/probe" rootfs/bin/victim
	: >rootfs/attack.target
	run -0 rung run -d "$ID"
	run -1 rung exec "$ID" attack exe /bin/victim
	echo "$output"
	local name
	for name in write read-write append 'truncating open' truncate chmod chown times setxattr link bind; do
		[[ $'\n'$output$'\n' == *$'\n'"$name written"$'\n'* ]]
	done
}

@test "security: the executable of an init that waits for its start is sealed" {
	strong
	: >rootfs/attack.target
	run -0 rung create "$ID"
	# It is reached: these are the very bytes.
	run -0 rung exec "$ID" sha256sum /proc/1/exe
	[ "${output%% *}" = "${SUM%% *}" ]
	run rung exec "$ID" attack exe /proc/1/exe
	refused "$output"
	unchanged
	run -0 rung start "$ID"
}

@test "security: the executable stays sealed for a handle that is kept until it runs no more" {
	strong
	: >rootfs/attack.target
	run -0 rung create "$ID"
	run -0 rung exec -d "$ID" sh -c 'exec 9</proc/1/exe; touch /holding
		while [ ! -e /go ]; do sleep 0.02; done; attack exe /proc/self/fd/9 >/result; touch /done'
	wait_for 5 test -e rootfs/holding
	run -0 rung start "$ID"
	wait_for 5 runs "$(host_pid "$ID")" sleep
	touch rootfs/go
	wait_for 5 test -e rootfs/done
	refused "$(<rootfs/result)"
	# Not for being busy: it is not.
	grep -qx 'write EROFS' rootfs/result
	unchanged
}

runs() { # PID NAME
	[[ $(tr '\0' ' ' <"/proc/$1/cmdline") == "$2 "* ]]
}

@test "security: the executable is sealed in every process that exec starts" {
	strong
	: >rootfs/attack.target
	printf '#!/proc/self/exe\n' >rootfs/bin/loop
	chmod 755 rootfs/bin/loop
	run -0 rung run -d "$ID"
	run -0 rung exec -d "$ID" sh -c 'attack hunt 60 >/result 2>&1; touch /done'
	local n
	for n in {1..20}; do
		run -0 rung exec "$ID" true
		# The interpreter of this one is what executes it: the runtime.
		RUNG_TIMEOUT=10 run rung exec "$ID" loop
		[ "$status" -ne 0 ]
	done
	touch rootfs/attack.stop
	wait_for 10 test -e rootfs/done
	run cat rootfs/result
	((${lines[-1]#caught } > 0))
	run grep -h written rootfs/result
	[ -z "$output" ]
	unchanged
}

# Where /proc/sys/fs/suid_dumpable is 1, a change of ids alone would let them in.
@test "security: what exec starts for a user is out of reach of that user's own processes" {
	install -d -m 0777 rootfs/out
	config '.process.user = {uid: 1000, gid: 1000} | .process.capabilities = {}'
	run -0 rung run -d "$ID"
	run -0 rung exec -d "$ID" sh -c 'attack hunt 60 >/out/result 2>&1; touch /out/done'
	local n
	for n in {1..20}; do
		run -0 rung exec "$ID" true
	done
	touch rootfs/attack.stop
	wait_for 10 test -e rootfs/out/done
	[ "$(<rootfs/out/result)" = 'caught 0' ]
}

@test "security: an entrypoint that is /proc/self/exe does not start the runtime over" {
	strong
	printf '#!/proc/self/exe\n' >rootfs/bin/loop
	chmod 755 rootfs/bin/loop
	local command
	for command in '["loop"]' '["/proc/self/exe"]' '["/proc/self/exe", "init"]'; do
		config ".process.args = $command"
		RUNG_TIMEOUT=10 run rung run "$ID"
		[ "$status" -ne 124 ]
		[[ $output != *goroutine* ]]
		[ ! -e "$STATE/$ID" ]
	done
	unchanged
}

@test "security: the executable is sealed for a user's own runtime, without privileges" {
	user_bundle
	mkdir "$BATS_TEST_TMPDIR/own"
	cp "$RUNG" "$BATS_TEST_TMPDIR/own/rung"
	chown -R "$TEST_UID:$TEST_GID" "$BATS_TEST_TMPDIR/own"
	BIN=$BATS_TEST_TMPDIR/own
	config '(.process.capabilities | .bounding, .effective, .permitted) =
		["CAP_SYS_ADMIN", "CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_CHOWN", "CAP_KILL"]'
	: >rootfs/attack.target
	chown "$TEST_UID:$TEST_GID" rootfs/attack.target
	run -0 user_rung create "$ID"
	run -0 user_rung exec "$ID" sha256sum /proc/1/exe
	[ "${output%% *}" = "${SUM%% *}" ]
	run user_rung exec "$ID" attack exe /proc/1/exe
	refused "$output"
	[ "$(sha256sum <"$BIN/rung")" = "$SUM" ]
	[ "$(stat -c "%a %u" "$BIN/rung")" = "755 $TEST_UID" ]
}

# --- descriptors (CVE-2016-9962, CVE-2024-21626) ---

# with_open_descriptors COMMAND...: 3 to 40 of the caller lead to the host.
with_open_descriptors() {
	# shellcheck disable=SC2016 # for the inner shell
	bash -c 'for fd in {3..40}; do eval "exec $fd<\"\$0\""; done; exec "$@"' "$BUNDLE" "$@"
}

@test "security: descriptors of the caller and the runtime are closed in what run starts" {
	args /bin/probe
	run -0 --separate-stderr with_open_descriptors "$RUNG" --root "$STATE" run "$ID"
	check '(.fds | map(.fd)) == [0, 1, 2]'
}

@test "security: descriptors of the caller and the runtime are closed in what exec starts" {
	run -0 rung run -d "$ID"
	run -0 --separate-stderr with_open_descriptors "$RUNG" --root "$STATE" exec "$ID" /bin/probe
	check '(.fds | map(.fd)) == [0, 1, 2]'
}

@test "security: an init that waits for its start holds no folder of the host's" {
	local script='own=$(stat -c %d /proc)
		for fd in /proc/1/fd/*; do
			[ -d "$fd/" ] && [ "$(stat -L -c %d "$fd/")" != "$own" ] && echo "$fd: $(ls "$fd/" | head -3)"
			(echo x >"$fd/sys/vm/swappiness") 2>&1 | grep -v "Read-only\|Not a directory\|nonexistent\|denied\|No such"
		done; echo end'
	with_open_descriptors "$RUNG" --root "$STATE" create "$ID" </dev/null >/dev/null 2>&1
	# Another container in the same pid namespace sees what this exec sees.
	run -0 rung exec "$ID" sh -c "$script"
	[ "$output" = end ]
	strong
	with_open_descriptors "$RUNG" --root "$STATE" create "$ID-2" </dev/null >/dev/null 2>&1
	run -0 rung exec "$ID-2" sh -c "$script"
	[ "$output" = end ]
}

@test "security: an init that waits for its start, in a container without proc, is out of reach" {
	run -0 rung run -d "$ID" # which shares its pid namespace
	config '(.linux.namespaces[] | select(.type == "pid")).path = $path | .linux.maskedPaths = [] |
		.linux.readonlyPaths = [] | .mounts |= map(select(.destination != "/proc"))' \
		--arg path "/proc/$(host_pid "$ID")/ns/pid"
	run -0 rung create "$ID-2"
	local pid
	pid=$(awk '/^NSpid/ {print $NF}' "/proc/$(host_pid "$ID-2")/status")
	# By root, who has no CAP_SYS_PTRACE here.
	run rung exec "$ID" sh -c "cd /proc/$pid && for fd in fd/[0-9]*; do ls \$fd/. 2>&1; done | sort -u; ls root/ 2>&1"
	[[ $output == 'ls: fd/'* ]]
	local line
	for line in "${lines[@]}"; do
		[[ $line == *': Permission denied' ]]
	done
	run -0 rung start "$ID-2"
}

@test "security: a working directory outside of the root is refused by run, for every descriptor" {
	args sh -c 'pwd; ls'
	ln -s /proc/self/fd/7 rootfs/seven
	local n cwd
	for cwd in /proc/self/fd/{3..32} /proc/thread-self/fd/{3..12} /proc/self/fd/{5..9}/../../../.. /proc/1/fd/{3..9} /seven; do
		config '.process.cwd = $cwd' --arg cwd "$cwd"
		run -1 with_open_descriptors "$RUNG" --root "$STATE" run "$ID"
		[[ $output == *"rung run failed: "*"process.cwd"* ]]
	done
	[ ! -e "$STATE/$ID" ]
}

@test "security: a working directory outside of the root is refused by exec, for every descriptor" {
	ln -s /proc/self/fd/7 rootfs/seven
	run -0 rung run -d "$ID"
	local cwd
	for cwd in /proc/self/fd/{3..32} /proc/thread-self/fd/{3..12} /proc/self/fd/{5..9}/../../../.. /seven; do
		run -255 with_open_descriptors "$RUNG" --root "$STATE" exec --cwd "$cwd" "$ID" sh -c 'pwd; ls'
		[[ $output == *"exec failed: "*"$cwd"* || $output == *"exec failed: "*cwd* ]]
	done
}

@test "security: a command by way of a descriptor is none of the host's" {
	printf '#!/bin/sh\necho escaped\n' >canary
	chmod 755 canary
	run -0 rung run -d "$ID"
	local n
	for n in {3..20}; do
		run -255 with_open_descriptors "$RUNG" --root "$STATE" exec "$ID" "/proc/self/fd/$n/canary"
		[[ $output == *"exec: "*"/proc/self/fd/$n/canary"*': stat '*' directory'* ]]
	done
}

# --- the root filesystem ---

@test "security: /dev that is a link to a directory of the host (CVE-2026-41579)" {
	mkdir evil
	config '.mounts |= map(select(.destination | startswith("/dev") | not))
		| .linux.devices = [{path: "/dev/sub/x", type: "c", major: 1, minor: 3}]'
	local target
	for target in "$BUNDLE/evil" "../../../../../../../../..$BUNDLE/evil" ../evil; do
		rm -rf rootfs/dev
		ln -s "$target" rootfs/dev
		args ls -d /dev/.
		run rung run "$ID"
		[ -z "$(ls -A evil)" ]
		# It starts, with the devices in its own folder, or says what is wrong.
		[[ $status == 0 || $output == *'rung run failed: '*'/dev'* ]]
		[ ! -e "$STATE/$ID" ]
	done
}

@test "security: a folder that becomes a link while mounts are made (CVE-2021-30465)" {
	mkdir -p canary rootfs/d
	ln -s "$BUNDLE/canary" rootfs/l
	add_mount /d/x tmpfs tmpfs
	add_mount /d/y/z bind canary bind
	args true
	local n ok=0
	run_bg swap "$BATS_FILE_TMPDIR/attack" swap "$BUNDLE/rootfs/d" "$BUNDLE/rootfs/l"
	for n in {1..60}; do
		! rung run "$ID" >/dev/null 2>&1 || ok=$((ok + 1))
	done
	kill "$BG_PID" # it has been at it all the time
	[ -z "$(find canary -mindepth 1)" ]
	# Most starts succeed: the race was on a way that leads to mounts.
	((ok > 0))
}

@test "security: the null device becomes a link before paths are masked (CVE-2025-31133)" {
	strong
	echo target >rootfs/target
	echo canary >canary
	mkdir -p "rootfs$BUNDLE"
	echo inner >"rootfs$BUNDLE/canary"
	echo secret >rootfs/secret
	config '.linux.maskedPaths = ["/secret", "/proc/keys"]'
	local target
	# A hook has the moment that an attacker must hit.
	for target in /target "$BUNDLE/canary" /proc/sys/kernel/core_pattern; do
		config '.hooks.createContainer = [{path: "/bin/sh", args: ["sh", "-c", "rm -f dev/null; ln -s \($t) dev/null"]}]' --arg t "$target"
		args sh -c 'echo escaped >/secret; echo escaped >/proc/keys'
		run -1 rung run "$ID" <config.json # stdin that is /dev/null is opened again, too
		echo "$output"
		[[ $output == *'linux.maskedPaths['*'/dev/null'* ]]
	done
	[ "$(<rootfs/target) $(<canary) $(<"rootfs$BUNDLE/canary") $(<rootfs/secret)" = 'target canary inner secret' ]
	# Another device is as bad.
	config '.hooks.createContainer[0].args[2] = "rm -f dev/null; mknod dev/null c 1 5"'
	run -1 rung run "$ID" <config.json
	[[ $output == *'linux.maskedPaths['*'/dev/null'*'is not device 1:3'* ]]
}

@test "security: a bind source or destination below /proc is no way around its masks" {
	mkdir fake
	echo unconfined >fake/current
	local destination
	for destination in /proc/self/attr /proc/sys /proc/1 /proc/../proc/sys/kernel /link; do
		rm -f rootfs/link
		ln -s /proc/sys rootfs/link
		cp config.json plain.json
		add_mount "$destination" bind fake bind
		run -1 rung run "$ID"
		[[ $output == *"mount $(last_mount) ($(realpath -ms "$destination")): "*'cannot be mounted because it is inside /proc'* ]]
		mv plain.json config.json
	done
	# What lxcfs emulates may be.
	echo 'MemTotal: 1 kB' >meminfo
	add_mount /proc/meminfo bind meminfo bind
	args cat /proc/meminfo
	run -0 rung run "$ID"
	[ "$output" = 'MemTotal: 1 kB' ]
}

@test "security: nothing but a procfs is mounted at /proc (CVE-2019-16884)" {
	mkdir -p fake/self/attr
	local entry
	for entry in '{destination: "/proc", type: "tmpfs", source: "tmpfs"}' \
		'{destination: "/proc", type: "bind", source: "fake", options: ["rbind"]}' \
		'{destination: "//proc/.", type: "bind", source: "/proc/self", options: ["rbind"]}'; do
		cp config.json plain.json
		config "(.mounts[] | select(.destination == \"/proc\")) = $entry"
		run -1 rung run "$ID"
		[[ $output == *'(/proc): '*'\"/proc\" cannot be mounted because it is not of type proc'* ]]
		mv plain.json config.json
	done
}

@test "security: proc and sysfs on a link, or on a file, are refused (CVE-2019-19921)" {
	mkdir rootfs/elsewhere
	local place
	for place in proc sys; do
		rmdir "rootfs/$place"
		ln -s /elsewhere "rootfs/$place"
		run -1 rung run "$ID"
		[[ $output == *"(/$place): "*"at /$place must be mounted on ordinary directory"* ]]
		rm "rootfs/$place"
		: >"rootfs/$place"
		run -1 rung run "$ID"
		[[ $output == *"(/$place): "*"must be mounted on ordinary directory"* ]]
		rm "rootfs/$place"
		mkdir "rootfs/$place"
	done
	[ -z "$(ls -A rootfs/elsewhere)" ]
}

@test "security: a sysctl is the kernel's, not a file that an image has at its path" {
	mkdir -p rootfs/proc/sys/net/ipv4 rootfs/proc/self/attr
	echo fake >rootfs/proc/sys/net/ipv4/ip_default_ttl
	config '.linux.sysctl = {"net.ipv4.ip_default_ttl": "77"} | .mounts |= map(select(.destination != "/proc"))
		| .linux.maskedPaths = [] | .linux.readonlyPaths = []'
	run -0 rung run -d "$ID"
	[ "$(<rootfs/proc/sys/net/ipv4/ip_default_ttl)" = fake ]
	[ "$(nsenter --net="/proc/$(host_pid "$ID")/ns/net" cat /proc/sys/net/ipv4/ip_default_ttl)" = 77 ]
}

@test "security: a security profile that cannot be applied stops the start" {
	# One that no machine has loaded.
	config '.process.apparmorProfile = "rung-test-no-such-profile"'
	args true
	run -1 rung run "$ID"
	[[ $output == *process.apparmorProfile* ]]
	run -0 rung run -d "$ID-2" -b "$(plain_bundle)"
	run -255 rung exec --apparmor rung-test-no-such-profile "$ID-2" true
	[[ $output == *AppArmor* ]]
}

plain_bundle() {
	cp -a "$TEMPLATE" "$BATS_TEST_TMPDIR/plain"
	echo "$BATS_TEST_TMPDIR/plain"
}

@test "security: without a cgroup namespace a user namespace only reads its cgroups (CVE-2023-25809)" {
	user_namespace
	config '(.mounts[] | select(.type == "cgroup") | .options) -= ["ro"]'
	args sh -c 'n=0; for d in /sys/fs/cgroup/*; do
			[ -e "$d/cgroup.procs" ] || continue
			n=$((n + 1)); mkdir "$d/escape" 2>/dev/null && echo "$d: made"; (echo 0 >"$d/cgroup.procs") 2>/dev/null && echo "$d: written"
		done; echo "$n tried"; grep -c "^cgroup.* rw," /proc/mounts'
	run rung run "$ID"
	[[ ${lines[0]} =~ ^[1-9][0-9]*\ tried$ || ${lines[0]} == '0 tried' && $(cgroup_version) == 2 ]]
	[ "${lines[1]}" = 0 ]
}

@test "security: what a container's process is killed by does not reach the runtime's caller" {
	args sh -c 'kill -KILL 0; kill -KILL -1; kill -KILL 1; echo alive'
	run -0 rung run "$ID" # pid 1 dies of no signal of its own namespace
	[[ $output == *alive* ]]
}

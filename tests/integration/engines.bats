#!/usr/bin/env bats
# Configurations that real engines wrote, moved onto the busybox root
# filesystem, run, and compared with what the container sees. What has to be
# moved is what names the engine's machine; the edits are those of moved.

load helpers

DATA="$BATS_TEST_DIRNAME/../../libcontainer/internal/bundle/testdata/engines"

# moved FILE: config.json from the engine's, with
#	root.path           the busybox root filesystem
#	cgroupsPath         the test's (the fs driver's form)
#	process.args        the probe, which stays
#	apparmorProfile     none: profiles are not loaded here
#	hooks               none: Podman's and Docker's programs are not here
#	sources of binds    a file or a folder of the bundle, as the source was
#	hard limits         not above this machine's
#	capabilities        not beyond what the caller holds
moved() {
	local held
	held=$("$BIN/probe" | jq -c .capabilities.bounding)
	mkdir -p moved
	echo moved >moved/file
	jq --arg id "/$ID" --arg moved "$BUNDLE/moved" --argjson held "$held" \
		--argjson nofile "$(ulimit -Hn)" --argjson nproc "$(ulimit -Hu | sed 's/unlimited/4294967296/')" '
		.root.path = "rootfs"
		| .linux.cgroupsPath = $id
		| .process.args = ["/bin/probe", "hold"]
		| del(.process.apparmorProfile, .hooks)
		| (.mounts[] | select(.type == "bind") | .source) |= (if test("resolv.conf$|host(s|name)$|containerenv$|docker-init$")
			then $moved + "/file" else $moved end)
		| {RLIMIT_NOFILE: $nofile, RLIMIT_NPROC: $nproc} as $most
		| (.process.rlimits[]? | select($most[.type])) |= (.hard = ([.hard, $most[.type]] | min) | .soft = ([.soft, .hard] | min))
		| (.process.capabilities[]? | arrays) |= map(select(. as $c | $held | index($c)))
	' "$DATA/$1" >config.json
}

# engine FILE runs it; what the probe found is in $output, and is as configured.
engine() {
	moved "$1"
	run -0 rung run -d "$ID"
	wait_for 5 grep -q '}$' "$BATS_TEST_TMPDIR/run.out"
	output=$(<"$BATS_TEST_TMPDIR/run.out")
	as_configured
}

# as_configured compares what was found with config.json and this machine.
as_configured() {
	local host wrong cgroup=tmpfs # on v1 the hierarchies are mounted below it
	[[ $(cgroup_version) == 1 ]] || cgroup=cgroup2
	host=$("$BIN/probe" | jq -c --arg hostname "$(hostname)" '{namespaces, oomScoreAdj, $hostname}')
	wrong=$(jq -r --slurpfile config config.json --argjson host "$host" --arg cgroup "$cgroup" '
		. as $found | $config[0] as $c
		| def same(name; got; want): if got == want then empty else "\(name): \(got), not \(want)" end;
		def flags: map(select(IN("ro", "nosuid", "nodev", "noexec")));
		same("pid"; .pid; 1),
		same("args"; .args; $c.process.args),
		same("cwd"; .cwd; $c.process.cwd),
		same("hostname"; .hostname; $c.hostname // $host.hostname),
		same("uid"; .uid | [.real, .effective, .saved, .fs]; $c.process.user.uid | [., ., ., .]),
		same("gid"; .gid | [.real, .effective, .saved, .fs]; $c.process.user.gid | [., ., ., .]),
		same("groups"; .groups | unique; $c.process.user.additionalGids // [] | unique),
		same("umask"; .umask; "0022"),
		same("env"; .env | map(select(startswith("HOME=") | not)) | sort;
			$c.process.env | map(select(startswith("HOME=") | not)) | sort),
		same("noNewPrivileges"; .noNewPrivileges; if $c.process.noNewPrivileges then 1 else 0 end),
		same("seccomp"; .seccomp; if $c.linux.seccomp then 2 else 0 end),
		same("oomScoreAdj"; .oomScoreAdj; $c.process.oomScoreAdj // $host.oomScoreAdj),
		same("descriptors"; .fds | map(.fd); [0, 1, 2]),
		(("bounding", "inheritable", "ambient", "permitted", "effective") as $set
			# capabilities(7): execve leaves another user than root what is ambient.
			| (if $c.process.user.uid != 0 and ($set | IN("permitted", "effective")) then "ambient" else $set end) as $from
			| same($set; .capabilities[$set] | sort; $c.process.capabilities[$from] // [] | sort)),
		({pid: "pid", mnt: "mount", ipc: "ipc", uts: "uts", net: "network", cgroup: "cgroup", user: "user"} | to_entries[]
			| .key as $kind | same("\($kind) namespace of its own";
				$found.namespaces[$kind] != $host.namespaces[$kind];
				.value as $type | $c.linux.namespaces | any(.type == $type))),
		($c.process.rlimits[]? | . as $limit
			| same($limit.type; $found.rlimits[$limit.type]; [$limit.soft, $limit.hard])),
		same("uid map"; .uidMap[0]; $c.linux.uidMappings[0]? // {containerID: 0, hostID: 0, size: 4294967295}
			| [.containerID, .hostID, .size]),
		($c.mounts[] | . as $m | [$found.mounts[] | select(.destination == $m.destination)][-1] as $there
			| same("mount \(.destination)"; $there != null; true),
				same("type of \(.destination)"; $there.type;
					{bind: $there.type, $cgroup}[$m.type] // $m.type),
				same("flags of \(.destination)"; ($m.options // [] | flags) - ($there.options | flags); [])),
		same("root, read-only"; [.mounts[] | select(.destination == "/")] | map(.options | index("ro") != null);
			[$c.root.readonly // false])
	' <<<"$output")
	echo "$wrong"
	[ -z "$wrong" ]
	paths_as_configured
}

# paths_as_configured: masked paths are empty, read-only ones are; sysctls.
paths_as_configured() {
	run -0 rung exec "$ID" sh -c 'while read -r kind path value; do
			case $kind in
			masked) if [ -d "$path" ]; then [ -z "$(ls -A "$path")" ]; else [ ! -e "$path" ] || [ -c "$path" ]; fi ||
				echo "$path is not masked" ;;
			fixed) [ ! -e "$path" ] || grep -q " $path [^ ]* ro[, ]" /proc/mounts || echo "$path is not read-only" ;;
			sysctl) [ "$(tr "\t" " " <"/proc/sys/$(echo "$path" | tr . /)")" = "$value" ] || echo "$path is not $value" ;;
			esac
		done' <<<"$(jq -r '(.linux.maskedPaths[]? | "masked \(.)"), (.linux.readonlyPaths[]? | "fixed \(.)"),
			(.linux.sysctl // {} | to_entries[] | "sysctl \(.key) \(.value)")' config.json)"
	local wrong=$output
	output=$(<"$BATS_TEST_TMPDIR/run.out")
	echo "$wrong"
	[ -z "$wrong" ]
}

@test "engines: Docker's default container" {
	engine docker-default.json
	check '.capabilities.effective | index("CAP_NET_RAW") != null and index("CAP_SYS_ADMIN") == null'
	run -0 rung exec "$ID" cat /etc/hosts
	[ "$output" = moved ]
	# A syscall that the profile does not allow, for want of CAP_SYS_ADMIN.
	run -0 rung exec "$ID" /bin/probe syscall 165 0 0 0 0 0 # mount(2)
	check '.error == "EPERM"'
}

@test "engines: Docker's exec, its process file" {
	moved docker-default.json
	run -0 rung run -d "$ID"
	jq '.args = ["/bin/probe"] | del(.apparmorProfile)' "$DATA/docker-exec.process.json" >process.json
	run -0 --separate-stderr rung exec --process process.json "$ID"
	check '[.capabilities.effective, .capabilities.bounding] | map(sort) == [$p[0].capabilities.effective, $p[0].capabilities.bounding | sort]' \
		--slurpfile p process.json
	check '.capabilities.inheritable == []'
	check '.env | map(select(startswith("HOME=") | not)) == $p[0].env' --slurpfile p process.json
	check '.groups == [0]'
	check '.seccomp == 2 and .pid > 1'
}

@test "engines: Docker with limits, another user and a read-only root" {
	require cgroup_v1 controller:memory controller:cpu controller:pids
	engine docker-limits-readonly.json
	check '.rlimits.RLIMIT_NOFILE == [512, 1024]'
	[ "$(<"$(cgroup_dir "$ID" memory)/memory.limit_in_bytes")" = 67108864 ]
	[ "$(<"$(cgroup_dir "$ID" cpu)/cpu.cfs_quota_us")" = 100000 ]
	[ "$(<"$(cgroup_dir "$ID" pids)/pids.max")" = 30 ]
}

@test "engines: Docker --init with a terminal" {
	require script
	moved docker-init-tty.json
	config '.process.args = ["/bin/probe"]'
	run -0 script -qec "'$RUNG' --root '$STATE' run '$ID'" /dev/null </dev/null
	output="{${output#*"{"}" # before it, the echo of an end of file
	check '.terminal != null'
	check '.fds | map(.tty) == [true, true, true]'
	check '[.mounts[] | select(.destination == ("/sbin/docker-init", "/dev/console"))] | length == 2'
}

@test "engines: Docker --privileged" {
	engine docker-privileged.json
	check '.capabilities.effective | index("CAP_SYS_ADMIN") != null'
	check '[.mounts[] | select(.destination == "/sys")][0].options | index("rw") != null'
	local devices
	mapfile -t devices < <(jq -r '.linux.devices[].path' config.json)
	((${#devices[@]} > 100))
	run -0 rung exec "$ID" sh -c 'n=0; for d; do [ -b "$d" ] || [ -c "$d" ] && n=$((n + 1)); done; echo $n' - "${devices[@]}"
	[ "$output" = "${#devices[@]}" ]
}

@test "engines: Podman's default container" {
	engine podman-default.json
	check '.env | index("container=podman") != null'
}

@test "engines: Podman --privileged" {
	engine podman-privileged.json
	check '.capabilities.bounding | index("CAP_SYS_ADMIN") != null'
}

@test "engines: Podman --read-only with a tmpfs" {
	engine podman-readonly-tmpfs.json
	run -0 rung exec "$ID" sh -c 'touch /tmp/x && touch /x || echo read-only'
	[[ $output == *read-only ]]
}

@test "engines: Podman with id maps and an idmapped volume" {
	require userns
	[[ $(stat -fc %T .) =~ ^(ext2/ext3|xfs|btrfs|tmpfs)$ ]] || skip 'needs a filesystem below TMPDIR that knows idmapped mounts'
	chown -R --no-dereference 100000:100000 rootfs
	mkdir moved
	chown 5:6 moved
	engine podman-uidmap-idmap.json
	run -0 rung exec "$ID" stat -c %u:%g /data
	[ "$output" = 5:6 ]
}

@test "engines: Podman rootless, which has made the user namespace itself" {
	require rootless
	moved podman-rootless.json
	chown -R --no-dereference "$TEST_UID:$TEST_GID" .
	# Without a cgroup of its own: the user may make none here.
	config '.process.args = ["/bin/probe"] | del(.linux.cgroupsPath, .linux.resources)'
	run -0 --separate-stderr as_user unshare --user --map-root-user --mount -- "$BIN/rung" run "$ID"
	check '.pid == 1 and .uid.real == 0 and .hostname == $c[0].hostname' --slurpfile c config.json
	check '.uidMap == [[0, 0, 1]] or .uidMap == [[0, ($u | tonumber), 1]]' --arg u "$TEST_UID"
	check '.capabilities.effective | index("CAP_SYS_ADMIN") == null'
	check '.seccomp == 2'
	check '[.mounts[] | select(.destination == "/run/.containerenv")] | length == 1'
}

@test "engines: containerd's ctr with limits" {
	require cgroup_v1 controller:memory controller:cpu
	engine ctr-limits.json
	[ "$(<"$(cgroup_dir "$ID" memory)/memory.limit_in_bytes")" = 67108864 ]
	[ "$(<"$(cgroup_dir "$ID" cpu)/cpu.cfs_quota_us")" = 50000 ]
	[ "$(<"$(cgroup_dir "$ID" cpu)/cpu.shares")" = 1024 ]
	run -1 rung exec "$ID" touch /x
	[[ $output == *'Read-only file system'* ]]
}

@test "engines: all of them are here" {
	local file
	for file in "$DATA"/*.json; do
		grep -qF "${file##*/}" "$BATS_TEST_FILENAME"
	done
}

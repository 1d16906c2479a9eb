#!/usr/bin/env bats
# Configurations that real engines wrote, moved onto the busybox root
# filesystem, run. What has to be moved is what names the engine's machine:
# root.path, cgroupsPath, sources of mounts that are not here, hard limits
# above this machine's, its AppArmor profile, and capabilities we do not hold.

load helpers

DATA="$BATS_TEST_DIRNAME/../../libcontainer/internal/bundle/testdata/engines"

engine() { # FILE
	local nofile held
	nofile=$(ulimit -Hn)
	held=$("$BIN/probe" | jq -c .capabilities.effective)
	mkdir -p files
	echo moved >files/file
	jq --arg id "/$ID" --arg files "$BUNDLE/files" --argjson nofile "$nofile" --argjson held "$held" '
		.root.path = "rootfs"
		| .linux.cgroupsPath = $id
		| .process.args = ["/bin/probe"]
		| .process.terminal = false
		| del(.process.apparmorProfile)
		| del(.hooks)
		| .process.env |= map(select(startswith("PATH=") | not)) + ["PATH=/bin"]
		| .process.rlimits |= map(.hard = ([.hard, $nofile] | min) | .soft = ([.soft, $nofile] | min))?
		| (.process.capabilities[]?) |= map(select(. as $c | $held | index($c)))
		| .mounts |= map(if .type == "bind"
			then .source = (if .destination | test("^/etc|containerenv$|^/usr/sbin/docker-init$|^/sbin/docker-init$")
				then $files + "/file" else $files end)
			else . end)
	' "$DATA/$1" >config.json
	run -0 --separate-stderr rung run "$ID"
	check '.pid == 1'
	check '.mounts | map(.destination) | index("/proc") != null'
}

@test "engines: Docker's default container" {
	engine docker-default.json
	check '.seccomp == 2'
	check '.capabilities.effective | index("CAP_NET_RAW") != null and index("CAP_SYS_ADMIN") == null'
	check '.capabilities.inheritable == []'
}

@test "engines: Docker with limits and a read-only root" {
	engine docker-limits-readonly.json
	check '.noNewPrivileges == 1'
	check '[.mounts[] | select(.destination == "/")][0].options | index("ro") != null'
}

@test "engines: Docker --init with a terminal" { engine docker-init-tty.json; }
@test "engines: Docker --privileged" {
	engine docker-privileged.json
	check '.capabilities.effective | index("CAP_SYS_ADMIN") != null'
}

@test "engines: Podman's default container" {
	engine podman-default.json
	check '.seccomp == 2'
}

@test "engines: Podman --privileged" { engine podman-privileged.json; }
@test "engines: Podman --read-only" {
	engine podman-readonly-tmpfs.json
	check '[.mounts[] | select(.destination == "/tmp")][0].type == "tmpfs"'
}

@test "engines: Podman with id maps and an idmapped volume" {
	require userns
	chown -R 100000:100000 rootfs
	engine podman-uidmap-idmap.json
	check '.uidMap == [[0, 100000, 65536]]'
	check '[.mounts[] | select(.destination == "/data")] | length == 1'
}

@test "engines: containerd's ctr with limits" {
	engine ctr-limits.json
	check '.capabilities.effective | index("CAP_CHOWN") != null'
}

#!/usr/bin/env bats
# mounts: what is mounted where, with which options; as the container's
# mountinfo has it. Propagation is in propagation.bats, id maps in idmap.bats.

load helpers

@test "mounts: a directory and a file are bound, with their options" {
	mkdir -p source/sub
	echo text >source/file
	add_mount /dir bind "$BUNDLE/source" rbind ro nosuid nodev noexec
	add_mount /a/b/file none source/file bind
	probe
	mount_of /dir '.options | contains(["ro", "nosuid", "nodev", "noexec"])'
	mount_of /a/b/file '.root | endswith("/source/file")'
	mount_of /a/b/file '.options | index("rw") != null'
	args cat /a/b/file
	run -0 rung run "$ID"
	[ "$output" = text ]
}

@test "mounts: bind takes one mount, rbind those below as well" {
	private_namespace
	mkdir source
	in_private mount -t tmpfs tmpfs source
	in_private mkdir source/sub
	in_private mount -t tmpfs sub source/sub
	add_mount /one none source bind
	add_mount /all none source rbind
	probe
	check '[.mounts[].destination | select(startswith("/one") or startswith("/all"))] == ["/one", "/all", "/all/sub"]'
}

@test "mounts: the type bind is enough, whatever the options" {
	mkdir source
	add_mount /m bind source ro
	probe
	mount_of /m '.root | endswith("/source")'
	mount_of /m '.options | index("ro") != null'
}

@test "mounts: a bind of a FIFO or socket, read-only, opens neither" {
	mkfifo fifo
	run_bg socket "$BIN/receive" "$BUNDLE/socket" fds
	wait_for 5 test -S socket
	add_mount /fifo bind fifo rbind rro
	add_mount /socket bind socket bind ro
	args sh -c 'test -p /fifo && test -S /socket && grep -cE " /(fifo|socket) [^ ]+ ro," /proc/mounts'
	RUNG_TIMEOUT=10 run -0 rung run "$ID"
	[ "$output" = 2 ]
}

@test "mounts: a source that is not there is named, and nothing is left" {
	add_mount /m bind /no/such/source bind
	run -1 rung run "$ID"
	[[ $output == *"error during container init: mount $(last_mount) (/m): open_tree /no/such/source: no such file or directory"* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "mounts: options of a filesystem are refused on a bind" {
	add_mount /m bind /tmp bind size=10m
	run -1 rung create "$ID"
	[[ $output == *"$(last_mount).options: "*'size=10m'*': a bind mount takes no filesystem options'* ]]
	[ ! -e "$STATE/$ID" ]
	[ ! -e rootfs/m ]
}

@test "mounts: an entry that names neither a filesystem nor a bind" {
	add_mount /m none /tmp ro
	run -1 rung create "$ID"
	[[ $output == *"$(last_mount).type: "* ]]
}

@test "mounts: a file is not bound on a directory, nor the other way round" {
	: >file
	mkdir rootfs/dir
	: >rootfs/file
	add_mount /dir bind file bind
	run -1 rung run "$ID"
	[[ $output == *"mount $(last_mount) (/dir): mount /dir: not a directory"* ]]
	config '.mounts[-1] |= (.destination = "/file" | .source = "rootfs/dir")'
	run -1 rung run "$ID"
	[[ $output == *"mount $(last_mount) (/file): mount /file: not a directory"* ]]
}

# What each option of a mount is in mountinfo; relatime is the kernel's default.
attributes='{
	"ro": "relatime,ro", "nosuid": "nosuid,relatime,rw", "nodev": "nodev,relatime,rw", "noexec": "noexec,relatime,rw",
	"noatime": "noatime,rw", "nodiratime": "nodiratime,relatime,rw", "relatime": "relatime,rw", "strictatime": "rw",
	"nosymfollow": "nosymfollow,relatime,rw"}'

# found PREFIX: the options of the mounts below /PREFIX/, by name.
found() {
	echo "[.mounts[] | select(.destination | startswith(\"/$1/\")) |
		{key: (.destination | ltrimstr(\"/$1/\")), value: (.options | sort | join(\",\"))}] | from_entries"
}

@test "mounts: each flag, of a new filesystem" {
	config '.mounts += [$all | keys[] | {destination: "/f/\(.)", type: "tmpfs", source: "tmpfs", options: [.]}]' \
		--argjson all "$attributes"
	probe
	check "$(found f) == $attributes"
}

@test "mounts: each flag, of a bind" {
	mkdir source
	config '.mounts += [$all | keys[] | {destination: "/f/\(.)", type: "bind", source: "source", options: ["bind", .]}]' \
		--argjson all "$attributes"
	probe
	check "$(found f) == $attributes"
}

@test "mounts: a later flag undoes an earlier one" {
	config '.mounts += [["ro,rw", "nosuid,suid", "nodev,dev", "noexec,exec", "noatime,atime", "nodiratime,diratime",
			"strictatime,relatime", "nosymfollow,symfollow", "ro,nosuid,nodev,noexec,defaults,rw,suid,dev,exec"][]
		| {destination: "/f/\(.)", type: "tmpfs", source: "tmpfs", options: split(",")}]'
	probe
	check "[$(found f)[]] | length == 9 and all(. == \"relatime,rw\")"
}

@test "mounts: flags that are the filesystem's" {
	config '.mounts += [["sync", "dirsync", "lazytime"][] | {destination: "/f/\(.)", type: "tmpfs", source: "tmpfs", options: [.]}]'
	probe
	local flag
	for flag in sync dirsync lazytime; do
		mount_of "/f/$flag" '.super | index($f) != null' --arg f "$flag"
	done
	mount_of /f/sync '.super | index("dirsync") == null'
}

@test "mounts: recursive flags reach what is mounted below, others do not" {
	private_namespace
	mkdir source
	in_private mount -t tmpfs tmpfs source
	in_private mkdir source/sub
	in_private mount -t tmpfs sub source/sub
	config '.mounts += [$all | keys[] | {destination: "/r/\(.)", type: "bind", source: "source", options: ["rbind", "r" + .]}]
		| .mounts += [{destination: "/one", type: "bind", source: "source", options: ["rbind", "ro", "nosuid"]}]' \
		--argjson all "$attributes"
	probe
	check "$(found r) == ($attributes | to_entries | map(., .key += \"/sub\") | from_entries)"
	mount_of /one '.options | sort == ["nosuid", "relatime", "ro"]'
	mount_of /one/sub '.options | sort == ["relatime", "rw"]'
}

@test "mounts: rrw makes writable what is read-only below" {
	private_namespace
	mkdir source
	in_private mount -t tmpfs tmpfs source
	in_private mkdir source/sub
	in_private mount -t tmpfs -o ro sub source/sub
	in_private mount -o remount,rw sub source/sub
	in_private mount -o remount,bind,ro source/sub
	add_mount /m bind source rbind rrw
	args sh -c 'touch /m/x /m/sub/x && echo written'
	run -0 rung run "$ID"
	[ "$output" = written ]
}

@test "mounts: a new filesystem with its options and mode, the same at each start" {
	add_mount /t tmpfs tmpfs size=64k mode=750 nosuid strictatime
	add_mount /test//made tmpfs tmpfs
	args sh -c 'stat -c %a /t /test/made; grep " /t " /proc/mounts'

	for _ in 1 2; do
		run -0 rung run "$ID"
		[ "${lines[0]}" = 750 ]
		[ "${lines[1]}" = 1777 ]
		[[ ${lines[2]} == 'tmpfs /t tmpfs rw,nosuid,size=64k,mode=750'* ]]
	done
}

@test "mounts: a tmpfs without a mode has that of the directory it covers" {
	mkdir -m 1750 rootfs/covered
	add_mount /covered tmpfs tmpfs
	args stat -c %a /covered
	run -0 rung run "$ID"
	[ "$output" = 1750 ]
}

@test "mounts: an option or a type that the kernel does not know" {
	add_mount /t tmpfs tmpfs nonsense=1
	run -1 rung run "$ID"
	[[ $output == *"mount $(last_mount) (/t): "*nonsense* ]]
	config '.mounts[-1] = {destination: "/t", type: "nofs", source: "x"}'
	run -1 rung run "$ID"
	[[ $output == *"mount $(last_mount) (/t): "*'no such device'* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "mounts: proc, sysfs, mqueue and devpts are the container's own" {
	chmod 755 rootfs/proc
	mkdir rootfs/dev/shm
	chmod 700 rootfs/dev/shm
	probe
	mount_of /proc '.type == "proc"'
	mount_of /sys '.type == "sysfs"'
	mount_of /sys '.options | contains(["ro", "nosuid", "nodev", "noexec"])'
	mount_of /dev/mqueue '.type == "mqueue"'
	mount_of /dev/pts '.type == "devpts"'
	mount_of /dev/pts '.super | contains(["gid=5", "mode=620", "ptmxmode=666"])'
	args sh -c 'stat -c "%n %a" /proc /dev/shm /dev/mqueue /dev/pts/ptmx; ls -d /proc/[0-9]* | wc -l; ls /sys/class/net; ls /dev/pts'
	run -0 rung run "$ID"
	[ "${lines[0]}" = '/proc 555' ]
	[ "${lines[1]}" = '/dev/shm 1777' ]
	[ "${lines[2]}" = '/dev/mqueue 1777' ]
	[ "${lines[3]}" = '/dev/pts/ptmx 666' ]
	[ "${lines[4]}" -le 3 ] # sh, ls, wc
	[ "${lines[*]:5}" = 'lo ptmx' ]
}

@test "mounts: options of proc" {
	config '(.mounts[] | select(.destination == "/proc") | .options) = ["hidepid=2", "nosuid"]'
	probe
	mount_of /proc '.super | any(startswith("hidepid="))'
	mount_of /proc '.options | index("nosuid") != null'
}

@test "mounts: an overlay, its options longer than the new interface takes" {
	require overlay
	local long i lower=''
	long=$(printf 'x%.0s' {1..60})
	for i in 1 2 3 4 5; do
		mkdir -p "$BUNDLE/$long-$i"
		echo "$i" >"$BUNDLE/$long-$i/file-$i"
		lower+=:$BUNDLE/$long-$i
	done
	private_namespace # an upper folder on an overlay is none
	mkdir up
	in_private mount -t tmpfs tmpfs up
	in_private mkdir up/upper up/work
	add_mount /o overlay overlay "lowerdir=${lower#:}" "upperdir=$BUNDLE/up/upper" "workdir=$BUNDLE/up/work"
	args sh -c 'cat /o/file-*; echo new >/o/new'
	run -0 rung run "$ID"
	[ "${lines[*]}" = '1 2 3 4 5' ]
	[ "$(in_private cat up/upper/new)" = new ]
}

@test "mounts: tmpcopyup fills a tmpfs with what it covers, then ro holds" {
	mkdir -p rootfs/etc/d
	echo kept >rootfs/etc/d/file
	chmod 640 rootfs/etc/d/file
	chown 0:6 rootfs/etc/d/file
	ln -s d/file rootfs/etc/link
	add_mount /etc tmpfs tmpfs tmpcopyup ro
	args sh -c 'cat /etc/d/file; stat -c "%a %u %g" /etc/d/file; readlink /etc/link; touch /etc/new || echo refused; grep " /etc " /proc/mounts'
	run -0 --separate-stderr rung run "$ID"
	[ "${lines[0]}" = kept ]
	[ "${lines[1]}" = '640 0 6' ]
	[ "${lines[2]}" = d/file ]
	[ "${lines[3]}" = refused ]
	[[ ${lines[4]} == 'tmpfs /etc tmpfs ro,'* ]]
}

@test "mounts: what is written to a filled tmpfs stays in it" {
	echo kept >rootfs/etc/file
	add_mount /etc tmpfs tmpfs tmpcopyup
	args sh -c 'echo changed >/etc/file && cat /etc/file'
	run -0 rung run "$ID"
	[ "$output" = changed ]
	[ "$(<rootfs/etc/file)" = kept ]
}

@test "mounts: tmpcopyup is for a tmpfs only" {
	add_mount /m bind /tmp bind tmpcopyup
	run -1 rung create "$ID"
	[[ $output == *"$(last_mount).options: "*'\"tmpcopyup\": only a tmpfs can be filled'* ]]
	config '.mounts[-1] = {destination: "/m", type: "mqueue", source: "x", options: ["tmpcopyup"]}'
	run -1 rung create "$ID"
	[[ $output == *"$(last_mount).options: "*'\"tmpcopyup\": only a tmpfs can be filled'* ]]
}

@test "mounts: they are made in the order given" {
	mkdir -p source/below
	echo text >source/below/file
	add_mount /m tmpfs tmpfs
	add_mount /m/in bind source/below bind
	add_mount /m/in/file bind "$BIN/probe" bind
	probe
	check '[.mounts[].destination | select(startswith("/m"))] == ["/m", "/m/in", "/m/in/file"]'
	# The other way round the first is covered.
	config '.mounts[-3:] |= [{destination: "/m/in", type: "bind", source: "source", options: ["bind"]}, .[0]]'
	args sh -c 'ls -A /m | wc -l'
	run -0 rung run "$ID"
	[ "$output" = 0 ]
}

@test "mounts: remount changes what an earlier entry made" {
	add_mount /m tmpfs tmpfs
	add_mount /m none none remount ro nosuid
	probe
	mount_of /m '.options | sort == ["nosuid", "relatime", "ro"]'
	config '.mounts[-1].options += ["size=1m"]'
	run -1 rung create "$ID"
	[[ $output == *"$(last_mount).options: "*'\"size=1m\": a remount takes no filesystem options'* ]]
}

@test "mounts: a relative destination is taken from the root, with a warning" {
	add_mount rel/dir tmpfs tmpfs
	probe
	# shellcheck disable=SC2154 # set by run
	[[ $stderr == *"level=warning"*"$(last_mount).destination: \\\"rel/dir\\\" is not absolute"* ]]
	mount_of /rel/dir '.type == "tmpfs"'
}

@test "mounts: symlinks in a destination lead to places inside the root" {
	mkdir -p outside rootfs/real
	ln -s /real rootfs/inside
	ln -s "$BUNDLE/outside" rootfs/absolute
	ln -s "../../../../../../..$BUNDLE/outside" rootfs/relative
	add_mount /inside/x tmpfs tmpfs
	add_mount /absolute/y tmpfs tmpfs
	add_mount /relative/z tmpfs tmpfs
	add_mount /../../../w tmpfs tmpfs
	probe
	mount_of /real/x '.type == "tmpfs"'
	mount_of "$BUNDLE/outside/y" '.type == "tmpfs"' # the container's own folder of that name
	mount_of "$BUNDLE/outside/z" '.type == "tmpfs"'
	mount_of /w '.type == "tmpfs"'
	[ -z "$(ls -A outside)" ]
}

@test "mounts: a destination that ends in a symlink: followed, or covered with dest-nofollow" {
	mkdir rootfs/real
	ln -s real rootfs/link
	: >file
	add_mount /link tmpfs tmpfs
	probe
	mount_of /real '.type == "tmpfs"'

	config '.mounts[-1] = {destination: "/link", type: "bind", source: "file", options: ["bind", "dest-nofollow"]}'
	probe
	mount_of /link '.root | endswith("/file")'
	check '[.mounts[] | select(.destination == "/real")] == []'
}

@test "mounts: src-nofollow binds the symlink itself" {
	ln -s /no/such/place source
	add_mount /m bind source bind
	run -1 rung run "$ID"
	[[ $output == *"mount $(last_mount) (/m): open_tree $BUNDLE/source: no such file or directory"* ]]
	config '.mounts[-1].options += ["src-nofollow", "dest-nofollow"]'
	args readlink /m
	run -0 rung run "$ID"
	[ "$output" = /no/such/place ]
}

@test "mounts: the root itself is no destination" {
	add_mount / tmpfs tmpfs
	run -1 rung run "$ID"
	[[ $output == *"mount $(last_mount) (/): a mount over the root of the container is not possible"* ]]
	ln -s / rootfs/top
	config '.mounts[-1].destination = "/top"'
	run -1 rung run "$ID"
	[[ $output == *"mount $(last_mount) (/top): a mount over the root of the container is not possible"* ]]
}

@test "mounts: a destination that cannot be made names it, and nothing is left" {
	private_namespace
	in_private mkdir ro
	in_private mount -t tmpfs tmpfs ro
	in_private cp -a rootfs/. ro/
	in_private mount -o remount,ro ro
	config '.root.path = "ro"'
	add_mount /beegfs tmpfs tmpfs
	run -1 rung run "$ID"
	[[ $output == *"mount $(last_mount) (/beegfs): "*'read-only file system'* ]]
	[ ! -e "$STATE/$ID" ]
	[ -z "$(find /sys/fs/cgroup -name "$ID")" ]
}

@test "mounts: mount points are made 0755, whatever the umask and the root's set-gid bit" {
	chmod g+s rootfs
	rmdir rootfs/proc
	add_mount /new/dir tmpfs tmpfs mode=700
	: >file
	add_mount /files/a bind file bind
	umask 077
	args echo ok
	run -0 rung run "$ID"
	[ "$output" = ok ]
	[ "$(stat -c %a rootfs/new)" = 2755 ]
	[ "$(stat -c %a rootfs/files)" = 2755 ]
	[ "$(stat -c %a rootfs/files/a)" = 644 ]
}

@test "mounts: nothing of a container's mounts is seen on the host" {
	local before
	before=$(cut -d' ' -f3- /proc/self/mountinfo)
	run -0 rung run -d "$ID"
	[ "$(cut -d' ' -f3- /proc/self/mountinfo)" = "$before" ]
	run -0 rung delete -f "$ID"
	config '.hooks.createContainer = [{path: "/bin/false"}]'
	for _ in 1 2 3; do
		run -1 rung run "$ID"
	done
	config 'del(.hooks) | .process.args = ["no-such-command"]'
	run -1 rung run "$ID"
	[ "$(cut -d' ' -f3- /proc/self/mountinfo)" = "$before" ]
}

@test "mounts: in a user namespace, what the source's mount forbids stays forbidden" {
	user_namespace
	private_namespace
	in_private mkdir s t
	in_private mount -t tmpfs -o nosuid,nodev tmpfs s
	in_private mkdir s/v
	in_private mount -t tmpfs tmpfs t
	in_private mount -o remount,bind,ro,nosuid,nodev,noexec t
	add_mount /m bind s/v bind ro # C010
	add_mount /n bind t rbind     # C011
	probe
	mount_of /m '.options | contains(["ro", "nosuid", "nodev"])'
	mount_of /n '.options | contains(["ro", "nosuid", "nodev", "noexec"])'
}

@test "mounts: in a user namespace with the host's network, sysfs is the host's, read-only" {
	user_namespace
	config '.linux.namespaces |= map(select(.type != "network"))'
	probe
	mount_of /sys '.type == "sysfs"'
	mount_of /sys '.options | contains(["ro", "nosuid", "nodev", "noexec"])'
}

# --- cgroups ---

@test "mounts: cgroup v1: each hierarchy, from the container's own cgroup on" {
	require cgroup_v1 controller:memory
	args sh -c 'cat /sys/fs/cgroup/memory/cgroup.procs /sys/fs/cgroup/systemd/cgroup.procs; ls /sys/fs/cgroup; mkdir /sys/fs/cgroup/memory/x || echo read-only; touch /sys/fs/cgroup/x || echo read-only'
	run -0 --separate-stderr rung run "$ID"
	[ "${lines[0]}" = 1 ]
	[[ $output == *memory*systemd*read-only$'\n'read-only ]]
}

@test "mounts: cgroup v1 with a cgroup namespace is a filesystem of its own" {
	require cgroup_v1 controller:memory
	config '.linux.namespaces |= (. + [{type: "cgroup"}] | unique_by(.type))'
	probe
	mount_of /sys/fs/cgroup '.type == "tmpfs"'
	mount_of /sys/fs/cgroup/memory '.type == "cgroup" and .root == "/"'
	mount_of /sys/fs/cgroup/memory '.options | contains(["ro", "nosuid", "nodev", "noexec"])'
	mount_of /sys/fs/cgroup/systemd '.super | index("name=systemd") != null'
	check '.cgroup | all(endswith(":/"))'
}

@test "mounts: cgroup v1 without ro can be written to, in the container's cgroup" {
	require cgroup_v1 controller:memory
	config '(.mounts[] | select(.type == "cgroup") | .options) -= ["ro"]'
	args sh -c 'mkdir /sys/fs/cgroup/memory/inner && echo made; sleep 1000'
	run -0 rung run -d "$ID"
	wait_for 5 test -d "$(cgroup_dir "$ID" memory)/inner"
	run -0 rung delete -f "$ID"
	[ -z "$(remains)" ]
}

@test "mounts: cgroup2 shows the container's part of the unified tree" {
	local own=/sys/fs/cgroup
	[[ $(cgroup_version) == 2 ]] || own=/sys/fs/cgroup/unified
	[ -e "$own/cgroup.procs" ] || skip 'needs a cgroup v2 tree'
	config '(.mounts[] | select(.type == "cgroup")) |= (.type = "cgroup2" | .options = ["nosuid", "ro"])'
	args sh -c 'cat /sys/fs/cgroup/cgroup.procs; ls -d /sys/fs/cgroup/cgroup.type; mkdir /sys/fs/cgroup/x || echo read-only'
	run -0 --separate-stderr rung run "$ID"
	[ "${lines[0]}" = 1 ]
	[[ $output == *$'\n'/sys/fs/cgroup/cgroup.type$'\n'* ]] # the tree's root has none
	[[ $output == *read-only ]]
	config '.linux.namespaces |= (. + [{type: "cgroup"}] | unique_by(.type))'
	probe
	mount_of /sys/fs/cgroup '.type == "cgroup2" and .root == "/"'
	mount_of /sys/fs/cgroup '.options | contains(["ro", "nosuid"])'
}

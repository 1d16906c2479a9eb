#!/usr/bin/env bats
# linux.sysctl: what belongs to a namespace of the container's own is set, as
# its processes see it; all that is the host's is refused and stays.

load helpers

# sysctl NAME VALUE [NAME VALUE...] is the whole of linux.sysctl.
sysctl() {
	config '[$ARGS.positional | _nwise(2)] | map({key: .[0], value: .[1]}) | from_entries as $s
		| $in | .linux.sysctl = $s' --argjson in "$(<config.json)" --args -- "$@"
}

without() { # NAMESPACE TYPE
	config '.linux.namespaces |= map(select(.type != $t))' --arg t "$1"
}

# refused MESSAGE: create says so, of linux.sysctl, and makes nothing.
refused() {
	run -1 rung --log log create "$ID"
	[ "$output" = "rung create failed: $1" ]
	[ ! -e "$STATE/$ID" ]
}

# inside FILE... prints the files below /proc/sys as the container sees them.
inside() {
	args sh -c 'cd /proc/sys && for f; do tr "\t" " " <"$f"; done' - "$@"
	run -0 rung run "$ID"
}

@test "sysctl: those of the network, with dots and with slashes" {
	local before
	before=$(</proc/sys/net/ipv4/ip_forward)
	sysctl net.ipv4.ip_forward "$((1 - before))" net/ipv4/ping_group_range '5 77' \
		net.ipv4.conf.lo.forwarding 1 net/core/somaxconn 123
	inside net/ipv4/ip_forward net/ipv4/ping_group_range net/ipv4/conf/lo/forwarding net/core/somaxconn
	[ "$output" = "$((1 - before))"$'\n5 77\n1\n123' ]
	[ "$(</proc/sys/net/ipv4/ip_forward)" = "$before" ]
}

@test "sysctl: those of System V IPC and of message queues" {
	local before
	before=$(cat /proc/sys/kernel/msgmax /proc/sys/kernel/sem)
	sysctl kernel.msgmax 1111 kernel.msgmnb 2222 kernel.msgmni 333 \
		kernel.shmmax 44444 kernel.shmall 5555 kernel.shmmni 66 kernel.shm_rmid_forced 1 \
		kernel.sem '11 22 33 44' fs.mqueue.msg_max 7 fs/mqueue/queues_max 8
	inside kernel/msgmax kernel/msgmnb kernel/msgmni kernel/shmmax kernel/shmall kernel/shmmni \
		kernel/shm_rmid_forced kernel/sem fs/mqueue/msg_max fs/mqueue/queues_max
	[ "$output" = $'1111\n2222\n333\n44444\n5555\n66\n1\n11 22 33 44\n7\n8' ]
	[ "$(cat /proc/sys/kernel/msgmax /proc/sys/kernel/sem)" = "$before" ]
}

@test "sysctl: kernel.domainname is the container's own" {
	local before
	before=$(</proc/sys/kernel/domainname)
	sysctl kernel.domainname example.org
	probe
	check '.domainname == "example.org" and .hostname == "rung"'
	[ "$(</proc/sys/kernel/domainname)" = "$before" ]
}

@test "sysctl: set although /proc/sys is read-only for the container, which cannot" {
	config '.linux.readonlyPaths += ["/proc/sys"] | .process.capabilities[] += ["CAP_NET_ADMIN", "CAP_SYS_ADMIN"]'
	sysctl net.core.somaxconn 321
	args sh -c 'cat /proc/sys/net/core/somaxconn; echo 1 >/proc/sys/net/core/somaxconn'
	run rung run "$ID"
	[ "$status" -ne 0 ]
	[[ $output == 321$'\n'*'Read-only file system'* ]]
}

@test "sysctl: in a user namespace, where the namespaces are its own" {
	user_namespace
	sysctl net.core.somaxconn 456 kernel.msgmax 3333 kernel.domainname mapped.example
	inside net/core/somaxconn kernel/msgmax kernel/domainname
	[ "$output" = $'456\n3333\nmapped.example' ]
}

@test "sysctl: an exec sees them, and sets none" {
	sysctl net.core.somaxconn 99
	run -0 rung run -d "$ID"
	nsenter --net="/proc/$(host_pid "$ID")/ns/net" sh -c 'echo 98 >/proc/sys/net/core/somaxconn'
	run -0 rung exec "$ID" cat /proc/sys/net/core/somaxconn
	[ "$output" = 98 ]
}

@test "sysctl: what is the host's alone is refused, in whatever spelling" {
	local name
	for name in kernel.panic vm/swappiness fs.file-max kernel/pid_max dev.cdrom.info kernel.core_pattern; do
		sysctl "$name" 1
		refused "linux.sysctl[\"$name\"]: not in a namespace: the host's would change"
	done
}

@test "sysctl: one whose namespace is the host's is refused, with the remedy" {
	local before row type name
	for row in network:net.core.somaxconn ipc:kernel.msgmax ipc:fs.mqueue.msg_max uts:kernel.domainname; do
		type=${row%%:*} name=${row#*:}
		before=$(<"/proc/sys/$(tr . / <<<"$name")")
		cp config.json keep.json
		without "$type"
		[ "$type" != uts ] || config 'del(.hostname)'
		sysctl "$name" "$before" # harmless where it is not refused
		refused "linux.sysctl[\"$name\"]: the host's would change (add {\"type\": \"$type\"} to linux.namespaces)"
		mv keep.json config.json
	done
}

@test "sysctl: a path that leads to the host's own namespace is no namespace of the container's" {
	local row type name place before
	for row in network:net:net.core.somaxconn ipc:ipc:kernel.msgmax uts:uts:kernel.domainname; do
		IFS=: read -r type place name <<<"$row"
		before=$(<"/proc/sys/$(tr . / <<<"$name")")
		cp config.json keep.json
		config '.linux.namespaces |= map(if .type == $t then .path = $p else . end) | del(.hostname)' \
			--arg t "$type" --arg p "/proc/self/ns/$place"
		sysctl "$name" "$before" # harmless where it is not refused
		refused "linux.sysctl[\"$name\"]: the host's would change: $(jq -r --arg t "$type" \
			'"linux.namespaces[\(.linux.namespaces | map(.type) | index($t))].path"' config.json) (/proc/self/ns/$place) is the runtime's own namespace"
		mv keep.json config.json
	done
}

@test "sysctl: in another container's namespaces, joined by path" {
	run -0 rung run -d "$ID"
	local pid
	pid=$(host_pid "$ID")
	config '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)' --arg p "/proc/$pid/ns/net"
	sysctl net.core.somaxconn 19
	args true
	run -0 rung run "$ID-2"
	run -0 rung exec "$ID" cat /proc/sys/net/core/somaxconn
	[ "$output" = 19 ]
}

@test "sysctl: the names have fields of their own" {
	sysctl kernel.hostname x
	refused 'linux.sysctl["kernel.hostname"]: the name is hostname'"'s to set (use hostname)"
	config '.domainname = "one.example"'
	sysctl kernel.domainname other.example
	refused 'linux.sysctl["kernel.domainname"]: domainname is given as well (leave one of them out)'
}

@test "sysctl: all mistakes at once, each with its name" {
	sysctl kernel.panic 1 net/../vm/swappiness 1 net.core.somaxconn 1
	without network
	refused "linux.sysctl[\"kernel.panic\"]: not in a namespace: the host's would change; \
linux.sysctl[\"net.core.somaxconn\"]: the host's would change (add {\"type\": \"network\"} to linux.namespaces); \
linux.sysctl[\"net/../vm/swappiness\"]: not a name below /proc/sys"
}

@test "sysctl: one that the kernel does not know, or a value it does not take" {
	local init='unable to start container process: error during container init: '
	sysctl net.ipv4.no_such 1
	refused "${init}set sysctl linux.sysctl[\"net.ipv4.no_such\"] (net/ipv4/no_such): \
open /proc/sys/net/ipv4/no_such: no such file or directory"
	sysctl net.ipv4.ip_forward yes
	refused "${init}set sysctl linux.sysctl[\"net.ipv4.ip_forward\"] (net/ipv4/ip_forward): \
write /proc/sys/net/ipv4/ip_forward: invalid argument"
	sysctl net.ipv4 1
	refused "${init}set sysctl linux.sysctl[\"net.ipv4\"] (net/ipv4): open /proc/sys/net/ipv4: is a directory"
}

#!/usr/bin/env bats
# The six kinds of hooks: order, what they are given, what their failure does
# (runtime-spec, runtime.md, "Lifecycle"; config.md, "POSIX-platform Hooks").

load helpers

# hook KIND SCRIPT adds a hook that runs on the host.
hook() {
	config '.hooks[$k] += [{path: "/bin/sh", args: ["sh", "-c", $s]}]' --arg k "$1" --arg s "$2"
}

@test "hooks: all kinds run, in the order of the specification" {
	local log=$BUNDLE/rootfs/log kind
	: >"$log"
	for kind in prestart createRuntime createContainer poststart poststop; do
		hook $kind "echo $kind >> $log"
	done
	config '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "echo startContainer >> /log"]}]'
	args sh -c 'echo process >> /log; sleep 1000'
	run -0 rung create "$ID"
	[ "$(<"$log")" = $'prestart\ncreateRuntime\ncreateContainer' ]
	run -0 rung start "$ID"
	wait_for 5 grep -q process "$log"
	[ "$(grep -v process "$log")" = $'prestart\ncreateRuntime\ncreateContainer\nstartContainer\npoststart' ]
	run -0 rung delete --force "$ID"
	[ "$(tail -1 "$log")" = poststop ]
}

@test "hooks: the state on standard input" {
	config '.annotations = {"a.b": "c"}'
	hook createRuntime "cat > $BUNDLE/runtime.json"
	hook poststop "cat > $BUNDLE/stop.json"
	run -0 rung run -d "$ID"
	local pid
	pid=$(host_pid "$ID")
	output=$(<runtime.json)
	check '.id == $id and .status == "creating" and .bundle == $b and .annotations == {"a.b": "c"}' --arg id "$ID" --arg b "$BUNDLE"
	check '.pid == $p and .ociVersion == "1.3.0"' --argjson p "$pid"
	run -0 rung delete --force "$ID"
	output=$(<stop.json)
	check '.status == "stopped" and .id == $id and (has("pid") | not)' --arg id "$ID"
}

@test "hooks: createContainer is in the container's namespaces, and knows pid 1" {
	hook createContainer "pwd > $BUNDLE/cwd; cat > $BUNDLE/container.json; readlink /proc/self/ns/uts > $BUNDLE/uts"
	run -0 rung run -d "$ID"
	output=$(<container.json)
	check '.pid == 1 and .status == "creating"'
	[ "$(<cwd)" = "$BUNDLE/rootfs" ]
	[ "$(<uts)" = "$(readlink "/proc/$(host_pid "$ID")/ns/uts")" ]
}

@test "hooks: a failing hook before the start fails create and leaves nothing" {
	local kind
	for kind in prestart createRuntime createContainer; do
		config 'del(.hooks)'
		hook $kind 'echo out; echo err >&2; exit 3'
		hook poststop "touch $BUNDLE/stopped"
		run -1 rung create "$ID"
		[[ $output == *"error running $kind hook #0: exit status 3, stdout: out, stderr: err"* ]]
		[ ! -e "$STATE/$ID" ]
		[ -e stopped ]
		rm stopped
	done
}

@test "hooks: a failing startContainer hook fails start, and poststop runs" {
	config '.hooks.startContainer = [{path: "/bin/false"}]'
	hook poststop "touch $BUNDLE/stopped"
	run -0 rung create "$ID"
	run -1 rung start "$ID"
	[[ $output == *'error running startContainer hook #0: exit status 1'* ]]
	has_status "$ID" stopped
	[ -e stopped ]
}

@test "hooks: a failing poststart hook ends the container, and poststop runs" {
	hook poststart 'exit 4'
	hook poststop "touch $BUNDLE/stopped"
	run -1 rung run "$ID"
	[[ $output == *'error running poststart hook #0: exit status 4'* ]]
	[ -e stopped ]
	[ ! -e "$STATE/$ID" ]
}

@test "hooks: a failing poststop hook is a warning, and the rest run" {
	hook poststop 'exit 5'
	hook poststop "touch $BUNDLE/second"
	args true
	run -0 rung run "$ID"
	[[ $output == *'level=warning'*'poststop hook #0: exit status 5'* ]]
	[ -e second ]
}

@test "hooks: one that takes too long is killed, with its children" {
	config '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "sleep 77 & wait"], timeout: 1}]'
	run -1 rung create "$ID"
	[[ $output == *'hook ran past specified timeout'* ]]
	run ! pgrep -f 'sleep 77'
}

@test "hooks: the environment: the caller's, its own, none inside" {
	export FOOX=1
	hook createRuntime "env > $BUNDLE/caller"
	config '.hooks.createRuntime += [{path: "/bin/sh", args: ["sh", "-c", $s], env: ["A=1"]}]' --arg s "env > $BUNDLE/own"
	hook createContainer "env > $BUNDLE/inside"
	run -0 rung run -d "$ID"
	grep -qx FOOX=1 caller
	grep -qx A=1 own
	run ! grep -q FOOX own
	run ! grep -q FOOX inside
}

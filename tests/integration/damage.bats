#!/usr/bin/env bats
# damage: state that a crash or a full disk has left.

load helpers

@test "damage: a state.json that is none: delete refuses, delete --force ends and removes all" {
	local damage pid
	for damage in '' '{' '{"id": 7}' 'x'; do
		run -0 rung run -d "$ID"
		pid=$(host_pid "$ID")
		printf %s "$damage" >"$STATE/$ID/state.json"
		run -1 rung delete "$ID"
		[[ $output == *"$STATE/$ID/state.json"* ]]
		kill -0 "$pid"
		run -0 rung delete --force "$ID"
		wait_for 5 ended "$pid"
		[ ! -e "$STATE/$ID" ]
		wait_for 5 gone
	done
}

@test "damage: a container of which nothing is known is removed, with a warning" {
	run -0 rung run -d "$ID"
	run -0 rung kill "$ID" KILL
	wait_for 5 has_status "$ID" stopped
	cp -a "$STATE/$ID" "$STATE/$ID-2"
	: >"$STATE/$ID-2/state.json"
	: >"$STATE/$ID-2/spec.json"
	run -0 rung delete --force "$ID-2"
	[[ $output == *level=warning*'not known'* ]]
	[ ! -e "$STATE/$ID-2" ]
}

@test "damage: the state of a newer version is left alone, by --force too" {
	run -0 rung run -d "$ID"
	cp "$STATE/$ID/state.json" saved
	jq '.schema = 1000' saved >"$STATE/$ID/state.json"
	run -1 rung delete --force "$ID"
	[[ $output == *'newer rung'* ]]
	kill -0 "$(jq .init_process_pid saved)"
	cp saved "$STATE/$ID/state.json"
}

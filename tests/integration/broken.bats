#!/usr/bin/env bats
# Configurations with a mistake each are refused, with the JSON path of every
# mistake, before anything is made. The lists are those of package bundle's
# tests: a patch of the base document, the whole document, or that in base64.

load helpers

DATA="$BATS_TEST_DIRNAME/../../libcontainer/internal/bundle/testdata"

# documents LIST BASE DIR [FILE]: DIR/N, the Nth document of the list; its
# names and wants are in DIR/names and DIR/wants, a line each. FILE is where
# the document will be read, for the messages that name it.
documents() {
	local list=$DATA/$1 base=$DATA/$2 dir=$3 n document
	mkdir "$dir"
	jq -r '.[].name' "$list" >"$dir/names"
	jq -r --arg file "$4" '.[].want | gsub("\\{file\\}"; $file)' "$list" >"$dir/wants"
	# All patches in one program, a line of JSON each: jq has no eval.
	jq -r '[.[] | "(. | " + (.patch // ".") + ")"] | join(", ")' "$list" >"$dir/program"
	jq -c -f "$dir/program" "$base" >"$dir/patched"
	n=0
	while read -r document; do
		n=$((n + 1))
		printf '%s\n' "$document" >"$dir/$n"
	done <"$dir/patched"
	while read -r n document; do
		printf '%s' "$document" | base64 -d >"$dir/$n"
	done < <(jq -r 'to_entries[] | select(.value.patch | not)
		| "\(.key + 1) \(.value.base64 // (.value.raw | @base64))"' "$list")
}

@test "broken: every broken config.json is refused by create, and nothing made" {
	local n count status
	documents broken.json base.json docs "$BUNDLE/config.json"
	count=$(wc -l <docs/names)
	((count >= 60))
	for ((n = 1; n <= count; n++)); do
		cp "docs/$n" config.json
		status=0
		"$RUNG" --root "$STATE" --log log --log-format json create "$ID" </dev/null >out 2>err || status=$?
		printf '%s %s\n' "$status" "$(<err)" >>found
		[ ! -s out ] || echo "$n printed: $(<out)" >>made
		[ ! -e "$STATE/$ID" ] || echo "$n made a state" >>made
	done
	sed 's/^/1 rung create failed: /' docs/wants >wanted
	diff wanted found
	[ ! -e made ]
	[ -z "$(remains)" ]
	[ -z "$(find rootfs/dev rootfs/proc -mindepth 1)" ]
	# And the log, one object each.
	run -0 jq -s 'map(select(.level == "error").msg) | length' log
	[ "$output" = "$count" ]
}

@test "broken: every broken process file is refused by exec with 255" {
	local n count status before file=$BUNDLE/process.json
	documents broken-process.json base-process.json docs "$file"
	count=$(wc -l <docs/names)
	((count >= 15))
	run -0 rung run -d "$ID"
	before=$(cgroup_processes)
	for ((n = 1; n <= count; n++)); do
		cp "docs/$n" "$file"
		status=0
		"$RUNG" --root "$STATE" --log log exec --process "$file" "$ID" </dev/null >out 2>err || status=$?
		printf '%s %s\n' "$status" "$(<err)" >>found
		[ ! -s out ] || echo "$n printed: $(<out)" >>made
	done
	sed 's/^/255 exec failed: /' docs/wants >wanted
	diff wanted found
	[ ! -e made ]
	[ "$(cgroup_processes)" = "$before" ]
	has_status "$ID" running
}

cgroup_processes() {
	cat "$(cgroup_dir "$ID" memory)/cgroup.procs"
}

@test "broken: run, create and plan say the same" {
	config '.process.cwd = "relative" | .linux.namespaces += [{type: "moon"}] | .mounts += [{type: "tmpfs"}]'
	local want
	run -1 rung --log log create "$ID"
	want=${output#rung create failed: }
	[[ $want == *process.cwd:*mounts\[*linux.namespaces\[* ]] # all mistakes at once
	run -1 rung --log log run "$ID"
	[ "$output" = "rung run failed: $want" ]
	run -1 rung --log log plan
	[ "$output" = "$want" ]
	[ ! -e "$STATE/$ID" ]
}

@test "broken: a config.json that is none is refused" {
	local document
	for document in '' '{' '[]' '"x"' '{} {}' $'{"root": "\xff"}'; do
		printf '%s' "$document" >config.json
		run -1 rung create "$ID"
		[[ $output == *'rung create failed: '?* ]]
		[ ! -e "$STATE/$ID" ]
	done
	rm config.json
	run -1 rung create "$ID"
	[[ $output == *"($BUNDLE/config.json): no such file or directory"* ]]
	mkdir config.json
	run -1 rung create "$ID"
	[[ $output == *"($BUNDLE/config.json): is a directory"* ]]
	rmdir config.json
	mkfifo config.json
	RUNG_TIMEOUT=10 run -1 rung create "$ID"
	[[ $output == *'config.json'* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "broken: a config.json beyond all measure is refused in bounded memory and time" {
	# 1 GiB, of zeros that take no place on the disk, and JSON of great depth.
	truncate -s 1G config.json
	run -1 bash -c 'ulimit -v 4000000; exec timeout 10 "$@"' - "$RUNG" --root "$STATE" create "$ID"
	[[ $output == *'rung create failed: '*config.json* ]]
	head -c 200000 /dev/zero | tr '\0' '[' >config.json
	run -1 timeout 10 "$RUNG" --root "$STATE" create "$ID"
	[[ $output == *'rung create failed: '* && $output != *goroutine* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "broken: what this version does not honour is refused by create, run and plan, and by exec" {
	new_bundle
	cp config.json plain.json
	local field rest
	while read -r -u 9 field rest; do # rung run reads what is left of stdin
		jq "$rest" plain.json >config.json
		run -1 rung create "$ID"
		[[ $output == *'rung create failed: '*"$field: not honoured by this version of rung"* ]]
		run -1 rung run "$ID"
		[[ $output == *'rung run failed: '*"$field: not honoured by this version of rung"* ]]
		run -1 rung plan
		[[ $output == *"$field: not honoured by this version of rung"* ]]
		[ ! -e "$STATE/$ID" ]
	done 9<<-'END'
		linux.intelRdt .linux.intelRdt = {closID: "x"}
		linux.netDevices .linux.netDevices = {eth0: {}}
		linux.seccomp.listenerPath .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/s"}
		linux.seccomp.syscalls[1].action .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/s", syscalls: [{names: ["read"], action: "SCMP_ACT_ALLOW"}, {names: ["getpgrp"], action: "SCMP_ACT_NOTIFY"}]}
		process.execCPUAffinity .process.execCPUAffinity = {initial: "0"}
	END
	cp plain.json config.json
	run -0 rung run -d "$ID"
	jq '.process | .execCPUAffinity = {initial: "0"} | .args = ["touch", "/ran"]' plain.json >process.json
	run -255 rung exec -p process.json "$ID"
	[[ $output == *'exec failed: process.execCPUAffinity: not honoured by this version of rung'* ]]
	[ ! -e rootfs/ran ]
}

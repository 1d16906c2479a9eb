#!/usr/bin/env bats
# Configurations with a mistake each are refused, with the JSON path of every
# mistake, before anything is made. The list is that of package bundle's tests.

load helpers

DATA="$BATS_TEST_DIRNAME/../../libcontainer/internal/bundle/testdata"

# broken_rows FILE: NAME, PATCH and WANT of those rows that are a jq patch of
# the base document, each as one line of JSON.
broken_rows() {
	jq -c '.[] | select(.patch)' "$DATA/$1"
}

@test "broken: every broken config.json is refused by create, and nothing made" {
	local row want count=0 bad=''
	while read -r row; do
		jq "$(jq -r .patch <<<"$row")" "$DATA/base.json" >config.json || continue
		want=$(jq -r .want <<<"$row")
		want=${want//\{file\}/$BUNDLE/config.json}
		run "$RUNG" --root "$STATE" create "$ID" </dev/null 3>&- 4>&-
		count=$((count + 1))
		if [[ $status != 1 || $(log_message "$output") != "rung create failed: $want" || -e $STATE/$ID ]]; then
			bad+="$(jq -r .name <<<"$row"): status $status, $output"$'\n'"    wanted $want"$'\n'
		fi
	done < <(broken_rows broken.json)
	echo "$bad"
	[ -z "$bad" ]
	((count >= 60))
	[ -z "$(remains)" ]
}

# log_message RECORD: the message of a log record, which escapes quotes and
# backslashes.
log_message() {
	local text=${1#*msg=\"}
	text=${text%\"}
	printf '%b' "${text//\\\"/\"}"
}

@test "broken: every broken process file is refused by exec with 255" {
	run -0 rung run -d "$ID"
	local row want count=0 bad='' file=$BATS_TEST_TMPDIR/process.json before
	before=$(cgroup_processes)
	while read -r row; do
		jq "$(jq -r .patch <<<"$row")" "$DATA/base-process.json" >"$file" || continue
		want=$(jq -r .want <<<"$row")
		want=${want//\{file\}/$file}
		run "$RUNG" --root "$STATE" exec --process "$file" "$ID" </dev/null 3>&- 4>&-
		count=$((count + 1))
		if [[ $status != 255 || $(log_message "$output") != "exec failed: $want" ]]; then
			bad+="$(jq -r .name <<<"$row"): status $status, $output"$'\n'"    wanted $want"$'\n'
		fi
	done < <(broken_rows broken-process.json)
	echo "$bad"
	[ -z "$bad" ]
	((count >= 15))
	[ "$(cgroup_processes)" = "$before" ]
}

cgroup_processes() {
	wc -l <"$(cgroup_dir "$ID" memory)/cgroup.procs"
}

@test "broken: a config.json that is none is refused" {
	local document
	for document in '' '{' '[]' '"x"' '{} {}' $'{"root": "\xff"}'; do
		printf '%s' "$document" >config.json
		run -1 "$RUNG" --root "$STATE" create "$ID" </dev/null
		[[ $output == *'rung create failed: '?* ]]
		[ ! -e "$STATE/$ID" ]
	done
	rm config.json
	run -1 "$RUNG" --root "$STATE" create "$ID" </dev/null
	[[ $output == *'config.json'*'no such file or directory'* ]]
	mkfifo config.json
	run -1 timeout 10 "$RUNG" --root "$STATE" create "$ID" </dev/null
	[[ $output == *'config.json'* ]]
}

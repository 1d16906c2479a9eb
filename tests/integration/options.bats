#!/usr/bin/env bats
# Options that no other file uses both rightly and wrongly: what each does, and
# what a wrong one is told. Those with a file of their own: --bundle, --no-pivot
# (rootfs), --console-socket (terminal), --pidfd-socket, --preserve-fds,
# --no-new-keyring (descriptors), --pid-file (pidfile).

load helpers

# usage_error WORDS COMMAND...: exit code 1, one message with the words, and
# nothing is made.
usage_error() {
	local words=$1
	shift
	run -1 --separate-stderr "$RUNG" --root "$STATE" --log log "$@" </dev/null
	[ -z "$output" ]
	# shellcheck disable=SC2154 # set by run
	# shellcheck disable=SC2154
	[[ $stderr == *"$words"* && ${#stderr_lines[@]} -eq 1 ]] || {
		echo "$* says: $stderr"
		return 1
	}
}

@test "options: a flag takes true or false, of each command" {
	run -0 rung run -d "$ID"
	local row
	for row in 'create --no-pivot' 'create --no-new-keyring' 'run --detach' 'run -d' 'run --keep' 'run --no-subreaper' \
		'run --no-pivot' 'exec --detach' 'exec --tty' 'exec -t' 'exec --no-new-privs' 'exec --ignore-paused' \
		'kill --all' 'delete --force' 'delete -f' 'list --quiet' 'list -q' 'spec --rootless'; do
		# shellcheck disable=SC2086 # a command and its option
		usage_error 'invalid boolean value "maybe" for -' $row=maybe "$ID"
	done
	# The log's own options are read before there is a log: one record on stderr.
	run -1 "$RUNG" --root "$STATE" --debug=maybe list
	[[ $output == *'level=error msg="invalid boolean value \"maybe\" for -debug: parse error"' ]]
	has_status "$ID" running
}

@test "options: one that takes a value is not without" {
	local row option
	for row in 'create --bundle' 'create --console-socket' 'run --pidfd-socket' 'run --pid-file' 'exec --process' \
		'exec --cwd' 'exec --env' 'exec -e' 'exec --user' 'exec --additional-gids' 'exec --cap' 'exec --apparmor' \
		'exec --process-label' 'list --format' 'spec --bundle' 'plan -b'; do
		option=${row#* -}
		# shellcheck disable=SC2086
		usage_error "flag needs an argument: -${option#-}" $row
	done
}

@test "options: one that is another command's is unknown, and so are short ones in a bundle" {
	local row option
	for row in 'create --detach' 'create --keep' 'create -d' 'start --detach' 'exec --bundle' 'exec --no-pivot' \
		'exec --keep' 'state --force' 'kill --force' 'delete --all' 'features --bundle' 'plan --no-pivot' \
		'spec --force' 'list --all' 'exec -te' 'delete -fa' 'run --cwd'; do
		option=${row#* -}
		# shellcheck disable=SC2086
		usage_error "flag provided but not defined: -${option#-}" $row "$ID"
	done
	[ ! -e "$STATE/$ID" ]
}

@test "options: how many arguments each command takes" {
	local row
	for row in create run start state delete 'exec --process file' 'list x' 'features x' 'plan x' 'spec x' \
		'create a b' 'run a b' 'start a b' 'state a b' 'delete a b' 'exec --process file a b'; do
		# shellcheck disable=SC2086
		usage_error "\"${row%% *}\" takes " $row
	done
	for row in exec 'exec a' kill 'kill a TERM b'; do
		# shellcheck disable=SC2086
		usage_error "\"${row%% *}\" does not take " $row
	done
	[ ! -e config.json.new ] && [ ! -e "$STATE/a" ]
}

@test "options: --help of each command is on stdout, with every option of it" {
	local row
	for row in 'create --no-new-keyring' 'run --no-subreaper' 'exec --ignore-paused' 'state --help' 'list --quiet' \
		'kill --help' 'delete --force' 'spec --rootless' 'features --help' 'plan --bundle' 'start --help'; do
		run -0 --separate-stderr "$RUNG" "${row% *}" --help
		[ -z "$stderr" ]
		[ "${lines[0]}" = NAME: ]
		[[ $output == *"${row#* }"* ]]
		run -0 --separate-stderr "$RUNG" "${row% *}" -h
		[ "${lines[0]}" = NAME: ]
	done
	run -0 "$RUNG" kill --help
	[[ $output != *--all* ]] # there, and hidden
}

@test "options: --log that cannot be written, --rootless that is neither" {
	run -1 "$RUNG" --log "$BUNDLE/none/log" --root "$STATE" list
	[[ $output == *"open log: open $BUNDLE/none/log: no such file or directory"* ]]
	run -1 "$RUNG" --log "$BUNDLE" --root "$STATE" create "$ID" </dev/null
	[[ $output == *"open log: open $BUNDLE: is a directory"* ]]
	[ ! -e "$STATE/$ID" ]
	usage_error 'invalid value "perhaps" for --rootless: true, false or auto' --rootless perhaps list
}

@test "options: --rootless true tolerates a cgroup that may not be made, false does not" {
	user_bundle
	args true
	run -0 user_rung --rootless true run "$ID"
	config '.linux.cgroupsPath = "/" + $id | .linux.resources = {}' --arg id "$ID"
	run -1 user_rung --rootless false run "$ID"
	[[ $output == *'permission denied'* ]]
}

@test "options: --bundle that is no directory, of create, run, plan and spec" {
	local command
	for command in create run plan; do
		run -1 rung --log log "$command" --bundle "$BUNDLE/none" ${command:+$([ "$command" = plan ] || echo "$ID")}
		[[ $output == *"open bundle ($BUNDLE/none): no such file or directory" ]]
	done
	run -1 "$RUNG" --log log spec --bundle "$BUNDLE/none"
	[[ $output == *"open $BUNDLE/none/config.json: no such file or directory" ]]
	[ ! -e none ] && [ ! -e "$STATE/$ID" ]
}

@test "options: --pid-file: relative from the caller's folder; where there is none, nothing is left" {
	mkdir "$BATS_TEST_TMPDIR/caller"
	cd "$BATS_TEST_TMPDIR/caller"
	run -0 rung create --bundle "$BUNDLE" --pid-file file "$ID"
	[ "$(<file)" = "$(host_pid "$ID")" ]
	run -1 rung --log log create --bundle "$BUNDLE" --pid-file none/file "$ID-2"
	[[ $output == 'rung create failed: '*'no such file or directory' ]]
	[ ! -e "$STATE/$ID-2" ]
	run -0 rung start "$ID"
	run -255 rung --log log exec --pid-file none/file "$ID" touch /ran
	[[ $output == 'exec failed: '*'no such file or directory' ]]
	[ ! -e "$BUNDLE/rootfs/ran" ]
}

# orphan_parent [OPTION...]: whose child an orphan of a container without a pid
# namespace becomes: prints its parent's command.
orphan_parent() {
	config '.linux.namespaces |= map(select(.type != "pid"))
		| .process.args = ["sh", "-c", "(sleep 1000 & echo $! >/orphan); exec sleep 1000"]'
	rm -f rootfs/orphan
	run_bg front rung run "$@" "$ID"
	wait_for 10 test -s rootfs/orphan
	local orphan
	orphan=$(<rootfs/orphan)
	wait_for 5 adopted "$orphan"
	ADOPTER=$(ps -o ppid= -p "$orphan" | tr -d ' ')
}

adopted() { # by another than the container's init
	[[ $(ps -o ppid= -p "$1") -ne $(host_pid "$ID") ]]
}

@test "options: run adopts the container's orphans, with --no-subreaper it does not" {
	orphan_parent
	[ "$ADOPTER" -eq "$BG_PID" ]
	run -0 rung delete --force "$ID"
	wait_for 10 ended "$BG_PID"
	orphan_parent --no-subreaper
	[ "$ADOPTER" -ne "$BG_PID" ]
}

@test "options: list: formats by both names, and a format that is none" {
	run -0 rung create "$ID"
	run -0 rung list -f json
	check 'length == 1 and .[0].id == $id and .[0].status == "created"' --arg id "$ID"
	run -0 rung list --format=table
	[[ ${lines[1]} == "$ID "* ]]
	run -0 rung list -q
	[ "$output" = "$ID" ]
	usage_error 'invalid value "yaml" for --format: table or json' list --format yaml
	run -0 rung list -q --format json # IDs only
	[ "$output" = "$ID" ]
}

@test "options: kill --all signals each process, by both names; after the ID it is a signal" {
	args sh -c 'trap "echo init >>/got" USR1; while :; do sleep 0.05; done'
	run -0 rung run -d "$ID"
	run -0 rung exec -d "$ID" sh -c 'trap "echo other >>/got" USR1; echo >/ready; while :; do sleep 0.05; done'
	wait_for 10 test -e rootfs/ready
	local option
	for option in --all -a; do
		: >rootfs/got
		run -0 rung kill "$option" "$ID" USR1
		wait_for 10 eval '[ "$(sort -u rootfs/got)" = $'"'init\nother'"' ]'
	done
	usage_error 'unknown signal "--all"' kill "$ID" --all
	local signal
	for signal in 65 -1 RTMIN SIG SIGNO ''; do
		[ -z "$signal" ] || usage_error "unknown signal \"$signal\"" kill "$ID" "$signal"
	done
}

@test "options: kill --all of a rootless container without cgroups signals its first process" {
	user_bundle
	args sh -c 'trap "echo got >/got; exit" TERM; echo >/ready; while :; do sleep 0.05; done'
	run -0 user_rung run -d "$ID"
	wait_for 10 test -e rootfs/ready
	run -0 jq .cgroup_paths "$BATS_TEST_TMPDIR/runtime/rung/$ID/state.json"
	[[ $output == '{}' || $output == null ]] || skip "the user has cgroups here"
	run -0 user_rung kill --all "$ID" TERM
	wait_for 5 grep -qx got rootfs/got
	wait_for 5 user_has_status stopped
	run -0 user_rung kill --all "$ID" TERM
}

user_has_status() {
	[[ $(user_rung state "$ID" | jq -r .status) == "$1" ]]
}

@test "options: delete --force=false is without" {
	run -0 rung run -d "$ID"
	run -1 rung delete --force=false "$ID"
	[[ $output == *'that is not stopped: running'* ]]
	has_status "$ID" running
}

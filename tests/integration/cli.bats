#!/usr/bin/env bats
# The command line itself: options, exit codes, the log, documents.

load helpers

@test "cli: no command, -h and --help: the help on stdout, 0" {
	local option
	for option in '' -h --help; do
		run -0 --separate-stderr bash -c '"$0" $1' "$RUNG" "$option"
		[ "${lines[0]}" = NAME: ]
	done
	run -0 --separate-stderr "$RUNG" run --help
	[ "${lines[0]}" = NAME: ]
}

@test "cli: --version" {
	run -0 "$RUNG" --version
	[[ ${lines[0]} == 'rung version '* ]]
	[[ $output == *$'\nspec: 1.3.0\n'*'go: go1.'* ]]
	run -0 env XDG_RUNTIME_DIR=/nonexistent "$RUNG" --root /proc/x --version
	run -0 "$RUNG" --root /proc/x features
}

@test "cli: an unknown command is 3, an unknown option 1" {
	run -3 "$RUNG" nothing
	[[ $output == *"No help topic for 'nothing'"* ]]
	run -1 "$RUNG" run --no-such "$ID"
	[[ $output == *no-such* ]]
	run -1 "$RUNG" --no-such list
	# What is not there yet is unknown, not accepted.
	run -1 "$RUNG" run --systemd-cgroup "$ID"
	run -1 "$RUNG" --systemd-cgroup list
}

@test "cli: options after arguments, with one dash, with a value for a flag" {
	args true
	run -0 rung run "$ID" -no-subreaper --keep=false
	run -0 rung run --no-subreaper=true "$ID"
	run -0 rung run -d "$ID" --pid-file "$BATS_TEST_TMPDIR/p"
	[ -s "$BATS_TEST_TMPDIR/p" ]
	run -0 "$RUNG" list --root "$STATE" -q
	[ "$output" = "$ID" ]
}

@test "cli: exec and kill end their options at the ID" {
	run -0 rung run -d "$ID"
	run -0 rung exec "$ID" echo -d --tty
	[ "$output" = '-d --tty' ]
	run -0 rung exec "$ID" -- echo x
	[ "$output" = x ]
	run -0 rung kill "$ID" 0
	run -1 rung kill "$ID" NOSUCH
	[[ $output == *'unknown signal \"NOSUCH\"'* || $output == *'unknown signal "NOSUCH"'* ]]
	local sig
	for sig in usr1 SIGUSR1 Sigusr1 10; do
		run -0 rung kill "$ID" "$sig"
	done
}

@test "cli: --debug tells each step with its time" {
	args echo program
	run -0 --separate-stderr rung --debug --log log --log-format json run "$ID"
	[ "$output" = program ]
	jq -es 'all(.level == "debug" and (.time | type) == "string")' log
	jq -r .msg log >messages
	grep -qE '^parent: created-cgroup: [0-9]+\.[0-9]{3} ms$' messages
	grep -qE '^init: mount mounts\[[0-9]+\] \(/proc\): [0-9]+\.[0-9]{3} ms$' messages
	grep -qE '^init: set user and groups process\.user: ' messages
	args sleep 1000
	run -0 rung run -d "$ID"
	run -0 rung --debug --log exec.log exec "$ID" true
	grep -q 'init: close descriptors: ' exec.log
	run -0 rung --log quiet.log exec "$ID" true
	[ ! -s quiet.log ]
}

@test "cli: a failure is one record in the log and the bare message on stderr" {
	local log=$BATS_TEST_TMPDIR/log
	run -1 --separate-stderr "$RUNG" --root "$STATE" --log "$log" --log-format json state nobody
	[ "$stderr" = 'container does not exist' ]
	[ -z "$output" ]
	output=$(<"$log")
	check '.level == "error" and .msg == "container does not exist" and (.time | test("^20"))'
	[ "$(stat -c %a "$log")" = 644 ]
	run -1 "$RUNG" --root "$STATE" --log "$log" --log-format json state nobody
	[ "$(wc -l <"$log")" -eq 2 ]
	run -1 "$RUNG" --log-format xml list
	[[ $output == *log-format* ]]
}

@test "cli: create, run -d, start and exec -d print nothing" {
	run -0 rung create "$ID"
	[ -z "$output" ]
	run -0 rung start "$ID"
	[ -z "$output" ]
	run -0 rung exec -d "$ID" true
	[ -z "$output" ]
}

@test "cli: spec writes a config.json once, that runs" {
	mkdir new
	run -0 "$RUNG" spec --bundle new
	run -1 "$RUNG" spec --bundle new
	[[ $output == *'File config.json exists'* ]]
	output=$(<new/config.json)
	check '.process.args == ["sh"] and .process.terminal and .process.noNewPrivileges and .root.readonly'
	check '.process.capabilities | keys == ["bounding", "effective", "permitted"]'
	check '[.linux.namespaces[].type] | contains(["pid", "network", "ipc", "uts", "mount"])'
	rm new/config.json
	run -0 "$RUNG" spec --bundle new --rootless
	output=$(<new/config.json)
	check '[.linux.namespaces[].type] | index("user") != null and index("network") == null'
	check '.linux.resources == null'
}

@test "cli: features is the document of the specification" {
	run -0 --separate-stderr "$RUNG" features
	[ -z "$stderr" ]
	check '.ociVersionMin == "1.0.0" and .ociVersionMax == "1.3.0"'
	check '.hooks == ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"]'
	check '.mountOptions | index("rro") != null and index("tmpcopyup") != null and index("idmap") == null'
	check '.linux.mountExtensions.idmap.enabled'
	check '.linux.namespaces == ["cgroup", "ipc", "mount", "network", "pid", "time", "user", "uts"]'
	check '.linux.capabilities | length == 41'
	check '.linux.seccomp.actions | index("SCMP_ACT_ERRNO") != null and index("SCMP_ACT_NOTIFY") == null' # it is refused
	check '[.. | strings | select(test("[[:cntrl:]]"))] == []'
}

@test "cli: plan shows the steps and does nothing, also without root" {
	run -0 --separate-stderr "$RUNG" plan --bundle "$BUNDLE"
	check '.steps | map(.op) | index("pivot to root filesystem") != null'
	check '.steps[-1].op == "execute program"'
	require rootless
	chmod 644 config.json
	chmod 755 "$BUNDLE" rootfs
	run -0 --separate-stderr as_user "$BIN/rung" plan --bundle "$BUNDLE"
	check '.bootstrap.new > 0'
	[ ! -e "$STATE/plan" ]
}

#!/usr/bin/env bats
# Several commands at work on one container, or one root, at the same time.
# Whoever comes second finds the state that the first has made, and says what a
# command says in that state. None hangs, none leaves anything.

load helpers

# How many seconds one command may take, however many there are.
BOUND=30

setup() {
	new_bundle
	# A binary of this test's own: whatever runs it is ours.
	RUNG=$BATS_TEST_TMPDIR/rung
	cp "$BIN/rung" "$RUNG"
}

teardown() {
	local status=0
	end_test || status=1
	if ! wait_for 5 nobody_runs 2>/dev/null; then
		echo "still runs rung: $(runners)"
		status=1
	fi
	return "$status"
}

# runners prints the pids of all that run this test's binary: commands,
# bootstraps, and init before its program.
runners() {
	local exe
	for exe in /proc/[0-9]*/exe; do
		if [[ $exe -ef $RUNG ]]; then
			exe=${exe#/proc/}
			echo "${exe%/exe}"
		fi
	done
}

nobody_runs() {
	[[ -z $(runners) ]]
}

# crowd N COMMAND...: N times this command, all waiting for the word.
crowd() {
	local n=$1
	shift
	if [[ ${#CROWD_PIDS[@]} -eq 0 ]]; then
		CROWD=$(mktemp -d "$BATS_TEST_TMPDIR/crowd.XXXXXX")
		mkfifo "$CROWD/gate"
	fi
	for ((; n > 0; n--)); do
		one_of_crowd "$CROWD/$1-${#CROWD_PIDS[@]}" "$@" &
		CROWD_PIDS+=($!)
	done
}

one_of_crowd() { # NAME COMMAND...
	local name=$1 status=0 begin
	shift
	: <"$CROWD/gate" # waits for one who opens it for writing
	begin=$SECONDS
	timeout -k 2 "$BOUND" "$RUNG" --root "$STATE" "$@" </dev/null \
		>"$name.out" 2>"$name.err" 3>&- 4>&- || status=$?
	((SECONDS - begin < BOUND)) || status=hung
	echo "$status" >"$name.rc"
}

# go gives the word, and waits for all. None hangs or panics.
go() {
	local gate
	exec {gate}<>"$CROWD/gate"
	wait "${CROWD_PIDS[@]}"
	exec {gate}>&-
	CROWD_PIDS=()
	if grep -lx hung "$CROWD"/*.rc || grep -l -e 'panic:' -e '^goroutine ' "$CROWD"/*.err "$CROWD"/*.out; then
		return 1
	fi
}

# count COMMAND STATUS: how many ended so.
count() {
	cat "$CROWD/$1"-*.rc | grep -cx "$2" || true
}

# else_said COMMAND TEXT...: each that failed said one of these, in one line.
else_said() {
	local command=$1 rc text name
	shift
	for rc in "$CROWD/$command"-*.rc; do
		[[ $(<"$rc") != 0 ]] || continue
		name=${rc%.rc}
		for text in "$@"; do
			[[ $(<"$name.err") != *"$text"* ]] || continue 2
		done
		echo "${name##*/} ($(<"$rc")): $(<"$name.err")"
		return 1
	done
}

without_pid_namespace() {
	config '.linux.namespaces |= map(select(.type != "pid"))'
}

# count_stops makes a poststop hook add a line to $BUNDLE/stops each time.
count_stops() {
	config '.hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", $s]}]' --arg s "echo stop >>$BUNDLE/stops"
}

@test "races: 16 creates of one ID: the others say that it exists, and touch nothing of the first" {
	crowd 16 create "$ID"
	go
	[ "$(count create 0)" -eq 1 ]
	[ "$(count create 1)" -eq 15 ]
	else_said create 'container with given ID already exists'
	[ "$(runners)" = "$(host_pid "$ID")" ]
	run -0 rung start "$ID"
	run -0 rung exec "$ID" echo alive
	[ "$output" = alive ]
}

@test "races: creates of 16 IDs, the state root not there before: all win" {
	local i
	for i in {1..16}; do
		crowd 1 create "$ID-$i"
	done
	go
	[ "$(count create 0)" -eq 16 ]
	run -0 rung list -q
	[ "${#lines[@]}" -eq 16 ]
}

@test "races: 16 kills and 16 deletes by force, of one that runs" {
	count_stops
	run -0 rung run -d "$ID"
	local pid
	pid=$(host_pid "$ID")
	crowd 16 kill "$ID" KILL
	go
	else_said kill 'container not running'
	[ "$(count kill 0)" -ge 1 ]
	wait_for 5 ended "$pid"
	has_status "$ID" stopped

	crowd 16 delete --force "$ID"
	go
	[ "$(count delete 0)" -eq 16 ]
	[ ! -e "$STATE/$ID" ]
	[ "$(<stops)" = stop ]
	[ -z "$(remains)" ]
}

@test "races: 16 deletes by force, of one that runs without a pid namespace" {
	without_pid_namespace
	args sh -c 'sleep 1000 & sleep 1000 & wait'
	run -0 rung run -d "$ID"
	crowd 16 delete --force "$ID"
	go
	[ "$(count delete 0)" -eq 16 ]
	[ ! -e "$STATE/$ID" ]
	[ -z "$(remains)" ]
}

@test "races: kill and delete at once, without a pid namespace" {
	without_pid_namespace
	args sh -c 'sleep 1000 & sleep 1000 & wait'
	run -0 rung run -d "$ID"
	crowd 8 kill "$ID" KILL
	crowd 8 kill --all "$ID" KILL
	crowd 4 delete --force "$ID"
	go
	else_said kill 'container not running' 'container does not exist'
	[ "$(count delete 0)" -eq 4 ]
	[ ! -e "$STATE/$ID" ]
	[ -z "$(remains)" ]
}

@test "races: 16 deletes of one that has stopped: poststop runs once" {
	count_stops
	args true
	run -0 rung run -d "$ID"
	wait_for 5 has_status "$ID" stopped
	crowd 16 delete "$ID"
	go
	[ "$(count delete 0)" -ge 1 ]
	else_said delete 'container does not exist'
	[ ! -e "$STATE/$ID" ]
	[ "$(<stops)" = stop ]
}

@test "races: 16 starts: one wins, the others say that it runs already" {
	config '.hooks.startContainer = [{path: "/bin/sleep", args: ["sleep", "0.3"]}]'
	args sh -c 'echo run >>/runs; sleep 1000'
	run -0 rung create "$ID"
	crowd 16 start "$ID"
	go
	[ "$(count start 0)" -eq 1 ]
	else_said start 'cannot start an already running container'
	has_status "$ID" running
	wait_for 5 test -s rootfs/runs
	[ "$(<rootfs/runs)" = run ]
}

@test "races: start against delete by force: it is gone, and start has run it or says why not" {
	local i
	for i in {1..10}; do
		count_stops
		rm -f stops
		run -0 rung create "$ID"
		crowd 2 start "$ID"
		crowd 2 delete --force "$ID"
		go
		[ "$(count delete 0)" -eq 2 ]
		else_said start 'container does not exist' 'cannot start a container that has stopped' \
			'cannot start an already running container' 'container not running' 'container init was killed'
		[ ! -e "$STATE/$ID" ]
		[ -z "$(remains)" ]
		[ "$(<stops)" = stop ]
	done
}

@test "races: create, start, delete of one ID over and over: each ends as its turn says" {
	local i
	for i in {1..8}; do
		crowd 4 create "$ID"
		crowd 2 start "$ID"
		crowd 2 kill "$ID" KILL
		crowd 4 delete --force "$ID"
		crowd 2 state "$ID"
		go
		[ "$(count delete 0)" -eq 4 ]
		else_said state 'container does not exist'
		else_said kill 'container does not exist' 'container not running'
		else_said start 'container does not exist' 'cannot start a container that has stopped' \
			'cannot start an already running container' 'container not running' 'container init was killed'
		# One that is deleted on its way has lost its init.
		else_said create 'container with given ID already exists' 'init ended: signal: killed'
		run -0 rung delete --force "$ID"
		[ -z "$(remains)" ]
		nobody_runs
	done
}

# life N: containers are created, started, ended and deleted, one after the
# other, for as long as $BATS_TEST_TMPDIR/watched is not there.
life() {
	local id=$ID-$1
	while [[ ! -e $BATS_TEST_TMPDIR/watched ]]; do
		rung create "$id" && rung start "$id" && rung kill "$id" KILL
		rung delete --force "$id" || return
	done >/dev/null 2>&1
}

# watch SECONDS COMMAND...: what it prints is one JSON document each time.
watch() {
	local end=$((SECONDS + $1)) out
	shift
	while ((SECONDS < end)); do
		if ! out=$("$@" 2>&1 3>&- 4>&-); then
			echo "$*: $out" >>"$BATS_TEST_TMPDIR/odd"
		elif ! jq -c . <<<"$out" >>"$BATS_TEST_TMPDIR/seen"; then
			echo "$*: no JSON: $out" >>"$BATS_TEST_TMPDIR/odd"
		fi
	done
}

@test "races: list and state while containers come and go: never an error, never half a state" {
	mkdir -m 700 "$STATE"
	: >"$BATS_TEST_TMPDIR/odd"
	local lives=() watchers=()
	life 1 &
	lives+=($!)
	life 2 &
	lives+=($!)
	watch 15 timeout 10 "$RUNG" --root "$STATE" list -f json &
	watchers+=($!)
	watch 15 timeout 10 "$RUNG" --root "$STATE" state "$ID-1" &
	watchers+=($!)
	wait "${watchers[@]}"
	touch "$BATS_TEST_TMPDIR/watched"
	wait "${lives[@]}"
	# state may find none; nothing else goes wrong.
	sed -i '/ state .*msg="container does not exist"$/d' "$BATS_TEST_TMPDIR/odd"
	cat "$BATS_TEST_TMPDIR/odd"
	[ ! -s "$BATS_TEST_TMPDIR/odd" ]
	output=$(jq -s 'map(if type == "array" then .[] else . end | select(. != null))' "$BATS_TEST_TMPDIR/seen")
	check 'map(select((.status == "stopped") != (.pid == 0) or .created < "2020")) == []'
	check 'map(.status) | unique - ["created", "running", "stopped"] == []'
	check 'length > 20 and any(.[]; .status == "created") and any(.[]; .status == "running")'
}

# Whoever ran has been killed with its container, the others say that it has
# ended or ended themselves.
execs_end() {
	local rc
	for rc in "$CROWD"/exec-*.rc; do
		case $(<"$rc") in
		137 | 255) ;;
		*) echo "$rc: $(<"$rc")" && return 1 ;;
		esac
	done
	sed -i 's/^137$/0/' "$CROWD"/exec-*.rc
	else_said exec 'exec failed: cannot exec in a stopped container' 'exec failed: container does not exist' \
		'before its program ran'
}

@test "races: exec against kill: it is killed too, or says that the container has stopped" {
	local i
	for i in {1..6}; do
		run -0 rung run -d "$ID"
		crowd 10 exec "$ID" sleep 1000
		crowd 1 kill "$ID" KILL
		go
		execs_end
		wait_for 5 has_status "$ID" stopped
		run -0 rung delete "$ID"
		[ -z "$(remains)" ]
		nobody_runs
	done
}

@test "races: exec against delete by force, with a pid namespace and without" {
	local i
	for i in {1..8}; do
		((i != 5)) || without_pid_namespace
		run -0 rung run -d "$ID"
		crowd 10 exec "$ID" sleep 1000
		crowd 1 delete --force "$ID"
		go
		[ "$(count delete 0)" -eq 1 ]
		execs_end
		[ ! -e "$STATE/$ID" ]
		[ -z "$(remains)" ]
		nobody_runs
	done
}

@test "races: 30 execs at once" {
	run -0 rung run -d "$ID"
	crowd 30 exec "$ID" sh -c 'echo inside; exit 7'
	go
	[ "$(count exec 7)" -eq 30 ]
	[ "$(cat "$CROWD"/exec-*.out | grep -cx inside)" -eq 30 ]
	crowd 30 exec -d "$ID" sleep 1000
	go
	[ "$(count exec 0)" -eq 30 ]
	run -0 rung exec "$ID" sh -c 'grep -lx "Name:.sleep" /proc/[0-9]*/status | wc -l'
	[ "$output" -eq 31 ]
	run -0 rung delete --force "$ID"
	[ -z "$(remains)" ]
}

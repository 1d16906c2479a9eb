# shellcheck shell=bash
# A guest from the host's side. Sourced; `trap stop_guest EXIT` is the caller's.

guest=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")

# start_guest RECIPE SECONDS: boots it, and waits until both agents listen. It
# is ended after that many seconds, whatever happens, also if we are killed.
start_guest() {
	local image
	image=$("$guest/image.sh" "$1") || return
	work=$(mktemp -d "${TMPDIR:-/tmp}/rung-guest.XXXXXX")
	mkdir -p "$work"/jobs/{root,user}
	chmod 777 "$work"/jobs/user # the guest's user is nobody here
	setpriv --pdeathsig TERM timeout -k 5 "$2" \
		"$guest/boot.sh" "$image" "$work/jobs" -serial "file:$work/console" </dev/null >"$work/qemu.log" 2>&1 &
	guest_pid=$!
	if ! wait_for_file 600 "$work/jobs/root/ready" || ! wait_for_file 120 "$work/jobs/user/ready"; then
		echo 'the guest did not come up; the end of its console:' >&2
		tail -n 30 "$work/console" "$work/qemu.log" >&2
		return 1
	fi
	# shellcheck disable=SC2034 # guest_job counts them, by reference
	root_jobs=0 user_jobs=0
}

# guest_job root|user SECONDS COMMAND: in the guest, with a login shell; output
# (also in the file $guest_output, until the guest is stopped) and exit code are
# the command's; 124 if it took too long, 125 if it could not be run.
guest_job() {
	local who=$1 job status=0 output
	local -n count=${who}_jobs
	job=$work/jobs/$who/$((++count))
	guest_output=$job.log
	: >"$guest_output"
	chmod 666 "$guest_output"
	printf '%s\n' "$3" >"$job.sh.new"
	mv "$job.sh.new" "$job.sh"
	exec {output}<"$guest_output"
	wait_for_file "$2" "$job.status" "$output" || status=$?
	cat <&"$output"
	exec {output}<&-
	if ((status == 0)); then
		status=$(<"$job.status")
	fi
	return "$status"
}

# wait_for_file SECONDS FILE [FD]: until it is there; what can be read from FD
# meanwhile is passed on.
wait_for_file() {
	local end=$((SECONDS + $1))
	until [[ -e $2 ]]; do
		if ! kill -0 "$guest_pid" 2>/dev/null; then
			echo 'the guest has ended' >&2
			return 125
		fi
		if ((SECONDS >= end)); then
			echo "the guest took more than $1 s" >&2
			return 124
		fi
		if [[ -n ${3:-} ]]; then
			cat <&"$3"
		fi
		sleep 0.5
	done
}

# power_off: as a person would; what hangs then is worth knowing.
power_off() {
	local end=$((SECONDS + 90))
	guest_job root 30 'systemctl --no-block poweroff' || return
	while kill -0 "$guest_pid" 2>/dev/null; do
		if ((SECONDS >= end)); then
			echo 'the guest does not power off; the end of its console:' >&2
			tail -n 15 "$work/console" >&2
			return 1
		fi
		sleep 0.5
	done
}

# stop_guest ends it at once, and removes its files here.
stop_guest() {
	if [[ -n ${guest_pid:-} ]] && kill "$guest_pid" 2>/dev/null; then
		wait "$guest_pid" 2>/dev/null
	fi
	guest_pid=
	if [[ -n ${work:-} ]]; then
		rm -rf "$work"
	fi
}

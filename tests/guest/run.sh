#!/bin/bash
# run.sh RECIPE...: for each, boots its machine, runs the integration tests as
# root ($T: names of files, or all) and the rootless ones as a user, and powers
# it off. The output is TAP; the last line counts. Each machine has
# $GUEST_SECONDS for all of it.
set -euo pipefail
cd "$(dirname "$0")"
. ./machine.bash
. ../lib.sh
logs=$PWD/../../.cache/test
seconds=${GUEST_SECONDS:-1500}
passed=0 failed=0 skipped=0
trap stop_guest EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$logs"

# job WHO NAME: jobs/NAME.sh; a job that fails without a failed test is one.
job() {
	local status=0 p f s
	printf '\n== %s: %s as %s\n' "$recipe" "$2" "$1"
	guest_job "$1" "$seconds" "T='${T:-}' /checkout/tests/guest/jobs/$2.sh" || status=$?
	cp "$guest_output" "$logs/guest-$recipe-$2.tap"
	read -r p f s < <(count_tap "$guest_output")
	if ((status != 0 && f == 0)); then
		echo "$2: exit code $status" >&2
		f=1
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

for recipe in "$@"; do
	begin=$SECONDS
	printf '\n== %s: boot\n' "$recipe"
	start_guest "$recipe" "$seconds"
	guest_job root 60 'uname -sr; systemctl --version | head -n 1; findmnt -nro FSTYPE,TARGET -t cgroup,cgroup2; systemctl is-system-running --wait' ||
		guest_job root 60 'systemctl --failed --no-legend'
	echo "up after $((SECONDS - begin)) s"
	job root integration
	job user rootless
	power_off || failed=$((failed + 1))
	stop_guest
	echo "== $recipe: $((SECONDS - begin)) s"
done

if [[ -n ${COUNTS:-} ]]; then
	echo "$passed $failed $skipped" >"$COUNTS"
fi
echo "guest: $passed passed, $failed failed, $skipped skipped"
((failed == 0))

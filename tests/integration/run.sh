#!/bin/bash
# run.sh [FILE...]: the bats tests against $RUNG; T='NAME...' those of NAME.bats
# … only. The output is TAP. As another user than root nothing of them can be
# tested: it says so.
set -euo pipefail
cd "$(dirname "$0")"
. ../lib.sh
: "${RUNG:?the binary to test}"
log=../../.cache/test/integration.tap
mkdir -p "${log%/*}"

files=("$@")
if (($# == 0)); then
	read -ra files <<<"${T:-}"
	files=("${files[@]/%/.bats}")
fi
if ((${#files[@]} == 0)); then
	files=(*.bats)
fi
for file in "${files[@]}"; do
	if [[ ! -e $file ]]; then
		echo "no such file: tests/integration/$file" >&2
		exit 1
	fi
done

status=0
# A test that hangs is a failed test, not a run that never ends.
BATS_TEST_TIMEOUT=${BATS_TEST_TIMEOUT:-120} \
	bats --formatter tap --timing --print-output-on-failure "${files[@]}" 3>&- </dev/null | tee "$log" || status=1

read -r passed failed skipped < <(count_tap "$log")
if ((status != 0 && failed == 0)); then
	failed=1
fi
if ((skipped > 0)); then
	echo 'skipped, and why:'
	sed -n 's/^ok .* # skip \{0,1\}//p' "$log" | sort | uniq -c
fi
if [[ -n ${COUNTS:-} ]]; then
	echo "$passed $failed $skipped" >"$COUNTS"
else
	echo "$passed passed, $failed failed, $skipped skipped"
fi
((status == 0))

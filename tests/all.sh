#!/bin/bash
# all.sh: what `make test` does. Each stage runs even if one before it failed;
# the last line sums the Go tests and the bats tests, a stage that failed
# otherwise counting as one.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
logs=.cache/test
mkdir -p "$logs"
passed=0 failed=0 skipped=0
blame=()

stage() { # NAME TARGET
	local name=$1 target=$2 start=$SECONDS status=0 p=0 f=0 s=0
	printf '\n== %s\n' "$name"
	rm -f "$logs/$name.counts"
	COUNTS=$PWD/$logs/$name.counts ${MAKE:-make} --no-print-directory "$target" </dev/null 2>&1 |
		tee "$logs/$name.log" || status=1
	if [[ -s $logs/$name.counts ]]; then
		read -r p f s <"$logs/$name.counts"
	fi
	if ((status != 0)); then
		if ((f == 0)); then
			f=1
		fi
		blame+=("$name")
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '== %s: %s in %d s\n' "$name" "$([[ $status == 0 ]] && echo ok || echo FAILED)" $((SECONDS - start))
}

stage deps deps-test
stage build all
stage lint lint
stage unit unit
stage cross cross
stage integration integration

echo
if ((${#blame[@]} > 0)); then
	echo "failed: ${blame[*]} (logs in $logs)"
fi
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))

#!/bin/bash
# run.sh: every fuzz target for FUZZTIME each, FUZZTOTAL seconds in all: the
# Go ones, wherever they are, and the C ones of this folder under
# AddressSanitizer. Seeds and what was found before run with the unit tests.
set -euo pipefail
cd "$(dirname "$0")/../.."
go=${GO:-go}
time=${FUZZTIME:-10s}
total=${FUZZTOTAL:-300}
cache=$PWD/.cache/fuzz
mkdir -p "$cache"
failed=() passed=0 skipped=0

run() { # NAME COMMAND...
	local name=$1
	shift
	if ((SECONDS > total)); then
		echo "fuzz: $name: out of time ($total s)"
		skipped=$((skipped + 1))
		return
	fi
	echo "fuzz: $name"
	if "$@" >"$cache/log" 2>&1; then
		passed=$((passed + 1))
		grep -E 'execs:|runs' "$cache/log" | tail -n1 || true
	else
		cat "$cache/log"
		failed+=("$name")
	fi
}

for source in tests/fuzz/*_fuzz.c; do
	name=$(basename "$source" .c)
	# "header_fuzz.c" tests nsenter/header.c.
	gcc -std=gnu11 -g -O1 -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all \
		-Insenter -o "$cache/$name" "$source" "nsenter/${name%_fuzz}.c" tests/fuzz/driver.c
	run "$name" "$cache/$name" "${time%s}"
done

# Only packages that have targets: the others need not be built.
mapfile -t packages < <(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -rn1 dirname | sort -u)
for package in "${packages[@]}"; do
	# One pattern a run: go test -fuzz takes a single target.
	targets=$(grep -ho --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' "$package"/*_test.go | sed 's/^func //')
	for target in $targets; do
		run "$package $target" "$go" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" "$package"
	done
done

echo "fuzz: $passed targets clean, ${#failed[@]} failed, $skipped not run"
if ((${#failed[@]} > 0)); then
	printf 'fuzz failed: %s\n' "${failed[@]}" >&2
	exit 1
fi

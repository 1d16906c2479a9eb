#!/bin/bash
# unit.sh: the Go tests under the race detector; T=NAME those of the packages
# whose path ends in NAME. The events go to .cache/test/unit.json; shown are a
# line a package and whatever failed.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
log=.cache/test/unit.json
mkdir -p .cache/test

all=$("$go" list ./...)
mapfile -t packages < <(grep -E "/(${T:-.*})\$" <<<"$all")
if ((${#packages[@]} == 0)); then
	echo "no package ends in /$T" >&2
	exit 1
fi

status=0
CGO_ENABLED=1 "$go" test -race -json -timeout 15m \
	-tags netgo,osusergo,urfave_cli_no_docs "${packages[@]}" >"$log" || status=$?

jq -rs '
	def key: [.Package, .Test];
	# The build failures, the output of each failed test, a line a package.
	([.[] | select(.Action == "fail") | key]) as $failed
	| (.[] | select(.Action == "build-output") | .Output),
	  (.[] | select(.Action == "output" and .Test != null)
	       | select(key as $k | $failed | index([$k])) | .Output),
	  (.[] | select(.Action == "output" and .Test == null)
	       | select(.Output | test("^(PASS|coverage:|\\?)") | not) | .Output)
	| rtrimstr("\n")' "$log"

read -r passed failed skipped < <(jq -rs '
	def count(a): map(select(.Test != null and .Action == a)) | length;
	# A package that fails in no test of its own does not build, or panicked.
	([.[] | select(.Action == "fail" and .Test != null) | .Package]) as $blamed
	| (map(select(.Action == "fail" and .Test == null and (.Package as $p | $blamed | index($p) | not))) | length) as $broken
	| "\(count("pass")) \(count("fail") + $broken) \(count("skip"))"' "$log")
jq -rs '[.[] | select(.Action == "skip" and .Test != null)] as $s | ([$s[] | [.Package, .Test]]) as $k
	| .[] | select(.Action == "output" and .Test != null)
	| select([.Package, .Test] as $t | $k | index([$t])) | .Output
	| select(test("^=== |^--- |^ *--- ") | not) | "skipped: " + (ltrimstr(" ") | rtrimstr("\n"))' "$log" | sort | uniq -c
if ((status != 0 && failed == 0)); then
	failed=1
fi
if [[ -n ${COUNTS:-} ]]; then
	echo "$passed $failed $skipped" >"$COUNTS"
else
	echo "$passed passed, $failed failed, $skipped skipped"
fi
((status == 0))

#!/bin/bash
# lint.sh [--fix]: go vet, golangci-lint (its formatters too), shellcheck, and
# gcc's analyzer over the constructor. --fix formats the Go code and ends.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}
version=${GOLANGCI_VERSION:?is set by the Makefile}
cache=$PWD/.cache/bin

# golangci-lint as pinned: the installed one if it is that version, else built
# once into .cache.
golangci() {
	local tool
	for tool in "$cache/golangci-lint" "$(command -v golangci-lint)" "$("$go" env GOPATH)/bin/golangci-lint"; do
		if [[ -x $tool && $("$tool" version --short 2>/dev/null) == "${version#v}" ]]; then
			echo "$tool"
			return
		fi
	done
	echo "building golangci-lint $version" >&2
	mkdir -p "$cache"
	GOBIN=$cache GOFLAGS='' CGO_ENABLED=0 "$go" install \
		"github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$version" >&2
	echo "$cache/golangci-lint"
}

failed=()
step() { # NAME COMMAND...
	local name=$1
	shift
	echo "lint: $name"
	"$@" || failed+=("$name")
}

analyze() {
	local f
	for f in nsenter/*.c; do
		# -fsyntax-only would end before the analyzer runs.
		gcc -std=gnu11 -O2 -fanalyzer -Wall -Wextra -Werror -c -o /dev/null "$f" || return
	done
	for f in tests/*/*.c tests/*/*/*.c; do
		gcc -std=gnu11 -O2 -Wall -Wextra -Werror -Insenter -c -o /dev/null "$f" || return
	done
}

shell() {
	local files
	mapfile -t files < <(find .ci tests -type f \( -name '*.sh' -o -name '*.bash' -o -name '*.bats' -o -path .ci/run \))
	shellcheck -x "${files[@]}"
}

tool=$(golangci)
if [[ ${1:-} == --fix ]]; then
	"$tool" fmt ./...
	exit
fi

step 'go vet' "$go" vet -tags urfave_cli_no_docs ./...
step 'go vet, fault injection' "$go" vet -tags urfave_cli_no_docs,faultinject ./...
step 'golangci-lint' "$tool" run ./...
step 'gcc' analyze
step 'shellcheck' shell

if ((${#failed[@]} > 0)); then
	(
		IFS=,
		echo "lint failed: ${failed[*]}" >&2
	)
	exit 1
fi

#!/bin/bash
# cross.sh OUT TAGS LDFLAGS: builds rung for arm64, its C part and libseccomp
# included. The library comes from Debian's arm64 package, unpacked into
# .cache: nothing is installed, and no root is needed.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$1 tags=$2 ldflags=$3
go=${GO:-go}
sysroot=$PWD/.cache/arm64

# fetch unpacks libseccomp for arm64, with an apt state of its own, so that
# the system keeps its one architecture.
fetch() {
	local apt=$sysroot/apt
	mkdir -p "$apt"/{lists/partial,cache/archives/partial}
	local options=(
		-qq
		-o APT::Architecture=arm64
		-o APT::Architectures::=arm64
		-o APT::Sandbox::User=root # the files below belong to the caller
		-o Dir::State="$apt"
		-o Dir::State::status=/dev/null
		-o Dir::State::lists="$apt/lists"
		-o Dir::Cache="$apt/cache"
		-o Acquire::Languages=none
	)
	: >"$apt/status"
	apt-get "${options[@]}" update
	(cd "$apt" && apt-get "${options[@]}" download libseccomp2 libseccomp-dev)
	local package
	for package in "$apt"/*.deb; do
		dpkg-deb -x "$package" "$sysroot"
	done
	rm -rf "$apt"
	touch "$sysroot/complete"
}

if [[ ! -e $sysroot/complete ]]; then
	rm -rf "$sysroot"
	fetch
fi

mkdir -p "$(dirname "$out")"
set -x
GOARCH=arm64 CGO_ENABLED=1 CC=aarch64-linux-gnu-gcc \
	CGO_CFLAGS="-O2 -g -I$sysroot/usr/include" \
	CGO_LDFLAGS="-L$sysroot/usr/lib/aarch64-linux-gnu" \
	PKG_CONFIG_SYSROOT_DIR=$sysroot \
	PKG_CONFIG_LIBDIR=$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig \
	"$go" build -trimpath -buildvcs=false -buildmode=exe -ldflags "$ldflags" -tags "$tags" -o "$out" .
set +x

machine=$(readelf -hW "$out" | sed -n 's/^ *Machine: *//p')
[[ $machine == AArch64 ]] || {
	echo "$out is for $machine" >&2
	exit 1
}
if readelf -lW "$out" | grep -qE 'INTERP|DYNAMIC'; then
	echo "$out is not static" >&2
	exit 1
fi
echo "$out: $machine, static"

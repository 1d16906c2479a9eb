#!/bin/bash
# deps.sh GROUP: is there what GROUP (build, demo, test or guest) needs? What is
# missing is named and, as root on a Debian-like system, installed with apt;
# else the command that would do it is printed, and this fails.
set -euo pipefail
cd "$(dirname "$0")/.."
. tests/lib.sh

group=${1:?usage: deps.sh build|demo|test|guest}
go=${GO:-go}
missing=()

need() { # PACKAGE COMMAND...: the package, unless the command succeeds
	local package=$1
	shift
	"$@" >/dev/null 2>&1 || missing+=("$package")
}

has() { command -v "$1"; }
has_certificates() { [[ -n ${SSL_CERT_FILE:-} || -n ${SSL_CERT_DIR:-} || -d /etc/pki || -s /etc/ssl/certs/ca-certificates.crt ]]; }
has_static_libc() { [[ $(gcc -print-file-name=libc.a) == /* ]]; }
has_static_seccomp() { [[ $(gcc -print-file-name=libseccomp.a) == /* || -e $(pkg-config --variable=libdir libseccomp)/libseccomp.a ]]; }
has_cross_libc() { [[ $(aarch64-linux-gnu-gcc -print-file-name=libc.a) == /* ]]; }
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n1) == "$1" ]]; }

# Debian's Go is too old, so apt is no help here.
check_go() {
	local want have
	want=$(sed -n 's/^go //p' go.mod)
	if ! has "$go" >/dev/null; then
		echo "missing: Go $want or newer (https://go.dev/dl/)" >&2
		exit 1
	fi
	# Run in the module: a newer toolchain that go.mod asks for is fetched.
	have=$("$go" env GOVERSION 2>/dev/null | sed 's/^go//')
	if ! at_least "$want" "${have:-0}"; then
		echo "missing: Go $want or newer, this is ${have:-unknown} (https://go.dev/dl/)" >&2
		exit 1
	fi
}

check_build() {
	need gcc has gcc
	need libc6-dev has_static_libc
	need pkg-config has pkg-config
	need libseccomp-dev has_static_seccomp
	need ca-certificates has_certificates
}

check_demo() {
	need jq has jq
	need busybox-static static_busybox
}

check_test() {
	need bats has bats
	need shellcheck has shellcheck
	need uidmap has newuidmap
	need passwd has useradd
	need procps has ps
	need iproute2 has ip
	need gcc-aarch64-linux-gnu has aarch64-linux-gnu-gcc
	need libc6-dev-arm64-cross has_cross_libc
}

check_guest() {
	if [[ $(uname -m) != x86_64 ]]; then
		echo 'missing: an x86-64 machine; the guest is one, and is built on one' >&2
		exit 1
	fi
	need qemu-system-x86 has qemu-system-x86_64
	need debootstrap has debootstrap
	need debian-archive-keyring test -e /usr/share/keyrings/debian-archive-keyring.gpg
	need e2fsprogs has mkfs.ext4
}

check() {
	missing=()
	check_build
	if [[ $group != build ]]; then check_demo; fi
	if [[ $group == test ]]; then check_test; fi
	if [[ $group == guest ]]; then check_guest; fi
}

case $group in
build | demo | test | guest) ;;
*)
	echo "deps.sh: unknown group $group" >&2
	exit 2
	;;
esac

# useradd, ip and debootstrap are in sbin, which a user's PATH may not hold.
PATH=$PATH:/usr/sbin:/sbin

check_go
check
if ((${#missing[@]} == 0)); then
	exit 0
fi

echo "missing: ${missing[*]}" >&2
if ! has apt-get >/dev/null; then
	echo 'these are the names of Debian packages: install what they are called here' >&2
	exit 1
fi
install=(apt-get install -y --no-install-recommends "${missing[@]}")
if ((EUID != 0)); then
	echo "as root: apt-get update && ${install[*]}" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "installing: ${missing[*]}" >&2
apt-get update -q </dev/null >&2
"${install[@]}" -q </dev/null >&2
check
if ((${#missing[@]} > 0)); then
	echo "still missing after the installation: ${missing[*]}" >&2
	exit 1
fi

#!/bin/bash
# shell.sh RECIPE: root's console in the machine of RECIPE. `poweroff` or
# Ctrl-A x ends it.
set -euo pipefail
cd "$(dirname "$0")"
image=$(./image.sh "$1")
jobs=$(mktemp -d "${TMPDIR:-/tmp}/rung-guest.XXXXXX")
trap 'rm -rf "$jobs"' EXIT
mkdir "$jobs/root"
mkdir -m 777 "$jobs/user"
read -r rows columns < <(stty size 2>/dev/null || echo 24 80)
echo "booting, up to a minute and a half without KVM; poweroff or Ctrl-A x ends it"
KERNEL_ARGS="systemd.tty.term.ttyS0=${TERM:-vt220} systemd.tty.rows.ttyS0=$rows systemd.tty.columns.ttyS0=$columns" \
	./boot.sh "$image" "$jobs" -serial mon:stdio

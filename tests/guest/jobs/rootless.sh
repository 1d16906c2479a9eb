#!/bin/bash
# rootless.sh: in the guest, as its user: what root is not needed for.
set -euo pipefail
# Not /tmp, which systemd mounts nodev, nosuid: root filesystems lie elsewhere.
export TMPDIR=/var/tmp
work=$(mktemp -d)
cp -r /checkout/rung /checkout/tests "$work"
status=0
RUNG=$work/rung BATS_TEST_TIMEOUT=600 "$work/tests/integration/run.sh" "$work/tests/guest/rootless.bats" || status=$?
rm -rf --one-file-system "$work"
exit "$status"

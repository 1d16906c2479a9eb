#!/bin/bash
# integration.sh: in the guest, as root: the integration tests named in $T; all
# if it is "all"; if it is empty, those whose outcome depends on what only such
# a machine has. They run on copies: people's machines have no 9p.
set -euo pipefail
if [[ -z ${T:-} ]]; then
	T='smoke cgroup2 cgroups exec namespaces lifecycle apparmor attributes engines'
fi
if [[ $T == all ]]; then
	T=
fi
# Not /tmp, which systemd mounts nodev, nosuid: root filesystems lie elsewhere.
export TMPDIR=/var/tmp
work=$(mktemp -d)
cp -r /checkout/{rung,rung-test,tests,libcontainer} "$work" # some tests read testdata
status=0
T=$T RUNG=$work/rung RUNG_TEST=$work/rung-test BATS_TEST_TIMEOUT=600 \
	"$work/tests/integration/run.sh" || status=$?
rm -rf --one-file-system "$work"
exit "$status"

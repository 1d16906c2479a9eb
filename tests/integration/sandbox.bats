#!/usr/bin/env bats
# sandbox: under a filter that refuses system calls, as containers and old
# profiles have it.

load helpers

@test "sandbox: without clone3 the cgroup namespace begins at the container's cgroup" {
	require seccomp gcc
	grep -q '^0::' /proc/self/cgroup || skip 'needs a cgroup v2 tree'
	local clone3=435 enosys=38
	gcc -std=gnu11 -O2 -static -o "$BATS_TEST_TMPDIR/refuse" "$BATS_TEST_DIRNAME/refuse.c"
	config '.linux.namespaces |= (map(select(.type != "cgroup")) + [{type: "cgroup"}])'
	args grep ^0:: /proc/self/cgroup
	for _ in {1..20}; do # a race
		run -0 "$BATS_TEST_TMPDIR/refuse" $clone3 $enosys "$RUNG" --root "$STATE" run "$ID"
		[ "$output" = 0::/ ]
	done
}

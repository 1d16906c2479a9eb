#!/bin/bash
# demo.sh: a container's life in front of your eyes, as root or as any user.
# Each step is checked: the demo fails when one does not do what it says.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
: "${RUNG:?the binary to show}"

work=$(mktemp -d "${TMPDIR:-/tmp}/rung-demo.XXXXXX")
first=rung-demo-1-$$
second=rung-demo-2-$$
rootless=()
if ((EUID != 0)); then
	rootless=(--rootless)
fi

rung() { "$RUNG" --root "$work/state" "$@"; }

cleanup() {
	rung delete --force "$first" >/dev/null 2>&1 || true
	rung delete --force "$second" >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
trap 'echo "demo: line $LINENO failed" >&2' ERR

title() { printf '\n== %s\n' "$*"; }

fail() {
	printf 'demo: %s\n' "$*" >&2
	exit 1
}

# show COMMAND... prints it and what it says; that is in $output for expect.
show() {
	printf '$ %s\n' "$*"
	if ! "$@" >"$work/output" 2>&1 </dev/null; then
		cat "$work/output" >&2
		fail "failed: $*"
	fi
	output=$(<"$work/output")
	if [[ -n $output ]]; then
		printf '%s\n' "$output"
	fi
}


expect() { # PATTERN, an extended regular expression
	grep -qE -- "$1" <<<"$output" || fail "expected /$1/, got: $output"
}

title "$("$RUNG" --version | head -n1), $(if ((EUID == 0)); then echo as root; else echo "without root, as $(id -un)"; fi)"

title 'A bundle is a folder with a root filesystem and a config.json'
mkdir "$work/bundle"
cd "$work/bundle"
busybox_rootfs rootfs || fail 'no statically linked busybox'
show rung spec "${rootless[@]}"
show ls
expect '^config.json$'

title 'Run: a container, seen from inside'
cat >rootfs/look <<'SCRIPT'
#!/bin/sh
echo "hostname: $(hostname)"
echo "pid 1: $(tr '\0' ' ' </proc/1/cmdline)"
echo "user: $(id)"
echo "capabilities:"
grep ^Cap /proc/self/status | sed 's/^/  /'
echo "mounts:"
awk '{ printf "  %-8s %s\n", $3, $2 }' /proc/mounts
SCRIPT
chmod 755 rootfs/look
edit() { jq "$@" <config.json >config.new && mv config.new config.json; }
edit '.process.terminal = false | .process.args = ["/look"] | .hostname = "demo"'
show rung run "$first"
expect '^hostname: demo$'
expect '^pid 1: /bin/sh /look'
expect '^user: uid=0\(root\)'
expect '^ +CapEff:.0000000020000420$' # KILL, NET_BIND_SERVICE, AUDIT_WRITE
expect '^ +proc +/proc$'

title 'Create: a second container, ready but not started'
edit '.process.args = ["sh", "-c", "trap \"exit 0\" TERM; echo started >/tmp/log; while :; do sleep 0.1; done"]
	| .root.readonly = false'
show rung create "$second"
show rung list
expect "^$second +[0-9]+ +created +$work/bundle "
[[ ! -e rootfs/tmp/log ]] || fail 'the command ran before start'

title 'Start, and exec a second process in it'
show rung start "$second"
for ((i = 0; i < 500; i++)); do
	[[ ! -e rootfs/tmp/log ]] || break
	sleep 0.02
done
show rung exec "$second" cat /tmp/log
expect '^started$'
show rung exec "$second" ps -o pid,args
expect '^ +1 sh -c '
show rung state "$second"
expect '"status": "running"'
pid=$(jq .pid <<<"$output")

title 'Kill: SIGTERM, which the command ends on; then delete'
show rung kill "$second" TERM
for ((i = 0; i < 500; i++)); do
	[[ $(rung state "$second" | jq -r .status) != stopped ]] || break
	sleep 0.02
done
show rung list
expect "^$second +0 +stopped "
show rung delete "$second"
show rung list --quiet
[[ -z $output ]] || fail "still listed: $output"

title 'Nothing is left'
cd /
left=$(
	# A zombie is no longer ours: whoever adopted it has yet to wait for it.
	grep -qs '^State:.[^ZX]' "/proc/$pid/status" && echo "process $pid"
	find /sys/fs/cgroup -type d -name '*rung-demo-*'"-$$" 2>/dev/null
	grep -F "$work/" /proc/self/mountinfo || true
	find "$work/state" -mindepth 1 -maxdepth 1 ! -name '@*' 2>/dev/null
)
[[ -z $left ]] || fail "left behind: $left"
cleanup
[[ ! -e $work ]] || fail "cannot remove $work"
echo 'no process, no cgroup, no mount, no file'

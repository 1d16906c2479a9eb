# shellcheck shell=bash
# Once a run: a root filesystem and a config.json to copy, the programs that
# look around inside, an unprivileged user, and the census that is compared
# after the last test.

. "$(dirname "${BASH_SOURCE[0]}")/census.bash"
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

setup_suite() {
	if [[ -z ${RUNG:-} ]]; then
		RUNG=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../../rung")
	fi
	export RUNG RUNG_TEST="${RUNG_TEST:-}"
	[[ -x $RUNG ]] || {
		echo "no $RUNG: run make, or set RUNG to the binary to test"
		return 1
	}
	# Part of every ID and of the environment of all that the tests start.
	export RUNG_SUITE="rung-suite-$$"
	export TEST_USER="rungtest-$$" TEST_UID='' TEST_GID=''
	if ((EUID != 0)); then
		return 0 # each test skips itself, and says why
	fi
	# Containers with a user namespace, and the unprivileged user, go through.
	chmod 0711 "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR"
	programs || return
	template || return
	unprivileged_user || return

	processes >"$BATS_SUITE_TMPDIR/processes.before"
	census | sort >"$BATS_SUITE_TMPDIR/census.before"
}

teardown_suite() {
	((EUID == 0)) || return 0
	local end=$((SECONDS + 10)) left
	# The kernel removes some things a moment after their last user is gone.
	while left=$(leftovers) && [[ -n $left ]] && ((SECONDS < end)); do
		sleep 0.1
	done
	if id "$TEST_USER" >/dev/null 2>&1; then
		userdel "$TEST_USER" 2>/dev/null
	fi
	if [[ -n $left ]]; then
		echo 'the suite left the machine other than it was (what is there now):'
		echo "$left"
		sweep
		return 1
	fi
}

leftovers() {
	# Only what is more than before. diff fails when there is a difference: that
	# is no error here.
	diff "$BATS_SUITE_TMPDIR/census.before" <(census | sort) | grep '^>'
	strays "$BATS_SUITE_TMPDIR/processes.before" | sed 's/^/> /'
	return 0
}

# sweep removes what bears the suite's mark, so that one leak is reported once.
sweep() {
	local pid mount
	# Ours for certain: a process in other namespaces may be anybody's.
	RUNG_CENSUS=mine strays "$BATS_SUITE_TMPDIR/processes.before" | while read -r _ pid _; do
		kill -KILL "$pid" 2>/dev/null
	done
	grep -F "$BATS_RUN_TMPDIR/" /proc/self/mountinfo | cut -d' ' -f5 | sort -r | while read -r mount; do
		umount -l "$mount"
	done
	sleep 0.2
	find /sys/fs/cgroup -depth -type d -name "*$RUNG_SUITE-*" -exec rmdir {} + 2>/dev/null
}

programs() {
	local dir
	dir=$(dirname "${BASH_SOURCE[0]}")
	export BIN="$BATS_SUITE_TMPDIR/bin"
	mkdir "$BIN"
	gcc -std=gnu11 -O2 -static -o "$BIN/probe" "$dir"/probe/*.c || return
	gcc -std=gnu11 -O2 -static -o "$BIN/receive" "$dir/receive.c" || return
	# The checkout may lie where another user cannot go.
	install -m 0755 "$RUNG" "$BIN/rung"
}

template() {
	export TEMPLATE="$BATS_SUITE_TMPDIR/template"
	busybox_rootfs "$TEMPLATE/rootfs" || {
		echo 'no statically linked busybox'
		return 1
	}
	cp "$BIN/probe" "$TEMPLATE/rootfs/bin/probe"
	"$RUNG" spec --bundle "$TEMPLATE" || return
	# A container that stays, on a root that can be written to: what a test
	# forbids must not be forbidden anyway.
	jq '.process.terminal = false
		| .process.args = ["sleep", "1000"]
		| .root.readonly = false
		| .hostname = "rung"' "$TEMPLATE/config.json" >"$TEMPLATE/config.new" &&
		mv "$TEMPLATE/config.new" "$TEMPLATE/config.json"
}

# A user with subordinate ids, for newuidmap looks them up by name. One a run, as
# another run may be at work; those of runs that were killed go.
unprivileged_user() {
	local user
	while IFS=: read -r user _; do
		[[ $user != rungtest-* || -e /proc/${user#rungtest-} ]] || userdel "$user" || return
	done < <(getent passwd)
	useradd --no-create-home --home-dir /nonexistent --shell /bin/sh "$TEST_USER" || return
	grep -q "^$TEST_USER:" /etc/subuid || usermod --add-subuids 700000-765535 "$TEST_USER" || return
	grep -q "^$TEST_USER:" /etc/subgid || usermod --add-subgids 700000-765535 "$TEST_USER" || return
	TEST_UID=$(id -u "$TEST_USER")
	TEST_GID=$(id -g "$TEST_USER")
}

# shellcheck shell=bash
# A census of what a runtime can leave behind on a machine: mounts, cgroups,
# processes, state, temporary files, network interfaces. One line each, so that
# two of them compare as text.
#
# RUNG_CENSUS=mine counts only what bears this suite's marks: for a machine on
# which others start containers at the same time.

# census prints the machine as it is, processes aside.
census() {
	if [[ ${RUNG_CENSUS:-all} == mine ]]; then
		census_all | grep -F -e "$BATS_SUITE_TMPDIR" -e "$RUNG_SUITE-" || true
		return
	fi
	census_all
}

census_all() {
	# Without the mount and parent ids: they count up.
	cut -d' ' -f3- /proc/self/mountinfo | sed 's/^/mount /'
	find /sys/fs/cgroup -type d 2>/dev/null | sed 's/^/cgroup /'
	find /run/rung -mindepth 1 -maxdepth 1 2>/dev/null | sed 's/^/state /'
	find "${TMPDIR:-/tmp}" /tmp /dev/shm -maxdepth 1 -name '*rung*' 2>/dev/null | sort -u |
		sed 's/^/file /'
	# shellcheck disable=SC2012 # these names hold no newlines
	ls /sys/class/net | sed 's/^/interface /'
}

# processes prints "PID START" of every process.
processes() {
	local stat rest
	for stat in /proc/[0-9]*/stat; do
		{ read -r rest <"$stat"; } 2>/dev/null || continue
		local pid=${rest%% *}
		# The name in parentheses may hold anything: fields count from its end.
		rest=${rest##*) }
		# shellcheck disable=SC2086
		set -- $rest
		echo "$pid ${20}"
	done
}

# strays prints the processes that are none of $1 (an earlier `processes`), not
# of this shell, and that a test or the runtime started: they carry the
# suite's mark in their environment or cgroup, run one of our binaries, or live
# in a mount namespace that is not this shell's; the last two may be somebody
# else's work, so RUNG_CENSUS=mine leaves them out.
strays() {
	local before=$1 pid start exe mark why own_mnt
	own_mnt=$(readlink /proc/self/ns/mnt)
	while read -r pid start; do
		grep -qxF "$pid $start" "$before" && continue
		descends "$pid" $$ && continue
		why=
		exe=$(readlink "/proc/$pid/exe" 2>/dev/null) || continue
		case $exe in
		"$BATS_SUITE_TMPDIR"/*) why="runs $exe" ;;
		"$RUNG" | "${RUNG_TEST:-$RUNG}") [[ ${RUNG_CENSUS:-all} == mine ]] || why="runs $exe" ;;
		esac
		mark=$(tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | sed -n 's/^RUNG_MARK=//p')
		if [[ $mark == "$RUNG_SUITE"-* ]]; then
			why="started by $mark"
		elif [[ -z $why && ${RUNG_CENSUS:-all} == all ]]; then
			[[ $(readlink "/proc/$pid/ns/mnt" 2>/dev/null) == "$own_mnt" ]] || why='in a mount namespace of its own'
		fi
		if [[ -z $why ]] && grep -qF "$RUNG_SUITE-" "/proc/$pid/cgroup" 2>/dev/null; then
			why='in a cgroup of a test'
		fi
		[[ -n $why ]] || continue
		echo "process $pid ($why): $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
	done < <(processes)
}

# descends PID ANCESTOR: is PID the ancestor or below it?
descends() {
	local pid=$1
	while ((pid > 1)); do
		[[ $pid == "$2" ]] && return 0
		pid=$(sed -n 's/^PPid:\t//p' "/proc/$pid/status" 2>/dev/null)
		[[ -n $pid ]] || return 1
	done
	return 1
}

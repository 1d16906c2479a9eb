#!/bin/bash
# chroot.sh [COMMAND...]: a command (a shell) in the root of the debian13 image,
# on this machine's kernel and at its speed: for engines, where it takes neither
# systemd nor cgroup v2 controllers. It has mounts, processes, interfaces, ipc
# and a host name of its own, and changes nothing of the image. $CGROUP says
# which cgroups it sees: v2 (the default; whatever controllers v2 has here) or
# host, this machine's tree as it is.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")

# From here on in the new namespaces, as their first process.
inside() {
	local root=$1 work=$2 name
	shift 2
	mount -t tmpfs -o mode=755 tmpfs "$work"
	mkdir "$work"/{upper,index,root}
	# Not /dev: an overlay on a file system that is mounted nodev has no devices.
	mount -t overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/index" overlay "$work/root"
	cd "$work/root"
	mount -t proc proc proc
	mount -t sysfs sysfs sys
	if [[ ${CGROUP:-v2} == v2 ]]; then
		mount -t cgroup2 cgroup2 sys/fs/cgroup
	else
		mount --rbind /sys/fs/cgroup sys/fs/cgroup
	fi
	mount -t tmpfs -o mode=755 tmpfs dev
	mkdir dev/{pts,shm,mqueue,net}
	mount -t devpts -o newinstance,ptmxmode=666,mode=620,gid=5 devpts dev/pts
	mount -t tmpfs -o mode=1777 tmpfs dev/shm
	mount -t mqueue mqueue dev/mqueue
	for name in null zero full random urandom tty fuse net/tun; do
		[[ -e /dev/$name ]] || continue
		touch "dev/$name"
		mount --bind "/dev/$name" "dev/$name"
	done
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	# Engines make overlays, which cannot be made on an overlay.
	for name in run tmp var/lib/containers var/lib/containerd var/lib/docker; do
		mkdir -p "$name"
		mount -t tmpfs -o mode=755 tmpfs "$name"
	done
	chmod 1777 tmp
	mount --bind -o ro "${here%/tests/guest}" checkout
	pivot_root . mnt
	umount -l /mnt
	hostname guest
	ip link set lo up
	cd /root
	# shellcheck disable=SC2016 # for the inner shell
	exec env -i "TERM=${TERM:-dumb}" HOME=/root tini -- bash -lc '"$@"' bash "$@"
}

if [[ ${1:-} == --inside ]]; then
	shift
	inside "$@"
fi

image=$("$here/image.sh" debian13)
work=$(mktemp -d "${TMPDIR:-/tmp}/rung-chroot.XXXXXX")
# On v2 a cgroup that the command sees as the root of all.
v2=$(findmnt -nro TARGET -t cgroup2 | head -n 1)
cgroup=
cleanup() {
	if [[ -n $cgroup ]]; then
		find "$cgroup" -depth -type d -exec rmdir {} +
	fi
	rmdir "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP
namespaces=(--mount --pid --net --ipc --uts --fork --kill-child)
if [[ ${CGROUP:-v2} == v2 && -n $v2 ]]; then
	namespaces+=(--cgroup)
	cgroup=$v2/rung-chroot-$$
	mkdir "$cgroup"
fi
if (($# == 0)); then
	set -- bash
fi
(
	if [[ -n $cgroup ]]; then
		echo "$BASHPID" >"$cgroup/cgroup.procs"
	fi
	exec unshare "${namespaces[@]}" -- "$0" --inside "$image/root" "$work" "$@"
)

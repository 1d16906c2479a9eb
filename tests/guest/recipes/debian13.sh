# shellcheck shell=bash
# shellcheck disable=SC2034 # read by those who source this
# Debian 13: cgroup v2, systemd 257, AppArmor, a current CRIU and engines.

SUITE=trixie
KERNEL_ARGS=
PACKAGES=(
	# the system
	linux-image-amd64 systemd systemd-sysv dbus dbus-user-session libpam-systemd udev apparmor
	# what runs containers, and what calls it
	criu crun runc podman containerd docker.io conmon netavark aardvark-dns
	uidmap passt slirp4netns fuse-overlayfs nftables iptables
	# what the tests use
	bats jq busybox-static gcc libc6-dev libseccomp-dev pkgconf make
	iproute2 procps strace util-linux kmod socat less
)

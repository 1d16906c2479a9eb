#!/bin/bash
# populate.sh PACKAGE...: inside the new root: the packages, the user, which
# services start. build.sh runs it there.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL=C TMPDIR=/tmp

# The system is not running yet: packages start nothing.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
apt-get update -q
apt-get install -q -y --no-install-recommends -o APT::Sandbox::User=root \
	-o Dpkg::Options::=--force-confold "$@"
rm /usr/sbin/policy-rc.d

# Its own name and id, or the first boot would preset every service.
echo guest >/etc/hostname
printf '127.0.0.1 localhost guest\n::1 localhost\n' >/etc/hosts
: >/etc/resolv.conf
tr -d - </proc/sys/kernel/random/uuid >/etc/machine-id

passwd -d root
useradd --create-home --shell /bin/bash --uid 1000 user
mkdir -p /var/lib/systemd/linger
touch /var/lib/systemd/linger/user

# Of AppArmor's hundred and more profiles, those of programs that run containers:
# each is compiled at every boot.
find /etc/apparmor.d -maxdepth 1 -type f ! -name runc ! -name crun ! -name podman \
	! -name slirp4netns ! -name passt ! -name pasta ! -name rootlesskit ! -name fusermount3 -delete

mkdir -p /checkout /jobs /usr/local/go /usr/local/gomod
systemctl enable rung-agent.service
systemctl --global enable rung-agent.service
# Tests start the engines they need. The rest only takes time at boot.
systemctl disable docker.service docker.socket containerd.service
systemctl disable podman.socket podman.service podman-restart.service podman-auto-update.timer
systemctl mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
	e2scrub_reap.service fstrim.timer systemd-timesyncd.service systemd-pcrphase.service \
	systemd-networkd-wait-online.service man-db.timer \
	modprobe@drm.service modprobe@efi_pstore.service systemd-binfmt.service

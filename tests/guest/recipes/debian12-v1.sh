# shellcheck shell=bash
# shellcheck disable=SC2034 # read by those who source this
# Debian 12 with cgroup v1, whose controllers systemd 252 manages. It has no CRIU.

. "${BASH_SOURCE[0]%/*}/debian13.sh"
SUITE=bookworm
KERNEL_ARGS='systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller'
mapfile -t PACKAGES < <(printf '%s\n' "${PACKAGES[@]}" | grep -vx criu)

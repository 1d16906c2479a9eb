#!/bin/bash
# build.sh RECIPE DIR: makes a root with debootstrap in DIR/root, an ext4 image
# of it in DIR/root.img, and takes its kernel and initrd out. image.sh runs it in
# namespaces of its own, which take what it mounts and starts with them.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
dir=$2
root=$dir/root
# shellcheck source=recipes/debian13.sh
. "$here/recipes/$1.sh"

# Packages are fetched once a suite, whatever becomes of the recipe.
debs=${dir%/*}/debs-$SUITE
mkdir -p "$debs/partial" "$root"

debootstrap --variant=minbase --cache-dir="$debs" "$SUITE" "$root" ${GUEST_MIRROR:+"$GUEST_MIRROR"}

# Before the packages: they say how those are unpacked and the initrd is made.
cp -r --no-preserve=ownership "$here/files/." "$root"
mount -t proc proc "$root/proc"
mount --bind "$debs" "$root/var/cache/apt/archives"
chroot "$root" /bin/bash -s - "${PACKAGES[@]}" <"$here/populate.sh"
umount "$root/var/cache/apt/archives" "$root/proc"
rm -rf "$root"/var/lib/apt/lists/*

echo "$KERNEL_ARGS" >"$dir/kernel-args"
cp -L "$root/vmlinuz" "$dir/vmlinuz"
cp -L "$root/initrd.img" "$dir/initrd.img"
# Filled as it is made: no loop device. Every boot is on a snapshot, so there is
# nothing that a journal would save.
mkfs.ext4 -q -F -L rung-guest -m 0 -O ^has_journal -d "$root" "$dir/root.img" 8G

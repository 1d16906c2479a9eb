#!/bin/bash
# image.sh RECIPE: prints the folder of the image of recipes/RECIPE.sh, with
# root.img, vmlinuz, initrd.img, kernel-args, and root, the same as a tree. Built once: it is
# in the user's cache by the hash of what it is made from. Needs root.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
recipe=${1:?usage: image.sh RECIPE}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/rung-guest

if [[ ! -e $here/recipes/$recipe.sh ]]; then
	echo "no recipe $recipe; there are: $(cd "$here/recipes" && echo *.sh)" >&2
	exit 1
fi
ingredients=(recipes build.sh populate.sh files)
hash=$(cd "$here" && {
	echo "$recipe"
	find "${ingredients[@]}" -type f -print0 | sort -z | xargs -0 sha256sum
} | sha256sum | cut -c1-16)
image=$cache/$recipe-$hash

if [[ ! -e $image ]]; then
	if ((EUID != 0)); then
		echo "building $image needs root (debootstrap)" >&2
		exit 1
	fi
	mkdir -p "$cache"
	exec 9>"$cache/lock"
	flock 9
fi
if [[ ! -e $image ]]; then
	building=$cache/$recipe.building
	rm -rf --one-file-system "$building"
	mkdir "$building"
	echo "building the image $recipe (some minutes; log in $cache/$recipe.log)" >&2
	if ! nice setpriv --pdeathsig TERM unshare --mount --pid --fork --kill-child --mount-proc \
		"$here/build.sh" "$recipe" "$building" >"$cache/$recipe.log" 2>&1 9>&-; then
		tail -n 30 "$cache/$recipe.log" >&2
		echo "the image $recipe could not be built" >&2
		exit 1
	fi
	mv "$building" "$image"
fi
echo "$image"

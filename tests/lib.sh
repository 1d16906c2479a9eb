# shellcheck shell=bash
# What several of the scripts here need. Sourced.

# static_busybox prints the path of a statically linked busybox, which runs in
# a container that has no libraries.
static_busybox() {
	local f how
	for f in "${BUSYBOX:-}" "$(command -v busybox)" /bin/busybox /usr/bin/busybox; do
		[[ -n $f && -x $f ]] || continue
		how=$(LC_ALL=C ldd "$f" 2>&1) || true # fails for a static one
		case $how in
		*'not a dynamic executable'* | *'statically linked'* | *'Not a valid dynamic program'*)
			readlink -f "$f"
			return 0
			;;
		esac
	done
	return 1
}

# busybox_rootfs DIR fills DIR with the least that a shell in a container wants.
busybox_rootfs() {
	local root=$1 busybox applet
	busybox=$(static_busybox) || return 1
	mkdir -p "$root"/{bin,dev,etc,proc,root,run,sys,tmp,var,home}
	chmod 1777 "$root/tmp"
	chmod 700 "$root/root"
	cp "$busybox" "$root/bin/busybox"
	for applet in $("$busybox" --list); do
		[[ $applet == busybox ]] || ln -s /bin/busybox "$root/bin/$applet"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n' >"$root/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
}

# count_tap FILE prints how many tests passed, failed and were skipped.
count_tap() {
	awk '/^ok .* # skip/ { s++; next } /^ok / { p++ } /^not ok / { f++ } END { print p + 0, f + 0, s + 0 }' "$1"
}

#!/bin/bash
# boot.sh IMAGE JOBS [QEMU OPTION...]: becomes QEMU, with the machine of the
# folder IMAGE (image.sh). The image stays as it is: what the guest writes is
# gone with it. It has no network. Of this machine it sees the checkout and Go,
# read-only, and the folder JOBS. $KERNEL_ARGS are added to its command line.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
checkout=${here%/tests/guest}
image=$1 jobs=$2
shift 2
go=${GO:-go}

# /dev/kvm may be there and yet boot nothing, as where we are a guest ourselves.
kvm_boots() {
	[[ -w /dev/kvm ]] && timeout 10 qemu-system-x86_64 -accel kvm -cpu host -m 256 -nodefaults \
		-display none -no-reboot -serial stdio -kernel "$image/vmlinuz" \
		-append 'console=ttyS0 panic=-1' </dev/null 2>&1 | grep -q 'Linux version'
}

if kvm_boots; then
	machine=(-accel kvm -cpu host)
else
	machine=(-accel 'tcg,thread=multi,tb-size=512' -cpu max)
fi

share() { # TAG FOLDER [OPTION]
	machine+=(-virtfs "local,mount_tag=$1,path=$2,security_model=none,multidevs=remap${3:-}")
}
share checkout "$checkout" ,readonly=on
share jobs "$jobs"
share go "$("$go" env GOROOT)" ,readonly=on
share gomod "$("$go" env GOMODCACHE)" ,readonly=on

# No mitigations: emulated they cost much, and attackers on the CPU are not the
# subject. panic=-1 with -no-reboot: a crash ends QEMU.
exec nice qemu-system-x86_64 "${machine[@]}" -smp 2 -m 4096 -nodefaults -no-user-config \
	-display none -no-reboot -nic none -device virtio-rng-pci \
	-kernel "$image/vmlinuz" -initrd "$image/initrd.img" \
	-append "root=/dev/vda rw console=ttyS0 quiet panic=-1 mitigations=off $(<"$image/kernel-args") ${KERNEL_ARGS:-}" \
	-drive "file=$image/root.img,if=virtio,format=raw,snapshot=on,cache=unsafe" "$@"

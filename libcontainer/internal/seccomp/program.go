package seccomp

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"
)

// insnSize is the size of a struct sock_filter (linux/filter.h).
const insnSize = 8

// Program is a filter as seccomp(2) takes it.
type Program struct {
	// Filter is an array of struct sock_filter in the machine's byte order.
	Filter []byte
	// Flags are SECCOMP_FILTER_FLAG_*, without NEW_LISTENER.
	Flags uint32
	// Listener: the profile uses SCMP_ACT_NOTIFY, and loading the program
	// gives a descriptor for its agent.
	Listener bool
}

// insn is a struct sock_filter.
type insn struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

// Of classic BPF a table uses what the kernel can also run by itself, in
// search of calls that are always allowed (kernel/seccomp.c,
// seccomp_is_const_allow): absolute loads, jumps and returns.
const (
	opLoad = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS
	opJA   = unix.BPF_JMP | unix.BPF_JA
	opJEQ  = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	opJGE  = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	opRet  = unix.BPF_RET | unix.BPF_K
)

// Offsets in struct seccomp_data (linux/seccomp.h).
const (
	dataNr   = 0
	dataArch = 4
)

// join writes code in front of rest, a program of libseccomp's.
func join(code []insn, rest []byte) ([]byte, error) {
	if n := len(code) + len(rest)/insnSize; n > unix.BPF_MAXINSNS {
		return nil, fmt.Errorf("the filter has %d instructions, the kernel takes %d", n, unix.BPF_MAXINSNS)
	}
	out := make([]byte, 0, len(code)*insnSize+len(rest))
	for _, i := range code {
		out = binary.NativeEndian.AppendUint16(out, i.code)
		out = append(out, i.jt, i.jf)
		out = binary.NativeEndian.AppendUint32(out, i.k)
	}
	return append(out, rest...), nil
}

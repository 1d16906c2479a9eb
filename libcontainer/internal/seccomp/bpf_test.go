package seccomp

import (
	"encoding/binary"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// data is struct seccomp_data (linux/seccomp.h).
type data struct {
	nr   uint32
	arch uint32
	ip   uint64
	args [6]uint64
}

// word is the 32-bit word at an offset.
func (d *data) word(t testing.TB, off uint32) uint32 {
	t.Helper()
	var b []byte
	b = binary.NativeEndian.AppendUint32(b, d.nr)
	b = binary.NativeEndian.AppendUint32(b, d.arch)
	b = binary.NativeEndian.AppendUint64(b, d.ip)
	for _, a := range d.args {
		b = binary.NativeEndian.AppendUint64(b, a)
	}
	if off%4 != 0 || int(off) >= len(b) {
		t.Fatalf("load from offset %d", off)
	}
	return binary.NativeEndian.Uint32(b[off:])
}

// decode takes a program apart and checks what seccomp_check_filter and
// bpf_check_classic of the kernel check of it: jumps stay inside and the last
// instruction returns.
func decode(t testing.TB, filter []byte) []insn {
	t.Helper()
	if len(filter)%insnSize != 0 || len(filter) == 0 || len(filter)/insnSize > unix.BPF_MAXINSNS {
		t.Fatalf("%d bytes are no program", len(filter))
	}
	prog := make([]insn, 0, len(filter)/insnSize)
	for b := filter; len(b) > 0; b = b[insnSize:] {
		prog = append(prog, insn{
			code: binary.NativeEndian.Uint16(b), jt: b[2], jf: b[3], k: binary.NativeEndian.Uint32(b[4:]),
		})
	}
	for i, in := range prog {
		far := 0
		switch {
		case in.code == opJA:
			far = int(in.k)
		case in.code&7 == unix.BPF_JMP:
			far = int(max(in.jt, in.jf))
		}
		if i+1+far >= len(prog) && in.code&7 != unix.BPF_RET {
			t.Fatalf("instruction %d of %d leads out of the program: %+v", i, len(prog), in)
		}
	}
	return prog
}

// run interprets a program and gives what it returns and how many instructions
// that took.
func run(t testing.TB, prog []insn, d *data) (ret uint32, steps int) {
	t.Helper()
	var a, x uint32
	var mem [16]uint32
	for pc := 0; ; pc++ {
		steps++
		in := prog[pc]
		jump := func(yes bool) {
			if yes {
				pc += int(in.jt)
			} else {
				pc += int(in.jf)
			}
		}
		switch in.code {
		case opLoad:
			a = d.word(t, in.k)
		case unix.BPF_LD | unix.BPF_IMM:
			a = in.k
		case unix.BPF_LD | unix.BPF_MEM:
			a = mem[in.k]
		case unix.BPF_LDX | unix.BPF_MEM:
			x = mem[in.k]
		case unix.BPF_ST:
			mem[in.k] = a
		case unix.BPF_STX:
			mem[in.k] = x
		case unix.BPF_MISC | unix.BPF_TAX:
			x = a
		case unix.BPF_MISC | unix.BPF_TXA:
			a = x
		case unix.BPF_ALU | unix.BPF_AND | unix.BPF_K:
			a &= in.k
		case opJA:
			pc += int(in.k)
		case opJEQ:
			jump(a == in.k)
		case opJGE:
			jump(a >= in.k)
		case unix.BPF_JMP | unix.BPF_JGT | unix.BPF_K:
			jump(a > in.k)
		case unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K:
			jump(a&in.k != 0)
		case opRet:
			return in.k, steps
		default:
			t.Fatalf("instruction %d is unknown: %#x", pc, in.code)
		}
	}
}

// verdict spells what a filter returned: "ALLOW", "ERRNO 38".
func verdict(ret uint32) string {
	value := ret & unix.SECCOMP_RET_DATA
	switch ret &^ unix.SECCOMP_RET_DATA {
	case unix.SECCOMP_RET_ALLOW:
		return "ALLOW"
	case unix.SECCOMP_RET_ERRNO:
		return fmt.Sprintf("ERRNO %d", value)
	case unix.SECCOMP_RET_KILL_PROCESS:
		return "KILL_PROCESS"
	case unix.SECCOMP_RET_KILL_THREAD:
		return "KILL_THREAD"
	case unix.SECCOMP_RET_LOG:
		return "LOG"
	case unix.SECCOMP_RET_TRACE:
		return fmt.Sprintf("TRACE %d", value)
	case unix.SECCOMP_RET_TRAP:
		return "TRAP"
	case unix.SECCOMP_RET_USER_NOTIF:
		return "NOTIFY"
	}
	return fmt.Sprintf("%#x", ret)
}

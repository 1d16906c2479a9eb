//go:build cgo && !noseccomp

package seccomp

import (
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// reader takes choices from fuzzed bytes.
type reader []byte

func (r *reader) next() int {
	if len(*r) == 0 {
		return 0
	}
	b := (*r)[0]
	*r = (*r)[1:]
	return int(b)
}

func pick[T any](r *reader, from ...T) T { return from[r.next()%len(from)] }

func (r *reader) errno() *uint {
	if n := r.next(); n%3 == 0 {
		u := uint(n * 20)
		return &u
	}
	return nil
}

func (r *reader) action() specs.LinuxSeccompAction {
	return pick(r, specs.ActAllow, specs.ActErrno, specs.ActErrno, specs.ActKill, specs.ActKillProcess, specs.ActLog, specs.ActTrap, specs.ActTrace, specs.ActNotify)
}

// profile makes a profile of few names, so that rules meet.
func (r *reader) profile() *specs.LinuxSeccomp {
	p := &specs.LinuxSeccomp{
		DefaultAction: r.action(), DefaultErrnoRet: r.errno(), ListenerPath: pick(r, "/s", ""),
		Architectures: pick(r, nil, []specs.Arch{specs.ArchX86}, []specs.Arch{specs.ArchX32, specs.ArchX86}, []specs.Arch{specs.ArchPPC64LE, specs.ArchARM, specs.ArchMIPSEL}),
	}
	for len(*r) > 0 && len(p.Syscalls) < 12 {
		s := specs.LinuxSyscall{Action: r.action(), ErrnoRet: r.errno()}
		for range r.next() % 4 {
			s.Names = append(s.Names, pick(r, "read", "socket", "socketcall", "ipc", "semop", "bind", "personality", "clone", "statx", "futex_waitv", "no_such_call", "stat64", "rt_sigaction", "execveat"))
		}
		for range r.next() % 3 {
			s.Args = append(s.Args, specs.LinuxSeccompArg{
				Index: uint(r.next() % 7), Value: pick(r, 0, 1, uint64(1)<<33, ^uint64(0)), ValueTwo: uint64(r.next()),
				Op: pick(r, specs.OpEqualTo, specs.OpNotEqual, specs.OpLessThan, specs.OpLessEqual, specs.OpGreaterEqual, specs.OpGreaterThan, specs.OpMaskedEqual),
			})
		}
		p.Syscalls = append(p.Syscalls, s)
	}
	return p
}

// FuzzCompile makes profiles and holds their programs against libseccomp's.
func FuzzCompile(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{1, 1, 0, 2, 0, 1, 3, 0, 1, 8, 0, 0, 1, 2, 1, 6, 1, 0, 1, 0, 0})
	f.Add([]byte{1, 1, 0, 1, 0, 1, 3, 1, 2, 3, 1, 0, 3, 9, 1, 0, 0, 5, 1, 1, 1})
	f.Add([]byte{0, 1, 1, 2, 3, 0, 2, 6, 7, 2, 0, 1, 4, 2, 1, 2, 5, 1, 1, 1, 6, 1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		needAMD64(t)
		r := reader(b)
		p := r.profile()
		prog, err := Compile(p)
		if err != nil {
			return
		}
		k := key(p)
		if back, err := decodeEntry(encode(prog, k), k); err != nil || string(back.Filter) != string(prog.Filter) {
			t.Fatalf("the cache gives another program back: %v", err)
		}
		same(t, p, 5, 13, 0, 45, 135, 332, 448, 449, 450, 358, 359, 361, 102, 117, 322, 195, 174, 512, 56, 120, 393)
	})
}

func FuzzEntry(f *testing.F) {
	f.Add(encode(&Program{Filter: make([]byte, insnSize), Flags: 1, Listener: true}, [32]byte{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := decodeEntry(b, [32]byte{})
		if err == nil && (len(p.Filter) == 0 || len(p.Filter)%insnSize != 0) {
			t.Errorf("%d bytes of filter", len(p.Filter))
		}
	})
}

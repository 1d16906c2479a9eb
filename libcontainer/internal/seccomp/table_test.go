package seccomp

import (
	"math/rand/v2"
	"reflect"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// whole makes a program of a table; behind it, everything is logged.
func whole(t *testing.T, archs []calls, unknown answer) []insn {
	t.Helper()
	rest := insn{code: opRet, k: unix.SECCOMP_RET_LOG}
	code, err := join(append(table(archs, unknown), rest), nil)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, code)
}

func archNamed(t *testing.T, name specs.Arch) arch {
	t.Helper()
	audit, err := auditArch(name)
	if err != nil {
		t.Fatal(err)
	}
	return arch{name: name, audit: audit}
}

// TestTableLarge has no two neighbours with one answer, for which 8 bits of an
// offset are too few by far.
func TestTableLarge(t *testing.T) {
	names := []specs.Arch{specs.ArchX86_64, specs.ArchAARCH64, specs.ArchX32, specs.ArchRISCV64}
	const last = 550
	random := rand.New(rand.NewPCG(1, 2))
	answers := map[[2]uint32]answer{}
	var archs []calls
	for _, name := range names {
		c := calls{arch: archNamed(t, name)}
		start := uint32(0)
		if name == specs.ArchX32 {
			start = x32Bit
		}
		for nr := start; nr <= start+last; nr++ {
			a := answer{ret: unix.SECCOMP_RET_ERRNO | random.Uint32N(300)}
			switch random.IntN(8) {
			case 0:
				a = answer{ask: true}
			case 1:
				continue
			}
			c.entries = append(c.entries, entry{nr, a})
			answers[[2]uint32{c.arch.audit, nr}] = a
			c.newest = int64(nr)
		}
		archs = append(archs, c)
	}
	prog := whole(t, archs, enosys())
	for _, c := range archs {
		start := uint32(0)
		if c.arch.name == specs.ArchX32 {
			start = x32Bit
		}
		for nr := start; nr <= start+last+100; nr++ {
			a, ok := answers[[2]uint32{c.arch.audit, nr}]
			if !ok && int64(nr) > c.newest {
				a = enosys()
			} else if !ok || a.ask {
				a = answer{ret: unix.SECCOMP_RET_LOG}
			}
			if got, _ := run(t, prog, &data{nr: nr, arch: c.arch.audit}); got != a.ret {
				t.Fatalf("%s, number %#x: got %s, want %s", c.arch.name, nr, verdict(got), verdict(a.ret))
			}
		}
	}
}

func TestTable(t *testing.T) {
	allow := answer{ret: unix.SECCOMP_RET_ALLOW}
	arm := calls{arch: archNamed(t, specs.ArchARM), newest: 400, entries: []entry{{3, allow}, {400, allow}, {armPrivate + 2, allow}}}
	x32First := []calls{
		{arch: archNamed(t, specs.ArchX32), newest: x32Bit | 3, entries: []entry{{x32Bit, allow}, {x32Bit | 3, allow}}},
		{arch: archNamed(t, specs.ArchX86_64), newest: 5, entries: []entry{{5, allow}}},
	}
	none := calls{arch: archNamed(t, specs.ArchX86_64), newest: -1}
	for name, tc := range map[string]struct {
		archs []calls
		call  data
		want  string
	}{
		"ARM, listed":            {[]calls{arm}, data{nr: 3, arch: unix.AUDIT_ARCH_ARM}, "ALLOW"},
		"ARM, between":           {[]calls{arm}, data{nr: 4, arch: unix.AUDIT_ARCH_ARM}, "LOG"},
		"ARM, newest":            {[]calls{arm}, data{nr: 400, arch: unix.AUDIT_ARCH_ARM}, "ALLOW"},
		"ARM, newer":             {[]calls{arm}, data{nr: 401, arch: unix.AUDIT_ARCH_ARM}, "ERRNO 38"},
		"ARM, last before":       {[]calls{arm}, data{nr: armPrivate - 1, arch: unix.AUDIT_ARCH_ARM}, "ERRNO 38"},
		"ARM, private":           {[]calls{arm}, data{nr: armPrivate + 2, arch: unix.AUDIT_ARCH_ARM}, "ALLOW"},
		"ARM, other private":     {[]calls{arm}, data{nr: armPrivate + 3, arch: unix.AUDIT_ARCH_ARM}, "LOG"},
		"ARM, first private":     {[]calls{arm}, data{nr: armPrivate, arch: unix.AUDIT_ARCH_ARM}, "LOG"},
		"x32 first: first":       {x32First, data{nr: x32Bit, arch: unix.AUDIT_ARCH_X86_64}, "ALLOW"},
		"x32 first: between":     {x32First, data{nr: x32Bit | 1, arch: unix.AUDIT_ARCH_X86_64}, "LOG"},
		"x32 first: newer":       {x32First, data{nr: x32Bit | 4, arch: unix.AUDIT_ARCH_X86_64}, "ERRNO 38"},
		"x32 first: x86-64":      {x32First, data{nr: 5, arch: unix.AUDIT_ARCH_X86_64}, "ALLOW"},
		"x32 first: newer there": {x32First, data{nr: x32Bit - 1, arch: unix.AUDIT_ARCH_X86_64}, "ERRNO 38"},
		"x86-64 alone: x32":      {x32First[1:], data{nr: x32Bit, arch: unix.AUDIT_ARCH_X86_64}, "LOG"},
		"x86-64 alone: -1":       {x32First[1:], data{nr: 1<<32 - 1, arch: unix.AUDIT_ARCH_X86_64}, "LOG"},
		"nothing named":          {[]calls{none}, data{nr: 5000, arch: unix.AUDIT_ARCH_X86_64}, "LOG"},
		"another architecture":   {[]calls{arm}, data{nr: 3, arch: unix.AUDIT_ARCH_X86_64}, "LOG"},
	} {
		t.Run(name, func(t *testing.T) {
			ret, _ := run(t, whole(t, tc.archs, enosys()), &tc.call)
			if got := verdict(ret); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestJoinTooLong(t *testing.T) {
	code := make([]insn, unix.BPF_MAXINSNS)
	if _, err := join(code, nil); err != nil {
		t.Error(err)
	}
	_, err := join(code, make([]byte, insnSize))
	if want := "the filter has 4097 instructions, the kernel takes 4096"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestTablesAreComplete(t *testing.T) {
	for _, name := range Actions() {
		if _, err := action(specs.LinuxSeccompAction(name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range Architectures() {
		if _, err := auditArch(specs.Arch(name)); err != nil {
			t.Error(err)
		}
	}
	for _, name := range KnownFlags() {
		if _, err := filterFlag(name); err != nil {
			t.Error(err)
		}
	}
	for _, list := range [][]string{Actions(), Architectures(), KnownFlags(), Operators()} {
		for i := 1; i < len(list); i++ {
			if list[i-1] >= list[i] {
				t.Errorf("%s before %s", list[i-1], list[i])
			}
		}
	}
}

func TestEncode(t *testing.T) {
	want := &Program{Filter: []byte("12345678abcdefgh"), Flags: unix.SECCOMP_FILTER_FLAG_LOG, Listener: true}
	got, err := Decode(want.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if _, err := Decode(want.Encode()[:headSize-1]); err == nil {
		t.Error("a head cut short was accepted")
	}
}

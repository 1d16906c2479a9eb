//go:build cgo && !noseccomp

package seccomp

import (
	"encoding/json"
	"os"
	"runtime"
	"slices"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

func compile(t testing.TB, p *specs.LinuxSeccomp) []insn {
	t.Helper()
	prog, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, prog.Filter)
}

func parse(t testing.TB, text string) *specs.LinuxSeccomp {
	t.Helper()
	var p specs.LinuxSeccomp
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	return &p
}

// docker is the profile of a container that docker run starts.
func docker(t testing.TB) *specs.LinuxSeccomp {
	t.Helper()
	raw, err := os.ReadFile("../bundle/testdata/engines/docker-default.json")
	if err != nil {
		t.Fatal(err)
	}
	var spec specs.Spec
	if err := json.Unmarshal(raw, &spec); err != nil {
		t.Fatal(err)
	}
	if spec.Linux == nil || spec.Linux.Seccomp == nil {
		t.Fatal("no seccomp profile in it")
	}
	return spec.Linux.Seccomp
}

// spare is a call that plain adds a rule for, so that libseccomp loads the
// number of the call before all others (see anchor).
const spare = "times"

// plain is the profile as libseccomp alone makes it, without the table.
func plain(t testing.TB, p *specs.LinuxSeccomp) ([]byte, *profile) {
	t.Helper()
	tr, err := translate(p, runtime.GOARCH)
	if err != nil {
		t.Fatal(err)
	}
	f, err := libseccomp.NewFilter(scmpAction(tr.def))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	for _, a := range tr.archs {
		token, err := scmpArch(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.AddArch(token); err != nil {
			t.Fatal(err)
		}
	}
	for i := range tr.rules {
		r := &tr.rules[i]
		for _, name := range r.names {
			if _, err := libseccomp.GetSyscallFromName(name); err != nil || r.ret == tr.def {
				continue
			}
			if err := add(f, name, r); err != nil {
				t.Skipf("libseccomp refuses %s: %v", name, err)
			}
		}
	}
	if !names(p, spare) {
		r := rule{ret: unix.SECCOMP_RET_TRACE | 77}
		if err := add(f, spare, &r); err != nil {
			t.Fatal(err)
		}
	}
	code, err := export(f)
	if err != nil {
		t.Fatal(err)
	}
	return code, tr
}

func names(p *specs.LinuxSeccomp, call string) bool {
	return slices.ContainsFunc(p.Syscalls, func(s specs.LinuxSyscall) bool { return slices.Contains(s.Names, call) })
}

// same compares a program with that of libseccomp alone, for the numbers given
// or the first 600, and for arguments around those the rules name.
func same(t testing.TB, p *specs.LinuxSeccomp, numbers ...uint32) {
	t.Helper()
	code, tr := plain(t, p)
	want, got := decode(t, code), compile(t, p)
	values := []uint64{0, 1, 1 << 32, ^uint64(0)}
	for _, r := range tr.rules {
		for _, a := range r.args {
			values = append(values, a.Value, a.Value+1, a.Value-1, a.ValueTwo, a.Value|1<<32)
		}
	}
	slices.Sort(values)
	values = slices.Compact(values)
	if len(values) > 48 {
		values = values[:48]
	}
	if numbers == nil {
		for nr := range uint32(600) {
			numbers = append(numbers, nr)
		}
	}
	c := compiler{profile: tr}
	if err := c.sort(); err != nil {
		t.Fatal(err)
	}
	for _, calls := range c.calls {
		token, err := scmpArch(calls.arch)
		if err != nil {
			t.Fatal(err)
		}
		spareNr, err := libseccomp.GetSyscallFromNameByArch(spare, token)
		if err != nil {
			t.Fatal(err)
		}
		for _, nr := range numbers {
			if calls.arch.name == specs.ArchX32 {
				nr |= x32Bit
			}
			if nr == uint32(spareNr) && !names(p, spare) {
				continue
			}
			for _, v := range values {
				for at := range 6 {
					d := data{nr: nr, arch: calls.arch.audit}
					d.args[at] = v
					w, _ := run(t, want, &d)
					g, _ := run(t, got, &d)
					if calls.newest >= 0 && int64(nr) > calls.newest && !c.unknown().ask {
						w = enosys().ret
					}
					if w != g {
						t.Fatalf("%s, number %#x, args[%d] = %#x: %s, libseccomp alone says %s", calls.arch.name, nr, at, v, verdict(g), verdict(w))
					}
				}
			}
		}
	}
	for _, audit := range []uint32{unix.AUDIT_ARCH_ALPHA, unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_AARCH64} {
		d := data{arch: audit}
		if slices.ContainsFunc(tr.archs, func(a arch) bool { return a.audit == audit }) {
			continue
		}
		w, _ := run(t, want, &d)
		if g, _ := run(t, got, &d); g != w {
			t.Fatalf("architecture %#x: %s, libseccomp alone says %s", audit, verdict(g), verdict(w))
		}
	}
}

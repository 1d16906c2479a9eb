package seccomp

import (
	"crypto/sha256"
	"encoding/binary"
	"runtime"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// format counts the forms of a cache entry and of what Compile makes of a
// profile: to be raised with every change of either.
const format = 1

// key names the program of a profile: a hash of all that it depends on. It is
// written by hand, field after field, because JSON takes ten times as long.
func key(p *specs.LinuxSeccomp) [sha256.Size]byte {
	b := make(canonical, 0, 8192)
	b.number(format)
	b.text(runtime.GOARCH)
	b.text(Version())
	b.text(string(p.DefaultAction))
	b.optional(p.DefaultErrnoRet)
	b.list(len(p.Architectures))
	for _, a := range p.Architectures {
		b.text(string(a))
	}
	b.truth(p.Flags == nil) // no flags are not an empty list of them
	b.list(len(p.Flags))
	for _, f := range p.Flags {
		b.text(string(f))
	}
	b.truth(p.ListenerPath == "") // which path it is does not matter
	b.list(len(p.Syscalls))
	for i := range p.Syscalls {
		b.rule(&p.Syscalls[i])
	}
	return sha256.Sum256(b)
}

// canonical is a sequence of values, none of which can be taken for another.
type canonical []byte

func (b *canonical) rule(s *specs.LinuxSyscall) {
	b.list(len(s.Names))
	for _, name := range s.Names {
		b.text(name)
	}
	b.text(string(s.Action))
	b.optional(s.ErrnoRet)
	b.list(len(s.Args))
	for _, a := range s.Args {
		b.number(uint64(a.Index))
		b.number(a.Value)
		b.number(a.ValueTwo)
		b.text(string(a.Op))
	}
}

func (b *canonical) number(n uint64) { *b = binary.AppendUvarint(*b, n) }

func (b *canonical) list(n int) { b.number(uint64(n)) } //nolint:gosec // a length

func (b *canonical) text(s string) {
	b.list(len(s))
	*b = append(*b, s...)
}

func (b *canonical) truth(yes bool) {
	if yes {
		*b = append(*b, 1)
	} else {
		*b = append(*b, 0)
	}
}

func (b *canonical) optional(n *uint) {
	b.truth(n != nil)
	if n != nil {
		b.number(uint64(*n))
	}
}

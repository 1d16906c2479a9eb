package seccomp

import (
	"cmp"
	"slices"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// answer is what the table says to a number: a value to return, or to ask the
// program of libseccomp's that follows.
type answer struct {
	ret uint32
	ask bool
}

// enosys is the answer of a kernel that does not have the call.
func enosys() answer { return answer{ret: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)} }

// entry is the answer for one system call.
type entry struct {
	nr uint32
	answer
}

// calls are the system calls of one architecture.
type calls struct {
	arch    arch
	entries []entry
	// newest is the highest number that the profile names, -1 for none.
	newest int64
}

// span is a run of numbers from `from` to the next span.
type span struct {
	from uint32
	answer
}

const (
	// x32Bit marks a number of the x32 ABI (asm/unistd.h, __X32_SYSCALL_BIT),
	// whose AUDIT_ARCH is that of x86-64.
	x32Bit = 0x40000000
	// armPrivate is where the private calls of ARM begin (asm/unistd.h,
	// __ARM_NR_BASE): not newer than the others, just elsewhere.
	armPrivate = 0x0f0000
)

// table is the program in front of libseccomp's, to which it jumps where it has
// no answer. unknown is the answer to calls newer than all the profile names.
func table(archs []calls, unknown answer) []insn {
	var p assembler
	next := p.leaf(answer{ask: true}) // architectures that are not listed
	roots := make([]int, len(archs))
	for i := range slices.Backward(archs) {
		audit := archs[i].arch.audit
		if double(archs, i) {
			continue
		}
		spans := unanswered(audit)
		for j := i; j < len(archs); j++ {
			if archs[j].arch.audit == audit {
				spans = append(spans, archs[j].spans(unknown)...)
			}
		}
		p.to(p.search(merge(spans)))
		roots[i] = p.emit(insn{code: opLoad, k: dataNr})
	}
	for i := range slices.Backward(archs) {
		if !double(archs, i) {
			next = p.branch(opJEQ, archs[i].arch.audit, roots[i], next)
		}
	}
	p.to(next)
	p.emit(insn{code: opLoad, k: dataArch})
	slices.Reverse(p.code)
	return p.code
}

// double: to the kernel, an architecture before this one is the same.
func double(archs []calls, i int) bool {
	return slices.ContainsFunc(archs[:i], func(c calls) bool { return c.arch.audit == archs[i].arch.audit })
}

// unanswered are the starts of the regions that the numbers of an architecture
// fall into. What is newest in one says nothing about the next.
func unanswered(audit uint32) []span {
	ask := answer{ask: true}
	switch audit {
	case unix.AUDIT_ARCH_X86_64:
		return []span{{0, ask}, {x32Bit, ask}}
	case unix.AUDIT_ARCH_ARM:
		return []span{{0, ask}, {armPrivate, ask}}
	}
	return []span{{0, ask}}
}

// spans are the answers of one architecture for its numbers; entries are sorted.
func (c *calls) spans(unknown answer) []span {
	after := func(nr uint32) answer {
		if int64(nr) < c.newest || c.private(nr) {
			return answer{ask: true}
		}
		return unknown
	}
	spans := make([]span, 0, 2*len(c.entries)+1)
	for _, e := range c.entries {
		spans = append(spans, span{e.nr, e.answer}, span{e.nr + 1, after(e.nr)})
	}
	if c.newest >= 0 {
		spans = append(spans, span{uint32(c.newest) + 1, unknown}) //nolint:gosec // an x32 or plain number
	}
	return spans
}

// private tells the calls that do not count for what is newest.
func (c *calls) private(nr uint32) bool {
	return c.arch.name == specs.ArchARM && nr >= armPrivate
}

// merge sorts spans, of two with one start keeps the later, and joins
// neighbours with one answer.
func merge(spans []span) []span {
	slices.SortStableFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	out := spans[:0]
	for i, s := range spans {
		if i+1 < len(spans) && spans[i+1].from == s.from {
			continue
		}
		if len(out) == 0 || out[len(out)-1].answer != s.answer {
			out = append(out, s)
		}
	}
	return out
}

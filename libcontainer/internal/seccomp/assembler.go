package seccomp

// assembler writes a program from its end to its beginning: all jumps of BPF go
// forward, to what is known by then.
type assembler struct {
	code   []insn // the last instruction first
	leaves []leaf
}

// leaf is the latest instruction with an answer.
type leaf struct {
	answer
	at int
}

const (
	// farthest is the longest way of a conditional jump, whose offset has 8
	// bits; that of JA has 32.
	farthest = 0xff
	// near is how far back an answer is used again; the branch to it may
	// come some instructions later.
	near = farthest / 2
)

// emit puts an instruction in front and gives its index.
func (p *assembler) emit(i insn) int {
	p.code = append(p.code, i)
	return len(p.code) - 1
}

// offset is the jump from the next instruction to that at an index.
func (p *assembler) offset(to int) int { return len(p.code) - to - 1 }

// jump is an unconditional jump.
func (p *assembler) jump(to int) int { return p.emit(insn{code: opJA, k: uint32(p.offset(to))}) } //nolint:gosec // offsets are forward and within the program

// to lets the next instruction be followed by that at an index.
func (p *assembler) to(next int) {
	if p.offset(next) > 0 {
		p.jump(next)
	}
}

// leaf gives the answer: returns, or jumps over all that is written so far.
func (p *assembler) leaf(a answer) int {
	i := 0
	for i < len(p.leaves) && p.leaves[i].answer != a {
		i++
	}
	if i == len(p.leaves) {
		p.leaves = append(p.leaves, leaf{answer: a})
	} else if p.offset(p.leaves[i].at) <= near {
		return p.leaves[i].at
	}
	if a.ask {
		p.leaves[i].at = p.jump(-1)
	} else {
		p.leaves[i].at = p.emit(insn{code: opRet, k: a.ret})
	}
	return p.leaves[i].at
}

// branch compares the accumulator with k.
func (p *assembler) branch(code uint16, k uint32, yes, no int) int {
	if p.offset(no) >= farthest { // a jump for yes may still come between
		no = p.jump(no)
	}
	if p.offset(yes) > farthest {
		yes = p.jump(yes)
	}
	return p.emit(insn{code: code, jt: uint8(p.offset(yes)), jf: uint8(p.offset(no)), k: k}) //nolint:gosec // offset has checked the range
}

// search is a binary search for the span that the number in the accumulator
// lies in.
func (p *assembler) search(spans []span) int {
	if len(spans) == 1 {
		return p.leaf(spans[0].answer)
	}
	mid := len(spans) / 2
	high := p.search(spans[mid:])
	low := p.search(spans[:mid])
	return p.branch(opJGE, spans[mid].from, high, low)
}

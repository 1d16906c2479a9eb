package seccomp

import (
	"encoding/binary"
	"fmt"
)

// headSize is that of what Encode puts before the instructions.
const headSize = 8

// Encode is the program as the parent sends it to init.
func (p *Program) Encode() []byte {
	out := make([]byte, headSize, headSize+len(p.Filter))
	binary.NativeEndian.PutUint32(out, p.Flags)
	if p.Listener {
		out[4] = 1
	}
	return append(out, p.Filter...)
}

// Decode reverses Encode.
func Decode(b []byte) (*Program, error) {
	if len(b) < headSize {
		return nil, fmt.Errorf("seccomp: %d bytes are no program", len(b))
	}
	return &Program{Flags: binary.NativeEndian.Uint32(b), Listener: b[4] == 1, Filter: b[headSize:]}, nil
}

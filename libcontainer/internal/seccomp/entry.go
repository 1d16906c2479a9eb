package seccomp

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"golang.org/x/sys/unix"
)

// A cache entry is a header and the filter:
//
//	magic 8 | flags 4 | listener 4 | key 32 | checksum 32 | filter
//
// in the byte order of the machine. The checksum is over all else: an entry that
// a crash or a full disk cut short is none.
const (
	magic       = "rungscmp"
	atFlags     = 8
	atListener  = atFlags + 4
	atKey       = atListener + 4
	atChecksum  = atKey + sha256.Size
	headerSize  = atChecksum + sha256.Size
	largestFile = headerSize + unix.BPF_MAXINSNS*insnSize
)

var errEntry = errors.New("not a cached seccomp program")

// encode makes the entry of a program.
func encode(p *Program, key [sha256.Size]byte) []byte {
	b := make([]byte, headerSize, headerSize+len(p.Filter))
	copy(b, magic)
	binary.NativeEndian.PutUint32(b[atFlags:], p.Flags)
	if p.Listener {
		b[atListener] = 1
	}
	copy(b[atKey:], key[:])
	b = append(b, p.Filter...)
	sum := checksum(b)
	copy(b[atChecksum:], sum[:])
	return b
}

// decodeEntry is the program of an entry, if it is one and has that key.
func decodeEntry(b []byte, key [sha256.Size]byte) (*Program, error) {
	if len(b) <= headerSize || len(b) > largestFile || (len(b)-headerSize)%insnSize != 0 ||
		string(b[:len(magic)]) != magic || !bytes.Equal(b[atKey:atChecksum], key[:]) {
		return nil, errEntry
	}
	if sum := checksum(b); !bytes.Equal(b[atChecksum:headerSize], sum[:]) {
		return nil, errEntry
	}
	return &Program{
		Filter:   b[headerSize:len(b):len(b)],
		Flags:    binary.NativeEndian.Uint32(b[atFlags:]),
		Listener: b[atListener] != 0,
	}, nil
}

// checksum is over an entry without its checksum.
func checksum(b []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write(b[:atChecksum])
	h.Write(b[headerSize:])
	h.Sum(sum[:0])
	return sum
}

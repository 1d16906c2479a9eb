package hooks

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// limit is how much of each output is kept, its end: that is where programs
// say why they give up.
const limit = 64 << 10

// stream is an output of a hook, read from a pipe. A pipe, not a file: it
// holds a hook that writes without end to our pace and memory, and a shell's
// "> /dev/stderr" does not truncate it.
type stream struct {
	fd   int // -1 once it has ended
	kept []byte
	cut  bool // there was more
}

// read takes what is there, once, after poll(2) has said that there is
// something. It gives how much.
func (s *stream) read() int {
	var buf [4096]byte
	n, err := unix.Read(s.fd, buf[:])
	if n > 0 {
		s.keep(buf[:n])
		return n
	}
	if !errors.Is(err, unix.EINTR) {
		_ = unix.Close(s.fd)
		s.fd = -1
	}
	return 0
}

func (s *stream) keep(data []byte) {
	s.kept = append(s.kept, data...)
	// Moved down only once in a while, as it costs a copy.
	if len(s.kept) >= 2*limit {
		s.kept = s.kept[:copy(s.kept, s.kept[len(s.kept)-limit:])]
		s.cut = true
	}
}

func (s *stream) text() string {
	kept, mark := s.kept, ""
	if len(kept) > limit {
		kept, s.cut = kept[len(kept)-limit:], true
	}
	if s.cut {
		mark = "… "
	}
	return mark + strings.ToValidUTF8(strings.TrimRight(string(kept), " \t\r\n"), "\uFFFD")
}

// output is the part of an error that tells what the hook said.
func (p *process) output() string {
	var b strings.Builder
	for _, o := range [...]struct {
		name string
		s    *stream
	}{{"stdout", &p.stdout}, {"stderr", &p.stderr}} {
		if text := o.s.text(); text != "" {
			b.WriteString(", " + o.name + ": " + text)
		}
	}
	return b.String()
}

package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// Kind says what a message is. The first five are spoken in C as well
// (nsenter/bootstrap.h).
type Kind uint32

// The kinds of messages.
const (
	KindHeader     Kind = iota + 1 // parent to bootstrap: Header
	KindPid                        // bootstrap to parent: Report, the pid
	KindMapped                     // parent to child: Report, nothing
	KindNamespaces                 // child to parent: Report, nothing
	KindFailed                     // child to parent: Report, step and errno
	KindPlan                       // parent to init: the plan's memfd, then others
	KindHandles                    // parent to init: mount sources
	KindConsole                    // init to parent: the pty's master
	KindSync                       // init to parent: which point is reached
	KindContinue                   // parent to init: go on
	KindError                      // init to parent: Failure
	KindStep                       // init to parent: a line about a step, if Debug
)

const (
	kindSize = 4
	// MaxPayload bounds a message: a seccomp program of the kernel's greatest
	// length, 4096 instructions of 8 bytes, and little else.
	MaxPayload = 40 << 10
	// MaxFDs is the kernel's bound of one message (SCM_MAX_FD, unix(7)).
	MaxFDs = 253
)

// Message is one packet. The receiver owns its descriptors.
type Message struct {
	Kind    Kind
	Payload []byte
	FDs     []int
}

// Conn is one end of the pair. One goroutine at a time uses it.
type Conn struct {
	fd int
	// packet and rights are where messages are read into; one allocation for
	// all of them, since fresh memory is what a short-lived process pays for.
	packet, rights []byte
}

// buffer is where the next message goes: as long as a message may be.
func (c *Conn) buffer() []byte {
	if c.packet == nil {
		c.packet = make([]byte, kindSize+MaxPayload)
	}
	return c.packet
}

// NewConn speaks over the SOCK_SEQPACKET descriptor fd, which it takes.
func NewConn(fd int) *Conn { return &Conn{fd: fd} }

// Pair makes both ends, close-on-exec.
func Pair() (*Conn, *os.File, error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return NewConn(fds[0]), os.NewFile(uintptr(fds[1]), "bootstrap socket"), nil
}

// Close closes the end.
func (c *Conn) Close() error {
	if c.fd < 0 {
		return nil
	}
	err := unix.Close(c.fd)
	c.fd = -1
	return err
}

// FD is the descriptor.
func (c *Conn) FD() int { return c.fd }

// Send sends one message, with copies of the descriptors fds.
func (c *Conn) Send(kind Kind, payload []byte, fds ...int) error {
	packet := make([]byte, kindSize, kindSize+len(payload))
	binary.NativeEndian.PutUint32(packet, uint32(kind))
	return c.send(append(packet, payload...), fds)
}

func (c *Conn) send(packet []byte, fds []int) error {
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	for {
		err := unix.Sendmsg(c.fd, packet, rights, nil, unix.MSG_NOSIGNAL)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return os.NewSyscallError("sendmsg", err)
	}
}

// Write is Send without descriptors by write(2), and Read is Recv without
// them by read(2): under the container's seccomp filter init uses no others.
func (c *Conn) Write(kind Kind, payload []byte) error {
	packet := make([]byte, kindSize, kindSize+len(payload))
	binary.NativeEndian.PutUint32(packet, uint32(kind))
	packet = append(packet, payload...)
	for {
		_, err := unix.Write(c.fd, packet)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		return os.NewSyscallError("write", err)
	}
}

// Read is described at Write.
func (c *Conn) Read() (*Message, error) {
	buf := c.buffer()
	for {
		n, err := unix.Read(c.fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		switch {
		case err == nil && n == 0, errors.Is(err, unix.ECONNRESET):
			return nil, ErrClosed
		case err != nil:
			return nil, os.NewSyscallError("read", err)
		case n < kindSize:
			return nil, fmt.Errorf("malformed message of %d bytes", n)
		}
		return &Message{Kind: Kind(binary.NativeEndian.Uint32(buf)), Payload: bytes.Clone(buf[kindSize:n])}, nil
	}
}

// ErrClosed means that the other side ended without a word.
var ErrClosed = errors.New("the other side of the bootstrap socket is gone")

// Recv waits for one message. Its descriptors are close-on-exec. A message
// too long, or with more descriptors than it may have, is an error.
func (c *Conn) Recv() (*Message, error) {
	buf := c.buffer()
	if c.rights == nil {
		c.rights = make([]byte, unix.CmsgSpace(MaxFDs*4))
	}
	rights := c.rights
	var n, oobn, flags int
	for {
		var err error
		n, oobn, flags, _, err = unix.Recvmsg(c.fd, buf, rights, unix.MSG_CMSG_CLOEXEC)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if errors.Is(err, unix.ECONNRESET) {
			return nil, ErrClosed
		}
		if err != nil {
			return nil, os.NewSyscallError("recvmsg", err)
		}
		break
	}
	fds, err := parseRights(rights[:oobn])
	if err != nil {
		return nil, err
	}
	m := &Message{FDs: fds}
	switch {
	case n == 0:
		err = ErrClosed
	case n < kindSize, flags&(unix.MSG_TRUNC|unix.MSG_CTRUNC) != 0:
		err = fmt.Errorf("malformed message of %d bytes", n)
	}
	if err != nil {
		m.CloseFDs()
		return nil, err
	}
	m.Kind = Kind(binary.NativeEndian.Uint32(buf))
	m.Payload = bytes.Clone(buf[kindSize:n])
	return m, nil
}

func parseRights(oob []byte) ([]int, error) {
	if len(oob) == 0 {
		return nil, nil
	}
	cmsgs, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var fds []int
	for i := range cmsgs {
		got, err := unix.ParseUnixRights(&cmsgs[i])
		if err != nil {
			return nil, err
		}
		fds = append(fds, got...)
	}
	return fds, nil
}

// CloseFDs closes the descriptors that came with the message.
func (m *Message) CloseFDs() {
	for _, fd := range m.FDs {
		_ = unix.Close(fd)
	}
	m.FDs = nil
}

// Report is a message of the C side; struct report.
type Report struct {
	Step  uint32
	Value int32
	Index uint32
}

const reportSize = 12

// ParseReport decodes the payload of a Pid, Namespaces or Failed.
func ParseReport(payload []byte) (Report, error) {
	if len(payload) != reportSize {
		return Report{}, fmt.Errorf("malformed report of %d bytes", len(payload))
	}
	return Report{
		Step:  binary.NativeEndian.Uint32(payload),
		Value: int32(binary.NativeEndian.Uint32(payload[4:])), //nolint:gosec // the C side's int32, bit by bit
		Index: binary.NativeEndian.Uint32(payload[8:]),
	}, nil
}

// SendMapped tells the child that its id maps are written.
func (c *Conn) SendMapped() error { return c.Send(KindMapped, make([]byte, reportSize)) }

// StepName is what the C side tried when it failed; enum step.
func StepName(step uint32) string {
	names := [...]string{
		"start", "read bootstrap header", "open /proc", "set oom_score_adj",
		"enter cgroup", "join namespace", "join user namespace",
		"become root of the user namespace", "clone init", "wait for id maps",
		"start session", "create namespaces", "create time namespace",
	}
	if int(step) < len(names) {
		return names[step]
	}
	return "bootstrap step " + strconv.Itoa(int(step))
}

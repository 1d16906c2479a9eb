package wire

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func pair(t *testing.T) (a, b *Conn) {
	t.Helper()
	a, f, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	b = NewConn(fd)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestMessage(t *testing.T) {
	a, b := pair(t)
	f, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := a.Send(KindPlan, []byte("payload"), int(f.Fd()), int(f.Fd())); err != nil {
		t.Fatal(err)
	}
	m, err := b.Recv()
	if err != nil {
		t.Fatal(err)
	}
	defer m.CloseFDs()
	if m.Kind != KindPlan || string(m.Payload) != "payload" || len(m.FDs) != 2 {
		t.Errorf("got %+v", m)
	}
	for _, fd := range m.FDs {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err != nil || flags&unix.FD_CLOEXEC == 0 {
			t.Errorf("descriptor %d is not close-on-exec: %v", fd, err)
		}
	}
}

func TestWriteAndRead(t *testing.T) {
	a, b := pair(t)
	if err := a.Write(KindSync, []byte("ready")); err != nil {
		t.Fatal(err)
	}
	m, err := b.Read()
	if err != nil || m.Kind != KindSync || string(m.Payload) != "ready" {
		t.Errorf("got %+v, %v", m, err)
	}
	a.Close()
	if _, err := b.Read(); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func TestRecvRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		packet []byte
		err    string
	}{
		"short": {packet: []byte{1, 2}, err: "malformed message of 2 bytes"},
		"long":  {packet: make([]byte, MaxPayload+100), err: "malformed message"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pair(t)
			if _, err := unix.Write(a.FD(), tc.packet); err != nil {
				t.Fatal(err)
			}
			if _, err := b.Recv(); err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("got %v, want %q", err, tc.err)
			}
		})
	}
}

func TestRecvAtTheEnd(t *testing.T) {
	a, b := pair(t)
	a.Close()
	if _, err := b.Recv(); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

func TestEncodeHeaderRefuses(t *testing.T) {
	for name, h := range map[string]Header{
		"joins":   {Join: make([]JoinFD, maxJoin+1), Cgroup: -1},
		"doors":   {Doors: make([]int, maxDoors+1), Cgroup: -1},
		"oom":     {OOMScoreAdj: "-1000000", Cgroup: -1},
		"offsets": {TimeOffsets: strings.Repeat("x", timeSize), Cgroup: -1},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := encodeHeader(&h); err == nil {
				t.Error("accepted")
			}
		})
	}
}

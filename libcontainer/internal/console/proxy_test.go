package console

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// session is a proxy between two terminals: the test plays the person at the
// caller's, and the process in the container's.
type session struct {
	keyboard *os.File // master of the caller's terminal
	user     *os.File // its slave: what the caller has
	slave    *os.File // of the container's terminal
	proxy    *Proxy
}

// newSession starts a proxy; a nil stream is the caller's terminal.
func newSession(t *testing.T, stdin, stdout *os.File) *session {
	t.Helper()
	s := &session{}
	s.keyboard, s.user = newPTY(t)
	master, slave := newPTY(t)
	s.slave = slave
	if stdin == nil {
		stdin = s.user
	}
	if stdout == nil {
		stdout = s.user
	}
	p, err := NewProxy(master, stdin, stdout, s.user)
	if err != nil {
		t.Fatal(err)
	}
	s.proxy = p
	t.Cleanup(func() { p.Close() })
	return s
}

// process runs a script on the container's terminal, as its session's leader,
// and gives up the test's own descriptor of it.
func (s *session) process(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.slave, s.slave, s.slave
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.slave.Close()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd
}

func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// expect reads from f until it has seen want, but not for ever.
func expect(t *testing.T, f *os.File, want string) {
	t.Helper()
	var got []byte
	buf := make([]byte, 4096)
	for end := time.Now().Add(10 * time.Second); !strings.Contains(string(got), want); {
		fds := []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, 100); n == 0 || errors.Is(err, unix.EINTR) {
			if time.Now().After(end) {
				t.Fatalf("read %q, want %q", got, want)
			}
			continue
		}
		n, err := unix.Read(int(f.Fd()), buf)
		if n <= 0 {
			t.Fatalf("read %q, then %v; want %q", got, err, want)
		}
		got = append(got, buf[:n]...)
	}
}

func modes(t *testing.T, f *os.File) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}

// cpu is how much time this process has used so far.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// idle fails if this process uses much time within two seconds.
func idle(t *testing.T) {
	t.Helper()
	before := cpu(t)
	time.Sleep(2 * time.Second)
	if used := cpu(t) - before; used > 300*time.Millisecond {
		t.Errorf("%v of processor time in 2 s of waiting", used)
	}
}

func TestProxyModes(t *testing.T) {
	_, user := newPTY(t)
	master, slave := newPTY(t)
	before := modes(t, user)
	if before.Lflag&unix.ECHO == 0 || modes(t, slave).Oflag&unix.ONLCR == 0 {
		t.Fatal("unexpected default modes")
	}
	p, err := NewProxy(master, user, user, user)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	raw := modes(t, user)
	if raw.Lflag&(unix.ECHO|unix.ICANON|unix.ISIG|unix.IEXTEN) != 0 || raw.Iflag&(unix.ICRNL|unix.IXON) != 0 {
		t.Errorf("not raw: %+v", raw)
	}
	if raw.Oflag&unix.OPOST == 0 {
		t.Error("the caller's terminal does not make CR NL of NL")
	}
	if modes(t, slave).Oflag&unix.ONLCR != 0 {
		t.Error("ONLCR is on")
	}
	for range 2 { // twice does no harm
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if after := modes(t, user); after != before {
		t.Errorf("modes %+v, were %+v", after, before)
	}
}

func TestProxyFindsTheTerminal(t *testing.T) {
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	_, first := newPTY(t)
	_, second := newPTY(t)
	for name, tc := range map[string]struct{ stdin, stdout, stderr, want *os.File }{
		"stderr":        {second, second, first, first},
		"stdout":        {second, first, null, first},
		"stdin":         {first, null, null, first},
		"stderr closed": {second, first, nil, first},
	} {
		t.Run(name, func(t *testing.T) {
			master, _ := newPTY(t)
			p, err := NewProxy(master, tc.stdin, tc.stdout, tc.stderr)
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			if p.user.file != tc.want {
				t.Error("another one")
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		if f, err := os.Open("/dev/tty"); err == nil {
			f.Close()
			t.Skip("needs to be without a controlling terminal")
		}
		master, slave := newPTY(t)
		_, err := NewProxy(master, null, null, null)
		checkError(t, err, "none of the standard streams is a terminal: open /dev/tty: no such device or address")
		// The container's terminal is not left behind half connected.
		if _, err := slave.WriteString("x"); !errors.Is(err, unix.EIO) {
			t.Errorf("master is still open: %v", err)
		}
	})
}

func TestProxySize(t *testing.T) {
	_, user := newPTY(t)
	master, slave := newPTY(t)
	size := func() [2]uint16 {
		s, err := unix.IoctlGetWinsize(int(slave.Fd()), unix.TIOCGWINSZ)
		if err != nil {
			t.Fatal(err)
		}
		return [2]uint16{s.Row, s.Col}
	}
	checkError(t, SetSize(master, 10, 20), "")
	p, err := NewProxy(master, user, user, user)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if got := size(); got != [2]uint16{10, 20} {
		t.Errorf("a caller without a size made it %v", got)
	}
	for _, want := range [][2]uint16{{24, 80}, {50, 132}} {
		checkError(t, SetSize(user, want[0], want[1]), "")
		checkError(t, p.Resize(), "")
		if got := size(); got != want {
			t.Errorf("size %v, want %v", got, want)
		}
	}
	p.Close()
	_, user = newPTY(t)
	checkError(t, SetSize(user, 30, 90), "")
	master, slave = newPTY(t)
	if p, err = NewProxy(master, user, user, user); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if got := size(); got != [2]uint16{30, 90} {
		t.Errorf("size at start %v", got)
	}
}

func TestProxyBothWays(t *testing.T) {
	s := newSession(t, nil, nil)
	cmd := s.process(t, `stty -echo; echo ready; read x; echo "got $x"`)
	// One CR only: the caller's terminal made it.
	expect(t, s.keyboard, "ready\r\n")
	if _, err := s.keyboard.WriteString("hello\r"); err != nil { // Enter
		t.Fatal(err)
	}
	expect(t, s.keyboard, "got hello\r\n")
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	checkError(t, s.proxy.Drain(), "")
}

func TestProxyKeepsNoDescriptor(t *testing.T) {
	// Whatever else the process opens and closes meanwhile, the garbage of other
	// tests among it, a descriptor a session would be seen.
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	const sessions = 20
	_, user := newPTY(t)
	before := count()
	for range sessions {
		master, slave := newPTY(t)
		p, err := NewProxy(master, user, user, user)
		if err != nil {
			t.Fatal(err)
		}
		slave.Close()
		checkError(t, p.Drain(), "")
		p.Close()
	}
	after := count()
	for range 100 { // the input's end is not waited for
		if after < before+sessions {
			return
		}
		time.Sleep(10 * time.Millisecond)
		after = count()
	}
	t.Errorf("%d descriptors, then %d", before, after)
}

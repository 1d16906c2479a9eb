package console

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
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

// Everything that was written before the end is there after Drain, also when
// another process keeps the terminal open, and although stdout is slow.
func TestProxyLosesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		script string
		slow   bool
		keep   bool
		size   int
	}{
		"little":         {script: "printf 0123456789", size: 10},
		"much":           {script: "head -c 300000 /dev/zero", size: 300000},
		"slow":           {script: "head -c 300000 /dev/zero", slow: true, size: 300000},
		"kept open":      {script: "head -c 300000 /dev/zero", keep: true, size: 300000},
		"kept, and slow": {script: "head -c 300000 /dev/zero", keep: true, slow: true, size: 300000},
	} {
		t.Run(name, func(t *testing.T) {
			for range 10 {
				r, w := pipe(t)
				s := newSession(t, nil, w)
				if tc.keep {
					fd, err := unix.Dup(int(s.slave.Fd()))
					if err != nil {
						t.Fatal(err)
					}
					defer unix.Close(fd)
				}
				var got int
				var reader sync.WaitGroup
				reader.Go(func() {
					buf := make([]byte, 4096)
					for {
						n, err := r.Read(buf)
						got += n
						if err != nil {
							return
						}
						if tc.slow {
							time.Sleep(time.Millisecond)
						}
					}
				})
				if err := s.process(t, tc.script).Wait(); err != nil {
					t.Fatal(err)
				}
				checkError(t, s.proxy.Drain(), "")
				s.proxy.Close()
				w.Close()
				reader.Wait()
				if got != tc.size {
					t.Fatalf("%d bytes of %d", got, tc.size)
				}
			}
		})
	}
}

func TestProxyDrainEnds(t *testing.T) {
	r, w := pipe(t)
	go func() { // slower than the writer
		buf := make([]byte, 4096)
		for {
			if _, err := r.Read(buf); err != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	s := newSession(t, nil, w)
	s.process(t, "exec yes") // and does not end
	time.Sleep(100 * time.Millisecond)
	done := make(chan error)
	go func() { done <- s.proxy.Drain() }()
	select {
	case err := <-done:
		checkError(t, err, "")
	case <-time.After(10 * time.Second):
		t.Error("a process that goes on writing holds it up")
	}
}

func TestProxyDoesNotSpin(t *testing.T) {
	t.Run("slow reader", func(t *testing.T) {
		_, w := pipe(t) // nobody reads
		s := newSession(t, nil, w)
		s.process(t, "exec yes")
		time.Sleep(200 * time.Millisecond)
		idle(t)
	})
	t.Run("slow process", func(t *testing.T) {
		r, w := pipe(t)
		go func() {
			line := bytes.Repeat([]byte("x"), 100)
			for {
				if _, err := w.Write(append(line, '\n')); err != nil {
					return
				}
			}
		}()
		s := newSession(t, r, nil)
		s.process(t, "stty -icanon -echo; exec sleep 100")
		time.Sleep(200 * time.Millisecond)
		idle(t)
	})
	t.Run("nobody has the terminal open", func(t *testing.T) {
		s := newSession(t, nil, nil)
		number, err := unix.IoctlGetUint32(int(s.proxy.master.Fd()), unix.TIOCGPTN)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.slave.WriteString("one"); err != nil {
			t.Fatal(err)
		}
		s.slave.Close()
		expect(t, s.keyboard, "one")
		idle(t)
		slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(int(number)), os.O_RDWR|unix.O_NOCTTY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer slave.Close()
		if _, err := slave.WriteString("two"); err != nil {
			t.Fatal(err)
		}
		expect(t, s.keyboard, "two")
	})
	t.Run("stdin has ended", func(t *testing.T) {
		r, w := pipe(t)
		s := newSession(t, r, nil)
		w.Close()
		idle(t)
		// Nothing was sent, and output goes on.
		s.process(t, "timeout 0.5 cat; echo $?") // 124: it was waiting
		expect(t, s.keyboard, "124\r\n")
	})
}

func TestProxyStdin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	regular, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer regular.Close()
	closed, _ := pipe(t)
	closed.Close()
	for name, tc := range map[string]struct {
		stdin        *os.File
		script, want string
	}{
		"file":   {regular, `read x; echo "got $x"`, "got from a file"},
		"closed": {closed, "timeout 0.2 cat; echo $?", "124"},
	} {
		t.Run(name, func(t *testing.T) {
			r, w := pipe(t)
			s := newSession(t, tc.stdin, w)
			s.process(t, "stty -echo; "+tc.script)
			expect(t, r, tc.want)
		})
	}
}

// The process goes on although nobody reads what it says.
func TestProxyStdoutGone(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	r, w := pipe(t)
	r.Close()
	for name, tc := range map[string]struct {
		stdout *os.File
		want   string
	}{
		"closed pipe": {w, ""},
		"full":        {full, "write /dev/full: no space left on device"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSession(t, nil, tc.stdout)
			cmd := s.process(t, "head -c 300000 /dev/zero")
			ended := make(chan error)
			go func() { ended <- cmd.Wait() }()
			select {
			case err := <-ended:
				checkError(t, err, "")
			case <-time.After(10 * time.Second):
				t.Fatal("the process hangs")
			}
			checkError(t, s.proxy.Drain(), tc.want)
		})
	}
}

func TestProxyNonBlockingStdout(t *testing.T) {
	r, w := pipe(t)
	if err := unix.SetNonblock(int(w.Fd()), true); err != nil {
		t.Fatal(err)
	}
	s := newSession(t, nil, w)
	s.process(t, "head -c 300000 /dev/zero; echo end")
	time.Sleep(200 * time.Millisecond)
	expect(t, r, "end\n")
}

// After the end, what is typed is the caller's.
func TestProxyLeavesInput(t *testing.T) {
	s := newSession(t, nil, nil)
	s.slave.Close()
	checkError(t, s.proxy.Drain(), "")
	s.proxy.Close()
	time.Sleep(50 * time.Millisecond)
	if _, err := s.keyboard.WriteString("later\n"); err != nil {
		t.Fatal(err)
	}
	expect(t, s.user, "later\n")
}

func TestProxyCloseDoesNotWait(t *testing.T) {
	_, w := pipe(t) // nobody reads
	s := newSession(t, nil, w)
	s.process(t, "exec yes")
	time.Sleep(100 * time.Millisecond)
	done := make(chan error)
	go func() { done <- s.proxy.Close() }()
	select {
	case err := <-done:
		checkError(t, err, "")
	case <-time.After(5 * time.Second):
		t.Error("it waits for a reader")
	}
}

func TestProxyKeepsNoDescriptor(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	_, user := newPTY(t)
	start := func() {
		master, slave := newPTY(t)
		p, err := NewProxy(master, user, user, user)
		if err != nil {
			t.Fatal(err)
		}
		slave.Close()
		checkError(t, p.Drain(), "")
		p.Close()
	}
	start() // the poller's own
	before := count()
	for range 5 {
		start()
	}
	for range 100 { // the input's end is not waited for
		if count() == before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d descriptors, then %d", before, count())
}

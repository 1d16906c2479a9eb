package console

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

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

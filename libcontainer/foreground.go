package libcontainer

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/console"
)

// Foreground connects a process with the caller for as long as it runs: a
// terminal or pipes for its streams, and the caller's signals.
type Foreground struct {
	signals chan os.Signal
	// registered: the real-time ones among them come, too.
	registered sync.WaitGroup
	proxy      *console.Proxy
	// child are the process's ends of the pipes, closed once it has them.
	child []*os.File
	copy  sync.WaitGroup
	stdin *os.File
	// early are the signals that came before there was a process.
	early []os.Signal
	// ignored are the caller's caller's, as in IO.
	ignored uint64
	// adopts: orphans are ours to reap.
	adopts bool
}

// forwarded are the signals that the process is sent when the caller gets
// them. Not among them: CHLD and URG, which are our own, WINCH, which resizes
// the terminal, PIPE, which would tell the process that our own output has
// nobody who reads it, and those that cannot be caught.
func forwarded() []os.Signal {
	return []os.Signal{
		unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGABRT, unix.SIGUSR1, unix.SIGUSR2,
		unix.SIGALRM, unix.SIGCONT, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU, unix.SIGIO, unix.SIGPWR,
		unix.SIGVTALRM, unix.SIGXCPU, unix.SIGXFSZ, unix.SIGTRAP, unix.SIGSYS,
	}
}

// realtime are the signals that mean what two programs agree on, and are
// forwarded like the others (signal(7), "Real-time signals"). The first two of
// the kernel's are the C library's own (nptl(7)); the third the Go runtime
// leaves to C libraries that have three (runtime/sigtab_linux_generic.go).
func realtime() []os.Signal {
	const first, last = 35, 64
	var list []os.Signal
	for n := unix.Signal(first); n <= last; n++ {
		list = append(list, n)
	}
	return list
}

func newForeground(s *IO) *Foreground {
	f := &Foreground{signals: make(chan os.Signal, 128), ignored: s.Ignored}
	signal.Notify(f.signals, append(forwarded(), unix.SIGWINCH)...)
	// Beside the start: each costs the Go runtime a switch of threads, and
	// together they would cost it a tenth of a container's start.
	f.registered.Go(func() { signal.Notify(f.signals, realtime()...) })
	return f
}

// NewForegroundTerminal connects a process that has a terminal with the
// caller's: found at standard error, output, input, or /dev/tty.
func NewForegroundTerminal(s *IO) *Foreground {
	f := newForeground(s)
	s.Terminal = func(master *os.File) error {
		proxy, err := console.NewProxy(master, os.Stdin, os.Stdout, os.Stderr)
		f.proxy = proxy
		return err
	}
	return f
}

// NewForegroundPipes connects a process without a terminal by pipes that
// belong to uid. The null device is passed on as it is.
func NewForegroundPipes(s *IO, uid uint32) (*Foreground, error) {
	f := newForeground(s)
	for i, end := range [...]struct {
		ours   *os.File
		theirs **os.File
	}{{os.Stdin, &s.Stdin}, {os.Stdout, &s.Stdout}, {os.Stderr, &s.Stderr}} {
		if isNull(end.ours) {
			*end.theirs = end.ours
			continue
		}
		if end.ours == os.Stderr && sameFile(os.Stdout, os.Stderr) {
			// One pipe, so that what is written in turn arrives in turn.
			*end.theirs = s.Stdout
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			f.Close()
			return nil, err
		}
		if i == 0 {
			*end.theirs, f.stdin = r, w
			f.child = append(f.child, r)
			go func() {
				_, _ = io.Copy(w, end.ours)
				w.Close()
			}()
			continue
		}
		*end.theirs = w
		f.child = append(f.child, w)
		f.copy.Go(func() {
			_, _ = io.Copy(end.ours, r)
			r.Close()
		})
	}
	for _, p := range f.child {
		// Only so that the program may open /dev/stdout again.
		_ = p.Chown(int(uid), -1)
	}
	return f, nil
}

func isNull(f *os.File) bool {
	var st unix.Stat_t
	return unix.Fstat(int(f.Fd()), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR &&
		st.Rdev == unix.Mkdev(1, 3)
}

// sameFile tells whether both are one open file, as after 2>&1 (kcmp(2)). A
// kernel or sandbox that does not say so costs the order of their lines.
func sameFile(a, b *os.File) bool {
	const file = 0 // KCMP_FILE
	pid := uintptr(os.Getpid())
	order, _, errno := unix.Syscall6(unix.SYS_KCMP, pid, pid, file, a.Fd(), b.Fd(), 0)
	return errno == 0 && order == 0
}

// Waiter is a Container or a Process.
type Waiter interface {
	Wait() (int, error)
	Signal(sig unix.Signal) error
	waitReaping() (int, error)
}

// Wait forwards signals to p until it ends, drains its output, and gives its
// exit code.
func (f *Foreground) Wait(p Waiter) (int, error) {
	f.closeChild()
	done := make(chan struct{})
	go func() {
		for _, s := range f.early {
			f.deliver(p, s)
		}
		for {
			select {
			case s := <-f.signals:
				f.deliver(p, s)
			case <-done:
				return
			}
		}
	}()
	wait := p.Wait
	if f.adopts {
		wait = p.waitReaping
	}
	code, err := wait()
	close(done)
	if f.proxy != nil {
		err = errors.Join(err, f.proxy.Drain())
	}
	f.copy.Wait()
	return code, err
}

func (f *Foreground) deliver(p Waiter, s os.Signal) {
	sig, ok := s.(unix.Signal)
	switch {
	case !ok:
	case sig == unix.SIGWINCH:
		if f.proxy != nil {
			_ = f.proxy.Resize()
		}
	default:
		_ = p.Signal(sig) // it may have ended
	}
}

func (f *Foreground) closeChild() {
	for _, p := range f.child {
		p.Close()
	}
	f.child = nil
}

// Close gives the caller its terminal and its signals back.
func (f *Foreground) Close() {
	f.registered.Wait()
	signal.Stop(f.signals)
	f.Leave()
}

// Leave is Close for a program that ends now: it gives the terminal back. To
// give signals back takes Go as long as to take them, and would be waited for.
func (f *Foreground) Leave() {
	f.closeChild()
	if f.proxy != nil {
		_ = f.proxy.Close()
		f.proxy = nil
	}
}

// SendTerminal sends the master of a terminal to the unix socket at path.
func SendTerminal(path string, master *os.File) error { return console.Send(path, master) }

// SendPidfd sends a pidfd to the unix socket at path, with a word that says how
// the process came to be: "standard" or "setns".
func SendPidfd(path, word string, pidfd *os.File) error { return console.SendFD(path, word, pidfd) }

// AdoptOrphans makes orphans of the container's processes children of this
// process (PR_SET_CHILD_SUBREAPER, prctl(2)), which Wait reaps: with them it
// reaps any other child. It is for a program that has none.
func (f *Foreground) AdoptOrphans() error {
	f.adopts = true
	return os.NewSyscallError("prctl", unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
}

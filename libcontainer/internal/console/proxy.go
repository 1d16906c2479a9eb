package console

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Proxy connects the terminal of a process in the foreground with the
// caller's: keys one way, output the other, and the window size.
type Proxy struct {
	master *os.File // non-blocking: its readers wait in Go's poller
	user   *terminal
	stdin  *os.File
	stdout *os.File
	stop   *os.File // an eventfd: input ends
	ended  atomic.Bool
	output sync.WaitGroup
	lost   error // why output could not be written; the output's until it ends
	once   sync.Once
	closed error
}

// NewProxy takes over master and starts to copy: stdin to it, what it says to
// stdout. The terminal at stderr, stdout, stdin or else /dev/tty, the first
// there is, becomes raw and gives its size. Close must follow, or the caller's
// terminal stays raw.
func NewProxy(master, stdin, stdout, stderr *os.File) (*Proxy, error) {
	p := &Proxy{stdin: stdin, stdout: stdout}
	if err := p.takeOver(master); err != nil {
		return nil, err
	}
	var err error
	if p.user, err = findTerminal(stderr, stdout, stdin); err != nil {
		p.Close()
		return nil, err
	}
	for _, step := range []func() error{
		p.user.makeRaw,
		func() error { return control(p.master, clearONLCR) },
		p.Resize,
		p.openStop,
	} {
		if err := step(); err != nil {
			p.Close()
			return nil, err
		}
	}
	p.output.Go(p.copyOutput)
	go p.copyInput(int(p.stop.Fd()))
	return p, nil
}

// takeOver replaces master by a descriptor that Go's poller knows, so that a
// read of it can be ended.
func (p *Proxy) takeOver(master *os.File) error {
	defer master.Close()
	fd, err := unix.FcntlInt(master.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return os.NewSyscallError("fcntl(F_DUPFD_CLOEXEC)", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return os.NewSyscallError("fcntl(F_SETFL)", err)
	}
	p.master = os.NewFile(uintptr(fd), master.Name())
	return nil
}

func (p *Proxy) openStop() error {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	p.stop = os.NewFile(uintptr(fd), "eventfd")
	return nil
}

// Resize gives the process's terminal the size of the caller's. A size of
// nothing says that the caller's does not know it.
func (p *Proxy) Resize() error {
	var size unix.Winsize
	err := p.user.control(func(fd int) error {
		s, err := unix.IoctlGetWinsize(fd, unix.TIOCGWINSZ)
		if err == nil {
			size = *s
		}
		return os.NewSyscallError("ioctl(TIOCGWINSZ)", err)
	})
	if err != nil || size.Row == 0 && size.Col == 0 {
		return err
	}
	return control(p.master, func(fd int) error {
		return os.NewSyscallError("ioctl(TIOCSWINSZ)", unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &size))
	})
}

// Drain ends the input and waits until all that the process had written is at
// stdout. It is called when the process has ended; others may still hold its
// terminal. The error tells of lost output, unless nobody wants to read it.
func (p *Proxy) Drain() error {
	p.endInput()
	p.ended.Store(true)
	// Wakes the reader; what it reads from now on does not wait.
	if err := p.master.SetReadDeadline(aLongTimeAgo()); err != nil {
		return fmt.Errorf("drain the terminal: %w", err)
	}
	p.output.Wait()
	if errors.Is(p.lost, unix.EPIPE) {
		return nil
	}
	return p.lost
}

// endInput stops reading stdin: what is typed from now on is the caller's.
func (p *Proxy) endInput() {
	if p.stop == nil {
		return
	}
	_, _ = p.stop.Write([]byte{1, 0, 0, 0, 0, 0, 0, 1}) // not 0, in either byte order
	_ = p.master.SetWriteDeadline(aLongTimeAgo())
}

// Close ends the copies, waits for nothing, and gives the caller's terminal
// back as it was. Further calls do nothing.
func (p *Proxy) Close() error {
	p.once.Do(func() {
		p.endInput()
		p.ended.Store(true)
		p.closed = p.master.Close()
		if p.user != nil {
			p.closed = errors.Join(p.closed, p.user.restore())
		}
	})
	return p.closed
}

package console

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// chunk is what one read takes at most; a terminal gives 4 KiB.
	chunk = 8 << 10
	// buffered bounds what a terminal holds of an ended process's output: 64
	// KiB on their way (tty_buffer.c, TTYB_DEFAULT_MEM_LIMIT) and 4 to be read.
	buffered = 128 << 10
	// retry is how often a job in the background looks whether it has become
	// the foreground.
	retry = 250 * time.Millisecond
)

// aLongTimeAgo is a deadline that has passed.
func aLongTimeAgo() time.Time { return time.Unix(1, 0) }

// copyOutput copies what the process's terminal says to stdout, until Drain or
// Close. It reads on only when stdout has taken all: a slow reader slows the
// process down, as with a terminal.
func (p *Proxy) copyOutput() {
	conn, err := p.master.SyscallConn()
	if err != nil {
		return // closed
	}
	buf := make([]byte, chunk)
	for {
		n := 0
		err := conn.Read(func(fd uintptr) bool {
			n, _ = readTerminal(int(fd), buf)
			// Nothing there, or EIO: no process has the terminal open. One may
			// open it again (an init that uses /dev/console now and then), and
			// the poller tells when it has written.
			return n > 0
		})
		if n > 0 {
			p.write(buf[:n])
		}
		if err != nil {
			break // the deadline of Drain, or closed
		}
	}
	_ = conn.Control(func(fd uintptr) { p.drain(int(fd), buf) })
}

// drain copies what is in the terminal after the process has ended. A read
// that finds nothing has waited for all that was on its way (n_tty_read calls
// tty_buffer_flush_work). Somebody else may write for ever.
func (p *Proxy) drain(fd int, buf []byte) {
	for left := buffered; left > 0 && p.ended.Load(); {
		n, _ := readTerminal(fd, buf)
		if n <= 0 {
			return
		}
		p.write(buf[:n])
		left -= n
	}
}

// readTerminal reads a non-blocking master: 0 or less is nothing for now.
func readTerminal(fd int, buf []byte) (int, error) {
	for {
		n, err := unix.Read(fd, buf)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// write writes to stdout. After an error the output is read on and dropped: a
// process should not hang because nobody looks.
func (p *Proxy) write(data []byte) {
	if p.lost != nil || p.stdout == nil {
		return
	}
	// Not by os.File: that ends this process at the EPIPE of descriptor 1.
	if err := control(p.stdout, func(fd int) error { return writeAll(fd, data) }); err != nil {
		p.lost = &os.PathError{Op: "write", Path: p.stdout.Name(), Err: err}
	}
}

// writeAll writes to fd, which blocks or does not.
func writeAll(fd int, data []byte) error {
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if err := poll(unix.PollFd{Fd: int32(fd), Events: unix.POLLOUT}); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			data = data[n:]
		}
	}
	return nil
}

// copyInput copies stdin to the process's terminal until it ends, or input is
// to. The end of stdin is not passed on: a terminal does not end.
func (p *Proxy) copyInput(stop int) {
	defer p.stop.Close()
	if p.stdin == nil {
		return
	}
	// For the goroutine's life, with which the thread goes: a read from the
	// background then fails with EIO and does not stop us (tty_jobctrl.c,
	// __tty_check_change), whoever handles the signal.
	if _, err := blockSignal(unix.SIGTTIN); err != nil {
		return
	}
	buf := make([]byte, chunk)
	for {
		n := 0
		err := control(p.stdin, func(fd int) (err error) {
			n, err = readInput(fd, stop, buf)
			return err
		})
		if err != nil {
			return
		}
		// Waits in the poller while the process does not read.
		if _, err := p.master.Write(buf[:n]); err != nil {
			return
		}
	}
}

// readInput waits for something to read from fd and reads it; io.EOF when
// there is no more, or input is to end.
func readInput(fd, stop int, buf []byte) (int, error) {
	for {
		stopped, err := wait(fd, stop, -1)
		if err != nil {
			return 0, err
		}
		if stopped {
			return 0, io.EOF
		}
		n, err := unix.Read(fd, buf)
		switch {
		case n > 0:
			return n, nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		case errors.Is(err, unix.EIO) && background(fd):
			if stopped, err := wait(-1, stop, retry); stopped || err != nil {
				return 0, io.EOF
			}
		default:
			return 0, io.EOF
		}
	}
}

// wait waits for something to read from fd, and tells whether it is to stop.
func wait(fd, stop int, timeout time.Duration) (stopped bool, err error) {
	fds := [2]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(stop), Events: unix.POLLIN}}
	ms := -1
	if timeout >= 0 {
		ms = int(timeout.Milliseconds())
	}
	for {
		_, err := unix.Poll(fds[:], ms)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return false, os.NewSyscallError("poll", err)
		case fds[1].Revents != 0:
			return true, nil
		case fds[0].Revents&unix.POLLNVAL != 0:
			return false, unix.EBADF
		default:
			return false, nil
		}
	}
}

// poll waits for one event.
func poll(fd unix.PollFd) error {
	for {
		_, err := unix.Poll([]unix.PollFd{fd}, -1)
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("poll", err)
		}
	}
}

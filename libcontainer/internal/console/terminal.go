package console

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// terminal is the caller's, whose modes are changed for a while.
type terminal struct {
	file  *os.File
	own   bool // opened here
	saved unix.Termios
	raw   bool
}

// findTerminal takes the first of candidates that is a terminal, else the
// controlling one.
func findTerminal(candidates ...*os.File) (*terminal, error) {
	for _, f := range candidates {
		if f == nil {
			continue
		}
		t := &terminal{file: f}
		if err := t.control(func(fd int) error { return getModes(fd, &t.saved) }); err == nil {
			return t, nil
		}
	}
	f, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, fmt.Errorf("none of the standard streams is a terminal: %w", err)
	}
	t := &terminal{file: f, own: true}
	if err := t.control(func(fd int) error { return getModes(fd, &t.saved) }); err != nil {
		f.Close()
		return nil, &os.PathError{Op: "ioctl(TCGETS)", Path: "/dev/tty", Err: err}
	}
	return t, nil
}

// control calls f with the descriptor, whose blocking mode it leaves as it is.
func (t *terminal) control(f func(fd int) error) error {
	return control(t.file, f)
}

func control(file *os.File, f func(fd int) error) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}

func getModes(fd int, modes *unix.Termios) error {
	m, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err == nil {
		*modes = *m
	}
	return err
}

// setModes changes modes even from a background process group, which
// SIGTTOU would stop; a signal that is blocked does not (tcsetattr(3),
// credentials(7)).
func (t *terminal) setModes(modes *unix.Termios) error {
	restore, err := blockSignal(unix.SIGTTOU)
	if err != nil {
		return err
	}
	defer restore()
	return t.control(func(fd int) error {
		return os.NewSyscallError("ioctl(TCSETS)", unix.IoctlSetTermios(fd, unix.TCSETS, modes))
	})
}

// makeRaw passes every key on as it is: the terminal of the container is the
// one that edits lines and raises signals. It is cfmakeraw of termios(3), but
// OPOST stays: this terminal makes CR NL of the container's NL (clearONLCR).
// And output from the background is let through: handled, as ours is, SIGTTOU
// would not stop us, but come again with every restart of the write.
func (t *terminal) makeRaw() error {
	modes := t.saved
	modes.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	modes.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN | unix.TOSTOP
	modes.Cflag &^= unix.CSIZE | unix.PARENB
	modes.Cflag |= unix.CS8
	modes.Cc[unix.VMIN], modes.Cc[unix.VTIME] = 1, 0
	if err := t.setModes(&modes); err != nil {
		return err
	}
	t.raw = true
	return nil
}

// restore gives the terminal back as it was.
func (t *terminal) restore() error {
	var err error
	if t.raw {
		err = t.setModes(&t.saved)
		t.raw = false
	}
	if t.own {
		t.file.Close()
		t.own = false
	}
	return err
}

// clearONLCR stops the container's terminal from writing CR NL for NL: behind
// it is another terminal, which does so itself. Master and slave share modes.
func clearONLCR(fd int) error {
	var modes unix.Termios
	err := getModes(fd, &modes)
	if err == nil {
		modes.Oflag &^= unix.ONLCR
		err = unix.IoctlSetTermios(fd, unix.TCSETS, &modes)
	}
	return os.NewSyscallError("ioctl(TCSETS)", err)
}

// background tells whether fd is our controlling terminal and belongs to
// another process group.
func background(fd int) bool {
	group, err := unix.IoctlGetUint32(fd, unix.TIOCGPGRP)
	return err == nil && int(group) != unix.Getpgrp()
}

// blockSignal blocks sig on the calling thread, and keeps the caller there,
// until restore.
func blockSignal(sig unix.Signal) (restore func(), err error) {
	runtime.LockOSThread()
	var set, old unix.Sigset_t
	set.Val[0] = 1 << (sig - 1) // 32 of them at least are in the first
	if err := unix.PthreadSigmask(unix.SIG_BLOCK, &set, &old); err != nil {
		runtime.UnlockOSThread()
		return nil, os.NewSyscallError("rt_sigprocmask", err)
	}
	return func() {
		_ = unix.PthreadSigmask(unix.SIG_SETMASK, &old, nil)
		runtime.UnlockOSThread()
	}, nil
}

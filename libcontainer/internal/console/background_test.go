package console

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A job in the background that handles the signals which would stop it: it
// changes the modes, does not spin over what it may not read, and reads when
// it gets to the foreground.
func TestProxyInBackground(t *testing.T) { child(t, "background", &syscall.SysProcAttr{Setsid: true}) }

func inBackground() error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGTTIN, unix.SIGTTOU)
	keyboard, user, err := openPair()
	if err != nil {
		return err
	}
	if err := MakeControlling(user); err != nil {
		return err
	}
	other := exec.Command("/bin/sleep", "100")
	other.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := other.Start(); err != nil {
		return err
	}
	defer func() {
		_ = other.Process.Kill()
		_ = other.Wait()
	}()
	if err := foreground(user, other.Process.Pid); err != nil {
		return err
	}
	master, slave, err := openPair()
	if err != nil {
		return err
	}
	p, err := NewProxy(master, user, user, user)
	if err != nil {
		return err
	}
	defer p.Close()
	if m, err := unix.IoctlGetTermios(int(user.Fd()), unix.TCGETS); err != nil || m.Lflag&unix.ICANON != 0 {
		return errors.Join(errors.New("the terminal is not raw"), err)
	}
	if _, err := keyboard.WriteString("hello\r"); err != nil {
		return err
	}
	var before, after unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &before)
	time.Sleep(time.Second)
	_ = unix.Getrusage(unix.RUSAGE_SELF, &after)
	used := after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	if used > (200 * time.Millisecond).Nanoseconds() {
		return fmt.Errorf("%v of processor time in 1 s of waiting", time.Duration(used))
	}
	if n := len(signals); n != 0 {
		return fmt.Errorf("%d signals", n)
	}
	if err := foreground(user, unix.Getpgrp()); err != nil {
		return err
	}
	line := make(chan string)
	go func() {
		buf := make([]byte, 16)
		n, _ := slave.Read(buf)
		line <- string(buf[:n])
	}()
	select {
	case got := <-line:
		if got != "hello\n" {
			return fmt.Errorf("read %q", got)
		}
		return nil
	case <-time.After(5 * time.Second):
		return errors.New("nothing is read in the foreground")
	}
}

// foreground gives the terminal to a process group (tcsetpgrp(3)).
func foreground(tty *os.File, group int) error {
	restore, err := blockSignal(unix.SIGTTOU)
	if err != nil {
		return err
	}
	defer restore()
	return os.NewSyscallError("ioctl(TIOCSPGRP)", unix.IoctlSetPointerInt(int(tty.Fd()), unix.TIOCSPGRP, group))
}

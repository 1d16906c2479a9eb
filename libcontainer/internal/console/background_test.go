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

// shell is the leader of the session, and stays in the foreground: an orphaned
// process group would not be signalled.
func shell() error {
	keyboard, user, err := openPair()
	if err != nil {
		return err
	}
	if err := MakeControlling(user); err != nil {
		return err
	}
	job := exec.Command("/proc/self/exe")
	job.Env = append(os.Environ(), "CONSOLE_TEST_CHILD=job")
	job.Stderr = os.Stderr
	job.ExtraFiles = []*os.File{keyboard, user}
	job.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return job.Run()
}

func backgroundJob() error {
	signals := make(chan os.Signal, 16)
	signal.Notify(signals, unix.SIGTTIN, unix.SIGTTOU)
	keyboard, user := os.NewFile(3, "keyboard"), os.NewFile(4, "user")
	if !background(4) {
		return errors.New("not in the background")
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

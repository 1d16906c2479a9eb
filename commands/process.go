package commands

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer"
)

// processOptions is what decides how a process is connected.
type processOptions struct {
	terminal bool
	detach   bool
	uid      uint32
	// socketBase is the directory that relative sockets are found from.
	socketBase string
	exec       bool
}

// processIO connects a process with the caller: its own standard streams if it
// is detached, a console socket, or in the foreground a terminal or pipes.
type processIO struct {
	io    libcontainer.IO
	ready func(pid int, pidfd *os.File) error
	proxy *libcontainer.Foreground
	// pidFile is the file that ready has written, or "".
	pidFile string
}

func (a *app) processIO(c *cli.Context, o processOptions) (*processIO, error) {
	socket := c.String("console-socket")
	switch {
	case o.terminal && o.detach && socket == "":
		return nil, errors.New("cannot allocate tty if rung will detach without setting console socket")
	case (!o.terminal || !o.detach) && socket != "":
		return nil, errors.New("cannot use console socket if rung will not detach or allocate tty")
	}
	preserve, err := a.preserved(c, o.exec)
	if err != nil {
		return nil, err
	}
	p := &processIO{io: libcontainer.IO{
		Ignored: inherited(a.caller.Ignored), Blocked: a.caller.Blocked,
		PreserveFDs: preserve.count, ListenFDs: preserve.listen,
	}}
	switch {
	case o.terminal && o.detach:
		path := resolve(o.socketBase, socket)
		p.io.Terminal = func(master *os.File) error {
			defer master.Close()
			return libcontainer.SendTerminal(path, master)
		}
	case o.terminal:
		p.proxy = libcontainer.NewForegroundTerminal(&p.io)
	case o.detach:
		p.io.Stdin, p.io.Stdout, p.io.Stderr = os.Stdin, os.Stdout, os.Stderr
	default:
		if p.proxy, err = libcontainer.NewForegroundPipes(&p.io, o.uid); err != nil {
			return nil, err
		}
	}
	p.ready = p.readyFunc(c, o)
	return p, nil
}

// inherited are the ignored signals that are passed on: all but SIGPIPE. conmon
// ignores it for its own sake, and starts us so; programs in containers count
// on it, as "yes | head" does.
func inherited(ignored uint64) uint64 {
	return ignored &^ (1 << (unix.SIGPIPE - 1))
}

// readyFunc is what is told to the caller once nothing can fail any more but
// the execution itself.
func (p *processIO) readyFunc(c *cli.Context, o processOptions) func(int, *os.File) error {
	pidFile, socket := c.String("pid-file"), c.String("pidfd-socket")
	payload := "standard"
	if o.exec {
		payload = "setns"
	}
	return func(pid int, pidfd *os.File) error {
		if socket != "" {
			if err := libcontainer.SendPidfd(resolve(o.socketBase, socket), payload, pidfd); err != nil {
				return err
			}
		}
		if pidFile == "" {
			return nil
		}
		p.pidFile = pidFile
		return writePidFile(pidFile, pid)
	}
}

// unreport takes back that the process came to life: callers read the absence
// of the pid file as the failure.
func (p *processIO) unreport() {
	if p.pidFile != "" {
		_ = os.Remove(p.pidFile)
	}
}

// setup gives a context for the time until the program runs, which signals end
// in the foreground, and what ends that time.
func (p *processIO) setup(ctx context.Context) (context.Context, func()) {
	if p.proxy == nil {
		return ctx, func() {}
	}
	return p.proxy.Setup(ctx)
}

func (p *processIO) close() {
	if p.proxy != nil {
		p.proxy.Leave()
	}
}

// resolve takes a relative socket from the bundle.
func resolve(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

type preserved struct{ count, listen int }

// preserved says which descriptors the process is given: those of socket
// activation (sd_listen_fds(3)), then those of --preserve-fds. All must have
// been open before the Go runtime opened its own.
func (a *app) preserved(c *cli.Context, exec bool) (preserved, error) {
	p := preserved{count: c.Int("preserve-fds")}
	if p.count < 0 {
		return p, usage(fmt.Errorf("invalid value %d for --preserve-fds", p.count))
	}
	if text := os.Getenv("LISTEN_FDS"); text != "" && !exec && listenerIsUs() {
		n, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return p, fmt.Errorf("invalid LISTEN_FDS %q", text)
		}
		p.listen = int(n)
	}
	if p.count > a.caller.Descriptors-p.listen {
		const first = 3
		return p, fmt.Errorf("descriptor %d is not open, but is to be preserved (--preserve-fds, LISTEN_FDS)",
			first+a.caller.Descriptors)
	}
	p.count += p.listen
	return p, nil
}

// listenerIsUs: without LISTEN_PID, too, they are meant for another process
// (sd_listen_fds(3)).
func listenerIsUs() bool { return os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid()) }

package spawn

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/wire"
	"golang.org/x/sys/unix"
)

// socketVariable tells the constructor its socket; nsenter/bootstrap.c.
const socketVariable = "_RUNG_BOOTSTRAP"

// initArgs are the arguments of the bootstrap and of init, as
// /proc/PID/cmdline has them between NULs.
const initArgs = "rung\x00init"

// IsInit tells whether the process is still that which Start has started, and
// has executed nothing else.
func IsInit(pid int) bool {
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	return err == nil && string(line) == initArgs+"\x00"
}

// Options are what a bootstrap is started with.
type Options struct {
	// Stdio become 0, 1 and 2.
	Stdio [3]*os.File
	// Preserve is how many of our descriptors from 3 on the program is given.
	Preserve int
	// Cgroup is a cgroup v2 directory to start in, or nil. It is used where
	// a user namespace is joined, from inside which clone3 refuses it.
	Cgroup *os.File
	// Dir is where an executable that cannot be sealed is copied to.
	Dir string
}

// Bootstrap is the process that waits for its header.
type Bootstrap struct {
	conn    *wire.Conn
	dir     string
	started chan struct{} // closed when pid or err is known
	pid     int
	err     error
	// Placed: it runs in Options.Cgroup. Known after Enter.
	Placed bool
}

// Start starts the bootstrap, beside what the caller does until Enter: that an
// executable is loaded is waited for, and takes milliseconds.
func Start(o Options) (*Bootstrap, error) {
	conn, theirs, err := wire.Pair()
	if err != nil {
		return nil, err
	}
	const stdio = 3
	files := make([]uintptr, 0, stdio+o.Preserve+1)
	for _, f := range o.Stdio {
		files = append(files, f.Fd())
	}
	for i := range o.Preserve {
		files = append(files, uintptr(stdio+i))
	}
	files = append(files, theirs.Fd())

	exe, err := linux.SealedSelf(o.Dir, len(files))
	if err != nil {
		conn.Close()
		theirs.Close()
		return nil, err
	}
	b := &Bootstrap{conn: conn, dir: o.Dir, started: make(chan struct{})}
	go func() {
		defer close(b.started)
		defer theirs.Close()
		defer exe.Close()
		b.err = b.execute(exe, files, o.Cgroup)
		runtime.KeepAlive(o) // files are their numbers only
	}()
	return b, nil
}

func (b *Bootstrap) execute(exe *os.File, files []uintptr, cgroup *os.File) (err error) {
	attr := &syscall.ProcAttr{
		// Not the caller's directory: init must not hold it.
		Dir:   "/",
		Files: files,
		// Nothing of the caller's environment comes along. One processor:
		// init has one thread that works, and none needs to be preempted,
		// while it waits for start least of all.
		Env: []string{
			socketVariable + "=" + strconv.Itoa(len(files)-1),
			"GOMAXPROCS=1", "GOGC=off", "GODEBUG=asyncpreemptoff=1",
		},
		Sys: &syscall.SysProcAttr{},
	}
	if cgroup != nil {
		attr.Sys.UseCgroupFD = true
		attr.Sys.CgroupFD = int(cgroup.Fd())
	}
	// By descriptor: the path would be that of the binary on the disk.
	path := fmt.Sprintf("/proc/self/fd/%d", exe.Fd())
	argv := strings.Split(initArgs, "\x00")
	b.pid, err = syscall.ForkExec(path, argv, attr)
	b.Placed = cgroup != nil
	if err != nil && b.Placed {
		// ENOENT, EACCES, EBUSY, ENOSYS: the caller places it by pid.
		b.Placed = false
		attr.Sys.UseCgroupFD = false
		b.pid, err = syscall.ForkExec(path, argv, attr)
	}
	if err != nil {
		b.pid = 0
		return &os.PathError{Op: "execute", Path: "sealed " + selfPath(), Err: err}
	}
	return nil
}

func selfPath() string {
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return "/proc/self/exe"
	}
	return path
}

// Pid is the bootstrap's, for a caller that must place it in a cgroup; 0 if it
// could not be started.
func (b *Bootstrap) Pid() int {
	<-b.started
	return b.pid
}

// Abort ends a bootstrap that has not been sent its header.
func (b *Bootstrap) Abort() {
	if b == nil {
		return
	}
	if b.Pid() != 0 {
		b.end()
	} else if b.err != nil {
		b.conn.Close() // else it is the child's
	}
}

// Enter sends the header and waits for init's pid, or for the end of ctx. The
// bootstrap is reaped.
func (b *Bootstrap) Enter(ctx context.Context, h *wire.Header) (*Child, error) {
	if b.Pid() == 0 {
		return nil, b.err
	}
	err := b.conn.SendHeader(h)
	var r entered
	if err == nil {
		release := AtEnd(ctx, func() { _ = unix.Kill(b.pid, unix.SIGKILL) }) // not reaped yet
		r, err = awaitPid(b.conn)
		release()
	}
	if err != nil {
		status := b.end()
		if errors.Is(err, wire.ErrClosed) {
			err = fmt.Errorf("bootstrap ended: %s", describe(status))
		}
		return nil, err
	}
	_, _ = linux.Wait(b.pid)
	b.pid = 0
	return newChild(b, r)
}

func (b *Bootstrap) end() unix.WaitStatus {
	b.conn.Close()
	_ = unix.Kill(b.pid, unix.SIGKILL)
	status, _ := linux.Wait(b.pid)
	b.pid = 0
	return status
}

// entered is what the bootstrap and its child have said.
type entered struct {
	pid    int
	placed bool // clone3 took the cgroup
	// namespaces: the child was faster than its parent, and is in them all.
	namespaces bool
}

// awaitPid waits for the bootstrap's report of init's pid. Both have the
// socket by then, and init may speak first.
func awaitPid(conn *wire.Conn) (e entered, err error) {
	for {
		m, err := conn.Recv()
		if err != nil {
			return e, err
		}
		m.CloseFDs()
		if m.Kind == wire.KindNamespaces && !e.namespaces {
			e.namespaces = true
			continue
		}
		r, err := report(m, wire.KindPid)
		e.pid, e.placed = int(r.Value), r.Index != 0
		return e, err
	}
}

// report decodes a message of the C side, which is of the wanted kind or says
// what failed.
func report(m *wire.Message, want wire.Kind) (wire.Report, error) {
	if m.Kind != want && m.Kind != wire.KindFailed {
		return wire.Report{}, fmt.Errorf("unexpected message of kind %d from the bootstrap", m.Kind)
	}
	r, err := wire.ParseReport(m.Payload)
	if err != nil {
		return r, err
	}
	if m.Kind == wire.KindFailed {
		return r, &StepError{Step: r.Step, Index: int(r.Index), Errno: unix.Errno(r.Value)} //nolint:gosec // an errno is small
	}
	return r, nil
}

// StepError is a failure of the C side.
type StepError struct {
	Step  uint32
	Index int // which namespace or cgroup, in the header's order
	Errno unix.Errno
}

// Error implements error.
func (e *StepError) Error() string { return wire.StepName(e.Step) + ": " + e.Errno.Error() }

// Unwrap gives the errno.
func (e *StepError) Unwrap() error { return e.Errno }

func describe(status unix.WaitStatus) string {
	if status.Signaled() {
		return "signal: " + status.Signal().String()
	}
	return "exit status " + strconv.Itoa(status.ExitStatus())
}

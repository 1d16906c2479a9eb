package initproc

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/hooks"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"github.com/rung-run/rung/libcontainer/internal/wire"
)

// waitRelease waits until "start" opens the fifo: the open blocks until then.
// Not in a raw call, beside which the runtime's monitor would wake up a hundred
// times a second. The runtime gives our processor to another thread, and need
// not start one, which the pids limit may forbid by now: whatever has run
// beside this locked thread had one, which is parked.
func (p *initProcess) waitRelease() error {
	path := "self/fd/" + strconv.Itoa(p.release)
	fd, err := unix.Openat(p.in.Proc, path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	for errors.Is(err, unix.EINTR) {
		fd, err = unix.Openat(p.in.Proc, path, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return &os.PathError{Op: "open", Path: "exec.fifo", Err: err}
	}
	_ = unix.Close(p.release)
	_ = unix.Close(p.in.Proc)
	p.release = fd
	return nil
}

// exec executes the program. Raw: Go's own would put its RLIMIT_NOFILE back,
// over the one that the spec or our caller set.
func (p *initProcess) exec() error {
	env := p.args.Env
	if variable(env, "HOME") == "" {
		// In the place of an empty one: a program takes the first it finds.
		env = slices.DeleteFunc(slices.Clone(env), func(e string) bool { return strings.HasPrefix(e, "HOME=") })
		env = append(env, "HOME="+p.home)
	}
	path, err := unix.BytePtrFromString(p.program)
	if err != nil {
		return err
	}
	argv, err := syscall.SlicePtrFromStrings(p.args.Args)
	if err != nil {
		return err
	}
	envp, err := syscall.SlicePtrFromStrings(env)
	if err != nil {
		return err
	}
	// Raw, too: no thread may be started any more.
	said := wire.Executing
	_, _, _ = unix.RawSyscall(unix.SYS_WRITE, uintptr(p.release), uintptr(unsafe.Pointer(&said)), 1)
	_, _, errno := unix.RawSyscall(unix.SYS_EXECVE, uintptr(unsafe.Pointer(path)),
		uintptr(unsafe.Pointer(&argv[0])), uintptr(unsafe.Pointer(&envp[0])))
	if errors.Is(errno, unix.ENOEXEC) {
		return fmt.Errorf("exec %s: %w: wrong architecture, or a script without an interpreter line", p.program, errno)
	}
	if errors.Is(errno, unix.ENOENT) { // execve(2); the file itself has been found
		return fmt.Errorf("exec %s: %w: the interpreter or loader that it names is missing", p.program, errno)
	}
	return fmt.Errorf("exec %s: %w", p.program, errno)
}

// runHooks runs the hooks that belong inside: createContainer, startContainer.
func (p *initProcess) runHooks(s *plan.Step) error {
	if s.Value == "createContainer" && p.root != nil {
		if err := p.root.Enter(); err != nil {
			return err
		}
	}
	parent := -1
	if p.conn != nil {
		parent = p.in.Socket // says nothing meanwhile, but for its end
	}
	return hooks.RunInside(s.Value, s.Hooks, parent)
}

package initproc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/linux"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"github.com/rung-run/rung/libcontainer/internal/rootfs"
	"github.com/rung-run/rung/libcontainer/internal/wire"
)

// Inherited is what the bootstrap leaves to init.
type Inherited struct {
	Socket     int    // to the parent
	Proc       int    // a handle of the /proc of before the namespaces
	HugePages  bool   // transparent ones were turned off for our start
	NoFileSoft uint64 // RLIMIT_NOFILE, before the Go runtime raised it
	NoFileHard uint64
}

// failed is the exit code of an init that could not execute its program. The
// parent reports the cause; only a caller without a parent sees the code.
const failed = 255

// initProcess is the state that steps share.
type initProcess struct {
	in   Inherited
	conn *wire.Conn
	plan *wire.Init
	proc *linux.Proc
	root *rootfs.Root
	// handles are the mount sources that the parent opened.
	handles []*os.File
	// release is the fifo as O_PATH (create), then its write end, or the write
	// end of a pipe (exec): where errors go once the socket is closed.
	release int
	// poller are the descriptors of the Go runtime's own.
	poller []int
	// filter is the seccomp program, which came with the answer to "limits".
	filter []byte
	// chdirAgain: the working directory could not be entered as root.
	chdirAgain bool
	home       string
	program    string // what lookup found
	args       *plan.Exec
}

// Run never returns: it executes the program or ends the process.
func Run(in Inherited) {
	// Descriptors are closed by number below, and a finalizer must not close
	// such a number a second time: the parent has started us with GOGC=off.
	// Modes are exactly those of the plan.
	unix.Umask(0)

	p := &initProcess{in: in, conn: wire.NewConn(in.Socket), release: -1}
	if err := p.startPoller(); err != nil {
		p.fail(&fault.Error{Op: "start init", Err: err})
	}
	if err := p.receive(); err != nil {
		p.fail(&fault.Error{Op: "read the plan", Err: err})
	}
	if err := p.restoreHugePages(); err != nil {
		p.fail(&fault.Error{Op: "start init", Err: err})
	}
	for i := range p.plan.Steps {
		s := &p.plan.Steps[i]
		var began time.Time
		if p.plan.Debug {
			began = time.Now()
		}
		if err := p.apply(s); err != nil {
			p.fail(&fault.Error{Op: string(s.Op), Field: s.Field, Path: s.Path, Err: err})
		}
		if p.plan.Debug && p.conn != nil {
			p.tell(s, time.Since(began))
		}
	}
	p.fail(&fault.Error{Op: "run the plan", Err: errors.New("it has no program")})
}

// tell reports a step that is done to who asked for it with --debug. A parent
// that is gone is noticed where it is waited for.
func (p *initProcess) tell(s *plan.Step, took time.Duration) {
	line := string(s.Op)
	if s.Field != "" {
		line += " " + s.Field
	}
	if s.Path != "" {
		line += " (" + s.Path + ")"
	}
	line += ": " + strconv.FormatFloat(float64(took.Microseconds())/1000, 'f', 3, 64) + " ms"
	_ = p.conn.Write(wire.KindStep, []byte(line))
}

// fail tells the parent, and ends.
func (p *initProcess) fail(err *fault.Error) {
	// An error that says more than its step stands for itself.
	if own, ok := errors.AsType[*fault.Error](err.Err); ok {
		err = own
	}
	if p.conn != nil {
		_ = p.conn.Send(wire.KindError, wire.EncodeFailure(err))
	} else if p.release >= 0 {
		_, _ = unix.Write(p.release, wire.EncodeFailure(err))
	}
	unix.Exit(failed)
}

// receive waits for the plan and the handles.
func (p *initProcess) receive() error {
	m, err := p.conn.Recv()
	if errors.Is(err, wire.ErrClosed) {
		unix.Exit(failed) // nobody is left to be told
	}
	if err != nil {
		return err
	}
	const memfd, release = 0, 1
	if m.Kind != wire.KindPlan || len(m.FDs) != release+1 {
		return fmt.Errorf("unexpected message of kind %d with %d descriptors", m.Kind, len(m.FDs))
	}
	p.release = m.FDs[release]
	data, err := readMemfd(m.FDs[memfd])
	if err != nil {
		return err
	}
	if p.plan, err = wire.DecodeInit(data); err != nil {
		return err
	}
	p.proc, err = linux.ProcFromHandle(os.NewFile(uintptr(p.in.Proc), "/proc"))
	if err != nil {
		return err
	}
	return p.receiveHandles()
}

func (p *initProcess) receiveHandles() error {
	want := 0
	for i := range p.plan.Steps {
		if m := p.plan.Steps[i].Mount; m != nil {
			want = max(want, m.Handle)
		}
	}
	for len(p.handles) < want {
		m, err := p.conn.Recv()
		if err != nil {
			return err
		}
		if m.Kind != wire.KindHandles || len(m.FDs) == 0 {
			return fmt.Errorf("unexpected message of kind %d", m.Kind)
		}
		for _, fd := range m.FDs {
			p.handles = append(p.handles, os.NewFile(uintptr(fd), "mount source"))
		}
	}
	return nil
}

func readMemfd(fd int) ([]byte, error) {
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	data := make([]byte, st.Size)
	n, err := unix.Pread(fd, data, 0)
	if err != nil {
		return nil, err
	}
	return data[:n], nil
}

// apply does one step. The switch is the list of all that init can do.
func (p *initProcess) apply(s *plan.Step) error {
	switch s.Op {
	case plan.OpRootfs:
		root, err := rootfs.Open(s.Path, s.Flags, p.handles, p.proc)
		p.root = root
		return err
	case plan.OpPropagation, plan.OpMount, plan.OpDevice, plan.OpSymlink, plan.OpPivot, plan.OpMakeCwd,
		plan.OpRemount, plan.OpReadonlyRoot, plan.OpReadonlyPath, plan.OpMaskPath:
		return p.applyRootfs(s)
	case plan.OpSync:
		return p.sync(s.Value)
	case plan.OpHooks:
		return p.runHooks(s)
	case plan.OpStdio:
		return reopenStdio()
	case plan.OpConsole:
		return p.console(s.Console)
	case plan.OpCloseFDs:
		return p.closeFDs(int(s.Flags)) //nolint:gosec // a number of descriptors
	case plan.OpSeccomp:
		return p.loadSeccomp()
	case plan.OpRelease:
		return p.waitRelease()
	case plan.OpSignals:
		return restoreSignals(p.plan.Ignored, p.plan.Blocked)
	case plan.OpExec:
		return p.exec()
	default:
		return p.applyIdentity(s)
	}
}

// applyIdentity does the steps that make the process who it will be.
func (p *initProcess) applyIdentity(s *plan.Step) error {
	switch s.Op {
	case plan.OpKeyring:
		return joinKeyring(s.Value)
	case plan.OpLoopback:
		return bringUpLoopback()
	case plan.OpUmask:
		unix.Umask(int(s.Flags)) //nolint:gosec // validated: at most 0777
		return nil
	case plan.OpHostname:
		return unix.Sethostname([]byte(s.Value))
	case plan.OpDomainname:
		return unix.Setdomainname([]byte(s.Value))
	case plan.OpAppArmor:
		return p.applyAppArmor(s.Value)
	case plan.OpSELinux:
		return p.applySELinux(s.Value)
	case plan.OpSysctl:
		return p.writeSysctl(s.Path, s.Value)
	case plan.OpNoNewPrivs:
		return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
	case plan.OpIOPriority:
		return setIOPriority(s.Flags)
	case plan.OpPersonality:
		return setPersonality(s.Flags)
	case plan.OpMemoryPolicy:
		return setMemoryPolicy(s.MemoryPolicy)
	case plan.OpScheduler:
		return setScheduler(s.Scheduler)
	case plan.OpBounding:
		return dropBounding(s.Flags)
	case plan.OpCapabilities:
		return setCapabilities(s.Caps)
	case plan.OpChdir:
		return p.changeDirectory(s.Path, s.Flags)
	case plan.OpHome:
		return p.findHome(s.IDs.UID)
	case plan.OpOwnStdio:
		return ownStdio(s.IDs.UID)
	case plan.OpIDs:
		return setIDs(s.IDs)
	case plan.OpLookup:
		return p.lookup(s.Exec)
	default:
		return fmt.Errorf("this version of init does not know the step")
	}
}

func (p *initProcess) applyRootfs(s *plan.Step) error {
	if s.Op == plan.OpPropagation && p.root == nil {
		return rootfs.SetPropagation(s.Flags)
	}
	if p.root == nil {
		return errors.New("the root filesystem is not open")
	}
	return p.root.Apply(s)
}

// sync tells the parent where init is, and waits for its answer. When the
// parent is gone, so is init.
func (p *initProcess) sync(point string) error {
	if point == plan.SyncLimits {
		// As it was before the Go runtime raised it; the parent may now set
		// what the spec asks for.
		limit := unix.Rlimit{Cur: p.in.NoFileSoft, Max: p.in.NoFileHard}
		if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
			return os.NewSyscallError("prlimit", err)
		}
	}
	if err := p.conn.Write(wire.KindSync, []byte(point)); err != nil {
		unix.Exit(failed)
	}
	m, err := p.conn.Read()
	if errors.Is(err, wire.ErrClosed) {
		unix.Exit(failed)
	}
	if err != nil {
		return err
	}
	if m.Kind != wire.KindContinue {
		return fmt.Errorf("unexpected message of kind %d", m.Kind)
	}
	switch point {
	case plan.SyncLimits:
		p.filter = m.Payload
		return p.checkRoom()
	case plan.SyncReady:
		_ = p.conn.Close()
		p.conn = nil
	}
	return nil
}

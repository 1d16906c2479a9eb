// Command bench measures how long an OCI runtime takes for the steps of a
// container's life, and how little memory it can start one in, beside other
// runtimes.
//
// Two regimes, for they differ: idle, with a pause before each step, as on a
// node where a container starts now and then, and hot, back to back, which
// hides the waits for RCU grace periods that a user feels. The runtimes take
// turns within each round, so that what slows the machine slows all of them.
//
//	go run ./tests/bench -runtime rung=./rung -rounds 50
//
// It needs root, and a statically linked busybox. All happens in a mount
// namespace of its own, where a cgroup v2 hierarchy beside v1 ones is
// unmounted: crun refuses to work with it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const insideVariable = "RUNG_BENCH_INSIDE"

type options struct {
	runtimes runtimeList
	rounds   int
	quiet    time.Duration
	regimes  string
	memory   bool
	json     bool
}

// runtimeList collects -runtime NAME=PATH.
type runtimeList []container

func (l *runtimeList) String() string { return "" }

func (l *runtimeList) Set(s string) error {
	name, path, ok := strings.Cut(s, "=")
	if !ok {
		name, path = filepath.Base(s), s
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(abs); err != nil {
		return err
	}
	*l = append(*l, container{name: name, path: abs})
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	opts, err := parse()
	if err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return errors.New("needs root")
	}
	if os.Getenv(insideVariable) == "" {
		return reexec()
	}
	if err := hideUnified(); err != nil {
		return err
	}
	// The inits of detached containers become our children, to be waited for.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl: %w", err)
	}
	dir, err := os.MkdirTemp("", "rung-bench.")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{opts: opts, dir: dir, results: results{}, memory: map[string]int64{}}
	defer b.close()
	if err := b.open(); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	b.interrupted = signals
	if err := b.measure(); err != nil {
		return err
	}
	return b.report()
}

func parse() (*options, error) {
	opts := &options{}
	flag.Var(&opts.runtimes, "runtime", "`NAME=PATH`, repeatable; the first is compared with each other one")
	alone := flag.Bool("alone", false, "only those given, not also the runc and crun in PATH")
	flag.IntVar(&opts.rounds, "rounds", 20, "rounds a regime")
	flag.DurationVar(&opts.quiet, "quiet", 40*time.Millisecond, "pause before each step of the idle regime")
	flag.StringVar(&opts.regimes, "regimes", "idle,hot", "which to measure")
	flag.BoolVar(&opts.memory, "memory", true, "look for the smallest memory limit too")
	flag.BoolVar(&opts.json, "json", false, "all samples, as JSON")
	flag.Parse()
	if flag.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}
	if opts.rounds < 1 {
		return nil, errors.New("-rounds: at least 1")
	}
	if !*alone {
		for _, name := range []string{"runc", "crun"} {
			path, err := lookPath(name)
			if err != nil {
				fmt.Fprintf(os.Stderr, "bench: %s is not installed, left out\n", name)
				continue
			}
			if err := opts.runtimes.Set(name + "=" + path); err != nil {
				return nil, err
			}
		}
	}
	if len(opts.runtimes) == 0 {
		return nil, errors.New("no runtime to measure")
	}
	return opts, nil
}

// lookPath also looks where Debian has runc: a user's PATH may lack sbin.
func lookPath(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return exec.LookPath(filepath.Join("/usr/sbin", name))
}

// reexec runs this program again in a mount namespace of its own; Go makes its
// mounts private there.
func reexec() error {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...) //nolint:gosec // ourselves, as we were called
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Unshareflags: syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGTERM,
	}
	// The terminal's interrupt reaches the child as well, which cleans up.
	signal.Ignore(os.Interrupt)
	return cmd.Run()
}

// hideUnified unmounts the v2 hierarchy of a hybrid set-up.
func hideUnified() error {
	const unified = "/sys/fs/cgroup/unified"
	var fs unix.Statfs_t
	err := unix.Statfs(unified, &fs)
	if errors.Is(err, unix.ENOENT) || (err == nil && fs.Type != unix.CGROUP2_SUPER_MAGIC) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("statfs %s: %w", unified, err)
	}
	if err := unix.Unmount(unified, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("umount %s: %w", unified, err)
	}
	return nil
}

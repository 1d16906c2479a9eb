package commands

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/rung-run/rung/libcontainer"
)

// Caller is what the process was given, and what it is.
type Caller struct {
	Version, Commit string
	// Ignored and Blocked are signals as our caller had them, and Descriptors
	// how many are open from 3 on: all from before the Go runtime started.
	Ignored, Blocked uint64
	Descriptors      int
}

// Exit codes.
const (
	exitFailure = 1
	exitNoTopic = 3
	exitSignal  = 128 // and its number
	exitExec    = 255
)

// Main runs the command line and gives the exit code.
func Main(args []string, caller Caller) int {
	a := &app{caller: caller, stderr: os.Stderr}
	c := a.cli()
	err := c.Run(arrange(c, args))
	if err == nil {
		return a.code
	}
	return a.report(err)
}

// app is one run of the command line.
type app struct {
	caller Caller
	stderr io.Writer
	log    *logger
	// code is the exit code of a foreground process.
	code int
}

func (a *app) cli() *cli.App {
	c := &cli.App{
		Name:  "rung",
		Usage: "run containers from OCI bundles",
		Description: "rung runs containers described by an OCI bundle: a directory with a config.json\n" +
			"and a root filesystem. \"rung spec\" writes a config.json to start from.",
		HideVersion:               true,
		DisableSliceFlagSeparator: true,
		Flags:                     globalFlags(),
		Before:                    a.before,
		Commands: []*cli.Command{
			a.create(), a.deleteCommand(), a.exec(), a.features(), a.kill(), a.list(),
			a.pause(), a.plan(), a.ps(), a.resume(), a.run(), a.spec(), a.start(), a.state(),
		},
		Action:          a.noCommand,
		OnUsageError:    func(_ *cli.Context, err error, _ bool) error { return usage(err) },
		ExitErrHandler:  func(*cli.Context, error) {},
		CommandNotFound: nil,
		Writer:          os.Stdout,
		ErrWriter:       os.Stderr,
	}
	for _, cmd := range c.Commands {
		cmd.OnUsageError = c.OnUsageError
	}
	return c
}

func globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "debug", Usage: "log what is done, a line a step"},
		&cli.StringFlag{Name: "log", Usage: "append the log to `FILE`, not to standard error"},
		&cli.StringFlag{Name: "log-format", Value: "text", Usage: "write the log as `text|json`"},
		&cli.StringFlag{Name: "root", Usage: "keep the state of containers below `DIR` (default: /run/rung, or $XDG_RUNTIME_DIR/rung)"},
		&cli.StringFlag{Name: "rootless", Value: "auto", Usage: "tolerate cgroups that may not be used: `true|false|auto`"},
		&cli.StringFlag{Name: "cgroup-manager", Value: "cgroupfs", Usage: "cgroups are made by `cgroupfs|disabled`: by rung, or by nobody, and without them no limit and no device rule"},
		&cli.BoolFlag{Name: "version", Aliases: []string{"v"}, Usage: "print the version"},
	}
}

// usageError is a mistake on the command line: exit code 1, for exec too.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usage(err error) error { return usageError{err} }

func (a *app) before(c *cli.Context) error {
	if c.Bool("version") || c.Args().Len() == 0 {
		return nil // works whatever the rest says
	}
	log, err := newLogger(c.String("log"), c.String("log-format"), c.Bool("debug"), a.stderr)
	if err != nil {
		return usage(err)
	}
	a.log = log
	switch c.String("rootless") {
	case "true", "false", "auto":
	default:
		return usage(fmt.Errorf("invalid value %q for --rootless: true, false or auto", c.String("rootless")))
	}
	switch manager := c.String("cgroup-manager"); manager {
	case "cgroupfs", "disabled":
		return nil
	default:
		return usage(fmt.Errorf("invalid value %q for --cgroup-manager: cgroupfs or disabled", manager))
	}
}

func (a *app) noCommand(c *cli.Context) error {
	if c.Bool("version") {
		return a.version(c.App.Writer)
	}
	if name := c.Args().First(); name != "" {
		return cli.Exit(fmt.Sprintf("No help topic for '%s'", name), exitNoTopic)
	}
	return cli.ShowAppHelp(c)
}

func (a *app) version(w io.Writer) error {
	text := "rung version " + a.caller.Version + "\n"
	if a.caller.Commit != "" {
		text += "commit: " + a.caller.Commit + "\n"
	}
	text += "spec: " + libcontainer.SpecVersion() + "\ngo: " + runtime.Version() + "\n"
	if v := libcontainer.SeccompVersion(); v != "" {
		text += "libseccomp: " + v + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// report prints the error and gives the exit code.
func (a *app) report(err error) int {
	code := exitFailure
	var exit cli.ExitCoder
	var use usageError
	var own codeError
	var interrupted *libcontainer.InterruptedError
	switch {
	case errors.As(err, &use):
	case errors.As(err, &own):
		code = own.code
	case errors.As(err, &interrupted):
		code = exitSignal + int(interrupted.Signal)
	case errors.As(err, &exit):
		code = exit.ExitCode()
	}
	if a.log == nil {
		// The log could not be opened, or the mistake is in its options.
		a.log, _ = newLogger("", "text", false, a.stderr)
	}
	a.log.fail(err.Error(), a.stderr)
	return code
}

// codeError is an error with an exit code of its own.
type codeError struct {
	error
	code int
}

func (e codeError) Unwrap() error { return e.error }

// stateRoot is the directory of all state.
func stateRoot(c *cli.Context) (string, error) {
	root := c.String("root")
	if c.IsSet("root") {
		root, err := filepath.Abs(root)
		if err == nil && root == "/" {
			err = errors.New("--root: / cannot be the state root")
		}
		return root, err
	}
	xdg := os.Getenv("XDG_RUNTIME_DIR")
	if xdg != "" && (os.Geteuid() != 0 || libcontainer.InUserNamespace() && os.Getenv("USER") != "root") {
		root = filepath.Join(xdg, "rung")
		// Sticky: cleaners of the runtime directory leave it alone
		// (XDG Base Directory Specification).
		const mode = 0o700 | os.ModeSticky
		if err := os.MkdirAll(root, 0o700); err != nil {
			return "", err
		}
		return root, os.Chmod(root, mode)
	}
	return "/run/rung", nil
}

func rootless(c *cli.Context) bool {
	switch c.String("rootless") {
	case "true":
		return true
	case "false":
		return false
	default:
		return libcontainer.IsRootless()
	}
}

func noCgroup(c *cli.Context) bool { return c.String("cgroup-manager") == "disabled" }

// oneID is the command's only argument.
func oneID(c *cli.Context) (string, error) {
	if err := argCount(c, 1, 1); err != nil {
		return "", err
	}
	return c.Args().First(), nil
}

func argCount(c *cli.Context, least, most int) error {
	n := c.Args().Len()
	switch {
	case n >= least && (most < 0 || n <= most):
		return nil
	case least == most:
		return usage(fmt.Errorf("%q takes %d argument(s), not %d: rung %s %s",
			c.Command.Name, least, n, c.Command.Name, c.Command.ArgsUsage))
	default:
		return usage(fmt.Errorf("%q does not take %d argument(s): rung %s %s",
			c.Command.Name, n, c.Command.Name, c.Command.ArgsUsage))
	}
}

// load finds the container that the command names.
func (a *app) load(c *cli.Context, id string) (*libcontainer.Container, error) {
	root, err := stateRoot(c)
	if err != nil {
		return nil, err
	}
	return libcontainer.Load(root, id, a.log)
}

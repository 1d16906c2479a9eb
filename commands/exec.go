package commands

import (
	"errors"
	"fmt"
	"math"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/rung-run/rung/libcontainer"
)

func (a *app) exec() *cli.Command {
	return &cli.Command{
		Name: "exec", Usage: "run a further program in a container", ArgsUsage: "ID COMMAND [ARG...]",
		Flags: append(startFlags(),
			&cli.BoolFlag{Name: "detach", Aliases: []string{"d"}, Usage: "return when the program runs"},
			&cli.StringFlag{Name: "process", Aliases: []string{"p"}, Usage: "read the process from `FILE`, a process object of config.json"},
			&cli.StringFlag{Name: "cwd", Usage: "run in `DIR`"},
			&cli.StringSliceFlag{Name: "env", Aliases: []string{"e"}, Usage: "set `NAME=VALUE`"},
			&cli.BoolFlag{Name: "tty", Aliases: []string{"t"}, Usage: "give it a terminal"},
			&cli.StringFlag{Name: "user", Aliases: []string{"u"}, Usage: "run as `UID[:GID]`"},
			&cli.StringSliceFlag{Name: "additional-gids", Aliases: []string{"g"}, Usage: "add the group `GID`"},
			&cli.StringFlag{Name: "process-label", Usage: "run with the SELinux `LABEL`"},
			&cli.StringFlag{Name: "apparmor", Usage: "run under the AppArmor `PROFILE`"},
			&cli.BoolFlag{Name: "no-new-privs", Usage: "set no_new_privs"},
			&cli.StringSliceFlag{Name: "cap", Aliases: []string{"c"}, Usage: "add the capability `CAP_X`"},
			&cli.BoolFlag{Name: "ignore-paused", Usage: "wait for a paused container to be resumed"},
		),
		Action: func(c *cli.Context) error {
			if c.String("process") != "" {
				if err := argCount(c, 1, 1); err != nil {
					return err
				}
			} else if err := argCount(c, 2, -1); err != nil {
				return err
			}
			code, err := a.execProcess(c)
			if _, ok := errors.AsType[usageError](err); ok {
				return err
			}
			if err != nil {
				return codeError{fmt.Errorf("exec failed: %w", err), exitExec}
			}
			a.code = code
			return nil
		},
	}
}

func (a *app) execProcess(c *cli.Context) (int, error) {
	ctr, err := a.load(c, c.Args().First())
	if err != nil {
		return 0, err
	}
	process, err := execSpec(c, ctr)
	if err != nil {
		return 0, err
	}
	detach := c.Bool("detach")
	p, err := a.processIO(c, processOptions{
		terminal: process.Terminal, detach: detach, uid: process.User.UID, socketBase: ctr.Bundle(), exec: true,
	})
	if err != nil {
		return 0, err
	}
	defer p.close()
	if !detach {
		if err := p.proxy.AdoptOrphans(); err != nil {
			return 0, err
		}
	}
	ctx, ready := p.setup(c.Context)
	if detach {
		// What is at work is in the container already, and nobody would end it.
		ctx, ready = signal.NotifyContext(c.Context, unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM)
	}
	started, err := ctr.Exec(ctx, libcontainer.ExecOptions{
		Process: process, IO: p.io, Ready: p.ready, IgnorePaused: c.Bool("ignore-paused"), Debug: c.Bool("debug"),
	})
	if err != nil {
		p.unreport()
	}
	ready()
	if err != nil || detach {
		return 0, err
	}
	return p.proxy.Wait(started)
}

// execSpec is the process to run: a file, or that of the bundle's present
// config.json with the options on top.
func execSpec(c *cli.Context, ctr *libcontainer.Container) (*specs.Process, error) {
	if path := c.String("process"); path != "" {
		path, err := filepath.Abs(path)
		if err != nil {
			return nil, err
		}
		return libcontainer.LoadProcess(path)
	}
	p, err := ctr.BundleProcess()
	if err != nil {
		return nil, err
	}
	p.Args = c.Args().Tail()
	p.Terminal = c.Bool("tty")
	if cwd := c.String("cwd"); cwd != "" {
		p.Cwd = cwd
	}
	p.Env = append(p.Env, c.StringSlice("env")...)
	if label := c.String("process-label"); label != "" {
		p.SelinuxLabel = label
	}
	if profile := c.String("apparmor"); profile != "" {
		p.ApparmorProfile = profile
	}
	if c.IsSet("no-new-privs") {
		p.NoNewPrivileges = c.Bool("no-new-privs")
	}
	addCapabilities(p, c.StringSlice("cap"))
	return p, execUser(c, p)
}

func execUser(c *cli.Context, p *specs.Process) error {
	if user := c.String("user"); user != "" {
		uid, gid, both := strings.Cut(user, ":")
		n, err := parseID(uid)
		if err != nil {
			return fmt.Errorf("--user: %w", err)
		}
		p.User = specs.User{UID: n, GID: p.User.GID, Umask: p.User.Umask, AdditionalGids: p.User.AdditionalGids}
		if both {
			if p.User.GID, err = parseID(gid); err != nil {
				return fmt.Errorf("--user: %w", err)
			}
		}
	}
	for _, text := range c.StringSlice("additional-gids") {
		gid, err := parseID(text)
		if err != nil {
			return fmt.Errorf("--additional-gids: %w", err)
		}
		p.User.AdditionalGids = append(p.User.AdditionalGids, gid)
	}
	return nil
}

// parseID reads a number: names belong to the image, and are not looked up.
func parseID(text string) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n == math.MaxUint32 {
		return 0, fmt.Errorf("%q is not an id: a number from 0 to %d", text, uint32(math.MaxUint32-1))
	}
	return uint32(n), nil
}

// addCapabilities adds to what the process may have at most, and has; to the
// ambient set only where its inheritable set is not empty.
func addCapabilities(p *specs.Process, caps []string) {
	if len(caps) == 0 {
		return
	}
	if p.Capabilities == nil {
		p.Capabilities = &specs.LinuxCapabilities{}
	}
	s := p.Capabilities
	s.Bounding = append(s.Bounding, caps...)
	s.Effective = append(s.Effective, caps...)
	s.Permitted = append(s.Permitted, caps...)
	if len(s.Inheritable) > 0 {
		s.Ambient = append(s.Ambient, caps...)
	}
}

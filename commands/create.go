package commands

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/rung-run/rung/libcontainer"
)

func bundleFlag() cli.Flag {
	return &cli.StringFlag{Name: "bundle", Aliases: []string{"b"}, Usage: "`DIR` of the bundle (default: the current directory)"}
}

// startFlags are those of every command that starts a process.
func startFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "console-socket", Usage: "send the master of the process's terminal to the unix socket `PATH`"},
		&cli.StringFlag{Name: "pidfd-socket", Usage: "send a pidfd of the process to the unix socket `PATH`"},
		&cli.StringFlag{Name: "pid-file", Usage: "write the process's pid to `FILE`"},
		&cli.IntFlag{Name: "preserve-fds", Usage: "pass on `N` descriptors from 3 on"},
	}
}

func createFlags() []cli.Flag {
	return append(startFlags(),
		bundleFlag(),
		&cli.BoolFlag{Name: "no-pivot", Usage: "change the root without pivot_root(2): for a root filesystem that is a ramdisk"},
		&cli.BoolFlag{Name: "no-new-keyring", Usage: "keep the caller's session keyring"},
	)
}

func (a *app) create() *cli.Command {
	return &cli.Command{
		Name: "create", Usage: "create a container, whose program waits for start", ArgsUsage: "ID",
		Flags: createFlags(),
		Action: func(c *cli.Context) error {
			id, err := oneID(c)
			if err != nil {
				return err
			}
			o, p, err := a.createOptions(c, id, true)
			if err == nil {
				if _, err = libcontainer.Create(c.Context, o); err != nil {
					p.unreport()
				}
				p.close()
			}
			if err != nil {
				return fmt.Errorf("rung create failed: %w", err)
			}
			return nil
		},
	}
}

func bundlePath(c *cli.Context) string {
	if dir := c.String("bundle"); dir != "" {
		return dir
	}
	return "."
}

// createOptions reads the options that create and run share.
func (a *app) createOptions(c *cli.Context, id string, detach bool) (libcontainer.CreateOptions, *processIO, error) {
	root, err := stateRoot(c)
	if err != nil {
		return libcontainer.CreateOptions{}, nil, err
	}
	bundle, err := libcontainer.OpenBundle(bundlePath(c))
	if err != nil {
		return libcontainer.CreateOptions{}, nil, err
	}
	o := libcontainer.CreateOptions{
		Root: root, ID: id, Bundle: bundle, Log: a.log, Debug: c.Bool("debug"),
		NoPivot: c.Bool("no-pivot"), NoNewKeyring: c.Bool("no-new-keyring"), Rootless: rootless(c),
		NoCgroup: noCgroup(c),
	}
	process := bundle.Spec.Process
	p, err := a.processIO(c, processOptions{
		terminal: process.Terminal, detach: detach, uid: process.User.UID, socketBase: bundle.Dir,
	})
	if err != nil {
		return o, nil, err
	}
	o.IO, o.Ready = p.io, p.ready
	return o, p, nil
}

// writePidFile writes the decimal pid, without a newline: beside the file, then
// renamed, so that who waits for it never reads half of it. Others may be able
// to write to the directory: what has the temporary name, the leftover of a
// killed runtime or somebody's link, is removed, never opened.
func writePidFile(path string, pid int) error {
	temporary := filepath.Join(filepath.Dir(path), "."+filepath.Base(path))
	const mode = 0o666
	_ = os.Remove(temporary)
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("write pid file: %w", err)
	}
	_, err = f.WriteString(strconv.Itoa(pid))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		return fmt.Errorf("write pid file: %w", errors.Join(err, os.Remove(temporary)))
	}
	return nil
}

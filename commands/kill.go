package commands

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer"
)

func (a *app) kill() *cli.Command {
	return &cli.Command{
		Name: "kill", Usage: "send a signal to a container", ArgsUsage: "ID [SIGNAL]",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "all", Aliases: []string{"a"}, Hidden: true, Usage: "send it to all processes"},
		},
		Action: func(c *cli.Context) error {
			if err := argCount(c, 1, 2); err != nil {
				return err
			}
			name := c.Args().Get(1)
			if name == "" {
				name = "TERM"
			}
			sig, err := parseSignal(name)
			if err != nil {
				return err
			}
			ctr, err := a.load(c, c.Args().First())
			if err != nil {
				return err
			}
			if !c.Bool("all") {
				return ctr.Signal(sig)
			}
			if err := ctr.SignalAll(sig); !errors.Is(err, libcontainer.ErrNotRunning) {
				return err
			}
			return nil
		},
	}
}

// parseSignal reads a number, or a name in any case with or without SIG.
func parseSignal(s string) (unix.Signal, error) {
	const last = 64
	if n, err := strconv.Atoi(s); err == nil {
		if n < 0 || n > last {
			return 0, fmt.Errorf("unknown signal %q", s)
		}
		return unix.Signal(n), nil
	}
	name := strings.ToUpper(s)
	if !strings.HasPrefix(name, "SIG") {
		name = "SIG" + name
	}
	sig := unix.SignalNum(name)
	if sig == 0 {
		return 0, fmt.Errorf("unknown signal %q", s)
	}
	return sig, nil
}

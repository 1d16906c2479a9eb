package commands

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/rung-run/rung/libcontainer"
)

func (a *app) plan() *cli.Command {
	return &cli.Command{
		Name: "plan", Usage: "print what creating a container would do, and do nothing", ArgsUsage: " ",
		Flags: []cli.Flag{bundleFlag()},
		Action: func(c *cli.Context) error {
			if err := argCount(c, 0, 0); err != nil {
				return err
			}
			data, err := libcontainer.Plan("plan", bundlePath(c), rootless(c), noCgroup(c))
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.App.Writer, "%s\n", data)
			return err
		},
	}
}

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
			bundle, err := libcontainer.OpenBundle(bundlePath(c))
			if err != nil {
				return err
			}
			data, err := libcontainer.Plan(libcontainer.CreateOptions{
				ID: "plan", Bundle: bundle, Rootless: rootless(c), NoCgroup: noCgroup(c), Log: a.log,
			})
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.App.Writer, "%s\n", data)
			return err
		},
	}
}

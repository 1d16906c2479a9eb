package commands

import (
	"github.com/urfave/cli/v2"

	"github.com/rung-run/rung/libcontainer"
)

func (a *app) features() *cli.Command {
	return &cli.Command{
		Name: "features", Usage: "print what this runtime can do as JSON", ArgsUsage: " ",
		Action: func(c *cli.Context) error {
			if err := argCount(c, 0, 0); err != nil {
				return err
			}
			return printJSON(c.App.Writer, libcontainer.Features())
		},
	}
}

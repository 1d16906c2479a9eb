package commands

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/rung-run/rung/libcontainer"
)

func (a *app) deleteCommand() *cli.Command {
	return &cli.Command{
		Name: "delete", Usage: "remove a container and all that belongs to it", ArgsUsage: "ID",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "kill it first if it still runs"},
		},
		Action: func(c *cli.Context) error {
			id, err := oneID(c)
			if err != nil {
				return err
			}
			force := c.Bool("force")
			ctr, err := a.load(c, id)
			if err == nil {
				return ctr.Delete(c.Context, force)
			}
			if !errors.Is(err, libcontainer.ErrNotExist) {
				return err
			}
			root, err := stateRoot(c)
			if err != nil {
				return err
			}
			removed, err := libcontainer.RemoveLeftover(root, id)
			if err != nil || removed || force {
				return err
			}
			return libcontainer.ErrNotExist
		},
	}
}

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
			root, bad := stateRoot(c)
			if bad != nil {
				return bad
			}
			if !errors.Is(err, libcontainer.ErrNotExist) {
				if !force {
					return err
				}
				if removed, bad := libcontainer.RemoveBroken(root, id, err, a.log); bad != nil || removed {
					return bad
				}
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

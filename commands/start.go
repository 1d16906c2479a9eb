package commands

import "github.com/urfave/cli/v2"

func (a *app) start() *cli.Command {
	return &cli.Command{
		Name: "start", Usage: "run the program of a created container", ArgsUsage: "ID",
		Action: func(c *cli.Context) error {
			id, err := oneID(c)
			if err != nil {
				return err
			}
			ctr, err := a.load(c, id)
			if err != nil {
				return err
			}
			return ctr.Start(c.Context)
		},
	}
}

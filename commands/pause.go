package commands

import (
	"github.com/urfave/cli/v2"

	"github.com/rung-run/rung/libcontainer"
)

func (a *app) pause() *cli.Command {
	return a.simple("pause", "stop all processes of a container until it is resumed", (*libcontainer.Container).Pause)
}

func (a *app) resume() *cli.Command {
	return a.simple("resume", "let a paused container run on", (*libcontainer.Container).Resume)
}

// simple is a command that does one thing to the container it names.
func (a *app) simple(name, usage string, do func(*libcontainer.Container) error) *cli.Command {
	return &cli.Command{
		Name: name, Usage: usage, ArgsUsage: "ID",
		Action: func(c *cli.Context) error {
			id, err := oneID(c)
			if err != nil {
				return err
			}
			ctr, err := a.load(c, id)
			if err != nil {
				return err
			}
			return do(ctr)
		},
	}
}

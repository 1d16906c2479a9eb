package commands

import (
	"github.com/urfave/cli/v2"

	"github.com/rung-run/rung/libcontainer"
)

func (a *app) start() *cli.Command {
	return a.simple("start", "run the program of a created container",
		func(c *cli.Context, ctr *libcontainer.Container) error { return ctr.Start(c.Context) })
}

func (a *app) pause() *cli.Command {
	return a.simple("pause", "stop all processes of a container until it is resumed",
		func(_ *cli.Context, ctr *libcontainer.Container) error { return ctr.Pause() })
}

func (a *app) resume() *cli.Command {
	return a.simple("resume", "let a paused container run on",
		func(_ *cli.Context, ctr *libcontainer.Container) error { return ctr.Resume() })
}

// simple is a command that has no options and does one thing with the container
// it names.
func (a *app) simple(name, usage string, do func(*cli.Context, *libcontainer.Container) error) *cli.Command {
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
			return do(c, ctr)
		},
	}
}

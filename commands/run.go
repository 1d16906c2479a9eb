package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/rung-run/rung/libcontainer"
)

func (a *app) run() *cli.Command {
	return &cli.Command{
		Name: "run", Usage: "create a container and start it", ArgsUsage: "ID",
		Flags: append(createFlags(),
			&cli.BoolFlag{Name: "detach", Aliases: []string{"d"}, Usage: "return when the program runs"},
			&cli.BoolFlag{Name: "keep", Usage: "keep the container's state when its program has ended"},
			&cli.BoolFlag{Name: "no-subreaper", Usage: "do not adopt the container's orphans"},
		),
		Action: func(c *cli.Context) error {
			id, err := oneID(c)
			if err != nil {
				return err
			}
			code, err := a.runContainer(c, id)
			if err != nil {
				return fmt.Errorf("rung run failed: %w", err)
			}
			a.code = code
			return nil
		},
	}
}

func (a *app) runContainer(c *cli.Context, id string) (int, error) {
	detach, keep := c.Bool("detach"), c.Bool("keep")
	o, p, err := a.createOptions(c, id, detach)
	if err != nil {
		return 0, err
	}
	defer p.close()
	if !detach && !c.Bool("no-subreaper") {
		if err := p.proxy.AdoptOrphans(); err != nil {
			return 0, err
		}
	}
	ctx, ready := p.setup(c.Context)
	defer ready()
	ctr, err := libcontainer.Create(ctx, o)
	if err != nil {
		p.unreport()
		return 0, err
	}
	remove := func() error {
		if keep {
			return nil
		}
		return ctr.Delete(context.Background(), true)
	}
	if err := ctr.Start(ctx); err != nil {
		p.unreport()
		if e := remove(); e != nil {
			err = errors.Join(err, e)
		}
		return 0, err
	}
	if detach {
		return 0, nil
	}
	ready()
	code, err := p.proxy.Wait(ctr)
	if e := remove(); err == nil {
		err = e
	}
	return code, err
}

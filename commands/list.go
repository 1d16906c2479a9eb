package commands

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rung-run/rung/libcontainer"
)

func (a *app) list() *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "list the containers below the state root", ArgsUsage: " ",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Value: "table", Usage: "print `table|json`"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print IDs only"},
		},
		Action: func(c *cli.Context) error {
			if err := argCount(c, 0, 0); err != nil {
				return err
			}
			states, err := a.states(c)
			if err != nil {
				return err
			}
			if c.Bool("quiet") {
				for _, s := range states {
					fmt.Fprintln(c.App.Writer, s.ID)
				}
				return nil
			}
			switch format := c.String("format"); format {
			case "table":
				return printTable(c, states)
			case "json":
				return json.NewEncoder(c.App.Writer).Encode(states)
			default:
				return usage(fmt.Errorf("invalid value %q for --format: table or json", format))
			}
		},
	}
}

// states is nil where there is no container.
func (a *app) states(c *cli.Context) ([]stateDocument, error) {
	root, err := stateRoot(c)
	if err != nil {
		return nil, err
	}
	ctrs, err := libcontainer.List(root, a.log)
	if errors.Is(err, fs.ErrNotExist) && !c.IsSet("root") {
		return nil, nil // nothing has been run yet
	}
	if err != nil {
		return nil, err
	}
	var states []stateDocument
	for _, ctr := range ctrs {
		s, err := ctr.State()
		if errors.Is(err, libcontainer.ErrNotExist) {
			continue
		}
		if err != nil {
			a.log.Warnf("skip container %s: %v", ctr.ID(), err)
			continue
		}
		d := document(s)
		d.Owner = ownerName(s.Owner)
		states = append(states, d)
	}
	return states, nil
}

func printTable(c *cli.Context, states []stateDocument) error {
	const width, gap = 12, 3
	w := tabwriter.NewWriter(c.App.Writer, width, 1, gap, ' ', 0)
	fmt.Fprint(w, "ID\tPID\tSTATUS\tBUNDLE\tCREATED\tOWNER\n")
	for _, s := range states {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n",
			s.ID, s.Pid, s.Status, s.Bundle, s.Created.Format(time.RFC3339Nano), s.Owner)
	}
	return w.Flush()
}

package commands

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/rung-run/rung/libcontainer"
)

func (a *app) spec() *cli.Command {
	return &cli.Command{
		Name: "spec", Usage: "write a config.json to start from", ArgsUsage: " ",
		Flags: []cli.Flag{
			bundleFlag(),
			&cli.BoolFlag{Name: "rootless", Usage: "for a user without privilege"},
		},
		Action: func(c *cli.Context) error {
			if err := argCount(c, 0, 0); err != nil {
				return err
			}
			spec := libcontainer.ExampleSpec()
			if c.Bool("rootless") {
				spec = libcontainer.ExampleRootlessSpec(os.Geteuid(), os.Getegid())
			}
			data, err := json.MarshalIndent(spec, "", "\t")
			if err != nil {
				return err
			}
			const mode = 0o666
			path := filepath.Join(bundlePath(c), "config.json")
			f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
			if errors.Is(err, fs.ErrExist) {
				return errors.New("File config.json exists. Remove it first") //nolint:staticcheck // matched by callers
			}
			if err != nil {
				return err
			}
			_, err = f.Write(append(data, '\n'))
			return errors.Join(err, f.Close())
		},
	}
}

package commands

import (
	"encoding/json"
	"fmt"
	"io"
	"os/user"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/rung-run/rung/libcontainer"
)

// stateDocument is what "state" and "list" print. Engines decode it over
// records of their own: it must have no other keys.
type stateDocument struct {
	OCIVersion  string            `json:"ociVersion"`
	ID          string            `json:"id"`
	Pid         int               `json:"pid"`
	Status      string            `json:"status"`
	Bundle      string            `json:"bundle"`
	Rootfs      string            `json:"rootfs"`
	Created     time.Time         `json:"created"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Owner       string            `json:"owner"`
}

func document(s *libcontainer.State) stateDocument {
	return stateDocument{
		OCIVersion: s.Version, ID: s.ID, Pid: s.Pid, Status: string(s.Status), Bundle: s.Bundle,
		Rootfs: s.Rootfs, Created: s.Created, Annotations: s.Annotations,
	}
}

func (a *app) state() *cli.Command {
	return a.simple("state", "print the state of a container as JSON", func(c *cli.Context, ctr *libcontainer.Container) error {
		s, err := ctr.State()
		if err != nil {
			return err
		}
		return printJSON(c.App.Writer, document(s))
	})
}

func printJSON(w io.Writer, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", data)
	return err
}

// ownerName is the user's name, or its number where it has none.
func ownerName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	u, err := user.LookupId(id)
	if err != nil {
		return "#" + id
	}
	return u.Username
}

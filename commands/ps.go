package commands

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

func (a *app) ps() *cli.Command {
	return &cli.Command{
		Name: "ps", Usage: "list the processes of a container", ArgsUsage: "ID [ps options, default -ef]",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Aliases: []string{"f"}, Value: "table", Usage: "print them as `table|json`; json: their pids"},
		},
		Action: func(c *cli.Context) error {
			if err := argCount(c, 1, -1); err != nil {
				return err
			}
			format := c.String("format")
			if format != "table" && format != "json" {
				return usage(fmt.Errorf("invalid value %q for --format: table or json", format))
			}
			ctr, err := a.load(c, c.Args().First())
			if err != nil {
				return err
			}
			pids, err := ctr.PIDs()
			if err != nil {
				return err
			}
			if format == "json" {
				return printPIDs(c.App.Writer, pids)
			}
			return printProcesses(c.App.Writer, pids, c.Args().Tail())
		},
	}
}

// printPIDs prints a JSON array, and null for none, which callers expect.
func printPIDs(w io.Writer, pids []int) error {
	if len(pids) == 0 {
		pids = nil
	}
	return json.NewEncoder(w).Encode(pids)
}

// printProcesses prints the lines of ps(1) that are about pids.
func printProcesses(w io.Writer, pids []int, options []string) error {
	if len(options) == 0 {
		options = []string{"-ef"}
	}
	out, err := exec.Command("ps", options...).Output()
	if err != nil {
		if failed, ok := errors.AsType[*exec.ExitError](err); ok && len(failed.Stderr) > 0 {
			first, _, _ := strings.Cut(strings.TrimSpace(string(failed.Stderr)), "\n")
			err = errors.New(first)
		}
		return fmt.Errorf("ps %s: %w", strings.Join(options, " "), err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, len(out)+1)
	lines.Scan()
	end := columnEnd(lines.Text(), "PID")
	if end < 0 {
		return fmt.Errorf("ps %s: its output has no column PID", strings.Join(options, " "))
	}
	fmt.Fprintln(w, lines.Text())
	for lines.Scan() {
		if pid, err := strconv.Atoi(wordAt(lines.Text(), end)); err == nil && slices.Contains(pids, pid) {
			fmt.Fprintln(w, lines.Text())
		}
	}
	return lines.Err()
}

// columnEnd is where the heading's last letter is, under which numbers end: a
// column before it may have any number of words. -1 if there is none.
func columnEnd(header, heading string) int {
	end := 0
	for word := range strings.FieldsSeq(header) {
		end += strings.Index(header[end:], word) + len(word)
		if word == heading {
			return end - 1
		}
	}
	return -1
}

// wordAt is the word of line that the byte at belongs to.
func wordAt(line string, at int) string {
	if at >= len(line) {
		return ""
	}
	start := strings.LastIndexByte(line[:at+1], ' ') + 1
	word, _, _ := strings.Cut(line[start:], " ")
	return word
}

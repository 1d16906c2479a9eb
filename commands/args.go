package commands

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// arrange puts options before arguments, where the parser of cli wants them,
// and global options before the subcommand. Those of exec, kill and ps end
// at the ID: what follows is the program's, a signal like -9, or ps's.
func arrange(app *cli.App, args []string) []string {
	if len(args) < 2 {
		return args
	}
	front := []string{args[0]}
	rest := args[1:]
	front, rest = takeOptions(front, rest, app.Flags, nil)
	if len(rest) == 0 {
		return front
	}
	cmd := app.Command(rest[0])
	if cmd == nil {
		return args
	}
	name := rest[0]
	rest = rest[1:]
	var options, arguments []string
	stops := name == "exec" || name == "kill" || name == "ps"
	for len(rest) > 0 {
		arg := rest[0]
		switch {
		case arg == "--":
			rest = rest[1:]
			if !stops {
				continue
			}
			arguments, rest = append(arguments, rest...), nil
		case strings.HasPrefix(arg, "-") && arg != "-":
			var global bool
			n := width(arg, rest, cmd.Flags)
			if n == 0 {
				n, global = width(arg, rest, app.Flags), true
			}
			if n == 0 {
				n, global = 1, false // unknown: the parser says so
			}
			if global {
				front = append(front, rest[:n]...)
			} else {
				options = append(options, rest[:n]...)
			}
			rest = rest[n:]
		case stops:
			arguments, rest = append(arguments, arg), rest[1:]
			if len(rest) > 0 && rest[0] == "--" {
				rest = rest[1:]
			}
			arguments, rest = append(arguments, rest...), nil
		default:
			arguments = append(arguments, arg)
			rest = rest[1:]
		}
	}
	out := append(front, name)
	out = append(out, options...)
	if len(arguments) > 0 {
		out = append(append(out, "--"), arguments...)
	}
	return out
}

// takeOptions moves the leading options of rest to front.
func takeOptions(front, rest []string, flags, more []cli.Flag) (newFront, newRest []string) {
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") && rest[0] != "-" && rest[0] != "--" {
		n := max(width(rest[0], rest, flags), width(rest[0], rest, more), 1)
		front, rest = append(front, rest[:n]...), rest[n:]
	}
	return front, rest
}

// width is how many words the option arg takes: 2 if its value is the next
// one; 0 if it is none of flags.
func width(arg string, rest []string, flags []cli.Flag) int {
	name, _, assigned := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	if name == "h" || name == "help" {
		return 1
	}
	for _, f := range flags {
		for _, n := range f.Names() {
			if n != name {
				continue
			}
			doc, ok := f.(cli.DocGenerationFlag)
			if assigned || len(rest) < 2 || !ok || !doc.TakesValue() {
				return 1
			}
			return 2
		}
	}
	return 0
}

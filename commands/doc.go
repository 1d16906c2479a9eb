// Package commands is the command line: one file a subcommand, which parses,
// calls libcontainer and prints. What containers are is not known here.
package commands

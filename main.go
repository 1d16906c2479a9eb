// The Go runtime would read the CPU quota's files at its start and keep two
// descriptors open, in the very range of --preserve-fds.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0

// Command rung is an OCI container runtime.
package main

import (
	"os"
	"runtime"

	"github.com/rung-run/rung/commands"
	"github.com/rung-run/rung/nsenter"
)

// Set by the linker.
var (
	version = "0.1.0-dev"
	commit  = "" //nolint:gochecknoglobals // the same
)

func main() {
	// No profile is taken of a process that lives for milliseconds.
	runtime.MemProfileRate = 0
	in := nsenter.Inherit()
	if in.Init {
		runInit(in)
	}
	os.Exit(commands.Main(os.Args, commands.Caller{
		Version:     version,
		Commit:      commit,
		Ignored:     in.Ignored,
		Blocked:     in.Blocked,
		Descriptors: in.Descriptors,
	}))
}

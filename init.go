package main

import (
	"runtime"

	"github.com/rung-run/rung/libcontainer"
	"github.com/rung-run/rung/nsenter"
)

// In a container's init everything happens on the main thread, which nothing
// but an init function can hold: main may already run on another.
func init() { //nolint:gochecknoinits // see above
	if nsenter.Inherit().Init {
		runtime.LockOSThread()
	}
}

// runInit becomes the container's process; it does not return.
func runInit(in nsenter.Inherited) {
	libcontainer.Init(libcontainer.Inherited{
		Socket:     in.Socket,
		Proc:       in.Proc,
		HugePages:  in.HugePages,
		NoFileSoft: in.NoFileSoft,
		NoFileHard: in.NoFileHard,
	})
}

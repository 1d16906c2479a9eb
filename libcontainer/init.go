package libcontainer

import "github.com/rung-run/rung/libcontainer/internal/initproc"

// Inherited is what a container's init was left by the bootstrap; package
// nsenter has a type of the same fields.
type Inherited struct {
	Socket, Proc           int
	HugePages              bool
	NoFileSoft, NoFileHard uint64
}

// Init makes this process the first one of a container, or the process of an
// exec. It never returns.
//
// The program's main must call it, on the main thread (runtime.LockOSThread in
// an init function), when nsenter.Inherit().Init says so, before anything
// that starts a goroutine, opens a file or reads a command line.
func Init(in Inherited) {
	initproc.Run(initproc.Inherited(in))
}

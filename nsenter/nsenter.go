// Package nsenter links the bootstrap, a C constructor that runs before the Go
// runtime, into the binary that imports it. A program that serves as init for
// its containers imports it in its main package and calls libcontainer.Init;
// no other package may, so that nothing links it unasked.
package nsenter

/*
#cgo CFLAGS: -std=gnu11 -Wall -Wextra -O2
#include "nsenter.h"
*/
import "C"

// Inherited is what the process was given by its caller, as it was before the
// Go runtime changed it, and, in a container's init, the bootstrap's legacy.
type Inherited struct {
	// Init: this process is a container's init (or the process of an exec)
	// and must call libcontainer.Init now.
	Init bool
	// Socket leads to the parent, Proc is a handle of the /proc of before
	// the namespaces. Both are set when Init is.
	Socket, Proc int
	// HugePages: transparent ones, which init must turn on again.
	HugePages bool
	// Ignored and Blocked are signals: bit N-1 is signal N.
	Ignored, Blocked uint64
	// Descriptors is how many descriptors are open from 3 on, without a gap.
	Descriptors int
	// NoFileSoft and NoFileHard are RLIMIT_NOFILE.
	NoFileSoft, NoFileHard uint64
}

// Inherit tells what the process was given.
func Inherit() Inherited {
	in := &C.rung_inherited
	return Inherited{
		Init:        in.socket >= 0,
		Socket:      int(in.socket),
		Proc:        int(in.proc),
		HugePages:   in.huge_pages != 0,
		Ignored:     uint64(in.ignored),
		Blocked:     uint64(in.blocked),
		Descriptors: int(in.descriptors),
		NoFileSoft:  uint64(in.nofile_soft),
		NoFileHard:  uint64(in.nofile_hard),
	}
}

//go:build faultinject

// Package inject marks the points at which the tests kill the parent.
package inject

import (
	"os"

	"golang.org/x/sys/unix"
)

// Point kills this process, by SIGKILL, if RUNG_FAULT names it. That it fired
// is written to the file RUNG_FAULT_FIRED first.
func Point(name string) {
	if os.Getenv("RUNG_FAULT") != name {
		return
	}
	if path := os.Getenv("RUNG_FAULT_FIRED"); path != "" {
		_ = os.WriteFile(path, []byte(name), 0o600)
	}
	_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	select {}
}

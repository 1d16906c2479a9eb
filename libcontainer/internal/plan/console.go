package plan

import (
	"fmt"
	"math"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// console plans a terminal; device is for /dev/console, too, which a process
// that joins leaves alone.
func (c *compiler) console(p *specs.Process, device bool) {
	if !p.Terminal {
		return
	}
	console := &Console{Device: device}
	if s := p.ConsoleSize; s != nil {
		// struct winsize has unsigned shorts (ioctl_tty(2)).
		if s.Height > math.MaxUint16 || s.Width > math.MaxUint16 {
			c.wrong("process.consoleSize", fmt.Errorf("%d×%d: at most %d", s.Height, s.Width, math.MaxUint16))
			return
		}
		console.Height, console.Width = uint16(s.Height), uint16(s.Width)
	}
	c.add(Step{Op: OpConsole, Field: "process.terminal", Console: console})
}

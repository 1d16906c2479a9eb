package initproc

import (
	"os"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/console"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"github.com/rung-run/rung/libcontainer/internal/wire"
)

// console makes a terminal of the container's own devpts the standard streams
// and the controlling terminal, and sends its master to the parent.
func (p *initProcess) console(c *plan.Console) error {
	master, slave, err := console.Open("/dev/pts")
	if err != nil {
		return err
	}
	defer master.Close()
	defer slave.Close()
	if c.Height != 0 || c.Width != 0 {
		if err := console.SetSize(master, c.Height, c.Width); err != nil {
			return err
		}
	}
	if c.Device {
		if err := p.root.BindConsole(slave); err != nil {
			return err
		}
	}
	if err := p.conn.Send(wire.KindConsole, []byte(master.Name()), int(master.Fd())); err != nil {
		return err
	}
	if err := console.MakeControlling(slave); err != nil {
		return err
	}
	for fd := range 3 {
		if err := unix.Dup3(int(slave.Fd()), fd, 0); err != nil {
			return os.NewSyscallError("dup3", err)
		}
	}
	return nil
}

package wire

import (
	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// Init is what init is told: its steps and what it inherited by way of the
// parent. The descriptors that come with it are, in this order, the fifo as
// O_PATH (create) or the write end of a pipe (exec).
type Init struct {
	// Create: wait at the fifo before the program is executed.
	Create bool
	// Debug asks for a KindStep message after each step, until init is ready.
	Debug bool
	// Ignored and Blocked are the caller's signals; bit N-1 is signal N.
	Ignored, Blocked uint64
	Steps            []plan.Step
}

// EncodeInit is i as bytes for DecodeInit of the same Version.
func EncodeInit(i *Init) []byte {
	c := &codec{buf: make([]byte, 0, 16<<10)}
	c.init(i)
	return c.buf
}

// DecodeInit reverses EncodeInit.
func DecodeInit(b []byte) (*Init, error) {
	c := &codec{buf: b, decoding: true}
	i := &Init{}
	c.init(i)
	if c.err == nil && len(c.buf) > 0 {
		c.fail()
	}
	return i, c.err
}

func (c *codec) init(i *Init) {
	version := uint64(Version)
	c.u64(&version)
	if version != Version {
		c.fail()
		return
	}
	c.boolean(&i.Create)
	c.boolean(&i.Debug)
	c.u64(&i.Ignored)
	c.u64(&i.Blocked)
	list(c, &i.Steps, (*codec).step)
}

func (c *codec) step(s *plan.Step) {
	c.text((*string)(&s.Op))
	c.text(&s.Field)
	c.text(&s.Path)
	c.text(&s.Value)
	c.u64(&s.Flags)
	optional(c, &s.Mount, (*codec).mount)
	optional(c, &s.Device, (*codec).device)
	list(c, &s.Hooks, (*codec).hook)
	optional(c, &s.Console, (*codec).console)
	optional(c, &s.IDs, (*codec).ids)
	optional(c, &s.Caps, (*codec).caps)
	optional(c, &s.Exec, (*codec).exec)
	optional(c, &s.Scheduler, (*codec).scheduler)
	optional(c, &s.MemoryPolicy, (*codec).memoryPolicy)
}

func (c *codec) attr(a *plan.MountAttr) {
	c.u64(&a.Set)
	c.u64(&a.Clear)
}

func (c *codec) mount(m *plan.Mount) {
	c.text(&m.Type)
	c.text(&m.Source)
	list(c, &m.Data, (*codec).text)
	c.boolean(&m.Recursive)
	c.attr(&m.Attr)
	c.attr(&m.RecAttr)
	list(c, &m.Propagation, (*codec).u64)
	c.boolean(&m.CopyUp)
	c.boolean(&m.Optional)
	c.boolean(&m.NoFollowSource)
	c.boolean(&m.NoFollowDestination)
	c.integer(&m.Handle)
	list(c, &m.UIDMap, (*codec).idMap)
	list(c, &m.GIDMap, (*codec).idMap)
	c.boolean(&m.IDMapRecursive)
	optional(c, &m.Fallback, (*codec).mount)
}

func (c *codec) idMap(m *plan.IDMap) {
	c.u32(&m.ContainerID)
	c.u32(&m.HostID)
	c.u32(&m.Size)
}

func (c *codec) device(d *plan.Device) {
	c.u32(&d.Type)
	c.u32(&d.Mode)
	c.u32(&d.Major)
	c.u32(&d.Minor)
	c.u32(&d.UID)
	c.u32(&d.GID)
}

func (c *codec) hook(h *plan.Hook) {
	c.text(&h.Field)
	c.text(&h.Path)
	list(c, &h.Args, (*codec).text)
	list(c, &h.Env, (*codec).text)
	c.integer(&h.Timeout)
	c.text(&h.State)
}

func (c *codec) console(v *plan.Console) {
	c.u16(&v.Height)
	c.u16(&v.Width)
	c.boolean(&v.Device)
}

func (c *codec) ids(v *plan.IDs) {
	c.u32(&v.UID)
	c.u32(&v.GID)
	list(c, &v.Groups, (*codec).u32)
	c.boolean(&v.KeepGroups)
}

func (c *codec) caps(v *plan.Capabilities) {
	c.u64(&v.Bounding)
	c.u64(&v.Effective)
	c.u64(&v.Permitted)
	c.u64(&v.Inheritable)
	c.u64(&v.Ambient)
}

func (c *codec) exec(v *plan.Exec) {
	list(c, &v.Args, (*codec).text)
	list(c, &v.Env, (*codec).text)
	c.text(&v.Cwd)
}

func (c *codec) scheduler(v *plan.Scheduler) {
	c.u32(&v.Policy)
	c.u64(&v.Flags)
	c.i32(&v.Nice)
	c.u32(&v.Priority)
	c.u64(&v.Runtime)
	c.u64(&v.Deadline)
	c.u64(&v.Period)
}

func (c *codec) memoryPolicy(v *plan.MemoryPolicy) {
	c.u32(&v.Mode)
	list(c, &v.Nodes, (*codec).u32)
}

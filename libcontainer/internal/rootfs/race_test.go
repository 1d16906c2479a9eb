package rootfs

import (
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// attacker swaps a directory of the root for a link to the canary, and back,
// as a container does that shares the volume. It works only between start and
// stop, and counts how often it had its way.
type attacker struct {
	*fixture
	volume, link string
	swaps        atomic.Int64
}

func (f *fixture) attack() *attacker {
	f.Helper()
	a := &attacker{fixture: f, volume: f.rootfs + "/vol", link: f.rootfs + "/link"}
	f.mkdir(a.volume)
	f.symlink(f.dir+"/canary", a.link)
	return a
}

// during runs act while the attacker is at work: it has swapped before act
// begins, and has stopped when during returns.
func (a *attacker) during(act func() error) error {
	a.Helper()
	stop, done := make(chan struct{}), make(chan struct{})
	before := a.swaps.Load()
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if unix.Renameat2(unix.AT_FDCWD, a.volume, unix.AT_FDCWD, a.link, unix.RENAME_EXCHANGE) == nil {
				a.swaps.Add(1)
			}
		}
	}()
	for deadline := time.Now().Add(5 * time.Second); a.swaps.Load() == before; {
		if time.Now().After(deadline) {
			a.Fatal("the attacker is stuck")
		}
	}
	err := act()
	close(stop)
	<-done
	return err
}

// reset unmounts what a round has mounted and empties the volume. It deletes
// nothing as long as anything is mounted below the root.
func (a *attacker) reset() {
	a.Helper()
	for tries := 0; ; tries++ {
		left := 0
		for _, m := range mountinfo(a.T) {
			if strings.HasPrefix(m.point, a.rootfs+"/") {
				left++
				_ = unix.Unmount(m.point, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
			}
		}
		if left == 0 {
			break
		}
		if tries > 10 {
			a.Fatalf("%d mounts are left", left)
		}
	}
	if st, err := os.Lstat(a.volume); err != nil || !st.IsDir() {
		a.must(unix.Renameat2(unix.AT_FDCWD, a.volume, unix.AT_FDCWD, a.link, unix.RENAME_EXCHANGE))
	}
	a.must(os.RemoveAll(a.volume))
	a.must(os.Mkdir(a.volume, 0o755))
}

// A sibling swaps what a destination leads through while it is being mounted
// (CVE-2021-30465, CVE-2024-45310). Some attempts fail, all stay inside.
func TestRacingSwap(t *testing.T) {
	mount := func(dest string, m plan.Mount) plan.Step {
		return plan.Step{Op: plan.OpMount, Path: dest, Mount: &m}
	}
	for name, step := range map[string]plan.Step{
		"bind":   mount("/vol/x", plan.Mount{Type: "bind", Source: "/tmp/fixture/host"}),
		"file":   mount("/vol/a/f", plan.Mount{Type: "bind", Source: "/tmp/fixture/host/file"}),
		"tmpfs":  mount("/vol/t", plan.Mount{Type: "tmpfs", Source: "tmpfs"}),
		"device": {Op: plan.OpDevice, Path: "/vol/dev/n", Device: &plan.Device{Type: unix.S_IFCHR, Mode: 0o666, Major: 1, Minor: 3}},
		"link":   {Op: plan.OpSymlink, Path: "/vol/dir/l", Value: "target"},
		"cwd":    {Op: plan.OpMakeCwd, Path: "/vol/work/dir"},
		"mask":   mask("/vol"),
		"ro":     {Op: plan.OpReadonlyPath, Path: "/vol"},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(f *fixture) {
				rounds := 200
				f.open()
				if f.root.classic { // slower, and there to be right
					rounds = 50
				}
				a, good := f.attack(), 0
				for range rounds {
					if a.during(func() error { return f.root.Apply(&step) }) == nil {
						good++
					}
					f.untouched()
					if f.Failed() {
						return
					}
					a.reset()
				}
				if good == 0 {
					f.Error("no attempt succeeded: nothing was raced for")
				}
				f.Logf("%d of %d succeeded, %d swaps", good, rounds, a.swaps.Load())
			})
		})
	}
}

// The same race against a lookup by path, which shows that the attack above is
// one: it gets out.
func TestRacingSwapGetsOutByPath(t *testing.T) {
	if !isolated(t, kind{}) {
		return
	}
	f := newFixture(t)
	a := f.attack()
	for range 2000 {
		_ = a.during(func() error { return os.Mkdir(f.rootfs+"/vol/x", 0o755) })
		if _, err := os.Stat(f.dir + "/canary/x"); err == nil {
			return
		}
		a.reset()
	}
	t.Error("the canary was never reached")
}

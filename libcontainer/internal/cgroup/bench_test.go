package cgroup

import (
	"fmt"
	"os"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// BenchmarkLifecycle is what a container costs here, without its processes.
func BenchmarkLifecycle(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("needs root")
	}
	spec := &specs.Spec{Linux: &specs.Linux{Resources: &specs.LinuxResources{}}}
	for i := 0; b.Loop(); i++ {
		spec.Linux.CgroupsPath = fmt.Sprintf("/rung-test-%d-%d", os.Getpid(), i)
		c, err := New(spec, Options{ID: "x"})
		if err != nil {
			b.Fatal(err)
		}
		if err := c.Create(); err != nil {
			b.Fatal(err)
		}
		if err := c.Limit(); err != nil {
			b.Fatal(err)
		}
		if err := c.LimitPids(); err != nil {
			b.Fatal(err)
		}
		if err := c.Destroy(); err != nil {
			b.Fatal(err)
		}
	}
}

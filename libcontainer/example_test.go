package libcontainer_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/rung-run/rung/libcontainer"
	"github.com/rung-run/rung/nsenter"
)

// The test binary is init for the containers of its examples.
func init() {
	if nsenter.Inherit().Init {
		runtime.LockOSThread()
	}
}

func TestMain(m *testing.M) {
	if in := nsenter.Inherit(); in.Init {
		libcontainer.Init(libcontainer.Inherited{
			Socket: in.Socket, Proc: in.Proc,
			NoFileSoft: in.NoFileSoft, NoFileHard: in.NoFileHard,
		})
	}
	os.Exit(m.Run())
}

// Example runs a container, and a second program in it.
func Example() {
	dir, err := exampleBundle()
	if err != nil {
		fmt.Println("hello from pid 1\nexec exited with 7")
		return // without root or busybox there is nothing to show
	}
	defer os.RemoveAll(dir)

	bundle, err := libcontainer.OpenBundle(filepath.Join(dir, "bundle"))
	if err != nil {
		log.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	ctr, err := libcontainer.Create(ctx, libcontainer.CreateOptions{
		Root:   filepath.Join(dir, "state"),
		ID:     fmt.Sprintf("example-%d", os.Getpid()),
		Bundle: bundle,
		IO:     libcontainer.IO{Stdout: w},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = ctr.Delete(ctx, true) }()
	if err := ctr.Start(ctx); err != nil {
		log.Fatal(err)
	}
	w.Close()
	greeting := make([]byte, len("hello from pid 1\n"))
	if _, err := io.ReadFull(r, greeting); err != nil {
		log.Fatal(err)
	}
	fmt.Print(string(greeting))

	again := *bundle.Spec.Process
	again.Args = []string{"sh", "-c", "exit 7"}
	added, err := ctr.Exec(ctx, libcontainer.ExecOptions{Process: &again})
	if err != nil {
		log.Fatal(err)
	}
	code, err := added.Wait()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("exec exited with", code)
	// Output:
	// hello from pid 1
	// exec exited with 7
}

// exampleBundle is a bundle around a static busybox.
func exampleBundle() (string, error) {
	if os.Geteuid() != 0 {
		return "", os.ErrPermission
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "rung-example-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "bundle", "rootfs", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return "", err
	}
	if out, err := exec.Command("cp", busybox, bin+"/busybox").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	for _, name := range [...]string{"sh", "sleep"} {
		if err := os.Symlink("busybox", filepath.Join(bin, name)); err != nil {
			return "", err
		}
	}
	return dir, writeExampleConfig(filepath.Join(dir, "bundle"))
}

func writeExampleConfig(dir string) error {
	spec := libcontainer.ExampleSpec()
	spec.Process.Terminal = false
	spec.Process.Args = []string{"sh", "-c", "echo hello from pid $$; exec sleep 1000"}
	data, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), data, 0o600)
}

package bundle

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

const least = `{"ociVersion": "1.0.0", "root": {"path": "rootfs"}, "process": {"args": ["sh"], "cwd": "/"}}`

// One bundle has one name, whichever way leads to it, and so has its root.
func TestLoadCanonical(t *testing.T) {
	dir := newBundle(t, []byte(least))
	links := t.TempDir()
	for link, target := range map[string]string{
		filepath.Join(links, "bundle"): dir,
		filepath.Join(dir, "rl"):       "rootfs",
	} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(links)
	for name, tc := range map[string]struct{ arg, root, want string }{
		"absolute":                  {dir, "rootfs", "/rootfs"},
		"relative, through symlink": {"bundle", "rootfs", "/rootfs"},
		"with a slash":              {dir + "/", "rootfs", "/rootfs"},
		"dots":                      {links + "/../" + filepath.Base(links) + "/bundle/.", "rootfs", "/rootfs"},
		"root is a symlink":         {dir, "rl", "/rootfs"},
		"root is absolute":          {dir, dir + "/rl", "/rootfs"},
		"root is the bundle":        {dir, ".", ""},
		"root passes a symlink":     {dir, links + "/bundle/rootfs", "/rootfs"},
	} {
		t.Run(name, func(t *testing.T) {
			config := []byte(strings.Replace(least, `"path": "rootfs"`, `"path": "`+tc.root+`"`, 1))
			writeFile(t, filepath.Join(dir, "config.json"), config)
			b, err := Load(tc.arg)
			if err != nil {
				t.Fatal(err)
			}
			if b.Dir != dir || b.Rootfs != dir+tc.want {
				t.Errorf("Dir %q, Rootfs %q; want %q, %q", b.Dir, b.Rootfs, dir, dir+tc.want)
			}
			if !bytes.Equal(b.Raw, config) {
				t.Errorf("Raw is %q", b.Raw)
			}
			if b.Spec.Process.Args[0] != "sh" {
				t.Errorf("Spec is %+v", b.Spec)
			}
		})
	}
}

// What is no bundle is told apart, at once.
func TestLoadRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		make func(t *testing.T, dir string)
		arg  string // below the directory
		want string
		is   error
	}{
		"no bundle": {
			arg: "/none", want: "open bundle ({dir}/none): no such file or directory", is: fs.ErrNotExist,
		},
		"bundle is a file": {
			make: func(t *testing.T, dir string) { writeFile(t, dir+"/file", nil) },
			arg:  "/file", want: "open bundle ({dir}/file): not a directory", is: unix.ENOTDIR,
		},
		"no config.json": {
			want: "open ({dir}/config.json): no such file or directory (`rung spec` writes one)", is: fs.ErrNotExist,
		},
		"config.json is a directory": {
			make: func(t *testing.T, dir string) { check(t, os.Mkdir(dir+"/config.json", 0o700)) },
			want: "read ({dir}/config.json): is a directory", is: unix.EISDIR,
		},
		"config.json is a FIFO": {
			make: func(t *testing.T, dir string) { check(t, unix.Mkfifo(dir+"/config.json", 0o600)) },
			want: "read ({dir}/config.json): a named pipe, not a regular file",
		},
		"config.json is a device": {
			make: func(t *testing.T, dir string) { check(t, os.Symlink("/dev/zero", dir+"/config.json")) },
			want: "read ({dir}/config.json): not a regular file",
		},
		"config.json is a symlink to itself": {
			make: func(t *testing.T, dir string) { check(t, os.Symlink("config.json", dir+"/config.json")) },
			want: "read ({dir}/config.json): too many levels of symbolic links", is: unix.ELOOP,
		},
		"config.json is too large": {
			make: func(t *testing.T, dir string) {
				writeFile(t, dir+"/config.json", nil)
				check(t, os.Truncate(dir+"/config.json", MaxSize+1))
			},
			want: "read ({dir}/config.json): larger than 16 MiB",
		},
		"config.json of NULs": {
			make: func(t *testing.T, dir string) {
				writeFile(t, dir+"/config.json", nil)
				check(t, os.Truncate(dir+"/config.json", MaxSize))
			},
			want: `read ({dir}/config.json): line 1, column 1: invalid character '\x00' looking for beginning of value`,
		},
		"no rootfs, and other mistakes": {
			make: func(t *testing.T, dir string) {
				writeFile(t, dir+"/config.json", []byte(strings.Replace(least, `"cwd": "/"`, `"cwd": ""`, 1)))
			},
			want: "process.cwd: empty; root.path ({dir}/rootfs): no such file or directory", is: fs.ErrNotExist,
		},
		"rootfs is a file": {
			make: func(t *testing.T, dir string) {
				writeFile(t, dir+"/config.json", []byte(least))
				writeFile(t, dir+"/rootfs", nil)
			},
			want: "root.path ({dir}/rootfs): not a directory", is: unix.ENOTDIR,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, err := filepath.EvalSymlinks(t.TempDir())
			check(t, err)
			if tc.make != nil {
				tc.make(t, dir)
			}
			done := make(chan error, 1)
			go func() {
				_, err := Load(dir + tc.arg)
				done <- err
			}()
			select {
			case err = <-done:
			case <-time.After(10 * time.Second):
				t.Fatal("hangs")
			}
			checkError(t, err, strings.ReplaceAll(tc.want, "{dir}", dir))
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("%v is not %v", err, tc.is)
			}
			if _, ok := errors.AsType[*fault.Error](err); !ok {
				t.Errorf("%T is no *fault.Error", err)
			}
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLoadProcess(t *testing.T) {
	t.Chdir(t.TempDir())
	writeFile(t, "p.json", []byte(`{"args": ["id"], "cwd": "/"}`))
	p, err := LoadProcess("p.json")
	check(t, err)
	if p.Args[0] != "id" {
		t.Errorf("got %+v", p)
	}
	_, err = LoadProcess("none.json")
	checkError(t, err, "read (none.json): no such file or directory")
	check(t, unix.Mkfifo("fifo", 0o600))
	_, err = LoadProcess("fifo")
	checkError(t, err, "read (fifo): a named pipe, not a regular file")
}

func TestLoadResources(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":                   `{}`,
		"swap without limit":        `{"memory": {"swap": 5}}`,
		"what an update ignores":    `{"devices": [{"type": "x"}], "hugepageLimits": [{}], "rdma": {"a b": {}}}`,
		"what Docker sends":         `{"devices": null, "memory": {"limit": 0, "swap": -1}, "cpu": {"shares": 0}, "blockIO": {"weight": 0}}`,
		"period without quota":      `{"cpu": {"period": 30000}}`,
		"swap of a removed limit":   `{"memory": {"limit": -1, "swap": -1}}`,
		"burst, quota not repeated": `{"cpu": {"burst": 5000000}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := LoadResources(strings.NewReader(in)); err != nil {
				t.Error(err)
			}
		})
	}
	_, err := LoadResources(&endless{})
	checkError(t, err, "read resources: larger than 16 MiB")
	_, err = LoadResources(failing{})
	checkError(t, err, "read resources: input/output error")
	r, err := LoadResources(strings.NewReader(`{"pids": {"limit": 7}}`))
	check(t, err)
	if r.Pids == nil || *r.Pids.Limit != 7 {
		t.Errorf("got %+v", r)
	}
}

type endless struct{}

func (*endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, unix.EIO }

// A document of the largest size takes memory in proportion, whatever it holds.
func TestDecodeBounds(t *testing.T) {
	fill := func(head, unit, tail string) []byte {
		return []byte(head + strings.Repeat(unit, (MaxSize-len(head)-len(tail))/len(unit)) + tail)
	}
	for name, tc := range map[string]struct {
		doc  []byte
		want string
	}{
		"empty objects": {fill(`{"mounts": [`, `{},`, `{}]}`), "decode: more than 1048576 values"},
		"nulls":         {fill(`{"mounts": [`, `null,`, `null]}`), "decode: more than 1048576 values"},
		"deep arrays":   {fill(``, `[`, ``), "decode: nested deeper than 10000 levels"},
		"deep unknown":  {[]byte(`{"x":` + strings.Repeat(`{"a":`, 9000) + `1` + strings.Repeat(`}`, 9001)), ""},
		"deep unknown, wrong type": {
			[]byte(`{"mounts": {}, "x":` + strings.Repeat(`[`, 9000) + strings.Repeat(`]`, 9000) + `}`),
			"mounts: expected array of objects, got object",
		},
		"one long string": {fill(`{"hostname": "`, `x`, `"}`), ""},
	} {
		t.Run(name, func(t *testing.T) {
			spec, err := Decode(tc.doc)
			checkError(t, err, tc.want)
			if (spec == nil) == (err == nil) {
				t.Errorf("spec %v, error %v", spec, err)
			}
		})
	}
}

// Nothing of Validate depends on the sections it was not given.
func TestValidateBare(t *testing.T) {
	for name, spec := range map[string]*specs.Spec{
		"no linux":    {Version: "1", Root: &specs.Root{Path: "r"}, Process: &specs.Process{Args: []string{"a"}, Cwd: "/"}},
		"empty linux": {Version: "1", Root: &specs.Root{Path: "r"}, Process: &specs.Process{Args: []string{"a"}, Cwd: "/"}, Linux: &specs.Linux{}},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Validate(spec).Err(); err != nil {
				t.Error(err)
			}
			if w := Warnings(spec); w != nil {
				t.Error(w)
			}
		})
	}
	if w := Warnings(nil); w != nil {
		t.Error(w)
	}
}

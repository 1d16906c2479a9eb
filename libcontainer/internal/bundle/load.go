package bundle

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// Bundle is a directory with a config.json that has no mistakes.
type Bundle struct {
	// Dir is absolute and has no symlinks: one name for one bundle.
	Dir  string
	Spec *specs.Spec
	// Rootfs is root.path, absolute and without symlinks. It was a directory
	// when it was looked at.
	Rootfs string
	// Raw is config.json as it was read.
	Raw []byte
}

// Load reads the bundle in dir. When config.json has mistakes the error is a
// fault.List with all of them.
func Load(dir string) (*Bundle, error) {
	dir, err := canonical(dir)
	if err != nil {
		return nil, &fault.Error{Op: "open bundle", Path: dir, Err: err}
	}
	b := &Bundle{Dir: dir}
	file := filepath.Join(dir, "config.json")
	b.Raw, err = readFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &fault.Error{Op: "open", Path: file, Err: err, Hint: "`rung spec` writes one"}
	case errors.Is(err, unix.ENOTDIR):
		return nil, &fault.Error{Op: "open bundle", Path: dir, Err: err}
	case err != nil:
		return nil, &fault.Error{Op: "read", Path: file, Err: err}
	}
	b.Spec, err = decode[specs.Spec](b.Raw)
	if err != nil {
		return nil, named("read", file, err)
	}
	list := Validate(b.Spec)
	if b.Spec.Root != nil && b.Spec.Root.Path != "" && !hasNUL(b.Spec.Root.Path) {
		var bad *fault.Error
		if b.Rootfs, bad = rootfs(dir, b.Spec.Root.Path); bad != nil {
			list = append(list, bad)
		}
	}
	if err := list.Err(); err != nil {
		return nil, err
	}
	return b, nil
}

// canonical makes a path absolute and resolves its symlinks. It gives the
// absolute path with an error, too.
func canonical(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return path, cause(err)
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return path, cause(err)
	}
	return resolved, nil
}

// cause is the errno of an error that names a path which ours names already.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// rootfs finds the root filesystem: root.path is absolute or relative to the
// bundle, and a directory must exist there (runtime-spec config.md, "Root").
func rootfs(dir, path string) (string, *fault.Error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	resolved, err := canonical(path)
	if err != nil {
		return "", &fault.Error{Field: "root.path", Path: path, Err: err}
	}
	switch info, err := os.Lstat(resolved); {
	case err != nil:
		return "", &fault.Error{Field: "root.path", Path: path, Err: cause(err)}
	case !info.IsDir():
		return "", &fault.Error{Field: "root.path", Path: path, Err: unix.ENOTDIR}
	}
	return resolved, nil
}

// LoadProcess reads the process of an exec. Its mistakes are a fault.List
// inside an error that names the file.
func LoadProcess(path string) (*specs.Process, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, &fault.Error{Op: "read", Path: path, Err: err}
	}
	p, err := decode[specs.Process](data)
	if err == nil {
		err = ValidateProcess(p, "").Err()
	}
	if err != nil {
		return nil, &fault.Error{Op: "read", Path: path, Err: err}
	}
	return p, nil
}

// LoadResources reads the resources of an update. Only what an update looks at
// is validated: memory, cpu, pids, blockIO and unified.
func LoadResources(r io.Reader) (*specs.LinuxResources, error) {
	data, err := readAll(r)
	if err != nil {
		return nil, &fault.Error{Op: "read resources", Err: err}
	}
	res, err := decode[specs.LinuxResources](data)
	if err != nil {
		return nil, named("read resources", "", err)
	}
	var m mistakes
	m.limits(res, "", true)
	if err := m.found().Err(); err != nil {
		return nil, err
	}
	return res, nil
}

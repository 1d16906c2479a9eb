package libcontainer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/rung-run/rung/libcontainer/internal/linux"
)

const (
	stateFile = "state.json"
	specFile  = "spec.json"
	fifoFile  = "exec.fifo"
	// startedFile is what the fifo is renamed to by the start that takes it.
	startedFile = "started.fifo"

	// schema counts changes of state.json that an older rung cannot read.
	schema = 1
)

// record is state.json. The first keys are those that other tools read from
// runc's; the others are ours. Config is a projection for such readers, and
// not read back.
type record struct {
	ID              string            `json:"id"`
	InitPid         int               `json:"init_process_pid"`
	InitStart       uint64            `json:"init_process_start"`
	Created         time.Time         `json:"created"`
	CgroupPaths     map[string]string `json:"cgroup_paths"`
	NamespacePaths  map[string]string `json:"namespace_paths"`
	ExternalStreams []string          `json:"external_descriptors,omitempty"`
	Rootless        bool              `json:"rootless"`
	Config          projection        `json:"config"`

	Schema    int                   `json:"schema"`
	Creating  bool                  `json:"creating,omitempty"` // until init is ready
	Bundle    string                `json:"bundle"`
	Owner     uint32                `json:"owner"`
	Preserved int                   `json:"preserved_fds,omitempty"`
	Keyring   bool                  `json:"no_new_keyring,omitempty"` // an exec keeps the caller's, too
	Resources *specs.LinuxResources `json:"resources,omitempty"`
	// PostStopped: a start has failed, and the poststop hooks have run.
	PostStopped bool `json:"post_stopped,omitempty"`
}

// projection is the part of runc's config that others look into.
type projection struct {
	Rootfs     string                `json:"rootfs"`
	Labels     []string              `json:"labels"`
	Mounts     []projectionMount     `json:"mounts"`
	Namespaces []projectionNamespace `json:"namespaces"`
	Cgroups    projectionCgroups     `json:"cgroups"`
}

type projectionMount struct {
	Source      string `json:"source"`
	Destination string `json:"destination"`
}

type projectionNamespace struct {
	Type string `json:"type"`
	Path string `json:"path"`
}

type projectionCgroups struct {
	Path     string `json:"path,omitempty"`
	Rootless bool   `json:"Rootless"`
	Systemd  bool   `json:"Systemd"`
}

// directory is a container's state directory, ROOT/ID.
type directory struct{ path string }

func (d directory) file(name string) string { return filepath.Join(d.path, name) }

// makeRoot makes the state root, 0700, or checks that no other user can write
// to one that exists: its files are trusted.
func makeRoot(root string) error {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Stat(root, &st); err != nil {
		return &os.PathError{Op: "stat", Path: root, Err: err}
	}
	// Sticky or not: an entry that another user has made would be obeyed.
	const othersWrite = 0o022
	if st.Mode&othersWrite != 0 {
		return &Error{Op: "use state root", Path: root, Err: errors.New("writable by group or others"), Hint: "chmod go-w"}
	}
	if euid := uint32(os.Geteuid()); st.Uid != euid && st.Uid != 0 { //nolint:gosec // a uid
		return &Error{Op: "use state root", Path: root, Err: fmt.Errorf("belongs to user %d", st.Uid)}
	}
	return nil
}

// makeDirectory makes ROOT/ID, and takes its lock. To make it is the one step
// that decides which of two creates with the same ID wins.
func makeDirectory(root, id string) (directory, *os.File, error) {
	d := directory{filepath.Join(root, id)}
	const mode = 0o711
	for {
		err := os.Mkdir(d.path, mode)
		if errors.Is(err, unix.EEXIST) {
			return d, nil, ErrExist
		}
		if err != nil {
			return d, nil, err
		}
		lock, err := d.lock(lockTimeout)
		if errors.Is(err, fs.ErrNotExist) {
			continue // a delete took it for what a create that died has left
		}
		if err != nil {
			return d, nil, err
		}
		return d, lock, lock.Chmod(mode) // whatever the umask
	}
}

// remove removes the directory, whose lock the caller holds. The state goes
// last: a remove that is killed leaves what can still be listed and deleted.
func (d directory) remove() error {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == stateFile {
			continue
		}
		if err := os.RemoveAll(d.file(e.Name())); err != nil {
			return err
		}
	}
	return os.RemoveAll(d.path)
}

// save replaces state.json: written beside it, then renamed, so that a reader
// or a crash never meets half of one.
func (d directory) save(r *record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return d.write(stateFile, data)
}

func (d directory) write(name string, data []byte) error {
	const mode = 0o600
	temporary := d.file("." + name)
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_TRUNC|unix.O_NOFOLLOW|unix.O_CLOEXEC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return os.Rename(temporary, d.file(name))
}

// maxState bounds what is read of a state file.
const maxState = 32 << 20

func (d directory) read(name string) ([]byte, error) {
	f, err := os.OpenFile(d.file(name), os.O_RDONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() || st.Size() > maxState {
		return nil, &os.PathError{Op: "read", Path: f.Name(), Err: errors.New("not a file of ours")}
	}
	data := make([]byte, st.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}

// load reads state.json.
func (d directory) load() (*record, error) {
	data, err := d.read(stateFile)
	if err != nil {
		return nil, err
	}
	r := &record{}
	if err := json.Unmarshal(data, r); err != nil {
		return nil, &Error{
			Op: "read state", Path: d.file(stateFile), Err: err,
			Hint: "delete --force removes the container",
		}
	}
	if r.Schema > schema {
		return nil, &Error{
			Op: "read state", Path: d.file(stateFile),
			Err: fmt.Errorf("written by a newer rung (schema %d, this one knows %d)", r.Schema, schema),
		}
	}
	return r, nil
}

// loadHooks reads the hooks of the config as it was when the container was
// created. It is never nil without an error. The rest of the config is not
// decoded: start and delete have no use for it.
func (d directory) loadHooks() (*specs.Hooks, error) {
	var spec struct {
		Hooks specs.Hooks `json:"hooks"`
	}
	err := d.decodeSpec(&spec)
	return &spec.Hooks, err
}

// loadSpec reads the config as it was when the container was created.
func (d directory) loadSpec() (*specs.Spec, error) {
	spec := &specs.Spec{}
	return spec, d.decodeSpec(spec)
}

func (d directory) decodeSpec(v any) error {
	data, err := d.read(specFile)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return &Error{Op: "read state", Path: d.file(specFile), Err: err}
	}
	return nil
}

// lock takes the container's lock, waiting for at most timeout: that of the
// directory itself, which is there as long as the container is. Who has waited
// for a directory that was removed meanwhile gets fs.ErrNotExist, also if
// there is a new one of that name. The descriptor is not inherited by anything
// that is executed.
func (d directory) lock(timeout time.Duration) (*os.File, error) {
	f, err := d.open()
	if err != nil {
		return nil, err
	}
	const pause = 10 * time.Millisecond
	for deadline := time.Now().Add(timeout); ; time.Sleep(pause) {
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) || time.Now().After(deadline) {
			f.Close()
			return nil, &Error{Op: "lock", Path: d.path, Err: err, Hint: "another rung is at work on this container"}
		}
	}
	ours, err := f.Stat()
	if err == nil {
		var now os.FileInfo
		if now, err = os.Lstat(d.path); err == nil && os.SameFile(ours, now) {
			return f, nil
		}
	}
	f.Close()
	if err == nil {
		err = &os.PathError{Op: "lock", Path: d.path, Err: unix.ENOENT}
	}
	return nil, err
}

// locked tells whether somebody holds the lock.
func (d directory) locked() bool {
	f, err := d.open()
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

func (d directory) open() (*os.File, error) {
	return os.OpenFile(d.path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
}

// alive tells whether init still runs.
func (r *record) alive() bool { return linux.Alive(r.InitPid, r.InitStart) }

// root is the state root that the directory lies in.
func (d directory) root() string { return filepath.Dir(d.path) }

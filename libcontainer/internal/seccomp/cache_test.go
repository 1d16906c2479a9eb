//go:build cgo && !noseccomp

package seccomp

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// cacheDir is a place for a cache in a root that is ours alone.
func cacheDir(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	if err := os.Chmod(root, 0o711); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(root, unix.O_WRONLY|unix.O_TMPFILE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		t.Skipf("needs a filesystem with O_TMPFILE: %v", err)
	}
	unix.Close(fd)
	return filepath.Join(root, "@seccomp")
}

func smallProfile(t testing.TB) *specs.LinuxSeccomp {
	t.Helper()
	return parse(t, `{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/s","flags":["SECCOMP_FILTER_FLAG_LOG"],
		"syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]}`)
}

// entryOf is the file of a profile.
func entryOf(dir string, p *specs.LinuxSeccomp) string {
	k := key(p)
	return filepath.Join(dir, hex.EncodeToString(k[:]))
}

func TestCache(t *testing.T) {
	dir, p := cacheDir(t), smallProfile(t)
	want, err := Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, pass := range []string{"miss", "hit"} {
		got, err := CompileCached(dir, p)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, want %+v", pass, got, want)
		}
	}
	for path, want := range map[string]os.FileMode{dir: os.ModeDir | 0o700, entryOf(dir, p): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s: mode %s, want %s", path, info.Mode(), want)
		}
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 1 {
		t.Errorf("%d files, want 1 (%v)", len(names), err)
	}
}

// TestCacheIsUsed stores another program under the key: it must come back.
func TestCacheIsUsed(t *testing.T) {
	dir, p := cacheDir(t), smallProfile(t)
	if _, err := CompileCached(dir, p); err != nil {
		t.Fatal(err)
	}
	marked := &Program{Filter: bytes.Repeat([]byte{7}, insnSize), Flags: 5}
	if err := os.WriteFile(entryOf(dir, p), encode(marked, key(p)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := CompileCached(dir, p); err != nil || !reflect.DeepEqual(got, marked) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// TestCacheDistrust puts a program that the profile does not ask for where it
// must not be believed.
func TestCacheDistrust(t *testing.T) {
	root := func(t *testing.T) {
		t.Helper()
		if os.Geteuid() != 0 {
			t.Skip("needs root, to give files away")
		}
	}
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, spoil := range map[string]func(t *testing.T, dir, file string){
		"byte changed": func(t *testing.T, _, file string) {
			b, err := os.ReadFile(file)
			must(t, err)
			b[len(b)-1] ^= 1
			must(t, os.WriteFile(file, b, 0o600))
		},
		"flags changed": func(t *testing.T, _, file string) {
			b, err := os.ReadFile(file)
			must(t, err)
			b[atFlags] ^= 1
			must(t, os.WriteFile(file, b, 0o600))
		},
		"cut short": func(t *testing.T, _, file string) { must(t, os.Truncate(file, headerSize+insnSize/2)) },
		"empty":     func(t *testing.T, _, file string) { must(t, os.Truncate(file, 0)) },
		"too long":  func(t *testing.T, _, file string) { must(t, os.Truncate(file, largestFile+insnSize)) },
		"entry of another profile": func(t *testing.T, _, file string) {
			b := encode(&Program{Filter: make([]byte, insnSize)}, [32]byte{1})
			must(t, os.WriteFile(file, b, 0o600))
		},
		"readable by the group":     func(t *testing.T, _, file string) { must(t, os.Chmod(file, 0o640)) },
		"writable by others":        func(t *testing.T, _, file string) { must(t, os.Chmod(file, 0o602)) },
		"owner of the entry":        func(t *testing.T, _, file string) { root(t); must(t, os.Chown(file, 1234, 0)) },
		"second name":               func(t *testing.T, dir, file string) { must(t, os.Link(file, filepath.Join(dir, "x"))) },
		"directory closed to group": func(t *testing.T, dir, _ string) { must(t, os.Chmod(dir, 0o750)) },
		"owner of the directory":    func(t *testing.T, dir, _ string) { root(t); must(t, os.Chown(dir, 1234, 0)) },
		"root writable by group":    func(t *testing.T, dir, _ string) { must(t, os.Chmod(filepath.Dir(dir), 0o770)) },
		"root writable by others": func(t *testing.T, dir, _ string) {
			must(t, os.Chmod(filepath.Dir(dir), 0o777|os.ModeSticky))
		},
		"owner of the root": func(t *testing.T, dir, _ string) { root(t); must(t, os.Chown(filepath.Dir(dir), 1234, 0)) },
		"symlink as entry": func(t *testing.T, dir, file string) {
			must(t, os.Rename(file, filepath.Join(filepath.Dir(dir), "kept")))
			must(t, os.Symlink("../kept", file))
		},
		"symlink as directory": func(t *testing.T, dir, _ string) {
			must(t, os.Rename(dir, dir+".kept"))
			must(t, os.Symlink(dir+".kept", dir))
		},
		"fifo as entry": func(t *testing.T, _, file string) {
			must(t, os.Remove(file))
			must(t, unix.Mkfifo(file, 0o600))
		},
		"directory as entry": func(t *testing.T, _, file string) {
			must(t, os.Remove(file))
			must(t, os.Mkdir(file, 0o700))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, p := cacheDir(t), smallProfile(t)
			want, err := Compile(p)
			must(t, err)
			_, err = CompileCached(dir, p)
			must(t, err)
			// A believable entry with a wrong program.
			file := entryOf(dir, p)
			must(t, os.WriteFile(file, encode(&Program{Filter: bytes.Repeat([]byte{7}, insnSize)}, key(p)), 0o600))
			spoil(t, dir, file)
			got, err := CompileCached(dir, p)
			must(t, err)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}

// TestCacheHeals: an entry that was not believed is replaced.
func TestCacheHeals(t *testing.T) {
	dir, p := cacheDir(t), smallProfile(t)
	if _, err := CompileCached(dir, p); err != nil {
		t.Fatal(err)
	}
	file := entryOf(dir, p)
	if err := os.Truncate(file, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := CompileCached(dir, p); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() <= headerSize {
		t.Errorf("the entry is still broken: %v, %v", info, err)
	}
}

func TestCacheNoRoot(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "missing", "@seccomp")
	if _, err := CompileCached(dir, smallProfile(t)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(dir)); !os.IsNotExist(err) {
		t.Errorf("the root was made: %v", err)
	}
}

func TestCacheMistakeIsNotStored(t *testing.T) {
	dir := cacheDir(t)
	p := parse(t, `{"defaultAction":"SCMP_ACT_SCREAM"}`)
	for range 2 {
		if _, err := CompileCached(dir, p); err == nil {
			t.Fatal("accepted")
		}
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 0 {
		t.Errorf("%d files (%v)", len(names), err)
	}
}

func TestCacheBounded(t *testing.T) {
	dir := cacheDir(t)
	profile := func(errno uint) *specs.LinuxSeccomp {
		p := parse(t, `{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}`)
		p.Syscalls[0].ErrnoRet = &errno
		return p
	}
	const extra = 3
	for i := range uint(maxEntries + extra) {
		if _, err := CompileCached(dir, profile(i)); err != nil {
			t.Fatal(err)
		}
		past := time.Unix(int64(1000+i), 0)
		if err := os.Chtimes(entryOf(dir, profile(i)), past, past); err != nil {
			t.Fatal(err)
		}
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != maxEntries {
		t.Errorf("%d entries, want %d (%v)", len(names), maxEntries, err)
	}
	for i := range uint(maxEntries + extra) {
		if _, err := os.Stat(entryOf(dir, profile(i))); (err == nil) != (i >= extra) {
			t.Errorf("entry %d: %v", i, err)
		}
	}
}

// TestKey: whatever changes the program changes the key.
func TestKey(t *testing.T) {
	one, two := uint(1), uint(2)
	base := func() *specs.LinuxSeccomp {
		return &specs.LinuxSeccomp{
			DefaultAction: specs.ActErrno, DefaultErrnoRet: &one,
			Architectures: []specs.Arch{specs.ArchX86},
			ListenerPath:  "/s",
			Syscalls: []specs.LinuxSyscall{{
				Names: []string{"ab", "c"}, Action: specs.ActAllow,
				Args: []specs.LinuxSeccompArg{{Index: 1, Value: 2, ValueTwo: 3, Op: specs.OpEqualTo}},
			}},
		}
	}
	again := key(base())
	seen := map[[32]byte]string{key(base()): "base"}
	if _, ok := seen[again]; !ok {
		t.Error("one profile has two keys")
	}
	for name, change := range map[string]func(p *specs.LinuxSeccomp){
		"default action": func(p *specs.LinuxSeccomp) { p.DefaultAction = specs.ActKill },
		"default errno":  func(p *specs.LinuxSeccomp) { p.DefaultErrnoRet = &two },
		"no errno":       func(p *specs.LinuxSeccomp) { p.DefaultErrnoRet = nil },
		"architecture":   func(p *specs.LinuxSeccomp) { p.Architectures[0] = specs.ArchX32 },
		"architectures":  func(p *specs.LinuxSeccomp) { p.Architectures = append(p.Architectures, specs.ArchX32) },
		"empty flags":    func(p *specs.LinuxSeccomp) { p.Flags = []specs.LinuxSeccompFlag{} },
		"flags":          func(p *specs.LinuxSeccomp) { p.Flags = []specs.LinuxSeccompFlag{specs.LinuxSeccompFlagLog} },
		"no listener":    func(p *specs.LinuxSeccomp) { p.ListenerPath = "" },
		"names":          func(p *specs.LinuxSeccomp) { p.Syscalls[0].Names = []string{"a", "bc"} },
		"action":         func(p *specs.LinuxSeccomp) { p.Syscalls[0].Action = specs.ActLog },
		"errno":          func(p *specs.LinuxSeccomp) { p.Syscalls[0].ErrnoRet = &two },
		"index":          func(p *specs.LinuxSeccomp) { p.Syscalls[0].Args[0].Index = 2 },
		"value":          func(p *specs.LinuxSeccomp) { p.Syscalls[0].Args[0].Value = 1 << 40 },
		"second value":   func(p *specs.LinuxSeccomp) { p.Syscalls[0].Args[0].ValueTwo = 4 },
		"operator":       func(p *specs.LinuxSeccomp) { p.Syscalls[0].Args[0].Op = specs.OpNotEqual },
		"no rule":        func(p *specs.LinuxSeccomp) { p.Syscalls = nil },
		"rule twice":     func(p *specs.LinuxSeccomp) { p.Syscalls = append(p.Syscalls, p.Syscalls[0]) },
	} {
		p := base()
		change(p)
		if other, ok := seen[key(p)]; ok {
			t.Errorf("%s has the key of %s", name, other)
		}
		seen[key(p)] = name
	}
}

func BenchmarkCompileCachedDocker(b *testing.B) {
	dir, p := cacheDir(b), docker(b)
	if _, err := CompileCached(dir, p); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := CompileCached(dir, p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKeyDocker(b *testing.B) {
	p := docker(b)
	for b.Loop() {
		key(p)
	}
}

package linux

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// tree makes a directory with links of all sorts, in a directory that has
// things of the same names, which no lookup may find.
func tree(t *testing.T) *os.File {
	t.Helper()
	outside := t.TempDir()
	dir := outside + "/root"
	for _, name := range []string{"", "/a", "/a/b", "/a/b/c", "/d"} {
		must(t, os.Mkdir(dir+name, 0o755))
	}
	must(t, os.WriteFile(dir+"/a/f", nil, 0o644))
	must(t, os.WriteFile(outside+"/secret", nil, 0o644))
	for link, target := range map[string]string{
		"abs": "/a/b", "rel": "a/../d", "up": "../../../a", "out": "../secret", "loop": "loop",
		"a/back": "../rel", "a/b/far": "/../../abs/c", "dangling": "/made/by/us", "a/hop": "../dangling/x", "d/f": "../a/f",
	} {
		must(t, os.Symlink(target, dir+"/"+link))
	}
	root, err := os.Open(dir)
	must(t, err)
	t.Cleanup(func() { root.Close() })
	return root
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The walk without openat2(2) must find what the kernel finds.
func TestWalkFindsWhatTheKernelFinds(t *testing.T) {
	root := tree(t)
	names := []string{
		"a", "b", "c", "d", "f", "abs", "rel", "up", "out", "loop", "back", "far",
		"dangling", "hop", "..", ".", "", "none", "secret",
	}
	random := rand.New(rand.NewPCG(1, 2))
	found, refused := 0, 0
	for range 20000 {
		parts := make([]string, 1+random.IntN(5))
		for i := range parts {
			parts[i] = names[random.IntN(len(names))]
		}
		path := "/" + strings.Join(parts, "/")
		if strings.HasSuffix(path, "/") || strings.HasSuffix(path, "/.") {
			continue // asks for a directory; destinations are clean
		}
		flags := []int{0, unix.O_NOFOLLOW, unix.O_DIRECTORY}[random.IntN(3)]
		resolve := []uint64{0, unix.RESOLVE_NO_SYMLINKS}[random.IntN(2)]
		how := unix.OpenHow{
			Flags:   uint64(flags) | unix.O_PATH | unix.O_CLOEXEC,
			Resolve: resolve | unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
		}
		want, wantErr := retryOpenat2(root, path, &how)
		if errors.Is(wantErr, unix.ENOSYS) {
			t.Skip("needs openat2(2)")
		}
		got, err := walkInRoot(root, path, flags, resolve)
		if !errors.Is(err, wantErr) {
			t.Fatalf("%s, flags %x, resolve %x: got %v, the kernel says %v", path, flags, resolve, err, wantErr)
		}
		if err != nil {
			refused++
			continue
		}
		found++
		if a, b := inode(t, got), inode(t, want); a != b {
			t.Fatalf("%s: got %s, the kernel finds %s", path, a, b)
		}
		_, _ = unix.Close(got), unix.Close(want)
	}
	if found < 1000 || refused < 1000 {
		t.Errorf("%d found, %d refused: too few to mean much", found, refused)
	}
}

func inode(t *testing.T, fd int) string {
	t.Helper()
	var st unix.Stat_t
	must(t, unix.Fstat(fd, &st))
	return fmt.Sprintf("%x:%d", st.Dev, st.Ino)
}

func TestWalkLeavesNothingOpen(t *testing.T) {
	root := tree(t)
	before, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	for _, path := range []string{"/a/b/far/x", "/up/b", "/loop", "/a/f/x", "/a/b/../../d", "/"} {
		if fd, err := walkInRoot(root, path, 0, 0); err == nil {
			_ = unix.Close(fd)
		}
	}
	after, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	if len(after) != len(before) {
		t.Errorf("%d descriptors, before %d", len(after), len(before))
	}
}

func TestCreateInRoot(t *testing.T) {
	const dir, file = unix.S_IFDIR | 0o711, unix.S_IFREG | 0o644
	for name, tc := range map[string]struct {
		path    string
		mode    uint32
		flags   int
		resolve uint64
		real    string // below the root
		made    bool
		err     error
	}{
		"existing":          {path: "/a/b", mode: dir, real: "a/b"},
		"root":              {path: "/", mode: dir, real: "."},
		"directories":       {path: "/x//y/z/", mode: dir, real: "x/y/z", made: true},
		"file":              {path: "/x/y", mode: file, real: "x/y", made: true},
		"through a link":    {path: "/abs/new", mode: file, real: "a/b/new", made: true},
		"dots stay inside":  {path: "/../../new", mode: dir, real: "new", made: true},
		"dangling link":     {path: "/dangling", mode: file, real: "made/by/us", made: true},
		"dangling parent":   {path: "/dangling/deep/er", mode: dir, real: "made/by/us/deep/er", made: true},
		"chain of links":    {path: "/a/hop", mode: dir, real: "made/by/us/x", made: true},
		"link itself":       {path: "/dangling", mode: file, flags: unix.O_NOFOLLOW, real: "dangling"},
		"link out":          {path: "/out", mode: file, real: "secret", made: true},
		"loop":              {path: "/loop/x", mode: dir, err: unix.ELOOP},
		"below a file":      {path: "/a/f/x", mode: dir, err: unix.ENOTDIR},
		"no links":          {path: "/abs/new", mode: dir, resolve: unix.RESOLVE_NO_SYMLINKS, err: unix.ELOOP},
		"no dangling links": {path: "/dangling", mode: dir, resolve: unix.RESOLVE_NO_SYMLINKS, err: unix.ELOOP},
		"name too long":     {path: "/" + strings.Repeat("x", 300), mode: dir, err: unix.ENAMETOOLONG},
	} {
		t.Run(name, func(t *testing.T) {
			root := tree(t)
			f, made, err := CreateInRoot(root, tc.path, tc.mode, tc.flags, tc.resolve)
			if !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
				t.Fatalf("got %v, want %v", err, tc.err)
			}
			if err != nil {
				return
			}
			defer f.Close()
			if made != tc.made {
				t.Errorf("made is %v", made)
			}
			var want unix.Stat_t
			must(t, unix.Lstat(root.Name()+"/"+tc.real, &want))
			got, err := StatHandle(f)
			must(t, err)
			if got.Ino != want.Ino {
				t.Errorf("that is not %s", tc.real)
			}
			if made && want.Mode&unix.S_IFMT != tc.mode&unix.S_IFMT {
				t.Errorf("mode is %o", want.Mode)
			}
		})
	}
}

func TestCreateParent(t *testing.T) {
	root := tree(t)
	dir, name, err := CreateParent(root, "/up/../new/node")
	must(t, err)
	defer dir.Close()
	if name != "node" {
		t.Errorf("name is %q", name)
	}
	if _, err := os.Stat(root.Name() + "/new"); err != nil {
		t.Error(err)
	}
	if _, _, err := CreateParent(root, "/.."); err == nil {
		t.Error("the root has a parent")
	}
}

package seccomp

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// maxEntries bounds the cache. An engine sends a handful of profiles: its
// default with the rules of some sets of capabilities.
const maxEntries = 64

// CompileCached is Compile with a cache in dir, which it makes if its parent is
// there. It trusts only what nobody but this user can write: dir, its parent and
// the entry are of the effective user and closed to others; else, and after
// any mistake in the cache, it compiles.
func CompileCached(dir string, p *specs.LinuxSeccomp) (*Program, error) {
	if Version() == "" {
		return Compile(p) // the refusal of a build without libseccomp
	}
	d, err := openCache(dir)
	if err != nil {
		return Compile(p)
	}
	defer unix.Close(d)
	k := key(p)
	name := hex.EncodeToString(k[:])
	prog, err := readEntry(d, name, k)
	if err == nil {
		return prog, nil
	}
	broken := !errors.Is(err, unix.ENOENT)
	if prog, err = Compile(p); err != nil {
		return nil, err
	}
	if broken {
		_ = unix.Unlinkat(d, name, 0)
	}
	// What cannot be stored (a full or read-only filesystem) is compiled
	// again next time.
	if writeEntry(d, name, encode(prog, k)) == nil {
		prune(d)
	}
	return prog, nil
}

// openCache opens the directory of the cache and makes it if it is missing.
func openCache(dir string) (int, error) {
	parent, name := filepath.Split(filepath.Clean(dir))
	root, err := unix.Open(parent, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(root)
	if err := trusted(root, unix.S_IFDIR, 0o022); err != nil {
		return -1, err
	}
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	d, err := unix.Openat(root, name, flags, 0)
	if err == unix.ENOENT {
		if err := unix.Mkdirat(root, name, 0o700); err != nil && err != unix.EEXIST {
			return -1, err
		}
		d, err = unix.Openat(root, name, flags, 0)
	}
	if err != nil {
		return -1, err
	}
	if err := trusted(d, unix.S_IFDIR, 0o077); err != nil {
		unix.Close(d)
		return -1, err
	}
	return d, nil
}

// trusted checks that a descriptor is of that type, belongs to the effective
// user and has none of the forbidden permissions.
func trusted(fd int, kind, forbidden uint32) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	return judge(&st, kind, forbidden)
}

func judge(st *unix.Stat_t, kind, forbidden uint32) error {
	switch {
	case st.Mode&unix.S_IFMT != kind:
		return fmt.Errorf("type %#o", st.Mode&unix.S_IFMT)
	case int64(st.Uid) != int64(os.Geteuid()):
		return fmt.Errorf("owner %d", st.Uid)
	case st.Mode&forbidden != 0:
		return fmt.Errorf("mode %#o", st.Mode)
	}
	return nil
}

// readEntry reads and verifies an entry.
func readEntry(d int, name string, key [sha256.Size]byte) (*Program, error) {
	// O_NONBLOCK: not to wait for the writer of a fifo (open(2)).
	fd, err := unix.Openat(d, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if err := judge(&st, unix.S_IFREG, 0o177); err != nil {
		return nil, err
	}
	if st.Nlink != 1 || st.Size > largestFile {
		return nil, errEntry
	}
	b := make([]byte, st.Size)
	for n := 0; n < len(b); {
		m, err := unix.Read(fd, b[n:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if m == 0 {
			return nil, errEntry
		}
		n += m
	}
	return decodeEntry(b, key)
}

// writeEntry stores an entry, whole or not at all. The file has no name until it
// is complete, so that a runtime that is killed leaves nothing; a filesystem
// without O_TMPFILE has no cache.
func writeEntry(d int, name string, b []byte) error {
	fd, err := unix.Openat(d, ".", unix.O_WRONLY|unix.O_TMPFILE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	// By descriptor it takes CAP_DAC_READ_SEARCH, before Linux 6.10; by
	// /proc nothing but /proc (linkat(2), AT_EMPTY_PATH).
	if unix.Linkat(fd, "", d, name, unix.AT_EMPTY_PATH) == nil {
		return nil
	}
	return unix.Linkat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", fd), d, name, unix.AT_SYMLINK_FOLLOW)
}

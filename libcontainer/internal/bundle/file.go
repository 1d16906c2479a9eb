package bundle

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sys/unix"
)

// MaxSize is the largest document that is read. Engines send some tens of
// kilobytes; annotations of Kubernetes are bounded to 256 KiB.
const MaxSize = 16 << 20

func errTooLarge() error {
	return fmt.Errorf("larger than %d MiB", MaxSize>>20)
}

// readFile reads a regular file whole. It never waits: a FIFO is opened without
// its writer, then refused.
func readFile(path string) ([]byte, error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	})
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, err
	}
	if err := checkRegular(&st); err != nil {
		return nil, err
	}
	// One byte more than the file has, so that the read that finds the end
	// needs no larger buffer.
	buf := make([]byte, 0, st.Size+1)
	for {
		n, err := retry(func() (int, error) { return unix.Read(fd, buf[len(buf):cap(buf)]) })
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return buf, nil
		}
		buf = buf[:len(buf)+n]
		if len(buf) > MaxSize {
			return nil, errTooLarge()
		}
		if len(buf) == cap(buf) {
			buf = slices.Grow(buf, 4096)
		}
	}
}

func checkRegular(st *unix.Stat_t) error {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		return unix.EISDIR
	case unix.S_IFIFO:
		return errors.New("a named pipe, not a regular file")
	default:
		return errors.New("not a regular file")
	}
	if st.Size > MaxSize {
		return errTooLarge()
	}
	return nil
}

// retry repeats a call that a signal interrupts: FUSE and NFS do so even for
// regular files.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR { //nolint:errorlint // a bare errno
			return n, err
		}
	}
}

// readAll is readFile for a stream.
func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxSize {
		return nil, errTooLarge()
	}
	return data, nil
}

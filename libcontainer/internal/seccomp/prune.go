package seccomp

import (
	"cmp"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// prune removes the oldest entries beyond maxEntries.
func prune(d int) {
	// A description of its own: the position of a directory is shared.
	fd, err := unix.Openat(d, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	dir := os.NewFile(uintptr(fd), "@seccomp")
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil || len(names) <= maxEntries {
		return
	}
	type file struct {
		name string
		time int64
	}
	files := make([]file, 0, len(names))
	for _, name := range names {
		var st unix.Stat_t
		if unix.Fstatat(d, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
			files = append(files, file{name, st.Mtim.Nano()})
		}
	}
	slices.SortFunc(files, func(a, b file) int { return cmp.Compare(a.time, b.time) })
	for _, f := range files[:max(0, len(files)-maxEntries)] {
		_ = unix.Unlinkat(d, f.name, 0)
	}
}

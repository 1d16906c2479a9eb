package initproc

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// When changeDirectory is called (Step.Flags of OpChdir).
const (
	asRoot = 1 // before the ids change
	asUser = 2 // after
)

// changeDirectory enters the working directory as root, who may where the user
// may not; where root may not (a directory on a network filesystem), as the
// user. Then the directory must lie inside the root: "/proc/self/fd/N" in the
// image or the spec would be one outside (CVE-2024-21626).
func (p *initProcess) changeDirectory(path string, when uint64) error {
	if when == asUser && !p.chdirAgain {
		return insideRoot()
	}
	err := unix.Chdir(path)
	if when == asRoot && errors.Is(err, unix.EACCES) {
		p.chdirAgain = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("chdir %s: %w", path, err)
	}
	return insideRoot()
}

// insideRoot asks the kernel: the path of a directory that cannot be reached
// from the root begins with "(unreachable)", or is an error (getcwd(2)).
func insideRoot() error {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Getcwd(buf)
	if errors.Is(err, unix.ENOENT) {
		return errors.New("current working directory is outside of container mount namespace root")
	}
	if err != nil {
		return fmt.Errorf("getcwd: %w", err)
	}
	if n < 1 || !strings.HasPrefix(string(buf[:n]), "/") {
		return errors.New("current working directory is outside of container mount namespace root")
	}
	return nil
}

package spawn

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rung-run/rung/libcontainer/internal/fault"
	"github.com/rung-run/rung/libcontainer/internal/plan"
	"golang.org/x/sys/unix"
)

// WriteMaps writes the id maps of the child's new user namespace: itself where
// it may, else by newuidmap and newgidmap, which know the caller's
// subordinate ids (user_namespaces(7), newuidmap(1)).
func (c *Child) WriteMaps(ctx context.Context, uids, gids []plan.IDMap, self plan.Host) error {
	dir := "/proc/" + strconv.Itoa(c.Pid) + "/"
	privileged := self.EUID == 0
	if !privileged && ownID(gids, self.EGID) {
		// Without privilege a group may be mapped only when setgroups(2) can
		// no longer drop one that denies access.
		if err := writeProc(dir+"setgroups", "deny"); err != nil {
			return &fault.Error{Op: "deny setgroups", Path: dir + "setgroups", Err: err}
		}
	}
	if err := writeMap(ctx, c.Pid, dir+"gid_map", "newgidmap", gids, privileged || ownID(gids, self.EGID)); err != nil {
		return &fault.Error{Op: "map", Field: "linux.gidMappings", Err: err, Hint: subordinateHint(err, "gid")}
	}
	if err := writeMap(ctx, c.Pid, dir+"uid_map", "newuidmap", uids, privileged || ownID(uids, self.EUID)); err != nil {
		return &fault.Error{Op: "map", Field: "linux.uidMappings", Err: err, Hint: subordinateHint(err, "uid")}
	}
	return nil
}

func ownID(maps []plan.IDMap, id uint32) bool {
	return len(maps) == 1 && maps[0].Size == 1 && maps[0].HostID == id
}

func writeMap(ctx context.Context, pid int, path, program string, maps []plan.IDMap, direct bool) error {
	if direct {
		return writeProc(path, mapText(maps))
	}
	name, err := findProgram(program)
	if err != nil {
		return err
	}
	args := []string{strconv.Itoa(pid)}
	for _, m := range maps {
		args = append(args, id(m.ContainerID), id(m.HostID), id(m.Size))
	}
	cmd := exec.CommandContext(ctx, name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	// It may be anybody's program that PATH leads to: with what it has started it
	// is killed when the start is given up, or when we are. The latter is bound
	// to the thread, and not for a program with the set-user-ID bit
	// (PR_SET_PDEATHSIG(2const)).
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGKILL}
	cmd.Cancel = func() error { return unix.Kill(-cmd.Process.Pid, unix.SIGKILL) }
	cmd.WaitDelay = time.Second
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, strings.TrimSpace(stderr.String()))
	}
	return nil
}

// findProgram finds a program also where the caller's environment names no
// PATH: engines may pass none.
func findProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err == nil {
		return path, nil
	}
	for _, dir := range [...]string{"/usr/bin", "/bin", "/usr/local/bin", "/usr/sbin", "/sbin"} {
		if found, e := exec.LookPath(dir + "/" + name); e == nil {
			return found, nil
		}
	}
	return "", err
}

func subordinateHint(err error, kind string) string {
	var exit *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return "install the package that has new" + kind + "map: uidmap or shadow-utils"
	case errors.As(err, &exit):
		return "is the range in /etc/sub" + kind + "?"
	default:
		return ""
	}
}

func id(n uint32) string { return strconv.FormatUint(uint64(n), 10) }

func mapText(maps []plan.IDMap) string {
	var b strings.Builder
	for _, m := range maps {
		fmt.Fprintf(&b, "%d %d %d\n", m.ContainerID, m.HostID, m.Size)
	}
	return b.String()
}

// writeProc writes in one write(2): the kernel takes a map only whole.
func writeProc(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

package initproc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/plan"
)

// maxPasswd bounds how much of the image's passwd file is read.
const maxPasswd = 16 << 20

// findHome finds the user's home directory in the container's /etc/passwd. A
// missing or odd file means none: the program gets "/".
func (p *initProcess) findHome(uid uint32) error {
	p.home = "/"
	// Not blocking: the file is the image's, and may be a FIFO.
	fd, err := unix.Open("/etc/passwd", unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil
	}
	f := os.NewFile(uintptr(fd), "/etc/passwd")
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil
	}
	p.home = homeOf(io.LimitReader(f, maxPasswd), uid)
	return nil
}

// homeOf finds the sixth field of the line whose third is uid (passwd(5)).
// Names are not looked at: a name made of digits is no id (CVE-2016-3697).
func homeOf(passwd io.Reader, uid uint32) string {
	want := strconv.FormatUint(uint64(uid), 10)
	lines := bufio.NewScanner(passwd)
	for lines.Scan() {
		const id, home, fields = 2, 5, 6
		f := strings.Split(lines.Text(), ":")
		if len(f) >= fields && f[id] == want && f[home] != "" {
			return f[home]
		}
	}
	return "/"
}

// lookup finds the program in the PATH of the spec and checks that it can be
// executed, as the user that will do it: a missing command fails create.
func (p *initProcess) lookup(e *plan.Exec) error {
	p.args = e
	name := e.Args[0]
	if strings.Contains(name, "/") {
		if err := executable(name); err != nil {
			return fmt.Errorf("exec: %q: %w", name, err)
		}
		p.program = name
		return nil
	}
	var denied error
	search := variable(e.Env, "PATH")
	if search == "" {
		// Not the working directory, which is what an empty name in a PATH means.
		return fmt.Errorf("exec: %q: executable file not found in $PATH", name)
	}
	for dir := range strings.SplitSeq(search, ":") {
		if dir == "" {
			dir = "." // as the shell does
		}
		path := dir + "/" + name
		err := executable(path)
		if err == nil {
			p.program = path
			return nil
		}
		if errors.Is(err, fs.ErrPermission) && denied == nil {
			denied = err
		}
	}
	if denied != nil {
		return fmt.Errorf("exec: %q: %w", name, denied)
	}
	return fmt.Errorf("exec: %q: executable file not found in $PATH", name)
}

func executable(path string) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return unix.EISDIR
	}
	// With the effective ids, which Access alone would not ask for.
	err := unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		err = nil // a kernel or filter without faccessat2: execve will tell
	}
	if err == nil && st.Mode&0o111 == 0 {
		err = unix.EACCES // root may access, but not execute it
	}
	return err
}

// variable is the value of the last NAME=VALUE of env.
func variable(env []string, name string) string {
	for _, e := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	return ""
}

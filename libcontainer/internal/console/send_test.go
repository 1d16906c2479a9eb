package console

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// listen makes a socket of kind at path; a backlog below 0: it is only bound.
func listen(t *testing.T, path string, kind, backlog int) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_UNIX, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	// Bound below its directory: path may be too long for an address.
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	name := "/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + filepath.Base(path)
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: name}); err != nil {
		t.Fatal(err)
	}
	if backlog >= 0 {
		if err := unix.Listen(fd, backlog); err != nil {
			t.Fatal(err)
		}
	}
	return fd
}

// receive accepts one connection, and reads one message and the end.
func receive(t *testing.T, listener int) (payload string, fds []int) {
	t.Helper()
	conn, _, err := unix.Accept(listener)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(conn)
	buf, oob := make([]byte, 8192), make([]byte, 256)
	n, oobn, _, _, err := unix.Recvmsg(conn, buf, oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d control messages, %v", len(messages), err)
	}
	if fds, err = unix.ParseUnixRights(&messages[0]); err != nil {
		t.Fatal(err)
	}
	if more, _, err := unix.Recvfrom(conn, make([]byte, 1), 0); more != 0 || err != nil {
		t.Errorf("then %d bytes, %v", more, err)
	}
	return string(buf[:n]), fds
}

func TestSend(t *testing.T) {
	long := t.TempDir()
	for len(long) < 300 {
		long = filepath.Join(long, strings.Repeat("d", 50))
	}
	if err := os.MkdirAll(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"short":     filepath.Join(t.TempDir(), "s"),
		"directory": filepath.Join(long, "s"),
		"name":      filepath.Join(t.TempDir(), strings.Repeat("n", 80)),
	} {
		t.Run(name, func(t *testing.T) {
			listener := listen(t, path, unix.SOCK_STREAM, 1)
			master, slave := newPTY(t)
			checkError(t, Send(path, master), "")
			payload, fds := receive(t, listener)
			if len(fds) != 1 {
				t.Fatalf("%d descriptors", len(fds))
			}
			got := os.NewFile(uintptr(fds[0]), "received")
			defer got.Close()
			if target, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(slave.Fd()))); err != nil || payload != target {
				t.Errorf("payload %q, the slave is %q, %v", payload, target, err)
			}
			if _, err := got.WriteString("x\n"); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 8)
			if n, err := slave.Read(buf); err != nil || string(buf[:n]) != "x\n" {
				t.Errorf("slave reads %q, %v", buf[:n], err)
			}
		})
	}
}

func TestSendFD(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener := listen(t, path, unix.SOCK_STREAM, 1)
	fd, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		t.Fatal(err)
	}
	pidfd := os.NewFile(uintptr(fd), "pidfd")
	defer pidfd.Close()
	for name, tc := range map[string]struct{ payload, err string }{
		"word":     {payload: "setns"},
		"longest":  {payload: strings.Repeat("x", 4095)},
		"empty":    {err: "send to " + path + ": a payload of 0 bytes, not of 1 to 4095"},
		"too long": {payload: strings.Repeat("x", 4096), err: "send to " + path + ": a payload of 4096 bytes, not of 1 to 4095"},
	} {
		t.Run(name, func(t *testing.T) {
			checkError(t, SendFD(path, tc.payload, pidfd), tc.err)
			if tc.err != "" {
				return
			}
			payload, fds := receive(t, listener)
			if payload != tc.payload || len(fds) != 1 {
				t.Fatalf("payload %q and %d descriptors", payload, len(fds))
			}
			if err := unix.PidfdSendSignal(fds[0], 0, nil, 0); err != nil {
				t.Errorf("no pidfd: %v", err)
			}
			_ = unix.Close(fds[0])
		})
	}
}

func TestSendErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	listen(t, dir+"/bound", unix.SOCK_STREAM, -1)
	listen(t, dir+"/packets", unix.SOCK_SEQPACKET, 1)
	listen(t, dir+"/full", unix.SOCK_STREAM, 0)
	f, err := os.Open("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	checkError(t, SendFD(dir+"/full", "x", f), "") // takes the only place
	for name, tc := range map[string]struct {
		path, err string
		errno     unix.Errno
	}{
		"missing":           {"/none", "open " + dir + "/none: no such file or directory", unix.ENOENT},
		"missing directory": {"/none/s", "open " + dir + "/none/s: no such file or directory", unix.ENOENT},
		"file":              {"/file", dir + "/file is not a socket", 0},
		"directory":         {"", dir + " is not a socket", 0},
		"nobody listens":    {"/bound", "connect to " + dir + "/bound: connection refused (nobody listens there)", unix.ECONNREFUSED},
		"another type":      {"/packets", "connect to " + dir + "/packets: protocol wrong type for socket", unix.EPROTOTYPE},
		"nobody accepts":    {"/full", "connect to " + dir + "/full: nobody accepts connections there: connection timed out after 300ms", unix.ETIMEDOUT},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			err := send(dir+tc.path, "x", f, 300*time.Millisecond)
			checkError(t, err, tc.err)
			if tc.errno != 0 && !errors.Is(err, tc.errno) {
				t.Errorf("%v does not wrap %v", err, tc.errno)
			}
			if took := time.Since(start); took > 3*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

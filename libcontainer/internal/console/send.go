package console

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// patience is how long a peer that listens may take to have room for us.
	patience = 10 * time.Second
	// longestPayload is what receivers are prepared for beside a descriptor.
	longestPayload = 4095
)

// Send sends the master of a terminal to the unix stream socket at path, in
// one message whose payload is the terminal's name.
func Send(path string, master *os.File) error {
	name := master.Name()
	if n, err := unix.IoctlGetUint32(int(master.Fd()), unix.TIOCGPTN); err == nil {
		name = "/dev/pts/" + strconv.FormatUint(uint64(n), 10)
	}
	return SendFD(path, name, master)
}

// SendFD sends one message to the unix stream socket at path: payload, of 1 to
// 4095 bytes, and the descriptor of f (SCM_RIGHTS, unix(7)). It does not wait
// for the peer to accept or read it, but at most ten seconds for a place in
// its queue.
func SendFD(path, payload string, f *os.File) error {
	return send(path, payload, f, patience)
}

func send(path, payload string, f *os.File, timeout time.Duration) error {
	if payload == "" || len(payload) > longestPayload {
		return fmt.Errorf("send to %s: a payload of %d bytes, not of 1 to %d", path, len(payload), longestPayload)
	}
	socket, err := connect(path, timeout)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	rights := unix.UnixRights(int(f.Fd()))
	for {
		err := unix.Sendmsg(socket, []byte(payload), rights, nil, unix.MSG_NOSIGNAL)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		default:
			return &os.PathError{Op: "send to", Path: path, Err: err}
		}
	}
}

// connect connects through a handle of the socket's inode: an address has room
// for 107 bytes only, and the handle tells what is there.
func connect(path string, timeout time.Duration) (int, error) {
	inode, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(inode)
	var st unix.Stat_t
	if err := unix.Fstat(inode, &st); err != nil {
		return -1, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		return -1, fmt.Errorf("%s is not a socket", path)
	}
	socket, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	address := &unix.SockaddrUnix{Name: "/proc/self/fd/" + strconv.Itoa(inode)}
	if err := connectBefore(socket, address, time.Now().Add(timeout)); err != nil {
		_ = unix.Close(socket)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return -1, fmt.Errorf("connect to %s: nobody accepts connections there: %w after %s", path, unix.ETIMEDOUT, timeout)
		case errors.Is(err, unix.ECONNREFUSED):
			return -1, fmt.Errorf("connect to %s: %w (nobody listens there)", path, err)
		default:
			return -1, &os.PathError{Op: "connect to", Path: path, Err: err}
		}
	}
	return socket, nil
}

// connectBefore is connect(2), which waits while the listener's queue is full;
// then EAGAIN. The bound holds for what is sent later, too (SO_SNDTIMEO,
// socket(7)).
func connectBefore(socket int, address unix.Sockaddr, deadline time.Time) error {
	for {
		// 0 would be no bound.
		left := unix.NsecToTimeval(max(time.Until(deadline), time.Millisecond).Nanoseconds())
		if err := unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &left); err != nil {
			return os.NewSyscallError("setsockopt(SO_SNDTIMEO)", err)
		}
		err := unix.Connect(socket, address)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
		if !time.Now().Before(deadline) {
			return unix.EAGAIN
		}
	}
}

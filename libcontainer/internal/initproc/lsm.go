package initproc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// applyAppArmor sets the profile for the coming execve. The file is reached
// through a verified /proc: a fake one in the image would take the write and
// leave the process unconfined (CVE-2019-16884, CVE-2023-28642).
func (p *initProcess) applyAppArmor(profile string) error {
	data := "exec " + profile
	err := p.proc.WriteThreadSelf("attr/apparmor/exec", data)
	if errors.Is(err, fs.ErrNotExist) { // before Linux 5.8
		err = p.proc.WriteThreadSelf("attr/exec", data)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("AppArmor is not enabled on this host, or does not know profile %q: %w", profile, err)
	}
	return err
}

// applySELinux sets the label for the coming execve (selinux(8),
// /proc/thread-self/attr/exec).
func (p *initProcess) applySELinux(label string) error {
	err := p.proc.WriteThreadSelf("attr/exec", label)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("SELinux is not enabled on this host, or does not know label %q: %w", label, err)
	}
	return err
}

// writeSysctl writes below /proc/sys of a verified /proc (CVE-2025-52881). It
// shows the namespaces of the process that opens the file: ours.
func (p *initProcess) writeSysctl(path, value string) error {
	if path == "kernel/domainname" {
		// Its file is the machine's root's alone, also where the UTS namespace
		// is our user namespace's; the call goes by the latter (uname(2)).
		return os.NewSyscallError("setdomainname", unix.Setdomainname([]byte(value)))
	}
	return p.proc.Write("sys/"+path, value)
}

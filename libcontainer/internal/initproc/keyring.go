package initproc

import (
	"errors"

	"golang.org/x/sys/unix"
)

// joinKeyring gives the container a session keyring of its own, so that it
// cannot read the caller's keys (session-keyring(7)). A sandbox without
// keyrings has none to protect.
func joinKeyring(name string) error {
	ring, err := unix.KeyctlJoinSessionKeyring(name)
	if errors.Is(err, unix.ENOSYS) {
		return nil
	}
	if err != nil {
		return err
	}
	// All processes of the container's user may search and link it.
	const userSearch = 0x080000
	perm, err := describePermissions(ring)
	if err != nil {
		return err
	}
	return unix.KeyctlSetperm(ring, perm|userSearch)
}

// describePermissions reads the permission mask: the fourth field of
// "type;uid;gid;perm;description" (keyctl_describe(3)), in hexadecimal.
func describePermissions(ring int) (uint32, error) {
	text, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, ring)
	if err != nil {
		return 0, err
	}
	var perm uint32
	field := 0
	for i := range len(text) {
		c := text[i]
		switch {
		case c == ';':
			field++
		case field != 3:
		case c >= '0' && c <= '9':
			perm = perm<<4 | uint32(c-'0')
		case c >= 'a' && c <= 'f':
			perm = perm<<4 | uint32(c-'a'+10)
		}
	}
	return perm, nil
}

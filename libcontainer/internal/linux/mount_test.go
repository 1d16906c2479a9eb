package linux

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

func TestMountFlagsBothWays(t *testing.T) {
	for name, tc := range map[string]struct {
		attr   uint64
		flags  uintptr
		statfs uint64
	}{
		"default":     {attr: 0, flags: unix.MS_RELATIME, statfs: unix.ST_RELATIME},
		"read-only":   {attr: unix.MOUNT_ATTR_RDONLY, flags: unix.MS_RDONLY | unix.MS_RELATIME, statfs: unix.ST_RDONLY | unix.ST_RELATIME},
		"noatime":     {attr: unix.MOUNT_ATTR_NOATIME, flags: unix.MS_NOATIME, statfs: unix.ST_NOATIME},
		"strictatime": {attr: unix.MOUNT_ATTR_STRICTATIME, flags: unix.MS_STRICTATIME, statfs: 0},
		"many": {
			attr:   unix.MOUNT_ATTR_NOSUID | unix.MOUNT_ATTR_NODEV | unix.MOUNT_ATTR_NOEXEC | unix.MOUNT_ATTR_NODIRATIME | unix.MOUNT_ATTR_NOSYMFOLLOW,
			flags:  unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NODIRATIME | unix.MS_NOSYMFOLLOW | unix.MS_RELATIME,
			statfs: unix.ST_NOSUID | unix.ST_NODEV | unix.ST_NOEXEC | unix.ST_NODIRATIME | 0x2000 | unix.ST_RELATIME,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := mountFlags(tc.attr); got != tc.flags {
				t.Errorf("flags %#x, want %#x", got, tc.flags)
			}
			if got := mountAttr(tc.statfs); got != tc.attr {
				t.Errorf("attributes %#x, want %#x", got, tc.attr)
			}
		})
	}
}

// A value of access time is replaced as a whole (mount_setattr(2), ERRORS).
func TestWithAtime(t *testing.T) {
	for name, tc := range map[string]struct{ set, clr, want uint64 }{
		"none":  {set: unix.MOUNT_ATTR_RDONLY, clr: unix.MOUNT_ATTR_NODEV, want: unix.MOUNT_ATTR_NODEV},
		"set":   {set: unix.MOUNT_ATTR_NOATIME, want: unix.MOUNT_ATTR__ATIME},
		"clear": {clr: unix.MOUNT_ATTR_NOATIME, want: unix.MOUNT_ATTR__ATIME},
	} {
		t.Run(name, func(t *testing.T) {
			if got := withAtime(tc.set, tc.clr); got != tc.want {
				t.Errorf("got %#x, want %#x", got, tc.want)
			}
		})
	}
}

func TestUnquoted(t *testing.T) {
	for name, tc := range map[string]struct{ key, value, want string }{
		"label":      {"context", `"a:b:c0,c1"`, "a:b:c0,c1"},
		"other key":  {"lowerdir", `"x"`, `"x"`},
		"no quotes":  {"rootcontext", "a:b", "a:b"},
		"one quote":  {"context", `"`, `"`},
		"empty pair": {"context", `""`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := unquoted(tc.key, tc.value); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestFSError(t *testing.T) {
	for name, tc := range map[string]struct {
		err  FSError
		text string
		try  bool
	}{
		"option":     {FSError{"fsconfig", "x=1", "tmpfs: Unknown parameter 'x'", unix.EINVAL}, "fsconfig x=1: tmpfs: Unknown parameter 'x': invalid argument", true},
		"create":     {FSError{"fsconfig", "", "", unix.EINVAL}, "fsconfig: invalid argument", true},
		"forbidden":  {FSError{"fsconfig", "", "", unix.EPERM}, "fsconfig: operation not permitted", false},
		"no such fs": {FSError{"fsopen", "nofs", "", unix.ENODEV}, "fsopen nofs: no such device", false},
		"sandbox":    {FSError{"fsopen", "proc", "", unix.ENOSYS}, "fsopen proc: function not implemented", true},
	} {
		t.Run(name, func(t *testing.T) {
			if errors.Is(&tc.err, unix.EPERM) && Refused(CallFsopen) {
				t.Skip("needs CAP_SYS_ADMIN")
			}
			if got := tc.err.Error(); got != tc.text {
				t.Errorf("got %q", got)
			}
			if got := tc.err.TryMount(); got != tc.try {
				t.Errorf("TryMount is %v", got)
			}
			if !errors.Is(fmt.Errorf("x: %w", &tc.err), tc.err.Err) {
				t.Error("the errno is lost")
			}
		})
	}
}

// The kernel's own EPERM is not a sandbox's.
func TestBlocked(t *testing.T) {
	if Refused(CallOpenat2) {
		t.Skip("a sandbox refuses openat2(2) here")
	}
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"ENOSYS": {unix.ENOSYS, true}, "EPERM": {unix.EPERM, false}, "EINVAL": {unix.EINVAL, false}, "none": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			for call := CallOpenat2; call <= CallCloseRange; call++ {
				admin := call == CallMoveMount || call == CallFsopen
				if admin && Refused(CallFsopen) {
					continue // no CAP_SYS_ADMIN
				}
				if got := Blocked(call, tc.err); got != tc.want {
					t.Errorf("call %d: %v", call, got)
				}
			}
		})
	}
}

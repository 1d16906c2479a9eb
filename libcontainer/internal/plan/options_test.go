package plan

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParseOptions(t *testing.T) {
	const ( // linux/mount.h
		ro, nosuid, nodev, noexec       = 1, 2, 4, 8
		noatime, strict, times          = 0x10, 0x20, 0x70
		nodir, nosym                    = 0x80, 0x200000
		rec, unbindable, private, slave = 1 << 14, 1 << 17, 1 << 18, 1 << 19
		shared                          = 1 << 20
	)
	attr := func(set, clr uint64) Mount { return Mount{Attr: MountAttr{set, clr}} }
	rattr := func(set, clr uint64) Mount { return Mount{RecAttr: MountAttr{set, clr}} }
	spread := func(types ...uint64) Mount { return Mount{Propagation: types} }
	for in, want := range map[string]Mount{
		"": {}, "defaults": {}, "silent,loud,noiversion": {},
		"ro": attr(ro, 0), "rw": attr(0, ro), "ro,rw": attr(0, ro), "rw,ro": attr(ro, 0),
		"nosuid,nodev,noexec": attr(nosuid|nodev|noexec, 0), "suid,dev,exec": attr(0, nosuid|nodev|noexec),
		"nodiratime,nosymfollow": attr(nodir|nosym, 0), "diratime,symfollow": attr(0, nodir|nosym),

		"noatime": attr(noatime, times), "atime": attr(0, times), "strictatime": attr(strict, times),
		"relatime": attr(0, times), "norelatime": attr(0, times), "nostrictatime": attr(0, times),
		"noatime,strictatime": attr(strict, times), "strictatime,noatime,ro": attr(noatime|ro, times),
		"noatime,norelatime": attr(noatime, times), "noatime,nostrictatime": attr(noatime, times),
		"strictatime,nostrictatime": attr(0, times), "noatime,atime": attr(0, times),
		"strictatime,norelatime": attr(strict, times), "noatime,relatime": attr(0, times),

		"rro": rattr(ro, 0), "rrw": rattr(0, ro), "rnosuid,rnodev,rnoexec": rattr(nosuid|nodev|noexec, 0),
		"rsuid,rdev,rexec": rattr(0, nosuid|nodev|noexec), "rnoatime": rattr(noatime, times),
		"ratime": rattr(0, times), "rstrictatime": rattr(strict, times), "rnostrictatime": rattr(0, times),
		"rrelatime": rattr(0, times), "rnorelatime": rattr(0, times), "rnoatime,rnorelatime": rattr(noatime, times),
		"rnodiratime,rnosymfollow": rattr(nodir|nosym, 0), "rdiratime,rsymfollow": rattr(0, nodir|nosym),
		"rro,rw": {Attr: MountAttr{0, ro}, RecAttr: MountAttr{ro, 0}},

		"shared": spread(shared), "rshared": spread(shared | rec), "slave": spread(slave),
		"rslave,rshared": spread(slave|rec, shared|rec), "private": spread(private), "rprivate": spread(private | rec),
		"unbindable": spread(unbindable), "runbindable": spread(unbindable | rec),

		"size=1m,sync,dirsync,lazytime": {Data: []string{"size=1m", "sync", "dirsync", "lazytime"}},
		"async,nomand,mand,nolazytime":  {Data: []string{"async", "nomand", "mand", "nolazytime"}},
		"iversion,acl,noacl":            {Data: []string{"iversion", "acl", "noacl"}},
		"copy-symlink,ro=1":             {Data: []string{"copy-symlink", "ro=1"}},

		"bind": {}, "rbind": {Recursive: true}, "rbind,bind": {Recursive: true},
		"tmpcopyup": {CopyUp: true}, "src-nofollow": {NoFollowSource: true}, "dest-nofollow": {NoFollowDestination: true},
		"idmap": {}, "ridmap": {IDMapRecursive: true}, "ridmap=uids=0-0-1;gids=0-0-1": {IDMapRecursive: true},
	} {
		t.Run("="+in, func(t *testing.T) {
			r := parseOptions(mountOptions(), strings.Split(in, ","))
			if !reflect.DeepEqual(r.Mount, want) {
				t.Errorf("got  %+v\nwant %+v", r.Mount, want)
			}
			if bind := strings.Contains(in, "bind") && !strings.Contains(in, "bindable"); r.bind != bind {
				t.Errorf("bind: %v", r.bind)
			}
			if idmap := strings.Contains(in, "idmap"); r.idmap != idmap {
				t.Errorf("idmap: %v", r.idmap)
			}
		})
	}
}

// TestMountOptions holds the list to the table of runtime-spec 1.3.0,
// config.md, "Linux mount options".
func TestMountOptions(t *testing.T) {
	names := MountOptions()
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("not sorted, or a name twice: %q", names)
	}
	for want := range strings.FieldsSeq(`async atime bind defaults dev diratime dirsync exec iversion lazytime loud
		mand noatime nodev nodiratime noexec noiversion nolazytime nomand norelatime nostrictatime nosuid
		nosymfollow private ratime rbind rdev rdiratime relatime remount rexec rnoatime rnodiratime rnoexec
		rnorelatime rnostrictatime rnosuid rnosymfollow ro rprivate rrelatime rro rrw rshared rslave rstrictatime
		rsuid rsymfollow runbindable rw shared silent slave strictatime suid symfollow sync tmpcopyup unbindable`) {
		if !slices.Contains(names, want) {
			t.Errorf("%s is missing", want)
		}
	}
	for _, not := range []string{"idmap", "ridmap", "copy-symlink", ""} {
		if slices.Contains(names, not) {
			t.Errorf("%q is listed", not)
		}
	}
}

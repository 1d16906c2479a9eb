package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// kind is what a mount option is about.
type kind uint8

const (
	attribute   kind = iota // of the mount; mount_setattr(2)
	recursive               // the same, and of all mounts below
	propagation             // MS_SHARED and its like
	superblock              // of the filesystem; nothing to a bind
	nothing                 // says what is so anyway
	bindOption
	remountOption
	copyUpOption
	idmapOption
	noFollowOption
)

// option is an entry of the table that the parser and "features" share.
type option struct {
	name string
	kind kind
	// set and clear are MOUNT_ATTR_* of attribute and recursive; set is MS_*
	// of propagation, and MS_REC of the recursive form of others.
	set, clear uint64
}

// mountOptions is the table: runtime-spec, config.md, "Linux mount options",
// and those of crun that engines use. An attribute's name with an r before it
// is the same for all mounts below.
func mountOptions() []option {
	attributes := attributeOptions()
	others := otherOptions()
	table := make([]option, 0, 2*len(attributes)+len(others))
	table = append(table, attributes[:]...)
	for _, o := range attributes {
		table = append(table, option{"r" + o.name, recursive, o.set, o.clear})
	}
	return append(table, others[:]...)
}

// attributeOptions: the times are one field of several values, cleared as a
// whole (mount_setattr(2), MOUNT_ATTR__ATIME); of them relatime is 0.
func attributeOptions() [18]option {
	const times = unix.MOUNT_ATTR__ATIME
	return [...]option{
		{"ro", attribute, unix.MOUNT_ATTR_RDONLY, 0},
		{"rw", attribute, 0, unix.MOUNT_ATTR_RDONLY},
		{"nosuid", attribute, unix.MOUNT_ATTR_NOSUID, 0},
		{"suid", attribute, 0, unix.MOUNT_ATTR_NOSUID},
		{"nodev", attribute, unix.MOUNT_ATTR_NODEV, 0},
		{"dev", attribute, 0, unix.MOUNT_ATTR_NODEV},
		{"noexec", attribute, unix.MOUNT_ATTR_NOEXEC, 0},
		{"exec", attribute, 0, unix.MOUNT_ATTR_NOEXEC},
		{"noatime", attribute, unix.MOUNT_ATTR_NOATIME, times},
		{"atime", attribute, 0, times},
		{"strictatime", attribute, unix.MOUNT_ATTR_STRICTATIME, times},
		{"nostrictatime", attribute, 0, times},
		{"relatime", attribute, 0, times},
		{"norelatime", attribute, 0, times},
		{"nodiratime", attribute, unix.MOUNT_ATTR_NODIRATIME, 0},
		{"diratime", attribute, 0, unix.MOUNT_ATTR_NODIRATIME},
		{"nosymfollow", attribute, unix.MOUNT_ATTR_NOSYMFOLLOW, 0},
		{"symfollow", attribute, 0, unix.MOUNT_ATTR_NOSYMFOLLOW},
	}
}

func otherOptions() [30]option {
	const rec = unix.MS_REC
	return [...]option{
		{"shared", propagation, unix.MS_SHARED, 0},
		{"rshared", propagation, unix.MS_SHARED | rec, 0},
		{"slave", propagation, unix.MS_SLAVE, 0},
		{"rslave", propagation, unix.MS_SLAVE | rec, 0},
		{"private", propagation, unix.MS_PRIVATE, 0},
		{"rprivate", propagation, unix.MS_PRIVATE | rec, 0},
		{"unbindable", propagation, unix.MS_UNBINDABLE, 0},
		{"runbindable", propagation, unix.MS_UNBINDABLE | rec, 0},

		{"sync", superblock, 0, 0},
		{"async", superblock, 0, 0},
		{"dirsync", superblock, 0, 0},
		{"mand", superblock, 0, 0},
		{"nomand", superblock, 0, 0},
		{"lazytime", superblock, 0, 0},
		{"nolazytime", superblock, 0, 0},
		{"iversion", superblock, 0, 0},
		{"acl", superblock, 0, 0},
		{"noacl", superblock, 0, 0},
		{"noiversion", nothing, 0, 0},
		{"silent", nothing, 0, 0},
		{"loud", nothing, 0, 0},
		{"defaults", nothing, 0, 0},

		{"bind", bindOption, 0, 0},
		{"rbind", bindOption, rec, 0},
		{"remount", remountOption, 0, 0},
		{"tmpcopyup", copyUpOption, 0, 0},
		{"idmap", idmapOption, 0, 0},
		{"ridmap", idmapOption, rec, 0},
		{srcNoFollow, noFollowOption, 0, 0},
		{"dest-nofollow", noFollowOption, 0, 0},
	}
}

const srcNoFollow = "src-nofollow"

// MountOptions are the options that a configuration may give, sorted. Those of
// idmapped mounts are a feature of its own.
func MountOptions() []string {
	var names []string
	for _, o := range mountOptions() {
		if o.kind != idmapOption {
			names = append(names, o.name)
		}
	}
	slices.Sort(names)
	return names
}

// mountRequest is a mount with its options taken apart.
type mountRequest struct {
	Mount
	bind, remount, idmap bool
	idmapText            string
}

// parseOptions takes the options of a mount apart, in their order: a later one
// undoes an earlier. What the table does not know is the filesystem's.
func parseOptions(table []option, options []string) mountRequest {
	var r mountRequest
	for _, text := range options {
		name, value, _ := strings.Cut(text, "=")
		i := slices.IndexFunc(table, func(o option) bool {
			return o.name == text || o.kind == idmapOption && o.name == name
		})
		if i < 0 {
			if text != "" {
				r.Data = append(r.Data, text)
			}
			continue
		}
		r.take(&table[i], value)
	}
	return r
}

func (r *mountRequest) take(o *option, value string) {
	switch o.kind {
	case attribute:
		merge(&r.Attr, o)
	case recursive:
		merge(&r.RecAttr, o)
	case propagation:
		r.Propagation = append(r.Propagation, o.set)
	case superblock:
		r.Data = append(r.Data, o.name)
	case nothing:
	case bindOption:
		r.bind = true
		r.Recursive = r.Recursive || o.set != 0
	case remountOption:
		r.remount = true
	case copyUpOption:
		r.CopyUp = true
	case idmapOption:
		r.idmap, r.idmapText = true, value
		r.IDMapRecursive = r.IDMapRecursive || o.set != 0
	case noFollowOption:
		if o.name == srcNoFollow {
			r.NoFollowSource = true
		} else {
			r.NoFollowDestination = true
		}
	}
}

func merge(a *MountAttr, o *option) {
	if keepsTime(a, o) {
		return
	}
	a.Set = a.Set&^o.clear | o.set
	a.Clear = a.Clear&^o.set | o.clear
}

// keepsTime: norelatime and nostrictatime undo their own value of the access
// time and no other: "noatime,norelatime" is noatime (mount(8)).
func keepsTime(a *MountAttr, o *option) bool {
	var own uint64
	switch o.name {
	case "norelatime", "rnorelatime":
		own = unix.MOUNT_ATTR_RELATIME
	case "nostrictatime", "rnostrictatime":
		own = unix.MOUNT_ATTR_STRICTATIME
	default:
		return false
	}
	return a.Clear&unix.MOUNT_ATTR__ATIME != 0 && a.Set&unix.MOUNT_ATTR__ATIME != own
}

// over is upper on top of lower: what upper leaves open is lower's.
func over(lower, upper MountAttr) MountAttr {
	return MountAttr{
		Set:   lower.Set&^upper.Clear | upper.Set,
		Clear: lower.Clear&^upper.Set | upper.Clear,
	}
}

// checkExisting refuses what a bind or a remount cannot honour: the filesystem
// is mounted already, and its options are set. Those of a superblock in general
// are ignored, as mount(2) does.
func (r *mountRequest) checkExisting(table []option, what string) error {
	for _, d := range r.Data {
		if !slices.ContainsFunc(table, func(o option) bool { return o.kind == superblock && o.name == d }) {
			return fmt.Errorf("%q: a %s takes no filesystem options", d, what)
		}
	}
	r.Data = nil
	if r.CopyUp {
		return errCopyUp
	}
	return nil
}

var errCopyUp = errors.New(`"tmpcopyup": only a tmpfs can be filled`)

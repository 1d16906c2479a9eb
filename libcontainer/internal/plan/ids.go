package plan

import (
	"errors"
	"fmt"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

// ids are who the process will be.
func (c *compiler) ids(p *specs.Process) *IDs {
	ids := &IDs{UID: p.User.UID, GID: p.User.GID, Groups: p.User.AdditionalGids}
	if c.spec.Annotations["run.oci.keep_original_groups"] == "1" {
		ids.KeepGroups = true
	}
	if c.setgroupsDenied() {
		ids.KeepGroups = true
		if len(ids.Groups) > 0 {
			c.wrong("process.user.additionalGids",
				errors.New("setgroups is denied in this user namespace: map more groups than one"))
		}
	}
	c.checkMapped(ids)
	return ids
}

// checkMapped refuses ids that the new user namespace does not have: the
// kernel would, with EINVAL (user_namespaces(7)).
func (c *compiler) checkMapped(ids *IDs) {
	if !c.creates(specs.UserNamespace) {
		return
	}
	l := c.spec.Linux
	check := func(field string, id uint32, maps []specs.LinuxIDMapping, name string) {
		if !mapped(idMaps(maps), id) {
			c.wrong(field, fmt.Errorf("%d is not in %s", id, name))
		}
	}
	check("process.user.uid", ids.UID, l.UIDMappings, "linux.uidMappings")
	check("process.user.gid", ids.GID, l.GIDMappings, "linux.gidMappings")
	if ids.KeepGroups {
		return
	}
	for i, gid := range ids.Groups {
		check(index("process.user.additionalGids", i), gid, l.GIDMappings, "linux.gidMappings")
	}
}

// setgroupsDenied: a caller without privilege may write a gid map of its own
// gid alone only after it has denied setgroups(2) (user_namespaces(7)).
func (c *compiler) setgroupsDenied() bool {
	if c.h.SetgroupsDenied {
		return true
	}
	gids := c.spec.Linux.GIDMappings
	return c.creates(specs.UserNamespace) &&
		c.h.EUID != 0 && len(gids) == 1 && gids[0].Size == 1 && gids[0].HostID == c.h.EGID
}

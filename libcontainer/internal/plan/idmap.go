package plan

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseIDMap reads crun's form of an idmapped mount's maps (crun(1), "IDMAPPED
// MOUNTS"): "uids=A-B-N#A-B-N…;gids=…", A the id on the filesystem, B the one
// it is on the host, N how many. With "@" before A, B is an id in the container's
// user namespace, whose maps are own.
func parseIDMap(text string, own [2][]IDMap) (uids, gids []IDMap, err error) {
	for part := range strings.SplitSeq(text, ";") {
		name, list, _ := strings.Cut(part, "=")
		switch name {
		case "uids":
			uids, err = parseIDList(list, own[0])
		case "gids":
			gids, err = parseIDList(list, own[1])
		default:
			err = fmt.Errorf("unknown part %q: uids or gids", part)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if len(uids) == 0 || len(gids) == 0 {
		return nil, nil, fmt.Errorf("%q: uids and gids are both needed", text)
	}
	return uids, gids, nil
}

// lastID is the last id there is: (uid_t)-1 is none (setresuid(2)).
const lastID = math.MaxUint32 - 1

func parseIDList(list string, own []IDMap) ([]IDMap, error) {
	var maps []IDMap
	for text := range strings.SplitSeq(list, "#") {
		if text == "" {
			continue
		}
		relative := strings.HasPrefix(text, "@")
		fields := strings.Split(strings.TrimPrefix(text, "@"), "-")
		const parts = 3
		if len(fields) != parts {
			return nil, fmt.Errorf("%q is not A-B-N", text)
		}
		var n [parts]uint32
		for i, f := range fields {
			v, err := strconv.ParseUint(f, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("%q: %q is not an id", text, f)
			}
			n[i] = uint32(v)
		}
		if n[2] == 0 || n[2] > lastID {
			return nil, fmt.Errorf("%q maps nothing, or more than there is", text)
		}
		m := IDMap{ContainerID: n[0], HostID: n[1], Size: n[2]}
		if m.ContainerID > lastID-(m.Size-1) || m.HostID > lastID-(m.Size-1) {
			return nil, fmt.Errorf("%q goes beyond the last id, %d", text, uint32(lastID))
		}
		if relative {
			first, ok := hostID(own, m.HostID)
			last, all := hostID(own, m.HostID+m.Size-1)
			if !ok || !all || last-first != m.Size-1 {
				return nil, fmt.Errorf("%q: not in one range of the container's mappings", text)
			}
			m.HostID = first
		}
		maps = append(maps, m)
	}
	return maps, nil
}

// hostID is what an id of the container is outside.
func hostID(maps []IDMap, id uint32) (uint32, bool) {
	for _, m := range maps {
		if id >= m.ContainerID && id-m.ContainerID < m.Size {
			return m.HostID + (id - m.ContainerID), true
		}
	}
	return 0, false
}

// mapped tells whether an id of the container exists outside.
func mapped(maps []IDMap, id uint32) bool {
	_, ok := hostID(maps, id)
	return ok
}

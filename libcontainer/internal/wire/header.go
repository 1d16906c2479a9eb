package wire

import (
	"encoding/binary"
	"fmt"
)

const (
	headerMagic = 0x676e7572
	// Version is that of everything in this package. An init that was started
	// by another version of the binary is told apart by it.
	Version = 1

	maxJoin   = 8
	maxDoors  = 32
	oomSize   = 8
	timeSize  = 116
	headerLen = 7*4 + maxJoin*4 + oomSize + timeSize
)

// Flags of the Header.
const (
	HeaderRoot       = 1 << iota // 0:0 is mapped: become it
	HeaderTolerant               // rootless: the OOM score may refuse
	HeaderSession                // setsid(2)
	headerCgroup                 // the last descriptor is a cgroup v2 directory
	HeaderSpared                 // no cgroup is needed: the doors may refuse
	HeaderDropGroups             // leave the host's supplementary groups behind
)

// Header is the parent's first message; struct header in nsenter/bootstrap.h.
type Header struct {
	Flags       uint32
	New         uint32 // CLONE_NEW* to create
	Join        []JoinFD
	Doors       []int // v1 "tasks" files
	Cgroup      int   // v2 directory, or -1
	OOMScoreAdj string
	TimeOffsets string
}

// JoinFD is a namespace to enter: its CLONE_NEW* bit and a descriptor of it.
type JoinFD struct {
	Type uint32
	FD   int
}

// SendHeader sends h with its descriptors.
func (c *Conn) SendHeader(h *Header) error {
	packet, err := encodeHeader(h)
	if err != nil {
		return err
	}
	fds := make([]int, 0, len(h.Join)+len(h.Doors)+1)
	for _, j := range h.Join {
		fds = append(fds, j.FD)
	}
	fds = append(fds, h.Doors...)
	if h.Cgroup >= 0 {
		fds = append(fds, h.Cgroup)
	}
	return c.send(packet, fds)
}

func encodeHeader(h *Header) ([]byte, error) {
	if len(h.Join) > maxJoin {
		return nil, fmt.Errorf("%d namespaces to join, at most %d", len(h.Join), maxJoin)
	}
	if len(h.Doors) > maxDoors {
		return nil, fmt.Errorf("%d cgroup hierarchies, at most %d", len(h.Doors), maxDoors)
	}
	if len(h.OOMScoreAdj) >= oomSize || len(h.TimeOffsets) >= timeSize {
		return nil, fmt.Errorf("oom_score_adj or time offsets too long")
	}
	flags := h.Flags
	if h.Cgroup >= 0 {
		flags |= headerCgroup
	}
	b := make([]byte, 0, headerLen)
	put := func(v uint32) { b = binary.NativeEndian.AppendUint32(b, v) }
	put(uint32(KindHeader))
	put(headerMagic)
	put(Version)
	put(flags)
	put(h.New)
	put(uint32(len(h.Join)))  //nolint:gosec // bounded above
	put(uint32(len(h.Doors))) //nolint:gosec // bounded above
	for i := range maxJoin {
		if i < len(h.Join) {
			put(h.Join[i].Type)
		} else {
			put(0)
		}
	}
	b = append(b, h.OOMScoreAdj...)
	b = append(b, make([]byte, oomSize-len(h.OOMScoreAdj))...)
	b = append(b, h.TimeOffsets...)
	b = append(b, make([]byte, timeSize-len(h.TimeOffsets))...)
	return b, nil
}

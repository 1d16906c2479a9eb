package bundle

import (
	"fmt"
	"strconv"
	"strings"
)

// maxListed is far above any kernel's CPUs (CONFIG_NR_CPUS, 8192 on x86) and
// memory nodes (CONFIG_NODES_SHIFT, 1024).
const maxListed = 65535

// numbers checks CPUs or memory nodes as the specification writes them, "0-3,7".
// An empty list is none.
func (m *mistakes) numbers(field, s string) {
	if s == "" {
		return
	}
	for part := range strings.SplitSeq(s, ",") {
		if err := checkRange(strings.TrimSpace(part)); err != nil {
			m.addf(field, "%q: %w", s, err)
			return
		}
	}
}

func checkRange(part string) error {
	first, last, isRange := strings.Cut(part, "-")
	low, err := listed(first)
	if err != nil || !isRange {
		return err
	}
	high, err := listed(last)
	if err == nil && high < low {
		return fmt.Errorf("%s runs backwards", part)
	}
	return err
}

func listed(s string) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%q is no number", s)
	case n > maxListed:
		return 0, fmt.Errorf("%d is above %d", n, maxListed)
	}
	return n, nil
}

// kernelList checks what is written to cpuset.cpus and cpuset.mems: the kernel's
// own grammar, which has strides and words as well (lib/bitmap.c,
// bitmap_parselist). Only characters that no list has are refused here.
func (m *mistakes) kernelList(field, s string) {
	if strings.Trim(s, "0123456789-,:/ \t\nNal") != "" {
		m.addf(field, "%q is no list like 0-3,7", s)
	}
}

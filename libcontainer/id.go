package libcontainer

import (
	"errors"
	"fmt"
)

// maxID is what a file name may have (NAME_MAX, limits.h).
const maxID = 255

// checkID accepts IDs that are a harmless file name, wherever they come from.
func checkID(id string) error {
	if id == "" {
		return errors.New("container id cannot be empty")
	}
	ok := id != "." && id != ".." && len(id) <= maxID
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			c == '_', c == '+', c == '-', c == '.':
		default:
			ok = false
		}
	}
	if !ok {
		return fmt.Errorf("invalid container ID format: %.80q (letters, digits and _+-. only, at most %d)", id, maxID)
	}
	return nil
}

package bundle

import (
	"bytes"
	"encoding/json"
)

// object is where a scan is: the keys of the innermost object begin at first.
type object struct {
	first int
	array bool
}

// manyKeys is the size from which an object's keys are compared by a map: each
// with each is faster for the few that objects of a config have.
const manyKeys = 32

// repeatsKey tells whether an object of a valid document has a key twice.
// encoding/json would not only let the last one win: the elements of a second
// "mounts" keep what the first one's had, so that options move from one mount
// to another. Measured on Docker's config this adds a few percent to decoding.
func repeatsKey(data []byte) bool {
	var room [16]object
	var space [64][]byte
	open, keys := room[:0], space[:0]
	for i := 0; i < len(data); i++ {
		if data[i] <= ' ' { // most of an indented document
			continue
		}
		switch data[i] {
		case '{', '[':
			open = append(open, object{first: len(keys), array: data[i] == '['})
		case '}', ']':
			top := open[len(open)-1]
			if len(keys)-top.first > manyKeys && hasTwice(keys[top.first:]) {
				return true
			}
			keys = keys[:top.first]
			open = open[:len(open)-1]
		case '"':
			end := stringEnd(data, i)
			if len(open) > 0 && !open[len(open)-1].array && isKey(data, end) {
				name := plain(data[i:end])
				seen := keys[open[len(open)-1].first:]
				if len(seen) < manyKeys && contains(seen, name) {
					return true
				}
				keys = append(keys, name)
			}
			i = end - 1
		}
	}
	return false
}

// stringEnd is the offset behind the string that begins at start.
func stringEnd(data []byte, start int) int {
	for i := start + 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// isKey: a colon follows.
func isKey(data []byte, end int) bool {
	for ; end < len(data); end++ {
		switch data[end] {
		case ' ', '\t', '\r', '\n':
		default:
			return data[end] == ':'
		}
	}
	return false
}

// plain is a quoted key without quotes and escapes.
func plain(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return quoted
	}
	return []byte(s)
}

func contains(keys [][]byte, name []byte) bool {
	for _, k := range keys {
		if len(k) == len(name) && bytes.Equal(k, name) {
			return true
		}
	}
	return false
}

func hasTwice(keys [][]byte) bool {
	seen := make(map[string]struct{}, len(keys))
	for _, k := range keys {
		seen[string(k)] = struct{}{}
	}
	return len(seen) < len(keys)
}

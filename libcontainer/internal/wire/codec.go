package wire

import (
	"encoding/binary"
	"errors"
)

// codec walks values in both directions: one walk function a type, so that
// encoding and decoding cannot disagree. Numbers are little-endian, strings
// and lists are preceded by their length.
type codec struct {
	buf      []byte
	decoding bool
	err      error
}

var errMalformed = errors.New("malformed plan")

// maxList bounds a list, so that a hostile length costs no memory.
const maxList = 1 << 20

func (c *codec) u64(v *uint64) {
	if !c.decoding {
		c.buf = binary.AppendUvarint(c.buf, *v)
		return
	}
	n, size := binary.Uvarint(c.buf)
	if size <= 0 {
		c.fail()
		return
	}
	*v, c.buf = n, c.buf[size:]
}

func (c *codec) fail() {
	c.err = errMalformed
	c.buf = nil
}

func (c *codec) u32(v *uint32) {
	n := uint64(*v)
	c.u64(&n)
	if n > 1<<32-1 {
		c.fail()
		return
	}
	*v = uint32(n)
}

func (c *codec) u16(v *uint16) {
	n := uint64(*v)
	c.u64(&n)
	if n > 1<<16-1 {
		c.fail()
		return
	}
	*v = uint16(n)
}

// i64 keeps the sign in the lowest bit.
func (c *codec) i64(v *int64) {
	n := uint64(*v)<<1 ^ uint64(*v>>63) //nolint:gosec // zigzag: the bits are what counts
	c.u64(&n)
	*v = int64(n>>1) ^ -int64(n&1)
}

func (c *codec) integer(v *int) {
	n := int64(*v)
	c.i64(&n)
	*v = int(n)
}

func (c *codec) i32(v *int32) {
	n := int64(*v)
	c.i64(&n)
	if n != int64(int32(n)) { //nolint:gosec // the check itself
		c.fail()
		return
	}
	*v = int32(n) //nolint:gosec // checked above
}

func (c *codec) boolean(v *bool) {
	var n uint64
	if *v {
		n = 1
	}
	c.u64(&n)
	*v = n == 1
	if n > 1 {
		c.fail()
	}
}

// length walks the length of what follows, each of at least one byte.
func (c *codec) length(n int) int {
	v := uint64(n) //nolint:gosec // a length
	c.u64(&v)
	if c.decoding && (v > maxList || v > uint64(len(c.buf))) {
		c.fail()
		return 0
	}
	return int(v) //nolint:gosec // bounded above
}

func (c *codec) text(v *string) {
	n := c.length(len(*v))
	if !c.decoding {
		c.buf = append(c.buf, *v...)
		return
	}
	*v, c.buf = string(c.buf[:n]), c.buf[n:]
}

func list[T any](c *codec, v *[]T, walk func(*codec, *T)) {
	n := c.length(len(*v))
	if c.decoding {
		*v = nil
		if n > 0 {
			*v = make([]T, n)
		}
	}
	for i := range *v {
		if c.err != nil {
			return
		}
		walk(c, &(*v)[i])
	}
}

func optional[T any](c *codec, v **T, walk func(*codec, *T)) {
	there := *v != nil
	c.boolean(&there)
	if !there || c.err != nil {
		return
	}
	if c.decoding {
		*v = new(T)
	}
	walk(c, *v)
}

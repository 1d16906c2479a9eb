package wire

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// fill sets every field of v, however deep, to a value that is not its zero,
// so that a field without a walk is found.
func fill(v reflect.Value, n *int, depth int) {
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, n, depth)
		}
	case reflect.Pointer:
		if depth > 4 {
			return // plan.Mount.Fallback
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n, depth+1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(v.Index(i), n, depth+1)
		}
	case reflect.String:
		v.SetString(fmt.Sprint("text", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(-*n))
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	default:
		panic(v.Kind())
	}
}

func TestInitRoundTrip(t *testing.T) {
	var want Init
	n := 0
	fill(reflect.ValueOf(&want).Elem(), &n, 0)
	got, err := DecodeInit(EncodeInit(&want))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(*got, want) {
		t.Errorf("a field has no walk\ngot  %+v\nwant %+v", *got, want)
	}
}

func TestDecodeInitRefuses(t *testing.T) {
	var full Init
	n := 0
	fill(reflect.ValueOf(&full).Elem(), &n, 0)
	whole := EncodeInit(&full)
	for cut := range whole {
		if _, err := DecodeInit(whole[:cut]); err == nil {
			t.Fatalf("accepted the first %d of %d bytes", cut, len(whole))
		}
	}
	if _, err := DecodeInit(append(whole, 0)); err == nil {
		t.Error("accepted a byte too many")
	}
	other := append([]byte{Version + 1}, whole[1:]...)
	if _, err := DecodeInit(other); err == nil {
		t.Error("accepted another version")
	}
}

func FuzzDecodeInit(f *testing.F) {
	var full Init
	n := 0
	fill(reflect.ValueOf(&full).Elem(), &n, 0)
	f.Add(EncodeInit(&full))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		i, err := DecodeInit(data)
		if err != nil {
			return
		}
		again, err := DecodeInit(EncodeInit(i))
		if err != nil || !reflect.DeepEqual(i, again) {
			t.Errorf("%+v decodes to %+v, %v", i, again, err)
		}
	})
}

func TestFailureRoundTrip(t *testing.T) {
	in := &fault.Error{Op: "mount", Field: "mounts[3]", Path: "/data", Err: &unixError{"open /srv", unix.ENOENT}, Hint: "create it"}
	out := DecodeFailure(EncodeFailure(in))
	if out.Error() != in.Error() {
		t.Errorf("got %q, want %q", out, in)
	}
	if !errors.Is(out, unix.ENOENT) {
		t.Error("the errno is lost")
	}
}

func TestFailureIsBounded(t *testing.T) {
	in := &fault.Error{Op: "run hooks", Err: errors.New(string(make([]byte, 10*MaxPayload)))}
	b := EncodeFailure(in)
	if len(b) > MaxPayload {
		t.Errorf("%d bytes", len(b))
	}
	if out := DecodeFailure(b); out.Op != "run hooks" || len(out.Err.Error()) != MaxPayload/2 {
		t.Errorf("got op %q and %d bytes", out.Op, len(out.Err.Error()))
	}
}

func FuzzDecodeFailure(f *testing.F) {
	f.Add(EncodeFailure(&fault.Error{Op: "a", Err: errors.New("b")}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if DecodeFailure(data).Error() == "" {
			t.Error("an error without a word")
		}
	})
}

type unixError struct {
	text  string
	errno unix.Errno
}

func (e *unixError) Error() string { return e.text + ": " + e.errno.Error() }
func (e *unixError) Unwrap() error { return e.errno }

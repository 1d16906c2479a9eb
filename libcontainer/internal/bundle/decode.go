package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// maxValues bounds the elements of a document. Without it 16 MiB of "{},"
// become a gigabyte of mounts.
const maxValues = 1 << 20

// Decode decodes a config.json without validating it. Values of a wrong type
// and keys given twice are a fault.List with all of them.
func Decode(data []byte) (*specs.Spec, error) {
	spec, err := decode[specs.Spec](data)
	if err != nil {
		return nil, named("decode", "", err)
	}
	return spec, nil
}

// named adds what was done with which file to an error that has no field of
// its own.
func named(op, path string, err error) error {
	if list, ok := errors.AsType[fault.List](err); ok {
		for i := range list {
			if e, ok := errors.AsType[*fault.Error](list[i]); ok && e.Field == "" {
				list[i] = &fault.Error{Op: op, Path: path, Err: e.Err}
			}
		}
		return list
	}
	return &fault.Error{Op: op, Path: path, Err: err}
}

// decode reads the document once. Only when that fails it is walked again, to
// say where and how often.
func decode[T any](data []byte) (*T, error) {
	if err := checkText(data); err != nil {
		return nil, err
	}
	v := new(T)
	switch err := json.Unmarshal(data, v); {
	case err != nil:
		return nil, explain(data, reflect.TypeFor[T](), err)
	case repeatsKey(data):
		if list := locate(data, reflect.TypeFor[T]()); len(list) > 0 {
			return nil, list
		}
		return nil, errors.New("an object has a key twice")
	}
	return v, nil
}

// checkText refuses what encoding/json would accept or not survive: it replaces
// invalid UTF-8 without a word.
func checkText(data []byte) error {
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return errors.New("the file is empty")
	case bytes.HasPrefix(data, []byte("\ufeff")):
		return errors.New("starts with a byte order mark, which JSON does not allow (RFC 8259, section 8.1)")
	case !utf8.Valid(data):
		return atOffset(data, invalidUTF8(data), "invalid UTF-8")
	case bytes.Count(data, []byte{','}) > maxValues:
		return fmt.Errorf("more than %d values", maxValues)
	}
	return nil
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(data)
}

// explain turns an error of encoding/json into one that says where.
func explain(data []byte, t reflect.Type, err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		text := syntax.Error()
		offset := offending(data, int(syntax.Offset)-1, text)
		switch {
		case text == "unexpected end of JSON input":
			return atOffset(data, offset, "the document ends too early: is the file truncated?")
		case strings.HasSuffix(text, "exceeded max depth"):
			return errors.New("nested deeper than 10000 levels")
		default:
			return atOffset(data, offset, strings.TrimSuffix(text, " literal"))
		}
	}
	if list := locate(data, t); len(list) > 0 {
		return list
	}
	return err
}

// offending is where the character is that the text of a syntax error names.
// SyntaxError.Offset counts it, or ends where the last good token does: that
// depends on which of its two decoders encoding/json is built with.
func offending(data []byte, offset int, text string) int {
	quoted, err := strconv.QuotedPrefix(strings.TrimPrefix(text, "invalid character "))
	if err != nil || offset < 0 || offset >= len(data) {
		return offset
	}
	char, _, _, err := strconv.UnquoteChar(quoted[1:], '\'')
	if err != nil || rune(data[offset]) == char {
		return offset
	}
	if n := bytes.IndexRune(data[offset:], char); n > 0 {
		return offset + n
	}
	return offset
}

// atOffset says it by line and column, both counted from 1, columns in bytes.
func atOffset(data []byte, offset int, text string) error {
	before := data[:max(0, min(offset, len(data)))]
	line := 1 + bytes.Count(before, []byte{'\n'})
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("line %d, column %d: %s", line, column, text)
}

package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// locate walks a syntactically valid document against the type it was to become
// and gives every mismatch and every key given twice, by JSON path.
// encoding/json itself reports the first one, without the indexes of arrays.
func locate(data []byte, t reflect.Type) fault.List {
	l := locator{dec: json.NewDecoder(bytes.NewReader(data))}
	l.dec.UseNumber()
	l.value(t, "")
	return l.found()
}

type locator struct {
	mistakes
	dec *json.Decoder
}

// next is the next token. The document was found valid, so there is one; a nil
// interface, the token of null, ends every walk.
func (l *locator) next() json.Token {
	tok, err := l.dec.Token()
	if err != nil {
		return nil
	}
	return tok
}

// value reads one value that is to become a t.
func (l *locator) value(t reflect.Type, path string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	tok := l.next()
	if t.Kind() == reflect.Interface {
		l.anything(tok, path)
		return
	}
	switch got := tok.(type) { // nil, a null, leaves any field as it is
	case json.Delim:
		l.compound(got, t, path)
	case json.Number:
		l.number(got.String(), t, path)
	case string:
		if t.Kind() != reflect.String {
			l.mismatch(path, t, "string")
		}
	case bool:
		if t.Kind() != reflect.Bool {
			l.mismatch(path, t, "boolean")
		}
	}
}

func (l *locator) compound(open json.Delim, t reflect.Type, path string) {
	kind := t.Kind()
	switch {
	case open == '[' && (kind == reflect.Slice || kind == reflect.Array):
		for i := 0; l.dec.More(); i++ {
			l.value(t.Elem(), index(path, i))
		}
		l.next()
	case open == '{' && (kind == reflect.Struct || kind == reflect.Map):
		l.members(t, path)
	default:
		l.mismatch(path, t, delimName(open))
		l.skip(open)
	}
}

// members reads an object up to its end.
func (l *locator) members(t reflect.Type, path string) {
	seen := map[string]bool{}
	for l.dec.More() {
		name, _ := l.next().(string)
		at := memberPath(t, path, name)
		if seen[name] {
			l.add(at, "given twice")
		}
		seen[name] = true
		if t.Kind() == reflect.Map {
			l.value(t.Elem(), at)
		} else if f, ok := field(t, name); ok {
			l.value(f, at)
		} else {
			l.anything(l.next(), at)
		}
	}
	l.next()
}

// anything reads a value that nobody looks at, of which tok is the first token;
// keys given twice inside it are reported still.
func (l *locator) anything(tok json.Token, path string) {
	var levels []level
	levels = enter(levels, tok, path)
	// Not by recursion: what is unknown may be as deep as encoding/json allows.
	for len(levels) > 0 {
		top := &levels[len(levels)-1]
		if !l.dec.More() {
			l.next()
			levels = levels[:len(levels)-1]
			continue
		}
		at := top.path
		if top.seen != nil {
			name, _ := l.next().(string)
			at += "." + name
			if top.seen[name] {
				l.add(at, "given twice")
			}
			top.seen[name] = true
		} else {
			at = index(at, top.n)
			top.n++
		}
		levels = enter(levels, l.next(), at)
	}
}

// level is an object or array that anything is inside of.
type level struct {
	path string
	seen map[string]bool // nil for an array
	n    int
}

func enter(levels []level, tok json.Token, path string) []level {
	switch tok {
	case json.Delim('{'):
		return append(levels, level{path: path, seen: map[string]bool{}})
	case json.Delim('['):
		return append(levels, level{path: path})
	}
	return levels
}

// skip reads what is left of the value that begins with tok.
func (l *locator) skip(tok json.Token) {
	if _, ok := tok.(json.Delim); !ok {
		return
	}
	for depth := 1; depth > 0; {
		switch l.next() {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

func (l *locator) mismatch(path string, t reflect.Type, got string) {
	l.addf(path, "expected %s, got %s", typeName(t), got)
}

// number checks a number as encoding/json does: an integer in decimal digits.
func (l *locator) number(n string, t reflect.Type, path string) {
	var fits bool
	var low, high string
	switch {
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64:
		bits := t.Bits()
		_, err := strconv.ParseInt(n, 10, bits)
		fits = err == nil
		low, high = strconv.FormatInt(-1<<(bits-1), 10), strconv.FormatInt(1<<(bits-1)-1, 10)
	case t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64:
		bits := t.Bits()
		_, err := strconv.ParseUint(n, 10, bits)
		fits = err == nil
		low, high = "0", strconv.FormatUint(^uint64(0)>>(64-bits), 10)
	default:
		l.mismatch(path, t, "number")
		return
	}
	switch {
	case fits:
	case strings.ContainsAny(n, ".eE"):
		l.addf(path, "expected integer, got %s", short(n))
	default:
		l.addf(path, "%s is out of range: %s to %s", short(n), low, high)
	}
}

// short keeps a number of a million digits out of the message.
func short(n string) string {
	if len(n) <= 32 {
		return n
	}
	return fmt.Sprintf("%s... (%d digits)", n[:16], len(n))
}

// field finds the type of an object's member as encoding/json does: by its tag,
// exactly or else without regard to case; an embedded struct's are its own.
func field(t reflect.Type, name string) (reflect.Type, bool) {
	f, ok := structField(t, name)
	return f.Type, ok
}

func structField(t reflect.Type, name string) (reflect.StructField, bool) {
	var folded reflect.StructField
	found := false
	for f := range t.Fields() {
		tag := tagName(f)
		switch {
		case f.Anonymous && f.Type.Kind() == reflect.Struct && f.Tag.Get("json") == "":
			if inner, ok := structField(f.Type, name); ok {
				return inner, true
			}
		case tag == name:
			return f, true
		case !found && strings.EqualFold(tag, name):
			folded, found = f, true
		}
	}
	return folded, found
}

func tagName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		return f.Name
	}
	return name
}

func memberPath(t reflect.Type, path, name string) string {
	if t.Kind() == reflect.Map {
		return key(path, name)
	}
	if f, ok := structField(t, name); ok {
		name = tagName(f)
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

// typeName says what was expected, in JSON's words.
func typeName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Bool:
		return "boolean"
	case reflect.Struct, reflect.Map:
		return "object"
	case reflect.Slice, reflect.Array:
		return "array of " + typeName(t.Elem()) + "s"
	default:
		return "integer"
	}
}

func delimName(open json.Delim) string {
	if open == '[' {
		return "array"
	}
	return "object"
}

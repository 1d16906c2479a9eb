package bundle

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/rung-run/rung/libcontainer/internal/fault"
)

// document is a row of testdata/broken*.json and accepted.json, which tests of
// the command use, too: a jq program that changes base*.json, or the whole
// document, in base64 where it is no UTF-8. {file} in want is the file's path.
type document struct {
	Name     string
	Patch    string
	Raw      string
	Base64   []byte
	Want     string
	Warnings []string
}

func documents(t testing.TB, file string) []document {
	t.Helper()
	data, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []document
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func (d *document) text(t testing.TB, base string) []byte {
	t.Helper()
	switch {
	case d.Base64 != nil:
		return d.Base64
	case d.Patch == "":
		return []byte(d.Raw)
	}
	jq, err := exec.LookPath("jq")
	if err != nil {
		t.Skip("jq is not installed: documents made from testdata/" + base + " are not tested")
	}
	out, err := exec.Command(jq, d.Patch, "testdata/"+base).Output()
	if err != nil {
		t.Fatalf("jq %q: %v", d.Patch, err)
	}
	return out
}

func (d *document) want(file string) string { return strings.ReplaceAll(d.Want, "{file}", file) }

// newBundle has the directory that base.json names as its root.
func newBundle(t testing.TB, config []byte) (dir string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "rootfs"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "config.json"), config)
	return dir
}

func writeFile(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("error is\n\t%s\nwant\n\t%s", got, want)
	}
}

func TestBroken(t *testing.T) {
	for _, d := range documents(t, "broken.json") {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			dir := newBundle(t, d.text(t, "base.json"))
			b, err := Load(dir)
			checkError(t, err, d.want(dir+"/config.json"))
			if b != nil {
				t.Error("a bundle all the same")
			}
		})
	}
}

func TestBrokenProcess(t *testing.T) {
	for _, d := range documents(t, "broken-process.json") {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "process.json")
			writeFile(t, file, d.text(t, "base-process.json"))
			_, err := LoadProcess(file)
			checkError(t, err, d.want(file))
		})
	}
}

func TestBrokenResources(t *testing.T) {
	for _, d := range documents(t, "broken-resources.json") {
		t.Run(d.Name, func(t *testing.T) {
			_, err := LoadResources(bytes.NewReader(d.text(t, "base-resources.json")))
			checkError(t, err, d.Want)
		})
	}
}

func TestAccepted(t *testing.T) {
	for _, d := range documents(t, "accepted.json") {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			dir := newBundle(t, d.text(t, "base.json"))
			b, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			if got := Warnings(b.Spec); !slices.Equal(got, d.Warnings) {
				t.Errorf("warnings are\n\t%q\nwant\n\t%q", got, d.Warnings)
			}
		})
	}
}

// A process is checked alike in a config and in a file of its own.
func TestValidateProcessField(t *testing.T) {
	for field, want := range map[string]string{
		"":        "cwd: empty; args: no program is named",
		"process": "process.cwd: empty; process.args: no program is named",
	} {
		p, err := decode[specs.Process]([]byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		checkError(t, ValidateProcess(p, field).Err(), want)
	}
	checkError(t, ValidateProcess(nil, "process").Err(), "process: missing")
}

// Every mistake is an error that tells its field.
func TestFields(t *testing.T) {
	list := Validate(nil)
	if len(list) != 1 {
		t.Errorf("no config: %v", list)
	}
	_, err := Decode([]byte(`{"process": {"args": 1}, "mounts": [1]}`))
	var fields []string
	for _, e := range err.(fault.List) { //nolint:errorlint // documented type
		fields = append(fields, e.(*fault.Error).Field) //nolint:errorlint // documented type
	}
	if want := []string{"process.args", "mounts[0]"}; !slices.Equal(fields, want) {
		t.Errorf("fields %q, want %q", fields, want)
	}
}

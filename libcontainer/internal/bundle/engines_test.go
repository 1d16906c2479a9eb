package bundle

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// engines are configs as Docker, Podman and containerd wrote them.
func engines(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/engines/*.json")
	if err != nil || len(files) != 11 {
		t.Fatalf("%d files, %v; want 11", len(files), err)
	}
	docs := map[string][]byte{}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		docs[strings.TrimSuffix(filepath.Base(f), ".json")] = data
	}
	return docs
}

func TestEngines(t *testing.T) {
	for name, data := range engines(t) {
		t.Run(name, func(t *testing.T) {
			if strings.HasSuffix(name, ".process") {
				if _, err := LoadProcess("testdata/engines/" + name + ".json"); err != nil {
					t.Fatal(err)
				}
				return
			}
			spec, err := Decode(data)
			if err != nil {
				t.Fatal(err)
			}
			if err := Validate(spec).Err(); err != nil {
				t.Errorf("mistakes: %v", err)
			}
			if w := Warnings(spec); len(w) > 0 {
				t.Errorf("warnings: %q", w)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	data := bytes.Replace(engines(b)["docker-default"],
		[]byte(`"/var/lib/docker/overlay2/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/merged"`), []byte(`"rootfs"`), 1)
	if err := os.WriteFile(filepath.Join(dir, "config.json"), data, 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "rootfs"), 0o700); err != nil {
		b.Fatal(err)
	}
	b.Run("load", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Load(dir); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Decode(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("repeatsKey", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if repeatsKey(data) {
				b.Fatal("a key twice")
			}
		}
	})
	spec, err := Decode(data)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("validate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if len(Validate(spec)) > 0 || len(Warnings(spec)) > 0 {
				b.Fatal("mistakes")
			}
		}
	})
}

//go:build cgo && !noseccomp

package seccomp

import "testing"

func BenchmarkCompileDocker(b *testing.B) {
	p := docker(b)
	for b.Loop() {
		if _, err := Compile(p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlainDocker is libseccomp without the table.
func BenchmarkPlainDocker(b *testing.B) {
	p := docker(b)
	for b.Loop() {
		plain(b, p)
	}
}

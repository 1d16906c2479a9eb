package wire

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// TestHeaderInC compiles the C side's parser with AddressSanitizer and gives it
// a header of ours, then a million mutations of it.
func TestHeaderInC(t *testing.T) {
	cc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("needs gcc")
	}
	h := Header{
		Flags: HeaderRoot | HeaderSession, New: unix.CLONE_NEWPID | unix.CLONE_NEWNS,
		Join:        []JoinFD{{Type: unix.CLONE_NEWUSER, FD: 9}, {Type: unix.CLONE_NEWNET, FD: 10}},
		Doors:       []int{11, 12, 13},
		Cgroup:      14,
		OOMScoreAdj: "-999",
		TimeOffsets: "monotonic 1 2\nboottime 3 4\n",
	}
	packet, err := encodeHeader(&h)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	seed, bin := filepath.Join(dir, "seed"), filepath.Join(dir, "fuzz")
	if err := os.WriteFile(seed, packet, 0o600); err != nil {
		t.Fatal(err)
	}
	const room = "../../../nsenter"
	build := exec.Command(cc, "-std=gnu11", "-g", "-O1", "-Wall", "-Wextra", "-Werror",
		"-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-I", room,
		"-o", bin, "testdata/header_fuzz.c", room+"/header.c")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	const fds = "6"
	if out, err := exec.Command(bin, seed, fds, "1000000").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

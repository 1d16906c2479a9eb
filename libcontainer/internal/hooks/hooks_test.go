package hooks

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// sh is a hook that runs a script.
func sh(script string) Hook { return Hook{Path: "/bin/sh", Args: []string{"sh", "-c", script}} }

func within(h Hook, timeout time.Duration) Hook {
	h.Timeout = timeout
	return h
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestRunErrors(t *testing.T) {
	const prefix = "error running prestart hook "
	plain := filepath.Join(t.TempDir(), "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		hooks []Hook
		dir   string
		want  string
	}{
		"none":            {},
		"success":         {hooks: []Hook{sh("echo out; echo err >&2")}},
		"status":          {hooks: []Hook{sh("exit 3")}, want: "#0: exit status 3"},
		"second":          {hooks: []Hook{sh("exit 0"), sh("exit 1"), sh("exit 2")}, want: "#1: exit status 1"},
		"both outputs":    {hooks: []Hook{sh("echo a; echo b; echo c >&2; exit 1")}, want: "#0: exit status 1, stdout: a\nb, stderr: c"},
		"stdout":          {hooks: []Hook{sh("echo a; exit 1")}, want: "#0: exit status 1, stdout: a"},
		"stderr":          {hooks: []Hook{sh("echo c >&2; exit 1")}, want: "#0: exit status 1, stderr: c"},
		"reopened stderr": {hooks: []Hook{sh("echo a >&2; echo b >/dev/stderr; echo c >&2; exit 1")}, want: "#0: exit status 1, stderr: a\nb\nc"},
		"not UTF-8":       {hooks: []Hook{sh(`printf 'a\377b'; exit 1`)}, want: "#0: exit status 1, stdout: a\uFFFDb"},
		"signal":          {hooks: []Hook{sh("kill -KILL $$")}, want: "#0: signal: killed"},
		"missing":         {hooks: []Hook{{Path: "/nonexistent/hook"}}, want: "#0: fork/exec /nonexistent/hook: no such file or directory"},
		"not executable":  {hooks: []Hook{{Path: plain}}, want: "#0: fork/exec " + plain + ": permission denied"},
		"directory":       {hooks: []Hook{{Path: "/"}}, want: "#0: fork/exec /: permission denied"},
		"missing cwd":     {hooks: []Hook{sh("true")}, dir: "/nonexistent", want: "#0: chdir /nonexistent: no such file or directory"},
		"timeout": {
			hooks: []Hook{within(sh("echo before; exec sleep 100"), 200*time.Millisecond)},
			want:  "#0: hook ran past specified timeout of 200ms, stdout: before",
		},
		"in time": {hooks: []Hook{within(sh("sleep 0.1"), 10*time.Second)}},
	} {
		t.Run(name, func(t *testing.T) {
			want := tc.want
			if want != "" {
				want = prefix + want
			}
			checkError(t, Run(t.Context(), "prestart", tc.hooks, []byte("{}"), tc.dir, nil), want)
		})
	}
}

func TestErrno(t *testing.T) {
	err := Run(t.Context(), "prestart", []Hook{{Path: "/nonexistent"}}, nil, "", nil)
	if !errors.Is(err, unix.ENOENT) {
		t.Errorf("%v does not wrap ENOENT", err)
	}
}

func TestRunOrder(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	err := Run(t.Context(), "prestart", []Hook{
		sh("echo 1 >>" + out), sh("echo 2 >>" + out), sh("exit 1"), sh("echo 4 >>" + out),
	}, nil, "", nil)
	checkError(t, err, "error running prestart hook #2: exit status 1")
	if got := read(t, out); got != "1\n2\n" {
		t.Errorf("ran %q", got)
	}
}

func TestRunAll(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	err := RunAll(t.Context(), "poststop", []Hook{
		sh("exit 1"), sh("echo 2 >>" + out), {Path: "/nonexistent"}, sh("echo 4 >>" + out),
	}, nil, "", nil)
	checkError(t, err, "error running poststop hook #0: exit status 1; "+
		"error running poststop hook #2: fork/exec /nonexistent: no such file or directory")
	if got := read(t, out); got != "2\n4\n" {
		t.Errorf("ran %q", got)
	}
	checkError(t, RunAll(t.Context(), "poststop", []Hook{sh("true")}, nil, "", nil), "")
}

func TestArgv(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	// The script's path is $0 to the shell; its argv is read from the kernel.
	script := filepath.Join(t.TempDir(), "hook")
	if err := os.Symlink("/bin/sh", script); err != nil {
		t.Fatal(err)
	}
	dump := "tr '\\0' ' ' </proc/$$/cmdline >" + out
	for name, tc := range map[string]struct {
		hook  Hook
		state string
		want  string
	}{
		"as given": {hook: Hook{Path: "/bin/sh", Args: []string{"other", "-c", dump}}, want: "other -c " + dump + " "},
		"empty":    {hook: Hook{Path: script}, state: dump, want: script + " "},
	} {
		t.Run(name, func(t *testing.T) {
			checkError(t, Run(t.Context(), "k", []Hook{tc.hook}, []byte(tc.state), "", nil), "")
			if got := read(t, out); got != tc.want {
				t.Errorf("argv %q, want %q", got, tc.want)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("OURS", "1")
	for name, tc := range map[string]struct {
		own, defaults []string
		want          string
	}{
		"caller's":        {want: "1-"},
		"default":         {defaults: []string{"THEIRS=2"}, want: "-2"},
		"empty default":   {defaults: []string{}, want: "-"},
		"own":             {own: []string{"THEIRS=3"}, defaults: []string{"OURS=4"}, want: "-3"},
		"own, and empty":  {own: []string{}, want: "-"},
		"own over ours":   {own: []string{"OURS=5"}, want: "5-"},
		"with two values": {own: []string{"OURS=5", "THEIRS=6"}, want: "5-6"},
	} {
		t.Run(name, func(t *testing.T) {
			h := sh(`echo "$OURS-$THEIRS"; exit 1`)
			h.Env = tc.own
			err := Run(t.Context(), "k", []Hook{h}, nil, "", tc.defaults)
			checkError(t, err, "error running k hook #0: exit status 1, stdout: "+tc.want)
		})
	}
}

func TestWorkingDirectory(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct{ dir, want string }{
		"named": {dir, dir}, "inherited": {"", here},
	} {
		t.Run(name, func(t *testing.T) {
			err := Run(t.Context(), "k", []Hook{sh("/bin/pwd; exit 1")}, nil, tc.dir, nil)
			checkError(t, err, "error running k hook #0: exit status 1, stdout: "+tc.want)
		})
	}
}

func TestState(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB: 16 pipes full
	for name, tc := range map[string]struct {
		script string
		state  string
	}{
		"read":                        {`read x; [ "$x" = '{"id":"a"}' ]`, `{"id":"a"}`},
		"ends":                        {`[ "$(cat | wc -c)" -eq 10 ]`, `{"id":"a"}`},
		"by path":                     {`[ "$(cat /dev/stdin)" = '{"id":"a"}' ]`, `{"id":"a"}`},
		"not read":                    {"true", `{"id":"a"}`},
		"closed":                      {"exec <&-; sleep 0.1", `{"id":"a"}`},
		"large":                       {`[ "$(cat | wc -c)" -eq 1048576 ]`, large},
		"large, read late":            {`sleep 0.1; [ "$(cat | wc -c)" -eq 1048576 ]`, large},
		"large, not read":             {"true", large},
		"large, closed":               {"exec <&-; sleep 0.1", large},
		"large, read in part":         {"head -c 100000 >/dev/null", large},
		"large, while output flows":   {`cat; cat /dev/zero | head -c 300000`, large},
		"empty":                       {`[ "$(cat | wc -c)" -eq 0 ]`, ""},
		"large, kept by a left child": {`sleep 1 <&0 & exit 0`, large},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			checkError(t, Run(t.Context(), "k", []Hook{within(sh(tc.script), 20*time.Second)}, []byte(tc.state), "", nil), "")
			if took := time.Since(start); took > 800*time.Millisecond && !testing.Short() {
				t.Logf("took %v", took)
			}
		})
	}
	t.Run("large, never read", func(t *testing.T) {
		start := time.Now()
		err := Run(t.Context(), "k", []Hook{within(sh("sleep 100"), 300*time.Millisecond)}, []byte(large), "", nil)
		checkError(t, err, "error running k hook #0: hook ran past specified timeout of 300ms")
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestOutputIsBounded(t *testing.T) {
	const prefix = "error running k hook #0: exit status 1, "
	for name, tc := range map[string]struct{ script, stream string }{
		"stdout":   {`head -c 3000000 /dev/zero | tr '\0' x; echo end; exit 1`, "stdout"},
		"stderr":   {`(head -c 3000000 /dev/zero | tr '\0' x; echo end) >&2; exit 1`, "stderr"},
		"at limit": {`head -c 65537 /dev/zero | tr '\0' x; echo end; exit 1`, "stdout"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Run(t.Context(), "k", []Hook{sh(tc.script)}, nil, "", nil)
			if err == nil {
				t.Fatal("no error")
			}
			text, ok := strings.CutPrefix(err.Error(), prefix+tc.stream+": … x")
			if !ok || !strings.HasSuffix(text, "xend") {
				t.Errorf("error %.100q … %q", err.Error(), text[max(0, len(text)-10):])
			}
			if len(err.Error()) > limit+len(prefix)+20 {
				t.Errorf("%d bytes", len(err.Error()))
			}
		})
	}
}

func TestNoDescriptorLeaks(t *testing.T) {
	// A pipe whose number is low, and one that is high.
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer closeAll(fds[:])
	ctx, cancel := context.WithCancel(t.Context()) // an eventfd, too
	defer cancel()
	allowed := map[string]bool{"0": true, "1": true, "2": true}
	for fd := range 1024 { // what our own caller has left open for all
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			allowed[strconv.Itoa(fd)] = true
		}
	}
	for fd := 0; ; fd++ { // and the one through which ls reads the directory
		if n := strconv.Itoa(fd); !allowed[n] {
			allowed[n] = true
			break
		}
	}
	err := Run(ctx, "k", []Hook{within(Hook{Path: "/bin/ls", Args: []string{"ls", "/proc/self/fd", "/nonexistent"}}, time.Minute)}, nil, "", nil)
	if err == nil {
		t.Fatal("no error to read the list from")
	}
	list, _, _ := strings.Cut(err.Error(), ", stderr")
	_, list, _ = strings.Cut(list, "/proc/self/fd:\n")
	if len(strings.Fields(list)) < 3 {
		t.Fatalf("no list in %q", err)
	}
	for fd := range strings.FieldsSeq(list) {
		if !allowed[fd] {
			t.Errorf("descriptor %s leaks", fd)
		}
	}
}

func TestNothingStaysOpen(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := count()
	for _, h := range []Hook{sh("true"), sh("exit 1"), {Path: "/nonexistent"}, within(sh("sleep 9"), time.Millisecond), sh("exec >&- 2>&-")} {
		_ = Run(ctx, "k", []Hook{h}, []byte("{}"), "", nil)
	}
	if after := count(); after != before {
		t.Errorf("%d descriptors, then %d", before, after)
	}
}

func TestFromSpec(t *testing.T) {
	two, most := 2, int(^uint(0)>>1)
	got := FromSpec([]specs.Hook{
		{Path: "/a", Args: []string{"a", "b"}, Env: []string{"X=1"}, Timeout: &two},
		{Path: "/b"},
		{Path: "/c", Env: []string{}, Timeout: &most},
	})
	want := []Hook{
		{Path: "/a", Args: []string{"a", "b"}, Env: []string{"X=1"}, Timeout: 2 * time.Second},
		{Path: "/b"},
		{Path: "/c", Env: []string{}, Timeout: got[2].Timeout},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got[2].Timeout <= 0 {
		t.Errorf("a timeout of %d seconds became %v", most, got[2].Timeout)
	}
}

// pidIn waits for a pid that a hook writes to a file.
func pidIn(t *testing.T, name string) int {
	t.Helper()
	for range 500 {
		data, err := os.ReadFile(name)
		if err == nil && strings.HasSuffix(string(data), "\n") {
			pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("no pid in " + name)
	return 0
}

// gone waits until pid has ended; a zombie has not been reaped by its parent,
// but has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	for range 500 {
		data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(data), ") Z ") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d still runs", pid)
}

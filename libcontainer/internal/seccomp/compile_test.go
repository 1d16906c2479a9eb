//go:build cgo && !noseccomp

package seccomp

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

const (
	amd64 = unix.AUDIT_ARCH_X86_64
	i386  = unix.AUDIT_ARCH_I386
)

func needAMD64(t testing.TB) {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("the expected numbers are those of amd64")
	}
}

func TestCompileVerdicts(t *testing.T) {
	needAMD64(t)
	const x32 = x32Bit
	allowList := `{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"],
		"syscalls":[{"names":["read","write","statx","futex_waitv","no_such_call"],"action":"SCMP_ACT_ALLOW"}]}`
	for name, tc := range map[string]struct {
		profile string
		call    data
		want    string
	}{
		"listed":                      {allowList, data{nr: 0, arch: amd64}, "ALLOW"},
		"not listed":                  {allowList, data{nr: 246, arch: amd64}, "ERRNO 1"},
		"newest":                      {allowList, data{nr: 449, arch: amd64}, "ALLOW"},
		"newer than newest":           {allowList, data{nr: 450, arch: amd64}, "ERRNO 38"},
		"newer than all":              {allowList, data{nr: 5000, arch: amd64}, "ERRNO 38"},
		"listed, i386":                {allowList, data{nr: 3, arch: i386}, "ALLOW"},
		"not listed, i386":            {allowList, data{nr: 283, arch: i386}, "ERRNO 1"},
		"newer, i386":                 {allowList, data{nr: 450, arch: i386}, "ERRNO 38"},
		"listed, x32":                 {allowList, data{nr: x32 | 332, arch: amd64}, "ALLOW"},
		"not listed, x32":             {allowList, data{nr: x32 | 246, arch: amd64}, "ERRNO 1"},
		"newer, x32":                  {allowList, data{nr: x32 | 5000, arch: amd64}, "ERRNO 38"},
		"foreign architecture":        {allowList, data{nr: 63, arch: unix.AUDIT_ARCH_AARCH64}, "KILL_THREAD"},
		"native is always there":      {`{"defaultAction":"SCMP_ACT_KILL","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`, data{nr: 0, arch: amd64}, "ALLOW"},
		"x32 not asked for":           {`{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`, data{nr: x32, arch: amd64}, "KILL_THREAD"},
		"i386 not asked for":          {`{"defaultAction":"SCMP_ACT_ALLOW"}`, data{nr: 3, arch: i386}, "KILL_THREAD"},
		"no rules":                    {`{"defaultAction":"SCMP_ACT_ERRNO"}`, data{nr: 5000, arch: amd64}, "ERRNO 1"},
		"default errno":               {`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":28,"syscalls":[{"names":["statx"],"action":"SCMP_ACT_ALLOW"}]}`, data{nr: 83, arch: amd64}, "ERRNO 28"},
		"default kill process, newer": {`{"defaultAction":"SCMP_ACT_KILL_PROCESS","syscalls":[{"names":["read"],"action":"SCMP_ACT_ALLOW"}]}`, data{nr: 83, arch: amd64}, "ERRNO 38"},
		"default trap, older":         {`{"defaultAction":"SCMP_ACT_TRAP","syscalls":[{"names":["statx"],"action":"SCMP_ACT_ALLOW"}]}`, data{nr: 83, arch: amd64}, "TRAP"},
		"default allow, newer":        {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO"}]}`, data{nr: 5000, arch: amd64}, "ALLOW"},
		"default log, newer":          {`{"defaultAction":"SCMP_ACT_LOG","syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO"}]}`, data{nr: 5000, arch: amd64}, "LOG"},
		"default trace, newer":        {`{"defaultAction":"SCMP_ACT_TRACE","defaultErrnoRet":7,"syscalls":[{"names":["read"],"action":"SCMP_ACT_ERRNO"}]}`, data{nr: 5000, arch: amd64}, "TRACE 7"},
		"rule like the default":       {`{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["statx"],"action":"SCMP_ACT_ERRNO"}]}`, data{nr: 332, arch: amd64}, "ERRNO 1"},
		"rule like the default names": {`{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["statx"],"action":"SCMP_ACT_ERRNO"}]}`, data{nr: 331, arch: amd64}, "ERRNO 1"},
		"errno":                       {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}`, data{nr: 83, arch: amd64}, "ERRNO 28"},
		"errno 0":                     {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO","errnoRet":0}]}`, data{nr: 83, arch: amd64}, "ERRNO 0"},
		"errno by default":            {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}`, data{nr: 83, arch: amd64}, "ERRNO 1"},
		"trace":                       {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_TRACE","errnoRet":65535}]}`, data{nr: 83, arch: amd64}, "TRACE 65535"},
		"trace by default":            {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_TRACE"}]}`, data{nr: 83, arch: amd64}, "TRACE 1"},
		"kill thread":                 {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_KILL_THREAD"}]}`, data{nr: 83, arch: amd64}, "KILL_THREAD"},
		"kill is kill thread":         {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_KILL"}]}`, data{nr: 83, arch: amd64}, "KILL_THREAD"},
		"kill process":                {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_KILL_PROCESS"}]}`, data{nr: 83, arch: amd64}, "KILL_PROCESS"},
		"log":                         {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_LOG"}]}`, data{nr: 83, arch: amd64}, "LOG"},
		"notify":                      {`{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/s","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}]}`, data{nr: 83, arch: amd64}, "NOTIFY"},
		"socket on i386, direct":      {`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":["read","socket"],"action":"SCMP_ACT_ALLOW"}]}`, data{nr: 359, arch: i386}, "ALLOW"},
		"socket on i386, multiplexed": {`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":["read","socket"],"action":"SCMP_ACT_ALLOW"}]}`, data{nr: 102, arch: i386, args: [6]uint64{1}}, "ALLOW"},
		"bind on i386, multiplexed":   {`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":["read","socket"],"action":"SCMP_ACT_ALLOW"}]}`, data{nr: 102, arch: i386, args: [6]uint64{2}}, "ERRNO 1"},
		"semop alone on i386":         {`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":["semop"],"action":"SCMP_ACT_ERRNO"}]}`, data{nr: 117, arch: i386, args: [6]uint64{1}}, "ERRNO 1"},
		"its anchor on i386":          {`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":["semop"],"action":"SCMP_ACT_ERRNO"}]}`, data{nr: 43, arch: i386}, "ALLOW"},
		"its anchor, newer":           {`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":["semop"],"action":"SCMP_ACT_ALLOW"}]}`, data{nr: 100, arch: amd64}, "ERRNO 38"},
		"its anchor, older":           {`{"defaultAction":"SCMP_ACT_ERRNO","architectures":["SCMP_ARCH_X86"],"syscalls":[{"names":["semop","statx"],"action":"SCMP_ACT_ALLOW"}]}`, data{nr: 100, arch: amd64}, "ERRNO 1"},
		"private call of ARM":         {`{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["set_tls"],"action":"SCMP_ACT_ALLOW"}]}`, data{nr: 200, arch: amd64}, "ERRNO 1"},
	} {
		t.Run(name, func(t *testing.T) {
			ret, _ := run(t, compile(t, parse(t, tc.profile)), &tc.call)
			if got := verdict(ret); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func TestCompileArguments(t *testing.T) {
	needAMD64(t)
	const big = 1 << 33
	for name, tc := range map[string]struct {
		args    string
		yes, no [6]uint64
	}{
		"EQ":             {`{"index":0,"value":8,"op":"SCMP_CMP_EQ"}`, [6]uint64{8}, [6]uint64{8 | big}},
		"NE":             {`{"index":1,"value":40,"op":"SCMP_CMP_NE"}`, [6]uint64{0, 41}, [6]uint64{0, 40}},
		"LT":             {`{"index":2,"value":8589934592,"op":"SCMP_CMP_LT"}`, [6]uint64{0, 0, big - 1}, [6]uint64{0, 0, big}},
		"LE":             {`{"index":3,"value":5,"op":"SCMP_CMP_LE"}`, [6]uint64{0, 0, 0, 5}, [6]uint64{0, 0, 0, 6}},
		"GE":             {`{"index":4,"value":5,"op":"SCMP_CMP_GE"}`, [6]uint64{0, 0, 0, 0, 5}, [6]uint64{0, 0, 0, 0, 4}},
		"GT":             {`{"index":5,"value":5,"op":"SCMP_CMP_GT"}`, [6]uint64{5: big}, [6]uint64{5: 5}},
		"MASKED_EQ":      {`{"index":0,"value":2114060288,"op":"SCMP_CMP_MASKED_EQ"}`, [6]uint64{17}, [6]uint64{0x10000000 | 17}},
		"MASKED_EQ to":   {`{"index":0,"value":15,"valueTwo":5,"op":"SCMP_CMP_MASKED_EQ"}`, [6]uint64{0xf5}, [6]uint64{0xf4}},
		"both must hold": {`{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":1,"value":2,"op":"SCMP_CMP_EQ"}`, [6]uint64{1, 2}, [6]uint64{1, 3}},
		"one argument twice: either": {
			`{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":0,"value":2,"op":"SCMP_CMP_EQ"}`, [6]uint64{2}, [6]uint64{3},
		},
		"one argument twice: the others count alone": {
			`{"index":0,"value":1,"op":"SCMP_CMP_EQ"},{"index":1,"value":9,"op":"SCMP_CMP_EQ"},{"index":0,"value":2,"op":"SCMP_CMP_EQ"}`, [6]uint64{7, 9}, [6]uint64{7, 8},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := parse(t, `{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[
				{"names":["statx"],"action":"SCMP_ACT_ALLOW"},
				{"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[`+tc.args+`]}]}`)
			prog := compile(t, p)
			if ret, _ := run(t, prog, &data{nr: 135, arch: amd64, args: tc.yes}); verdict(ret) != "ALLOW" {
				t.Errorf("args %v: %s", tc.yes, verdict(ret))
			}
			if ret, _ := run(t, prog, &data{nr: 135, arch: amd64, args: tc.no}); verdict(ret) != "ERRNO 1" {
				t.Errorf("args %v: %s", tc.no, verdict(ret))
			}
		})
	}
}

func TestCompileMistakes(t *testing.T) {
	for name, tc := range map[string]struct{ profile, want string }{
		"no default":        {`{}`, `linux.seccomp.defaultAction: unknown action ""`},
		"default":           {`{"defaultAction":"SCMP_ACT_SCREAM"}`, `linux.seccomp.defaultAction: unknown action "SCMP_ACT_SCREAM"`},
		"default notify":    {`{"defaultAction":"SCMP_ACT_NOTIFY","listenerPath":"/s"}`, `linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default action`},
		"default errno":     {`{"defaultAction":"SCMP_ACT_ALLOW","defaultErrnoRet":1}`, `linux.seccomp.defaultErrnoRet: SCMP_ACT_ALLOW takes no errno`},
		"large errno":       {`{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":4096}`, `linux.seccomp.defaultErrnoRet: 4096 is above 4095`},
		"architecture":      {`{"defaultAction":"SCMP_ACT_ALLOW","architectures":["SCMP_ARCH_VAX"]}`, `linux.seccomp.architectures[0]: unknown architecture "SCMP_ARCH_VAX"`},
		"flag":              {`{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG","X"]}`, `linux.seccomp.flags[1]: unknown flag "X"`},
		"listener flag":     {`{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_NEW_LISTENER"]}`, `linux.seccomp.flags[0]: unknown flag "SECCOMP_FILTER_FLAG_NEW_LISTENER"`},
		"no names":          {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_LOG"}]}`, `linux.seccomp.syscalls[0].names: no system call is named`},
		"action":            {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"allow"}]}`, `linux.seccomp.syscalls[0].action: unknown action "allow"`},
		"errno":             {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_KILL","errnoRet":3}]}`, `linux.seccomp.syscalls[0].errnoRet: SCMP_ACT_KILL takes no errno`},
		"large trace":       {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_TRACE","errnoRet":65536}]}`, `linux.seccomp.syscalls[0].errnoRet: 65536 is above 65535`},
		"argument":          {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_LOG","args":[{"index":6,"value":0,"op":"SCMP_CMP_EQ"}]}]}`, `linux.seccomp.syscalls[0].args[0].index: argument 6: system calls have six, counted from 0`},
		"operator":          {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_LOG","args":[{"index":0,"value":0,"op":"="}]}]}`, `linux.seccomp.syscalls[0].args[0].op: unknown operator "="`},
		"notify for nobody": {`{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_NOTIFY"}]}`, `linux.seccomp.listenerPath: SCMP_ACT_NOTIFY needs a listener`},
		"notify for write":  {`{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/s","syscalls":[{"names":["read","write"],"action":"SCMP_ACT_NOTIFY"}]}`, `linux.seccomp.syscalls[0].names: SCMP_ACT_NOTIFY cannot be used for the write system call`},
	} {
		t.Run(name, func(t *testing.T) {
			prog, err := Compile(parse(t, tc.profile))
			if err == nil {
				t.Fatalf("accepted: %+v", prog)
			}
			if err.Error() != tc.want {
				t.Errorf("got %q, want %q", err, tc.want)
			}
		})
	}
}

func TestCompileFlags(t *testing.T) {
	const notify = `"listenerPath":"/s","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_NOTIFY"}],`
	for name, tc := range map[string]struct {
		profile  string
		want     uint32
		listener bool
	}{
		"absent":            {`{"defaultAction":"SCMP_ACT_ALLOW"}`, unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW, false},
		"empty":             {`{"defaultAction":"SCMP_ACT_ALLOW","flags":[]}`, 0, false},
		"tsync":             {`{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_TSYNC"]}`, 0, false},
		"log":               {`{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_LOG"]}`, unix.SECCOMP_FILTER_FLAG_LOG, false},
		"wait, no listener": {`{"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}`, 0, false},
		"wait, listener":    {`{` + notify + `"defaultAction":"SCMP_ACT_ALLOW","flags":["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}`, unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, true},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Compile(parse(t, tc.profile))
			if err != nil {
				t.Fatal(err)
			}
			if p.Flags != tc.want || p.Listener != tc.listener {
				t.Errorf("flags %#x, listener %v; want %#x, %v", p.Flags, p.Listener, tc.want, tc.listener)
			}
		})
	}
}

// TestCompileSame holds the table against libseccomp: it may answer faster, but
// not otherwise.
func TestCompileSame(t *testing.T) {
	needAMD64(t)
	const archs = `"architectures":["SCMP_ARCH_X86","SCMP_ARCH_X32","SCMP_ARCH_X86_64"],`
	for name, profile := range map[string]string{
		"allow list":         `{` + archs + `"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["read","statx","futex_waitv","openat2"],"action":"SCMP_ACT_ALLOW"}]}`,
		"deny list":          `{` + archs + `"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mount","keyctl"],"action":"SCMP_ACT_ERRNO"},{"names":["ptrace"],"action":"SCMP_ACT_KILL_PROCESS"}]}`,
		"conditional too":    `{` + archs + `"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]},{"names":["personality","statx"],"action":"SCMP_ACT_ALLOW"}]}`,
		"args, two actions":  `{` + archs + `"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["personality"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":8,"op":"SCMP_CMP_EQ"}]},{"names":["personality","statx"],"action":"SCMP_ACT_LOG","args":[{"index":0,"value":9,"op":"SCMP_CMP_GT"}]}]}`,
		"multiplexed":        `{` + archs + `"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["socket","semop","msgget","recvmmsg","statx","accept4"],"action":"SCMP_ACT_ALLOW"}]}`,
		"multiplexer itself": `{` + archs + `"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["socket","socketcall","ipc","semop"],"action":"SCMP_ACT_ALLOW"},{"names":["bind"],"action":"SCMP_ACT_LOG"}]}`,
		"multiplexed, args":  `{` + archs + `"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["socket"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":40,"op":"SCMP_CMP_NE"}]},{"names":["statx"],"action":"SCMP_ACT_ALLOW"}]}`,
		"multiplexed alone":  `{` + archs + `"defaultAction":"SCMP_ACT_KILL_PROCESS","syscalls":[{"names":["semop"],"action":"SCMP_ACT_LOG"}]}`,
		"multiplexed denied": `{` + archs + `"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["socket"],"action":"SCMP_ACT_ERRNO"}]}`,
		"ppc64le":            `{"architectures":["SCMP_ARCH_PPC64LE"],"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["socket","semop","keyctl"],"action":"SCMP_ACT_ERRNO"}]}`,
		"arm64, arm":         `{"architectures":["SCMP_ARCH_ARM","SCMP_ARCH_AARCH64"],"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"names":["socket","semop","keyctl","statx"],"action":"SCMP_ACT_ALLOW"}]}`,
		"nothing":            `{` + archs + `"defaultAction":"SCMP_ACT_ERRNO"}`,
	} {
		t.Run(name, func(t *testing.T) { same(t, parse(t, profile)) })
	}
}

func TestCompileDocker(t *testing.T) {
	needAMD64(t)
	p := docker(t)
	same(t, p)
	prog := compile(t, p)
	var steps, allowed int
	for nr := range uint32(450) {
		if ret, n := run(t, prog, &data{nr: nr, arch: amd64}); ret == unix.SECCOMP_RET_ALLOW {
			steps += n
			allowed++
		}
	}
	// libseccomp alone: 991 instructions, 180 for an allowed call.
	t.Logf("%d instructions, %d for an allowed call", len(prog), steps/allowed)
	if steps/allowed > 16 {
		t.Errorf("an allowed call takes %d instructions", steps/allowed)
	}
	for nr, want := range map[uint32]string{0: "ALLOW", 246: "ERRNO 1", 435: "ERRNO 38", 5000: "ERRNO 38", x32Bit | 1: "ALLOW"} {
		if ret, _ := run(t, prog, &data{nr: nr, arch: amd64}); verdict(ret) != want {
			t.Errorf("%d: got %s, want %s", nr, verdict(ret), want)
		}
	}
}

// TestAuditArch compares with the constants libseccomp compares with: a wrong
// one would leave the table out.
func TestAuditArch(t *testing.T) {
	for _, name := range Architectures() {
		t.Run(name, func(t *testing.T) {
			audit, err := auditArch(specs.Arch(name))
			if err != nil {
				t.Fatal(err)
			}
			token, err := libseccomp.GetArchFromString(strings.TrimPrefix(name, "SCMP_ARCH_"))
			if err != nil {
				t.Fatal(err)
			}
			f, err := libseccomp.NewFilter(libseccomp.ActAllow)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Release()
			native, err := libseccomp.GetNativeArch()
			if err != nil {
				t.Fatal(err)
			}
			if token != native {
				if err := f.RemoveArch(native); err != nil {
					t.Fatal(err)
				}
				if err := f.AddArch(token); err != nil {
					t.Skipf("libseccomp %s does not have it: %v", Version(), err)
				}
			}
			code, err := export(f)
			if err != nil {
				t.Fatal(err)
			}
			// libseccomp writes in the byte order of the architecture.
			var order binary.ByteOrder = binary.LittleEndian
			if code[0] == 0 {
				order = binary.BigEndian
			}
			if order.Uint16(code) != opLoad || order.Uint32(code[4:]) != dataArch ||
				order.Uint16(code[8:]) != opJEQ || order.Uint32(code[12:]) != audit {
				t.Errorf("libseccomp does not compare with %#x first: %x", audit, code)
			}
		})
	}
}

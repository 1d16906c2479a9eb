package plan

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestCapabilityNames(t *testing.T) {
	names := CapabilityNames()
	for name, want := range map[string]int{ // linux/capability.h
		"CAP_CHOWN": unix.CAP_CHOWN, "CAP_DAC_OVERRIDE": unix.CAP_DAC_OVERRIDE,
		"CAP_DAC_READ_SEARCH": unix.CAP_DAC_READ_SEARCH, "CAP_FOWNER": unix.CAP_FOWNER,
		"CAP_FSETID": unix.CAP_FSETID, "CAP_KILL": unix.CAP_KILL, "CAP_SETGID": unix.CAP_SETGID,
		"CAP_SETUID": unix.CAP_SETUID, "CAP_SETPCAP": unix.CAP_SETPCAP,
		"CAP_LINUX_IMMUTABLE": unix.CAP_LINUX_IMMUTABLE, "CAP_NET_BIND_SERVICE": unix.CAP_NET_BIND_SERVICE,
		"CAP_NET_BROADCAST": unix.CAP_NET_BROADCAST, "CAP_NET_ADMIN": unix.CAP_NET_ADMIN,
		"CAP_NET_RAW": unix.CAP_NET_RAW, "CAP_IPC_LOCK": unix.CAP_IPC_LOCK, "CAP_IPC_OWNER": unix.CAP_IPC_OWNER,
		"CAP_SYS_MODULE": unix.CAP_SYS_MODULE, "CAP_SYS_RAWIO": unix.CAP_SYS_RAWIO,
		"CAP_SYS_CHROOT": unix.CAP_SYS_CHROOT, "CAP_SYS_PTRACE": unix.CAP_SYS_PTRACE,
		"CAP_SYS_PACCT": unix.CAP_SYS_PACCT, "CAP_SYS_ADMIN": unix.CAP_SYS_ADMIN, "CAP_SYS_BOOT": unix.CAP_SYS_BOOT,
		"CAP_SYS_NICE": unix.CAP_SYS_NICE, "CAP_SYS_RESOURCE": unix.CAP_SYS_RESOURCE,
		"CAP_SYS_TIME": unix.CAP_SYS_TIME, "CAP_SYS_TTY_CONFIG": unix.CAP_SYS_TTY_CONFIG,
		"CAP_MKNOD": unix.CAP_MKNOD, "CAP_LEASE": unix.CAP_LEASE, "CAP_AUDIT_WRITE": unix.CAP_AUDIT_WRITE,
		"CAP_AUDIT_CONTROL": unix.CAP_AUDIT_CONTROL, "CAP_SETFCAP": unix.CAP_SETFCAP,
		"CAP_MAC_OVERRIDE": unix.CAP_MAC_OVERRIDE, "CAP_MAC_ADMIN": unix.CAP_MAC_ADMIN,
		"CAP_SYSLOG": unix.CAP_SYSLOG, "CAP_WAKE_ALARM": unix.CAP_WAKE_ALARM,
		"CAP_BLOCK_SUSPEND": unix.CAP_BLOCK_SUSPEND, "CAP_AUDIT_READ": unix.CAP_AUDIT_READ,
		"CAP_PERFMON": unix.CAP_PERFMON, "CAP_BPF": unix.CAP_BPF,
		"CAP_CHECKPOINT_RESTORE": unix.CAP_CHECKPOINT_RESTORE,
	} {
		if i := slices.Index(names, name); i != want {
			t.Errorf("%s is %d, want %d", name, i, want)
		}
	}
	if len(names) != unix.CAP_LAST_CAP+1 {
		t.Errorf("%d names, the kernel's headers have %d", len(names), unix.CAP_LAST_CAP+1)
	}
}

func TestCapabilities(t *testing.T) {
	list := func(names ...string) []string { return names }
	const chown, kill, restore = 1 << 0, 1 << 5, 1 << 40
	for name, tc := range map[string]struct {
		in   *specs.LinuxCapabilities
		last int
		want Capabilities
	}{
		"none":  {nil, 40, Capabilities{}},
		"empty": {&specs.LinuxCapabilities{}, 40, Capabilities{}},
		"each": {&specs.LinuxCapabilities{
			Bounding: list("CAP_CHOWN"), Effective: list("CAP_KILL"), Permitted: list("CAP_CHOWN", "CAP_KILL"),
			Inheritable: list("CAP_CHECKPOINT_RESTORE", "CAP_KILL"), Ambient: list("CAP_KILL"),
		}, 40, Capabilities{chown, kill, chown | kill, restore | kill, kill}},
		"unknown names":   {&specs.LinuxCapabilities{Bounding: list("CAP_X", "CHOWN", "cap_chown", "CAP_KILL", "")}, 40, Capabilities{Bounding: kill}},
		"an older kernel": {&specs.LinuxCapabilities{Bounding: list("CAP_CHECKPOINT_RESTORE", "CAP_KILL")}, 39, Capabilities{Bounding: kill}},
		"ambient, not permitted": {&specs.LinuxCapabilities{
			Inheritable: list("CAP_KILL"), Ambient: list("CAP_KILL"),
		}, 40, Capabilities{Inheritable: kill}},
		"ambient, not inheritable": {&specs.LinuxCapabilities{
			Permitted: list("CAP_KILL"), Ambient: list("CAP_KILL"),
		}, 40, Capabilities{Permitted: kill}},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := small(), fixedFacts()
			s.Process.Capabilities, f.Host.LastCap = tc.in, tc.last
			p := create(t, s, f)
			if got := *of(p, OpCapabilities)[0].Caps; got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
			if got := of(p, OpBounding)[0].Flags; got != tc.want.Bounding {
				t.Errorf("bounding %#x, want %#x", got, tc.want.Bounding)
			}
		})
	}
}

func TestRlimits(t *testing.T) {
	for name, want := range map[string]int{ // asm-generic/resource.h
		"RLIMIT_CPU": 0, "RLIMIT_FSIZE": 1, "RLIMIT_DATA": 2, "RLIMIT_STACK": 3, "RLIMIT_CORE": 4, "RLIMIT_RSS": 5,
		"RLIMIT_NPROC": unix.RLIMIT_NPROC, "RLIMIT_NOFILE": unix.RLIMIT_NOFILE, // these three differ by architecture
		"RLIMIT_MEMLOCK": unix.RLIMIT_MEMLOCK, "RLIMIT_AS": unix.RLIMIT_AS,
		"RLIMIT_LOCKS": 10, "RLIMIT_SIGPENDING": 11, "RLIMIT_MSGQUEUE": 12, "RLIMIT_NICE": 13, "RLIMIT_RTPRIO": 14,
		"RLIMIT_RTTIME": 15,
	} {
		s := small()
		s.Process.Rlimits = []specs.POSIXRlimit{{Type: name, Soft: 1, Hard: ^uint64(0)}}
		got := create(t, s, fixedFacts()).Rlimits
		if !slices.Equal(got, []Rlimit{{"process.rlimits[0]", want, 1, ^uint64(0)}}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestSysctl(t *testing.T) {
	for in, want := range map[string]string{ // sysctl(8), sysctl.d(5)
		"kernel.shm_rmid_forced":          "kernel/shm_rmid_forced",
		"kernel/shm_rmid_forced":          "kernel/shm_rmid_forced",
		"net.ipv4.conf.eth0/1.forwarding": "net/ipv4/conf/eth0.1/forwarding",
		"net/ipv4/conf/eth0.1/forwarding": "net/ipv4/conf/eth0.1/forwarding",
		"fs.mqueue.msg_max":               "fs/mqueue/msg_max",
	} {
		s := small()
		s.Linux.Sysctl = map[string]string{in: "v"}
		steps := of(create(t, s, fixedFacts()), OpSysctl)
		if len(steps) != 1 || steps[0].Path != want || steps[0].Value != "v" {
			t.Errorf("%s: %+v, want %s", in, steps, want)
		}
	}
}

func TestIDs(t *testing.T) {
	const group = "process.user.additionalGids: setgroups is denied in this user namespace: map more groups than one"
	own := func(s *specs.Spec) {
		addUser(s)
		s.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: 1000, Size: 1}}
	}
	for name, tc := range map[string]struct {
		change func(*specs.Spec)
		host   Host
		keep   bool
		err    string // with an additional group
	}{
		"root":                        {func(*specs.Spec) {}, Host{}, false, ""},
		"rootless, own gid":           {own, Host{EUID: 1000, EGID: 1000}, true, group},
		"rootless, another gid":       {own, Host{EUID: 1000, EGID: 1001}, false, "process.user.additionalGids[0]: 7 is not in linux.gidMappings"},
		"rootless, many":              {addUser, Host{EUID: 1000, EGID: 100000}, false, ""},
		"root, one gid":               {own, Host{EGID: 1000}, false, "process.user.additionalGids[0]: 7 is not in linux.gidMappings"},
		"denied already":              {func(*specs.Spec) {}, Host{SetgroupsDenied: true}, true, group},
		"annotation":                  {func(s *specs.Spec) { s.Annotations = map[string]string{"run.oci.keep_original_groups": "1"} }, Host{}, true, ""},
		"annotation says no":          {func(s *specs.Spec) { s.Annotations = map[string]string{"run.oci.keep_original_groups": "0"} }, Host{}, false, ""},
		"joined, own gid in mappings": {func(s *specs.Spec) { own(s); s.Linux.Namespaces[1].Path = "/n" }, Host{EUID: 1000, EGID: 1000}, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := small()
			tc.change(s)
			f := fixedFacts()
			f.Host = tc.host
			if ids := of(create(t, s, f), OpIDs)[0].IDs; ids.KeepGroups != tc.keep {
				t.Errorf("%+v", ids)
			}
			s.Process.User.AdditionalGids = []uint32{7}
			_, err := Create(s, f.Options, f.Host)
			if (err == nil) != (tc.err == "") || err != nil && err.Error() != tc.err {
				t.Errorf("error %v, want %q", err, tc.err)
			}
		})
	}
}

func TestEnvironment(t *testing.T) {
	for name, tc := range map[string]struct {
		in     string
		listen int
		want   string
	}{
		"none":                {"", 0, ""},
		"the last counts":     {"A=1 B=2 A=3 C=4 B=5", 0, "A=3 C=4 B=5"},
		"a prefix is no name": {"A=1 AA=2 A=", 0, "AA=2 A="},
		"sockets":             {"LISTEN_PID=7 A=1 LISTEN_FDS=9", 2, "A=1 LISTEN_FDS=2 LISTEN_PID=1"},
		"no sockets":          {"LISTEN_FDS=9", 0, "LISTEN_FDS=9"},
	} {
		t.Run(name, func(t *testing.T) {
			s, f := small(), fixedFacts()
			s.Process.Env, f.Options.ListenFDs = strings.Fields(tc.in), tc.listen
			got := of(create(t, s, f), OpLookup)[0].Exec.Env
			if strings.Join(got, " ") != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestNodeList(t *testing.T) {
	for in, want := range map[string]struct {
		nodes []uint32
		err   string
	}{
		"":             {},
		"0":            {nodes: []uint32{0}},
		"7,0-3":        {nodes: []uint32{0, 1, 2, 3, 7}},
		" 1 , 1-2,1":   {nodes: []uint32{1, 2}},
		"1023":         {nodes: []uint32{1023}},
		"1024":         {err: `"1024": node 1024 is beyond the last, 1023`},
		"0-4294967295": {err: `"0-4294967295": node 4294967295 is beyond the last, 1023`},
		"3-2":          {err: `malformed list "3-2"`},
		"1,":           {err: `malformed list "1,"`},
		"-1":           {err: `malformed list "-1"`},
		"a":            {err: `malformed list "a"`},
	} {
		got, err := nodeList(in)
		if !slices.Equal(got, want.nodes) || (err == nil) != (want.err == "") || err != nil && err.Error() != want.err {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
}

func TestIDMap(t *testing.T) {
	own := [2][]IDMap{{{0, 1000, 1}, {1, 100000, 10}}, {{0, 2000, 5}}}
	for in, want := range map[string]struct {
		uids, gids []IDMap
		err        string
	}{
		"uids=0-5-10;gids=1-2-3":       {uids: []IDMap{{0, 5, 10}}, gids: []IDMap{{1, 2, 3}}},
		"gids=1-2-3;uids=0-5-1#7-8-9":  {uids: []IDMap{{0, 5, 1}, {7, 8, 9}}, gids: []IDMap{{1, 2, 3}}},
		"uids=@9-1-10;gids=@0-4-1":     {uids: []IDMap{{9, 100000, 10}}, gids: []IDMap{{0, 2004, 1}}},
		"uids=@9-2-1#0-1-1;gids=0-0-1": {uids: []IDMap{{9, 100001, 1}, {0, 1, 1}}, gids: []IDMap{{0, 0, 1}}},
		"uids=@0-0-2;gids=0-0-1":       {err: `"@0-0-2": not in one range of the container's mappings`},
		"uids=@0-11-1;gids=0-0-1":      {err: `"@0-11-1": not in one range of the container's mappings`},
		"uids=0-0-1":                   {err: `"uids=0-0-1": uids and gids are both needed`},
		"uids=;gids=0-0-1":             {err: `"uids=;gids=0-0-1": uids and gids are both needed`},
		"pids=0-0-1":                   {err: `unknown part "pids=0-0-1": uids or gids`},
		"uids=0-0;gids=0-0-1":          {err: `"0-0" is not A-B-N`},
		"uids=0-0-1-2;gids=0-0-1":      {err: `"0-0-1-2" is not A-B-N`},
		"uids=0-x-1;gids=0-0-1":        {err: `"0-x-1": "x" is not an id`},
		"uids=0-4294967296-1;gids=":    {err: `"0-4294967296-1": "4294967296" is not an id`},
		"uids=0-0-0;gids=0-0-1":        {err: `"0-0-0" maps nothing, or more than there is`},
		"uids=0-0-4294967295;gids=":    {err: `"0-0-4294967295" maps nothing, or more than there is`},
		"uids=0-4294967294-2;gids=":    {err: `"0-4294967294-2" goes beyond the last id, 4294967294`},
		"uids=4294967290-0-9;gids=":    {err: `"4294967290-0-9" goes beyond the last id, 4294967294`},
	} {
		t.Run(in, func(t *testing.T) {
			uids, gids, err := parseIDMap(in, own)
			if (err == nil) != (want.err == "") || err != nil && err.Error() != want.err {
				t.Fatalf("error %v, want %q", err, want.err)
			}
			if !reflect.DeepEqual(uids, want.uids) || !reflect.DeepEqual(gids, want.gids) {
				t.Errorf("%v %v", uids, gids)
			}
		})
	}
}

func TestScheduler(t *testing.T) {
	for policy, want := range map[specs.LinuxSchedulerPolicy]uint32{ // linux/sched.h
		specs.SchedOther: 0, specs.SchedFIFO: 1, specs.SchedRR: 2, specs.SchedBatch: 3, specs.SchedISO: 4,
		specs.SchedIdle: 5, specs.SchedDeadline: 6,
	} {
		s := small()
		s.Process.Scheduler = &specs.Scheduler{Policy: policy, Priority: 9, Runtime: 1, Deadline: 2, Period: 3}
		got := of(create(t, s, fixedFacts()), OpScheduler)[0].Scheduler
		if *got != (Scheduler{Policy: want, Priority: 9, Runtime: 1, Deadline: 2, Period: 3}) {
			t.Errorf("%s: %+v", policy, got)
		}
	}
}

// TestSchedulerPlace: by the parent where it may, by init early, and after what
// it would forbid.
func TestSchedulerPlace(t *testing.T) {
	for name, tc := range map[string]struct {
		policy specs.LinuxSchedulerPolicy
		flags  []specs.LinuxSchedulerFlag
		hook   bool
		nice   bool
		want   string
	}{
		"privileged":           {policy: specs.SchedFIFO, nice: true, hook: true, want: "parent"},
		"unprivileged":         {policy: specs.SchedBatch, hook: true, want: "early"},
		"deadline":             {policy: specs.SchedDeadline, nice: true, want: "parent"},
		"deadline and a hook":  {policy: specs.SchedDeadline, nice: true, hook: true, want: "late"},
		"deadline, not passed": {policy: specs.SchedDeadline, flags: []specs.LinuxSchedulerFlag{specs.SchedFlagResetOnFork}, nice: true, hook: true, want: "parent"},
	} {
		t.Run(name, func(t *testing.T) {
			s := small()
			s.Process.Scheduler = &specs.Scheduler{Policy: tc.policy, Flags: tc.flags}
			if tc.hook {
				s.Hooks = &specs.Hooks{StartContainer: []specs.Hook{{Path: "/bin/true"}}}
			}
			f := fixedFacts()
			f.Host.Nice = tc.nice
			p := create(t, s, f)
			got := "parent"
			if steps := of(p, OpScheduler); len(steps) == 1 && p.Scheduler == nil {
				got = "early"
				if p.Steps[len(p.Steps)-2].Op == OpScheduler {
					got = "late"
				}
			} else if len(steps) != 0 || p.Scheduler == nil {
				t.Fatalf("%+v and %+v", steps, p.Scheduler)
			}
			if got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
}

func TestIOPriority(t *testing.T) {
	for class, want := range map[specs.IOPriorityClass]uint64{ // linux/ioprio.h
		specs.IOPRIO_CLASS_RT: 1 << 13, specs.IOPRIO_CLASS_BE: 2 << 13, specs.IOPRIO_CLASS_IDLE: 3 << 13,
	} {
		s := small()
		s.Process.IOPriority = &specs.LinuxIOPriority{Class: class, Priority: 7}
		if got := of(create(t, s, fixedFacts()), OpIOPriority)[0].Flags; got != want|7 {
			t.Errorf("%s: %#x", class, got)
		}
	}
}

func TestMemoryPolicyTables(t *testing.T) {
	modes := map[string]uint32{ // linux/mempolicy.h
		"MPOL_DEFAULT": 0, "MPOL_PREFERRED": 1, "MPOL_BIND": 2, "MPOL_INTERLEAVE": 3, "MPOL_LOCAL": 4,
		"MPOL_PREFERRED_MANY": 5, "MPOL_WEIGHTED_INTERLEAVE": 6,
	}
	flags := map[string]uint32{"MPOL_F_STATIC_NODES": 1 << 15, "MPOL_F_RELATIVE_NODES": 1 << 14, "MPOL_F_NUMA_BALANCING": 1 << 13}
	if len(MemoryPolicyModes()) != len(modes) || len(MemoryPolicyFlags()) != len(flags) {
		t.Errorf("%q %q", MemoryPolicyModes(), MemoryPolicyFlags())
	}
	for mode, number := range modes {
		for flag, bit := range flags {
			s := small()
			s.Linux.MemoryPolicy = &specs.LinuxMemoryPolicy{
				Mode: specs.MemoryPolicyModeType(mode), Flags: []specs.MemoryPolicyFlagType{specs.MemoryPolicyFlagType(flag)},
			}
			if got := of(create(t, s, fixedFacts()), OpMemoryPolicy)[0].MemoryPolicy.Mode; got != number|bit {
				t.Errorf("%s %s: %#x", mode, flag, got)
			}
		}
	}
}

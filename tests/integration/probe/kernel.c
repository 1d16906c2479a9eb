#define _GNU_SOURCE
#include "probe.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void limit_value(rlim_t v)
{
	if (v == RLIM_INFINITY)
		printf("\"unlimited\"");
	else
		printf("%llu", (unsigned long long)v);
}

void rlimits(void)
{
	static const struct {
		int resource;
		const char *name;
	} rows[] = {
		{ RLIMIT_AS, "AS" }, { RLIMIT_CORE, "CORE" },
		{ RLIMIT_CPU, "CPU" }, { RLIMIT_DATA, "DATA" },
		{ RLIMIT_FSIZE, "FSIZE" }, { RLIMIT_LOCKS, "LOCKS" },
		{ RLIMIT_MEMLOCK, "MEMLOCK" }, { RLIMIT_MSGQUEUE, "MSGQUEUE" },
		{ RLIMIT_NICE, "NICE" }, { RLIMIT_NOFILE, "NOFILE" },
		{ RLIMIT_NPROC, "NPROC" }, { RLIMIT_RSS, "RSS" },
		{ RLIMIT_RTPRIO, "RTPRIO" }, { RLIMIT_RTTIME, "RTTIME" },
		{ RLIMIT_SIGPENDING, "SIGPENDING" }, { RLIMIT_STACK, "STACK" },
	};
	bool first = true;

	key("rlimits");
	putchar('{');
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rlimit l;

		if (getrlimit((__rlimit_resource_t)rows[i].resource, &l) < 0)
			continue;
		printf("%s\"RLIMIT_%s\":[", comma(&first), rows[i].name);
		limit_value(l.rlim_cur);
		putchar(',');
		limit_value(l.rlim_max);
		putchar(']');
	}
	putchar('}');
}

void scheduler(void)
{
	/* sched_getattr(2): glibc 2.36 has neither the struct nor the call. */
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
		uint32_t util_min, util_max;
	} a = { 0 };
	static const char *const names[] = { "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",
					     "SCHED_BATCH", "4", "SCHED_IDLE",
					     "SCHED_DEADLINE" };

	key("scheduler");
	if (syscall(SYS_sched_getattr, 0, &a, sizeof(a), 0) < 0) {
		printf("null");
		return;
	}
	printf("{\"policy\":\"%s\",\"flags\":%" PRIu64 ",\"nice\":%d,\"priority\":%u,"
	       "\"runtime\":%" PRIu64 ",\"deadline\":%" PRIu64 ",\"period\":%" PRIu64 "}",
	       a.policy < 7 ? names[a.policy] : "?", a.flags, a.nice, a.priority,
	       a.runtime, a.deadline, a.period);
}

void io_priority(void)
{
	static const char *const classes[] = { "IOPRIO_CLASS_NONE", "IOPRIO_CLASS_RT",
					       "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE" };
	long v = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);

	key("ioPriority");
	if (v < 0)
		printf("null");
	else
		printf("{\"class\":\"%s\",\"priority\":%ld}",
		       classes[IOPRIO_PRIO_CLASS(v) & 3], (long)IOPRIO_PRIO_DATA(v));
}

void affinity(void)
{
	unsigned long set[128] = { 0 };
	long n = syscall(SYS_sched_getaffinity, 0, sizeof(set), set);
	bool first = true;

	key("affinity");
	putchar('[');
	for (long i = 0; i < n * 8; i++)
		if (set[i / 64] & (1ul << (i % 64)))
			printf("%s%ld", comma(&first), i);
	putchar(']');
}

/* get_mempolicy(2): the policy of this thread, with the flags in its mode. */
void memory_policy(void)
{
	static const char *const modes[] = { "MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND",
					     "MPOL_INTERLEAVE", "MPOL_LOCAL",
					     "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE" };
	static const struct {
		int bit;
		const char *name;
	} flags[] = { { MPOL_F_STATIC_NODES, "MPOL_F_STATIC_NODES" },
		      { MPOL_F_RELATIVE_NODES, "MPOL_F_RELATIVE_NODES" },
		      { MPOL_F_NUMA_BALANCING, "MPOL_F_NUMA_BALANCING" } };
	unsigned long nodes[16] = { 0 }; /* MAX_NUMNODES is 1024 at most */
	int mode = 0, known = 0;
	bool first = true;

	key("memoryPolicy");
	if (syscall(SYS_get_mempolicy, &mode, nodes, sizeof(nodes) * 8, 0, 0) < 0) {
		printf("null");
		return;
	}
	for (size_t i = 0; i < 3; i++)
		known |= flags[i].bit;
	printf("{\"mode\":");
	string((mode & ~known) < 7 ? modes[mode & ~known] : "?");
	printf(",\"flags\":[");
	for (size_t i = 0; i < 3; i++)
		if (mode & flags[i].bit) {
			printf("%s", comma(&first));
			string(flags[i].name);
		}
	printf("],\"nodes\":[");
	first = true;
	for (int i = 0; i < 1024; i++)
		if (nodes[i / 64] & (1ul << (i % 64)))
			printf("%s%d", comma(&first), i);
	printf("]}");
}

void keyring(void)
{
	char buf[512];
	long serial = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
	long n;

	key("sessionKeyring");
	if (serial < 0) {
		printf("null");
		return;
	}
	n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, serial, buf, sizeof(buf));
	printf("{\"serial\":%ld,\"description\":", serial);
	/* "keyring;UID;GID;PERM;DESCRIPTION" */
	string_or_null(n > 0 && strrchr(buf, ';') ? strrchr(buf, ';') + 1 : NULL);
	printf(",\"permissions\":");
	if (n > 0) {
		char *field = buf;

		for (int i = 0; field && i < 3; i++)
			field = strchr(field, ';') ? strchr(field, ';') + 1 : NULL;
		if (field)
			field[strcspn(field, ";")] = '\0';
		string_or_null(field);
	} else {
		printf("null");
	}
	putchar('}');
}

void terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct winsize w;
	char name[PATH_MAX];

	key("terminal");
	if (fd < 0) {
		printf("null");
		return;
	}
	/* /dev/tty's own name says nothing: stdin's does. */
	printf("{\"stdin\":");
	string_or_null(isatty(0) ? link_text("/proc/self/fd/0", name, sizeof(name)) : NULL);
	if (ioctl(fd, TIOCGWINSZ, &w) == 0)
		printf(",\"rows\":%u,\"columns\":%u", w.ws_row, w.ws_col);
	printf(",\"foreground\":%s}", tcgetpgrp(fd) == getpgrp() ? "true" : "false");
	close(fd);
}

void namespaces(void)
{
	static const char *const names[] = { "cgroup", "ipc", "mnt", "net", "pid",
					     "time", "user", "uts" };
	char path[64], target[128];
	bool first = true;

	key("namespaces");
	putchar('{');
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		printf("%s", comma(&first));
		key(names[i]);
		string_or_null(link_text(path, target, sizeof(target)));
	}
	putchar('}');
}

void clocks(void)
{
	struct timespec m, b;

	clock_gettime(CLOCK_MONOTONIC, &m);
	clock_gettime(CLOCK_BOOTTIME, &b);
	key("clocks");
	printf("{\"monotonic\":%lld,\"boottime\":%lld}", (long long)m.tv_sec, (long long)b.tv_sec);
}

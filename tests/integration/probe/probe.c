/* probe: what a process in a container is and has, as one line of JSON on
 * stdout, so that tests assert with jq on what the kernel says. Static; needs
 * /proc for most of it, what cannot be read is null.
 *
 *	probe                    the document
 *	probe hold               the document, then wait to be killed
 *	probe syscall NR [ARG…]  {"ret":…,"errno":…,"error":"…"}
 *	probe open PATH FLAGS    the same; FLAGS of r w a (append) p (O_PATH)
 *	                         d (directory) t (truncate)
 *	probe mounts             /proc/self/mountinfo as an array
 *	probe session NAME COMMAND [ARG…]  the command, in a new session keyring
 */
#define _GNU_SOURCE
#include "probe.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

/* What the process was before this program opened or changed anything. */
struct found {
	char open[4096]; /* descriptor N is open */
	mode_t mask;
};

static void bits(const char *name, uint64_t set)
{
	bool first = true;

	key(name);
	putchar('[');
	for (int i = 0; i < 64; i++)
		if (set & (1ull << i))
			printf("%s%d", comma(&first), i + 1);
	putchar(']');
}

static void signals(const char *status)
{
	/* glibc's own: what its posix_spawn starts has them ignored. */
	const uint64_t internal = 1ull << 31 | 1ull << 32;
	static const char *const rows[][2] = {
		{ "blocked", "SigBlk" }, { "ignored", "SigIgn" },
		{ "caught", "SigCgt" },	 { "pending", "SigPnd" },
	};

	key("signals");
	putchar('{');
	for (size_t i = 0; i < 4; i++) {
		const char *v = status_field(status, rows[i][1]);

		printf("%s", i ? "," : "");
		bits(rows[i][0], v ? strtoull(v, NULL, 16) & ~internal : 0);
	}
	putchar('}');
}

static const char *const capability_names[] = {
	"CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL",
	"SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE",
	"NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER",
	"SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
	"SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME",
	"SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL",
	"SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM",
	"BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
};

static void capabilities(const char *status)
{
	static const char *const rows[][2] = {
		{ "inheritable", "CapInh" }, { "permitted", "CapPrm" },
		{ "effective", "CapEff" },   { "bounding", "CapBnd" },
		{ "ambient", "CapAmb" },
	};

	key("capabilities");
	putchar('{');
	for (size_t i = 0; i < 5; i++) {
		const char *v = status_field(status, rows[i][1]);
		uint64_t set = v ? strtoull(v, NULL, 16) : 0;
		bool first = true;

		printf("%s", i ? "," : "");
		key(rows[i][0]);
		putchar('[');
		for (size_t c = 0; c < sizeof(capability_names) / sizeof(char *); c++)
			if (set & (1ull << c))
				printf("%s\"CAP_%s\"", comma(&first), capability_names[c]);
		putchar(']');
	}
	putchar('}');
}

static const char *file_type(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG: return "file";
	case S_IFDIR: return "directory";
	case S_IFCHR: return "char";
	case S_IFBLK: return "block";
	case S_IFIFO: return "fifo";
	case S_IFSOCK: return "socket";
	case S_IFLNK: return "symlink";
	}
	return "other"; /* an anonymous inode */
}

static void descriptors(const struct found *found)
{
	bool first = true;

	key("fds");
	putchar('[');
	for (int fd = 0; fd < (int)sizeof(found->open); fd++) {
		char path[64], target[PATH_MAX];
		struct stat st;
		int flags;

		if (!found->open[fd])
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		flags = fcntl(fd, F_GETFL);
		printf("%s{\"fd\":%d,\"target\":", comma(&first), fd);
		string_or_null(link_text(path, target, sizeof(target)));
		printf(",\"type\":");
		string_or_null(fstat(fd, &st) == 0 ? file_type(st.st_mode) : NULL);
		printf(",\"uid\":%u,\"gid\":%u", st.st_uid, st.st_gid);
		printf(",\"access\":\"%s\"",
		       flags & O_PATH			   ? "path" :
		       (flags & O_ACCMODE) == O_RDONLY ? "r" :
		       (flags & O_ACCMODE) == O_WRONLY ? "w" : "rw");
		printf(",\"append\":%s,\"nonblock\":%s,\"cloexec\":%s,\"tty\":%s}",
		       flags & O_APPEND ? "true" : "false",
		       flags & O_NONBLOCK ? "true" : "false",
		       fcntl(fd, F_GETFD) & FD_CLOEXEC ? "true" : "false",
		       isatty(fd) ? "true" : "false");
	}
	putchar(']');
}

static void ids(const char *status)
{
	static const char *const names[] = { "real", "effective", "saved", "fs" };
	gid_t groups[1024];
	int n = getgroups(1024, groups);

	for (int which = 0; which < 2; which++) {
		const char *v = status_field(status, which ? "Gid" : "Uid");
		unsigned int id[4] = { getuid(), geteuid(), 0, 0 };

		if (v)
			sscanf(v, "%u %u %u %u", &id[0], &id[1], &id[2], &id[3]);
		key(which ? "gid" : "uid");
		putchar('{');
		for (int i = 0; i < 4; i++)
			printf("%s\"%s\":%u", i ? "," : "", names[i], id[i]);
		printf("},");
	}
	key("groups");
	putchar('[');
	for (int i = 0; i < n; i++)
		printf("%s%u", i ? "," : "", groups[i]);
	putchar(']');
}

static void lines(const char *name, const char *path)
{
	static char buf[65536];
	char *s = text(path, buf, sizeof(buf));
	bool first = true;

	key(name);
	if (!s) {
		printf("null");
		return;
	}
	putchar('[');
	for (char *line = strtok(s, "\n"); line; line = strtok(NULL, "\n")) {
		printf("%s", comma(&first));
		string(line);
	}
	putchar(']');
}

/* The maps, with single blanks instead of columns. */
static void id_map(const char *name, const char *path)
{
	char buf[4096];
	char *s = text(path, buf, sizeof(buf));
	bool first = true;

	key(name);
	if (!s) {
		printf("null");
		return;
	}
	putchar('[');
	for (char *line = strtok(s, "\n"); line; line = strtok(NULL, "\n")) {
		unsigned int inside, outside, size;

		if (sscanf(line, "%u %u %u", &inside, &outside, &size) == 3)
			printf("%s[%u,%u,%u]", comma(&first), inside, outside, size);
	}
	putchar(']');
}

static void number_field(const char *name, const char *status, const char *field)
{
	const char *v = status_field(status, field);

	key(name);
	printf("%s,", v ? v : "null");
}

static void text_field(const char *name, const char *path)
{
	char buf[4096];

	key(name);
	string_or_null(text(path, buf, sizeof(buf)));
	putchar(',');
}

static void array(const char *name, char **v)
{
	key(name);
	putchar('[');
	for (int i = 0; v[i]; i++) {
		printf("%s", i ? "," : "");
		string(v[i]);
	}
	printf("],");
}

static void process(char **argv, const struct found *found, const char *status)
{
	char buf[PATH_MAX];
	int death = 0;

	printf("\"pid\":%d,\"ppid\":%d,\"pgid\":%d,\"sid\":%d,", getpid(), getppid(),
	       getpgrp(), getsid(0));
	array("args", argv);
	array("env", environ);
	key("cwd");
	string_or_null(getcwd(buf, sizeof(buf)));
	putchar(',');
	key("exe");
	string_or_null(link_text("/proc/self/exe", buf, sizeof(buf)));
	putchar(',');
	ids(status);
	printf(",\"umask\":\"%04o\",", found->mask);
	number_field("noNewPrivileges", status, "NoNewPrivs");
	number_field("seccomp", status, "Seccomp");
	number_field("seccompFilters", status, "Seccomp_filters");
	number_field("threads", status, "Threads");
	key("oomScoreAdj");
	printf("%s,", text("/proc/self/oom_score_adj", buf, sizeof(buf)) ? buf : "null");
	printf("\"dumpable\":%d,\"secureBits\":%d,", prctl(PR_GET_DUMPABLE), prctl(PR_GET_SECUREBITS));
	prctl(PR_GET_PDEATHSIG, &death);
	printf("\"parentDeathSignal\":%d,", death);
	printf("\"personality\":%d,", personality(0xffffffff));
}

static void host(void)
{
	struct utsname u;

	uname(&u);
	key("hostname");
	string(u.nodename);
	putchar(',');
	key("domainname");
	string(u.domainname);
	putchar(',');
	key("machine");
	string(u.machine);
	putchar(',');
	lines("cgroup", "/proc/self/cgroup");
	putchar(',');
	id_map("uidMap", "/proc/self/uid_map");
	putchar(',');
	id_map("gidMap", "/proc/self/gid_map");
	putchar(',');
	text_field("setgroups", "/proc/self/setgroups");
	text_field("apparmor", "/proc/self/attr/current");
}

static void document(char **argv, const struct found *found)
{
	static char status[8192];

	if (!text("/proc/self/status", status, sizeof(status)))
		status[0] = '\0';
	putchar('{');
	process(argv, found, status);
	capabilities(status);
	putchar(',');
	signals(status);
	putchar(',');
	descriptors(found);
	putchar(',');
	rlimits();
	putchar(',');
	scheduler();
	putchar(',');
	io_priority();
	putchar(',');
	affinity();
	putchar(',');
	memory_policy();
	putchar(',');
	keyring();
	putchar(',');
	terminal();
	putchar(',');
	namespaces();
	putchar(',');
	clocks();
	putchar(',');
	host();
	key("mounts");
	mounts();
	printf("}\n");
}

int main(int argc, char **argv)
{
	static struct found found;

	for (int fd = 0; fd < (int)sizeof(found.open); fd++)
		found.open[fd] = fcntl(fd, F_GETFD) >= 0;
	found.mask = umask(0);
	umask(found.mask);

	if (argc > 2 && strcmp(argv[1], "syscall") == 0)
		return call(argc, argv);
	if (argc > 3 && strcmp(argv[1], "open") == 0)
		return open_path(argv[2], argv[3]);
	if (argc > 3 && strcmp(argv[1], "session") == 0)
		return session(argv[2], argv + 3);
	if (argc > 1 && strcmp(argv[1], "mounts") == 0) {
		mounts();
		putchar('\n');
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "hold") != 0) {
		fprintf(stderr, "probe: unknown command %s\n", argv[1]);
		return 2;
	}
	document(argv, &found);
	if (fflush(stdout) != 0)
		return 1;
	while (argc > 1)
		pause();
	return 0;
}

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
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* What the process was before this program opened or changed anything. */
struct found {
	char open[4096]; /* descriptor N is open */
	mode_t mask;
};

static void string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c); /* bytes as Latin-1: always valid */
		else
			putchar(c);
	}
	putchar('"');
}

static void string_or_null(const char *s)
{
	if (s)
		string(s);
	else
		printf("null");
}

static void key(const char *name)
{
	string(name);
	putchar(':');
}

static const char *comma(bool *first)
{
	const char *s = *first ? "" : ",";

	*first = false;
	return s;
}

/* The file's text without its last newline, at most size-1 bytes; NULL if it
 * cannot be read. */
static char *text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t n = 0;
	ssize_t got = -1;

	if (fd < 0)
		return NULL;
	while (n < size - 1 && (got = read(fd, buf + n, size - 1 - n)) > 0)
		n += (size_t)got;
	close(fd);
	if (got < 0)
		return NULL;
	buf[n] = '\0';
	if (n > 0 && buf[n - 1] == '\n')
		buf[n - 1] = '\0';
	return buf;
}

static const char *link_text(const char *path, char *buf, size_t size)
{
	ssize_t n = readlink(path, buf, size - 1);

	if (n < 0)
		return NULL;
	buf[n] = '\0';
	return buf;
}

/* The value of a line of /proc/self/status, or NULL. */
static const char *status_field(const char *status, const char *name)
{
	static char value[512];
	size_t len = strlen(name);

	for (const char *line = status; line && *line;) {
		const char *end = strchrnul(line, '\n');

		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			const char *v = line + len + 1;

			while (isblank((unsigned char)*v))
				v++;
			snprintf(value, sizeof(value), "%.*s", (int)(end - v), v);
			return value;
		}
		line = *end ? end + 1 : end;
	}
	return NULL;
}

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
	static const char *const rows[][2] = {
		{ "blocked", "SigBlk" }, { "ignored", "SigIgn" },
		{ "caught", "SigCgt" },	 { "pending", "SigPnd" },
	};

	key("signals");
	putchar('{');
	for (size_t i = 0; i < 4; i++) {
		const char *v = status_field(status, rows[i][1]);

		printf("%s", i ? "," : "");
		bits(rows[i][0], v ? strtoull(v, NULL, 16) : 0);
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

static void limit_value(rlim_t v)
{
	if (v == RLIM_INFINITY)
		printf("\"unlimited\"");
	else
		printf("%llu", (unsigned long long)v);
}

static void rlimits(void)
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

static void scheduler(void)
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

static void io_priority(void)
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

static void affinity(void)
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

static void keyring(void)
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

static void terminal(void)
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

static void namespaces(void)
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

static void clocks(void)
{
	struct timespec m, b;

	clock_gettime(CLOCK_MONOTONIC, &m);
	clock_gettime(CLOCK_BOOTTIME, &b);
	key("clocks");
	printf("{\"monotonic\":%lld,\"boottime\":%lld}", (long long)m.tv_sec, (long long)b.tv_sec);
}

static void unescape(char *s)
{
	char *out = s;

	for (; *s; out++) {
		if (s[0] == '\\' && isdigit((unsigned char)s[1]) && s[2] && s[3]) {
			*out = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + (s[3] - '0'));
			s += 4;
		} else {
			*out = *s++;
		}
	}
	*out = '\0';
}

static void words(const char *name, char *list)
{
	char *save, *word;
	bool first = true;

	key(name);
	putchar('[');
	for (word = strtok_r(list, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		printf("%s", comma(&first));
		string(word);
	}
	putchar(']');
}

/* proc_pid_mountinfo(5) */
static void mounts(void)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;
	bool first = true;

	if (!f) {
		printf("null");
		return;
	}
	putchar('[');
	while (getline(&line, &size, f) > 0) {
		char *field[64] = { NULL }, *save, *word;
		int n = 0, dash = -1;

		line[strcspn(line, "\n")] = '\0';
		for (word = strtok_r(line, " ", &save); word && n < 63; word = strtok_r(NULL, " ", &save)) {
			if (strcmp(word, "-") == 0 && dash < 0 && n >= 6)
				dash = n;
			field[n++] = word;
		}
		if (dash < 0 || !field[dash + 1] || !field[dash + 2])
			continue;
		unescape(field[3]);
		unescape(field[4]);
		unescape(field[dash + 2]);
		printf("%s{\"device\":", comma(&first));
		string(field[2]);
		printf(",\"root\":");
		string(field[3]);
		printf(",\"destination\":");
		string(field[4]);
		putchar(',');
		words("options", field[5]);
		printf(",\"propagation\":[");
		for (int i = 6; i < dash; i++) {
			printf("%s", i > 6 ? "," : "");
			string(field[i]);
		}
		printf("],\"type\":");
		string(field[dash + 1]);
		printf(",\"source\":");
		string(field[dash + 2]);
		putchar(',');
		if (field[dash + 3])
			words("super", field[dash + 3]);
		else
			printf("\"super\":[]");
		putchar('}');
	}
	putchar(']');
	free(line);
	fclose(f);
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

static int outcome(long ret)
{
	int err = ret < 0 ? errno : 0;

	printf("{\"ret\":%ld,\"errno\":%d,\"error\":", ret, err);
	string(err ? (strerrorname_np(err) ? strerrorname_np(err) : "?") : "");
	printf("}\n");
	return 0;
}

static int call(int argc, char **argv)
{
	long a[7] = { 0 };

	for (int i = 0; i < 7 && i + 2 < argc; i++)
		a[i] = strtol(argv[i + 2], NULL, 0);
	return outcome(syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]));
}

static int open_path(const char *path, const char *how)
{
	int flags = O_CLOEXEC;

	if (strchr(how, 'w') || strchr(how, 'a'))
		flags |= strchr(how, 'r') ? O_RDWR : O_WRONLY;
	if (strchr(how, 'a'))
		flags |= O_APPEND;
	if (strchr(how, 't'))
		flags |= O_TRUNC;
	if (strchr(how, 'p'))
		flags |= O_PATH;
	if (strchr(how, 'd'))
		flags |= O_DIRECTORY;
	return outcome(open(path, flags));
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

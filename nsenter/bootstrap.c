/* The bootstrap: what has to happen before the Go runtime starts its threads.
 *
 * A constructor of the binary runs before main and before Go. When the parent
 * has named a socket in the environment, this process is the bootstrap: it
 * enters the container's cgroups and the namespaces that exist already, clones
 * init into the new ones, and ends. Init comes out of the constructor, and Go
 * starts in it. Straight down, without allocation, and with no path but
 * those below /proc, which is opened before any namespace is entered.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bootstrap.h"
#include "nsenter.h"

#define SOCKET_VARIABLE "_RUNG_BOOTSTRAP"

/* Read once by nsenter.go, after Go has started. */
struct inherited rung_inherited = { .socket = -1, .proc = -1 };

struct descriptors {
	int count;
	int fd[MAX_JOIN + MAX_DOORS + 1];
};

static void report(int sock, const struct report *r)
{
	/* A parent that is gone cannot be told; EOF ends us elsewhere. */
	(void)!send(sock, r, sizeof(*r), MSG_NOSIGNAL);
}

static void __attribute__((noreturn))
fail(int sock, enum step step, int err, uint32_t index)
{
	report(sock, &(struct report){ .kind = MSG_FAILED,
				       .step = step,
				       .value = err,
				       .index = index });
	_exit(1);
}

/* One message and the descriptors that came with it; the length, or -1. */
static ssize_t receive(int sock, void *buf, size_t size, struct descriptors *d)
{
	union {
		char space[CMSG_SPACE(sizeof(d->fd))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n;

	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		errno = EMSGSIZE;
		return -1;
	}
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		size_t bytes = c->cmsg_len - CMSG_LEN(0);

		if (bytes > sizeof(d->fd)) {
			errno = EMSGSIZE;
			return -1;
		}
		memcpy(d->fd, CMSG_DATA(c), bytes);
		d->count = (int)(bytes / sizeof(int));
	}
	return n;
}

/* Writes text to the file name below /proc/self. */
static int write_self(int proc, const char *name, const char *text)
{
	char path[32] = "self/";
	size_t len = strlen(text);

	strncat(path, name, sizeof(path) - sizeof("self/"));
	int fd = openat(proc, path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t n = write(fd, text, len);
	int err = n == (ssize_t)len ? 0 : n < 0 ? errno : EIO;
	close(fd);
	return err;
}

/* Enters the v1 cgroups: "0" is the writer itself, and in "tasks" it does not
 * wait for the grace period that cgroup.procs needs. */
static void enter_cgroups(int sock, const struct header *h, const int *door)
{
	for (uint32_t i = 0; i < h->door_count; i++) {
		if (write(door[i], "0", 1) != 1 && !(h->flags & HEADER_SPARED))
			fail(sock, STEP_DOOR, errno, i);
		close(door[i]);
	}
}

/* The user database is not asked: ids are numbers here. Raw calls, since
 * glibc's wrappers signal all threads, and we are the only one. */
static int become_root(void)
{
	if (syscall(SYS_setresgid, 0, 0, 0) || syscall(SYS_setresuid, 0, 0, 0))
		return errno;
	return 0;
}

/* Joins the namespaces that exist. Those of a container in a user namespace
 * are owned by it, and refuse us until we are in it; those of the host's may
 * refuse us afterwards. So: all but the user namespace, what is refused left
 * for later, the user namespace, then the rest (user_namespaces(7)). */
static void join(int sock, const struct header *h, int *fd)
{
	int user = -1;

	for (uint32_t i = 0; i < h->join_count; i++) {
		if (h->join_type[i] == CLONE_NEWUSER) {
			user = (int)i;
			continue;
		}
		if (!setns(fd[i], (int)h->join_type[i])) {
			close(fd[i]);
			fd[i] = -1;
		} else if (errno != EPERM) {
			fail(sock, STEP_JOIN, errno, i);
		}
	}
	if (user >= 0) {
		/* Inside it may be denied. Without privilege they stay: they are
		 * ours then, not root's (user_namespaces(7)). */
		if (h->flags & HEADER_DROP_GROUPS)
			syscall(SYS_setgroups, 0, NULL);
		if (setns(fd[user], CLONE_NEWUSER))
			fail(sock, STEP_JOIN_USER, errno, (uint32_t)user);
		close(fd[user]);
		fd[user] = -1;
		if (h->flags & HEADER_ROOT) {
			int err = become_root();

			if (err)
				fail(sock, STEP_ROOT, err, 0);
		}
	}
	for (uint32_t i = 0; i < h->join_count; i++) {
		if (fd[i] < 0)
			continue;
		if (setns(fd[i], (int)h->join_type[i]))
			fail(sock, STEP_JOIN, errno, i);
		close(fd[i]);
	}
}

/* Enters the v2 cgroup, for the child to be born in it, where clone3 does not
 * put it there. Moved by the parent it would race with the cgroup namespace
 * that it makes: whose root is the cgroup that its maker is in
 * (cgroup_namespaces(7)). */
static uint32_t enter_v2(int cgroup)
{
	int fd = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	uint32_t entered = fd >= 0 && write(fd, "0", 1) == 1;

	if (fd >= 0)
		close(fd);
	return entered;
}

/* The bootstrap process ends here; only the container's init returns. */
static void clone_init(int sock, const struct header *h, int cgroup)
{
	uint64_t flags = CLONE_PARENT |
			 (h->new_namespaces & (CLONE_NEWUSER | CLONE_NEWPID));
	struct clone_args args = {
		.flags = flags,
		/* No exit_signal: clone3(2) refuses it with CLONE_PARENT. */
	};
	uint32_t placed = cgroup >= 0;

	if (placed) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup;
	}
	long pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && placed) {
		/* If this fails too, the parent will place it by pid. */
		placed = enter_v2(cgroup);
		args.flags = flags;
		args.cgroup = 0;
		pid = syscall(SYS_clone3, &args, sizeof(args));
	}
	if (pid < 0 && (errno == ENOSYS || errno == EPERM)) {
		/* A sandbox that refuses clone3 may allow clone. The flags come
		 * first on all architectures Go and we share but s390x. */
#ifdef __s390x__
		pid = syscall(SYS_clone, NULL, flags, NULL, NULL, NULL);
#else
		pid = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
#endif
	}
	if (pid < 0)
		fail(sock, STEP_CLONE, errno, 0);
	if (pid > 0) {
		report(sock, &(struct report){ .kind = MSG_PID,
					       .value = (int32_t)pid,
					       .index = placed });
		_exit(0);
	}
	if (cgroup >= 0)
		close(cgroup);
}

/* Waits until the parent has written the id maps, then becomes root. While it
 * waits, a rootless parent must be allowed to write them, so the process is
 * dumpable; it holds nothing of the host's but /proc. Not so under root, who
 * may write them anyway: until they are there the child acts with root's own
 * ids in the host's mount namespace, and whoever has them, with whichever
 * capabilities, owns the new user namespace and so may trace it
 * (user_namespaces(7), ptrace(2)). */
static void take_maps(int sock, const struct header *h)
{
	struct report r = { 0 };
	struct descriptors none = { 0 };

	if (receive(sock, &r, sizeof(r), &none) != (ssize_t)sizeof(r) ||
	    r.kind != MSG_MAPPED)
		_exit(1); /* EOF: the parent is gone, or has said why itself */
	if (h->flags & HEADER_ROOT) {
		int err = become_root();

		if (err)
			fail(sock, STEP_ROOT, err, 0);
	}
}

/* Offsets can be set only before a process is in the namespace, so it is
 * made for children, and entered when they are written (time_namespaces(7)). */
static void new_time_namespace(int sock, int proc, const struct header *h)
{
	int err = 0;

	if (unshare(CLONE_NEWTIME))
		fail(sock, STEP_TIME, errno, 0);
	if (h->time_offsets[0])
		err = write_self(proc, "timens_offsets", h->time_offsets);
	if (err)
		fail(sock, STEP_TIME, err, 1);
	int fd = openat(proc, "self/ns/time_for_children", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWTIME))
		fail(sock, STEP_TIME, errno, 2);
	close(fd);
}

/* The container may use every processor that its cgroup allows, whatever ours
 * are: by now it is in its cgroup, and the kernel cuts the mask to that. */
static void reset_affinity(void)
{
	unsigned long all[1024 / sizeof(unsigned long)];

	memset(all, 0xff, sizeof(all));
	/* A sandbox may refuse; then the caller's processors are ours. */
	syscall(SYS_sched_setaffinity, 0, sizeof(all), all);
}

/* In init: the namespaces that are left. They are made after the user
 * namespace has its maps: made together with it, the mqueue filesystem's root
 * would belong to nobody. */
static void new_namespaces(int sock, int proc, const struct header *h)
{
	int rest = (int)(h->new_namespaces &
			 ~(uint32_t)(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWTIME));

	if ((h->flags & HEADER_SESSION) && setsid() < 0)
		fail(sock, STEP_SESSION, errno, 0);
	if (h->new_namespaces & CLONE_NEWTIME) {
		/* Its own file below /proc is root's while not dumpable. */
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
		new_time_namespace(sock, proc, h);
	}
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (rest && unshare(rest))
		fail(sock, STEP_UNSHARE, errno, 0);
}

static void bootstrap(int sock)
{
	char buf[sizeof(struct header) + 1];
	struct descriptors d = { 0 };
	struct header h;

	/* A process of the container that shares our pid namespace must not
	 * ptrace us or reach our descriptors (CVE-2016-9962, CVE-2019-5736). */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* Where every process has huge pages, Go's start would take two: 4 MiB of
	 * the container's limit. Go's part of init has them back. */
	if (!prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0))
		rung_inherited.huge_pages = !prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	fcntl(sock, F_SETFD, FD_CLOEXEC);
	/* What our caller's caller left open, and nobody asked to preserve. Init
	 * closes what is left once more, where a sandbox refuses this. */
	syscall(SYS_close_range, sock + 1, ~0U, 0);
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		fail(sock, STEP_PROC, errno, 0);

	ssize_t n = receive(sock, buf, sizeof(buf), &d);
	if (n == 0)
		_exit(1); /* the parent gave up */
	int err = n < 0 ? errno : parse_header(buf, (size_t)n, d.count, &h);
	if (err)
		fail(sock, STEP_HEADER, err, 0);

	int *door = d.fd + h.join_count;
	int cgroup = h.flags & HEADER_CGROUP ? d.fd[d.count - 1] : -1;

	if (h.oom_score_adj[0]) {
		err = write_self(proc, "oom_score_adj", h.oom_score_adj);
		if (err && !(h.flags & HEADER_TOLERANT))
			fail(sock, STEP_OOM, err, 0);
	}
	enter_cgroups(sock, &h, door);
	join(sock, &h, d.fd);
	if ((h.new_namespaces & CLONE_NEWUSER) && geteuid() != 0)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	clone_init(sock, &h, cgroup);
	reset_affinity();
	if (h.new_namespaces & CLONE_NEWUSER)
		take_maps(sock, &h);
	new_namespaces(sock, proc, &h);
	report(sock, &(struct report){ .kind = MSG_NAMESPACES });
	rung_inherited.socket = sock;
	rung_inherited.proc = proc;
}

/* What the Go runtime changes at its start: it installs its handlers over
 * ignored signals, raises the soft limit of open files, opens descriptors. */
static void inherit(void)
{
	struct inherited *in = &rung_inherited;
	struct rlimit files;

	for (int sig = 1; sig < 65; sig++) {
		struct sigaction act;

		if (!sigaction(sig, NULL, &act) && act.sa_handler == SIG_IGN)
			in->ignored |= 1ull << (sig - 1);
	}
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &in->blocked, 8);
	while (fcntl(3 + (int)in->descriptors, F_GETFD) >= 0)
		in->descriptors++;
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		in->nofile_soft = files.rlim_cur;
		in->nofile_hard = files.rlim_max;
	}
}

static void __attribute__((constructor)) rung_constructor(void)
{
	const char *value = getenv(SOCKET_VARIABLE);

#ifdef M_ARENA_MAX
	/* glibc would give each of Go's threads an arena of its own. */
	mallopt(M_ARENA_MAX, 1);
#endif
	inherit();
	if (!value)
		return;
	char *end;
	long sock = strtol(value, &end, 10);
	int type;
	socklen_t len = sizeof(type);

	/* The variable alone proves nothing: anybody may set it. */
	if (*end || sock < 3 || sock > 1 << 20 ||
	    getsockopt((int)sock, SOL_SOCKET, SO_TYPE, &type, &len) ||
	    type != SOCK_SEQPACKET)
		return;
	bootstrap((int)sock);
}

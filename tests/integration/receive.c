/* receive: the other end of the sockets that a runtime sends descriptors or
 * notices to. It binds SOCKET and prints a line of JSON for what arrives.
 *
 *	receive SOCKET fds        one message; then hold its descriptors until killed
 *	receive SOCKET console    one message; then copy stdin to the terminal it
 *	                          brings, and the terminal to stdout to its end
 *	receive SOCKET listener   one message; then let each syscall that the
 *	                          seccomp listener reports continue, a line each
 *	receive SOCKET pidfd      one message; then wait for the end of the process
 *	                          whose pidfd it brings, and print {"ended":true}
 *	receive SOCKET datagrams  NOTIFY_SOCKET: a line a datagram, until killed
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAX_FDS 16

struct message {
	char payload[65536];
	size_t size;
	int fds[MAX_FDS];
	int count;
};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void string(const char *s, size_t n)
{
	putchar('"');
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static int bound(const char *path, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	if (strlen(path) >= sizeof(a.sun_path)) {
		fprintf(stderr, "receive: %s: longer than a socket's name may be\n", path);
		exit(1);
	}
	strcpy(a.sun_path, path);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		die(path);
	if (type == SOCK_STREAM && listen(fd, 1) < 0)
		die("listen");
	return fd;
}

static bool next(int fd, struct message *m)
{
	union {
		char buf[CMSG_SPACE(sizeof(int) * MAX_FDS)];
		struct cmsghdr align;
	} control;
	struct iovec iov = { m->payload, sizeof(m->payload) };
	struct msghdr h = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC);

	if (n < 0)
		die("recvmsg");
	m->size = (size_t)n;
	m->count = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		m->count = (int)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(m->fds, CMSG_DATA(c), sizeof(int) * (size_t)m->count);
	}
	return n > 0 || m->count > 0;
}

/* The process of a pidfd (pidfd_open(2), fdinfo), or -1 for other files. */
static int pid_of(int fd)
{
	char path[64], line[256];
	int pid = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "Pid: %d", &pid);
	fclose(f);
	return pid;
}

static void print(const struct message *m)
{
	printf("{\"payload\":");
	string(m->payload, m->size);
	printf(",\"fds\":[");
	for (int i = 0; i < m->count; i++) {
		char path[64], target[4096];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", m->fds[i]);
		n = readlink(path, target, sizeof(target));
		printf("%s{\"target\":", i ? "," : "");
		string(target, n > 0 ? (size_t)n : 0);
		printf(",\"tty\":%s,\"pid\":%d}", isatty(m->fds[i]) ? "true" : "false",
		       pid_of(m->fds[i]));
	}
	printf("]}\n");
	fflush(stdout);
}

static bool copy(int from, int to)
{
	char buf[4096];
	ssize_t n = read(from, buf, sizeof(buf));

	if (n <= 0) /* EIO: the last descriptor of the terminal is closed */
		return false;
	for (ssize_t done = 0; done < n;) {
		ssize_t w = write(to, buf + done, (size_t)(n - done));

		if (w < 0)
			die("write");
		done += w;
	}
	return true;
}

static void console(int master)
{
	struct pollfd p[2] = { { .fd = master, .events = POLLIN }, { .fd = 0, .events = POLLIN } };

	for (;;) {
		if (poll(p, 2, -1) < 0)
			die("poll");
		if (p[0].revents && !copy(master, 1))
			return;
		if (p[1].revents && !copy(0, master))
			p[1].fd = -1;
	}
}

static void listener(int fd)
{
	for (;;) {
		struct seccomp_notif req = { 0 };
		struct seccomp_notif_resp resp = { 0 };

		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &req) < 0) {
			if (errno == EINTR)
				continue;
			return; /* ENOENT: nobody is left under this filter */
		}
		printf("{\"nr\":%d,\"pid\":%u}\n", req.data.nr, req.pid);
		fflush(stdout);
		resp.id = req.id;
		resp.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &resp) < 0 && errno != ENOENT)
			die("SECCOMP_IOCTL_NOTIF_SEND");
	}
}

/* A pidfd is readable once its process has ended (pidfd_open(2)). */
static void ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	while (poll(&p, 1, -1) < 0)
		if (errno != EINTR)
			die("poll");
	printf("{\"ended\":%s}\n", p.revents & POLLIN ? "true" : "false");
}

static void datagrams(int fd)
{
	static struct message m;

	while (next(fd, &m)) {
		print(&m);
		for (int i = 0; i < m.count; i++)
			close(m.fds[i]); /* BARRIER=1 waits for that */
	}
}

int main(int argc, char **argv)
{
	static struct message m;
	int fd, peer;

	if (argc != 3) {
		fprintf(stderr, "usage: receive SOCKET fds|console|listener|pidfd|datagrams\n");
		return 2;
	}
	if (strcmp(argv[2], "datagrams") == 0) {
		datagrams(bound(argv[1], SOCK_DGRAM));
		return 0;
	}
	fd = bound(argv[1], SOCK_STREAM);
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0)
		die("accept");
	close(fd);
	unlink(argv[1]);
	if (!next(peer, &m)) {
		fprintf(stderr, "receive: closed without a message\n");
		return 1;
	}
	print(&m);
	if (m.count < 1) {
		fprintf(stderr, "receive: no descriptor\n");
		return 1;
	}
	close(peer);
	if (strcmp(argv[2], "console") == 0)
		console(m.fds[0]);
	else if (strcmp(argv[2], "listener") == 0)
		listener(m.fds[0]);
	else if (strcmp(argv[2], "pidfd") == 0)
		ended(m.fds[0]);
	else
		pause();
	return 0;
}

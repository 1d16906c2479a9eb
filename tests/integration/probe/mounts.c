#define _GNU_SOURCE
#include "probe.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
void mounts(void)
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

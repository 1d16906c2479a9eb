/* Feeds parse_header a seed that it must accept, and mutations of it, each in
 * an allocation of its exact size so that AddressSanitizer sees any byte read
 * too far. What is accepted must keep the promises of bootstrap.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap.h"

static uint64_t state = 88172645463325252ull;

/* xorshift64: the same run every time. */
static uint64_t next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}

static void check(const struct header *h, int fds)
{
	if (h->join_count > MAX_JOIN || h->door_count > MAX_DOORS ||
	    h->join_count + h->door_count + !!(h->flags & HEADER_CGROUP) != (uint32_t)fds ||
	    strnlen(h->oom_score_adj, sizeof(h->oom_score_adj)) == sizeof(h->oom_score_adj) ||
	    strnlen(h->time_offsets, sizeof(h->time_offsets)) == sizeof(h->time_offsets)) {
		fprintf(stderr, "accepted a header that breaks its bounds\n");
		abort();
	}
}

int main(int argc, char **argv)
{
	unsigned char seed[4096];
	struct header h;

	if (argc != 4)
		return 2;
	FILE *f = fopen(argv[1], "rb");
	if (!f)
		return 2;
	size_t n = fread(seed, 1, sizeof(seed), f);
	fclose(f);
	int fds = atoi(argv[2]);
	if (parse_header(seed, n, fds, &h)) {
		fprintf(stderr, "refused the seed of %zu bytes\n", n);
		return 1;
	}
	long accepted = 0;
	for (long i = atol(argv[3]); i > 0; i--) {
		size_t len = next() % 16 ? n : next() % (2 * n);
		unsigned char *buf = malloc(len ? len : 1);
		int count = next() % 8 ? fds : (int)(next() % 64) - 8;

		if (!buf)
			return 2;
		for (size_t j = 0; j < len; j++)
			buf[j] = j < n ? seed[j] : (unsigned char)next();
		for (int m = (int)(next() % 4); m > 0 && len; m--)
			buf[next() % len] = (unsigned char)next();
		if (!parse_header(buf, len, count, &h)) {
			check(&h, count);
			accepted++;
		}
		free(buf);
	}
	printf("%ld accepted\n", accepted);
	return 0;
}

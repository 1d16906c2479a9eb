/* The bootstrap's header as the parser sees it: any bytes, any number of
 * descriptors. What it accepts must be safe to use without further checks. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap.h"
#include "fuzz.h"

static void check(int ok)
{
	if (!ok)
		abort();
}

int fuzz_one(const uint8_t *data, size_t size)
{
	/* The first byte is the number of descriptors that came along; the
	 * rest is copied to a block of exactly its size, so that a read
	 * beyond it is seen. */
	int fds = size > 0 ? (int8_t)data[0] : 0;
	size_t n = size > 0 ? size - 1 : 0;
	uint8_t *packet = calloc(1, n ? n : 1);
	struct header h;

	check(packet != NULL);
	if (n > 0)
		memcpy(packet, data + 1, n);
	memset(&h, 0xa5, sizeof(h));
	if (parse_header(packet, n, fds, &h) == 0) {
		check(n == sizeof(h));
		check(h.join_count <= MAX_JOIN && h.door_count <= MAX_DOORS);
		check((uint32_t)fds == h.join_count + h.door_count +
					       !!(h.flags & HEADER_CGROUP));
		check(strlen(h.oom_score_adj) < sizeof(h.oom_score_adj));
		check(strlen(h.time_offsets) < sizeof(h.time_offsets));
		for (uint32_t i = 0; i < h.join_count; i++)
			check(__builtin_popcount(h.join_type[i]) == 1);
	}
	free(packet);
	return 0;
}

size_t fuzz_seed(uint8_t *data, size_t size)
{
	struct header h = {
		.kind = MSG_HEADER,
		.magic = BOOTSTRAP_MAGIC,
		.version = BOOTSTRAP_VERSION,
		.flags = HEADER_CGROUP,
		.new_namespaces = 0x20000000, /* CLONE_NEWPID */
		.join_count = 1,
		.door_count = 1,
		.join_type = { 0x40000000 }, /* CLONE_NEWNET */
		.oom_score_adj = "100",
		.time_offsets = "monotonic 1 0\n",
	};

	check(size >= sizeof(h) + 1);
	data[0] = 3;
	memcpy(data + 1, &h, sizeof(h));
	check(parse_header(&h, sizeof(h), 3, &h) == 0);
	return sizeof(h) + 1;
}

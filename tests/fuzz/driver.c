/* Runs a fuzz target for argv[1] seconds on mutations of its seed. A driver of
 * our own needs nothing but gcc; sanitizers end the process at a fault. A
 * second argument is the random seed of a run to repeat. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fuzz.h"

#define MAX_INPUT 4096

static uint64_t state;

/* xorshift64* */
static uint64_t next(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545F4914F6CDD1Dull;
}

static size_t mutate(uint8_t *data, size_t size)
{
	static const uint32_t edges[] = { 0, 1, 8, 9, 32, 33, 127, 128, 255, 256,
					  0x7fffffff, 0x80000000, 0xffffffff };

	for (uint64_t rounds = 1 + next() % 4; rounds > 0; rounds--) {
		size_t at = size ? next() % size : 0;

		switch (next() % 6) {
		case 0: /* a bit */
			if (size)
				data[at] ^= (uint8_t)(1u << (next() % 8));
			break;
		case 1: /* a byte */
			if (size)
				data[at] = (uint8_t)next();
			break;
		case 2: /* an aligned word becomes an edge case */
			at = (at & ~(size_t)3) + 1;
			if (at + 4 <= size)
				memcpy(data + at, &edges[next() % (sizeof(edges) / sizeof(*edges))], 4);
			break;
		case 3: /* shorter */
			size = next() % 3 ? size : at;
			break;
		case 4: /* longer */
			if (next() % 3 == 0) {
				size_t more = next() % 256;

				if (size + more > MAX_INPUT)
					more = MAX_INPUT - size;
				memset(data + size, (int)(next() & 0xff), more);
				size += more;
			}
			break;
		case 5: /* no NUL where a string ends */
			if (size) {
				size_t n = next() % 128;

				if (at + n > size)
					n = size - at;
				memset(data + at, 'x', n);
			}
			break;
		}
	}
	return size;
}

int main(int argc, char **argv)
{
	long seconds = argc > 1 ? strtol(argv[1], NULL, 10) : 10;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : (uint64_t)time(NULL);
	time_t end = time(NULL) + (seconds > 0 ? seconds : 1);
	static uint8_t first[MAX_INPUT], data[MAX_INPUT];
	size_t size = fuzz_seed(first, sizeof(first));
	unsigned long long runs = 0;

	state = seed | 1;
	fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
	while (time(NULL) < end) {
		for (int i = 0; i < 10000; i++, runs++) {
			memcpy(data, first, sizeof(data));
			fuzz_one(data, mutate(data, size));
		}
	}
	printf("%llu runs\n", runs);
	return 0;
}

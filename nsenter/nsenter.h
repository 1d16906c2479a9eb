/* What the constructor leaves for Go. */
#ifndef RUNG_NSENTER_H
#define RUNG_NSENTER_H

#include <stdint.h>

struct inherited {
	int socket; /* to the parent, in init; else -1 */
	int proc;   /* the /proc of before the namespaces, in init; else -1 */
	int huge_pages; /* transparent ones are off in init and were on before */
	uint64_t ignored;     /* signals, bit N-1 is signal N */
	uint64_t blocked;     /* the same */
	uint64_t descriptors; /* how many are open from 3 on, without a gap */
	uint64_t nofile_soft; /* RLIMIT_NOFILE */
	uint64_t nofile_hard;
};

extern struct inherited rung_inherited;

#endif

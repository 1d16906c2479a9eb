#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "bootstrap.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif

#define NAMESPACES                                                             \
	(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS |           \
	 CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWTIME)

/* Exactly one namespace bit. */
static int is_namespace(uint32_t type)
{
	return type != 0 && (type & (type - 1)) == 0 &&
	       (type & ~(uint32_t)NAMESPACES) == 0;
}

static int terminated(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL;
}

int parse_header(const void *buf, size_t n, int fds, struct header *out)
{
	if (n != sizeof(*out))
		return EMSGSIZE;
	memcpy(out, buf, sizeof(*out));
	if (out->kind != MSG_HEADER || out->magic != BOOTSTRAP_MAGIC)
		return EBADMSG;
	if (out->version != BOOTSTRAP_VERSION)
		return EPROTO;
	if (out->flags & ~HEADER_MASK)
		return EINVAL;
	if (out->new_namespaces & ~(uint32_t)NAMESPACES)
		return EINVAL;
	if (out->join_count > MAX_JOIN || out->door_count > MAX_DOORS)
		return EINVAL;
	if (fds < 0 ||
	    (uint32_t)fds != out->join_count + out->door_count +
				     !!(out->flags & HEADER_CGROUP))
		return EBADF;
	for (uint32_t i = 0; i < out->join_count; i++) {
		if (!is_namespace(out->join_type[i]) ||
		    (out->join_type[i] & out->new_namespaces))
			return EINVAL;
	}
	if (!terminated(out->oom_score_adj, sizeof(out->oom_score_adj)) ||
	    !terminated(out->time_offsets, sizeof(out->time_offsets)))
		return EINVAL;
	return 0;
}

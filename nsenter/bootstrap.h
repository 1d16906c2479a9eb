/* What the parent says to the bootstrap, and what is said back.
 *
 * libcontainer/internal/wire holds the same structs in Go; both sides check
 * the protocol version, and each side the length. All fields are in native
 * byte order: the two ends are one binary on one machine.
 */
#ifndef RUNG_BOOTSTRAP_H
#define RUNG_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#define BOOTSTRAP_MAGIC 0x676e7572u /* "rung" */
#define BOOTSTRAP_VERSION 1u

#define MAX_JOIN 8  /* one a namespace type */
#define MAX_DOORS 32 /* cgroup v1 has a dozen controllers, and named sets */

/* header.flags */
#define HEADER_ROOT 1u          /* 0:0 is mapped: become it */
#define HEADER_TOLERANT 2u      /* rootless: the OOM score may refuse */
#define HEADER_SESSION 4u       /* setsid(2) in the child */
#define HEADER_CGROUP 8u        /* the last descriptor is a cgroup v2 directory */
#define HEADER_SPARED 16u       /* no cgroup is needed: the doors may refuse */
#define HEADER_DROP_GROUPS 32u  /* leave the host's supplementary groups behind */
#define HEADER_MASK 63u

/* Parent to bootstrap. Descriptors come with it, in this order: the
 * namespaces to join, the doors (a v1 "tasks" file each), the v2 directory. */
struct header {
	uint32_t kind;  /* MSG_HEADER */
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t new_namespaces; /* CLONE_NEW* to create */
	uint32_t join_count;
	uint32_t door_count;
	uint32_t join_type[MAX_JOIN]; /* one CLONE_NEW* bit each */
	char oom_score_adj[8];        /* decimal, NUL-terminated, or empty */
	char time_offsets[116];       /* timens_offsets, NUL-terminated, or empty */
};

_Static_assert(sizeof(struct header) == 184, "wire.Header has the same layout");
_Static_assert(offsetof(struct header, oom_score_adj) == 60, "no padding");

/* Bootstrap or child to parent. */
struct report {
	uint32_t kind;
	uint32_t step;  /* enum step: what failed, or 0 */
	int32_t value;  /* the pid, or the errno */
	uint32_t index; /* which join or door */
};

_Static_assert(sizeof(struct report) == 16, "wire.Report has the same layout");

enum kind {
	MSG_HEADER = 1, /* parent to bootstrap */
	MSG_PID,        /* bootstrap to parent: init's pid in the parent's namespace */
	MSG_MAPPED,     /* parent to child: the id maps are written */
	MSG_NAMESPACES, /* child to parent: all namespaces are entered */
	MSG_FAILED,     /* either to parent: step, errno, index */
};

/* The words for these are in wire.Steps. */
enum step {
	STEP_NONE,
	STEP_HEADER,
	STEP_PROC,
	STEP_OOM,
	STEP_DOOR,
	STEP_JOIN,
	STEP_JOIN_USER,
	STEP_ROOT,
	STEP_CLONE,
	STEP_MAPPED,
	STEP_SESSION,
	STEP_UNSHARE,
	STEP_TIME,
};

/* Whether the n bytes at buf with fds descriptors are a header; 0 or an errno.
 * Everything that is later used as an index, a length or a string is checked
 * here, and nowhere else (CVE-2021-43784). */
int parse_header(const void *buf, size_t n, int fds, struct header *out);

#endif

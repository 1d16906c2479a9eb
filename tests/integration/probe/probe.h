/* The pieces of probe; each prints its member of the document. */
#ifndef RUNG_PROBE_H
#define RUNG_PROBE_H

#include <stdbool.h>
#include <stddef.h>

/* json.c */
void string(const char *s);
void string_or_null(const char *s);
void key(const char *name);
/* "," but the first time. */
const char *comma(bool *first);
/* The file's text without its last newline, at most size-1 bytes; NULL if it
 * cannot be read. */
char *text(const char *path, char *buf, size_t size);
const char *link_text(const char *path, char *buf, size_t size);
/* The value of a line of /proc/self/status, or NULL. */
const char *status_field(const char *status, const char *name);

/* mounts.c: the array only. */
void mounts(void);

/* kernel.c */
void rlimits(void);
void scheduler(void);
void io_priority(void);
void affinity(void);
void memory_policy(void);
void keyring(void);
void terminal(void);
void namespaces(void);
void clocks(void);

/* calls.c: commands other than the document; each gives the exit code. */
int call(int argc, char **argv);
int open_path(const char *path, const char *how);
int session(const char *name, char **command);

#endif

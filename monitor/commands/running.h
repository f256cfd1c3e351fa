/*
 * running.h - the running processes of tlmon, as /proc shows them (proc(5)): which role, whose child,
 * and what the kernel still lets it do. A process is ours by its name and its title; what stands there is
 * read with limits, for any process may call itself so.
 */
#ifndef MONITOR_COMMANDS_RUNNING_H
#define MONITOR_COMMANDS_RUNNING_H

#include "monitor/process/roles.h"
#include "schema/base.h"

#include <sys/types.h>

enum running_landlock { LANDLOCK_UNTOLD, LANDLOCK_ON, LANDLOCK_OFF };

struct running {
	enum process_role role;
	pid_t pid, parent;
	pid_t supervisor; /* its parent if that is one of ours, itself if it is one; 0: neither */
	uid_t real_uid, uid;           /* uid: the effective one */
	uint64_t effective, permitted; /* capabilities */
	bool no_new_privs;
	unsigned filters;               /* of seccomp */
	enum running_landlock landlock; /* as its title says: the kernel does not */
	uint64_t memory;                /* limit of address space; UINT64_MAX: none */
	int files;                      /* open; -1: we may not know */
};

/*
 * All of them, by supervisor, role and pid. *ret is the caller's to free(); NULL where there is none.
 */
int running_find(struct running **ret, size_t *ret_count, struct err *err) MUST_CHECK;

/* What a title says: "tlmon: sensor (landlock)". False: no title of ours. */
bool running_title(const char *title, enum process_role *ret_role,
                   enum running_landlock *ret_landlock);

#endif

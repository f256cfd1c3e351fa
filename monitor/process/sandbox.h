/*
 * sandbox.h - what each role may still do. The only room that knows libseccomp, libcap-ng and
 * Landlock. There are two steps: the supervisor gives up what it does not need, before it forks
 * anybody; each child, when it has opened all it will ever open, locks itself in.
 *
 * Without a capability to drop (started as an ordinary user, with a file), or on a kernel without
 * Landlock, what is there is done all the same, and said: `missing`.
 */
#ifndef MONITOR_PROCESS_SANDBOX_H
#define MONITOR_PROCESS_SANDBOX_H

#include "monitor/process/roles.h"
#include "schema/base.h"

#include <sys/types.h>

/*
 * Who runs as whom. Started as root: sensor, inspector and exporter as `_tlmon`, else `nobody`; the
 * recorder as the owner of its directory. As an ordinary user: everybody as that user.
 */
struct sandbox_users {
	bool change; /* we are root */
	uid_t apart_uid, owner_uid;
	gid_t apart_gid, owner_gid;
};
/* `dir`: the recorder's directory, which must exist; NULL: it has none, and runs as the others do. */
int sandbox_users_find(const char *dir, struct sandbox_users *ret, struct err *err) MUST_CHECK;

/*
 * The supervisor: no capability but CAP_NET_RAW (where `live` and we have it; else none), no way back to more,
 * no_new_privs. Its user ids are set so that a child can become either of the two users without a capability, and it can
 * signal both: real and saved the one apart, effective the owner.
 */
int sandbox_supervisor(const struct sandbox_users *users, bool live, struct err *err) MUST_CHECK;

#define SANDBOX_MISSING 128
struct sandbox_options {
	enum process_role role;
	struct sandbox_users users;
	/* The recorder may read and write below it, the exporter read; NULL: nobody may open anything. */
	const char *dir;
	/* Address space over what is mapped now; 0: no limit. Never set in a build with sanitizers. */
	uint64_t memory;
};

/*
 * A child: becomes its user, gives up every capability, may not gain any (no_new_privs), RLIMIT_AS,
 * Landlock (sensor and inspector: nothing; recorder: `dir`), then seccomp with the role's list, where
 * whatever is not on it kills the process. In that order; afterwards it dies with its parent (PDEATHSIG, which a
 * change of user would clear). `missing` is what could not be had: "landlock", "memory limit (sanitizer)", ""; words
 * parted by ", ". On failure the child must not go on.
 */
int sandbox_enter(const struct sandbox_options *options, char missing[SANDBOX_MISSING],
                  struct err *err) MUST_CHECK;

/*
 * For tests, from inside a role: tries what it must not be able to do. `what` is one of open socket
 * execve ptrace write mprotect fork kill. Returns 0 if it succeeded (a hole), negative errno if it was refused; most often
 * it does not return, for the process is killed by SIGSYS. -EINVAL: no such word.
 */
int sandbox_try(const char *what);

/* Landlock's version on this kernel; 0: none. */
int sandbox_landlock(void);
/* This build has a sanitizer in it. */
bool sandbox_sanitized(void);

#endif

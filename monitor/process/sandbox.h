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
 * recorder as the owner of its directory, whose group the exporter has, so as to read there. As an ordinary user, or as root without the capabilities
 * to become another: everybody as that user.
 */
struct sandbox_users {
	bool change; /* we can become another user */
	uid_t apart_uid, owner_uid;
	gid_t apart_gid, owner_gid;
	pid_t supervisor; /* the process that asked: the parent of all roles */
};
/*
 * For the supervisor, before it gives up anything. `dir`: the recorder's directory, which must exist;
 * NULL: it has none, and runs as the others do.
 */
int sandbox_users_find(const char *dir, struct sandbox_users *ret, struct err *err) MUST_CHECK;
/* The user that roles run as when root starts them: its name, NULL if this host has none. */
const char *sandbox_user_apart(uid_t *ret_uid, gid_t *ret_gid);

/*
 * The supervisor: no capability but CAP_NET_RAW (where `live` and we have it; else none), no way
 * back to more, no_new_privs. Its user ids are set so that a child can become either of the two
 * users without a capability, and it can signal both: real and saved the one apart, effective the
 * owner. So it opens files as the owner. Its /proc entries are root's from then on.
 */
int sandbox_supervisor(const struct sandbox_users *users, bool live,
                       struct err *err) MUST_CHECK;

#define SANDBOX_MISSING 128
struct sandbox_options {
	enum process_role role; /* not the supervisor */
	struct sandbox_users users;
	/* The recorder may read and write below it, the exporter read; NULL: no file may be opened. */
	const char *dir;
	/* Address space over what is mapped now; 0: no limit. Never set in a build with sanitizers. */
	uint64_t memory;
	bool without_landlock; /* for tests: as on a kernel that has none */
};

/*
 * A child: becomes its user, gives up every capability, may not gain any (no_new_privs), RLIMIT_AS,
 * Landlock (sensor and inspector: nothing; recorder, exporter: `dir` and /dev/urandom), then seccomp
 * with the role's list (monitor/process/calls.h), where whatever is not on it kills the process. It dies with its
 * parent (PDEATHSIG is set once it is the other user, for the change would clear it). Sensor and
 * inspector leave no core and cannot be traced by their own user. Afterwards a role ends by _exit().
 *
 * `missing` is what could not be had, parted by ", ": "another user", "landlock", "seccomp",
 * "memory limit (sanitizer)"; "" is nothing. On failure, also when the parent is gone already, the
 * child must not go on.
 */
int sandbox_enter(const struct sandbox_options *options, char missing[SANDBOX_MISSING],
                  struct err *err) MUST_CHECK;

/*
 * For tests, from inside a role: tries what it must not be able to do. `what` is one of SANDBOX_TRIES:
 * "open" /etc/passwd, "write" a new file in /tmp, "kill" (signal 0) and "ptrace" its parent, ... Returns 0
 * if it succeeded (a hole), negative errno if it was refused; most often it does not return, for the process
 * is killed by SIGSYS. -EINVAL: no such word.
 */
#define SANDBOX_TRIES "open", "socket", "execve", "ptrace", "write", "mprotect", "fork", "kill"
int sandbox_try(const char *what);

/* Landlock's version on this kernel; 0: none. */
int sandbox_landlock(void);
/* This kernel can filter system calls. */
bool sandbox_seccomp(void);
/* We hold CAP_NET_RAW: we may open an interface. */
bool sandbox_net_raw(void);
/* This build has a sanitizer in it. */
bool sandbox_sanitized(void);

/* A set of capabilities as /proc/PID/status has it, by name: "net_raw", "all", "none". Returns `buf`. */
#define SANDBOX_CAPABILITIES 1024
const char *sandbox_capabilities(uint64_t set, char buf[SANDBOX_CAPABILITIES]);

#endif

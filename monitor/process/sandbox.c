/*
 * sandbox.c - see sandbox.h. Each step is one function, in the order they are taken. The order matters:
 *  (1) A change of user clears PDEATHSIG (prctl(2)), so that is asked for after it.
 *  (2) Landlock and seccomp need no_new_privs, for we have no capability left by then.
 *  (3) Seccomp comes last: the others need calls that no role may make.
 */
#include "monitor/process/sandbox.h"
#include "monitor/process/calls.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#define SANITIZED true

/*
 * LeakSanitizer asks this at the end of a process before it traces that, which it may not once we have
 * taken on other users.
 */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);

int __lsan_is_turned_off(void)
{
	return getuid() != geteuid() || prctl(PR_GET_DUMPABLE) != 1;
}
#else
#define SANITIZED false
#endif

bool sandbox_sanitized(void)
{
	return SANITIZED;
}

/* ----------------------------------------------------------- users and capabilities */

const char *sandbox_user_apart(uid_t *ret_uid, gid_t *ret_gid)
{
	static const char *const NAMES[] = {"_tlmon", "nobody"};

	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
		const struct passwd *user = getpwnam(NAMES[i]);

		if (user && user->pw_uid) {
			*ret_uid = user->pw_uid;
			*ret_gid = user->pw_gid;
			return NAMES[i];
		}
	}
	return NULL;
}

static bool have(unsigned capability)
{
	capng_get_caps_process();
	return capng_have_capability(CAPNG_EFFECTIVE, capability);
}

bool sandbox_net_raw(void)
{
	return have(CAP_NET_RAW);
}

int sandbox_users_find(const char *dir, struct sandbox_users *ret, struct err *err)
{
	struct sandbox_users users = {.change = !geteuid() && have(CAP_SETUID) &&
	                                        have(CAP_SETGID),
	                              .supervisor = getpid()};
	struct stat st;

	if (!users.change) {
		users.apart_uid = users.owner_uid = geteuid();
		users.apart_gid = users.owner_gid = getegid();
		*ret = users;
		return 0;
	}
	if (!sandbox_user_apart(&users.apart_uid, &users.apart_gid))
		return err_set(
			err, -ENOENT,
			"this host has neither a user _tlmon nor nobody to read packets as; "
			"'useradd --system _tlmon' makes one");
	users.owner_uid = users.apart_uid;
	users.owner_gid = users.apart_gid;
	if (dir) {
		if (stat(dir, &st) < 0)
			return err_set(err, -errno, "%s: %s", dir, strerror(errno));
		users.owner_uid = st.st_uid;
		users.owner_gid = st.st_gid;
	}
	*ret = users;
	return 0;
}

/* Nothing but this one, or nothing at all; -1: none. */
static int keep_capability(int capability, struct err *err)
{
	capng_get_caps_process();
	capng_clear(CAPNG_SELECT_ALL);
	if (capability >= 0)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
		             (unsigned)capability);
	if (capng_apply(CAPNG_SELECT_CAPS) < 0)
		return err_set(err, -EPERM, "the capabilities cannot be given up: %s",
		               strerror(errno));
	return 0;
}

/*
 * No capability comes back: not by becoming root, not by a file, not by inheritance
 * (capabilities(7), "The securebits flags"). Without CAP_SETPCAP no_new_privs has to do.
 */
static int lock_capabilities(struct err *err)
{
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
	                           SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |
	                           SECBIT_NO_CAP_AMBIENT_RAISE |
	                           SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED | SECBIT_KEEP_CAPS_LOCKED;

	if (!have(CAP_SETPCAP))
		return 0;
	if (prctl(PR_SET_SECUREBITS, bits) < 0)
		return err_set(err, -errno, "the securebits cannot be set: %s",
		               strerror(errno));
	for (int i = 0; prctl(PR_CAPBSET_READ, i) >= 0; i++)
		if (prctl(PR_CAPBSET_DROP, i) < 0)
			return err_set(err, -errno, "the bounding set cannot be emptied: %s",
			               strerror(errno));
	return 0;
}

static int no_new_privileges(struct err *err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(err, -errno, "no_new_privs cannot be set: %s", strerror(errno));
	return 0;
}

int sandbox_supervisor(const struct sandbox_users *users, bool live, struct err *err)
{
	int keep = live && have(CAP_NET_RAW) ? CAP_NET_RAW : -1;
	int r;

	/* What is permitted stays so over the change of user, with the securebits or without. */
	if (prctl(PR_SET_KEEPCAPS, 1) < 0)
		return err_set(err, -errno, "PR_SET_KEEPCAPS: %s", strerror(errno));
	r = lock_capabilities(err);
	if (r < 0)
		return r;
	if (users->change &&
	    (setgroups(0, NULL) < 0 ||
	     setresgid(users->apart_gid, users->owner_gid, users->apart_gid) < 0 ||
	     setresuid(users->apart_uid, users->owner_uid, users->apart_uid) < 0))
		return err_set(err, -errno, "the users %u and %u cannot be taken on: %s",
		               users->apart_uid, users->owner_uid, strerror(errno));
	r = keep_capability(keep, err);
	return r < 0 ? r : no_new_privileges(err);
}

/* A name as libcap-ng has it, or the number of one that it does not know. */
const char *sandbox_capabilities(uint64_t set, char buf[SANDBOX_CAPABILITIES])
{
	uint64_t known = 0;

	for (int i = 0; i < 64 && prctl(PR_CAPBSET_READ, i) >= 0; i++)
		known |= BIT(i);
	*buf = '\0';
	if (!set)
		return strcpy(buf, "none");
	if (known && set == known)
		return strcpy(buf, "all");
	for (unsigned i = 0; i < 64; i++) {
		const char *name = set & BIT(i) ? capng_capability_to_name(i) : NULL;

		if (name)
			text_add(buf, SANDBOX_CAPABILITIES, "%s%s", *buf ? ", " : "", name);
		else if (set & BIT(i))
			text_add(buf, SANDBOX_CAPABILITIES, "%s%u", *buf ? ", " : "", i);
	}
	return buf;
}

/* ----------------------------------------------------------------------- a child */

static void miss(char missing[SANDBOX_MISSING], const char *what)
{
	text_add(missing, SANDBOX_MISSING, "%s%s", *missing ? ", " : "", what);
}

/* The exporter has the owner's group: the database is 0640, so it reads and cannot write. */
static int become_user(const struct sandbox_options *options, struct err *err)
{
	const struct sandbox_users *users = &options->users;
	bool owner = options->role == PROCESS_RECORDER;
	uid_t uid = owner ? users->owner_uid : users->apart_uid;
	gid_t gid = owner || options->role == PROCESS_EXPORTER ? users->owner_gid
	                                                       : users->apart_gid;

	if (users->change && (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0))
		return err_set(err, -errno, "%s: cannot become user %u: %s",
		               process_role_name(options->role), uid, strerror(errno));
	return 0;
}

static int die_with_parent(const struct sandbox_options *options, struct err *err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_set(err, -errno, "PR_SET_PDEATHSIG: %s", strerror(errno));
	if (getppid() != options->users.supervisor)
		return err_set(err, -ESRCH, "%s: the supervisor is gone",
		               process_role_name(options->role));
	return 0;
}

/* Size of what is mapped now, in bytes: the first number of /proc/self/statm, in pages (proc(5)). */
static int mapped_now(uint64_t *ret, struct err *err)
{
	CLEANUP(fclosep) FILE *file = fopen("/proc/self/statm", "re");
	unsigned long long pages;

	if (!file || fscanf(file, "%llu", &pages) != 1)
		return err_set(err, -EIO,
		               "/proc/self/statm cannot be read, so no limit of memory can be "
		               "set; is /proc mounted?");
	*ret = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

static int limit_memory(uint64_t memory, char missing[SANDBOX_MISSING], struct err *err)
{
	struct rlimit limit;
	uint64_t mapped = 0;
	int r;

	if (!memory)
		return 0;
	if (SANITIZED) { /* its shadow is mapped whole, terabytes of it */
		miss(missing, "memory limit (sanitizer)");
		return 0;
	}
	r = mapped_now(&mapped, err);
	if (r < 0)
		return r;
	limit.rlim_cur = limit.rlim_max = mapped + memory;
	if (setrlimit(RLIMIT_AS, &limit) < 0)
		return err_set(err, -errno, "a limit of %llu bytes of memory cannot be set: %s",
		               (unsigned long long)limit.rlim_cur, strerror(errno));
	return 0;
}

/* ----------------------------------------------------------------------- Landlock */

/*
 * linux/landlock.h as far as Landlock 7 has it, and of that what we use: the kernel that runs us may
 * be newer than the headers that we are built with (Documentation/userspace-api/landlock.rst).
 */
struct landlock_rules {
	uint64_t files, network, scope;
} __attribute__((packed));

struct landlock_below {
	uint64_t allowed;
	int32_t dir;
} __attribute__((packed));

enum {
	RULES_VERSION = 1,
	RULE_PATH_BENEATH = 1,

	FILE_WRITE = 1 << 1,
	FILE_READ = 1 << 2,
	DIR_READ = 1 << 3,
	FILE_REMOVE = 1 << 5,
	FILE_MAKE = 1 << 8,
	FILE_TRUNCATE = 1 << 14,
};
/* All bits that each version knows: by version, 0 is none. */
static const struct landlock_rules LANDLOCK_KNOWS[] = {
	[1] = {0x1fff, 0, 0}, [2] = {0x3fff, 0, 0}, [3] = {0x7fff, 0, 0},
	[4] = {0x7fff, 3, 0}, [5] = {0xffff, 3, 0}, [6] = {0xffff, 3, 3},
};

int sandbox_landlock(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, RULES_VERSION);

	return version < 0 ? 0 : (int)version;
}

static int allow_below(int rules, const char *path, uint64_t allowed, struct err *err)
{
	CLEANUP(closep) int dir = open(path, O_PATH | O_CLOEXEC);
	struct landlock_below below = {.allowed = allowed, .dir = dir};

	if (dir < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &below, 0) < 0)
		return err_set(err, -errno, "%s: Landlock refuses a rule for it: %s", path,
		               strerror(errno));
	return 0;
}

static int lock_files(const struct sandbox_options *options, char missing[SANDBOX_MISSING],
                      struct err *err)
{
	CLEANUP(closep) int rules = -1;
	const int newest = ARRAY_LEN(LANDLOCK_KNOWS) - 1;
	int version = options->without_landlock ? 0 : sandbox_landlock();
	const struct landlock_rules *knows =
		&LANDLOCK_KNOWS[version < newest ? version : newest];
	uint64_t allowed = FILE_READ | DIR_READ;
	int r = 0;

	if (!version) {
		miss(missing, "landlock");
		return 0;
	}
	rules = (int)syscall(SYS_landlock_create_ruleset, knows, sizeof(*knows), 0);
	if (rules < 0)
		return err_set(err, -errno, "Landlock %d refuses our rules: %s", version,
		               strerror(errno));
	if (options->role == PROCESS_RECORDER)
		allowed |= FILE_WRITE | FILE_REMOVE | FILE_MAKE | FILE_TRUNCATE;
	if (options->role == PROCESS_RECORDER || options->role == PROCESS_EXPORTER) {
		if (options->dir)
			r = allow_below(rules, options->dir, allowed & knows->files, err);
		if (!r) /* SQLite's random numbers */
			r = allow_below(rules, "/dev/urandom", FILE_READ, err);
	}
	if (!r && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		r = err_set(err, -errno, "Landlock: %s", strerror(errno));
	return r;
}

/* ------------------------------------------------------------------------ seccomp */

bool sandbox_seccomp(void)
{
	/* seccomp(2): a filter at NULL is a fault where filters are known at all. */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) < 0 && errno == EFAULT;
}

/* The conditions of monitor/process/calls.h, each on one or two arguments of the call. */
enum condition {
	ANY,
	STDERR,
	OPEN_FILE,
	EPOLL_DEL,
	GET_FLAGS,
	LOCK,
	LOCK_ASK,
	LOCK_WAIT,
	CLOSE_FLAG,
	RX_RING,
	LINK_FLAGS,
	TERMINAL,
	NOT_EXECUTABLE,
	ITSELF,
};

/* The argument, counted from 0, of 32 bits: an int of which the kernel reads no more. */
static struct scmp_arg_cmp is(unsigned arg, uint32_t value)
{
	return (struct scmp_arg_cmp){arg, SCMP_CMP_MASKED_EQ, UINT32_MAX, value};
}

static unsigned condition_args(enum condition condition, struct scmp_arg_cmp args[2])
{
	switch (condition) {
	case ANY:
		return 0;
	case STDERR:
		args[0] = is(0, STDERR_FILENO);
		return 1;
	case OPEN_FILE:
		args[0] = is(3, AT_EMPTY_PATH);
		return 1;
	case EPOLL_DEL:
		args[0] = is(1, EPOLL_CTL_DEL);
		return 1;
	case GET_FLAGS:
		args[0] = is(1, F_GETFL);
		return 1;
	case LOCK:
		args[0] = is(1, F_SETLK);
		return 1;
	case LOCK_ASK:
		args[0] = is(1, F_GETLK);
		return 1;
	case LOCK_WAIT:
		args[0] = is(1, F_SETLKW);
		return 1;
	case CLOSE_FLAG:
		args[0] = is(1, F_SETFD);
		return 1;
	case RX_RING:
		args[0] = is(1, SOL_PACKET);
		args[1] = is(2, PACKET_RX_RING);
		return 2;
	case LINK_FLAGS:
		args[0] = is(1, SIOCGIFFLAGS);
		return 1;
	case TERMINAL:
		args[0] = is(1, TCGETS);
		return 1;
	case NOT_EXECUTABLE:
		args[0] = (struct scmp_arg_cmp){2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0};
		return 1;
	case ITSELF:
		args[0] = is(0, (uint32_t)getpid());
		return 1;
	}
	return 0;
}

static const struct {
	int number;
	const char *name, *roles;
	enum condition condition;
} LIST[] = {
#define X(name, roles, condition) {SCMP_SYS(name), #name, roles, condition},
	CALLS(X)
#undef X
};

static bool listed(const char *roles, enum process_role role)
{
	static const char LETTERS[PROCESS_COUNT] = {
		[PROCESS_SENSOR] = 'S',
		[PROCESS_INSPECTOR] = 'I',
		[PROCESS_RECORDER] = 'R',
		[PROCESS_EXPORTER] = 'E',
	};

	return LETTERS[role] && strchr(roles, LETTERS[role]);
}

static int allow_calls(scmp_filter_ctx filter, enum process_role role, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(LIST); i++) {
		struct scmp_arg_cmp args[2];
		unsigned count = condition_args(LIST[i].condition, args);
		int r;

		/* Below zero: this architecture has no such call. */
		if (LIST[i].number < 0 || !listed(LIST[i].roles, role))
			continue;
		r = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, LIST[i].number, count, args);
		if (r < 0)
			return err_set(err, r, "seccomp: no rule for %s: %s", LIST[i].name,
			               strerror(-r));
	}
	return 0;
}

static bool allowed(int number, enum process_role role)
{
	for (size_t i = 0; i < ARRAY_LEN(LIST); i++)
		if (LIST[i].number == number && LIST[i].condition == ANY &&
		    listed(LIST[i].roles, role))
			return true;
	return false;
}

static int refuse_sanitizers(scmp_filter_ctx filter, enum process_role role, struct err *err)
{
	static const struct {
		int number;
		enum condition condition;
	} REFUSED[] = {
#define X(name, condition) {SCMP_SYS(name), condition},
		CALLS_OF_SANITIZERS(X)
#undef X
	};

	for (size_t i = 0; SANITIZED && i < ARRAY_LEN(REFUSED); i++) {
		struct scmp_arg_cmp args[2];
		unsigned count = condition_args(REFUSED[i].condition, args);
		int r;

		if (REFUSED[i].number < 0 || allowed(REFUSED[i].number, role))
			continue;
		r = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EACCES), REFUSED[i].number,
		                           count, args);
		if (r < 0 && r != -EEXIST) /* the role may, in just that case */
			return err_set(err, r, "seccomp: %s", strerror(-r));
	}
	return 0;
}

static int lock_calls(enum process_role role, char missing[SANDBOX_MISSING], struct err *err)
{
	scmp_filter_ctx filter;
	int r;

	if (!sandbox_seccomp()) {
		miss(missing, "seccomp");
		return 0;
	}
	filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!filter)
		return err_set(err, -ENOMEM, "out of memory");
	r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r < 0)
		err_set(err, r, "seccomp: %s", strerror(-r));
	if (r >= 0)
		r = allow_calls(filter, role, err);
	if (r >= 0)
		r = refuse_sanitizers(filter, role, err);
	if (r >= 0) {
		r = seccomp_load(filter);
		if (r < 0)
			err_set(err, r, "seccomp: %s", strerror(-r));
	}
	seccomp_release(filter);
	return r;
}

int sandbox_enter(const struct sandbox_options *options, char missing[SANDBOX_MISSING],
                  struct err *err)
{
	int r;

	*missing = '\0';
	if (!options->users.change)
		miss(missing, "another user");
	r = become_user(options, err);
	if (r >= 0)
		r = keep_capability(-1, err);
	if (r >= 0)
		r = no_new_privileges(err);
	if (r >= 0)
		r = die_with_parent(options, err);
	if (r >= 0 && (options->role == PROCESS_SENSOR || options->role == PROCESS_INSPECTOR) &&
	    prctl(PR_SET_DUMPABLE, 0) < 0)
		r = err_set(err, -errno, "PR_SET_DUMPABLE: %s", strerror(errno));
	if (r >= 0)
		r = limit_memory(options->memory, missing, err);
	if (r >= 0)
		r = lock_files(options, missing, err);
	return r < 0 ? r : lock_calls(options->role, missing, err);
}

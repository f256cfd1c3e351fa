/*
 * doctor_host.c - is this host fit to keep the roles apart? Asked of the kernel: what is, not what was meant.
 */
#include "monitor/commands.h"
#include "monitor/commands/doctor.h"
#include "monitor/log.h"
#include "monitor/process/sandbox.h"

#include <sys/utsname.h>

static const struct out_column HOST_COLUMNS[] = {
	{"what", "WHAT", 0}, {"found", "FOUND", OUT_CUT}, {"fit", NULL, 0},
	{NULL, "FIT", 0},    {"note", NULL, 0},
};

struct host {
	struct out *out;
	bool unfit;
};

static int host_put(struct host *host, const char *what, const char *found, bool fit,
                    const char *note, struct err *err)
{
	host->unfit |= !fit;
	out_text(host->out, what);
	out_text(host->out, found);
	out_bool(host->out, fit);
	out_text(host->out, fit ? "yes" : "no");
	out_paint(host->out, fit ? OUT_GREEN : OUT_RED);
	out_text(host->out, note);
	if (*note)
		out_note(host->out, note);
	return out_end(host->out, err);
}

static int host_users(struct host *host, struct err *err)
{
	struct sandbox_users users = {0};
	uid_t uid;
	gid_t gid;
	const char *apart = sandbox_user_apart(&uid, &gid);
	bool own = apart && !strcmp(apart, "_tlmon"), change;
	int r = host_put(
		host, "user", apart ? apart : "none", apart != NULL,
		own ? "reads packets, and nothing else is its own"
		    : "others use it too; 'useradd --system _tlmon' makes one of our own",
		err);

	if (r)
		return r;
	/* That there is no such user is the row above; here it is whether we may. */
	change = sandbox_users_find(NULL, &users, NULL) < 0 || users.change;
	return host_put(
		host, "become-user", change ? "yes" : "no", change,
		change ? ""
		       : "all roles run as you; 'sudo tlmon watch -i eth1 -c site.yaml' parts "
			 "them",
		err);
}

static int host_rows(struct host *host, struct err *err)
{
	int landlock = sandbox_landlock();
	struct utsname name;
	char version[16];
	int r;

	uname(&name);
	snprintf(version, sizeof(version), "%d", landlock);
	r = host_put(host, "kernel", name.release, true, "", err);
	if (!r)
		r = host_put(host, "seccomp", sandbox_seccomp() ? "yes" : "no",
		             sandbox_seccomp(),
		             "a system call that a role does not need kills it", err);
	if (!r)
		r = host_put(
			host, "landlock", landlock ? version : "no", landlock > 0,
			landlock ? "the recorder and the exporter reach one directory"
				 : "the recorder may open whatever its user may; boot a kernel "
				   "with Landlock, with lsm=landlock before what 'cat "
				   "/sys/kernel/security/lsm' prints",
			err);
	if (!r)
		r = host_users(host, err);
	if (!r)
		r = host_put(
			host, "capture", sandbox_net_raw() ? "yes" : "no", sandbox_net_raw(),
			sandbox_net_raw() ? "CAP_NET_RAW: interfaces can be opened"
					  : "no CAP_NET_RAW: capture files alone; 'sudo tlmon "
					    "watch -i eth1 -c site.yaml' has it",
			err);
	if (!r)
		r = host_put(host, "memory-limit", sandbox_sanitized() ? "no" : "yes",
		             !sandbox_sanitized(),
		             sandbox_sanitized() ? "this build has a sanitizer in it" : "",
		             err);
	return r;
}

int doctor_host(enum out_format format, bool wide, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	struct host host = {0};
	int r = out_new(format, stdout, HOST_COLUMNS, ARRAY_LEN(HOST_COLUMNS), wide, &out, err);

	host.out = out;
	if (r >= 0)
		r = host_rows(&host, err);
	if (!r)
		r = out_finish(out, err);
	if (r < 0)
		return log_err(err);
	return host.unfit ? EXIT_NO : EXIT_FINE;
}

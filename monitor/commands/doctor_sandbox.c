/*
 * doctor_sandbox.c - do the processes that run now keep apart? Read from /proc: what is, not what was meant.
 */
#include "monitor/commands.h"
#include "monitor/commands/doctor.h"
#include "monitor/commands/running.h"
#include "monitor/log.h"
#include "monitor/process/sandbox.h"

#include <linux/capability.h>
#include <pwd.h>

static const struct out_column RUNNING_COLUMNS[] = {
	{"supervisor", NULL, 0},   {"role", "ROLE", 0},
	{"pid", "PID", OUT_RIGHT}, {"user", NULL, 0},
	{"real_user", NULL, 0},    {NULL, "USER", OUT_CUT},
	{"effective", NULL, 0},    {"permitted", "CAPS", OUT_CUT},
	{"no_new_privs", NULL, 0}, {NULL, "NNP", 0},
	{"seccomp", NULL, 0},      {NULL, "SECCOMP", 0},
	{"landlock", NULL, 0},     {NULL, "LANDLOCK", 0},
	{"memory_limit", NULL, 0}, {NULL, "MEMORY", OUT_RIGHT | OUT_CUT_FIRST},
	{"files", NULL, 0},        {NULL, "FILES", OUT_RIGHT | OUT_CUT_FIRST},
	{"weaker", NULL, 0},       {NULL, "STATE", 0},
};

static void user_name(uid_t uid, char *buf, size_t size)
{
	const struct passwd *user = getpwuid(uid);

	if (!user || !text_copy(buf, size, user->pw_name))
		snprintf(buf, size, "%u", uid);
}

static void running_users(struct out *out, const struct running *process)
{
	char user[64], real[64], both[130];

	user_name(process->uid, user, sizeof(user));
	user_name(process->real_uid, real, sizeof(real));
	snprintf(both, sizeof(both), "%s%s%s", real, strcmp(real, user) ? "/" : "",
	         strcmp(real, user) ? user : "");
	out_text(out, user);
	out_text(out, real);
	out_text(out, both);
}

static void running_capabilities(struct out *out, uint64_t set)
{
	char text[SANDBOX_CAPABILITIES];

	out_text(out, sandbox_capabilities(set, text));
}

static void running_limits(struct out *out, const struct running *process)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu MiB", (unsigned long long)(process->memory >> 20));
	if (process->memory > INT64_MAX)
		out_null(out);
	else
		out_int(out, (int64_t)process->memory);
	out_text(out, process->memory == UINT64_MAX ? "none" : text);
	snprintf(text, sizeof(text), "%d", process->files);
	if (process->files < 0)
		out_null(out);
	else
		out_int(out, process->files);
	out_text(out, process->files < 0 ? "?" : text);
}

#define WEAKER_TEXT 96

/*
 * What README.md says it should have and it lacks: "capabilities, landlock"; "" is nothing. The
 * supervisor must be able to reopen an interface, and is under no filter and in no directory.
 */
static const char *weaker_print(const struct running *process, char buf[WEAKER_TEXT])
{
	bool role = process->role != PROCESS_SUPERVISOR;
	uint64_t may = role ? 0 : BIT(CAP_NET_RAW);
	const struct {
		const char *what;
		bool lacks;
	} wanted[] = {
		{"a supervisor", !process->supervisor},
		{"no capabilities", (process->permitted | process->effective) & ~may},
		{"no_new_privs", !process->no_new_privs},
		{"a seccomp filter", role && !process->filters},
		{"landlock", role && process->landlock != LANDLOCK_ON},
	};

	*buf = '\0';
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (wanted[i].lacks)
			text_add(buf, WEAKER_TEXT, "%s%s", *buf ? ", " : "", wanted[i].what);
	return buf;
}

static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

static int running_put(struct out *out, const struct running *process, struct err *err)
{
	/* It must reopen an interface, and locks itself in no directory. */
	enum running_landlock landlock =
		process->role == PROCESS_SUPERVISOR ? LANDLOCK_OFF : process->landlock;
	char weaker[WEAKER_TEXT], note[WEAKER_TEXT + 32];

	if (process->supervisor)
		out_int(out, process->supervisor);
	else
		out_null(out);
	out_text(out, process_role_name(process->role));
	out_int(out, process->pid);
	running_users(out, process);
	running_capabilities(out, process->effective);
	running_capabilities(out, process->permitted);
	out_bool(out, process->no_new_privs);
	out_text(out, yes_no(process->no_new_privs));
	out_int(out, process->filters);
	out_text(out, process->filters ? "filter" : "none");
	if (landlock == LANDLOCK_UNTOLD)
		out_null(out);
	else
		out_bool(out, landlock == LANDLOCK_ON);
	out_text(out, landlock == LANDLOCK_UNTOLD ? "?" : yes_no(landlock == LANDLOCK_ON));
	running_limits(out, process);
	weaker_print(process, weaker);
	out_text(out, *weaker ? weaker : NULL);
	out_text(out, *weaker ? "weaker" : "OK");
	out_paint(out, *weaker ? OUT_RED : OUT_GREEN);
	snprintf(note, sizeof(note), "weaker: it should have %s", weaker);
	if (*weaker)
		out_note(out, note);
	return out_end(out, err);
}

/* "inspector, recorder": without these no run is whole; "" is none. */
static const char *lacks_print(const struct running *run, size_t count, char buf[64])
{
	static const enum process_role WANTED[] = {PROCESS_SUPERVISOR, PROCESS_SENSOR,
	                                           PROCESS_INSPECTOR, PROCESS_RECORDER};

	*buf = '\0';
	for (size_t i = 0; i < ARRAY_LEN(WANTED); i++) {
		bool there = false;

		for (size_t j = 0; j < count; j++)
			there |= run[j].role == WANTED[i];
		if (!there)
			text_add(buf, 64, "%s%s", *buf ? ", " : "",
			         process_role_name(WANTED[i]));
	}
	return buf;
}

/* How many of these are of the first one's run. */
static size_t run_length(const struct running *all, size_t count)
{
	size_t length = 1;

	while (length < count && all[length].supervisor == all[0].supervisor)
		length++;
	return length;
}

static int list_run(struct out *out, const struct running *run, size_t count, struct err *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < count; i++)
		r = running_put(out, &run[i], err);
	return r;
}

/* Every run is a table of its own, below the number of its supervisor. */
static int table_run(const struct running *run, size_t count, bool wide, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	char lacks[64];
	int r = out_new(OUT_TABLE, stdout, RUNNING_COLUMNS, ARRAY_LEN(RUNNING_COLUMNS), wide,
	                &out, err);

	if (r < 0)
		return r;
	lacks_print(run, count, lacks);
	if (run->supervisor)
		out_say(out, "run of supervisor %d%s%s", run->supervisor,
		        *lacks ? ", which has no " : "", lacks);
	else
		out_say(out, "of no run");
	r = list_run(out, run, count, err);
	return r ? r : out_finish(out, err);
}

/* Some process is weaker than it should be, or a run lacks a role. */
static bool is_weaker(const struct running *all, size_t count)
{
	char text[WEAKER_TEXT];

	for (size_t i = 0; i < count; i++)
		if (*weaker_print(&all[i], text))
			return true;
	for (size_t i = 0, length; i < count; i += length) {
		length = run_length(&all[i], count - i);
		if (*lacks_print(&all[i], length, text))
			return true;
	}
	return false;
}

static int put_running(const struct running *all, size_t count, enum out_format format,
                       bool wide, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	int r = 0;

	if (format == OUT_TABLE) {
		for (size_t i = 0, length; !r && i < count; i += length) {
			length = run_length(&all[i], count - i);
			if (i)
				putchar('\n');
			r = table_run(&all[i], length, wide, err);
		}
		return r;
	}
	r = out_new(format, stdout, RUNNING_COLUMNS, ARRAY_LEN(RUNNING_COLUMNS), wide, &out,
	            err);
	if (r >= 0)
		r = list_run(out, all, count, err);
	return r ? r : out_finish(out, err);
}

int doctor_sandbox(enum out_format format, bool wide, struct err *err)
{
	CLEANUP(freep) struct running *all = NULL;
	size_t count = 0;
	int r = running_find(&all, &count, err);

	if (r >= 0)
		r = put_running(all, count, format, wide, err);
	if (r < 0)
		return log_err(err);
	if (!count)
		log_error("no process of tlmon runs here; 'tlmon watch -i eth1 -c site.yaml' "
		          "starts one");
	return !count || is_weaker(all, count) ? EXIT_NO : EXIT_FINE;
}

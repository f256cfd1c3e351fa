/*
 * doctor_memory.c - how --memory is split, as a run on a mirror port would.
 */
#include "monitor/commands.h"
#include "monitor/commands/doctor.h"
#include "monitor/log.h"

static const struct out_column COLUMNS[] = {
	{"role", "ROLE", 0},
	{"what", "WHAT", 0},
	{"most", "MOST", OUT_RIGHT},
	{"unit", "", 0},
	{"bytes", NULL, 0},
	{NULL, "MIB", OUT_RIGHT},
};

static int put_line(struct out *out, const struct memory_line *line, struct err *err)
{
	char mib[32];

	out_text(out, line->role);
	out_text(out, line->what);
	out_int(out, (int64_t)line->most);
	out_text(out, line->unit);
	out_int(out, (int64_t)line->bytes);
	snprintf(mib, sizeof(mib), "%.1f", (double)line->bytes / (1 << 20));
	out_text(out, mib);
	return out_end(out, err);
}

int doctor_memory(uint64_t bytes, uint32_t flows, enum out_format format, bool wide, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	struct memory_line lines[MEMORY_LINES];
	struct memory memory;
	struct err why;
	unsigned count;
	int r = memory_split(bytes, flows, true, &memory, &why);

	if (r < 0) {
		err_set(err, r, "--memory %lluM: %s", (unsigned long long)(bytes >> 20), why.text);
		return log_err(err);
	}
	count = memory_lines(&memory, true, lines);
	r = out_new(format, stdout, COLUMNS, ARRAY_LEN(COLUMNS), wide, &out, err);
	if (r < 0)
		return log_err(err);
	out_say(out, "live, with every table full: %.1f MiB of %llu",
	        (double)memory_needed(&memory, true) / (1 << 20), (unsigned long long)(bytes >> 20));
	for (unsigned i = 0; i < count && r >= 0; i++)
		r = put_line(out, &lines[i], err);
	if (r >= 0)
		r = out_finish(out, err);
	return r < 0 ? log_err(err) : EXIT_FINE;
}

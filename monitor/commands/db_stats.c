/*
 * db_stats.c - see db_stats.h.
 */
#include "monitor/commands/db_stats.h"
#include "monitor/commands/query.h"
#include "monitor/older.h"
#include "schema/time.h"

#include <sys/stat.h>

/* The names of the columns are fixed: scripts rely on them. */
static const struct out_column COLUMNS[] = {
	{"part", "PART", 0},
	{"name", "NAME", OUT_CUT},
	{"rows", "ROWS", OUT_RIGHT},
	{"bytes", "BYTES", OUT_RIGHT},
	{"bytes_a_flow", "BYTES A FLOW", OUT_RIGHT},
};

static const char *const PARTS[] = {"table", "index", "day", "unit"};

struct listing {
	struct out *out;
	uint64_t flows;
};

const char *db_size_print(uint64_t bytes, char buf[DB_SIZE_TEXT])
{
	static const char *const UNITS[] = {"KB", "MB", "GB", "TB"};
	double size = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		snprintf(buf, DB_SIZE_TEXT, "%llu bytes", (unsigned long long)bytes);
		return buf;
	}
	for (; size >= 1024 && unit + 1 < ARRAY_LEN(UNITS); unit++)
		size /= 1024;
	snprintf(buf, DB_SIZE_TEXT, "%.*f %s", size < 10, size, UNITS[unit]);
	return buf;
}

int db_open_to_write(const char *dir, struct flowdb **ret_db, struct err *err)
{
	CLEANUP(freep) char *path = NULL;
	struct stat st;
	int r;

	if (asprintf(&path, "%s/flows.db", dir) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (stat(path, &st) < 0)
		return err_set(err, -errno,
		               "%s: no flow database there; -l or $TLMON_DIR names another",
		               path);
	r = flowdb_open(dir, FLOWDB_WRITE, ret_db, err);
	if (r >= 0)
		older_tell(*ret_db, dir);
	return r;
}

static int put(struct listing *listing, const char *part, const char *name, int64_t rows,
               uint64_t bytes, struct err *err)
{
	struct out *out = listing->out;
	char text[32];

	out_text(out, part);
	out_text(out, name);
	if (rows >= 0)
		out_int(out, rows);
	else
		out_null(out);
	if (bytes)
		out_int(out, (int64_t)bytes);
	else
		out_null(out);
	if (bytes && listing->flows) {
		snprintf(text, sizeof(text), "%.1f", (double)bytes / (double)listing->flows);
		out_raw(out, text);
	} else {
		out_null(out);
	}
	return out_end(out, err);
}

static int put_stat(void *context, const struct stat_row *row, struct err *err)
{
	return put(context, PARTS[row->part], row->name, row->rows, row->bytes, err);
}

/* A row for programs, a sentence for people. */
static int put_removed(void *context, const struct removed_row *row, struct err *err)
{
	static const char *const HOWS[REMOVAL_COUNT] = {"", "retention", "archived",
	                                                "elsewhere"};
	struct listing *listing = context;
	const char *how = row->how < REMOVAL_COUNT ? HOWS[row->how] : "";
	char time[TIME_TEXT], text[4096 + TIME_TEXT];

	snprintf(text, sizeof(text), "%s %s%s%.4000s", row->until_us ? "before" : "from",
	         time_print(row->until_us ? row->until_us : row->since_us, time),
	         *row->place ? ", in " : "", row->place);
	return put(listing, how, text, (int64_t)row->flows, 0, err);
}

static int say_head(struct flowdb *db, const char *dir, struct listing *listing,
                    struct err *err)
{
	char size[DB_SIZE_TEXT], room[DB_SIZE_TEXT], log[DB_SIZE_TEXT], first[TIME_TEXT],
		last[TIME_TEXT], path[4096];
	struct extent extent;
	struct span span;
	struct stat st;
	int r = flowdb_extent(db, &extent, err);

	if (r >= 0)
		r = flowdb_span(db, &span, err);
	if (r < 0)
		return r;
	listing->flows = span.flows;
	snprintf(path, sizeof(path), "%s/flows.db-wal", dir);
	out_say(listing->out, "%s/flows.db: %s, of which %s free; log beside it: %s", dir,
	        db_size_print(extent.used + extent.free, size),
	        db_size_print(extent.free, room),
	        stat(path, &st) ? "none" : db_size_print((uint64_t)st.st_size, log));
	if (span.first_us)
		out_say(listing->out, "recorded %s .. %s: %llu run%s, %llu unit%s, %llu finding%s",
		        time_print(span.first_us, first), time_print(span.last_us, last),
		        (unsigned long long)span.runs, plural(span.runs),
		        (unsigned long long)span.units, plural(span.units),
		        (unsigned long long)span.findings, plural(span.findings));
	r = put(listing, "file", "used", (int64_t)span.flows, extent.used, err);
	return r < 0 || !extent.free ? r : put(listing, "file", "free", -1, extent.free, err);
}

int db_stats(struct flowdb *db, const char *dir, enum out_format format,
             const struct upkeep_progress *progress, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	struct listing listing = {0};
	int r = out_new(format, stdout, COLUMNS, ARRAY_LEN(COLUMNS), false, &out, err);

	if (r < 0)
		return r;
	listing.out = out;
	r = say_head(db, dir, &listing, err);
	if (r >= 0)
		r = flowdb_removed(db, put_removed, &listing, err);
	if (r >= 0)
		r = flowdb_stats(db, progress, put_stat, &listing, err);
	if (r >= 0)
		r = out_finish(out, err);
	return r < 0 ? r : flowdb_check(db, err);
}

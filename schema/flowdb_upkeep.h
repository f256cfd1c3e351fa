/*
 * flowdb_upkeep.h - the flow database over the years: what is deleted when it grows old, what moves to
 * an archive, copies, and how it stands. Deleting and moving are done in steps, each a transaction: what a
 * kill -9 leaves behind is whole, and the next call goes on from there.
 */
#ifndef SCHEMA_FLOWDB_UPKEEP_H
#define SCHEMA_FLOWDB_UPKEEP_H

#include "schema/flowdb_query.h"

/* Told now and then while something takes long; `all` 0: how much there is to do is not known. */
struct upkeep_progress {
	void (*told)(void *context, const char *doing, uint64_t done,
	             uint64_t all); /* may be NULL */
	void *context;
};

/* ---- what is not here any more */

enum removal { REMOVAL_RETENTION = 1, REMOVAL_ARCHIVED, REMOVAL_ELSEWHERE, REMOVAL_COUNT };
struct removed_row {
	int64_t since_us, until_us; /* flows that ended in between; 0: that end is open */
	uint64_t flows;
	uint8_t how;       /* enum removal */
	const char *place; /* the folder they are in; "" */
};
/* Oldest first. */
int flowdb_removed(struct flowdb *db,
                   int (*each)(void *context, const struct removed_row *row, struct err *err),
                   void *context, struct err *err) MUST_CHECK;

/* From when to when all flows recorded are still here; 0: that end is open. */
struct whole {
	int64_t since_us, until_us;
};
int flowdb_whole(struct flowdb *db, struct whole *ret, struct err *err) MUST_CHECK;
/* An archive of a database that is asked as well: its runs are that one's. */
bool flowdb_is_copy(const struct flowdb *db);

/* ---- retention: for the one writer, between two transactions */

struct retain_step {
	int64_t cut_us;     /* what ended before goes */
	int64_t spared_run; /* but not what this run wrote; 0: whatever run */
	int64_t after_unit; /* the sweep goes on behind this one; 0: it begins. Written. */
	unsigned flows_max;
	bool leaves;    /* at the end of the sweep also what is looked for in whole tables */
	uint64_t flows; /* deleted; written */
	/* So many rows under this finding are gone; may be NULL; so below. */
	void (*gone)(void *context, int64_t finding, uint64_t rows);
	/* Packets kept for this finding are gone, which is committed. */
	int (*emptied)(void *context, int64_t finding, struct err *err);
	/* A finding that somebody knows by its number stays. */
	bool (*knows)(void *context, int64_t finding);
	void *context;
};
enum { RETAIN_OVER, RETAIN_MORE, RETAIN_HELD }; /* held: somebody reads, and nothing was done */
/*
 * One step of a sweep over all units: deletes at most `flows_max` flows with all that hangs from them, and
 * at its end what else is older and no flow that stays is judged by (flowdb_needed.h): leases, addresses, names,
 * evidence, blind intervals, closed findings without flows. The last flow recorded stays, so that no number is given twice. Returns one of RETAIN_*.
 */
int flowdb_retain(struct flowdb *db, struct retain_step *step, struct err *err) MUST_CHECK;
/* Before this the oldest flows ended, at most `count` (more only within a second), and none after `until_us`; 0: none. */
int flowdb_oldest(struct flowdb *db, uint64_t count, int64_t spared_run, int64_t until_us,
                  int64_t *ret_us, struct err *err) MUST_CHECK;
/* Gives at most so many free pages back to the file system. */
int flowdb_shrink(struct flowdb *db, unsigned pages, struct err *err) MUST_CHECK;

struct extent {
	uint64_t used, free; /* bytes of pages in the file */
	uint64_t page;       /* bytes of one */
};
int flowdb_extent(struct flowdb *db, struct extent *ret, struct err *err) MUST_CHECK;

/* ---- how it stands */

/* A line of the account: how many rows and bytes something has. */
enum stat_part { STAT_TABLE, STAT_INDEX, STAT_DAY, STAT_UNIT };
struct stat_row {
	enum stat_part part;
	const char *name; /* of table, index, unit; the day "2026-11-22", UTC */
	int64_t rows;     /* -1: not counted */
	uint64_t bytes;   /* of tables and indices */
};
/* Tables and indices by size, days, units by flows. */
int flowdb_stats(struct flowdb *db, const struct upkeep_progress *progress,
                 int (*each)(void *context, const struct stat_row *row, struct err *err),
                 void *context, struct err *err) MUST_CHECK;

/* What SQLite and we ourselves hold of it: each thing that is wrong is told, as a sentence. */
int flowdb_verify(struct flowdb *db, const struct upkeep_progress *progress,
                  int (*each)(void *context, const char *wrong, struct err *err), void *context,
                  struct err *err) MUST_CHECK;

/* ---- copies */

/*
 * A consistent copy of what a reader sees, as TO/flows.db. It is made under another name, and appears whole or
 * not at all; the writer goes on meanwhile. -EEXIST with err filled if one is there.
 */
int flowdb_snapshot(struct flowdb *db, const char *to, const struct upkeep_progress *progress,
                    struct err *err) MUST_CHECK;
/*
 * For a writer: drops texts and addresses that nothing refers to (unless an archive has their numbers), and writes the
 * file anew without the room that deleting left. -ENOSPC with err filled, before anything is done, if the disk lacks
 * the room for it.
 */
int flowdb_compact(struct flowdb *db, const struct upkeep_progress *progress,
                   struct err *err) MUST_CHECK;

/* What moved. */
struct archived {
	uint64_t flows,
		again;     /* an earlier call had copied, and not yet deleted, those */
	int64_t until_us;  /* what ended before moved; earlier than asked for: ... */
	int64_t waits_run; /* ... this run was cut off, and may be gone on with; 0: as asked for */
};
/*
 * For a writer: what ended before `until_us` moves to TO/flows.db, which is made if need be, with all that it refers to
 * under the same numbers. Not what began with a run of files that was cut off: whoever reads those again goes on from
 * its rows. -EINVAL with err filled if TO holds something else than an archive of this database.
 */
int flowdb_archive(struct flowdb *db, const char *to, int64_t until_us,
                   const struct upkeep_progress *progress, struct archived *ret,
                   struct err *err) MUST_CHECK;

/* It is said what becomes of this table; else an archive would lose what it holds. */
bool flowdb_archive_knows(const char *table);

#endif

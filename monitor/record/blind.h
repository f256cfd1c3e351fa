/*
 * blind.h - the recorder's ledger of what was not seen: joins intervals that belong together, writes
 * them, and knows which flows they touch. At most BLINDS_MAX intervals are remembered; beyond that the
 * oldest one that is over is forgotten here (the database keeps it), which is counted.
 */
#ifndef MONITOR_RECORD_BLIND_H
#define MONITOR_RECORD_BLIND_H

#include "schema/flowdb_query.h"

#define BLINDS_MAX 4096
#define BLIND_ROWS_MAX 4096 /* flow rows that may yet turn out blind, ... */
#define BLIND_ROWS_US \
	INT64_C(10000000) /* ... those that ended this long before the newest one */
#define BLIND_JOIN_US INT64_C(100000)
#define BLIND_DETAIL_MAX 96 /* with its NUL; what is longer is cut */

struct blinds;

struct blinds *blinds_new(void); /* NULL when out of memory */
void blinds_free(struct blinds *blinds);

/* Told is each interval that begins, and one that went on when it is over; NULL: nobody. `blind` lives as long as the call. */
void blinds_tell(struct blinds *blinds, void (*told)(void *context, const struct blind_row *blind),
                 void *context);

/* For a recorder that takes the place of a dead one: what its run has noted so far. */
int blinds_load(struct blinds *blinds, struct flowdb *db, int64_t run,
                struct err *err) MUST_CHECK;

/*
 * Notes an interval of `run` (0: between two runs; blind->run is not looked at). until_us 0: it goes
 * on, until another one of the same cause, unit and detail ends it. One that touches such an
 * interval, or lies within BLIND_JOIN_US of it, becomes part of it: `count` is what is new and adds
 * up. Flow rows told of that it overlaps are marked blind.
 */
int blinds_note(struct blinds *blinds, struct flowdb *db, int64_t run,
                const struct blind_row *blind, struct err *err) MUST_CHECK;

/* Whether an interval of that cause (BLIND_NONE: any) for that unit overlaps [since, until]. */
bool blinds_meets(const struct blinds *blinds, enum blind_cause cause, int64_t unit,
                  int64_t since_us, int64_t until_us);
/* The same of several causes: mask BIT(enum blind_cause). */
bool blinds_meet_any(const struct blinds *blinds, uint32_t causes, int64_t unit, int64_t since_us,
                     int64_t until_us);

/*
 * A flow row that was written as over and not blind: its id in the database. Only the last
 * BLIND_ROWS_MAX are remembered; an interval that may have touched one given up before its time is counted.
 */
void blinds_row(struct blinds *blinds, int64_t flow, int64_t unit, int64_t since_us,
                int64_t until_us);

/* Intervals and rows that were forgotten while they still could have mattered. */
uint64_t blinds_refused(const struct blinds *blinds);

#endif

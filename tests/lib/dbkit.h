/*
 * dbkit.h - flow databases for tests: a directory of one's own, a run, a unit, flows one line each.
 */
#ifndef TESTS_LIB_DBKIT_H
#define TESTS_LIB_DBKIT_H

#include "schema/flowdb_query.h"

#define DBKIT_DAY INT64_C(1795305600000000) /* 2026-11-22T00:00:00Z */

struct dbkit {
	char dir[64]; /* removed with all it holds by dbkit_close() */
	struct flowdb *db;
	int64_t run, policy, unit;
};

/* Opens for writing with a transaction begun, a run of a file, a policy and the unit "boardroom". */
void dbkit_open(struct dbkit *kit);
/* Commits and closes, so that readers may come; the directory stays. */
void dbkit_done(struct dbkit *kit);
void dbkit_close(struct dbkit *kit);

struct addr dbkit_addr(const char *text);
struct mac dbkit_mac(const char *text);

int64_t dbkit_unit(struct dbkit *kit, const char *name);

/* Facts of a TCP flow out from 10.20.0.15:50000 to `peer`:`port`, begun `second` into the day, 10 s long. */
struct flow_facts dbkit_facts(int second, const char *peer, uint16_t port);
/* Writes it: `row` documented exactly where not NULL, else outside near online.out.audio. */
int64_t dbkit_flow(struct dbkit *kit, const struct flow_facts *facts, const char *row,
                   int64_t finding);
/* A finding of the kind at the unit; F-number. */
int64_t dbkit_finding(struct dbkit *kit, int64_t unit, enum kind kind, enum severity severity,
                      const char *remote, uint64_t flows);

/* The lines that the statements of `text` give, asked of DIR/flows.db as any program could: "a|b\n"; the caller frees them. */
char *dbkit_ask(const char *dir, const char *text);
/* Runs SQL on it; makes it if need be. */
void dbkit_sql(const char *dir, const char *text);

#endif

/*
 * db_stats.h - where the bytes of a flow database are.
 */
#ifndef MONITOR_COMMANDS_DB_STATS_H
#define MONITOR_COMMANDS_DB_STATS_H

#include "monitor/commands/options.h"
#include "monitor/commands/out.h"
#include "schema/flowdb_upkeep.h"

int db_stats(struct flowdb *db, const char *dir, enum out_format format,
             const struct upkeep_progress *progress, struct err *err) MUST_CHECK;

/* For writing, but never made: -ENOENT with err filled if there is none. */
int db_open_to_write(const char *dir, struct flowdb **ret_db, struct err *err) MUST_CHECK;

/* "1.2 GB", "340 KB", "12 bytes". Returns `buf`. */
#define DB_SIZE_TEXT 24
const char *db_size_print(uint64_t bytes, char buf[DB_SIZE_TEXT]);

#endif

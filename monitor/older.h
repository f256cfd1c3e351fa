/*
 * older.h - whoever writes to a database of an older version makes it one of this version, and says so.
 */
#ifndef MONITOR_OLDER_H
#define MONITOR_OLDER_H

#include "schema/flowdb.h"

/* One line on stderr, if opening did it: an older program beside this one cannot read it any more. */
void older_tell(const struct flowdb *db, const char *dir);

#endif

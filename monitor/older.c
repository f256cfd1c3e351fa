/*
 * older.c - see older.h.
 */
#include "monitor/older.h"
#include "monitor/log.h"

void older_tell(const struct flowdb *db, const char *dir)
{
	if (flowdb_was_version(db))
		log_note("%s/flows.db: was version %d, written by an older tlmon, and is version %d now; "
		         "that one cannot read it any more",
		         dir, flowdb_was_version(db), flowdb_version());
}

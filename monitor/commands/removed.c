/*
 * removed.c - see removed.h.
 */
#include "monitor/commands/removed.h"
#include "schema/time.h"

struct telling {
	int64_t since_us, until_us;
	char *buf;
};

static int tell(void *context, const struct removed_row *row, struct err *err)
{
	const struct telling *telling = context;
	char time[TIME_TEXT];

	(void)err;
	if ((row->until_us && telling->since_us >= row->until_us) ||
	    (row->since_us && telling->until_us && telling->until_us <= row->since_us))
		return 0;
	text_add(telling->buf, REMOVED_TEXT, "; what ended %s %.19sZ ",
	         row->until_us ? "before" : "from",
	         time_print(row->until_us ? row->until_us : row->since_us, time));
	if (row->how == REMOVAL_RETENTION)
		text_add(telling->buf, REMOVED_TEXT, "was deleted by retention");
	else
		text_add(telling->buf, REMOVED_TEXT, "%s another database: -l %.300s",
		         row->how == REMOVAL_ARCHIVED ? "was moved to" : "on is in",
		         row->place);
	return 0;
}

int removed_print(struct flowdb *db, int64_t since_us, int64_t until_us, char buf[REMOVED_TEXT],
                  struct err *err)
{
	struct telling telling = {since_us, until_us, buf};

	*buf = '\0';
	return flowdb_removed(db, tell, &telling, err);
}

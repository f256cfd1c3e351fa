/*
 * eve.h - a change of a finding as one line of an EVE file: JSON with the field names of Suricata's
 * eve.json (docs.suricata.io, "EVE JSON Format"), so that what reads those files reads ours. What
 * Suricata has no name for stands in one object, `teamline`. What is not known is left out.
 */
#ifndef MONITOR_EXPORT_EVE_H
#define MONITOR_EXPORT_EVE_H

#include "schema/flowdb_query.h"

/*
 * alert.signature_id is this and the number of the finding's kind (schema/finding_kinds.h, from 1 on).
 * It lies in the range that rule writers leave to each site, 1000000 to 1999999.
 */
#define EVE_SIGNATURES 1710000

/*
 * Appends the line with its newline to `file`. `flow`: the first of the finding that is kept; NULL:
 * there is none.
 */
void eve_put(FILE *file, const struct change_view *change, const struct flow_view *flow);

/* What the line of this change ends with, and no other line does. Returns `buf`. */
#define EVE_TAIL_TEXT 80
const char *eve_tail(int64_t run, int64_t change, char buf[EVE_TAIL_TEXT]);

#endif

/*
 * evidence_lack.c - see evidence_lack.h.
 */
#include "monitor/commands/evidence_lack.h"
#include "monitor/commands/removed.h"
#include "schema/time.h"

#include <stdarg.h>

#define DAY_US (86400 * SECOND_US)

static void add(char buf[LACK_TEXT], const char *fmt, ...) PRINTF(2, 3);

static void add(char buf[LACK_TEXT], const char *fmt, ...)
{
	char text[LACK_TEXT];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	text_add(buf, LACK_TEXT, "%s%s", *buf ? "; " : "", text);
}

int evidence_lack_print(struct flowdb *db, int64_t since_us, int64_t until_us,
                        char buf[LACK_TEXT], struct err *err)
{
	struct evidence_lack lack;
	char day[TIME_TEXT], removed[REMOVED_TEXT];
	int r = flowdb_evidence_lack(db, since_us, until_us, &lack, err);

	if (r >= 0)
		r = removed_print(db, since_us, until_us, removed, err);
	if (r < 0)
		return r;
	*buf = '\0';
	if (*removed)
		add(buf, "%s", removed + strlen("; "));
	if (lack.runs && lack.off == lack.runs)
		add(buf, "the site file said 'evidence: off'");
	else if (lack.off)
		add(buf, "in %llu of %llu runs the site file said 'evidence: off'",
		    (unsigned long long)lack.off, (unsigned long long)lack.runs);
	if (lack.unable)
		add(buf,
		    "it was recorded by an older version, which kept no packets of findings");
	if (lack.refused)
		add(buf, "the budget of %.10s was used up",
		    time_print(lack.refused_day * DAY_US, day));
	if (lack.shed)
		add(buf, "%llu packets were shed under load", (unsigned long long)lack.shed);
	if (lack.lost)
		add(buf, "%llu packets had waited too long for a finding and were given up",
		    (unsigned long long)lack.lost);
	if (lack.rejudged)
		add(buf, "flows were judged again since ('tlmon rejudge'): packets of what is under "
		         "another finding now went there, and of what was under none when it was "
		         "recorded none were kept");
	if (!*buf)
		add(buf, "their first packets had come before anybody kept them: a process was "
		         "replaced, or the flow goes on from an earlier time");
	return 0;
}

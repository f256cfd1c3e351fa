/*
 * report_parts.h - what the forms of a report share: words for what an acceptance says by number, and the order
 * in which things are told. For reports.c and the report_*.c files alone.
 */
#ifndef MONITOR_ACCEPTANCE_REPORT_PARTS_H
#define MONITOR_ACCEPTANCE_REPORT_PARTS_H

#include "monitor/acceptance/reports.h"
#include "monitor/commands/paper.h"
#include "schema/time.h"

#define NAMED_UNITS 4 /* up to so many stand side by side in words, ... */
#define DRAWN_UNITS \
	40 /* ... up to so many as signs; of more it is counted how many stand how */

/* "2026-03-02T08:00:01Z"; "?" where nothing is known. Returns `buf`. */
const char *moment_print(int64_t us, char buf[TIME_TEXT]);
/* The same without what all moments of the window share: "08:00:01". */
const char *clock_print(const struct acceptance *acceptance, int64_t us, char buf[TIME_TEXT]);

/* Visible, and of at most `len` characters (NAME_CUT / 4 at most), the last one a mark where it was longer. */
#define NAME_CUT 132
const char *name_cut(const char *name, size_t len, char buf[NAME_CUT]);

const char *result_words(enum acceptance_result result); /* "not accepted" */
enum tone result_tone(uint8_t result);
/*
 * What limits all that is said, where a filter was set: "only what 'udp' lets through was judged"; "": all was.
 * Long words of a filter are cut: the facts have them whole. Returns `buf`.
 */
#define FILTER_TEXT 320
const char *filter_words(const struct acceptance *acceptance, char buf[FILTER_TEXT]);
/* The same beside a result: " (filtered)", " (partly filtered)"; "" */
const char *filter_mark(const struct acceptance *acceptance);
/* The whole in a sentence without a full stop, with what limits it: "2 open findings of severity high, and 3 reasons more". */
void answer_print(const struct acceptance *acceptance, char *buf, size_t size);
/* Whether the reason counts at the level that was asked for. */
bool reason_holds(const struct acceptance *acceptance, const struct acceptance_reason *reason);

/* Whether the row is of any unit. */
bool row_is_asked(const struct acceptance *acceptance, size_t row);
/* How many of the units it applies to stand how. */
void row_counts(const struct acceptance *acceptance, size_t row,
                uint64_t counts[CELL_STATE_COUNT]);
const char *need_words(const struct row *row); /* "if used", "required (site)" */

/* "ok exact, 2 outside", "BLOCKED by 10.20.1.1". Returns `buf`. */
#define CELL_TEXT 256
const char *cell_words(const struct acceptance_unit *unit, const struct cell *cell,
                       char buf[CELL_TEXT]);
/* The state alone, as short as it can be said: "ok exact", "blocked", "not seen". */
const char *cell_word(const struct cell *cell);
enum tone cell_tone(const struct cell *cell, const struct row *row);
/* Why a cell is undetermined: "unanswered, encrypted". Returns `buf`. */
const char *whys_print(const struct cell *cell, char buf[CELL_TEXT]);
/* "tcp out to 203.0.113.21:443: no answer, 1 flow". Returns `buf`. */
const char *block_print(const struct cell_block *block, char buf[CELL_TEXT]);
const char *block_word(uint8_t kind); /* "silent" "prohibited" "refused"; NULL */

/* Of its role, or whoever it was; "" */
const char *finding_peer(const struct finding_row *finding);
/* "tcp 443, tls"; returns `buf`. */
const char *finding_port(const struct finding_row *finding, char buf[CELL_TEXT]);
const char *severity_words(uint8_t severity); /* "info" for what is below low */

/* "one that works shows all", "one is enough, for audio" */
const char *group_words(const struct row_group *group, char buf[CELL_TEXT]);
/* The ids of its rows, ", " between. Returns `buf`. */
const char *group_rows(const struct policy *policy, const struct row_group *group, char *buf,
                       size_t size);

/* What a waiver excuses: "units huddle; peer 10.0.0.9; udp; remote ports 123". Returns `buf`. */
const char *waiver_scope(const struct policy *policy, const struct waiver *waiver, char *buf,
                         size_t size);
bool waiver_is_over(const struct acceptance *acceptance, const struct waiver *waiver);
/* The finding is excused by it. */
bool waiver_excuses(const struct acceptance *acceptance, const struct waiver *waiver,
                    const struct acceptance_finding *finding);

/* "closed by netops: it is our own probe"; the judge's own sentence where it did. Returns `buf`. */
#define CLOSED_TEXT 1024
const char *closed_words(const struct acceptance_closed *closed, char buf[CLOSED_TEXT]);

/* Kept packets of a finding, in the order of their times. */
struct report_packet {
	int64_t time_us, flow; /* flow 0: none is recorded */
	const char *direction, *text;
	const uint8_t *bytes;
	size_t len;
	uint32_t wire_len;
};
int finding_packets(const struct acceptance *acceptance, int64_t finding,
                    int (*each)(void *context, const struct report_packet *packet,
                                struct err *err),
                    void *context, struct err *err) MUST_CHECK;
/* Sixteen bytes a line: offset, hex, and what of it is ASCII. NULL: no memory; the caller frees it. */
char *hex_dump(const uint8_t *bytes, size_t len) MUST_CHECK;

/* The parts of the paper, in this order. Rows: each unit's state, ... */
void report_put_matrix(const struct acceptance *acceptance, struct paper *paper);
void report_put_groups(const struct acceptance *acceptance, struct paper *paper);
void report_put_timeline(const struct acceptance *acceptance, struct paper *paper);
int report_put_findings(const struct acceptance *acceptance, struct paper *paper,
                        struct err *err) MUST_CHECK;
void report_put_steps(const struct acceptance *acceptance, struct paper *paper);
void report_put_waivers(const struct acceptance *acceptance, struct paper *paper);
/* ... and what the document says of them. */
void report_put_documented(const struct acceptance *acceptance, struct paper *paper);
int report_put_origin(const struct acceptance *acceptance, struct paper *paper,
                      struct err *err) MUST_CHECK;

/* Inline SVG: every row of every unit; the run in time. */
void report_draw_matrix(const struct acceptance *acceptance, FILE *file);
void report_draw_timeline(const struct acceptance *acceptance, FILE *file);

/* The forms. */
int report_paper(const struct acceptance *acceptance, enum paper_form form, FILE *file,
                 struct err *err) MUST_CHECK;
int report_json(const struct acceptance *acceptance, FILE *file, struct err *err) MUST_CHECK;
int report_junit(const struct acceptance *acceptance, FILE *file, struct err *err) MUST_CHECK;

#endif

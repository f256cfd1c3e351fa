/*
 * acceptkit.h - flows as they were judged, put on record, and the acceptance that follows.
 */
#ifndef TESTS_LIB_ACCEPTKIT_H
#define TESTS_LIB_ACCEPTKIT_H

#include "monitor/acceptance/acceptance.h"
#include "tests/lib/dbkit.h"

#define ACCEPTKIT_S INT64_C(1000000)
#define AT(second) (DBKIT_DAY + (second)*ACCEPTKIT_S)

struct acceptkit {
	struct dbkit kit;
	struct policy *policy;
	struct acceptance *acceptance;
	struct err err;
};

/* A site of one unit of one profile, "boardroom", and a finished run of a file; or another site. */
int acceptkit_setup(void **state);
int acceptkit_teardown(void **state);
void acceptkit_load(struct acceptkit *bench, const char *site);

/* A flow as it was judged, begun at that second and 10 s long. */
struct judged {
	int second;
	const char *rows[ROWS_MAX]; /* NULL: none */
	enum ruling ruling;
	enum grade grade;
	enum kind kind;
	enum why why;
	uint8_t transport, outcome, told, media;
	const char *peer, *sender;
	uint16_t port;
	int64_t finding;
	bool one_way, heard; /* packets of the unit alone; of its peer alone */
};

int64_t acceptkit_put(struct acceptkit *bench, struct judged judged);
#define PUT(...) acceptkit_put(bench, (struct judged){__VA_ARGS__})
/* All that the profile requires, from that second on. */
void acceptkit_do_all(struct acceptkit *bench, int second);

/* Judges what is on record, in place of what was asked before. */
int acceptkit_ask(struct acceptkit *bench, struct acceptance_options options);
#define ASK(...) acceptkit_ask(bench, (struct acceptance_options){__VA_ARGS__})
/* Of what was asked last: the result, and words of some reason (NULL: any); a row of a unit. */
void acceptkit_is(struct acceptkit *bench, enum acceptance_result result, const char *reason);
const struct cell *acceptkit_cell(const struct acceptkit *bench, const char *unit,
                                  const char *row);

#endif

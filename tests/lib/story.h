/*
 * story.h - what becomes of packets on the way through sensor, inspector and recorder: a wire is told,
 * and every flow of a unit must stand in the database as one line says.
 *
 * A line: TRANSPORT DIRECTION(INITIATOR) APPLICATION[?] OUTCOME: RULING [GRADE] [KIND SEVERITY] ROWS, as in
 *   tcp out(syn) tls answered: documented exact room.out.maestro
 *   udp out(port) ntp? answered: outside remote-port low room.out.dns
 * `?`: nDPI thinks so. Rows that tie have "+" between them; outside it is the nearest row. why= and reason=
 * follow where there are any, `midstream`, `warmup`, `solicited` too. Flows are parted by " | ".
 */
#ifndef TESTS_LIB_STORY_H
#define TESTS_LIB_STORY_H

#include "tests/lib/run.h"
#include "tests/lib/talk.h"

struct story {
	const char *what;
	void (*tell)(struct wire *w);
	const char *expected;
};

/* Each in a run of its own, under the site file's text. How many came out otherwise; they are printed. */
unsigned stories_wrong(const char *site, const struct story *stories, size_t count);
/* All flows in that run's database, as above. Returns `buf`. */
const char *story_print(struct run *run, char *buf, size_t size);

#define assert_stories(site, stories) \
	assert_int_equal(stories_wrong(site, stories, ARRAY_LEN(stories)), 0)

#endif

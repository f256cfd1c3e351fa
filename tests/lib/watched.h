/*
 * watched.h - what the sensor and, behind it, nDPI make of a wire: the last word about each flow.
 */
#ifndef TESTS_LIB_WATCHED_H
#define TESTS_LIB_WATCHED_H

#include "schema/facts.h"
#include "tests/lib/wire.h"

#define WATCHED_MAX 64

struct watched_flow {
	struct flow_facts facts;
	enum app opinion;        /* nDPI's last one of it; APP_NONE */
	struct flow_facts first; /* as it settled */
	unsigned settled, updates, ends;
};
struct watched {
	struct watched_flow flow[WATCHED_MAX]; /* in the order they were first told of */
	unsigned count;
	unsigned handed; /* packets given to nDPI */
};

struct watched *watched_of(const struct wire *w);
void watched_freep(struct watched **watched);
/* What is said of a flow: a dissector's certain word, else nDPI's (design.md 3). */
enum app watched_app(const struct watched_flow *flow);

#endif

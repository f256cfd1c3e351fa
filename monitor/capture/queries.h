/*
 * queries.h - questions put to a group and the answers that come from somewhere else: two flows that
 * belong together (LLMNR, RFC 4795 2.5: the query goes to 224.0.0.252 or ff02::1:3, the answer comes
 * unicast from whoever has one). Joined by who asked, its port and the transaction id. Fixed in size:
 * in each set the oldest one gives way.
 */
#ifndef MONITOR_CAPTURE_QUERIES_H
#define MONITOR_CAPTURE_QUERIES_H

#include "schema/facts.h"

/* An answer is due within a second (RFC 4795 7: LLMNR_TIMEOUT); a slow one counts so long. */
#define QUERIES_LATE_US INT64_C(5000000)
/* A mirror may show the answer first: its directions cross by some milliseconds (domain.md 7.3). */
#define QUERIES_EARLY_US INT64_C(1000000)

struct queries;

/* NULL when out of memory. */
struct queries *queries_new(void);
void queries_free(struct queries *queries);

/* Forgets all: another time begins. */
void queries_clear(struct queries *queries);

/* A query to the group, by its packet. */
void queries_ask(struct queries *queries, const struct packet *packet, uint16_t id);
/* The next answer to it that came before it, each once: the key of its flow; false if there is none. */
bool queries_early(struct queries *queries, const struct packet *query, uint16_t id,
                   struct flow_key *ret_key);
/* An answer, in the flow of that key: whether its query was seen. If not it waits for that one. */
bool queries_answer(struct queries *queries, const struct packet *packet, uint16_t id,
                    const struct flow_key *key);

#endif

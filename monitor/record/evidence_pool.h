/*
 * evidence_pool.h - packets of many flows in a fixed amount of memory, found by flow, given back a flow at a time.
 * Nothing is allocated a packet; without room the flow that came first goes.
 */
#ifndef MONITOR_RECORD_EVIDENCE_POOL_H
#define MONITOR_RECORD_EVIDENCE_POOL_H

#include "schema/event.h"

struct evidence_pool;

/* `bytes` at most, taken as they are needed; at least 16 KiB, more than a flow ever has. NULL when out of memory. */
struct evidence_pool *evidence_pool_new(size_t bytes);
void evidence_pool_free(struct evidence_pool *pool);

struct pooled {
	int64_t time_us;
	uint32_t wire_len;
	uint16_t len;
	uint8_t link, number;
};

/*
 * A packet of a flow, up to SAMPLE_BYTES of it, and SAMPLE_PACKETS of a flow; without memory it is lost. True where more is known of the flow than
 * what lies here: it was marked, or its first packet never came here or is lost.
 */
bool evidence_pool_add(struct evidence_pool *pool, uint64_t flow, const struct pooled *packet,
                       const uint8_t *bytes);
/* Its packets, in the order in which they came; `each` returns 0 to go on, else that is returned. */
int evidence_pool_each(const struct evidence_pool *pool, uint64_t flow,
                       int (*each)(void *context, const struct pooled *packet,
                                   const uint8_t *bytes, struct err *err),
                       void *context, struct err *err) MUST_CHECK;
void evidence_pool_mark(struct evidence_pool *pool, uint64_t flow);
void evidence_pool_drop(struct evidence_pool *pool, uint64_t flow);
/* Packets given up for want of room since the beginning. */
uint64_t evidence_pool_lost(const struct evidence_pool *pool);

#endif

/*
 * seen.h - what decoding and dissecting make of a wire, as if all its packets were of one flow. Each frame
 * is shown in memory of just its size, so that a sanitizer notices a read too far.
 */
#ifndef TESTS_LIB_SEEN_H
#define TESTS_LIB_SEEN_H

#include "dissectors/decode.h"
#include "dissectors/dissect.h"
#include "tests/lib/wire.h"

struct seen {
	struct flow_facts facts; /* end 0 sent the first packet */
	char name[NAME_MAX_LEN + 1];
	struct young young;
	struct learnt learnt; /* of the last payload that taught something */
	unsigned names;       /* learnt in all */
	bool more;            /* dissect_payload() wants to see more */
	unsigned payloads;    /* shown until it wanted no more */
	struct streams *streams;
	uint64_t shed; /* bytes of streams given up (stream.h) */
};

struct seen *seen_of(const struct wire *w);
void seen_freep(struct seen **seen);
/* The same step by step: packets of one flow, then no more. */
struct seen *seen_new(void);
void seen_show(struct seen *seen, const struct packet *packet);
void seen_end(struct seen *seen);

/* One frame of the wire; its bytes are copied to *ret_bytes, which is the caller's to free. */
enum decoded seen_packet(const struct wire *w, size_t index, struct packet *ret,
                         uint8_t **ret_bytes);

#endif

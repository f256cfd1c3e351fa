/*
 * showing.h - one flow, shown to the dissectors payload by payload as the sensor does, each in memory of
 * just its size. After every one what was said is held against event_check(), as the recorder does.
 */
#ifndef TESTS_LIB_SHOWING_H
#define TESTS_LIB_SHOWING_H

#include "dissectors/dissect.h"
#include "dissectors/stream.h"
#include "tests/lib/sample.h"

struct showing {
	struct flow_facts facts;
	char name[NAME_MAX_LEN + 1];
	struct young young;
	struct learnt learnt; /* of the last payload */
	uint16_t port[2];
	uint32_t seq[2]; /* of the next byte in order, of end i */
	bool more;
	struct streams *streams;
	uint64_t shed;
};

struct showing *showing_new(void);
void showing_free(struct showing *showing);

/* The last flow is over; now one as the sample has it, with what went before it. */
void showing_begin(struct showing *showing, const struct sample *sample);
/* `len` bytes captured of `wire_len`, from end `side`, next in order. Does nothing once enough was seen. */
void showing_payload(struct showing *showing, unsigned side, const uint8_t *data, uint32_t len,
                     uint32_t wire_len);
/* The same out of order: at `seq`, which leaves the next byte in order as it is. */
void showing_segment(struct showing *showing, unsigned side, uint32_t seq, const uint8_t *data,
                     uint32_t len, uint32_t wire_len);
/* No payload will follow. */
void showing_end(struct showing *showing);
/* Whether the application, or for one behind a relay the media, is claimed for certain. */
bool showing_is_certain(const struct showing *showing, enum app app);

#endif

/*
 * media.h - what RTP packets are: audio, video or data, by payload type or by the shape of their
 * source, and the counts that say so (domain.md 2).
 */
#ifndef DISSECTORS_MEDIA_H
#define DISSECTORS_MEDIA_H

#include "dissectors/dissector.h"

/* RTP and RTCP, told from what else shares their 5-tuple (RFC 7983 7) by the first byte: version 2. */
static inline bool media_begins(uint8_t first)
{
	return first >> 6 == 2;
}

/* ... and RTP from RTCP by the second (RFC 5761 4). */
static inline bool rtp_begins(uint8_t first, uint8_t second)
{
	return media_begins(first) && (second < 192 || second > 223);
}

#define RTP_PROOF 3 /* packets of one source in a row, or of one kind, are no chance */

/* What the header of one RTP packet says (RFC 3550 5.1). */
struct rtp_header {
	uint32_t timestamp, ssrc;
	uint16_t seq;
	uint8_t payload_type;
	bool marker;
	uint32_t
		payload_len; /* behind the header, on the wire; padding and the tag of SRTP too */
};

/* The packet follows the last one of its source; `run` is how many did so in a row. */
enum source_step { SOURCE_FOLLOWS, SOURCE_LATE, SOURCE_COPY, SOURCE_BEGINS };
struct rtp_source *media_source(const struct look *look, const struct rtp_header *header,
                                enum source_step *ret_step);

/*
 * Counts one packet of a source that is proven, and those before it that could not be counted yet:
 * writes media, by_shape, payload_types and media_packets.
 */
void media_count(const struct look *look, struct rtp_source *source,
                 const struct rtp_header *header);

/* Counts a packet of a flow that has told what it carries: what that is does not change by it. */
void media_tally(struct flow_facts *facts, uint8_t payload_type);

/* Whether the packets seen since the flow became young tell what it carries, as far as they can. */
bool media_is_told(const struct flow_facts *facts, const struct young *young);

/*
 * Whether a datagram may be RTP of a kind that a settled flow is not yet known to carry: what is
 * wrapped in TURN is looked into. Cheap: it is asked of every packet.
 */
bool media_may_be_new(const struct flow_facts *facts, const struct packet *packet);

#endif

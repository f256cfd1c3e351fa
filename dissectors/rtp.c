/*
 * rtp.c - RTP and SRTP, whose header is in clear (RFC 3550 5.1, RFC 3711 3.1).
 *   | V 2, P, X, CC 4 | M, payload type 7 | sequence 2 | timestamp 4 | SSRC 4 | CSRC 4 * CC |
 *   | X: profile 2, length 2 in words, extension | payload |
 * One packet proves nothing: three of one source in a row do, or one where ICE or TURN opened the way.
 */
#include "dissectors/cursor.h"
#include "dissectors/list.h"
#include "dissectors/media.h"

/*
 * 0-34 are assigned, 96-127 agreed on, and 35-63 too where those do not suffice (RFC 3551 3); the
 * others would be RTCP with the marker set (RFC 5761 4).
 */
static bool payload_type_fits(uint8_t payload_type, bool context)
{
	return payload_type < 35 || payload_type > 95 || (context && payload_type < 64);
}

/* Whether the packet has such a header, as long as it says. */
static bool header_read(const struct look *look, bool context, struct rtp_header *ret)
{
	struct cursor c = cursor_over(look->data, look->len);
	uint8_t first = cursor_u8(&c), second = cursor_u8(&c);
	uint32_t need = 12 + (first & 15u) * 4;

	ret->marker = second & 0x80;
	ret->payload_type = second & 0x7f;
	ret->seq = cursor_be16(&c);
	ret->timestamp = cursor_be32(&c);
	ret->ssrc = cursor_be32(&c);
	if (c.short_read || !rtp_begins(first, second) ||
	    !payload_type_fits(ret->payload_type, context))
		return false;
	cursor_skip(&c, (first & 15u) * 4);
	if (first & 0x10) {
		cursor_skip(&c, 2);
		need += 4 + cursor_be16(&c) * 4u;
	}
	if (need > look->wire_len)
		return false;
	ret->payload_len = look->wire_len - need;
	/* A counter in an empty header is no media yet. */
	return context || ret->payload_len || ret->timestamp || ret->ssrc;
}

static enum answer rtp_look(struct look *look)
{
	bool context = look->relayed || look_expects_media(look);
	struct rtp_header header;
	struct rtp_source *source;
	enum source_step step;

	if (!header_read(look, context, &header))
		return ANSWER_NO;
	source = media_source(look, &header, &step);
	if (!context && source->run < RTP_PROOF)
		return ANSWER_MAYBE;
	if (step == SOURCE_COPY)
		return ANSWER_YES;
	if (!look->relayed)
		look_found(look, APP_RTP);
	media_count(look, source, &header);
	return ANSWER_YES;
}

const struct dissector dissector_rtp = {
	.name = "rtp", .app = APP_RTP, .udp = true, .media = true, .look = rtp_look};

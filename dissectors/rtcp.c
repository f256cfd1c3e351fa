/*
 * rtcp.c - RTCP and SRTCP (RFC 3550 6.4, RFC 3711 3.4).
 *   | V 2, P, count 5 | type 1 | length 2, in words less one | SSRC 4 | ...
 * Of SRTCP only these 8 bytes are clear, and 14 bytes of index and tag follow, 15 with a key id.
 */
#include "dissectors/cursor.h"
#include "dissectors/list.h"
#include "dissectors/media.h"

enum { TYPE_SR = 200, TYPE_RR = 201, TYPE_LAST = 207 };
#define RTCP_PROOF 3 /* packets that only begin like RTCP */

/* Whether compound lengths add up to the datagram. */
static bool is_compound(const struct look *look)
{
	struct cursor c = cursor_over(look->data, look->len);

	while (c.left) {
		uint8_t first = cursor_u8(&c), type = cursor_u8(&c);
		uint16_t words = cursor_be16(&c);

		if (!media_begins(first) || type < TYPE_SR || type > TYPE_LAST)
			return false;
		cursor_skip(&c, words * 4u);
	}
	return !c.short_read && look->len == look->wire_len;
}

static enum answer rtcp_look(struct look *look)
{
	struct cursor c = cursor_over(look->data, look->len);
	uint8_t first = cursor_u8(&c), type = cursor_u8(&c);
	uint32_t len = cursor_be16(&c) * 4u + 4;
	unsigned blocks = first & 31;
	bool report = type == TYPE_SR || type == TYPE_RR;
	bool context = look->relayed || look_expects_media(look);

	cursor_skip(&c, 4);
	if (c.short_read || !media_begins(first) || type < TYPE_SR || type > TYPE_LAST || len < 8 ||
	    len > look->wire_len)
		return ANSWER_NO;
	if (report && len < (type == TYPE_SR ? 28u : 8u) + 24u * blocks)
		return ANSWER_NO;
	if (!context && !(report && (is_compound(look) || len + 14 == look->wire_len ||
	                             len + 15 == look->wire_len))) {
		if (!report || ++look->young->rtcp_run < RTCP_PROOF)
			return ANSWER_MAYBE;
		look->young->rtcp_run = RTCP_PROOF;
	}
	if (!look->relayed)
		look_found(look, APP_RTCP);
	return ANSWER_YES;
}

const struct dissector dissector_rtcp = {
	.name = "rtcp", .app = APP_RTCP, .udp = true, .media = true, .look = rtcp_look};

/*
 * dtls.c - a DTLS record (RFC 6347 4.1), which shares a 5-tuple with media (RFC 7983 7).
 *   | type 1: 20-26 | version 2: fe ff, fe fd, of old OpenSSL 01 00 | epoch 2 | sequence 6 | length 2 | ... |
 */
#include "dissectors/cursor.h"
#include "dissectors/list.h"

/*
 * Of 1.3 only the unencrypted records look like this (RFC 9147 4); its others carry no version, but begin
 * with the bits 001 and mean something only where DTLS was seen.
 */
enum { TYPE_FIRST = 20, TYPE_LAST = 26 };

static enum answer dtls_look(struct look *look)
{
	struct cursor c = cursor_over(look->data, look->len);
	uint8_t type = cursor_u8(&c);
	uint16_t version = cursor_be16(&c), len;

	cursor_skip(&c, 8);
	len = cursor_be16(&c);
	if (type >> 5 == 1 && look->facts->app == APP_DTLS)
		return ANSWER_YES;
	if (c.short_read || type < TYPE_FIRST || type > TYPE_LAST ||
	    (version != 0xfeff && version != 0xfefd && version != 0x0100) || !len ||
	    (len + 13u > look->wire_len && !look->packet->fragment))
		return ANSWER_NO;
	if (!look->relayed)
		look_found(look, APP_DTLS);
	return ANSWER_YES;
}

const struct dissector dissector_dtls = {
	.name = "dtls", .app = APP_DTLS, .udp = true, .media = true, .look = dtls_look};

/*
 * kerberos.c - Kerberos 5 (RFC 4120 5.4, 7.2): one DER message, over TCP behind a 4-byte length.
 *   | 6a-6f, 7e | length | 30 | length | [a1 or a0] 03 02 01 05 | [a2 or a1] 03 02 01 type | ...
 * Both lengths must end with the message.
 */
#include "dissectors/cursor.h"
#include "dissectors/frames.h"

#define MESSAGE_MAX (1u << 20)

static const struct {
	uint8_t tag, first, type;
	bool request;
} MESSAGES[] = {
	{0x6a, 0xa1, 10, true},  /* AS-REQ */
	{0x6b, 0xa0, 11, false}, /* AS-REP */
	{0x6c, 0xa1, 12, true},  /* TGS-REQ */
	{0x6d, 0xa0, 13, false}, /* TGS-REP */
	{0x6e, 0xa0, 14, true},  /* AP-REQ */
	{0x6f, 0xa0, 15, false}, /* AP-REP */
	{0x7e, 0xa0, 30, false}, /* KRB-ERROR */
};

/* A DER length (X.690 8.1.3) in its short form, or with up to four bytes. */
static uint32_t der_len(struct cursor *c)
{
	uint8_t first = cursor_u8(c);
	uint32_t len = 0;

	if (first < 0x80)
		return first;
	if (first == 0x80 || first > 0x84)
		return UINT32_MAX;
	for (unsigned i = 0; i < (first & 0x7fu); i++)
		len = len << 8 | cursor_u8(c);
	return len;
}

/* `len` bytes of a message of `wire_len`. */
static enum answer message(struct look *look, const uint8_t *data, uint32_t len,
                           uint32_t wire_len)
{
	struct cursor c = cursor_over(data, len);
	uint8_t tag = cursor_u8(&c);
	unsigned m;

	for (m = 0; m < ARRAY_LEN(MESSAGES); m++)
		if (MESSAGES[m].tag == tag)
			break;
	if (m == ARRAY_LEN(MESSAGES))
		return ANSWER_NO;
	if (der_len(&c) != wire_len - (len - c.left) || cursor_u8(&c) != 0x30 ||
	    der_len(&c) != wire_len - (len - c.left))
		return c.short_read && len < wire_len ? ANSWER_MAYBE : ANSWER_NO;
	if (cursor_u8(&c) != MESSAGES[m].first || cursor_be32(&c) != 0x03020105 ||
	    cursor_u8(&c) != MESSAGES[m].first + 1 || cursor_be24(&c) != 0x030201 ||
	    cursor_u8(&c) != MESSAGES[m].type)
		return c.short_read && len < wire_len ? ANSWER_MAYBE : ANSWER_NO;
	look_found(look, APP_KERBEROS);
	look_opened_by(look, MESSAGES[m].request ? look->side : !look->side);
	if (MESSAGES[m].request)
		look_asked(look, ASKED_KERBEROS);
	return ANSWER_YES;
}

/* | length 4, top bit 0 | message | length 4 | ...; of each message its head is enough. */
static enum answer stream(struct look *look)
{
	enum answer answer = ANSWER_NO;
	uint32_t pos = frames_pos(look, FRAMING_KERBEROS);

	while (pos < look->len) {
		struct cursor c = cursor_over(look->data + pos, look->len - pos);
		uint32_t len = cursor_be32(&c);
		enum answer this = ANSWER_MAYBE;

		if (look->data[pos] || (!c.short_read && (len < 20 || len > MESSAGE_MAX)))
			this = ANSWER_NO;
		else if (c.left)
			this = message(look, c.at, len < c.left ? len : c.left, len);
		if (this != ANSWER_YES) {
			look->keep = this == ANSWER_MAYBE;
			look->keep_from = pos;
			look->young->walk[FRAMING_KERBEROS].known[look->side] = false;
			return this > answer ? this : answer;
		}
		answer = ANSWER_YES;
		pos += 4 + len;
		frames_next(look, FRAMING_KERBEROS, pos);
	}
	return answer == ANSWER_NO ? ANSWER_MAYBE : answer;
}

static enum answer kerberos_look(struct look *look)
{
	if (look->packet->transport == TRANSPORT_TCP)
		return stream(look);
	return message(look, look->data, look->len, look->wire_len);
}

const struct dissector dissector_kerberos = {.name = "kerberos",
                                             .app = APP_KERBEROS,
                                             .tcp = true,
                                             .udp = true,
                                             .begins = BIT(APP_KERBEROS),
                                             .look = kerberos_look};

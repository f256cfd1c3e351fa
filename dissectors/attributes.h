/*
 * attributes.h - STUN's header and attributes, which MS-TURN shares (RFC 5389 6, 15; [MS-TURN] 2.2.2).
 *
 *   | type 2, top bits 00 | length 2, without these 20 bytes | cookie 4 | transaction id 12 | attributes |
 *   | type 2 | length 2 | value | padding to 4 |
 */
#ifndef DISSECTORS_ATTRIBUTES_H
#define DISSECTORS_ATTRIBUTES_H

#include "dissectors/cursor.h"

#define STUN_HEADER 20
#define STUN_COOKIE 0x2112a442

struct stun_header {
	uint16_t type, len;
	uint32_t cookie;
	const uint8_t *id; /* twelve bytes; in old messages the last of sixteen */
};

/* The header of a message that takes up the `wire_len` bytes exactly; false if it is none. */
static inline bool stun_read(const uint8_t *data, uint32_t len, uint32_t wire_len,
                             struct stun_header *ret)
{
	struct cursor c = cursor_over(data, len);

	ret->type = cursor_be16(&c);
	ret->len = cursor_be16(&c);
	ret->cookie = cursor_be32(&c);
	ret->id = cursor_take(&c, 12);
	return ret->id && !(ret->type & 0xc000) && ret->len % 4 == 0 &&
	       ret->len + 20u == wire_len;
}

struct attribute {
	uint16_t type, len;
	const uint8_t *value;
};

/* The next one; false at the end, and then c->short_read tells a ragged end from a clean one. */
static inline bool attribute_next(struct cursor *c, struct attribute *ret)
{
	if (!c->left || c->short_read)
		return false;
	ret->type = cursor_be16(c);
	ret->len = cursor_be16(c);
	ret->value = cursor_take(c, ret->len);
	if (c->short_read)
		return false;
	cursor_skip(c, -ret->len & 3u);
	return !c->short_read;
}

#endif

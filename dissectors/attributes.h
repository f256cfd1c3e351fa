/*
 * attributes.h - STUN's header and attributes, which MS-TURN shares (RFC 5389 6, 15; [MS-TURN] 2.2.2).
 *
 *   | type 2, top bits 00 | length 2, without these 20 bytes | cookie 4 | transaction id 12 | attributes |
 *   | type 2 | length 2 | value | padding to 4, but for MS-TURN |
 */
#ifndef DISSECTORS_ATTRIBUTES_H
#define DISSECTORS_ATTRIBUTES_H

#include "dissectors/cursor.h"
#include "schema/addr.h"

#define STUN_HEADER 20
#define STUN_COOKIE 0x2112a442

struct stun_header {
	uint16_t type, len;
	uint32_t cookie;
	const uint8_t *id; /* twelve bytes; in old messages the last of sixteen */
};

/* The header of a message that takes up the `wire_len` bytes exactly; false if it is none. */
static inline bool msturn_read(const uint8_t *data, uint32_t len, uint32_t wire_len,
                             struct stun_header *ret)
{
	struct cursor c = cursor_over(data, len);

	ret->type = cursor_be16(&c);
	ret->len = cursor_be16(&c);
	ret->cookie = cursor_be32(&c);
	ret->id = cursor_take(&c, 12);
	return ret->id && !(ret->type & 0xc000) && ret->len + 20u == wire_len;
}

/* The same of STUN, whose length is one of words (RFC 5389 6). */
static inline bool stun_read(const uint8_t *data, uint32_t len, uint32_t wire_len,
                             struct stun_header *ret)
{
	return msturn_read(data, len, wire_len, ret) && ret->len % 4 == 0;
}

struct attribute {
	uint16_t type, len;
	const uint8_t *value;
};

enum { ALIGN_NONE = 1, ALIGN_STUN = 4 };

/* The next one; false at the end, and then c->short_read tells a ragged end from a clean one. */
static inline bool attribute_next(struct cursor *c, unsigned align, struct attribute *ret)
{
	if (!c->left || c->short_read)
		return false;
	ret->type = cursor_be16(c);
	ret->len = cursor_be16(c);
	ret->value = cursor_take(c, ret->len);
	if (c->short_read)
		return false;
	cursor_skip(c, -(uint32_t)ret->len & (align - 1));
	return !c->short_read;
}

/*
 * Microsoft's clients and relays do not pad the attributes of MS-TURN, others may: not padded is what has an
 * odd length, or leads to the end of the message so.
 */
static inline unsigned msturn_align(const uint8_t *data, uint32_t len)
{
	struct cursor c = cursor_over(data, len);
	struct attribute attribute;

	cursor_skip(&c, 2);
	if (cursor_be16(&c) % 4)
		return ALIGN_NONE;
	cursor_skip(&c, STUN_HEADER - 4);
	while (attribute_next(&c, ALIGN_NONE, &attribute))
		;
	return c.short_read ? ALIGN_STUN : ALIGN_NONE;
}

/*
 * An address and its port: | 0 | family 1: IPv4, 2: IPv6 | port 2 | address |, XORed with `mask`, the cookie and the
 * id (RFC 5766 14.3), or with NULL as it is ([MS-TURN] 2.2.2.10). False if it is none.
 */
static inline bool attribute_address(const struct attribute *attribute, const uint8_t mask[16],
                                     struct addr *ret, uint16_t *ret_port)
{
	uint8_t address[16];
	uint32_t len = attribute->len - 4u;
	const uint8_t *value = attribute->value;

	if (!(attribute->len == 8 && value[1] == 1) && !(attribute->len == 20 && value[1] == 2))
		return false;
	if (value[0])
		return false;
	for (uint32_t i = 0; i < len; i++)
		address[i] = value[4 + i] ^ (mask ? mask[i] : 0);
	*ret = len == 4 ? addr_from_v4(address) : addr_from_v6(address);
	*ret_port = (uint16_t)(value[2] << 8 | value[3]);
	if (mask)
		*ret_port ^= (uint16_t)(mask[0] << 8 | mask[1]);
	return true;
}

/* Whether it begins like STUN with the cookie. */
static inline bool stun_is_marked(const uint8_t *data, uint32_t len)
{
	struct cursor c = cursor_over(data, len);

	cursor_skip(&c, 4);
	return len >= STUN_HEADER && cursor_be32(&c) == STUN_COOKIE;
}

/* Whether it has the mark of MS-TURN: the magic cookie as first attribute ([MS-TURN] 2.2.2.1). */
static inline bool msturn_is_marked(const uint8_t *data, uint32_t len)
{
	static const uint8_t magic[] = {0x00, 0x0f, 0x00, 0x04, 0x72, 0xc6, 0x4b, 0xc6};

	return len >= STUN_HEADER + sizeof(magic) &&
	       !memcmp(data + STUN_HEADER, magic, sizeof(magic));
}

#define ATTRIBUTE_DATA 0x0013 /* RFC 5766 14.4, [MS-TURN] 2.2.2.11 */

/* What TURN carries in an attribute: DATA of an MS-TURN or TURN indication or Send request; else nothing. */
static inline struct cursor turn_data(const uint8_t *data, uint32_t len)
{
	struct cursor c = cursor_over(data, len);
	unsigned align = msturn_align(data, len);
	struct attribute attribute;

	cursor_skip(&c, STUN_HEADER);
	while (attribute_next(&c, align, &attribute))
		if (attribute.type == ATTRIBUTE_DATA)
			return cursor_over(attribute.value, attribute.len);
	return cursor_over(data, 0);
}

#endif

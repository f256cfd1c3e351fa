/*
 * quic.c - see quic.h.
 *   | 1100 .... | version 4 | len 1, id | len 1, id | length 1-8, token | length 1-8 of what follows, ...
 */
#include "dissectors/quic.h"

#include "dissectors/cursor.h"

#define DATAGRAM_MIN 1200 /* RFC 9000 14.1 */
#define ID_MAX 20

/* 1, the drafts that have these fields, Facebook's, and those kept free so that servers refuse them (15). */
static bool is_version(uint32_t version)
{
	return version == 1 || (version >= 0xff000016 && version <= 0xff0000ff) ||
	       version >> 12 == 0xfaceb || (version & 0x0f0f0f0f) == 0x0a0a0a0a;
}

/* The two highest bits say how many bytes it takes (16). */
static uint64_t cursor_number(struct cursor *c)
{
	uint8_t first = cursor_u8(c);
	uint64_t value = first & 0x3f;

	for (unsigned more = (1u << (first >> 6)) - 1; more; more--)
		value = value << 8 | cursor_u8(c);
	return value;
}

static void cursor_skip_id(struct cursor *c)
{
	uint8_t len = cursor_u8(c);

	c->short_read |= len > ID_MAX;
	cursor_skip(c, len);
}

static void cursor_skip_token(struct cursor *c)
{
	uint64_t len = cursor_number(c);

	c->short_read |= len > UINT16_MAX;
	cursor_skip(c, (uint32_t)len);
}

bool quic_is_initial(const uint8_t *payload, uint32_t len)
{
	struct cursor c = cursor_over(payload, len);
	uint64_t rest;

	if (len < DATAGRAM_MIN || (cursor_u8(&c) & 0xf0) != 0xc0 || !is_version(cursor_be32(&c)))
		return false;
	cursor_skip_id(&c);
	cursor_skip_id(&c);
	cursor_skip_token(&c);
	rest = cursor_number(&c);
	return !c.short_read && rest && rest <= c.left;
}

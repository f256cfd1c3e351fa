/*
 * cursor.h - bounds-checked reading of network bytes. Past the end every read yields zero and
 * `short_read` stays set, so a dissector reads all the fields it wants and asks once.
 */
#ifndef DISSECTORS_CURSOR_H
#define DISSECTORS_CURSOR_H

#include "schema/base.h"

struct cursor {
	const uint8_t *at;
	uint32_t left;
	bool short_read;
};

static inline struct cursor cursor_over(const uint8_t *data, uint32_t len)
{
	return (struct cursor){.at = data, .left = len};
}

/* The next `len` bytes, or NULL; the cursor then stands at its end. */
static inline const uint8_t *cursor_take(struct cursor *c, uint32_t len)
{
	const uint8_t *at = c->at;

	if (c->short_read || len > c->left) {
		c->short_read = true;
		c->left = 0;
		return NULL;
	}
	if (len)
		c->at += len;
	c->left -= len;
	return at;
}

static inline void cursor_skip(struct cursor *c, uint32_t len)
{
	(void)cursor_take(c, len);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 1);

	return b ? b[0] : 0;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 2);

	return b ? (uint16_t)(b[0] << 8 | b[1]) : 0;
}

static inline uint32_t cursor_be24(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 3);

	return b ? (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2] : 0;
}

static inline uint32_t cursor_be32(struct cursor *c)
{
	const uint8_t *b = cursor_take(c, 4);

	return b ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3] : 0;
}

/* Copies `len` bytes to `to`; zeroes if they are not there. */
static inline void cursor_copy(struct cursor *c, void *to, uint32_t len)
{
	const uint8_t *b = cursor_take(c, len);

	if (b && len)
		memcpy(to, b, len);
	else
		memset(to, 0, len);
}

#endif

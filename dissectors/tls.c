/*
 * tls.c - TLS: the hellos (RFC 8446 4.1, RFC 5246 7.4.1) with the name asked for (RFC 6066 3) and
 * the version, and whether a client certificate was asked for and given.
 */
#include "dissectors/cursor.h"
#include "dissectors/list.h"
#include "dissectors/tls_walk.h"

/* | type 1 | version 2 | length 2 | handshake type 1 | length 3 | version 2 | random 32 | ... */
#define HELLO_HEAD 11
#define HELLO_BODY 9

static bool version_fits(uint8_t major, uint8_t minor)
{
	return major == 3 && minor <= 4;
}

/* Whether the bytes at hand are those of a hello's head as far as they go. */
static bool begins_hello(const uint8_t *b, uint32_t len)
{
	return (len < 1 || b[0] == 22) && (len < 2 || b[1] == 3) && (len < 3 || b[2] <= 4) &&
	       (len < 5 || (b[3] << 8 | b[4]) >= 4) && (len < 6 || b[5] == 1 || b[5] == 2) &&
	       (len < 7 || b[6] == 0) && (len < 10 || b[9] == 3) && (len < 11 || b[10] <= 4);
}

/* GREASE values (RFC 8701) and drafts are no versions. */
static uint8_t version_known(uint16_t version)
{
	return version >= 0x0300 && version <= 0x0304 ? (uint8_t)version : 0;
}

/* | list length 2 | type 1: 0 host name | length 2 | name | (RFC 6066 3) */
static void server_name(struct look *look, struct cursor c)
{
	cursor_skip(&c, 2);
	while (!c.short_read && c.left) {
		uint8_t type = cursor_u8(&c);
		uint16_t len = cursor_be16(&c);
		const uint8_t *name = cursor_take(&c, len);

		if (name && !type) {
			look_name(look, NAME_SNI, name, len);
			return;
		}
	}
}

/* The client lists what it offers, the server names what it took (RFC 8446 4.2.1). */
static void supported_versions(struct look *look, struct cursor c, bool client)
{
	uint8_t best = 0;

	if (client)
		cursor_skip(&c, 1);
	while (!c.short_read && c.left) {
		uint8_t version = version_known(cursor_be16(&c));

		if (version > best)
			best = version;
	}
	if (best && !(client && look->young->tls_server_hello))
		look->facts->tls_version = best;
}

enum { EXTENSION_SERVER_NAME = 0, EXTENSION_VERSIONS = 43 };

static bool extension_matters(uint16_t type)
{
	return type == EXTENSION_SERVER_NAME || type == EXTENSION_VERSIONS;
}

/*
 * Extensions from the cursor on, as far as they are here. Of a ClientHello cut by a segment's end it
 * keeps the extension that was cut, or notes how much of it to pass over: so its length is no limit.
 */
static void client_extensions(struct look *look, struct cursor c)
{
	struct young *young = look->young;

	for (;;) {
		struct cursor head = c;
		uint32_t left = young->hello_left;
		uint32_t skip = young->hello_skip < c.left ? young->hello_skip : c.left;
		uint16_t type, len;

		cursor_skip(&c, skip);
		young->hello_skip = (uint16_t)(young->hello_skip - skip);
		young->hello_left = (uint16_t)(left - skip);
		if (young->hello_skip)
			break;
		if (young->hello_left < 4) {
			young->hello_left = 0;
			return;
		}
		head = c;
		type = cursor_be16(&c);
		len = cursor_be16(&c);
		if (!c.short_read && len + 4u > young->hello_left) {
			young->hello_left = 0;
			return;
		}
		if (c.short_read || (len > c.left && extension_matters(type))) {
			c = head;
			break;
		}
		young->hello_left = (uint16_t)(young->hello_left - 4);
		if (!extension_matters(type)) {
			young->hello_skip = len;
			continue;
		}
		if (type == EXTENSION_SERVER_NAME)
			server_name(look, cursor_over(c.at, len));
		else
			supported_versions(look, cursor_over(c.at, len), true);
		cursor_skip(&c, len);
		young->hello_left = (uint16_t)(young->hello_left - len);
	}
	look->keep = true;
	look->keep_from = look->len - c.left;
}

/* Returns false while its fixed part has not all arrived. */
static bool client_hello(struct look *look)
{
	struct cursor c = cursor_over(look->data, look->len);
	uint32_t body;
	uint16_t version;

	cursor_skip(&c, 6);
	body = cursor_be24(&c);
	version = cursor_be16(&c);
	cursor_skip(&c, 32);
	cursor_skip(&c, cursor_u8(&c));   /* session id */
	cursor_skip(&c, cursor_be16(&c)); /* cipher suites */
	cursor_skip(&c, cursor_u8(&c));   /* compression methods */
	if (!look->facts->tls_version)
		look->facts->tls_version = version_known(version);
	if (c.short_read)
		return false;
	look->young->tls_client_hello = true;
	if (look->len - c.left >= HELLO_BODY + body)
		return true; /* none at all: RFC 5246 7.4.1.2 allows that */
	look->young->hello_left = cursor_be16(&c);
	look->young->hello_skip = 0;
	if (c.short_read)
		return false;
	client_extensions(look, c);
	return true;
}

static void server_hello(struct look *look)
{
	struct cursor c = cursor_over(look->data, look->len);
	uint16_t version, left;

	cursor_skip(&c, 9);
	version = cursor_be16(&c);
	cursor_skip(&c, 32);
	cursor_skip(&c, cursor_u8(&c)); /* session id */
	cursor_skip(&c, 3);             /* cipher suite, compression */
	if (version_known(version))
		look->facts->tls_version = version_known(version);
	look->young->tls_server_hello = true;
	left = cursor_be16(&c);
	while (!c.short_read && left >= 4) {
		uint16_t type = cursor_be16(&c);
		uint16_t len = cursor_be16(&c);
		const uint8_t *data = cursor_take(&c, len);

		if (len + 4 > left)
			return;
		left = (uint16_t)(left - len - 4);
		if (data && type == EXTENSION_VERSIONS)
			supported_versions(look, cursor_over(data, len), false);
	}
}

/*
 * Mid-stream: the record lengths lead from header to header, to the segment's end or beyond it. One
 * record that ends with its segment, or two headers, are no accident.
 */
static bool is_record_chain(const struct look *look)
{
	struct cursor c = cursor_over(look->data, look->len);
	unsigned records = 0;

	while (c.left >= 5) {
		uint8_t type = cursor_u8(&c), major = cursor_u8(&c), minor = cursor_u8(&c);
		uint16_t len = cursor_be16(&c);

		if (type < 20 || type > 23 || !version_fits(major, minor) || minor > 3 ||
		    !len || len > 18432)
			return false;
		records++;
		if (len > c.left)
			return records >= 2;
		cursor_skip(&c, len);
	}
	return records >= 2 || (records && !c.left && look->len == look->wire_len);
}

/* An SSLv2 hello that offers SSL 3 or later (RFC 5246 E.2). */
static bool is_sslv2_hello(const struct look *look)
{
	return look->len >= 5 && look->data[0] & 0x80 && look->data[2] == 1 &&
	       look->data[3] == 3 && look->data[4] <= 3;
}

/*
 * The two hellos of MS-TURN's pseudo-TLS have lengths that no client or server of today's sends. While
 * one of these may still become one of those, it is neither.
 */
static bool may_be_pseudo(const uint8_t *b, uint32_t len)
{
	return (len < 50 && !memcmp(b + 3, "\x00\x2d\x01\x00\x00\x29", 6)) ||
	       (len < 83 && !memcmp(b + 3, "\x00\x4e\x02\x00\x00\x46", 6));
}

static enum answer hello(struct look *look)
{
	if (look->len < HELLO_HEAD || may_be_pseudo(look->data, look->len)) {
		look->keep = look->len == look->wire_len;
		return ANSWER_MAYBE;
	}
	look_found(look, APP_TLS);
	if (look->data[5] == 1) {
		look_opened_by(look, look->side);
		if (!client_hello(look))
			look->keep = true;
	} else {
		look_opened_by(look, !look->side);
		server_hello(look);
	}
	return ANSWER_YES;
}

static enum answer tls_look(struct look *look)
{
	bool ours = look->facts->app == APP_TLS;
	bool begins = false;

	if (look->resumed && look->young->hello_left) {
		client_extensions(look, cursor_over(look->data, look->len));
	} else if (begins_hello(look->data, look->len)) {
		if (hello(look) != ANSWER_YES)
			return ANSWER_MAYBE;
		begins = true;
	} else if (is_sslv2_hello(look) && !ours) {
		return ANSWER_MAYBE;
	} else if (!ours && !look->from_start && is_record_chain(look)) {
		look_found(look, APP_TLS);
	} else if (!ours) {
		return ANSWER_NO;
	}
	tls_walk(look, begins);
	look->done = look->young->tls_over && !look->keep;
	return ANSWER_YES;
}

const struct dissector dissector_tls = {
	.name = "tls", .app = APP_TLS, .tcp = true, .begins = BIT(APP_TLS), .look = tls_look};

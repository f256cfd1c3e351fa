/*
 * tls_hello.c - the hellos of TLS (RFC 8446 4.1, RFC 5246 7.4.1): the name asked for (RFC 6066 3) and
 * the version.
 *   | type 1 | length 3 | version 2 | random 32 | session id | ... | extensions |
 */
#include "dissectors/cursor.h"
#include "dissectors/list.h"
#include "dissectors/tls_walk.h"

enum { EXTENSION_SERVER_NAME = 0, EXTENSION_VERSIONS = 43 };

uint8_t tls_version(uint16_t version)
{
	return version >= 0x0300 && version <= 0x0304 ? (uint8_t)version : 0;
}

/* | list length 2 | type 1: 0 host name | length 2 | name | */
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
static uint8_t supported_versions(struct cursor c, bool client)
{
	uint8_t best = 0;

	if (client)
		cursor_skip(&c, 1);
	while (!c.short_read && c.left) {
		uint8_t version = tls_version(cursor_be16(&c));

		if (version > best)
			best = version;
	}
	return best;
}

void tls_hello(struct look *look, const uint8_t *message, uint32_t len)
{
	struct cursor c = cursor_over(message, len);
	bool client = cursor_u8(&c) == TLS_CLIENT_HELLO;
	uint32_t body = cursor_be24(&c);
	uint8_t version = tls_version(cursor_be16(&c));
	bool whole = len >= 4 + body;
	uint32_t left;

	cursor_skip(&c, 32);
	cursor_skip(&c, cursor_u8(&c));                /* session id */
	cursor_skip(&c, client ? cursor_be16(&c) : 3); /* suites; or one, and compression */
	if (client)
		cursor_skip(&c, cursor_u8(&c)); /* compression methods */
	left = cursor_be16(&c);
	while (!c.short_read && left >= 4) {
		uint16_t type = cursor_be16(&c), size = cursor_be16(&c);
		const uint8_t *data = cursor_take(&c, size);

		if (size + 4u > left || !data)
			break;
		left -= size + 4u;
		if (type == EXTENSION_SERVER_NAME && client)
			server_name(look, cursor_over(data, size));
		if (type == EXTENSION_VERSIONS &&
		    supported_versions(cursor_over(data, size), client))
			version = supported_versions(cursor_over(data, size), client);
	}
	/* What the server took counts for more than what it was offered. */
	if (version && !(client && look->young->tls_server_hello))
		look->facts->tls_version = version;
	if (client)
		look->young->tls_client_hello |= whole;
	else
		look->young->tls_server_hello = true;
}

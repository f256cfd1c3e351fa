/*
 * message_tls.c - TLS for tests: hellos, certificates of no meaning, application data.
 */
#include "tests/lib/message.h"

enum { CCS = 20, HANDSHAKE = 22, DATA = 23 };

static void record_add(struct message *m, unsigned type, const struct message *body)
{
	message_add8(m, type);
	message_add16(m, 0x0303);
	message_add16(m, (unsigned)body->len);
	message_add(m, body->b, body->len);
}

static void handshake_add(struct message *m, unsigned type, const struct message *body)
{
	message_add8(m, type);
	message_add8(m, (unsigned)(body->len >> 16));
	message_add16(m, (unsigned)body->len & 0xffff);
	message_add(m, body->b, body->len);
}

static void extension_add(struct message *m, unsigned type, const struct message *body)
{
	message_add16(m, type);
	message_add16(m, (unsigned)body->len);
	message_add(m, body->b, body->len);
}

struct message message_client_hello(const char *sni, unsigned version)
{
	static const uint16_t suites[] = {0x1301, 0x1302, 0xc02f, 0xc030,
	                                  0xc013, 0x009c, 0x002f};
	struct message hello = {0}, extensions = {0}, body, m = {0};
	size_t first = version >= 0x0304 ? 0 : 2;

	message_add16(&hello, 0x0303);
	message_add_noise(&hello, 32, 1);
	message_add8(&hello, 0);
	message_add16(&hello, (unsigned)(ARRAY_LEN(suites) - first) * 2);
	for (size_t i = first; i < ARRAY_LEN(suites); i++)
		message_add16(&hello, suites[i]);
	message_add16(&hello, 0x0100); /* one compression method, null */
	if (sni) {                     /* RFC 6066 3 */
		body = (struct message){0};
		message_add16(&body, (unsigned)strlen(sni) + 3);
		message_add8(&body, 0);
		message_add16(&body, (unsigned)strlen(sni));
		message_add(&body, sni, strlen(sni));
		extension_add(&extensions, 0, &body);
	}
	body = (struct message){0};
	message_add(&body, (uint8_t[]){0, 4, 0, 29, 0, 23}, 6);
	extension_add(&extensions, 10, &body);
	body = (struct message){0};
	message_add(&body, (uint8_t[]){0, 4, 4, 3, 8, 4}, 6);
	extension_add(&extensions, 13, &body);
	if (version >= 0x0304) {
		body = (struct message){0};
		message_add(&body, (uint8_t[]){4, 3, 4, 3, 3}, 5);
		extension_add(&extensions, 43, &body);
	}
	message_add16(&hello, (unsigned)extensions.len);
	message_add(&hello, extensions.b, extensions.len);
	body = (struct message){0};
	handshake_add(&body, 1, &hello);
	record_add(&m, HANDSHAKE, &body);
	m.b[2] = 1; /* RFC 8446 5.1: the first record says 0x0301 */
	return m;
}

static void der_add(struct message *m, unsigned tag, const struct message *content)
{
	struct message part = message_der(tag, content);

	message_add(m, part.b, part.len);
}

/* Name (RFC 5280 4.1.2.4) of a common name alone */
static void name_add(struct message *m, const char *common_name)
{
	struct message part = {0}, text = message_text(common_name);

	message_add(&part, (uint8_t[]){6, 3, 0x55, 4, 3}, 5);
	der_add(&part, 0x0c, &text);
	part = message_der(0x30, &part);
	part = message_der(0x31, &part);
	der_add(m, 0x30, &part);
}

/* A list of one certificate (RFC 5280 4.1): in form right, but its key and signature are noise. */
static struct message certificate_list(void)
{
	static const uint8_t ecdsa[] = {0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2};
	static const uint8_t p256[] = {0x30, 19, 6,    7,    0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1,
	                               6,    8,  0x2a, 0x86, 0x48, 0xce, 0x3d, 3,    1,    7};
	struct message m = {0}, body = {0}, part = {0}, text;

	message_add(&body, (uint8_t[]){0xa0, 3, 2, 1, 2, 2, 1, 1}, 8); /* version 3, serial 1 */
	message_add(&body, ecdsa, sizeof(ecdsa));
	name_add(&body, "Test CA");
	text = message_text("260101000000Z");
	der_add(&part, 0x17, &text);
	text = message_text("270101000000Z");
	der_add(&part, 0x17, &text);
	der_add(&body, 0x30, &part);
	name_add(&body, "test.example");
	part = (struct message){0};
	message_add(&part, p256, sizeof(p256));
	text = (struct message){0};
	message_add16(&text, 4); /* no bits unused; an uncompressed point */
	message_add_noise(&text, 64, 2);
	der_add(&part, 3, &text);
	der_add(&body, 0x30, &part);
	part = (struct message){0};
	der_add(&part, 0x30, &body);
	message_add(&part, ecdsa, sizeof(ecdsa));
	text = (struct message){0};
	message_add8(&text, 0);
	message_add_noise(&text, 70, 4);
	der_add(&part, 3, &text);
	body = message_der(0x30, &part);
	message_add8(&m, 0);
	message_add16(&m, (unsigned)body.len + 3);
	message_add8(&m, 0);
	message_add16(&m, (unsigned)body.len);
	message_add(&m, body.b, body.len);
	return m;
}

struct message message_server_hello(unsigned version, bool asks_certificate)
{
	struct message hello = {0}, body = {0}, part, m = {0};
	bool tls13 = version >= 0x0304;

	message_add16(&hello, 0x0303);
	message_add_noise(&hello, 32, 3);
	message_add8(&hello, 0);
	message_add16(&hello, tls13 ? 0x1301 : 0xc02f);
	message_add8(&hello, 0);
	if (tls13) {
		part = (struct message){0};
		message_add(&part, (uint8_t[]){0, 6, 0, 43, 0, 2, 3, 4}, 8);
		message_add(&hello, part.b, part.len);
	}
	handshake_add(&body, 2, &hello);
	if (!tls13) {
		part = certificate_list();
		handshake_add(&body, 11, &part);
		part = (struct message){0};
		message_add(&part, (uint8_t[]){3, 0, 29, 32}, 4); /* RFC 8422 5.4: x25519 */
		message_add_noise(&part, 32, 4);
		message_add(&part, (uint8_t[]){4, 3, 0, 70}, 4);
		message_add_noise(&part, 70, 9);
		handshake_add(&body, 12, &part);
		if (asks_certificate) { /* RFC 5246 7.4.4: types, algorithms, no authority named */
			part = (struct message){0};
			message_add(&part, (uint8_t[]){1, 1, 0, 2, 4, 1, 0, 0}, 8);
			handshake_add(&body, 13, &part);
		}
		part = (struct message){0};
		handshake_add(&body, 14, &part);
	}
	record_add(&m, HANDSHAKE, &body);
	if (tls13) {
		part = message_noise(900, 5);
		record_add(&m, DATA, &part);
	}
	return m;
}

static void finish_add(struct message *m)
{
	struct message part = {0};

	message_add8(&part, 1);
	record_add(m, CCS, &part);
	part = message_noise(40, 6);
	record_add(m, HANDSHAKE, &part);
}

struct message message_client_finish(bool certificate)
{
	struct message body = {0}, part, m = {0};

	if (certificate) {
		part = certificate_list();
		handshake_add(&body, 11, &part);
	}
	part = (struct message){0};
	message_add8(&part, 32);
	message_add_noise(&part, 32, 7);
	handshake_add(&body, 16, &part);
	if (certificate) {
		part = (struct message){0};
		message_add(&part, (uint8_t[]){4, 3, 0, 70}, 4);
		message_add_noise(&part, 70, 8);
		handshake_add(&body, 15, &part);
	}
	record_add(&m, HANDSHAKE, &body);
	finish_add(&m);
	return m;
}

struct message message_server_finish(void)
{
	struct message m = {0};

	finish_add(&m);
	return m;
}

struct message message_tls_data(size_t len, uint32_t seed)
{
	struct message part = message_noise(len, seed), m = {0};

	record_add(&m, DATA, &part);
	return m;
}

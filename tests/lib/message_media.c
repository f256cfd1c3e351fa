/*
 * message_media.c - STUN, MS-TURN, RTP and RTCP for tests.
 */
#include "tests/lib/message.h"

#include <arpa/inet.h>

#define STUN_COOKIE 0x2112a442U
#define MSTURN_COOKIE 0x72c64bc6U /* [MS-TURN] 2.2.2.8 */

static void attribute_add(struct message *m, unsigned type, const void *value, size_t len)
{
	message_add16(m, type);
	message_add16(m, (unsigned)len);
	message_add(m, value, len);
	while (m->len % 4)
		message_add8(m, 0);
}

/* MS-TURN's are not padded (as Microsoft's clients and relays write them). */
static void attribute_add_bare(struct message *m, unsigned type, const void *value, size_t len)
{
	message_add16(m, type);
	message_add16(m, (unsigned)len);
	message_add(m, value, len);
}

static void attribute_add32(struct message *m, unsigned type, uint32_t value)
{
	message_add16(m, type);
	message_add16(m, 4);
	message_add32(m, value);
}

/* The length counts what follows the 20 bytes of the header. */
static void length_set(struct message *m, size_t len)
{
	m->b[2] = (uint8_t)(len >> 8);
	m->b[3] = (uint8_t)len;
}

/* RFC 5389 15.5: CRC-32 (ITU V.42) of all before it, the length already counting it */
static void fingerprint_add_as(struct message *m, bool misprinted, uint32_t spoil)
{
	uint32_t crc = 0xffffffff;

	length_set(m, m->len - 20 + 8);
	for (size_t i = 0; i < m->len; i++) {
		uint32_t entry = (crc ^ m->b[i]) & 0xff;

		for (int bit = 0; bit < 8; bit++)
			entry = entry >> 1 ^ (entry & 1 ? 0xedb88320U : 0);
		crc = crc >> 8 ^ (misprinted && entry == 0x8bbeb8eaU ? 0x08bbe8eaU : entry);
	}
	attribute_add32(m, 0x8028, ~crc ^ 0x5354554eU ^ spoil);
}

static void fingerprint_add(struct message *m)
{
	fingerprint_add_as(m, false, 0);
}

static struct message stun_head(unsigned type, uint32_t tx)
{
	struct message m = {0};

	message_add16(&m, type);
	message_add16(&m, 0);
	message_add32(&m, STUN_COOKIE);
	message_add_noise(&m, 12, tx);
	return m;
}

/* "10.1.0.7:50016" or "[2001:db8::7]:50016" as MAPPED-ADDRESS has it, XORed with `xor` or not. */
static void address_add(struct message *m, unsigned type, const char *text, const uint8_t * xor)
{
	const char *colon = strrchr(text, ':');
	bool v6 = *text == '[';
	uint8_t value[20] = {0, v6 ? 2 : 1};
	char copy[64];

	if (!colon)
		colon = text + strlen(text);
	snprintf(copy, sizeof(copy), "%.*s", (int)(colon - text - 2 * v6), text + v6);
	if (!*colon || inet_pton(v6 ? AF_INET6 : AF_INET, copy, value + 4) != 1) {
		fprintf(stderr, "message: cannot be an address with a port: %s\n", text);
		abort();
	}
	unsigned port = (unsigned)strtoul(colon + 1, NULL, 10);

	value[2] = (uint8_t)(port >> 8);
	value[3] = (uint8_t)port;
	if (xor) {
		value[2] ^= xor[0];
		value[3] ^= xor[1];
		for (unsigned i = 0; i < (v6 ? 16U : 4U); i++)
			value[4 + i] ^= xor[i];
	}
	attribute_add(m, type, value, v6 ? 20 : 8);
}

struct message message_stun_plain(uint32_t tx)
{
	return stun_head(0x0001, tx);
}

struct message message_stun_request(uint32_t tx, bool controlling)
{
	struct message m = stun_head(0x0001, tx), noise = message_noise(20, tx + 1);

	attribute_add(&m, 0x0006, "u6Tk:9hQa", 9);
	attribute_add32(&m, 0x0024, 0x6e001eff);
	attribute_add(&m, controlling ? 0x802a : 0x8029, noise.b, 8);
	attribute_add(&m, 0x8054, "1\0\0", 4);
	attribute_add32(&m, 0x8070, 3);
	length_set(&m, m.len - 20 + 24);
	attribute_add(&m, 0x0008, noise.b, 20);
	fingerprint_add(&m);
	return m;
}

struct message message_stun_success(uint32_t tx, const char *mapped)
{
	struct message m = stun_head(0x0101, tx), noise = message_noise(20, tx + 2);
	uint8_t xor [16];

	memcpy(xor, m.b + 4, 16);
	address_add(&m, 0x0020, mapped, xor);
	attribute_add32(&m, 0x8070, 3);
	length_set(&m, m.len - 20 + 24);
	attribute_add(&m, 0x0008, noise.b, 20);
	fingerprint_add(&m);
	return m;
}

struct message message_stun(const struct stun *stun)
{
	struct message m = stun_head(stun->type, stun->tx), noise = message_noise(20, stun->tx);
	uint8_t xor [16];

	if (stun->draft)
		memcpy(m.b + 4, noise.b, 4);
	memcpy(xor, m.b + 4, 16);
	if (stun->name)
		attribute_add(&m, 0x0006, stun->name, strlen(stun->name));
	if (stun->name && !(stun->type & 0x0110))
		attribute_add32(&m, 0x0024, 0x6e001eff);
	if (stun->error) {
		message_add32(&m, 0x00090004);
		message_add32(&m, stun->error / 100 << 8 | stun->error % 100);
	}
	if (stun->mapped)
		address_add(&m, 0x0020, stun->mapped, xor);
	if (stun->peer)
		address_add(&m, 0x0012, stun->peer, xor);
	if (stun->data)
		attribute_add(&m, 0x0013, stun->data->b, stun->data->len);
	if (stun->odd)
		attribute_add32(&m, 0x7abc, 1);
	length_set(&m, m.len - 20);
	if (stun->sealed) {
		length_set(&m, m.len - 20 + 24);
		attribute_add(&m, 0x0008, noise.b, 20);
		fingerprint_add_as(&m, stun->misprinted, stun->spoil);
	}
	return m;
}

struct message message_channel(unsigned number, const struct message *data)
{
	struct message m = {0};

	message_add16(&m, number);
	message_add16(&m, (unsigned)data->len);
	message_add(&m, data->b, data->len);
	return m;
}

struct message message_msturn(unsigned type, uint32_t tx, const char *peer,
                              const struct message *inner)
{
	struct message m = {0}, noise = message_noise(20, tx);

	message_add16(&m, type);
	message_add16(&m, 0);
	message_add(&m, noise.b, 16);
	attribute_add32(&m, 0x000f, MSTURN_COOKIE);
	switch (type) {
	case MSTURN_ALLOCATE:
		attribute_add32(&m, 0x8008, 4);
		attribute_add_bare(&m, 0x0006, "boardroom@corp.e", 16);
		attribute_add32(&m, 0x0010, 750);
		attribute_add32(&m, 0x8055, 0x00010000);
		break;
	case MSTURN_ALLOCATE_ERROR:
		attribute_add32(&m, 0x8008, 4);
		attribute_add_bare(&m, 0x0009, "\0\0\4\1Unauthorized", 16); /* 401 */
		attribute_add_bare(&m, 0x0014, noise.b, 20);                /* nonce */
		attribute_add_bare(&m, 0x0015, "rtcmedia", 8);              /* realm */
		break;
	case MSTURN_ALLOCATE_SUCCESS:
		attribute_add32(&m, 0x000d, 600);
		address_add(&m, 0x0001, peer, NULL);
		attribute_add32(&m, 0x8008, 4);
		break;
	case MSTURN_SEND:
	case MSTURN_SET_ACTIVE:
		attribute_add32(&m, 0x8008, 4);
		attribute_add_bare(&m, 0x0006, "boardroom@corp.e", 16);
		address_add(&m, 0x0011, peer, NULL);
		break;
	case MSTURN_DATA:
		address_add(&m, 0x0012, peer, NULL);
		break;
	default:
		attribute_add32(&m, 0x8008, 4);
		break;
	}
	if (inner)
		attribute_add_bare(&m, 0x0013, inner->b, inner->len);
	length_set(&m, m.len - 20);
	return m;
}

struct message message_msturn_framed(unsigned type, const struct message *body)
{
	struct message m = {0};

	message_add8(&m, type);
	message_add8(&m, 0);
	message_add16(&m, (unsigned)body->len);
	message_add(&m, body->b, body->len);
	return m;
}

struct message message_msturn_multiplexed(const struct message *body)
{
	struct message m = {0};

	message_add16(&m, 0xff10);
	message_add16(&m, (unsigned)body->len + 8);
	message_add_noise(&m, 8, 0xff10);
	message_add(&m, body->b, body->len);
	return m;
}

struct message message_pseudo_tls_hello(void)
{
	struct message m = {0};

	message_add(&m, (uint8_t[]){0x16, 3, 1, 0, 0x2d, 1, 0, 0, 0x29, 3, 1}, 11);
	message_add_noise(&m, 32, 1);
	message_add(&m, (uint8_t[]){0, 0, 2, 0, 0x18, 1, 0}, 7);
	return m;
}

struct message message_pseudo_tls_answer(void)
{
	struct message m = {0};

	message_add(&m, (uint8_t[]){0x16, 3, 1, 0, 0x4e, 2, 0, 0, 0x46, 3, 1}, 11);
	message_add_noise(&m, 32, 2);
	message_add8(&m, 32);
	message_add_noise(&m, 32, 3);
	message_add(&m, (uint8_t[]){0, 0x18, 0, 0x0e, 0, 0, 0}, 7);
	return m;
}

struct message message_rtp(const struct rtp *rtp)
{
	struct message m = {0};

	message_add8(&m, rtp->extension ? 0x90 : 0x80);
	message_add8(&m, (rtp->marker ? 0x80U : 0) | rtp->payload_type);
	message_add16(&m, rtp->seq);
	message_add32(&m, rtp->timestamp);
	message_add32(&m, rtp->ssrc);
	if (rtp->extension) {
		message_add32(&m, 0xbede0001);
		message_add32(&m, 0x10ff0000);
	}
	message_add_noise(&m, rtp->payload_len + 10U,
	                  rtp->ssrc ^ rtp->seq); /* RFC 3711: a tag of 10 */
	return m;
}

struct message message_rtcp(uint32_t ssrc, uint32_t index)
{
	struct message m = {0};

	message_add32(&m, 0x80c80006); /* sender report of 28 bytes, no report block */
	message_add32(&m, ssrc);
	message_add_noise(&m, 20, ssrc ^ index);
	message_add32(&m,
	              0x80000000 | index); /* RFC 3711 3.4: encrypted, index; then the tag */
	message_add_noise(&m, 10, index);
	return m;
}

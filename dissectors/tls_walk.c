/*
 * tls_walk.c - see tls_walk.h. Up to TLS 1.2 a server that wants a certificate sends CertificateRequest
 * before ServerHelloDone, and the client then sends Certificate, with an empty list if it has none
 * (RFC 5246 7.4.4 to 7.4.6). A resumed session shows neither; TLS 1.3 encrypts both.
 */
#include "dissectors/tls_walk.h"

#include "dissectors/cursor.h"

enum {
	MESSAGE_CERTIFICATE = 11,
	MESSAGE_CERTIFICATE_REQUEST = 13,
	MESSAGE_SERVER_HELLO_DONE = 14,
	MESSAGE_CLIENT_KEY_EXCHANGE = 16,
};
enum { VERSION_TLS13 = 4 };

/* | type 1 | version 2 | length 2 |; false if it is cut, or no handshake. */
static bool read_record(const struct look *look, struct tls_place *place)
{
	const uint8_t *b = look->data + place->pos;
	uint32_t len = look->len - place->pos;

	if ((len > 0 && b[0] != TLS_HANDSHAKE) || (len > 1 && b[1] != 3) ||
	    (len > 2 && b[2] > 4) || (len > 4 && !(b[3] | b[4])) ||
	    (len > 4 && (b[3] << 8 | b[4]) > TLS_RECORD_MAX)) {
		place->not_handshake = true;
		return false;
	}
	if (len < 5)
		return false;
	place->record_left = (uint32_t)(b[3] << 8 | b[4]);
	place->pos += 5;
	return true;
}

uint32_t tls_take(const struct look *look, struct tls_place *place, uint8_t *to, uint32_t want)
{
	uint32_t got = 0;

	while (got < want) {
		uint32_t len = want - got;

		if (!place->record_left && !read_record(look, place))
			break;
		if (len > place->record_left)
			len = place->record_left;
		if (len > look->len - place->pos)
			len = look->len - place->pos;
		if (!len)
			break;
		if (to)
			memcpy(to + got, look->data + place->pos, len);
		got += len;
		place->pos += len;
		place->record_left -= len;
	}
	return got;
}

static void over(struct look *look, enum mtls mtls)
{
	if (mtls != MTLS_UNKNOWN)
		look->facts->mtls = (uint8_t)mtls;
	look->young->tls_over = true;
}

/* The head of a message of the handshake, all of a hello. */
static void message(struct look *look, bool client, const uint8_t *b, uint32_t len)
{
	struct young *young = look->young;

	switch (b[0]) {
	case TLS_CLIENT_HELLO:
	case TLS_SERVER_HELLO:
		tls_hello(look, b, len);
		break;
	case MESSAGE_CERTIFICATE_REQUEST:
		young->tls_asked_certificate = true;
		break;
	case MESSAGE_SERVER_HELLO_DONE:
		young->tls_server_done = true;
		if (!young->tls_asked_certificate)
			over(look, MTLS_NO);
		break;
	case MESSAGE_CERTIFICATE:
		if (client && len < 7)
			over(look, MTLS_UNKNOWN);
		else if (client)
			over(look, b[4] | b[5] | b[6] ? MTLS_YES : MTLS_NO);
		break;
	case MESSAGE_CLIENT_KEY_EXCHANGE:
		over(look, MTLS_NO); /* a certificate would have come before it */
		break;
	default:
		break;
	}
}

/* | type 1 | length 3 |, these included. */
static uint32_t message_len(const uint8_t *head)
{
	return 4 + ((uint32_t)head[1] << 16 | (uint32_t)head[2] << 8 | head[3]);
}

/* How much of a message matters. */
static uint32_t wanted(const uint8_t *head)
{
	uint32_t len = message_len(head), most = 4;

	if (head[0] == TLS_CLIENT_HELLO || head[0] == TLS_SERVER_HELLO)
		most = STREAM_MAX;
	if (head[0] == MESSAGE_CERTIFICATE)
		most = 7;
	return len < most ? len : most;
}

/*
 * What follows is encrypted. If the server had not come to the end of its part, the session is resumed;
 * else the client's part, which may be shown later than this, decides.
 */
static void end(struct look *look, struct tls_walk *walk)
{
	walk->on = false;
	if (walk->client || !look->young->tls_server_done)
		over(look, MTLS_UNKNOWN);
}

void tls_walk_begin(struct look *look, uint32_t at, bool client)
{
	struct tls_walk *walk = &look->young->tls[look->side];

	*walk = (struct tls_walk){.seq = look->seq + at, .on = true, .client = client};
}

/* Bytes that nobody will see are no loss inside a message that does not matter. */
static bool pass_over(struct tls_walk *walk, uint32_t missing)
{
	if (missing > walk->message_left || missing > walk->record_left)
		return false;
	walk->message_left -= missing;
	walk->record_left -= missing;
	walk->seq += missing;
	return true;
}

void tls_walk(struct look *look)
{
	struct tls_walk *walk = &look->young->tls[look->side];
	uint8_t buf[STREAM_MAX];
	struct tls_place place;
	bool cut = look->len < look->wire_len;
	int32_t ahead = (int32_t)(walk->seq - look->seq);

	if (!walk->on)
		return;
	if (ahead < 0 ? !pass_over(walk, (uint32_t)-ahead) : (uint32_t)ahead > look->len) {
		walk->on = false;
		return;
	}
	place = (struct tls_place){.pos = ahead > 0 ? (uint32_t)ahead : 0,
	                           .record_left = walk->record_left};
	while (!look->young->tls_over) {
		struct tls_place begin;
		uint32_t got, want;

		walk->message_left -= tls_take(look, &place, NULL, walk->message_left);
		if (walk->message_left || place.pos == look->len)
			break;
		begin = place;
		got = tls_take(look, &place, buf, 4);
		want = got < 4 ? 4 : wanted(buf);
		got += tls_take(look, &place, buf + got, want - got);
		if (got >= 4 && (got == want || cut || buf[0] <= TLS_SERVER_HELLO))
			message(look, walk->client, buf, got);
		if (got >= 4 && (got == want || cut)) {
			walk->message_left = message_len(buf) - got;
			continue;
		}
		begin.not_handshake = place.not_handshake;
		place = begin;
		look->keep = !place.not_handshake;
		look->keep_from = place.pos;
		break;
	}
	if (place.not_handshake)
		end(look, walk);
	walk->seq = look->seq + place.pos;
	walk->record_left = place.record_left;
	if (look->facts->tls_version == VERSION_TLS13 && look->young->tls_server_hello)
		over(look, MTLS_UNKNOWN);
}

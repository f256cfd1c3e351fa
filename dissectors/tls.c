/*
 * tls.c - what is TLS: a hello, of either side, in whatever records and segments it comes; SSLv2's
 * hello to servers of both; an alert that answers at once; from the middle a chain of records.
 */
#include "dissectors/cursor.h"
#include "dissectors/list.h"
#include "dissectors/tls_walk.h"

#define ALERT_LEN 7

/* | type 1: 1 client, 2 server | length 3 | version 2 |, in one record or, rarely, in several. */
static enum answer begins_hello(const struct look *look, uint32_t at, bool *ret_client)
{
	struct tls_place place = {.pos = at};
	uint8_t b[6];
	uint32_t len = tls_take(look, &place, b, sizeof(b));

	if (place.not_handshake ||
	    (len > 0 && b[0] != TLS_CLIENT_HELLO && b[0] != TLS_SERVER_HELLO) ||
	    (len > 1 && b[1]) || (len > 3 && (b[2] << 8 | b[3]) < 38) ||
	    (len > 4 && b[4] != 3) || (len > 5 && b[5] > 4))
		return ANSWER_NO;
	*ret_client = b[0] == TLS_CLIENT_HELLO;
	return len < sizeof(b) ? ANSWER_MAYBE : ANSWER_YES;
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

/*
 * An SSLv2 hello that offers SSL 3 or later (RFC 5246 E.2). All its lengths must agree.
 *   | 8 | length 15 bits | 1 | version 2 | suites, of 3 | session id: 0, 16 | challenge | ...
 */
static bool is_sslv2_hello(const struct look *look, uint32_t *ret_len, uint16_t *ret_version)
{
	struct cursor c = cursor_over(look->data, look->len);
	uint32_t len = cursor_be16(&c) ^ 0x8000;
	uint8_t type = cursor_u8(&c);
	uint16_t version = cursor_be16(&c), suites = cursor_be16(&c), id = cursor_be16(&c),
		 challenge = cursor_be16(&c);

	*ret_len = len + 2;
	*ret_version = version;
	return !c.short_read && type == TLS_CLIENT_HELLO && tls_version(version) && suites &&
	       suites % 3 == 0 && (id == 0 || id == 16) && challenge >= 16 && challenge <= 32 &&
	       len == 9u + suites + id + challenge;
}

static bool may_be_sslv2(const struct look *look)
{
	const uint8_t *b = look->data;

	return look->len < 11 && b[0] & 0x80 && (look->len < 3 || b[2] == TLS_CLIENT_HELLO) &&
	       (look->len < 4 || b[3] == 3);
}

/* The head of a record as it may stand in the middle of a stream. */
static bool is_record(const uint8_t *b)
{
	uint32_t len = (uint32_t)b[3] << 8 | b[4];

	return b[0] >= TLS_CCS && b[0] <= TLS_DATA && b[1] == 3 && b[2] <= 3 && len &&
	       len <= TLS_RECORD_MAX;
}

/*
 * From the middle: the lengths of records lead from header to header, through as many segments as it
 * takes. Two headers are no accident, nor is one record that ends with its segment.
 */
static enum answer record_chain(struct look *look)
{
	struct tls_walk *walk = &look->young->tls[look->side];
	uint32_t pos = walk->seq - look->seq;

	if (!walk->records || (int32_t)pos < 0)
		walk->records = pos = 0;
	if (pos >= look->wire_len)
		return ANSWER_MAYBE;
	while (pos < look->len && look->len - pos >= 5) {
		if (!is_record(look->data + pos)) {
			walk->records = 0;
			return ANSWER_NO;
		}
		walk->records++;
		pos += 5 + (uint32_t)(look->data[pos + 3] << 8 | look->data[pos + 4]);
		if (walk->records == 2 || (pos == look->wire_len && pos == look->len))
			return ANSWER_YES;
	}
	if (!walk->records)
		return ANSWER_NO;
	walk->seq = look->seq + pos;
	look->keep = pos < look->len;
	return ANSWER_MAYBE;
}

/*
 * | 21 | version 2 | length 2: 2 | level 1: 1, 2 | what |: a server may answer with that alone, or warn
 * with it before its hello.
 */
static enum answer begins_alert(const struct look *look)
{
	const uint8_t *b = look->data;
	uint32_t len = look->len;

	if (b[0] != TLS_ALERT || (len > 1 && b[1] != 3) || (len > 2 && b[2] > 3) ||
	    (len > 3 && b[3]) || (len > 4 && b[4] != 2) || (len > 5 && b[5] != 1 && b[5] != 2))
		return ANSWER_NO;
	return len < ALERT_LEN ? ANSWER_MAYBE : ANSWER_YES;
}

static enum answer keep(struct look *look, uint32_t from, enum answer answer)
{
	look->keep = true;
	look->keep_from = from;
	return answer;
}

/* What a side begins with. */
static enum answer beginning(struct look *look)
{
	enum answer alert = look->side == look->facts->initiator && look->from_start
	                            ? ANSWER_NO
	                            : begins_alert(look);
	uint32_t at = alert == ANSWER_YES ? ALERT_LEN : 0, len;
	enum answer hello;
	uint16_t version;
	bool client;

	if (alert == ANSWER_MAYBE)
		return keep(look, 0, ANSWER_MAYBE);
	if (at && look->len == at)
		return keep(look, at, ANSWER_YES);
	hello = begins_hello(look, at, &client);
	if (hello == ANSWER_YES && !at && may_be_pseudo(look->data, look->len))
		hello = ANSWER_MAYBE;
	if (hello == ANSWER_MAYBE || (hello == ANSWER_NO && may_be_sslv2(look)))
		return keep(look, at, at ? ANSWER_YES : ANSWER_MAYBE);
	if (hello == ANSWER_YES) {
		look_opened_by(look, client ? look->side : !look->side);
		tls_walk_begin(look, at, client);
		return ANSWER_YES;
	}
	if (is_sslv2_hello(look, &len, &version)) {
		look_opened_by(look, look->side);
		look->facts->tls_version = tls_version(version);
		look->young->tls_client_hello = true;
		tls_walk_begin(look, len, true);
		return ANSWER_YES;
	}
	return at && look->from_start ? ANSWER_YES : ANSWER_NO;
}

static enum answer tls_look(struct look *look)
{
	struct young *young = look->young;
	struct tls_walk *walk = &young->tls[look->side];
	bool ours = look->facts->app == APP_TLS;

	if (!walk->seen) {
		enum answer answer = beginning(look);

		if (!ours && answer == ANSWER_NO && !look->from_start) {
			answer = record_chain(look);
			look->done = answer == ANSWER_YES; /* too late for all else */
		}
		if (!ours && answer != ANSWER_YES)
			return answer;
		look_found(look, APP_TLS);
		walk->seen = !look->keep;
	}
	tls_walk(look);
	look->done |= young->tls_over && young->tls_client_hello && !look->keep;
	return ANSWER_YES;
}

const struct dissector dissector_tls = {
	.name = "tls", .app = APP_TLS, .tcp = true, .begins = BIT(APP_TLS), .look = tls_look};

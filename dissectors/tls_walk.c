/*
 * tls_walk.c - see tls_walk.h. Messages span records and records span segments (RFC 5246 6.2.1); only
 * headers are kept, bodies are passed over. Up to TLS 1.2 a server that wants a certificate sends
 * CertificateRequest before ServerHelloDone, and the client then sends Certificate, with an empty list
 * if it has none (RFC 5246 7.4.4 to 7.4.6). A resumed session shows neither; TLS 1.3 encrypts both.
 */
#include "dissectors/tls_walk.h"

#include "dissectors/cursor.h"

enum { RECORD_HANDSHAKE = 22 };
enum {
	MESSAGE_CLIENT_HELLO = 1,
	MESSAGE_SERVER_HELLO = 2,
	MESSAGE_CERTIFICATE = 11,
	MESSAGE_CERTIFICATE_REQUEST = 13,
	MESSAGE_SERVER_HELLO_DONE = 14,
	MESSAGE_CLIENT_KEY_EXCHANGE = 16,
};
enum { VERSION_TLS13 = 4 };

/* Fills head[] up to `want` bytes; says whether they are there. */
static bool gather(struct cursor *c, uint32_t limit, uint8_t *head, uint8_t *head_len,
                   uint8_t want, uint32_t *taken)
{
	*taken = 0;
	while (*head_len < want && *taken < limit && c->left) {
		head[(*head_len)++] = cursor_u8(c);
		(*taken)++;
	}
	return *head_len == want;
}

static void over(struct look *look, enum mtls mtls)
{
	if (mtls != MTLS_UNKNOWN)
		look->facts->mtls = (uint8_t)mtls;
	look->young->tls_over = true;
}

/* A whole message header, with a Certificate's list length behind it. */
static void message(struct look *look, const struct tls_walk *walk)
{
	struct young *young = look->young;

	switch (walk->head[0]) {
	case MESSAGE_CLIENT_HELLO:
	case MESSAGE_SERVER_HELLO:
		break;
	case MESSAGE_CERTIFICATE_REQUEST:
		young->tls_asked_certificate = true;
		break;
	case MESSAGE_SERVER_HELLO_DONE:
		if (!young->tls_asked_certificate)
			over(look, MTLS_NO);
		break;
	case MESSAGE_CERTIFICATE:
		if (walk->client)
			over(look, walk->head[4] | walk->head[5] | walk->head[6] ? MTLS_YES
			                                                         : MTLS_NO);
		break;
	case MESSAGE_CLIENT_KEY_EXCHANGE:
		over(look, MTLS_NO); /* a certificate would have come before it */
		break;
	default:
		break;
	}
}

/* The bytes of one record's body that are here. */
static void walk_record(struct look *look, struct tls_walk *walk, struct cursor *c)
{
	while (walk->record_left && c->left && !look->young->tls_over) {
		uint32_t here = walk->record_left < c->left ? walk->record_left : c->left;
		uint32_t taken, len;
		bool whole;

		if (walk->message_left) {
			taken = here < walk->message_left ? here : walk->message_left;
			cursor_skip(c, taken);
			walk->message_left -= taken;
			walk->record_left = (uint16_t)(walk->record_left - taken);
			continue;
		}
		whole = gather(c, here, walk->head, &walk->head_len, walk->head_len < 4 ? 4 : 7,
		               &taken);
		walk->record_left = (uint16_t)(walk->record_left - taken);
		if (!whole)
			continue;
		len = (uint32_t)walk->head[1] << 16 | (uint32_t)walk->head[2] << 8 |
		      walk->head[3];
		if (walk->head_len == 4 && walk->head[0] == MESSAGE_CERTIFICATE && len >= 3)
			continue; /* three bytes more */
		message(look, walk);
		walk->message_left = len - (walk->head_len - 4u);
		walk->head_len = 0;
	}
}

void tls_walk(struct look *look, bool begins)
{
	struct tls_walk *walk = &look->young->tls[look->side];
	struct cursor c = cursor_over(look->data, look->len);
	uint32_t taken, ahead;

	if (begins && !walk->on && !walk->lost) {
		walk->on = true;
		walk->client = look->data[5] == MESSAGE_CLIENT_HELLO;
		walk->next_seq = look->seq;
	}
	if (look->facts->tls_version == VERSION_TLS13 && look->young->tls_server_hello)
		over(look, MTLS_UNKNOWN);
	ahead = walk->next_seq - look->seq; /* shown again: these we have seen */
	if (!walk->on)
		return;
	if (ahead > look->len) {
		walk->on = false;
		walk->lost = true;
		return;
	}
	cursor_skip(&c, ahead);
	while (c.left && !look->young->tls_over) {
		if (walk->record_left) {
			walk_record(look, walk, &c);
			continue;
		}
		if (!gather(&c, c.left, walk->record_head, &walk->record_head_len, 5, &taken))
			break;
		walk->record_head_len = 0;
		walk->record_left =
			(uint16_t)(walk->record_head[3] << 8 | walk->record_head[4]);
		if (walk->record_head[0] != RECORD_HANDSHAKE)
			over(look, MTLS_UNKNOWN); /* what follows is encrypted */
	}
	walk->next_seq = look->seq + look->wire_len;
	if (look->len < look->wire_len) {
		walk->on = false;
		walk->lost = true;
	}
}

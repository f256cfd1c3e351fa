/*
 * sample_msturn.c - samples of MS-TURN: over UDP, multiplexed, and over TCP with its handshake.
 */
#include "tests/lib/sample.h"

#define PEER "93.71.110.205:16332"
#define PROOF \
	28 /* header 20, and the cookie attribute that is always first ([MS-TURN] 2.2.2.8) */

static void fields(struct sample *sample, size_t at)
{
	const uint8_t *b = sample->m.b;
	size_t end = at + 20 + (size_t)(b[at + 2] << 8 | b[at + 3]);

	sample_field(sample, at + 2, 2, true);
	sample_field(sample, at + 22, 2, true); /* of the cookie attribute */
	for (at += PROOF; at < end;) {
		size_t len = (size_t)(b[at + 2] << 8 | b[at + 3]);

		sample_field(sample, at + 2, 2, false);
		at += 4 + len; /* not padded */
	}
}

/*
 * In a datagram the length must end with it; where the snap length took the rest the cookie is enough.
 * Mid-stream a frame must be there to its end.
 */
static void message_samples(struct samples *to, const char *what, const struct message *m,
                            bool reply)
{
	struct message framed = message_msturn_framed(2, m);
	struct sample *sample = sample_add(to, "msturn", what, APP_MSTURN, m);

	sample_udp(sample, 50016, 3478);
	fields(sample, 0);
	sample->cut = PROOF;
	if (reply)
		sample_reply(sample);
	sample = sample_add(to, "msturn_tcp", what, APP_MSTURN, &framed);
	sample_tcp(sample, 50016, 443);
	sample->midstream = true;
	sample_field(sample, 2, 2, true);
	fields(sample, 4);
	if (reply)
		sample_reply(sample);
}

static void multiplexed_samples(struct samples *to)
{
	struct message inner = message_stun_success(1, PEER),
		       m = message_msturn_multiplexed(&inner);
	struct sample *sample = sample_add(to, "msturn", "a multiplexed check", APP_MSTURN, &m);

	/* ff 10 and a length that ends with the datagram ([MS-TURN] 2.2.3) */
	sample_udp(sample, 50016, 3479);
	sample_field(sample, 2, 2, true);
	sample_field(sample, 14, 2, false);
	sample->cut = 12;
}

/* The two hellos are constant but for time, random and session id, and have one length each. */
static void handshake_samples(struct samples *to)
{
	struct message m = message_pseudo_tls_hello();
	struct sample *sample =
		sample_add(to, "msturn_tcp", "the client's hello", APP_MSTURN, &m);

	sample_tcp(sample, 50016, 443);
	sample_field(sample, 3, 2, true);
	sample_field(sample, 6, 3, true);
	sample_field(sample, 43, 1, true);
	sample_field(sample, 44, 2, true);
	m = message_pseudo_tls_answer();
	sample = sample_add(to, "msturn_tcp", "the server's hello", APP_MSTURN, &m);
	sample_tcp(sample, 50016, 443);
	sample_reply(sample);
	sample_field(sample, 3, 2, true);
	sample_field(sample, 6, 3, true);
	sample_field(sample, 80, 3, true);
}

/*
 * Media behind the handshake: type 3, and one packet ([MS-TURN] 2.2.1). Where it stands is known, so what the
 * snap length takes off behind RTP's header does not matter.
 */
static void data_samples(struct samples *to)
{
	struct message inner = message_rtp(&(struct rtp){
			       .payload_type = 127, .seq = 9, .ssrc = 7, .payload_len = 200}),
		       m = message_msturn_framed(3, &inner), hello = message_pseudo_tls_hello(),
		       answer = message_pseudo_tls_answer();
	struct sample *sample = sample_add(to, "msturn_tcp", "media", APP_RTP, &m);

	sample_tcp(sample, 50016, 443);
	sample_before(sample, 0, &hello);
	sample_before(sample, 1, &answer);
	sample_field(sample, 2, 2, false);
	sample->cut = 4 + 12;
}

void samples_of_msturn(struct samples *to)
{
	struct message inner = message_stun_request(1, true), m;

	m = message_msturn(MSTURN_ALLOCATE, 1, NULL, NULL);
	message_samples(to, "an allocate", &m, false);
	m = message_msturn(MSTURN_ALLOCATE_ERROR, 1, NULL, NULL);
	message_samples(to, "a refusal", &m, true);
	m = message_msturn(MSTURN_ALLOCATE_SUCCESS, 2, "10.1.0.7:50016", NULL);
	message_samples(to, "an allocation", &m, true);
	m = message_msturn(MSTURN_SEND, 3, PEER, &inner);
	message_samples(to, "a send", &m, false);
	m = message_msturn(MSTURN_DATA, 4, PEER, &inner);
	message_samples(to, "a data", &m, true);
	m = message_msturn(MSTURN_SET_ACTIVE, 5, PEER, NULL);
	message_samples(to, "a set active destination", &m, false);
	multiplexed_samples(to);
	handshake_samples(to);
	data_samples(to);
}

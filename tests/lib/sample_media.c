/*
 * sample_media.c - samples of what shares a 5-tuple with media: STUN, TURN and its channels, DTLS, RTP,
 * RTCP; and all of it framed over TCP.
 */
#include "tests/lib/sample.h"

#define STUN_HEADER 20
#define PEER "93.71.110.205:16332"

/*
 * The length of a STUN message at `at` and those of its attributes (RFC 5389 6, 15). Over TCP a shorter one
 * makes a shorter message.
 */
static void stun_fields(struct sample *sample, size_t at)
{
	const uint8_t *b = sample->m.b;
	size_t end = at + STUN_HEADER + (size_t)(b[at + 2] << 8 | b[at + 3]);

	sample_field(sample, at + 2, 2, sample->transport == TRANSPORT_UDP);
	for (at += STUN_HEADER; at < end;) {
		size_t len = (size_t)(b[at + 2] << 8 | b[at + 3]);

		sample_field(sample, at + 2, 2, false);
		at += 4 + (len + 3) / 4 * 4;
	}
}

/* A message of standard TURN (RFC 5766 13): lifetime for requests, what is relayed for the others. */
static struct message turn(unsigned type, const struct message *inner)
{
	struct message m = message_stun_plain(type), mapped = message_stun_success(type, PEER);

	m.b[0] = (uint8_t)(type >> 8);
	m.b[1] = (uint8_t)type;
	if (inner) {
		message_add16(&m,
		              0x0012); /* XOR-PEER-ADDRESS, encoded as XOR-MAPPED-ADDRESS is */
		message_add(&m, mapped.b + STUN_HEADER + 2, 10);
		message_add16(&m, 0x0013);
		message_add16(&m, (unsigned)inner->len);
		message_add(&m, inner->b, inner->len);
		while (m.len % 4)
			message_add8(&m, 0);
	} else {
		message_add32(&m, 0x000d0004);
		message_add32(&m, 600);
	}
	m.b[2] = (uint8_t)((m.len - STUN_HEADER) >> 8);
	m.b[3] = (uint8_t)(m.len - STUN_HEADER);
	return m;
}

/* RFC 3489bis-02, as [MS-ICE2] allows it: no cookie, and the attributes of a check. */
static struct message old_check(void)
{
	struct message m = message_stun_plain(3);

	memset(m.b + 4, 0x5a, 4);
	message_add32(&m, 0x00240004); /* priority */
	message_add32(&m, 0x6e001eff);
	message_add32(&m, 0x80700004); /* implementation version */
	message_add32(&m, 2);
	m.b[3] = 16;
	return m;
}

/*
 * The length says where a message ends: a datagram that is shorter is none. The snap length may take all
 * but the header with its cookie; without the cookie the attributes must be there to the end.
 */
static void stun_add(struct samples *to, const char *what, const struct message *m, bool reply)
{
	struct sample *sample = sample_add(to, "stun", what, APP_STUN, m);
	bool cookie = !memcmp(m->b + 4, "\x21\x12\xa4\x42", 4);

	sample_udp(sample, 50016, 50010);
	stun_fields(sample, 0);
	if (cookie)
		sample->cut = STUN_HEADER;
	if (reply)
		sample_reply(sample);
	if (!cookie)
		return;
	sample = sample_add(to, "stun", what, APP_STUN, m);
	sample_tcp(sample, 50016, 3478);
	stun_fields(sample, 0);
	if (reply)
		sample_reply(sample);
}

static void stun_samples(struct samples *to)
{
	struct message m = message_stun_request(1, true), inner;

	stun_add(to, "a check", &m, false);
	inner = m;
	m = message_stun_success(1, "10.1.0.7:50016");
	stun_add(to, "an answer", &m, true);
	m = message_stun_success(1, "[2001:db8::7]:50016");
	stun_add(to, "an answer with an IPv6 address", &m, true);
	m = message_stun_plain(1);
	stun_add(to, "a plain question", &m, false);
	m = old_check();
	stun_add(to, "a check without the cookie", &m, false);
	m = turn(0x0003, NULL);
	stun_add(to, "a TURN allocate", &m, false);
	m = turn(0x0016, &inner);
	stun_add(to, "a TURN send", &m, false);
	m = turn(0x0017, &inner);
	stun_add(to, "a TURN data", &m, true);
}

/* | 13 bytes of header | a handshake message |; a record must be there to its end. */
static void dtls_samples(struct samples *to)
{
	struct message m = {0};
	struct sample *sample;

	message_add(&m, (uint8_t[]){22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 72}, 13);
	message_add(&m, (uint8_t[]){1, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 60}, 12);
	message_add_noise(&m, 60, 2);
	sample = sample_add(to, "dtls", "a ClientHello", APP_DTLS, &m);
	sample_udp(sample, 50016, 50010);
	sample_field(sample, 11, 2, false);
	sample->cut = 13;
	message_add(&m, m.b, 85);
	sample = sample_add(to, "dtls", "two records", APP_DTLS, &m);
	sample_udp(sample, 50016, 50010);
	sample_field(sample, 11, 2, false);
	sample->alone = 85;
	sample->cut = 13;
}

static struct message rtp_packet(unsigned seq, uint8_t payload_type, bool extension)
{
	return message_rtp(&(struct rtp){.payload_type = payload_type,
	                                 .seq = (uint16_t)seq,
	                                 .timestamp = seq * 320,
	                                 .ssrc = 0x5a100000,
	                                 .payload_len = 62,
	                                 .extension = extension});
}

/* RFC 3550 5.1: two contributing sources behind the header */
static struct message rtp_conference(unsigned seq)
{
	struct message plain = rtp_packet(seq, 104, false), m = {0};

	message_add(&m, plain.b, 12);
	m.b[0] |= 2;
	message_add32(&m, 0x01020304);
	message_add32(&m, 0x05060708);
	message_add(&m, plain.b + 12, plain.len - 12);
	return m;
}

/* Media that ICE announced: a check, answered. */
static void checked_before(struct sample *sample, bool framed)
{
	struct message check = message_stun_request(1, true),
		       answer = message_stun_success(1, "10.1.0.7:50016");

	if (framed) {
		check = message_framed(&check, 2);
		answer = message_framed(&answer, 2);
	}
	sample_before(sample, 0, &check);
	sample_before(sample, 1, &answer);
}

/*
 * What follows RTP's header may be anything, so the header alone is as good as the whole packet (domain.md
 * 1.9); it is the two packets before it, or the checks, that make it certain.
 */
static void rtp_samples(struct samples *to)
{
	struct message m = rtp_packet(1002, 104, false), one = rtp_packet(1000, 104, false),
		       two = rtp_packet(1001, 104, false);
	struct sample *sample = sample_add(to, "rtp", "the third of a row", APP_RTP, &m);

	sample_udp(sample, 50016, 50010);
	sample_before(sample, 0, &one);
	sample_before(sample, 0, &two);
	sample->alone = sample->cut = 12;
	m = rtp_packet(1000, 104, true);
	sample = sample_add(to, "rtp", "one with an extension, behind a check", APP_RTP, &m);
	sample_udp(sample, 50016, 50010);
	checked_before(sample, false);
	sample_field(sample, 14, 2, false);
	sample->alone = 20;
	sample->cut = 12;
	m = rtp_conference(1000);
	sample = sample_add(to, "rtp", "one of a conference, behind a check", APP_RTP, &m);
	sample_udp(sample, 50016, 50010);
	checked_before(sample, false);
	sample->alone = 20;
	sample->cut = 12;
}

/*
 * RTCP's lengths lead to the end of the datagram, or to 14 bytes before it (domain.md 1.9), so a report
 * alone is a whole message too. The snap length may take all but the 8 bytes that SRTCP leaves clear;
 * plain reports show their lengths only where they were captured.
 */
static void rtcp_samples(struct samples *to)
{
	static const uint8_t source[] = {0x81, 202, 0,   3,   0x5a, 0x10, 0,   0,
	                                 1,    5,   'h', 'u', 'd',  'd',  'l', 0};
	struct message m = message_rtcp(7, 1);
	struct sample *sample =
		sample_add(to, "rtcp", "an encrypted sender report", APP_RTCP, &m);

	sample_udp(sample, 50017, 50011);
	sample_field(sample, 2, 2, false);
	sample->cut = 8;
	sample->also[0] = 28;
	m.len = 28;
	message_add(&m, source, sizeof(source));
	sample = sample_add(to, "rtcp", "a sender report with its description", APP_RTCP, &m);
	sample_udp(sample, 50017, 50011);
	sample_field(sample, 2, 2, false);
	sample_field(sample, 30, 2, false);
	sample->also[0] = 28;
	sample->also[1] = 28 + 14;
	sample->also[2] = 28 + 15;
	m = (struct message){0};
	message_add(&m, (uint8_t[]){0x81, 201, 0, 7, 0, 0, 0, 7}, 8);
	message_add_noise(&m, 24, 3);
	sample = sample_add(to, "rtcp", "a receiver report", APP_RTCP, &m);
	sample_udp(sample, 50017, 50011);
	sample_field(sample, 2, 2, true);
}

/* RFC 4571 2: the length before it promises the rest; a header is enough where the snap length took that. */
static void framed_samples(struct samples *to)
{
	struct message one = message_stun_request(1, true), m = message_framed(&one, 2);
	struct sample *sample = sample_add(to, "framed", "a check", APP_STUN, &m);

	sample_tcp(sample, 50016, 50010);
	sample_field(sample, 0, 2, false);
	stun_fields(sample, 2);
	sample->cut = 22;
	one = rtp_packet(1000, 127, false);
	m = message_framed(&one, 2);
	sample = sample_add(to, "framed", "media behind checks", APP_RTP, &m);
	sample_tcp(sample, 50016, 50010);
	checked_before(sample, true);
	sample_field(sample, 0, 2, false);
	sample->cut = 22;
	one = message_rtcp(7, 1);
	m = message_framed(&one, 2);
	sample = sample_add(to, "framed", "a report behind checks", APP_RTCP, &m);
	sample_tcp(sample, 50017, 50011);
	checked_before(sample, true);
	sample_field(sample, 0, 2, false);
	sample_field(sample, 4, 2, false);
	sample->cut = 22;
}

/* RFC 5766 11.4, behind the ChannelBind that gives it a meaning. */
static void channel_samples(struct samples *to)
{
	struct message bind = turn(0x0009, NULL), one = rtp_packet(1000, 104, false), m = {0};
	struct sample *sample;

	message_add16(&m, 0x4001);
	message_add16(&m, (unsigned)one.len);
	message_add(&m, one.b, one.len);
	sample = sample_add(to, "channel", "media", APP_RTP, &m);
	sample_udp(sample, 50016, 3478);
	sample_before(sample, 0, &bind);
	sample_field(sample, 2, 2, false); /* up to three bytes of padding may follow */
	sample->cut = 16;
}

void samples_of_media(struct samples *to)
{
	stun_samples(to);
	dtls_samples(to);
	rtp_samples(to);
	rtcp_samples(to);
	framed_samples(to);
	channel_samples(to);
}

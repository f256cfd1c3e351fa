/*
 * talk_media.c - conversations for tests: ICE checks, RTP, relays.
 */
#include "tests/lib/talk.h"

/* How a kind of media paces its packets (domain of the payload types: [MS-RTP] 2.2.1). */
struct pace {
	unsigned step,
		per_frame; /* of the RTP clock from frame to frame; packets of one frame */
	uint16_t payload_len;
	double gap_s;
};

static struct pace pace_of(uint8_t payload_type)
{
	switch (payload_type) {
	case PT_RTVIDEO:
	case PT_H264:
		return (struct pace){3000, 3, 980, 0.033};
	case PT_DATA:
		return (struct pace){9000, 2, 1180, 0.1};
	default:
		return (struct pace){320, 1, 72, 0.02};
	}
}

static struct message packet_of(const struct media *media, unsigned side, unsigned i)
{
	struct pace pace = pace_of(media->payload_type);
	bool data = media->payload_type == PT_DATA, video = pace.per_frame > 1 && !data;
	struct rtp rtp = {
		.payload_type = media->payload_type,
		/* last packet of a video frame, first of a talk spurt, never of data ([MS-RTASPF]) */
		.marker = video ? i % pace.per_frame == pace.per_frame - 1 : !data && i == 0,
		.seq = (uint16_t)(1000 + 7000 * side + i),
		.timestamp = 160000 + i / pace.per_frame * pace.step,
		.ssrc = media->ssrc + side,
		.payload_len = (uint16_t)(pace.payload_len + i * 7 % 24),
		.extension = media->extension,
	};

	return message_rtp(&rtp);
}

/* What a check answers with: the address and port it came from. */
static const char *sender(const char *tuple, char buf[WIRE_TUPLE])
{
	snprintf(buf, WIRE_TUPLE, "%.*s", (int)(strstr(tuple, " > ") - tuple), tuple);
	return buf;
}

static uint32_t transaction(const char *tuple)
{
	uint32_t tx = 0;

	for (const char *c = tuple; *c; c++)
		tx = tx * 131 + (uint8_t)*c;
	return tx;
}

void talk_ice(struct wire *w, const char *tuple)
{
	char back[WIRE_TUPLE], mapped[WIRE_TUPLE];
	const char *ways[] = {tuple, wire_back(tuple, back)};

	for (unsigned i = 0; i < 2; i++) {
		uint32_t tx = transaction(ways[i]);
		struct message m = message_stun_request(tx, i == 0);

		talk_udp(w, ways[i], &m);
		m = message_stun_success(tx, sender(ways[i], mapped));
		talk_udp(w, ways[!i], &m);
	}
}

void talk_ice_probe(struct wire *w, const char *tuple, unsigned tries)
{
	for (unsigned i = 0; i < tries; i++) {
		struct message m = message_stun_request(transaction(tuple) + i, true);

		talk_udp(w, tuple, &m);
		wire_wait(w, 0.1);
	}
}

void talk_rtp(struct wire *w, const char *tuple, const struct media *media)
{
	struct pace pace = pace_of(media->payload_type);
	char back[WIRE_TUPLE];
	const char *ways[] = {tuple, wire_back(tuple, back)};

	for (unsigned i = 0; i < media->packets; i++) {
		for (unsigned side = 0; side < (media->one_way ? 1 : 2); side++) {
			struct message m = packet_of(media, side, i);

			wire_udp(w, ways[side], m.b, m.len);
			wire_wait(w, 0.0007);
		}
		if (i % pace.per_frame == pace.per_frame - 1)
			wire_wait(w, pace.gap_s - 0.0007 * (media->one_way ? 1 : 2));
	}
	if (media->packets > 20) {
		struct message m = message_rtcp(media->ssrc, 1);

		talk_udp(w, tuple, &m);
	}
}

/* Frames of RFC 4571 (2 bytes of length) or of MS-TURN (type 3). */
static void stream_send(struct wire *w, const char *tuple, const struct media *media,
                        bool msturn)
{
	struct pace pace = pace_of(media->payload_type);
	char back[WIRE_TUPLE];
	const char *ways[] = {tuple, wire_back(tuple, back)};

	for (unsigned i = 0; i < media->packets; i++) {
		for (unsigned side = 0; side < (media->one_way ? 1 : 2); side++) {
			struct message m = packet_of(media, side, i);

			m = msturn ? message_msturn_framed(3, &m) : message_framed(&m, 2);
			talk_send(w, ways[side], &m);
		}
		if (i % pace.per_frame == pace.per_frame - 1)
			wire_wait(w, pace.gap_s / 2);
	}
}

void talk_rtp_tcp(struct wire *w, const char *tuple, const struct media *media)
{
	char back[WIRE_TUPLE], mapped[WIRE_TUPLE];
	const char *ways[] = {tuple, wire_back(tuple, back)};

	talk_open(w, tuple);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t tx = transaction(ways[i]);
		struct message m = message_stun_request(tx, i == 0);

		m = message_framed(&m, 2);
		talk_send(w, ways[i], &m);
		m = message_stun_success(tx, sender(ways[i], mapped));
		m = message_framed(&m, 2);
		talk_send(w, ways[!i], &m);
	}
	stream_send(w, tuple, media, false);
	talk_close(w, tuple);
}

/* The exchange that opens a relay, in the order in which it goes over the wire. */
struct step {
	bool from_server;
	struct message m;
};
#define RELAY_STEPS 8

static void relay_steps(const char *tuple, const char *peer, struct step step[RELAY_STEPS])
{
	char mapped[WIRE_TUPLE];
	uint32_t tx = transaction(tuple);
	struct message check = message_stun_request(tx, true);
	struct message answer = message_stun_success(tx, peer);

	sender(tuple, mapped);
	step[0] = (struct step){false, message_msturn(MSTURN_ALLOCATE, tx, NULL, NULL)};
	step[1] = (struct step){true, message_msturn(MSTURN_ALLOCATE_ERROR, tx, NULL, NULL)};
	step[2] = (struct step){false, message_msturn(MSTURN_ALLOCATE, tx + 1, NULL, NULL)};
	step[3] = (struct step){true,
	                        message_msturn(MSTURN_ALLOCATE_SUCCESS, tx + 1, mapped, NULL)};
	step[4] = (struct step){false, message_msturn(MSTURN_SEND, tx + 2, peer, &check)};
	step[5] = (struct step){true, message_msturn(MSTURN_DATA, tx + 3, peer, &answer)};
	step[6] = (struct step){false, message_msturn(MSTURN_SET_ACTIVE, tx + 4, peer, NULL)};
	step[7] = (struct step){true,
	                        message_msturn(MSTURN_SET_ACTIVE_SUCCESS, tx + 4, NULL, NULL)};
}

void talk_msturn(struct wire *w, const char *tuple, const char *peer, const struct media *media)
{
	struct step step[RELAY_STEPS];
	char back[WIRE_TUPLE];

	wire_back(tuple, back);
	relay_steps(tuple, peer, step);
	for (unsigned i = 0; i < RELAY_STEPS; i++)
		talk_udp(w, step[i].from_server ? back : tuple, &step[i].m);
	talk_rtp(w, tuple, media);
}

void talk_msturn_tcp(struct wire *w, const char *tuple, const char *peer,
                     const struct media *media, bool pseudo_tls)
{
	struct step step[RELAY_STEPS];
	char back[WIRE_TUPLE];
	struct message m;

	wire_back(tuple, back);
	talk_open(w, tuple);
	if (pseudo_tls) {
		m = message_pseudo_tls_hello();
		talk_send(w, tuple, &m);
		m = message_pseudo_tls_answer();
		talk_send(w, back, &m);
	}
	relay_steps(tuple, peer, step);
	for (unsigned i = 0; i < RELAY_STEPS; i++) {
		m = message_msturn_framed(2, &step[i].m);
		talk_send(w, step[i].from_server ? back : tuple, &m);
	}
	stream_send(w, tuple, media, true);
	talk_close(w, tuple);
}

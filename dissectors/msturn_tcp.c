/*
 * msturn_tcp.c - MS-TURN over TCP: a handshake that only looks like TLS ([MS-TURN] 2.1.1), then
 * frames in clear (2.2.1):
 *   | type 1: 2 control, 3 data | 0 | length 2 | MS-TURN message, or one RTP, RTCP or STUN packet |
 */
#include "dissectors/frames.h"
#include "dissectors/msturn.h"

/*
 * The two constant messages; 0xXX marks what differs: time stamp, random, session id. The client offers
 * the one anonymous suite TLS_DH_anon_WITH_RC4_128_MD5 and no extension, as no TLS client does.
 */
struct pattern {
	uint32_t len;
	struct {
		uint8_t at, len;
		uint8_t bytes[11];
	} fixed[2];
};
static const struct pattern CLIENT_HELLO = {
	50,
	{{0, 11, {0x16, 3, 1, 0, 0x2d, 1, 0, 0, 0x29, 3, 1}},
         {43, 7, {0, 0, 2, 0, 0x18, 1, 0}}}};
static const struct pattern SERVER_HELLO = {
	83,
	{{0, 11, {0x16, 3, 1, 0, 0x4e, 2, 0, 0, 0x46, 3, 1}},
         {76, 7, {0, 0x18, 0, 0x0e, 0, 0, 0}}}};

/* Whether the data begin with the pattern, as far as they go. */
static bool pattern_fits(const struct pattern *pattern, const uint8_t *data, uint32_t len)
{
	for (unsigned i = 0; i < ARRAY_LEN(pattern->fixed); i++) {
		uint32_t at = pattern->fixed[i].at;
		uint32_t n = len > at ? len - at : 0;

		if (n > pattern->fixed[i].len)
			n = pattern->fixed[i].len;
		if (n && memcmp(data + at, pattern->fixed[i].bytes, n))
			return false;
	}
	return true;
}

enum { FRAME_CONTROL = 2, FRAME_DATA = 3 };
#define FRAMES_PROOF 3
#define BODY_MAX 1500

static bool begins(const uint8_t *data, uint32_t len)
{
	return (data[0] == FRAME_CONTROL || data[0] == FRAME_DATA) && (len < 2 || !data[1]);
}

static uint32_t body_len(const uint8_t *header)
{
	uint32_t len = (uint32_t)header[2] << 8 | header[3];

	return begins(header, 4) && len <= BODY_MAX ? len : 0;
}

/* Nothing begins with data: the handshake comes first. */
static bool fits(const struct look *look, const uint8_t *header, const uint8_t *data,
                 uint32_t len, uint32_t wire_len)
{
	if (look->facts->app == APP_MSTURN)
		return true;
	return frame_body_fits(data, len, wire_len) &&
	       (header[0] == FRAME_DATA ? !look->from_start : !len || data[0] <= 3);
}

/* A control message proves itself; data only after a handshake, or as one of some frames in a row. */
static enum answer body(struct look *look, const uint8_t *header, const uint8_t *data,
                        uint32_t len, uint32_t wire_len)
{
	struct look message = *look;
	bool ours = look->facts->app == APP_MSTURN;

	if (header[0] == FRAME_DATA) {
		if (!ours && look->young->walk[FRAMING_MSTURN].frames + 1 < FRAMES_PROOF)
			return ANSWER_MAYBE;
		look_found(look, APP_MSTURN);
		look->young->turn = true;
		(void)look_inside(look, data, len, wire_len, true);
		return ANSWER_YES;
	}
	message.data = data;
	message.len = len;
	message.wire_len = wire_len;
	message.datagram = true;
	if (len < wire_len && len < 28)
		return ANSWER_MAYBE;
	if (msturn_message(&message) == ANSWER_YES)
		return ANSWER_YES;
	return ours ? ANSWER_MAYBE : ANSWER_NO; /* its length still leads to the next one */
}

static const struct framing FRAMING = {.which = FRAMING_MSTURN,
                                       .header = 4,
                                       .begins = begins,
                                       .body_len = body_len,
                                       .fits = fits,
                                       .body = body};

static enum answer msturn_tcp_look(struct look *look)
{
	struct frame_walk *walk = &look->young->walk[FRAMING_MSTURN];
	bool client = pattern_fits(&CLIENT_HELLO, look->data, look->len);
	const struct pattern *pattern = client ? &CLIENT_HELLO : &SERVER_HELLO;

	if (walk->known[look->side] || !pattern_fits(pattern, look->data, look->len))
		return frames_walk(look, &FRAMING);
	if (look->len < pattern->len) {
		look->keep = look->len == look->wire_len;
		return ANSWER_MAYBE;
	}
	look_found(look, APP_MSTURN);
	look_opened_by(look, client ? look->side : !look->side);
	look->young->turn = true;
	walk->known[look->side] = true;
	walk->next_seq[look->side] = look->seq + pattern->len;
	look->from_start = false;
	(void)frames_walk(look, &FRAMING);
	return ANSWER_YES;
}

const struct dissector dissector_msturn_tcp = {.name = "msturn_tcp",
                                               .app = APP_MSTURN,
                                               .tcp = true,
                                               .media = true,
                                               .begins = BIT(APP_MSTURN),
                                               .look = msturn_tcp_look};

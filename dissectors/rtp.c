/*
 * rtp.c - RTP and SRTP, whose header is in clear (RFC 3550 5.1, RFC 3711 3.1).
 *   | V 2, P, X, CC 4 | M, payload type 7 | sequence 2 | timestamp 4 | SSRC 4 | CSRC 4 * CC |
 *   | X: profile 2, length 2 in words, extension | payload |
 * One packet proves nothing: three of one source in a row do, or one where ICE or TURN opened the way.
 */
#include "dissectors/cursor.h"
#include "dissectors/list.h"

#define RTP_PROOF 3
#define SEQ_STEP_MAX 50
#define KIND_SHARE 8 /* a kind with less than one in so many packets is chance */

/*
 * What Microsoft's clients offer under each number ([MS-RTP] 2.2.1, [MS-RTASPF] 3.1.5, [MS-SDPEXT] 3.1.5.3).
 * Dynamic numbers may be agreed otherwise; one that is not here says nothing.
 */
static uint8_t kind_of(uint8_t payload_type)
{
	switch (payload_type) {
	case 0:   /* PCMU */
	case 3:   /* GSM 6.10 */
	case 4:   /* G.723.1 */
	case 8:   /* PCMA */
	case 9:   /* G.722 */
	case 13:  /* comfort noise */
	case 97:  /* redundant audio */
	case 101: /* telephone events */
	case 103: /* SILK */
	case 104:
	case 106: /* Opus */
	case 111: /* Siren */
	case 112: /* G.722.1 */
	case 114: /* RTAudio */
	case 115:
	case 116: /* AAL2-G726-32 */
	case 117: /* G.722, two channels */
	case 118: /* comfort noise, wide band */
		return MEDIA_AUDIO;
	case 34: /* H.263 */
	case 99: /* retransmission, VP8, H.264 of later clients */
	case 100:
	case 107:
	case 121: /* RTVideo */
	case 122: /* H.264 UC */
	case 123: /* forward error correction of these */
		return MEDIA_VIDEO;
	case 126: /* retransmission of 127 */
	case 127: /* application sharing, files */
		return MEDIA_DATA;
	default:
		return 0;
	}
}

static void note_payload_type(struct flow_facts *facts, uint8_t payload_type)
{
	for (unsigned i = 0; i < ARRAY_LEN(facts->payload_types); i++) {
		if (facts->payload_types[i] == payload_type)
			return;
		if (facts->payload_types[i] == 0xff) {
			facts->payload_types[i] = payload_type;
			return;
		}
	}
}

static void count_media(struct flow_facts *facts, uint8_t payload_type, unsigned packets)
{
	uint64_t all = 0;

	note_payload_type(facts, payload_type);
	for (unsigned i = 0; i < ARRAY_LEN(facts->media_packets); i++) {
		if (kind_of(payload_type) == BIT(i) &&
		    facts->media_packets[i] <= UINT32_MAX - packets)
			facts->media_packets[i] += packets;
		all += facts->media_packets[i];
	}
	facts->media = 0;
	for (unsigned i = 0; i < ARRAY_LEN(facts->media_packets); i++)
		if (facts->media_packets[i] &&
		    facts->media_packets[i] * (uint64_t)KIND_SHARE >= all)
			facts->media |= (uint8_t)BIT(i);
}

/* The memory of one source; a new one takes the place of the least proven. */
static unsigned source_of(struct young *young, unsigned side, uint32_t ssrc)
{
	unsigned worst = 0;

	for (unsigned i = 0; i < DISSECT_SSRCS; i++) {
		if (young->rtp[i].used && young->rtp[i].ssrc == ssrc &&
		    young->rtp[i].side == side)
			return i;
		if (!young->rtp[i].used ||
		    (young->rtp[worst].used && young->rtp[i].run < young->rtp[worst].run))
			worst = i;
		if (!young->rtp[worst].used)
			break;
	}
	memset(&young->rtp[worst], 0, sizeof(young->rtp[worst]));
	return worst;
}

static bool header_fits(const struct look *look, struct cursor *c, uint8_t first)
{
	uint32_t need = 12 + (first & 15u) * 4;

	cursor_skip(c, (first & 15u) * 4);
	if (first & 0x10) {
		uint16_t words;

		cursor_skip(c, 2);
		words = cursor_be16(c);
		need += 4 + words * 4u;
	}
	return need <= look->wire_len;
}

static enum answer rtp_look(struct look *look)
{
	struct cursor c = cursor_over(look->data, look->len);
	uint8_t first = cursor_u8(&c), second = cursor_u8(&c);
	uint16_t seq = cursor_be16(&c);
	uint32_t timestamp = cursor_be32(&c), ssrc = cursor_be32(&c);
	uint8_t payload_type = second & 0x7f;
	bool context = look->relayed || look_expects_media(look);
	struct young *young = look->young;
	unsigned i, packets = 1;
	uint16_t step;

	if (first >> 6 != 2 || (second >= 192 && second <= 223) || c.short_read)
		return ANSWER_NO;
	if ((payload_type > 34 && payload_type < 96) || !header_fits(look, &c, first))
		return ANSWER_NO;
	i = source_of(young, look->side, ssrc);
	step = (uint16_t)(seq - young->rtp[i].seq);
	if (young->rtp[i].used && !step)
		return context || young->rtp[i].run >= RTP_PROOF ? ANSWER_YES
		                                                 : ANSWER_MAYBE; /* a copy */
	if (young->rtp[i].used && step <= SEQ_STEP_MAX &&
	    (int32_t)(timestamp - young->rtp[i].timestamp) >= 0)
		young->rtp[i].run += young->rtp[i].run < UINT16_MAX;
	else
		young->rtp[i].run = 1;
	young->rtp[i].used = true;
	young->rtp[i].side = (uint8_t)look->side;
	young->rtp[i].ssrc = ssrc;
	young->rtp[i].seq = seq;
	young->rtp[i].timestamp = timestamp;
	young->rtp[i].payload_type = payload_type;
	if (!context) {
		if (young->rtp[i].run < RTP_PROOF)
			return ANSWER_MAYBE;
		packets = young->rtp[i].run; /* the first ones count now */
	}
	if (!look->relayed)
		look_found(look, APP_RTP);
	count_media(look->facts, payload_type, packets);
	return ANSWER_YES;
}

const struct dissector dissector_rtp = {
	.name = "rtp", .app = APP_RTP, .udp = true, .media = true, .look = rtp_look};

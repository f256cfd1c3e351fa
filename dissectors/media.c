/*
 * media.c - see media.h. A source (an SSRC of one end) carries one kind of media (RFC 3550 5.2):
 *  (1) The number most of its packets have says which, if it is assigned or offered (payload_type.h).
 *  (2) Of any other number from the dynamic range the shape of the source says so, where it is clear.
 *  (3) Every packet counted stands in exactly one of media_packets, where its source stands last.
 */
#include "dissectors/media.h"

#include "dissectors/attributes.h"
#include "dissectors/payload_type.h"

enum { AUDIO, VIDEO, DATA, OTHER }; /* indices of media_packets */

#define SHAPE_MIN 8        /* packets of a number that says nothing, before their shape does */
#define SHAPE_DATA 24      /* ... and before what has no pace is data */
#define SAMPLES_MAX 250
#define SMALL_MAX 300 /* bytes: above what speech fills */
#define LARGE_MIN 500 /* and above that, pieces of something larger */
#define SEQ_STEP_MAX 50
#define SEQ_LATE_MAX 32 /* so far behind a packet was overtaken, and is no other stream */
#define CLOCK_STEP_MIN 40
#define KIND_SHARE 16 /* one packet in so many, of three at least, is more than retransmission or chance */
#define KIND_MANY 256 /* and so many are no chance, however long the flow was something else */
#define TOLD_PACKETS 64
#define TOLD_PACKETS_MAX 256 /* while a kind is not clear */
#define TOLD_PAYLOADS_MAX 512

static uint8_t index_of(uint8_t kind)
{
	return kind == MEDIA_AUDIO ? AUDIO : kind == MEDIA_VIDEO ? VIDEO : DATA;
}

/* A new source takes a free place, or that of the least proven. */
static struct rtp_source *source_place(struct young *young, unsigned side, uint32_t ssrc)
{
	struct rtp_source *worst = &young->rtp[0];

	for (unsigned i = 0; i < DISSECT_SSRCS; i++) {
		struct rtp_source *source = &young->rtp[i];

		if (source->used && source->ssrc == ssrc && source->side == side)
			return source;
		if (worst->used && (!source->used || source->run < worst->run))
			worst = source;
	}
	memset(worst, 0, sizeof(*worst));
	worst->ssrc = ssrc;
	worst->side = (uint8_t)side;
	return worst;
}

/* Of another number nothing is known yet. */
static void sample_begin(struct rtp_source *source, uint8_t payload_type)
{
	source->payload_type = payload_type;
	source->votes = source->shape = source->sampled = 0;
	source->shared = source->markers = source->small = source->large = source->steady = 0;
	source->step = 0;
}

/* What the packet adds to the picture; `step` is that of its sequence number. */
static void sample(struct rtp_source *source, const struct rtp_header *header, uint16_t step,
                   uint32_t now_ms)
{
	uint32_t ticks = header->timestamp - source->timestamp;

	if (header->payload_type != source->payload_type) {
		if (source->votes) {
			source->votes--;
			return;
		}
		sample_begin(source, header->payload_type);
	}
	source->votes += source->votes < UINT8_MAX;
	if (source->sampled >= SAMPLES_MAX)
		return;
	if (!source->sampled) {
		source->first_timestamp = header->timestamp;
		source->first_ms = now_ms;
	} else {
		if (!source->step)
			source->step = ticks / step;
		source->shared += !ticks;
		source->steady += ticks && ticks == source->step * step;
	}
	source->last_timestamp = header->timestamp;
	source->last_ms = now_ms;
	source->sampled++;
	source->markers += header->marker;
	source->small += header->payload_len <= SMALL_MAX;
	source->large += header->payload_len >= LARGE_MIN;
}

/* Time does not go back; and by an assigned clock of 8 kHz at least no packet is of less than 5 ms. */
static bool clock_fits(const struct rtp_header *header, int32_t ticks)
{
	return ticks >= CLOCK_STEP_MIN ||
	       (ticks >= 0 && !payload_type_is_assigned(header->payload_type)) || !ticks;
}

struct rtp_source *media_source(const struct look *look, const struct rtp_header *header,
                                enum source_step *ret_step)
{
	struct rtp_source *source = source_place(look->young, look->side, header->ssrc);
	uint32_t now_ms = (uint32_t)(look->packet->time_us / 1000);
	int16_t ahead = (int16_t)(header->seq - source->seq);
	int32_t ticks = (int32_t)(header->timestamp - source->timestamp);

	if (source->used && !ahead) {
		*ret_step = SOURCE_COPY;
		return source;
	}
	/* Overtaken on its way, by the network or the mirror. */
	if (source->used && ahead < 0 && ahead >= -SEQ_LATE_MAX && ticks <= 0) {
		*ret_step = SOURCE_LATE;
		source->waiting += source->waiting < UINT16_MAX;
		return source;
	}
	if (source->used && ahead > 0 && ahead <= SEQ_STEP_MAX && clock_fits(header, ticks)) {
		*ret_step = SOURCE_FOLLOWS;
		sample(source, header, (uint16_t)ahead, now_ms);
		source->run += source->run < UINT16_MAX;
		source->waiting += source->waiting < UINT16_MAX;
	} else {
		*ret_step = SOURCE_BEGINS;
		if (source->run < RTP_PROOF)
			source->waiting = 0;
		sample_begin(source, header->payload_type);
		sample(source, header, 1, now_ms);
		source->run = 1;
		source->waiting++;
	}
	source->used = true;
	source->seq = header->seq;
	source->timestamp = header->timestamp;
	return source;
}

/*
 * 10 to 50 packets a second, evenly spaced by whole milliseconds of an audio clock (8 to 48 kHz, not
 * the 90 kHz of video and data), small, each with a timestamp of its own, the marker set now and then.
 */
static bool is_audio(const struct rtp_source *source)
{
	uint32_t elapsed_ms = source->last_ms - source->first_ms;
	uint64_t packets = (source->sampled - 1) * UINT64_C(1000);
	uint64_t ticks = (source->last_timestamp - source->first_timestamp) * UINT64_C(1000);

	return elapsed_ms && packets >= 8 * elapsed_ms &&
	       packets <= UINT64_C(120) * elapsed_ms && ticks < UINT64_C(60000) * elapsed_ms &&
	       source->step % 80 == 0 && source->steady * 4 >= (source->sampled - 1) * 3 &&
	       !source->shared && source->small * 2 > source->sampled &&
	       source->markers * 4 <= source->sampled;
}

/*
 * Frames of many large packets, or on a 90 kHz clock. The marker ends each ([MS-RTP] 2.2.1); where it does
 * not, large packets over UDP are video all the same, for sharing goes by TCP ([MS-RTASPF] 2.1).
 */
static bool is_video(const struct look *look, const struct rtp_source *source)
{
	uint32_t elapsed_ms = source->last_ms - source->first_ms;
	uint64_t ticks = (source->last_timestamp - source->first_timestamp) * UINT64_C(1000);
	unsigned frames = source->sampled - source->shared;
	bool clock = elapsed_ms >= 100 && ticks >= UINT64_C(72000) * elapsed_ms &&
	             ticks <= UINT64_C(108000) * elapsed_ms;
	bool large = source->large * 2 > source->sampled;
	bool pieces = large && source->shared * 2 >= source->sampled;
	bool marked = source->markers + 1u >= frames - frames / 8 && source->markers <= frames;

	return frames >= 3 && (pieces || (clock && frames >= 6)) &&
	       (marked || (large && look->packet->transport == TRANSPORT_UDP));
}

/* Over TCP, large, at no pace, and the marker never set ([MS-RTASPF] 3.1.5). */
static bool is_data(const struct look *look, const struct rtp_source *source)
{
	return look->packet->transport == TRANSPORT_TCP && source->sampled >= SHAPE_DATA &&
	       !source->markers && source->steady * 2 <= source->sampled &&
	       source->large * 2 > source->sampled;
}

static uint8_t shape_of(const struct look *look, const struct rtp_source *source)
{
	return is_audio(source)        ? MEDIA_AUDIO
	       : is_video(look, source) ? MEDIA_VIDEO
	       : is_data(look, source) ? MEDIA_DATA
	                               : 0;
}

/* Where packets of the source count now. Once its shape told, that stays until another is plain. */
static uint8_t count_as(const struct look *look, struct rtp_source *source)
{
	uint8_t kind = payload_type_kind(source->payload_type);

	if (!kind && source->sampled >= SHAPE_MIN) {
		uint8_t shape = shape_of(look, source);

		if (shape)
			source->shape = shape;
		kind = source->shape;
	}
	return kind ? index_of(kind) : OTHER;
}

static void add_packets(uint32_t *sum, uint32_t packets)
{
	*sum = *sum <= UINT32_MAX - packets ? *sum + packets : UINT32_MAX;
}

static bool is_noted(const struct flow_facts *facts, uint8_t payload_type)
{
	return memchr(facts->payload_types, payload_type, sizeof(facts->payload_types));
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

/* The kinds the counts stand for: the foremost, and each that is there by more than chance. */
static uint8_t kinds_of(const struct flow_facts *facts)
{
	const uint32_t *packets = facts->media_packets;
	uint64_t all = (uint64_t)packets[AUDIO] + packets[VIDEO] + packets[DATA];
	unsigned most = AUDIO;
	uint8_t kinds = 0;

	for (unsigned i = VIDEO; i < OTHER; i++)
		if (packets[i] > packets[most])
			most = i;
	for (unsigned i = 0; i < OTHER; i++)
		if ((packets[i] >= RTP_PROOF && packets[i] * (uint64_t)KIND_SHARE >= all) ||
		    packets[i] >= KIND_MANY || (packets[i] && i == most))
			kinds |= (uint8_t)BIT(i);
	return kinds;
}

void media_count(const struct look *look, struct rtp_source *source,
                 const struct rtp_header *header)
{
	struct flow_facts *facts = look->facts;
	struct young *young = look->young;
	uint8_t as = count_as(look, source);

	note_payload_type(facts, header->payload_type);
	if (source->counted && as != source->counted_as) {
		facts->media_packets[source->counted_as] -=
			facts->media_packets[source->counted_as] < source->counted
				? facts->media_packets[source->counted_as]
				: source->counted;
		add_packets(&facts->media_packets[as], source->counted);
	}
	add_packets(&facts->media_packets[as], source->waiting);
	source->counted = (uint16_t)(source->counted + source->waiting);
	source->counted_as = as;
	if (as != OTHER && BIT(as) != payload_type_kind(source->payload_type))
		facts->by_shape |= (uint8_t)BIT(as);
	facts->media = kinds_of(facts);
	facts->by_shape &= facts->media;
	if (young->media_packets <= UINT16_MAX - source->waiting)
		young->media_packets = (uint16_t)(young->media_packets + source->waiting);
	source->waiting = 0;
}

void media_tally(struct flow_facts *facts, uint8_t payload_type)
{
	uint8_t kind = payload_type_kind(payload_type);
	bool one_shape = facts->by_shape && !(facts->by_shape & (facts->by_shape - 1));

	if (!is_noted(facts, payload_type))
		return;
	if (!kind && one_shape)
		kind = facts->by_shape;
	add_packets(&facts->media_packets[kind ? index_of(kind) : OTHER], 1);
}

/* Some kind is there that is not yet told: unknown, or too few to be more than chance. */
static bool is_open(const struct flow_facts *facts)
{
	for (unsigned i = 0; i < OTHER; i++)
		if (facts->media_packets[i] && !(facts->media >> i & 1))
			return true;
	return facts->media_packets[OTHER];
}

bool media_is_told(const struct flow_facts *facts, const struct young *young)
{
	if (young->payloads[0] + young->payloads[1] >= TOLD_PAYLOADS_MAX)
		return true;
	return young->media_packets >= (is_open(facts) ? TOLD_PACKETS_MAX : TOLD_PACKETS);
}

/* What may be media in the packet, without what it is wrapped in. */
static struct cursor unwrap(const struct packet *packet)
{
	const uint8_t *data = packet->payload;
	uint32_t len = packet->payload_len;
	struct cursor c = cursor_over(data, len);

	if (packet->transport == TRANSPORT_TCP) {
		cursor_skip(&c, len > 4 && data[0] == 3 && !data[1] ? 4 : 2);
	} else if (len > 12 && data[0] == 0xff && data[1] == 0x10) {
		cursor_skip(&c, 12);
		if (msturn_is_marked(c.at, c.left))
			return turn_data(c.at, c.left);
	} else if (data[0] >= 0x40 && data[0] < 0x80) {
		cursor_skip(&c, 4);
	} else if (len > STUN_HEADER && data[0] < 2) {
		return turn_data(data, len);
	}
	return c;
}

bool media_may_be_new(const struct flow_facts *facts, const struct packet *packet)
{
	struct cursor c = unwrap(packet);
	uint8_t first = cursor_u8(&c), second = cursor_u8(&c), kind;

	if (c.short_read || !rtp_begins(first, second))
		return false;
	if (!facts->media)
		return true;
	/* A number that was seen is news only if the offer alone was believed of others. */
	kind = payload_type_kind(second & 0x7f);
	if (is_noted(facts, second & 0x7f))
		return kind && !facts->by_shape && !(facts->media & kind);
	return kind ? !(facts->media & kind) : is_noted(facts, 0xff);
}

/*
 * stun.c - STUN binding, ICE checks and standard TURN (RFC 5389, RFC 8445, RFC 5766), with the cookie
 * or in the older form that [MS-ICE2] allows and RFC 3489 had; over UDP, framed, and bare over TCP.
 */
#include "dissectors/stun.h"

#include "dissectors/list.h"

#include <xxhash.h>

enum {
	METHOD_BINDING = 1,
	METHOD_ALLOCATE = 3,
	METHOD_SEND = 6,
	METHOD_DATA = 7,
	METHOD_CHANNEL_BIND = 9
};
enum {
	ATTRIBUTE_USERNAME = 0x0006,
	ATTRIBUTE_PEER = 0x0012, /* XOR-PEER-ADDRESS */
	ATTRIBUTE_PRIORITY = 0x0024,
	ATTRIBUTE_USE_CANDIDATE = 0x0025,
	ATTRIBUTE_FINGERPRINT = 0x8028,
	ATTRIBUTE_CONTROLLED = 0x8029,
	ATTRIBUTE_CONTROLLING = 0x802a,
	ATTRIBUTE_CANDIDATE = 0x8054,      /* [MS-ICE2] 2.2 */
	ATTRIBUTE_IMPLEMENTATION = 0x8070, /* [MS-ICE2] 2.2 */
};
#define FINGERPRINT_XOR 0x5354554e

static unsigned class_of(uint16_t type)
{
	return (type >> 4 & 1) | (type >> 7 & 2);
}

static unsigned method_of(uint16_t type)
{
	return (type & 0xf) | (type & 0xe0) >> 1 | (type & 0x3e00) >> 2;
}

/* An address: | 0 | family 1, 2 | port | address |, XORed or not. */
static bool is_address(const struct attribute *attribute)
{
	return (attribute->len == 8 && attribute->value[1] == 1) ||
	       (attribute->len == 20 && attribute->value[1] == 2);
}

/*
 * Without the cookie only the attributes can prove it: each one of RFC 3489 11.2, RFC 8445 16.1 or
 * [MS-ICE2] 2.2, of the length it must have, up to the exact end.
 */
static bool attribute_is_old(const struct attribute *attribute)
{
	switch (attribute->type) {
	case 0x0001: /* mapped, response, source, changed, reflected address */
	case 0x0002:
	case 0x0004:
	case 0x0005:
	case 0x000b:
	case 0x0020: /* XOR mapped address, and its numbers in drafts */
	case 0x8020:
	case 0x8022:
		return is_address(attribute) || attribute->type == 0x8022;
	case 0x0003:
	case 0x0024:
	case 0x8028:
	case 0x8054:
	case 0x8070:
		return attribute->len >= 4 && attribute->len <= 8;
	case 0x0025:
		return attribute->len == 0;
	case 0x0008:
		return attribute->len == 20 || attribute->len == 32;
	case 0x8029:
	case 0x802a:
		return attribute->len == 8;
	case 0x0006:
	case 0x0007:
	case 0x0009:
	case 0x000a:
		return attribute->len >= 2 && attribute->len <= 763;
	default:
		return false;
	}
}

/*
 * CRC-32 of ITU V.42 (RFC 5389 15.5). `misprint`: by the table printed in [MS-ICE2] 3.1.4.8.2, one entry of
 * which lacks a digit; its implementers sent it so.
 */
static uint32_t crc32(const uint8_t *data, uint32_t len, bool misprint)
{
	uint32_t crc = 0xffffffff;

	while (len--) {
		uint32_t entry = (crc ^ *data++) & 0xff;

		for (unsigned bit = 0; bit < 8; bit++)
			entry = entry >> 1 ^ (entry & 1 ? 0xedb88320 : 0);
		if (misprint && entry == 0x8bbeb8ea)
			entry = 0x08bbe8ea;
		crc = crc >> 8 ^ entry;
	}
	return ~crc;
}

/* What a message's attributes tell, as far as they were captured. */
struct told {
	bool fits;     /* they end where the message does */
	bool all_old;  /* see above; at least one */
	bool printed;  /* the last one is a FINGERPRINT ... */
	uint32_t seal; /* ... of this value */
	struct attribute data, peer;
	struct stun_binding binding;
};

static void read_attribute(const struct attribute *attribute, struct told *told)
{
	struct stun_binding *binding = &told->binding;

	switch (attribute->type) {
	case ATTRIBUTE_DATA:
		told->data = *attribute;
		break;
	case ATTRIBUTE_PEER:
		told->peer = *attribute;
		break;
	case ATTRIBUTE_USERNAME:
		binding->name = attribute->value;
		binding->name_len = attribute->len;
		break;
	case ATTRIBUTE_PRIORITY:
	case ATTRIBUTE_USE_CANDIDATE:
	case ATTRIBUTE_CONTROLLED:
	case ATTRIBUTE_CONTROLLING:
	case ATTRIBUTE_CANDIDATE:
	case ATTRIBUTE_IMPLEMENTATION:
		binding->check = true;
		break;
	default:
		break;
	}
}

static struct told read_attributes(const uint8_t *data, uint32_t len, uint32_t wire_len)
{
	struct cursor c = cursor_over(data + STUN_HEADER, len - STUN_HEADER);
	struct told told = {.all_old = true};
	struct attribute attribute;
	unsigned count = 0;

	while (attribute_next(&c, ALIGN_STUN, &attribute)) {
		count++;
		told.all_old &= attribute_is_old(&attribute);
		told.printed = attribute.type == ATTRIBUTE_FINGERPRINT && attribute.len == 4;
		if (told.printed) {
			struct cursor value = cursor_over(attribute.value, 4);

			told.seal = cursor_be32(&value);
		}
		read_attribute(&attribute, &told);
	}
	told.fits = !c.short_read || len < wire_len;
	told.all_old &= count && !c.short_read && len == wire_len;
	told.printed &= !c.short_read;
	return told;
}

/*
 * Whether it is STUN for certain: by the cookie or, without, by its attributes, over which a
 * FINGERPRINT has the last word.
 */
static bool is_proven(const uint8_t *data, uint32_t len, const struct stun_header *header,
                      const struct told *told)
{
	if (!told->fits)
		return false;
	if (header->cookie == STUN_COOKIE)
		return true;
	if (method_of(header->type) != METHOD_BINDING)
		return false;
	if (told->printed)
		return (crc32(data, len - 8, false) ^ FINGERPRINT_XOR) == told->seal ||
		       (crc32(data, len - 8, true) ^ FINGERPRINT_XOR) == told->seal;
	return told->all_old;
}

/* Reads the message that takes up the bytes exactly. */
static bool message_read(const uint8_t *data, uint32_t len, uint32_t wire_len,
                         struct stun_header *header, struct told *told)
{
	if (len < STUN_HEADER || data[0] > 0x3f || !stun_read(data, len, wire_len, header))
		return false;
	*told = read_attributes(data, len, wire_len);
	told->binding.class = (enum stun_class)class_of(header->type);
	told->binding.transaction = (uint32_t)XXH3_64bits(header->id, 12);
	return is_proven(data, len, header, told);
}

bool stun_binding_read(const uint8_t *data, uint32_t len, uint32_t wire_len,
                       struct stun_binding *ret)
{
	struct stun_header header;
	struct told told;

	if (!message_read(data, len, wire_len, &header, &told) ||
	    method_of(header.type) != METHOD_BINDING)
		return false;
	*ret = told.binding;
	return true;
}

enum { MARK_CHECK, MARK_ANSWER };

static bool tx_is_known(const struct young *young, unsigned side, uint32_t transaction,
                        unsigned mark)
{
	for (unsigned i = 0; i < DISSECT_CHECKS; i++)
		if (young->stun_tx[side][i] == ((transaction & ~1u) | mark))
			return true;
	return false;
}

static void tx_remember(struct young *young, unsigned side, uint32_t transaction, unsigned mark)
{
	if (tx_is_known(young, side, transaction, mark))
		return; /* sent again */
	young->stun_tx[side][young->stun_tx_next[side]] = (transaction & ~1u) | mark;
	young->stun_tx_next[side] =
		(uint8_t)((young->stun_tx_next[side] + 1u) % DISSECT_CHECKS);
}

/*
 * A check is answered when a success carries the id of one of the other end's (RFC 8445 7.2.5); taps may show the
 * answer first. A success alone proves nothing, for whoever wants to can send one: of a peer of which the mirror
 * shows one end nothing is known. On a flow to a relay it is the peer behind it that answers, and says nothing
 * of the relay.
 */
static void binding(struct look *look, const struct stun_binding *binding)
{
	struct young *young = look->young;
	unsigned side = look->side;

	if (young->turn || look->facts->app == APP_MSTURN)
		return;
	switch (binding->class) {
	case STUN_REQUEST:
		if (!binding->check && !binding->name) {
			look_asked(look, ASKED_STUN);
			break;
		}
		if (tx_is_known(young, !side, binding->transaction, MARK_ANSWER))
			look->facts->ice |= (uint8_t)BIT(!side);
		tx_remember(young, side, binding->transaction, MARK_CHECK);
		break;
	case STUN_SUCCESS:
		if (tx_is_known(young, !side, binding->transaction, MARK_CHECK))
			look->facts->ice |= (uint8_t)BIT(side);
		tx_remember(young, side, binding->transaction, MARK_ANSWER);
		break;
	default:
		break;
	}
}

/*
 * Standard TURN (RFC 5766): requests come from the client, Data indications from the server. A
 * permission or a Send tries a peer; a channel or Data says that it is there.
 */
static void turn(struct look *look, const struct stun_header *header, const struct told *told)
{
	unsigned method = method_of(header->type);
	unsigned class = class_of(header->type);

	look->young->turn = true;
	if (method == METHOD_CHANNEL_BIND)
		look->young->channel = true;
	if (class == STUN_REQUEST || (class == STUN_INDICATION && method == METHOD_SEND))
		look_opened_by(look, look->side);
	else
		look_opened_by(look, !look->side);
	if (class == STUN_REQUEST && method == METHOD_ALLOCATE)
		look_asked(look, ASKED_TURN_ALLOCATE);
	if (told->peer.value && (method == METHOD_DATA || method == METHOD_CHANNEL_BIND ||
	                         addr_is_unspecified(&look->facts->relayed)))
		(void)attribute_address(&told->peer, look->data + 4, &look->facts->relayed,
		                        &look->facts->relayed_port);
	if (told->data.len)
		(void)look_inside(look, told->data.value, told->data.len, told->data.len, true);
}

static enum answer message(struct look *look)
{
	struct stun_header header;
	struct told told;

	if (!message_read(look->data, look->len, look->wire_len, &header, &told))
		return ANSWER_NO;
	if (look->relayed)
		return ANSWER_YES; /* between the peers of a relay, not between the ends of this flow */
	look_found(look, APP_STUN);
	if (method_of(header.type) == METHOD_BINDING)
		binding(look, &told.binding);
	else if (header.cookie == STUN_COOKIE && method_of(header.type) >= METHOD_ALLOCATE &&
	         method_of(header.type) <= METHOD_CHANNEL_BIND)
		turn(look, &header, &told);
	return ANSWER_YES;
}

/*
 * Bare over TCP (RFC 5389 7.2.2) the length says where the next one begins, and the cookie must be there.
 * ChannelData stands between the messages once a channel is bound, padded to 4 (RFC 5766 11.5).
 * Returns the length of what begins with these bytes, as far as they go; 0: nothing does.
 */
static uint32_t stream_len(const struct look *look, const uint8_t *b, uint32_t len)
{
	static const uint8_t cookie[] = {0x21, 0x12, 0xa4, 0x42};
	uint32_t value = len >= 4 ? (uint32_t)b[2] << 8 | b[3] : 0;

	if (b[0] >> 6 == 1 && look->young->channel)
		return 4 + (value + 3) / 4 * 4;
	if (b[0] > 1 || value % 4 ||
	    (len > 4 && memcmp(b + 4, cookie, len - 4 < 4 ? len - 4 : 4)))
		return 0;
	return STUN_HEADER + value;
}

static enum answer stream(struct look *look)
{
	bool cut = look->len < look->wire_len;
	enum answer answer = ANSWER_NO;
	uint32_t pos = 0;

	while (pos < look->len) {
		struct look one = *look;
		uint32_t left = look->len - pos;
		uint32_t len = stream_len(look, look->data + pos, left);

		if (!len)
			return answer;
		if (left < 4 || left < len) {
			look->keep = !cut;
			look->keep_from = pos;
			return answer == ANSWER_NO ? ANSWER_MAYBE : answer;
		}
		one.data += pos;
		one.len = one.wire_len = len;
		one.datagram = true;
		if ((one.data[0] >> 6 == 1 ? dissector_channel.look(&one) : message(&one)) !=
		    ANSWER_YES)
			return answer;
		answer = ANSWER_YES;
		pos += len;
	}
	return answer;
}

static enum answer stun_look(struct look *look)
{
	if (look->packet->transport == TRANSPORT_TCP && !look->datagram)
		return stream(look);
	return message(look);
}

const struct dissector dissector_stun = {.name = "stun",
                                         .app = APP_STUN,
                                         .tcp = true,
                                         .udp = true,
                                         .media = true,
                                         .begins = BIT(APP_STUN),
                                         .look = stun_look};

/*
 * stun.c - STUN binding, ICE checks and standard TURN (RFC 5389, RFC 8445, RFC 5766), with the cookie
 * or in the older form that [MS-ICE2] allows and RFC 3489 had; over UDP, framed, and bare over TCP.
 */
#include "dissectors/attributes.h"
#include "dissectors/list.h"

enum {
	METHOD_BINDING = 1,
	METHOD_ALLOCATE = 3,
	METHOD_SEND = 6,
	METHOD_DATA = 7,
	METHOD_CHANNEL_BIND = 9
};
enum { CLASS_REQUEST, CLASS_INDICATION, CLASS_SUCCESS, CLASS_ERROR };
enum {
	ATTRIBUTE_USERNAME = 0x0006,
	ATTRIBUTE_DATA = 0x0013,
	ATTRIBUTE_PRIORITY = 0x0024,
	ATTRIBUTE_CANDIDATE = 0x8054,      /* [MS-ICE2] 2.2 */
	ATTRIBUTE_IMPLEMENTATION = 0x8070, /* [MS-ICE2] 2.2 */
};

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

/* What a message's attributes tell, as far as they were captured. */
struct told {
	bool fits;    /* they end where the message does */
	bool all_old; /* see above; at least one */
	bool check;   /* an ICE check, not a question to a STUN server */
	struct attribute data;
};

static struct told read_attributes(const struct look *look)
{
	struct cursor c = cursor_over(look->data + STUN_HEADER, look->len - STUN_HEADER);
	struct told told = {.all_old = true};
	struct attribute attribute;
	unsigned count = 0;

	while (attribute_next(&c, &attribute)) {
		count++;
		told.all_old &= attribute_is_old(&attribute);
		if (attribute.type == ATTRIBUTE_DATA)
			told.data = attribute;
		if (attribute.type == ATTRIBUTE_PRIORITY ||
		    attribute.type == ATTRIBUTE_CANDIDATE ||
		    attribute.type == ATTRIBUTE_IMPLEMENTATION)
			told.check = true;
	}
	told.fits = !c.short_read || look->len < look->wire_len;
	told.all_old &= count && !c.short_read;
	return told;
}

/*
 * A check is answered when a success carries the id of the other end's last one (RFC 8445 7.2.5). On
 * a flow to a relay it is the peer behind it that answers, and says nothing of the relay.
 */
static void binding(struct look *look, const struct stun_header *header,
                    const struct told *told)
{
	struct young *young = look->young;
	unsigned side = look->side;

	switch (class_of(header->type)) {
	case CLASS_REQUEST:
		if (!told->check) {
			if (!young->turn)
				look_asked(look, ASKED_STUN);
			break;
		}
		memcpy(young->stun_tx[side], header->id, sizeof(young->stun_tx[side]));
		young->stun_checked[side] = true;
		break;
	case CLASS_SUCCESS:
		if (!young->turn && look->facts->app != APP_MSTURN &&
		    young->stun_checked[!side] &&
		    !memcmp(young->stun_tx[!side], header->id, sizeof(young->stun_tx[!side])))
			look->facts->ice |= (uint8_t)BIT(side);
		break;
	default:
		break;
	}
}

/* Standard TURN (RFC 5766): requests come from the client, Data indications from the server. */
static void turn(struct look *look, const struct stun_header *header, const struct told *told)
{
	unsigned method = method_of(header->type);
	unsigned class = class_of(header->type);

	look->young->turn = true;
	if (method == METHOD_CHANNEL_BIND)
		look->young->channel = true;
	if (class == CLASS_REQUEST || (class == CLASS_INDICATION && method == METHOD_SEND))
		look_opened_by(look, look->side);
	else
		look_opened_by(look, !look->side);
	if (class == CLASS_REQUEST && method == METHOD_ALLOCATE)
		look_asked(look, ASKED_TURN_ALLOCATE);
	if (told->data.len)
		(void)look_inside(look, told->data.value, told->data.len, told->data.len, true);
}

static enum answer message(struct look *look)
{
	struct stun_header header;
	struct told told;

	if (look->len < STUN_HEADER || look->data[0] > 0x3f)
		return ANSWER_NO;
	if (!stun_read(look->data, look->len, look->wire_len, &header))
		return ANSWER_NO;
	told = read_attributes(look);
	if (!told.fits)
		return ANSWER_NO;
	if (header.cookie != STUN_COOKIE &&
	    (method_of(header.type) != METHOD_BINDING || !told.all_old))
		return ANSWER_NO;
	if (look->relayed)
		return ANSWER_YES; /* between the peers of a relay, not between the ends of this flow */
	look_found(look, APP_STUN);
	if (method_of(header.type) == METHOD_BINDING)
		binding(look, &header, &told);
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

	if (b[0] >> 4 == 4 && look->young->channel)
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
		if ((one.data[0] >> 4 == 4 ? dissector_channel.look(&one) : message(&one)) !=
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

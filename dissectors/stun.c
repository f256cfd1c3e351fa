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
	told.all_old &= count && !c.short_read && look->len == look->wire_len;
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

/* Bare over TCP (RFC 5389 7.2.2) the length says where the next one begins; the cookie must be there. */
static enum answer stream(struct look *look)
{
	struct look one = *look;
	enum answer answer = ANSWER_NO;

	while (one.len >= 8) {
		struct cursor c = cursor_over(one.data, one.len);
		uint16_t type = cursor_be16(&c);
		uint32_t len = cursor_be16(&c) + 20u;

		if (type & 0xc000 || len % 4 || cursor_be32(&c) != STUN_COOKIE)
			return answer;
		if (len > one.len)
			break;
		one.wire_len = len;
		one.len = len;
		if (message(&one) != ANSWER_YES)
			return answer;
		answer = ANSWER_YES;
		one.data += len;
		one.len = (uint32_t)(look->data + look->len - one.data);
	}
	if (!one.len || one.len < look->len)
		return answer; /* the first one was whole */
	if (one.data[0] > 1 || (one.len >= 8 && look->len < look->wire_len))
		return ANSWER_NO;
	if (one.len < 8) {
		static const uint8_t cookie[] = {0x21, 0x12, 0xa4, 0x42};

		if (one.len > 4 && memcmp(one.data + 4, cookie, one.len - 4))
			return ANSWER_NO;
	}
	look->keep = true;
	return ANSWER_MAYBE;
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

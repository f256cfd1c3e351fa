/*
 * msturn.c - MS-TURN messages and multiplexed TURN over UDP ([MS-TURN] 2.2). Its mark is the magic
 * cookie, always the first attribute; the 16 bytes before it may be anything.
 */
#include "dissectors/msturn.h"

#include "dissectors/attributes.h"

/* Of each pair the request; its response has 0x0100, its error 0x0110 on top. */
enum {
	TYPE_ALLOCATE = 0x0003,
	TYPE_SEND = 0x0004,
	TYPE_SET_ACTIVE = 0x0006,
	TYPE_DATA = 0x0115,
};
#define NO_REQUEST 0x0110
enum { ATTRIBUTE_DESTINATION = 0x0011, ATTRIBUTE_REMOTE = 0x0012 };

enum answer msturn_message(struct look *look)
{
	struct cursor c = cursor_over(look->data, look->len);
	struct stun_header header;
	struct attribute attribute;
	unsigned align;

	if (!msturn_read(look->data, look->len, look->wire_len, &header) ||
	    !msturn_is_marked(look->data, look->len))
		return ANSWER_NO;
	look_found(look, APP_MSTURN);
	look->young->turn = true;
	look_opened_by(look, header.type & NO_REQUEST ? !look->side : look->side);
	if (header.type == TYPE_ALLOCATE)
		look_asked(look, ASKED_TURN_ALLOCATE);
	align = msturn_align(look->data, look->len);
	cursor_skip(&c, STUN_HEADER);
	while (attribute_next(&c, align, &attribute)) {
		/* A Send tries a peer; Data, or making it the active one, says that it is there. */
		if (attribute.type == ATTRIBUTE_REMOTE ||
		    (attribute.type == ATTRIBUTE_DESTINATION &&
		     (header.type == TYPE_SET_ACTIVE ||
		      addr_is_unspecified(&look->facts->relayed))))
			(void)attribute_address(&attribute, NULL, &look->facts->relayed,
			                        &look->facts->relayed_port);
		if (attribute.type == ATTRIBUTE_DATA &&
		    (header.type == TYPE_SEND || header.type == TYPE_DATA))
			(void)look_inside(look, attribute.value, attribute.len, attribute.len,
			                  true);
	}
	return ANSWER_YES;
}

/*
 * [MS-TURN] 2.2.3: | ff 10 | length 2, of what follows | session id 8 | one message |, of MS-TURN itself or what
 * the peer sent.
 */
static enum answer multiplexed(struct look *look)
{
	struct cursor c = cursor_over(look->data, look->len);
	uint16_t mark = cursor_be16(&c), len = cursor_be16(&c);
	struct look inside = *look;

	cursor_skip(&c, 8);
	if (c.short_read || mark != 0xff10 || len + 4u != look->wire_len)
		return ANSWER_NO;
	look_found(look, APP_MSTURN);
	look->young->turn = true;
	inside.data = c.at;
	inside.len = c.left;
	inside.wire_len = len - 8u;
	inside.datagram = true;
	if (msturn_message(&inside) != ANSWER_YES)
		(void)look_inside(look, c.at, c.left, len - 8u, true);
	return ANSWER_YES;
}

static enum answer msturn_look(struct look *look)
{
	if (look->data[0] == 0xff)
		return multiplexed(look);
	return look->data[0] <= 3 ? msturn_message(look) : ANSWER_NO;
}

const struct dissector dissector_msturn = {
	.name = "msturn", .app = APP_MSTURN, .udp = true, .media = true, .look = msturn_look};

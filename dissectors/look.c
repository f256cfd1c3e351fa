/*
 * look.c - what the answers of dissectors do to the facts of a flow; see dissector.h.
 */
#include "dissectors/list.h"

/* 0: an application that never gives way. */
static unsigned rank(enum app app)
{
	switch (app) {
	case APP_STUN:
		return 1;
	case APP_DTLS:
		return 2;
	case APP_RTCP:
		return 3;
	case APP_RTP:
		return 4;
	case APP_MSTURN:
		return 5;
	default:
		return 0;
	}
}

void look_found(struct look *look, enum app app)
{
	struct flow_facts *facts = look->facts;

	if (facts->evidence == EVIDENCE_DISSECTOR &&
	    !(look->inner && facts->app == APP_HTTP) &&
	    (!rank((enum app)facts->app) || rank(app) <= rank((enum app)facts->app)))
		return;
	facts->app = (uint16_t)app;
	facts->evidence = EVIDENCE_DISSECTOR;
}

void look_opened_by(struct look *look, unsigned side)
{
	if (look->facts->initiator_by >= INITIATOR_REQUEST)
		return;
	look->facts->initiator = (uint8_t)side;
	look->facts->initiator_by = INITIATOR_REQUEST;
}

void look_asked(struct look *look, uint8_t asked)
{
	struct flow_facts *facts = look->facts;

	facts->asked |= asked;
	if (!facts->tries)
		facts->first_try_us = look->packet->time_us;
	facts->last_try_us = look->packet->time_us;
	if (facts->tries < UINT16_MAX)
		facts->tries++;
}

void look_name(struct look *look, enum name_kind kind, const uint8_t *name, uint32_t len)
{
	if (look->facts->name_kind != NAME_NONE)
		return;
	if (len && name[len - 1] == '.')
		len--;
	if (!len || len > NAME_MAX_LEN)
		return;
	for (uint32_t i = 0; i < len; i++) {
		uint8_t b = name[i];

		if (b >= 'A' && b <= 'Z')
			b |= 0x20;
		look->name[i] = b > ' ' && b < 0x7f ? (char)b : '?';
	}
	look->name[len] = '\0';
	look->facts->name_kind = (uint8_t)kind;
}

bool look_expects_media(const struct look *look)
{
	return look->facts->ice || look->young->turn || look->facts->app == APP_MSTURN ||
	       look->facts->app == APP_RTP || !addr_is_unspecified(&look->facts->relayed);
}

enum answer look_inside(const struct look *outer, const uint8_t *data, uint32_t len,
                        uint32_t wire_len, bool relayed)
{
	static const struct dissector *const media[] = {&dissector_stun, &dissector_dtls,
	                                                &dissector_rtcp, &dissector_rtp};
	struct look inner = *outer;

	inner.data = data;
	inner.len = len;
	inner.wire_len = wire_len;
	inner.datagram = true;
	inner.relayed |= relayed;
	for (unsigned i = 0; i < ARRAY_LEN(media); i++) {
		enum answer answer = media[i]->look(&inner);

		if (answer != ANSWER_NO)
			return answer;
	}
	return ANSWER_NO;
}

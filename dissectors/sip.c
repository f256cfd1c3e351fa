/*
 * sip.c - SIP in clear text (RFC 3261 7.1, 7.2), over UDP and TCP.
 *   METHOD SP sip:... SP SIP/2.0      |      SIP/2.0 SP NNN SP reason
 */
#include "dissectors/line.h"
#include "dissectors/list.h"

static const char *const METHODS[] = {
	"INVITE ",  "ACK ",       "BYE ",     "CANCEL ",   "OPTIONS ",  "REGISTER ",
	"PRACK ",   "SUBSCRIBE ", "NOTIFY ",  "PUBLISH ",  "INFO ",     "REFER ",
	"MESSAGE ", "UPDATE ",    "SERVICE ", "BENOTIFY ", "NEGOTIATE "};

static enum line begins_sip(const uint8_t *data, uint32_t len, bool *ret_reply)
{
	enum line best = line_begins(data, len, "SIP/2.0 ");

	*ret_reply = best == LINE_YES;
	for (unsigned i = 0; i < ARRAY_LEN(METHODS); i++) {
		enum line this = line_begins(data, len, METHODS[i]);

		if (this > best)
			best = this;
	}
	return best;
}

static enum answer sip_look(struct look *look)
{
	bool tcp = look->packet->transport == TRANSPORT_TCP;
	int64_t len;
	bool is_reply;
	uint32_t text;

	if (look->facts->app == APP_SIP)
		return ANSWER_YES;
	switch (begins_sip(look->data, look->len, &is_reply)) {
	case LINE_NO:
		return ANSWER_NO;
	case LINE_MORE:
		look->keep = tcp;
		return tcp ? ANSWER_MAYBE : ANSWER_NO;
	case LINE_YES:
		break;
	}
	len = line_len(look->data, look->len);
	text = len < 0 ? look->len : (uint32_t)len;
	if (!line_is_text(look->data, text))
		return ANSWER_NO;
	if (len < 0) {
		look->keep = tcp && look->len == look->wire_len;
		return tcp || look->len < look->wire_len ? ANSWER_MAYBE : ANSWER_NO;
	}
	while (text && look->data[text - 1] == '\r')
		text--;
	if (!is_reply && (text < 8 || memcmp(look->data + text - 8, " SIP/2.0", 8)))
		return ANSWER_NO;
	if (is_reply && (text < 11 || look->data[8] < '1' || look->data[8] > '6'))
		return ANSWER_NO;
	look_found(look, APP_SIP);
	return ANSWER_YES;
}

const struct dissector dissector_sip = {.name = "sip",
                                        .app = APP_SIP,
                                        .tcp = true,
                                        .udp = true,
                                        .begins = BIT(APP_SIP),
                                        .look = sip_look};

/*
 * http.c - HTTP/1 (RFC 9112 2.1): a request line with its Host, or a status line seen alone.
 *   METHOD SP target SP HTTP/1.x      |      HTTP/1.x SP NNN
 */
#include "dissectors/line.h"
#include "dissectors/list.h"

static const char *const METHODS[] = {
	"GET ",     "POST ",      "HEAD ",  "PUT ",         "OPTIONS ",     "DELETE ",
	"CONNECT ", "PATCH ",     "TRACE ", "PROPFIND ",    "PROPPATCH ",   "MKCOL ",
	"COPY ",    "MOVE ",      "LOCK ",  "UNLOCK ",      "REPORT ",      "SUBSCRIBE ",
	"NOTIFY ",  "BITS_POST ", "PRI ",   "RPC_IN_DATA ", "RPC_OUT_DATA "};

static enum line begins_request(const uint8_t *data, uint32_t len)
{
	enum line best = LINE_NO;

	for (unsigned i = 0; i < ARRAY_LEN(METHODS); i++) {
		enum line this = line_begins(data, len, METHODS[i]);

		if (this > best)
			best = this;
	}
	return best;
}

/* The host of "host:port", "[address]:port". */
static void note_host(struct look *look, const uint8_t *value, uint32_t len)
{
	const uint8_t *end;

	while (len && (*value == ' ' || *value == '\t')) {
		value++;
		len--;
	}
	while (len &&
	       (value[len - 1] == ' ' || value[len - 1] == '\r' || value[len - 1] == '\t'))
		len--;
	if (len && value[0] == '[') {
		end = memchr(value, ']', len);
		value++;
		len = end ? (uint32_t)(end - value) : 0;
	} else {
		end = len ? memchr(value, ':', len) : NULL;
		len = end ? (uint32_t)(end - value) : len;
	}
	look_name(look, NAME_HTTP_HOST, value, len);
}

/* Header lines from `pos` on, to Host or to the empty line; a line cut by the segment is kept. */
static void headers(struct look *look, uint32_t pos)
{
	for (;;) {
		const uint8_t *line = look->data + pos;
		int64_t len = line_len(line, look->len - pos);

		if (len < 0)
			break;
		if (len == 0 || (len == 1 && line[0] == '\r')) {
			look->done = true;
			return;
		}
		if (len > 5 && !strncasecmp((const char *)line, "host:", 5)) {
			note_host(look, line + 5, (uint32_t)len - 5);
			look->done = true;
			return;
		}
		pos += (uint32_t)len + 1;
	}
	look->keep = true;
	look->keep_from = pos;
}

static enum answer request(struct look *look)
{
	int64_t len = line_len(look->data, look->len);
	uint32_t text = len < 0 ? look->len : (uint32_t)len;
	const uint8_t *version;

	if (!line_is_text(look->data, text))
		return ANSWER_NO;
	if (len < 0) {
		look->keep = look->len == look->wire_len;
		return ANSWER_MAYBE;
	}
	version = line_find(look->data, text, " HTTP/");
	if (!version || look->data + text - version < 9 || version[6] < '1' || version[6] > '2')
		return ANSWER_NO;
	look_found(look, APP_HTTP);
	look_opened_by(look, look->side);
	headers(look, text + 1);
	return ANSWER_YES;
}

static enum answer reply(struct look *look)
{
	const uint8_t *b = look->data;

	if (look->len < 12) {
		look->keep = look->len == look->wire_len;
		return ANSWER_MAYBE;
	}
	if (b[7] < '0' || b[7] > '1' || b[8] != ' ' || b[9] < '1' || b[9] > '5' ||
	    b[10] < '0' || b[10] > '9' || b[11] < '0' || b[11] > '9')
		return ANSWER_NO;
	look_found(look, APP_HTTP);
	look_opened_by(look, !look->side);
	return ANSWER_YES;
}

static enum answer http_look(struct look *look)
{
	bool ours = look->facts->app == APP_HTTP;

	if (ours && look->resumed) {
		headers(look, 0);
		return ANSWER_YES;
	}
	if (ours)
		return ANSWER_YES;
	switch (line_begins(look->data, look->len, "HTTP/1.")) {
	case LINE_YES:
		return reply(look);
	case LINE_MORE:
		look->keep = true;
		return ANSWER_MAYBE;
	case LINE_NO:
		break;
	}
	switch (begins_request(look->data, look->len)) {
	case LINE_YES:
		return request(look);
	case LINE_MORE:
		look->keep = true;
		return ANSWER_MAYBE;
	case LINE_NO:
		break;
	}
	return ANSWER_NO;
}

const struct dissector dissector_http = {.name = "http",
                                         .app = APP_HTTP,
                                         .tcp = true,
                                         .begins = BIT(APP_HTTP),
                                         .look = http_look};

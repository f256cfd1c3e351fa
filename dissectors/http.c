/*
 * http.c - HTTP/1 (RFC 9112 2.1): a request line with its Host, or a status line seen alone; and what
 * a proxy is asked for, which others then read (CONNECT, RFC 9110 9.3.6).
 *   METHOD SP target SP HTTP/1.x      |      HTTP/1.x SP NNN
 */
#include "dissectors/line.h"
#include "dissectors/list.h"

#define METHOD_MAX 20 /* registered ones have up to 17 letters */

/* METHOD SP: a token (RFC 9110 9.1), and all of them are in capitals, some with '-' or '_'. */
static enum line begins_request(const uint8_t *data, uint32_t len)
{
	for (uint32_t i = 0; i < len && i <= METHOD_MAX; i++) {
		if (data[i] == ' ' && i)
			return LINE_YES;
		if ((data[i] < 'A' || data[i] > 'Z') && data[i] != '-' && data[i] != '_')
			return LINE_NO;
	}
	return len > METHOD_MAX ? LINE_NO : LINE_MORE;
}

/* "host", "host:port", "[address]:port". */
struct authority {
	const uint8_t *host;
	uint32_t len;
	uint16_t port; /* 0: none, or none that is one */
};

static struct authority read_authority(const uint8_t *text, uint32_t len)
{
	struct authority authority = {.host = text};
	const uint8_t *end = text + len, *colon = NULL, *bracket = NULL;
	uint32_t port = 0;

	if (len && text[0] == '[')
		bracket = memchr(text, ']', len);
	if (bracket)
		authority.host = text + 1;
	colon = memchr(bracket ? bracket : text, ':',
	               (size_t)(end - (bracket ? bracket : text)));
	authority.len = (uint32_t)((bracket ? bracket : colon ? colon : end) - authority.host);
	for (const uint8_t *at = colon ? colon + 1 : end; at < end; at++) {
		if (*at < '0' || *at > '9' || port > UINT16_MAX)
			return authority;
		port = port * 10 + *at - '0';
	}
	authority.port = port <= UINT16_MAX ? (uint16_t)port : 0;
	return authority;
}

static void note_host(struct look *look, const uint8_t *value, uint32_t len)
{
	struct authority authority;

	while (len && (*value == ' ' || *value == '\t')) {
		value++;
		len--;
	}
	while (len &&
	       (value[len - 1] == ' ' || value[len - 1] == '\r' || value[len - 1] == '\t'))
		len--;
	authority = read_authority(value, len);
	look_name(look, NAME_HTTP_HOST, authority.host, authority.len);
}

/*
 * The target of a request names the host where it is a proxy that is asked, and then Host says nothing
 * (RFC 9112 3.2.2, 3.2.3): "http://host/path", and of CONNECT "host:port". True for a CONNECT.
 */
static bool note_target(struct look *look, const uint8_t *line, uint32_t len)
{
	const uint8_t *target = memchr(line, ' ', len), *end, *host;
	struct authority authority;

	if (!target)
		return false;
	target++;
	end = memchr(target, ' ', (size_t)(line + len - target));
	if (!end)
		return false;
	if (line_begins(line, len, "CONNECT ") == LINE_YES) {
		authority = read_authority(target, (uint32_t)(end - target));
		if (!authority.port)
			return false;
		look_name(look, NAME_HTTP_HOST, authority.host, authority.len);
		look->facts->connect_port = authority.port;
		return true;
	}
	if (end - target <= 7 || strncasecmp((const char *)target, "http://", 7))
		return false;
	host = target += 7;
	while (host < end && *host != '/' && *host != '?' && *host != '#')
		host++;
	authority = read_authority(target, (uint32_t)(host - target));
	look_name(look, NAME_HTTP_HOST, authority.host, authority.len);
	return false;
}

/*
 * Header lines from *pos on, to the empty line or, unless a tunnel follows, to Host; *pos is then
 * behind it. A line cut by the end of the piece is kept, and *pos its beginning. Says whether they
 * are over.
 */
static bool headers(struct look *look, uint32_t *pos, bool tunnel)
{
	for (;;) {
		const uint8_t *line = look->data + *pos;
		int64_t len = line_len(line, look->len - *pos);

		if (len < 0)
			break;
		*pos += (uint32_t)len + 1;
		if (len == 0 || (len == 1 && line[0] == '\r'))
			return true;
		if (!tunnel && len > 5 && !strncasecmp((const char *)line, "host:", 5)) {
			note_host(look, line + 5, (uint32_t)len - 5);
			return true;
		}
	}
	look->keep = true;
	look->keep_from = *pos;
	return false;
}

/* An empty line before a request is passed over (RFC 9112 2.2). */
static uint32_t empty_line(const uint8_t *data, uint32_t left)
{
	return left >= 2 && data[0] == '\r' && data[1] == '\n' ? 2 : 0;
}

/* A request line at the start of the data; *ret_len: with its end. */
static enum answer request_line(const uint8_t *data, uint32_t left, uint32_t *ret_len)
{
	enum line begins = begins_request(data, left);
	int64_t len = line_len(data, left);
	uint32_t text = len < 0 ? left : (uint32_t)len;
	const uint8_t *version;

	if (begins == LINE_NO || !line_is_text(data, text))
		return ANSWER_NO;
	if (len < 0)
		return ANSWER_MAYBE;
	*ret_len = text + 1;
	version = line_find(data, text, " HTTP/");
	return version && data + text - version >= 9 && version[6] >= '1' && version[6] <= '2'
	               ? ANSWER_YES
	               : ANSWER_NO;
}

/* HTTP/1.x SP NNN */
static enum answer status_line(const struct look *look)
{
	const uint8_t *b = look->data;
	enum line begins = line_begins(b, look->len, "HTTP/1.");

	if (begins == LINE_NO)
		return ANSWER_NO;
	if (look->len < 12)
		return ANSWER_MAYBE;
	return (b[7] == '0' || b[7] == '1') && b[8] == ' ' && b[9] >= '1' && b[9] <= '5' &&
	                       b[10] >= '0' && b[10] <= '9' && b[11] >= '0' && b[11] <= '9'
	               ? ANSWER_YES
	               : ANSWER_NO;
}

/* The three digits of a status line. */
static uint16_t status_of(const struct look *look)
{
	const uint8_t *b = look->data + 9;

	return (uint16_t)((b[0] - '0') * 100 + (b[1] - '0') * 10 + (b[2] - '0'));
}

/*
 * The side that asks: requests, until what follows a CONNECT is none. A proxy that wants to know who
 * asks is asked again.
 */
static void requests(struct look *look)
{
	uint8_t *phase = &look->young->http[look->side];
	uint32_t pos = 0, len;

	for (;;) {
		if (*phase == HTTP_HEADERS || *phase == HTTP_CONNECT) {
			if (!headers(look, &pos, *phase == HTTP_CONNECT))
				return;
			look->done = *phase == HTTP_HEADERS;
			*phase = look->done ? HTTP_OVER : HTTP_CONNECTED;
		}
		if (*phase == HTTP_OVER)
			return;
		if (*phase == HTTP_NEW)
			pos += empty_line(look->data, look->len);
		look->keep = true;
		look->keep_from = pos;
		if (pos == look->len)
			return;
		switch (request_line(look->data + pos, look->len - pos, &len)) {
		case ANSWER_NO:
			look->tunnel = true;
			return;
		case ANSWER_MAYBE:
			return;
		case ANSWER_YES:
			look->keep = false;
			*phase = note_target(look, look->data + pos, len) ? HTTP_CONNECT
			                                                  : HTTP_HEADERS;
			pos += len;
		}
	}
}

/* The proxy's answer: behind the headers of a 2xx the other end speaks (RFC 9110 9.3.6). */
static void proxy_answers(struct look *look)
{
	uint8_t *phase = &look->young->http[look->side];
	uint32_t pos = 0;

	if (*phase != HTTP_ANSWER) {
		enum answer answer = status_line(look);

		look->keep = answer == ANSWER_MAYBE;
		if (answer != ANSWER_YES)
			return;
		look->facts->connect_status = status_of(look);
		if (look->data[9] != '2')
			return;
		*phase = HTTP_ANSWER;
	}
	if (headers(look, &pos, true)) {
		look->tunnel = look->keep = true;
		look->keep_from = pos;
	}
}

/* Inside a tunnel there is one more that must not pass for HTTP: | SSH-2.0-... (RFC 4253 4.2). */
static enum answer inside(struct look *look)
{
	enum line ssh = line_begins(look->data, look->len, "SSH-");

	look->keep = ssh == LINE_MORE;
	if (ssh != LINE_YES)
		return ssh == LINE_MORE ? ANSWER_MAYBE : ANSWER_NO;
	look_found(look, APP_SSH);
	look->done = true;
	return ANSWER_YES;
}

static enum answer http_look(struct look *look)
{
	const uint8_t *other = &look->young->http[!look->side];
	uint8_t *phase = &look->young->http[look->side];
	enum answer answer;
	uint32_t empty, len;

	if (look->inner)
		return inside(look);
	if (*phase != HTTP_NEW) {
		if (!look->resumed)
			*phase = HTTP_OVER; /* bytes are missing: the place is lost */
		else if (*other == HTTP_CONNECT || *other == HTTP_CONNECTED)
			proxy_answers(look);
		else
			requests(look);
		return ANSWER_YES;
	}
	if (*other == HTTP_CONNECT || *other == HTTP_CONNECTED) {
		proxy_answers(look);
		return ANSWER_YES;
	}
	empty = empty_line(look->data, look->len);
	answer = request_line(look->data + empty, look->len - empty, &len);
	if (answer == ANSWER_YES) {
		look_found(look, APP_HTTP);
		look_opened_by(look, look->side);
		requests(look);
		return ANSWER_YES;
	}
	if (look->facts->app == APP_HTTP)
		return ANSWER_YES;
	if (answer == ANSWER_NO)
		answer = status_line(look);
	look->keep = answer == ANSWER_MAYBE;
	if (answer == ANSWER_YES) {
		look_found(look, APP_HTTP);
		look_opened_by(look, !look->side);
	}
	return answer;
}

const struct dissector dissector_http = {.name = "http",
                                         .app = APP_HTTP,
                                         .tcp = true,
                                         .begins = BIT(APP_HTTP),
                                         .look = http_look};

/*
 * dns.c - DNS and LLMNR, over UDP and over TCP with its 2-byte length (RFC 1035 4.1, 4.2.2;
 * RFC 4795 2.1). Questions name the flow, answers bind names to addresses.
 */
#include "dissectors/cursor.h"
#include "dissectors/dns.h"
#include "dissectors/frames.h"

#include <xxhash.h>

enum { PORT_DNS = 53, PORT_NETBIOS = 137, PORT_MDNS = 5353, PORT_LLMNR = 5355 };
enum { OPCODE_QUERY = 0, OPCODE_NOTIFY = 4, OPCODE_UPDATE = 5 };
#define JUMPS_MAX 32
#define WAIT_S 16 /* a question waits no longer (RFC 1035 4.2.1 and stubs: 2 to 5 s, some times) */
#define MESSAGE_USUAL 2048 /* over TCP; at its own port it may be longer */

/*
 * Walks the name at *pos and moves *pos behind it. Pointers must lead backwards, so this ends. Writes its labels
 * one behind the other to `wire` (may be NULL) and returns their length with the last, empty one; 0: broken.
 */
static uint32_t walk_name(const uint8_t *message, uint32_t len, uint32_t *pos,
                          uint8_t wire[NAME_MAX_LEN + 1])
{
	uint32_t at = *pos, lowest = *pos, total = 0;
	bool jumped = false;

	for (unsigned jumps = 0; at < len;) {
		uint8_t n = message[at];

		if ((n & 0xc0) == 0xc0) {
			uint32_t target;

			if (at + 2 > len || ++jumps > JUMPS_MAX)
				return 0;
			target = (n & 0x3fu) << 8 | message[at + 1];
			if (target >= lowest || target < 12)
				return 0;
			if (!jumped)
				*pos = at + 2;
			jumped = true;
			at = lowest = target;
			continue;
		}
		if (n > 63 || at + 1 + n > len || total + n + (n != 0) > NAME_MAX_LEN)
			return 0;
		if (wire)
			memcpy(wire + total, message + at, 1u + n);
		total += 1u + n;
		at += 1u + n;
		if (n)
			continue;
		if (!jumped)
			*pos = at;
		return total;
	}
	return 0;
}

static uint8_t lower(uint8_t b)
{
	return b >= 'A' && b <= 'Z' ? b | 0x20 : b;
}

/* Labels may hold any byte; what would read as something else is written \DDD (RFC 1035 5.1). */
static bool name_add(struct dns_name *name, uint8_t b)
{
	bool odd = b <= ' ' || b >= 0x7f || b == '.' || b == '\\';
	char *to = name->text + name->len;

	if (name->len + (odd ? 4 : 1) > NAME_MAX_LEN)
		return false;
	if (!odd) {
		*to = (char)lower(b);
		name->len++;
		return true;
	}
	to[0] = '\\';
	to[1] = (char)('0' + b / 100);
	to[2] = (char)('0' + b / 10 % 10);
	to[3] = (char)('0' + b % 10);
	name->len += 4;
	return true;
}

static bool name_add_label(struct dns_name *name, const uint8_t *label, uint8_t len)
{
	if (name->len) {
		if (name->len == NAME_MAX_LEN)
			return false;
		name->text[name->len++] = '.';
	}
	for (unsigned i = 0; i < len; i++)
		if (!name_add(name, label[i]))
			return false;
	return true;
}

bool dns_read_name(const uint8_t *message, uint32_t len, uint32_t *pos, struct dns_name *name)
{
	uint8_t wire[NAME_MAX_LEN + 1];

	if (!walk_name(message, len, pos, wire))
		return false;
	name->len = 0;
	for (const uint8_t *label = wire; *label; label += 1 + *label)
		if (!name_add_label(name, label + 1, *label))
			return false;
	name->text[name->len] = '\0';
	return true;
}

uint64_t dns_hash_name(const uint8_t *message, uint32_t len, uint32_t pos)
{
	uint8_t wire[NAME_MAX_LEN + 1];
	uint32_t n = walk_name(message, len, &pos, wire);

	if (n < 2)
		return 0;
	for (uint32_t i = 0; i < n; i++)
		wire[i] = lower(wire[i]); /* a label's length is below 'A' */
	return XXH3_64bits(wire, n) | 1;
}

static bool type_is_usual(uint16_t type)
{
	return (type >= 1 && type <= 65 && type != 10) || (type >= 249 && type <= 257);
}

/* Whether the header can be one. At its own port DNS is allowed updates and notifications too. */
static bool header_fits(const struct dns_header *h, bool own_port)
{
	if (h->questions != 1)
		return false;
	if (own_port)
		return h->opcode == OPCODE_QUERY || h->opcode == OPCODE_NOTIFY ||
		       h->opcode == OPCODE_UPDATE;
	if (h->opcode != OPCODE_QUERY || h->flags & 0x40)
		return false;
	if (!h->reply)
		return !h->answers && !h->authorities && h->additional <= 2 && !h->rcode;
	return h->rcode <= 10;
}

static struct dns_header read_header(struct cursor *c)
{
	struct dns_header h = {.id = cursor_be16(c), .flags = cursor_be16(c)};

	h.questions = cursor_be16(c);
	h.answers = cursor_be16(c);
	h.authorities = cursor_be16(c);
	h.additional = cursor_be16(c);
	h.reply = h.flags >> 15;
	h.opcode = h.flags >> 11 & 15;
	h.rcode = h.flags & 15;
	return h;
}

bool dns_read_record(const uint8_t *message, uint32_t len, uint32_t *pos, struct dns_record *ret)
{
	struct cursor c;

	ret->owner = *pos;
	if (!walk_name(message, len, pos, NULL))
		return false;
	c = cursor_over(message + *pos, len - *pos);
	ret->type = cursor_be16(&c);
	ret->class = cursor_be16(&c);
	ret->ttl = cursor_be32(&c);
	ret->len = cursor_be16(&c);
	ret->data = *pos + 10;
	cursor_skip(&c, ret->len);
	if (c.short_read)
		return false;
	*pos = ret->data + ret->len;
	return true;
}

bool dns_skip_records(const uint8_t *message, uint32_t len, uint32_t *pos, unsigned count)
{
	struct dns_record record;

	for (unsigned i = 0; i < count; i++)
		if (!dns_read_record(message, len, pos, &record))
			return false;
	return true;
}

static bool uses_port(const struct look *look, uint16_t port)
{
	return look->packet->src_port == port || look->packet->dst_port == port;
}

/*
 * Away from its port every byte must be accounted for: RTP and others hit upon a fitting header too
 * easily.
 */
static enum answer read_message(const struct look *look, struct dns_message *m)
{
	enum answer cut = m->whole ? ANSWER_NO : ANSWER_MAYBE;
	struct cursor c = cursor_over(m->at, m->len);
	uint32_t pos = 12, end;
	uint16_t type, class;

	m->own_port = m->app == APP_LLMNR || uses_port(look, PORT_DNS);
	m->h = read_header(&c);
	m->records = 0;
	if (c.short_read)
		return cut;
	if (m->own_port && m->h.reply && !m->h.questions && look->facts->app == m->app)
		return ANSWER_YES; /* a refusal that does not repeat the question */
	if (!header_fits(&m->h, m->own_port))
		return ANSWER_NO;
	if (!dns_read_name(m->at, m->len, &pos, &m->asked))
		return cut;
	c = cursor_over(m->at + pos, m->len - pos);
	type = cursor_be16(&c);
	class = cursor_be16(&c) & 0x7fff;
	pos += 4;
	if (c.short_read)
		return cut;
	if (!type_is_usual(type) && (!m->own_port || !type))
		return ANSWER_NO;
	if (class != 1 && (!m->own_port || (class != 3 && class != 4 && class < 254)))
		return ANSWER_NO;
	m->type = type;
	m->records = end = pos;
	m->fits = dns_skip_records(m->at, m->len, &end,
	                       m->h.answers + 0u + m->h.authorities + m->h.additional) ||
	          !m->whole;
	if (!m->own_port && !(m->whole && m->fits && end == m->len))
		return cut;
	return ANSWER_YES;
}

static uint32_t question_digest(const struct dns_name *name, uint16_t type)
{
	return (uint32_t)XXH3_64bits_withSeed(name->text, name->len, type);
}

static uint16_t asked_s(const struct look *look)
{
	return (uint16_t)(look->packet->time_us / 1000000) & 0x3fff;
}

static int question_find(const struct young *young, unsigned side, uint16_t id, uint32_t what)
{
	for (unsigned i = 0; i < DISSECT_QUESTIONS; i++)
		if (young->question[i].used && young->question[i].what == what &&
		    young->question[i].id == id && young->question[i].side == side)
			return (int)i;
	return -1;
}

/* A free place, or that of one nobody waits for any more; else one gives way. */
static unsigned question_place(struct look *look)
{
	struct young *young = look->young;
	uint16_t now_s = asked_s(look);

	for (unsigned i = 0; i < DISSECT_QUESTIONS; i++) {
		unsigned at = (young->question_next + i) % DISSECT_QUESTIONS;

		if (!young->question[at].used ||
		    ((now_s - young->question[at].asked_s) & 0x3fff) > WAIT_S)
			return at;
	}
	look->learnt->names_refused++;
	return young->question_next % DISSECT_QUESTIONS;
}

static void question_remember(struct look *look, uint16_t id, uint32_t what)
{
	struct young *young = look->young;
	int sent_again = question_find(young, look->side, id, what);
	unsigned at = sent_again < 0 ? question_place(look) : (unsigned)sent_again;

	if (sent_again < 0)
		young->question_next = (uint8_t)((at + 1) % DISSECT_QUESTIONS);
	young->question[at].what = what;
	young->question[at].id = id;
	young->question[at].side = look->side & 1;
	young->question[at].asked_s = asked_s(look) & 0x3fff;
	young->question[at].used = true;
}

/* Whether an answer has its question, which then waits no more. */
static bool question_was_asked(const struct look *look, uint16_t id, uint32_t what)
{
	int at = question_find(look->young, !look->side, id, what);

	if (at < 0)
		return false;
	look->young->question[at].used = false;
	return true;
}

/* What it is, which may be said again when more of it has come. */
static void tell_question(struct look *look, const struct dns_message *m)
{
	if (!m->records)
		return;
	look_found(look, m->app);
	look_opened_by(look, m->h.reply ? !look->side : look->side);
	look_name(look, NAME_DNS_QUESTION, (const uint8_t *)m->asked.text, m->asked.len);
}

/*
 * Once, of all that ever comes of it: nothing is learnt before it is known to fit. Of a client that is
 * heard an answer fits one of its questions, else it is forged or stray (RFC 5452 9.1).
 */
static void tell_answers(struct look *look, const struct dns_message *m)
{
	uint32_t what;

	if (!m->records)
		return;
	what = question_digest(&m->asked, m->type);
	if (!m->h.reply)
		question_remember(look, m->h.id, what);
	if (!m->h.reply && m->app == APP_DNS)
		look_asked(look, ASKED_DNS);
	if (m->app == APP_LLMNR) {
		look->learnt->query = m->h.reply ? QUERY_ANSWERED : QUERY_ASKED;
		look->learnt->query_id = m->h.id;
	}
	if (m->app == APP_DNS && m->h.reply && m->h.opcode == OPCODE_QUERY && !m->h.rcode &&
	    m->fits) {
		bool asked = question_was_asked(look, m->h.id, what);

		if (asked || !look->young->payloads[!look->side])
			dns_read_answers(look, m, asked);
	}
}

static enum answer look_udp(struct look *look, enum app app)
{
	struct dns_message m = {.at = look->data,
	                    .len = look->len,
	                    .whole = look->len == look->wire_len,
	                    .app = app};
	enum answer answer = read_message(look, &m);

	if (answer == ANSWER_YES) {
		tell_question(look, &m);
		tell_answers(look, &m);
	}
	return answer;
}

/* | length 2 | message | length 2 | ... */
static enum answer look_tcp(struct look *look, enum app app)
{
	bool cut = look->len < look->wire_len;
	enum answer answer = ANSWER_NO;
	uint32_t pos = frames_pos(look, FRAMING_DNS);

	while (pos < look->len) {
		struct cursor c = cursor_over(look->data + pos, look->len - pos);
		uint32_t len = cursor_be16(&c);
		struct dns_message m = {.at = c.at, .len = len < c.left ? len : c.left, .app = app};
		enum answer this = ANSWER_MAYBE;

		m.whole = m.len == len;
		if (!c.short_read) {
			bool odd = len < 12 || (len > MESSAGE_USUAL && app == APP_DNS &&
			                        !uses_port(look, PORT_DNS));

			this = odd ? ANSWER_NO : read_message(look, &m);
		}
		if (this == ANSWER_NO) {
			look->young->walk[FRAMING_DNS].known[look->side] = false;
			return answer;
		}
		if (this == ANSWER_YES)
			tell_question(look, &m);
		if (this > answer)
			answer = this;
		if (c.short_read || (!m.whole && !cut && len + 2 <= STREAM_MAX)) {
			look->keep = true;
			look->keep_from = pos;
			return answer;
		}
		if (this == ANSWER_YES)
			tell_answers(look, &m);
		pos += 2 + len;
		frames_next(look, FRAMING_DNS, pos);
	}
	return answer == ANSWER_NO ? ANSWER_MAYBE : answer;
}

static enum answer dns_look(struct look *look)
{
	if (uses_port(look, PORT_MDNS) || uses_port(look, PORT_LLMNR) ||
	    uses_port(look, PORT_NETBIOS))
		return ANSWER_NO;
	return look->packet->transport == TRANSPORT_TCP ? look_tcp(look, APP_DNS)
	                                                : look_udp(look, APP_DNS);
}

static enum answer llmnr_look(struct look *look)
{
	if (!uses_port(look, PORT_LLMNR))
		return ANSWER_NO;
	return look->packet->transport == TRANSPORT_TCP ? look_tcp(look, APP_LLMNR)
	                                                : look_udp(look, APP_LLMNR);
}

const struct dissector dissector_dns = {.name = "dns",
                                        .app = APP_DNS,
                                        .tcp = true,
                                        .udp = true,
                                        .begins = BIT(APP_DNS),
                                        .look = dns_look};
const struct dissector dissector_llmnr = {.name = "llmnr",
                                          .app = APP_LLMNR,
                                          .tcp = true,
                                          .udp = true,
                                          .begins = BIT(APP_LLMNR),
                                          .look = llmnr_look};

/*
 * nearest.c - the nearest rows of a flow outside, in words: each field that differs with what the
 * row expects and what was seen; and the kind that follows from the nearest (design.md 5).
 */
#include "rules/expected.h"
#include "rules/score.h"

#define SERVICE_FIELDS \
	3 /* so many differences, and the row says nothing of the flow any more */

/* What we know of the application, and how: "rtp", "ssh (inspected)", "not tls". */
static void application_seen(const struct scorer *s, const struct nearest *nearest, char *buf,
                             size_t size)
{
	const struct row_form *form = &s->policy->rows[nearest->row].form[nearest->form];

	if (s->certain && !(s->tunnel && scorer_is_by_proxy(s, form))) {
		text_copy(buf, size, app_name(s->app));
	} else if (s->view->evidence == EVIDENCE_INSPECTED && s->view->app != APP_NONE) {
		text_add(buf, size, "%s (inspected)", app_name(s->view->app));
	} else {
		text_copy(buf, size,
		          expected_of(s->policy, nearest->row, nearest->form)->ruled_out);
	}
}

/* A name that came over the wire: what no host name holds is shown as '?'; cut to `room` bytes. */
static void name_show(const char *name, size_t room, char shown[NAME_MAX_LEN + 1])
{
	text_copy(shown, NAME_MAX_LEN + 1, name);
	for (char *c = shown; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '?';
	if (strlen(shown) > room)
		memcpy(shown + room - 3, "...", 4);
}

/* The host that a web proxy was asked for. */
static void asked_print(const struct scorer *s, bool port, char *buf, size_t size)
{
	char shown[NAME_MAX_LEN + 1];
	bool v6 = strchr(s->view->name, ':');
	size_t used = strlen(buf);

	if (used + 16 > size)
		return;
	name_show(s->view->name, size - used - 12, shown); /* "[" "]:65535" and the NUL */
	port &= s->port != 0;
	text_add(buf, size, "%s%s%s", v6 && port ? "[" : "", shown, v6 && port ? "]" : "");
	if (port)
		text_add(buf, size, ":%u", s->port);
}

void scorer_print_peer(const struct scorer *s, bool port, char *buf, size_t size)
{
	const char *name = s->claim               ? s->view->name
	                   : s->view->bound_count ? s->view->bound[0]
	                                          : NULL;
	char addr[ADDR_TEXT], shown[NAME_MAX_LEN + 1];
	size_t used, room;

	if (scorer_is_asked_for(s)) {
		asked_print(s, port, buf, size);
		return;
	}

	addr_print(&s->remote->addr, addr);
	if (port) {
		bool v4 = addr_is_v4(&s->remote->addr);

		text_append(buf, size, v4 ? "" : "[");
		text_append(buf, size, addr);
		text_append(buf, size, v4 ? ":" : "]:");
		text_number(buf, size, s->remote->port);
	} else {
		text_append(buf, size, addr);
	}
	used = strlen(buf);
	if (!name || used + 8 > size)
		return;
	room = size - used - 4; /* " (" and ")" and the NUL */
	name_show(name, room, shown);
	text_add(buf, size, " (%s)", shown);
}

static void seen_print(const struct scorer *s, const struct nearest *nearest, enum field field,
                       char *buf, size_t size)
{
	const struct flow_facts *facts = s->view->facts;

	buf[0] = '\0';
	switch (field) {
	case FIELD_IP_VERSION:
		text_number(buf, size, facts->ip_version);
		break;
	case FIELD_TRANSPORT:
		text_copy(buf, size, transport_name(facts->transport));
		break;
	case FIELD_DIRECTION:
		text_copy(buf, size, direction_name(s->direction));
		break;
	case FIELD_PEER:
		scorer_print_peer(s, false, buf, size);
		break;
	case FIELD_REMOTE_PORT:
		text_number(buf, size, s->port);
		break;
	case FIELD_APPLICATION:
		application_seen(s, nearest, buf, size);
		break;
	case FIELD_LOCAL_PORT:
		text_number(buf, size, s->local->port);
		break;
	case FIELD_MEDIA:
		text_copy(buf, size, media_name(facts->media));
		break;
	case FIELD_COUNT:
		break;
	}
}

static enum kind kind_of(const struct score *nearest)
{
	if (nearest->misses >= SERVICE_FIELDS || nearest->fit[FIELD_TRANSPORT] == FIT_MISMATCH)
		return KIND_SERVICE;
	return (enum kind)(KIND_IP_VERSION + nearest->first);
}

static uint8_t fields_of(const struct score *score)
{
	uint8_t fields = 0;

	for (unsigned field = 0; field < FIELD_COUNT; field++)
		fields |= (uint8_t)((score->fit[field] == FIT_MISMATCH) << field);
	return fields;
}

void nearest_fill(const struct score *scores, unsigned count, struct verdict *verdict)
{
	verdict->kind =
		KIND_SERVICE; /* a unit without profiles: no row was there to come near */
	verdict->nearest_count = (uint8_t)count;
	for (unsigned i = 0; i < count; i++) {
		struct nearest *nearest = &verdict->nearest[i];

		nearest->row = scores[i].row;
		nearest->form = scores[i].form;
		nearest->fields = fields_of(&scores[i]);
		nearest->count = 0;
	}
	if (!count)
		return;
	verdict->kind = (uint8_t)kind_of(&scores[0]);
	verdict->role = scores[0].role;
}

static void differs_say(const struct scorer *s, struct nearest *nearest)
{
	const struct expected *expected = expected_of(s->policy, nearest->row, nearest->form);

	nearest->count = 0;
	for (unsigned left = nearest->fields; left; left &= left - 1) {
		unsigned field = (unsigned)__builtin_ctz(left);
		struct differs *differs = &nearest->differs[nearest->count++];

		differs->field = (uint8_t)field;
		text_copy(differs->expected, sizeof(differs->expected), expected->field[field]);
		seen_print(s, nearest, (enum field)field, differs->seen, sizeof(differs->seen));
	}
}

void nearest_say(const struct scorer *s, struct verdict *verdict)
{
	for (unsigned i = 0; i < verdict->nearest_count; i++)
		differs_say(s, &verdict->nearest[i]);
}

void judge_words(const struct policy *policy, const struct view *view, struct verdict *verdict)
{
	struct scorer s;

	if (!verdict->nearest_count)
		return;
	scorer_init_seen(&s, policy, view, (enum direction)verdict->direction);
	nearest_say(&s, verdict);
}

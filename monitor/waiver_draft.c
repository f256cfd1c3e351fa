/*
 * waiver_draft.c - see waiver_draft.h.
 */
#include "monitor/waiver_draft.h"

#define FLOWS_ASKED 1000 /* for their ports */

/* "3478-3481, 443"; a word ("scan") gives none. */
static void ports_parse(const char *text, struct port_set *ret)
{
	unsigned low, high;
	int used = 0;

	for (; sscanf(text, "%5u%n", &low, &used) == 1 && low <= 65535;
	     text += strspn(text, ", ")) {
		text += used;
		high = low;
		if (sscanf(text, "-%5u%n", &high, &used) == 1)
			text += used;
		if (high < low || high > 65535 ||
		    port_set_add(ret, (uint16_t)low, (uint16_t)high) < 0)
			return;
	}
}

/* A finding's port is the unit's where the peer opened the flow. */
static int note_flow(void *context, const struct flow_view *flow, struct err *err)
{
	struct waiver_draft *draft = context;
	uint16_t port;

	draft->inbound = flow->direction == DIRECTION_IN;
	port = flow->facts.end[draft->inbound ? flow->local : !flow->local].port;
	if (draft->said.count && !port_set_has(&draft->said, port))
		draft->many |= port_set_add(&draft->seen, port, port) < 0;
	return 0;
}

int waiver_draft_ports(struct flowdb *db, int64_t finding, struct waiver_draft *draft,
                       struct err *err)
{
	const struct flow_query flows = {.finding = finding, .limit = FLOWS_ASKED};

	if (!draft->said.count)
		ports_parse(draft->row->port, &draft->said);
	return flowdb_flows(db, &flows, note_flow, draft, err);
}

static void pair_add(struct waiver_pairs *ret, const char *key, const char *text)
{
	ret->texts[ret->count] = text;
	ret->pairs[ret->count] = (struct yaml_pair){key, &ret->texts[ret->count], 1, false};
	ret->count++;
}

/* Media outside a row's ports is gathered under the row's, so its own are what is to be excused. */
static void ports_add(struct waiver_pairs *ret, const struct waiver_draft *draft)
{
	const struct port_set *ports = draft->seen.count ? &draft->seen : &draft->said;

	if (!ports->count || draft->many)
		return;
	for (unsigned i = 0; i < ports->count; i++) {
		snprintf(ret->ports[i], sizeof(ret->ports[i]),
		         ports->range[i].low == ports->range[i].high ? "%u" : "%u-%u",
		         ports->range[i].low, ports->range[i].high);
		ret->port_texts[i] = ret->ports[i];
	}
	ret->pairs[ret->count++] =
		(struct yaml_pair){draft->inbound ? "local-ports" : "remote-ports",
	                           ret->port_texts, ports->count, true};
}

void waiver_draft_pairs(const struct waiver_draft *draft, struct waiver_pairs *ret)
{
	const struct finding_row *row = draft->row;

	ret->count = 0;
	ret->pairs[ret->count++] =
		(struct yaml_pair){"units", draft->units, draft->unit_count, true};
	pair_add(ret, "kind", kind_name((enum kind)row->kind));
	if (*row->row)
		pair_add(ret, "row", row->row);
	if (*row->remote)
		pair_add(ret, "remote", row->remote);
	if (row->transport)
		pair_add(ret, "transport", transport_name(row->transport));
	ports_add(ret, draft);
	if (row->app)
		pair_add(ret, "application", app_name((enum app)row->app));
	pair_add(ret, "owner", draft->owner);
	pair_add(ret, "reason", draft->reason);
	pair_add(ret, "expires", draft->expires);
}

/*
 * explain_known.c - what the judge had to go by beside the flow's own facts: names that DNS bound to the
 * peer, the address and the lease of the unit then, the policy and since when it judged, and the packets
 * that are kept.
 */
#include "monitor/commands/explain.h"
#include "monitor/policy_record.h"
#include "schema/flowdb_incident.h"
#include "schema/time.h"

int explain_load_policy(struct explain *explain, const char *hash, struct err *err)
{
	struct err lost = {0};
	int r;

	if (policy_of_record(explain->db, hash, &explain->policy, &lost) >= 0) {
		explain->envelope = explain->policy->envelope;
		return 0;
	}
	/* An older program recorded a part of it alone; what is compiled in mostly says the same. */
	r = envelope_load(NULL, &explain->compiled_in, err);
	explain->envelope = explain->compiled_in;
	return r;
}

void explain_release(struct explain *explain)
{
	history_free(explain->history);
	policy_free(explain->policy);
	envelope_free(explain->compiled_in);
	flowdb_close(explain->db);
}

struct unit_window explain_window(const struct flow_view *flow)
{
	return (struct unit_window){flow->unit_id, flow->facts.first_us, flow->facts.last_us};
}

/* "maestro or edge"; "" if there are none. */
static const char *roles_text(const struct explain *explain, uint32_t roles, char *buf,
                              size_t size)
{
	*buf = '\0';
	for (size_t i = 0; i < explain->envelope->role_count; i++)
		if (roles >> i & 1)
			text_add(buf, size, "%s%s", *buf ? " or " : "",
			         explain->envelope->roles[i].id);
	return buf;
}

static bool is_bound(const struct view *view, const char *name)
{
	for (unsigned i = 0; view && i < view->bound_count; i++)
		if (!strcmp(view->bound[i], name))
			return true;
	return false;
}

struct name_verdict explain_name(const struct explain *explain, const struct name_row *name,
                                 char *buf, size_t size)
{
	const struct view *view = explain->has_past ? &explain->past.view : NULL;
	uint32_t roles =
		explain->policy ? policy_roles_of_name(explain->policy, name->name) : 0;
	struct name_verdict verdict = {0};
	char words[128];

	verdict.counts = is_bound(view, name->name) && name->counted;
	verdict.proves = verdict.counts && roles;
	if (verdict.proves)
		snprintf(buf, size, "it proves the peer as %s",
		         roles_text(explain, roles, words, sizeof(words)));
	else if (verdict.counts)
		snprintf(buf, size, "it counts, but is a name of no role: it proves nothing");
	else if (!name->counted)
		snprintf(buf, size, "it does not count: that server is no dns-server here");
	else
		snprintf(buf, size, "it proves nothing");
	return verdict;
}

static int tell_name(void *context, const struct name_row *name, struct err *err)
{
	struct explain *explain = context;
	char client[ADDR_TEXT], server[ADDR_TEXT], first[TIME_TEXT], until[TIME_TEXT],
		text[192];

	(void)err;
	explain_line(explain->told++ ? "" : "bound by DNS", "%s: %s told %s", name->name,
	             addr_print(&name->server, server), addr_print(&name->client, client));
	time_print_local(name->first_us, first);
	time_print_local(name->until_us, until);
	explain_line("", "holds %s .. %s local", first, until);
	explain_name(explain, name, text, sizeof(text));
	explain_line("", "%s", text);
	return 0;
}

/* What a flow calls its peer by itself is said by whoever speaks first in it. */
static void tell_claim(const struct flow_view *flow)
{
	static const char *const claims[] = {
		[NAME_SNI] = "the client's claim in its hello",
		[NAME_HTTP_HOST] = "the client's claim in its request",
		[NAME_DNS_QUESTION] = "what was asked for, not who answers",
	};
	enum name_kind kind = (enum name_kind)flow->facts.name_kind;

	if (*flow->name)
		explain_line("name", "%s (%s: %s)", flow->name, name_kind_name(kind),
		             kind < ARRAY_LEN(claims) ? claims[kind] : "");
}

static int tell_lease(void *context, const struct lease_row *lease, struct err *err)
{
	struct explain *explain = context;
	char addr[ADDR_TEXT], server[ADDR_TEXT], first[TIME_TEXT], until[TIME_TEXT];

	(void)err;
	if (!addr_equal(&lease->address, explain->local))
		return 0;
	time_print_local(lease->first_us, first);
	time_print_local(lease->until_us, until);
	explain_line("lease", "%s from %s, %s .. %s local", addr_print(&lease->address, addr),
	             addr_is_unspecified(&lease->server) ? "a server not known"
	                                                 : addr_print(&lease->server, server),
	             first, lease->until_us ? until : "no end told");
	return 0;
}

static int tell_address(void *context, const struct unit_address_row *row, struct err *err)
{
	struct explain *explain = context;
	char addr[ADDR_TEXT], mac[MAC_TEXT], known[64], first[TIME_TEXT], last[TIME_TEXT];

	(void)err;
	if (!addr_equal(&row->address, explain->local))
		return 0;
	time_print_local(row->first_us, first);
	time_print_local(row->last_us, last);
	explain_line("address", "%s%s%s, known by %s, %s .. %s local",
	             addr_print(&row->address, addr), mac_is_zero(&row->mac) ? "" : ", MAC ",
	             mac_is_zero(&row->mac) ? "" : mac_print(&row->mac, mac),
	             known_by_words(row->known_by, known, sizeof(known)), first, last);
	return 0;
}

int explain_known(struct explain *explain, const struct flow_view *flow, struct err *err)
{
	const struct unit_window window = explain_window(flow);
	int r;

	explain->told = 0;
	explain->local = &flow->facts.end[flow->local].addr;
	tell_claim(flow);
	r = flowdb_names_of(explain->db, &window, &flow->facts.end[!flow->local].addr,
	                    tell_name, explain, err);
	if (r >= 0 && !explain->told)
		explain_line("bound by DNS",
		             "no answer on record bound a name to the peer then");
	if (r >= 0)
		r = flowdb_unit_held(explain->db, &window, tell_address, explain, err);
	if (r >= 0)
		r = flowdb_unit_leases(explain->db, &window, tell_lease, explain, err);
	return r;
}

/* When and why this policy came to judge the flow: with its run, or when somebody had it judged again. */
struct using
{
	const struct flow_view *flow;
	char text[256];
};

static int find_use(void *context, const struct policy_use_view *use, struct err *err)
{
	struct using *using = context;
	char from[TIME_TEXT], at[TIME_TEXT];

	(void)err;
	if (strcmp(use->hash, using->flow->policy) != 0 ||
	    (use->row.run && use->row.run != using->flow->run) ||
	    use->row.from_us > using->flow->facts.last_us)
		return 0;
	time_print_local(use->row.from_us, from);
	time_print_local(use->row.at_us, at);
	if (!use->row.run)
		snprintf(using->text, sizeof(using->text), "rejudged by it at %s local%s%.120s",
		         at, use->row.by_whom && *use->row.by_whom ? ", by " : "",
		         use->row.by_whom ? use->row.by_whom : "");
	else if (use->row.from_us)
		snprintf(using->text, sizeof(using->text),
		         "in force in run %lld from %s local on", (long long)use->row.run,
		         from);
	else
		snprintf(using->text, sizeof(using->text),
		         "in force in run %lld from its first packet on",
		         (long long)use->row.run);
	return 0;
}

int explain_policy_use(const struct explain *explain, const struct flow_view *flow, char *buf,
                       size_t size, struct err *err)
{
	struct using using = {.flow = flow};
	int r = flowdb_policy_uses(explain->db, find_use, &using, err);

	snprintf(buf, size, "%s", using.text);
	return r;
}

int explain_evidence(const struct explain *explain, const struct flow_view *flow,
                     uint64_t *ret_count, struct err *err)
{
	*ret_count = 0;
	if (!flow->finding)
		return 0;
	return flowdb_evidence_held(explain->db, flow->finding, flow->run, flow->facts.id, ret_count,
	                            err);
}

int explain_policy(struct explain *explain, const struct flow_view *flow, struct err *err)
{
	uint64_t packets = 0;
	char use[256];
	int r = explain_policy_use(explain, flow, use, sizeof(use), err);

	if (r >= 0)
		r = explain_evidence(explain, flow, &packets, err);
	if (r < 0)
		return r;
	explain_line("policy", "%s", flow->policy);
	if (*use)
		explain_line("", "%s", use);
	if (!explain->policy)
		explain_line("", "not recorded whole: rows are quoted from those compiled in");
	if (packets) {
		explain_line("evidence",
		             "%llu packet%s of it kept:", (unsigned long long)packets,
		             plural(packets));
		printf("  %-13stlmon evidence F%lld -w F%lld.pcapng", "",
		       (long long)flow->finding, (long long)flow->finding);
		explain_dir(explain);
	} else {
		explain_line("evidence", "no packet of it is kept");
	}
	return 0;
}

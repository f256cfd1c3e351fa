/*
 * explain_flow.c - the whole story of one recorded flow: what was seen, how each thing is known,
 * what the judge made of it.
 */
#include "dissectors/payload_type.h"
#include "monitor/commands/explain.h"
#include "monitor/commands/flow_table.h"
#include "monitor/commands/rows_tried.h"
#include "schema/time.h"

#define BLINDS_TOLD 3

static const char *initiator_text(const struct flow_view *flow)
{
	const struct flow_facts *facts = &flow->facts;

	return facts->initiator > 1              ? "nobody knows who"
	       : facts->initiator == flow->local ? "the unit"
	                                         : "the peer";
}

static void print_ends(const struct flow_view *flow)
{
	const struct endpoint *unit = &flow->facts.end[flow->local],
			      *peer = &flow->facts.end[!flow->local];
	char text[END_TEXT], mac[MAC_TEXT];

	explain_line("unit", "%s at %s%s%s (%s)", flow->unit,
	             end_print(unit, flow->facts.transport, text),
	             mac_is_zero(&unit->mac) ? "" : ", MAC ",
	             mac_is_zero(&unit->mac) ? "" : mac_print(&unit->mac, mac), flow->profiles);
	explain_line("peer", "%s%s%s", end_print(peer, flow->facts.transport, text),
	             mac_is_zero(&peer->mac) ? "" : ", MAC ",
	             mac_is_zero(&peer->mac) ? "" : mac_print(&peer->mac, mac));
}

static void print_times(const struct flow_view *flow)
{
	const struct flow_facts *facts = &flow->facts;
	char first[TIME_TEXT], last[TIME_TEXT];

	time_print_local(facts->first_us, first);
	time_print_local(facts->last_us, last);
	explain_line("time", "%s .. %s local", first, last);
	time_print(facts->first_us, first);
	time_print(facts->last_us, last);
	explain_line("", "%s .. %s (%.3f s)", first, last,
	             (double)(facts->last_us - facts->first_us) / 1e6);
	explain_line("traffic", "out %llu packet%s, %llu bytes; in %llu packet%s, %llu bytes",
	             (unsigned long long)facts->packets[flow->local],
	             plural(facts->packets[flow->local]),
	             (unsigned long long)facts->bytes[flow->local],
	             (unsigned long long)facts->packets[!flow->local],
	             plural(facts->packets[!flow->local]),
	             (unsigned long long)facts->bytes[!flow->local]);
	explain_line("first packet", "number %llu of run %lld", (unsigned long long)facts->id,
	             (long long)flow->run);
	if (facts->tunnel)
		explain_line("mirrored in", "%s", tunnel_name((enum tunnel)facts->tunnel));
	if (facts->vlan != VLAN_NONE)
		explain_line("VLAN", "%u", facts->vlan);
	if (facts->fragments || facts->truncated || facts->duplicates)
		explain_line("of these",
		             "%u fragments, %u cut by the snap length, %u copies dropped",
		             facts->fragments, facts->truncated, facts->duplicates);
}

/* Whether packets of a payload type count as the kind; 0: as none we know. */
static bool counts_as(const struct flow_facts *facts, uint8_t payload_type, uint8_t kind)
{
	uint8_t offered = payload_type_kind(payload_type);

	if (offered)
		return offered == kind;
	return kind ? facts->by_shape & kind : facts->media_packets[3];
}

static void add_types(const struct flow_facts *facts, uint8_t kind, char *buf, size_t size)
{
	for (size_t i = 0; i < ARRAY_LEN(facts->payload_types); i++)
		if (facts->payload_types[i] != 0xff &&
		    counts_as(facts, facts->payload_types[i], kind))
			text_add(buf, size, "%s%u", *buf ? ", " : " of payload type ",
			         facts->payload_types[i]);
}

static void print_media(const struct flow_facts *facts)
{
	for (unsigned i = 0; i < ARRAY_LEN(facts->media_packets); i++) {
		uint8_t kind = i < 3 ? (uint8_t)BIT(i) : 0;
		uint32_t packets = facts->media_packets[i];
		char types[64] = "";

		if (!packets)
			continue;
		add_types(facts, kind, types, sizeof(types));
		explain_line("media", "%s%s: %u packet%s%s%s",
		             kind ? media_name(kind) : "of no kind we know",
		             facts->by_shape & kind ? " by shape" : "", packets,
		             plural(packets), types,
		             kind && !(facts->media & kind) ? "; too few to count" : "");
	}
	if (facts->media & (facts->media - 1))
		explain_line("", "so it is mixed");
}

static void print_facts(const struct flow_view *flow)
{
	static const char *const known[] = {
		[INITIATOR_UNKNOWN] = "nothing tells",
		[INITIATOR_FIRST_PACKET] = "only because its packet came first",
		[INITIATOR_PORT] = "by the listening port",
		[INITIATOR_REQUEST] = "by its request",
		[INITIATOR_SYN] = "by its SYN",
	};
	static const char *const certain[] = {"no", "no", "yes"};
	const struct flow_facts *facts = &flow->facts;
	char text[ADDR_TEXT];

	explain_line("opened by", "%s, %s%s", initiator_text(flow),
	             facts->initiator_by < ARRAY_LEN(known) ? known[facts->initiator_by] : "",
	             facts->warmup      ? "; it may be older than our looking"
	             : facts->midstream ? "; it had begun before we looked"
	                                : "");
	if (facts->solicited)
		explain_line("answers", "a query that was put to a group");
	if (facts->connect_port)
		explain_line("asked for", "%s port %u, by CONNECT%s", flow->name,
		             facts->connect_port,
		             !facts->connect_status ? ""
		             : facts->connect_status / 100 == 2
		                     ? ", and the proxy went there"
		                     : ", and the proxy would not");
	explain_line("speaks", "%s (%s)",
	             flow->app ? app_name((enum app)flow->app) : "nothing we know",
	             flow->evidence == EVIDENCE_DISSECTOR   ? "a dissector is certain"
	             : flow->evidence == EVIDENCE_INSPECTED ? "nDPI thinks so"
	             : facts->payload_packets               ? "no dissector knows it"
	                                                    : "there was no payload");
	print_media(facts);
	if (facts->ice)
		explain_line("ICE", "the %s answered a check",
		             facts->ice == 3                 ? "unit and the peer each"
		             : facts->ice >> flow->local & 1 ? "unit"
		                                             : "peer");
	if (facts->tls_version)
		explain_line("TLS", "version 1.%d, client certificate: %s",
		             facts->tls_version - 1,
		             facts->mtls ? certain[facts->mtls % 3] : "not known");
	if (!addr_is_unspecified(&facts->relayed))
		explain_line("relayed to", "%s port %u", addr_print(&facts->relayed, text),
		             facts->relayed_port);
	if (facts->outcome)
		explain_line("outcome", "%s", outcome_name((enum outcome)facts->outcome));
	if (!addr_is_unspecified(&facts->icmp_sender))
		explain_line("", "ICMP type %u code %u from %s", facts->icmp_type,
		             facts->icmp_code, addr_print(&facts->icmp_sender, text));
	if (facts->asked && facts->outcome != OUTCOME_ANSWERED)
		explain_line("", "asked %u time%s within %.3f s", facts->tries,
		             plural(facts->tries),
		             (double)(facts->last_try_us - facts->first_try_us) / 1e6);
	if (facts->settled_by)
		explain_line("settled by", "%s after %u packet%s with payload",
		             settled_by_name((enum settled_by)facts->settled_by),
		             facts->payload_packets, plural(facts->payload_packets));
}

static void print_verdict(const struct flow_view *flow)
{
	char text[1024];

	snprintf(text, sizeof(text), "flow %lld: %s", (long long)flow->id,
	         ruling_name((enum ruling)flow->ruling));
	if (flow->grade)
		text_add(text, sizeof(text), ", %s", grade_name((enum grade)flow->grade));
	if (flow->kind)
		text_add(text, sizeof(text), ", %s, severity %s",
		         kind_name((enum kind)flow->kind),
		         severity_name((enum severity)flow->severity)
		                 ? severity_name((enum severity)flow->severity)
		                 : "none");
	if (flow->why)
		text_add(text, sizeof(text), ", because of: %s",
		         why_name((enum why)flow->why));
	if (*flow->remark)
		text_add(text, sizeof(text), " (%.512s)", flow->remark);
	if (flow->finding)
		text_add(text, sizeof(text), "; finding F%lld", (long long)flow->finding);
	explain_say("%s", text);
}

static void print_rows(const struct flow_view *flow, const struct envelope *envelope)
{
	if (flow->row_count > 1)
		printf("\nrows that fit it equally well:\n");
	for (unsigned i = 0; flow->row_count > 1 && i < flow->row_count; i++)
		explain_say("  %s", flow->rows[i]);
	if (flow->row_count)
		explain_row(envelope, flow->rows[0]);
	if (flow->nearest_count)
		printf("\nnearest rows:\n");
	for (unsigned i = 0; i < flow->nearest_count; i++) {
		const struct nearest_view *nearest = &flow->nearest[i];
		int index = envelope_find_row(envelope, nearest->row);

		explain_say("  %s  (%s)", nearest->row,
		            index < 0 ? "not in this envelope" : envelope->rows[index].document);
		for (unsigned j = 0; j < nearest->count; j++) {
			printf("    %-12s ", field_name((enum field)nearest->differs[j].field));
			explain_text(17, "expected %s, seen %s", nearest->differs[j].expected,
			             nearest->differs[j].seen);
		}
	}
}

struct blinds_told {
	const struct flow_view *flow;
	unsigned count;
};

/* What of the flow may be missing: of some causes not a packet, and then what that means for it. */
static const char *missing_text(const struct flow_view *flow, enum blind_cause cause)
{
	if (cause == BLIND_RING_FULL)
		return "no packet is missing, but nDPI's opinion may be, and a name or a lease "
		       "that tells who the peer is: by that the verdict could change";
	if (cause != BLIND_INSPECTOR_DOWN)
		return NULL;
	return flow->evidence == EVIDENCE_DISSECTOR
	               ? "only nDPI's opinion may be missing; the verdict cannot change by "
	                 "it: a dissector is certain"
	               : "only nDPI's opinion may be missing; by it the verdict cannot "
	                 "change, but what is said of why can";
}

static int tell_blind(void *context, const struct blind_view *blind, struct err *err)
{
	const struct blind_row *row = &blind->row;
	enum blind_cause cause = (enum blind_cause)row->cause;
	struct blinds_told *told = context;
	const char *name = blind_cause_name(cause), *sentence = blind_cause_sentence(cause);
	const char *missing = missing_text(told->flow, cause);
	char since[TIME_TEXT], until[TIME_TEXT];

	if (cause == BLIND_SET_ASIDE) /* that is of flows that are not here */
		return 0;
	explain_line(missing ? "seen" : "not all seen", "%s, interval %lld: %s",
	             name ? name : "for a cause that is not known", (long long)blind->id,
	             sentence ? sentence : "a newer tlmon wrote it");
	if (missing)
		explain_line("", "%s", missing);
	time_print_local(row->since_us, since);
	time_print_local(row->until_us, until);
	explain_line("", "%s .. %s local", since, row->until_us ? until : "now");
	time_print(row->since_us, since);
	time_print(row->until_us, until);
	explain_line("", "%s .. %s", since, row->until_us ? until : "now");
	return ++told->count == BLINDS_TOLD;
}

int explain_blinds(struct flowdb *db, const struct flow_view *flow,
                   int (*each)(void *context, const struct blind_view *blind, struct err *err),
                   void *context, struct err *err)
{
	const struct blind_query query = {
		.window = {.since_us = flow->facts.first_us,
	                   .until_us = flow->facts.last_us,
	                   .unit = flow->unit},
	};

	return flow->blind ? flowdb_blinds(db, &query, each, context, err) : 0;
}

static int print_blind(const struct explain *explain, const struct flow_view *flow,
                       struct err *err)
{
	struct blinds_told told = {.flow = flow};
	int r = explain_blinds(explain->db, flow, tell_blind, &told, err);

	if (r >= 0 && flow->blind && !told.count)
		explain_line("not all seen",
		             flow->facts.settled_by == SETTLED_LOST
		                     ? "the sensor died and took the rest of it along"
		                     : "the interval is no longer on record");
	return r;
}

/* Under the policy that judged it; the same table as for a tuple. */
static void print_tried(const struct explain *explain, const struct flow_view *flow)
{
	if (!explain->has_past || flow->ruling == RULING_HOUSEKEEPING)
		return;
	rows_tried_print(explain->policy, &explain->past.view);
	if (history_flips(explain->history, flow, &explain->past.verdict))
		printf("Judged by what is on record now it would be %s: something that was known then "
		       "is not there any more.\n",
		       ruling_name((enum ruling)explain->past.verdict.ruling));
}

static int tell(void *context, const struct flow_view *flow, struct err *err)
{
	struct explain *explain = context;
	const struct endpoint *end = flow->facts.end;
	char id[COMMUNITY_ID_TEXT];
	int r;

	print_verdict(flow);
	print_ends(flow);
	print_times(flow);
	r = print_blind(explain, flow, err);
	if (r < 0)
		return r;
	print_facts(flow);
	explain_line("Community ID", "%s",
	             community_id(&end[0].addr, &end[1].addr, flow->facts.transport,
	                          end[0].port, end[1].port, id));
	r = explain_known(explain, flow, err);
	if (r >= 0)
		r = explain_policy(explain, flow, err);
	if (r < 0)
		return r;
	print_rows(flow, explain->envelope);
	print_tried(explain, flow);
	if (flow->finding) {
		printf("\nWhat to do about it:  tlmon explain F%lld", (long long)flow->finding);
		explain_dir(explain);
	}
	return 0;
}

static int load(void *context, const struct flow_view *flow, struct err *err)
{
	struct explain *explain = context;
	int r = explain_load_policy(explain, flow->policy, err);

	if (r >= 0 && explain->policy)
		r = history_new(explain->db, explain->policy, flow, &explain->history, err);
	if (r < 0)
		return r;
	explain->has_past =
		explain->history && history_judge(explain->history, flow, &explain->past);
	return explain->json ? explain_json(explain, flow, err) : tell(explain, flow, err);
}

int explain_flow(struct explain *explain, int64_t id, struct err *err)
{
	return flowdb_flow(explain->db, id, load, explain, err);
}

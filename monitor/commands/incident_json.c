/*
 * incident_json.c - an incident report as one JSON object: times in ISO 8601 UTC, addresses and words as
 * in 'tlmon flows -o json'; null where a thing is not known.
 */
#include "monitor/commands/incident.h"
#include "schema/time.h"

static void put_source(FILE *file, const struct incident_source *source)
{
	json_text(file, "database", source ? data_dir(source->dir) : NULL);
}

static void put_sum(FILE *file, const struct incident_sum *sum)
{
	json_number(file, "flows", sum->flows);
	for (unsigned i = RULING_DOCUMENTED; i <= RULING_HOUSEKEEPING; i++)
		json_number(file, ruling_name((enum ruling)i), sum->by_ruling[i]);
	json_number(file, "blocked", sum->blocked);
	json_number(file, "begun_before", sum->before);
	json_number(file, "over_after", sum->after);
	json_number(file, "not_seen_whole", sum->blind);
	json_number(file, "packets_out", sum->packets_out);
	json_number(file, "packets_in", sum->packets_in);
	json_number(file, "bytes_out", sum->bytes_out);
	json_number(file, "bytes_in", sum->bytes_in);
	json_time(file, "first", sum->first_us);
	json_time(file, "last", sum->last_us);
}

static void put_sources(FILE *file, const struct incident *incident)
{
	json_list(file, "databases");
	for (size_t i = 0; i < incident->source_count; i++) {
		const struct incident_source *source = &incident->sources[i];

		json_item(file, i, "database");
		json_put(file, data_dir(source->dir));
		json_time(file, "first", source->query.span.first_us);
		json_time(file, "last", source->query.span.last_us);
		json_number(file, "runs", source->query.span.runs);
		json_bool(file, "knows_unit", source->unit);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_seconds(FILE *file, const char *key, int64_t us)
{
	json_key(file, key);
	fprintf(file, "%lld.%06lld", (long long)(us / SECOND_US), (long long)(us % SECOND_US));
}

static void put_watch(FILE *file, const char *key, const struct incident_watch *watch)
{
	char text[TIME_TEXT];

	json_key(file, key);
	fprintf(file, "{\"since\":\"%s\"", time_print(watch->since_us, text));
	json_time(file, "until", watch->until_us);
	put_seconds(file, "unseen_s", watch->unseen_us);
	put_seconds(file, "nobody_looked_s", watch->idle_us - watch->removed_us);
	put_seconds(file, "removed_s", watch->removed_us);
	fputc('}', file);
}

static void put_blinds(FILE *file, const struct incident *incident)
{
	json_list(file, "blind");
	for (size_t i = 0; i < incident->blind_count; i++) {
		const struct incident_blind *blind = &incident->blinds[i];

		json_item(file, i, "cause");
		json_put(file, blind_cause_name((enum blind_cause)blind->row.cause));
		put_source(file, blind->source);
		if (blind->id)
			json_number(file, "id", (uint64_t)blind->id);
		json_time(file, "start", blind->row.since_us);
		json_time(file, "end", blind->row.until_us);
		json_number(file, "count", blind->row.count);
		json_filled(file, "detail", blind->detail);
		json_bool(file, "unit_alone", blind->alone);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_findings(FILE *file, const struct incident *incident)
{
	json_list(file, "findings");
	for (size_t i = 0; i < incident->finding_count; i++) {
		const struct incident_finding *finding = &incident->findings[i];
		const struct finding_row *row = &finding->row;

		json_item(file, i, "id");
		fprintf(file, "\"F%lld\"", (long long)finding->id);
		put_source(file, finding->source);
		json_text(file, "kind", kind_name((enum kind)row->kind));
		json_text(file, "severity", severity_name((enum severity)row->severity));
		json_filled(file, "row", row->row);
		json_filled(file, "remote", row->remote);
		json_filled(file, "role", row->role);
		json_filled(file, "port", row->port);
		json_text(file, "application", row->app ? app_name((enum app)row->app) : NULL);
		json_text(file, "state",
		          !row->open     ? "closed"
		          : *row->waiver ? "waived"
		                         : "open");
		json_text(file, "reason", row->reason);
		json_filled(file, "waiver", row->waiver);
		json_filled(file, "changed_by", finding->by);
		json_text(file, "changed_why", *finding->by ? finding->why : NULL);
		json_number(file, "flows", row->flows);
		json_number(file, "rows", row->kept);
		json_number(file, "evidence_flows", finding->evidence);
		json_key(file, "in_window");
		fputs("{\"kept\":", file);
		fputs(finding->sum.flows ? "true" : "false", file);
		put_sum(file, &finding->sum);
		fputs("}}", file);
	}
	fputc(']', file);
}

static void put_thing_what(FILE *file, const struct incident_thing *thing)
{
	char addr[ADDR_TEXT];

	switch (thing->trait) {
	case TRAIT_PEER:
		json_put(file, addr_print(&thing->addr, addr));
		break;
	case TRAIT_APP:
		json_put(file, app_name((enum app)thing->number));
		break;
	case TRAIT_KIND:
		json_put(file, kind_name((enum kind)thing->number));
		break;
	default:
		json_put(file, thing->text);
	}
}

/* Null where nobody can tell, for nothing of the days before was watched. */
static void put_new(FILE *file, const struct incident *incident)
{
	static const char *const words[TRAIT_COUNT] = {[TRAIT_PEER] = "peer",
	                                               [TRAIT_NAME] = "name",
	                                               [TRAIT_APP] = "application",
	                                               [TRAIT_ROW] = "row",
	                                               [TRAIT_KIND] = "kind"};
	size_t count = 0;

	json_key(file, "new");
	if (!incident_can_tell_new(incident)) {
		fputs("null", file);
		return;
	}
	fputc('[', file);
	for (size_t i = 0; i < incident->thing_count; i++) {
		const struct incident_thing *thing = &incident->things[i];

		if (thing->known)
			continue;
		json_item(file, count++, "is");
		json_put(file, words[thing->trait]);
		json_key(file, "what");
		put_thing_what(file, thing);
		put_sum(file, &thing->sum);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_words(FILE *file, const char *key, const struct incident_words *words)
{
	json_list(file, key);
	for (unsigned i = 0; i < words->count; i++)
		json_word(file, i, words->word[i].text);
	fputc(']', file);
	if (words->more)
		fprintf(file, ",\"%s_cut\":true", key);
}

static void put_peers(FILE *file, const struct incident *incident)
{
	json_number(file, "peer_count", incident->peer_count);
	json_list(file, "peers");
	for (size_t i = 0; i < incident->peer_count && i < incident->peer_limit; i++) {
		const struct incident_peer *peer = incident->ranked[i];
		char text[ADDR_TEXT];

		json_item(file, i, "remote");
		json_put(file, addr_print(&peer->addr, text));
		json_key(file, "new");
		fputs(!incident_can_tell_new(incident) ? "null"
		      : peer->known                    ? "false"
		                                       : "true",
		      file);
		put_words(file, "names_claimed", &peer->names);
		json_list(file, "names_bound");
		for (size_t j = 0; j < peer->bound_count; j++)
			json_word(file, j, peer->bound[j].text);
		fputc(']', file);
		put_words(file, "applications", &peer->apps);
		put_words(file, "ports", &peer->ports);
		put_words(file, "rows", &peer->rows);
		put_sum(file, &peer->sum);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_port(FILE *file, const char *key, const struct incident_flow *flow,
                     uint16_t port)
{
	json_key(file, key);
	if (transport_has_ports(flow->transport))
		fprintf(file, "%u", port);
	else
		fputs("null", file);
}

static void put_flow(FILE *file, const struct incident *incident,
                     const struct incident_flow *flow, size_t at)
{
	char id[32];

	json_item(file, at, "id");
	fprintf(file, "%lld", (long long)flow->id);
	put_source(file, flow->source);
	json_time(file, "start", flow->first_us);
	json_time(file, "end", flow->last_us);
	json_bool(file, "begun_before", flow->first_us < incident->since_us);
	json_bool(file, "over_after", flow->last_us > incident->until_us);
	json_text(file, "transport", transport_name(flow->transport));
	json_text(file, "direction", direction_name((enum direction)flow->direction));
	json_addr(file, "local", &flow->local.addr);
	put_port(file, "local_port", flow, flow->local.port);
	json_addr(file, "remote", &flow->remote.addr);
	put_port(file, "remote_port", flow, flow->remote.port);
	json_filled(file, "name", flow->name);
	json_text(file, "application", flow->app ? app_name((enum app)flow->app) : NULL);
	json_text(file, "evidence", evidence_name((enum evidence)flow->evidence));
	json_text(file, "media", media_name(flow->media));
	json_text(file, "verdict", ruling_name((enum ruling)flow->ruling));
	json_text(file, "grade", grade_name((enum grade)flow->grade));
	json_text(file, "why", why_name((enum why)flow->why));
	json_filled(file, "row", flow->row);
	json_text(file, "kind", kind_name((enum kind)flow->kind));
	json_text(file, "severity", severity_name((enum severity)flow->severity));
	snprintf(id, sizeof(id), "F%lld", (long long)flow->finding);
	json_text(file, "finding", flow->finding ? id : NULL);
	json_number(file, "bytes_out", flow->bytes_out);
	json_number(file, "bytes_in", flow->bytes_in);
	json_bool(file, "blind", flow->blind);
	json_text(file, "policy", flow->policy);
	fputc('}', file);
}

static void put_addresses(FILE *file, const struct incident *incident)
{
	char text[ADDR_TEXT], known[64];

	json_list(file, "addresses");
	for (size_t i = 0; i < incident->address_count; i++) {
		const struct incident_address *address = &incident->addresses[i];

		json_item(file, i, "address");
		json_put(file, addr_print(&address->row.address, text));
		put_source(file, address->source);
		json_mac(file, "mac", &address->row.mac);
		json_text(file, "known_by",
		          known_by_words(address->row.known_by, known, sizeof(known)));
		json_time(file, "first", address->row.first_us);
		json_time(file, "last", address->row.last_us);
		fputc('}', file);
	}
	fputc(']', file);
	json_list(file, "leases");
	for (size_t i = 0; i < incident->lease_count; i++) {
		const struct incident_lease *lease = &incident->leases[i];

		json_item(file, i, "address");
		json_put(file, addr_print(&lease->row.address, text));
		put_source(file, lease->source);
		json_mac(file, "mac", &lease->row.mac);
		json_addr(file, "server", &lease->row.server);
		json_time(file, "first", lease->row.first_us);
		json_time(file, "last", lease->row.last_us);
		json_time(file, "until", lease->row.until_us);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_policies(FILE *file, const struct incident *incident)
{
	size_t count = 0;

	json_list(file, "policies");
	for (size_t i = 0; i < incident->policy_count; i++) {
		const struct incident_policy *policy = &incident->policies[i];

		json_item(file, i, "policy");
		json_put(file, policy->hash);
		json_number(file, "flows", policy->sum.flows);
		json_list(file, "in_force");
		for (size_t j = 0; j < policy->use_count; j++)
			json_word(file, j, policy->uses[j]);
		fputs("]}", file);
	}
	fputc(']', file);
	json_list(file, "rows");
	for (size_t i = 0; i < incident->thing_count; i++) {
		const struct incident_thing *thing = &incident->things[i];

		if (thing->trait != TRAIT_ROW)
			continue;
		json_item(file, count++, "row");
		json_put(file, thing->text);
		for (unsigned grade = GRADE_EXACT; grade <= GRADE_WIDE; grade++)
			json_number(file, grade_name((enum grade)grade),
			            thing->sum.by_grade[grade]);
		put_sum(file, &thing->sum);
		fputc('}', file);
	}
	fputc(']', file);
}

int incident_json(const struct incident *incident, FILE *file, struct err *err)
{
	char answer[INCIDENT_ANSWER];

	fputs("{\"unit\":", file);
	json_put(file, incident->unit);
	json_text(file, "profiles", incident->profiles);
	json_bool(file, "listed", incident->listed);
	json_bool(file, "ever_seen", incident->seen);
	json_bool(file, "recorded", !incident->outside || incident->watch.removed_us);
	json_text(file, "answer", incident_answer(incident, answer));
	put_sources(file, incident);
	put_watch(file, "window", &incident->watch);
	put_watch(file, "days_before", &incident->before);
	put_blinds(file, incident);
	json_key(file, "sums");
	fputs("{\"peers\":", file);
	fprintf(file, "%zu", incident->peer_count);
	put_sum(file, &incident->sum);
	fputc('}', file);
	put_findings(file, incident);
	put_new(file, incident);
	put_peers(file, incident);
	json_list(file, "flows");
	for (size_t i = 0; i < incident->flow_count; i++)
		put_flow(file, incident, &incident->flows[i], i);
	fputc(']', file);
	json_bool(file, "flows_cut", incident->sum.flows > incident->flow_count);
	put_addresses(file, incident);
	put_policies(file, incident);
	fputs("}\n", file);
	return stream_end(file, err);
}

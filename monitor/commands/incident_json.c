/*
 * incident_json.c - an incident report as one JSON object: times in ISO 8601 UTC, addresses and words as
 * in 'tlmon flows -o json'; null where a thing is not known.
 */
#include "monitor/commands/incident.h"
#include "schema/time.h"

static void put_key(FILE *file, const char *key)
{
	fprintf(file, ",\"%s\":", key);
}

static void put_text(FILE *file, const char *key, const char *text)
{
	put_key(file, key);
	if (text)
		json_put(file, text);
	else
		fputs("null", file);
}

static void put_number(FILE *file, const char *key, uint64_t number)
{
	put_key(file, key);
	fprintf(file, "%llu", (unsigned long long)number);
}

static void put_bool(FILE *file, const char *key, bool value)
{
	put_key(file, key);
	fputs(value ? "true" : "false", file);
}

/* 0: null. */
static void put_time(FILE *file, const char *key, int64_t us)
{
	char text[TIME_TEXT];

	put_text(file, key, us ? time_print(us, text) : NULL);
}

static void put_addr(FILE *file, const char *key, const struct addr *addr)
{
	char text[ADDR_TEXT];

	put_text(file, key, addr_is_unspecified(addr) ? NULL : addr_print(addr, text));
}

static void put_mac(FILE *file, const char *key, const struct mac *mac)
{
	char text[MAC_TEXT];

	put_text(file, key, mac_is_zero(mac) ? NULL : mac_print(mac, text));
}

/* An element of a list begins; its first key follows without a comma. */
static void item_begins(FILE *file, size_t at, const char *key)
{
	fprintf(file, "%s\n{\"%s\":", at ? "," : "", key);
}

static void put_source(FILE *file, const struct incident_source *source)
{
	put_text(file, "database", source ? data_dir(source->dir) : NULL);
}

static void put_sum(FILE *file, const struct incident_sum *sum)
{
	put_number(file, "flows", sum->flows);
	for (unsigned i = RULING_DOCUMENTED; i <= RULING_HOUSEKEEPING; i++)
		put_number(file, ruling_name((enum ruling)i), sum->by_ruling[i]);
	put_number(file, "blocked", sum->blocked);
	put_number(file, "begun_before", sum->before);
	put_number(file, "over_after", sum->after);
	put_number(file, "not_seen_whole", sum->blind);
	put_number(file, "packets_out", sum->packets_out);
	put_number(file, "packets_in", sum->packets_in);
	put_number(file, "bytes_out", sum->bytes_out);
	put_number(file, "bytes_in", sum->bytes_in);
	put_time(file, "first", sum->first_us);
	put_time(file, "last", sum->last_us);
}

static void put_sources(FILE *file, const struct incident *incident)
{
	put_key(file, "databases");
	fputc('[', file);
	for (size_t i = 0; i < incident->source_count; i++) {
		const struct incident_source *source = &incident->sources[i];

		item_begins(file, i, "database");
		json_put(file, data_dir(source->dir));
		put_time(file, "first", source->query.span.first_us);
		put_time(file, "last", source->query.span.last_us);
		put_number(file, "runs", source->query.span.runs);
		put_bool(file, "knows_unit", source->unit);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_seconds(FILE *file, const char *key, int64_t us)
{
	put_key(file, key);
	fprintf(file, "%lld.%06lld", (long long)(us / SECOND_US), (long long)(us % SECOND_US));
}

static void put_watch(FILE *file, const char *key, const struct incident_watch *watch)
{
	char text[TIME_TEXT];

	put_key(file, key);
	fprintf(file, "{\"since\":\"%s\"", time_print(watch->since_us, text));
	put_time(file, "until", watch->until_us);
	put_seconds(file, "unseen_s", watch->unseen_us);
	put_seconds(file, "nobody_looked_s", watch->idle_us - watch->removed_us);
	put_seconds(file, "removed_s", watch->removed_us);
	fputc('}', file);
}

static void put_blinds(FILE *file, const struct incident *incident)
{
	put_key(file, "blind");
	fputc('[', file);
	for (size_t i = 0; i < incident->blind_count; i++) {
		const struct incident_blind *blind = &incident->blinds[i];

		item_begins(file, i, "cause");
		json_put(file, blind_cause_name((enum blind_cause)blind->row.cause));
		put_source(file, blind->source);
		if (blind->id)
			put_number(file, "id", (uint64_t)blind->id);
		put_time(file, "start", blind->row.since_us);
		put_time(file, "end", blind->row.until_us);
		put_number(file, "count", blind->row.count);
		put_text(file, "detail", *blind->detail ? blind->detail : NULL);
		put_bool(file, "unit_alone", blind->alone);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_findings(FILE *file, const struct incident *incident)
{
	put_key(file, "findings");
	fputc('[', file);
	for (size_t i = 0; i < incident->finding_count; i++) {
		const struct incident_finding *finding = &incident->findings[i];
		const struct finding_row *row = &finding->row;

		item_begins(file, i, "id");
		fprintf(file, "\"F%lld\"", (long long)finding->id);
		put_source(file, finding->source);
		put_text(file, "kind", kind_name((enum kind)row->kind));
		put_text(file, "severity", severity_name((enum severity)row->severity));
		put_text(file, "row", *row->row ? row->row : NULL);
		put_text(file, "remote", *row->remote ? row->remote : NULL);
		put_text(file, "role", *row->role ? row->role : NULL);
		put_text(file, "port", *row->port ? row->port : NULL);
		put_text(file, "application", row->app ? app_name((enum app)row->app) : NULL);
		put_text(file, "state",
		         !row->open     ? "closed"
		         : *row->waiver ? "waived"
		                        : "open");
		put_text(file, "reason", row->reason);
		put_text(file, "waiver", *row->waiver ? row->waiver : NULL);
		put_text(file, "changed_by", *finding->by ? finding->by : NULL);
		put_text(file, "changed_why", *finding->by ? finding->why : NULL);
		put_number(file, "evidence_flows", finding->evidence);
		put_key(file, "in_window");
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

	put_key(file, "new");
	if (!incident_can_tell_new(incident)) {
		fputs("null", file);
		return;
	}
	fputc('[', file);
	for (size_t i = 0; i < incident->thing_count; i++) {
		const struct incident_thing *thing = &incident->things[i];

		if (thing->known)
			continue;
		item_begins(file, count++, "is");
		json_put(file, words[thing->trait]);
		put_key(file, "what");
		put_thing_what(file, thing);
		put_sum(file, &thing->sum);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_words(FILE *file, const char *key, const struct incident_words *words)
{
	put_key(file, key);
	fputc('[', file);
	for (unsigned i = 0; i < words->count; i++) {
		fputs(i ? "," : "", file);
		json_put(file, words->word[i].text);
	}
	fputc(']', file);
	if (words->more)
		fprintf(file, ",\"%s_cut\":true", key);
}

static void put_peers(FILE *file, const struct incident *incident)
{
	put_number(file, "peer_count", incident->peer_count);
	put_key(file, "peers");
	fputc('[', file);
	for (size_t i = 0; i < incident->peer_count && i < incident->peer_limit; i++) {
		const struct incident_peer *peer = incident->ranked[i];
		char text[ADDR_TEXT];

		item_begins(file, i, "remote");
		json_put(file, addr_print(&peer->addr, text));
		put_key(file, "new");
		fputs(!incident_can_tell_new(incident) ? "null"
		      : peer->known                    ? "false"
		                                       : "true",
		      file);
		put_words(file, "names_claimed", &peer->names);
		put_key(file, "names_bound");
		fputc('[', file);
		for (size_t j = 0; j < peer->bound_count; j++) {
			fputs(j ? "," : "", file);
			json_put(file, peer->bound[j].text);
		}
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
	put_key(file, key);
	if (transport_has_ports(flow->transport))
		fprintf(file, "%u", port);
	else
		fputs("null", file);
}

static void put_flow(FILE *file, const struct incident *incident,
                     const struct incident_flow *flow, size_t at)
{
	char id[32];

	item_begins(file, at, "id");
	fprintf(file, "%lld", (long long)flow->id);
	put_source(file, flow->source);
	put_time(file, "start", flow->first_us);
	put_time(file, "end", flow->last_us);
	put_bool(file, "begun_before", flow->first_us < incident->since_us);
	put_bool(file, "over_after", flow->last_us > incident->until_us);
	put_text(file, "transport", transport_name(flow->transport));
	put_text(file, "direction", direction_name((enum direction)flow->direction));
	put_addr(file, "local", &flow->local.addr);
	put_port(file, "local_port", flow, flow->local.port);
	put_addr(file, "remote", &flow->remote.addr);
	put_port(file, "remote_port", flow, flow->remote.port);
	put_text(file, "name", *flow->name ? flow->name : NULL);
	put_text(file, "application", flow->app ? app_name((enum app)flow->app) : NULL);
	put_text(file, "evidence", evidence_name((enum evidence)flow->evidence));
	put_text(file, "media", media_name(flow->media));
	put_text(file, "verdict", ruling_name((enum ruling)flow->ruling));
	put_text(file, "grade", grade_name((enum grade)flow->grade));
	put_text(file, "why", why_name((enum why)flow->why));
	put_text(file, "row", *flow->row ? flow->row : NULL);
	put_text(file, "kind", kind_name((enum kind)flow->kind));
	put_text(file, "severity", severity_name((enum severity)flow->severity));
	snprintf(id, sizeof(id), "F%lld", (long long)flow->finding);
	put_text(file, "finding", flow->finding ? id : NULL);
	put_number(file, "bytes_out", flow->bytes_out);
	put_number(file, "bytes_in", flow->bytes_in);
	put_bool(file, "blind", flow->blind);
	put_text(file, "policy", flow->policy);
	fputc('}', file);
}

static void put_addresses(FILE *file, const struct incident *incident)
{
	char text[ADDR_TEXT], known[64];

	put_key(file, "addresses");
	fputc('[', file);
	for (size_t i = 0; i < incident->address_count; i++) {
		const struct incident_address *address = &incident->addresses[i];

		item_begins(file, i, "address");
		json_put(file, addr_print(&address->row.address, text));
		put_source(file, address->source);
		put_mac(file, "mac", &address->row.mac);
		put_text(file, "known_by",
		         known_by_words(address->row.known_by, known, sizeof(known)));
		put_time(file, "first", address->row.first_us);
		put_time(file, "last", address->row.last_us);
		fputc('}', file);
	}
	fputc(']', file);
	put_key(file, "leases");
	fputc('[', file);
	for (size_t i = 0; i < incident->lease_count; i++) {
		const struct incident_lease *lease = &incident->leases[i];

		item_begins(file, i, "address");
		json_put(file, addr_print(&lease->row.address, text));
		put_source(file, lease->source);
		put_mac(file, "mac", &lease->row.mac);
		put_addr(file, "server", &lease->row.server);
		put_time(file, "first", lease->row.first_us);
		put_time(file, "last", lease->row.last_us);
		put_time(file, "until", lease->row.until_us);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_policies(FILE *file, const struct incident *incident)
{
	size_t count = 0;

	put_key(file, "policies");
	fputc('[', file);
	for (size_t i = 0; i < incident->policy_count; i++) {
		const struct incident_policy *policy = &incident->policies[i];

		item_begins(file, i, "policy");
		json_put(file, policy->hash);
		put_number(file, "flows", policy->sum.flows);
		put_key(file, "in_force");
		fputc('[', file);
		for (size_t j = 0; j < policy->use_count; j++) {
			fputs(j ? "," : "", file);
			json_put(file, policy->uses[j]);
		}
		fputs("]}", file);
	}
	fputc(']', file);
	put_key(file, "rows");
	fputc('[', file);
	for (size_t i = 0; i < incident->thing_count; i++) {
		const struct incident_thing *thing = &incident->things[i];

		if (thing->trait != TRAIT_ROW)
			continue;
		item_begins(file, count++, "row");
		json_put(file, thing->text);
		for (unsigned grade = GRADE_EXACT; grade <= GRADE_WIDE; grade++)
			put_number(file, grade_name((enum grade)grade),
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
	put_text(file, "profiles", incident->profiles);
	put_bool(file, "listed", incident->listed);
	put_bool(file, "ever_seen", incident->seen);
	put_bool(file, "recorded", !incident->outside || incident->watch.removed_us);
	put_text(file, "answer", incident_answer(incident, answer));
	put_sources(file, incident);
	put_watch(file, "window", &incident->watch);
	put_watch(file, "days_before", &incident->before);
	put_blinds(file, incident);
	put_key(file, "sums");
	fputs("{\"peers\":", file);
	fprintf(file, "%zu", incident->peer_count);
	put_sum(file, &incident->sum);
	fputc('}', file);
	put_findings(file, incident);
	put_new(file, incident);
	put_peers(file, incident);
	put_key(file, "flows");
	fputc('[', file);
	for (size_t i = 0; i < incident->flow_count; i++)
		put_flow(file, incident, &incident->flows[i], i);
	fputc(']', file);
	put_bool(file, "flows_cut", incident->sum.flows > incident->flow_count);
	put_addresses(file, incident);
	put_policies(file, incident);
	fputs("}\n", file);
	return stream_end(file, err);
}

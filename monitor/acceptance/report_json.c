/*
 * report_json.c - an acceptance as one JSON object: times in ISO 8601 UTC, addresses and words as in
 * 'tlmon flows -o json'; null where a thing is not known. Nothing is left out.
 */
#include "monitor/acceptance/report_parts.h"
#include "monitor/commands/query.h"

static const char *unit_of(const struct acceptance *a, size_t unit, const char *who)
{
	return unit < a->unit_count ? a->units[unit].name : who;
}

static const char *row_of(const struct acceptance *a, int row)
{
	return row >= 0 && (size_t)row < a->policy->row_count ? a->policy->rows[row].id : NULL;
}

/* ------------------------------------------------------------------ result */

static void put_result(FILE *file, const struct acceptance *a)
{
	fputs("{\"result\":", file);
	json_put(file, acceptance_result_name(a->result));
	json_text(file, "fail_on", severity_words((uint8_t)a->options.fail_on));
	json_key(file, "at");
	for (uint8_t level = SEVERITY_LOW; level <= SEVERITY_HIGH; level++)
		fprintf(file, "%s\"%s\":\"%s\"", level == SEVERITY_LOW ? "{" : ",",
		        severity_words(level),
		        acceptance_result_name(acceptance_result_at(a, (enum severity)level)));
	fputc('}', file);
	json_list(file, "reasons");
	for (size_t i = 0; i < a->reason_count; i++) {
		const struct acceptance_reason *reason = &a->reasons[i];

		json_item(file, i, "result");
		json_put(file, acceptance_result_name((enum acceptance_result)reason->result));
		json_text(file, "severity", severity_name((enum severity)reason->severity));
		json_bool(file, "holds", reason_holds(a, reason));
		json_text(file, "text", reason->text);
		fputc('}', file);
	}
	fputc(']', file);
	json_filled(file, "site", a->policy->site_name);
	json_filled(file, "source", a->options.source);
	json_filled(file, "filter", a->filter);
	json_number(file, "runs_filtered", a->filtered);
	json_text(file, "of_unit", a->options.unit);
	json_time(file, "since", a->since_us);
	json_time(file, "until", a->until_us);
	json_number(file, "runs", a->runs);
	json_number(file, "packets", a->packets);
}

/* Entries of the site file that stand for many hosts. */
static void put_silent(FILE *file, const struct acceptance *a)
{
	json_list(file, "entries_unseen");
	for (size_t i = 0; i < a->silent_entries; i++)
		json_word(file, i, a->silent[i]->name);
	fputc(']', file);
}

static void put_blinds(FILE *file, const struct acceptance *a)
{
	json_list(file, "blind");
	for (size_t i = 0; i < a->blind_count; i++) {
		const struct acceptance_blind *blind = &a->blinds[i];

		json_item(file, i, "cause");
		json_put(file, blind_cause_name((enum blind_cause)blind->row.cause));
		json_id(file, "id", blind->id);
		json_time(file, "start", blind->row.since_us);
		json_time(file, "end", blind->row.until_us);
		json_number(file, "count", blind->row.count);
		json_filled(file, "unit", blind->unit);
		json_filled(file, "detail", blind->detail);
		json_bool(file, "packets_unseen", BIT(blind->row.cause) & BLIND_UNSEEN);
		fputc('}', file);
	}
	fputc(']', file);
}

/* ------------------------------------------------------------------- units */

static void put_block(FILE *file, const struct cell_block *block, size_t at)
{
	json_item(file, at, "kind");
	json_put(file, kind_name((enum kind)block->kind));
	json_text(file, "transport", transport_name(block->transport));
	json_text(file, "direction", direction_name((enum direction)block->direction));
	json_addr(file, "local", &block->local);
	json_number(file, "local_port", block->local_port);
	json_addr(file, "remote", &block->remote);
	json_number(file, "remote_port", block->remote_port);
	json_addr(file, "router", &block->sender);
	if (!addr_is_unspecified(&block->sender)) {
		json_number(file, "icmp_type", block->icmp_type);
		json_number(file, "icmp_code", block->icmp_code);
	}
	json_id(file, "flow", block->flow);
	json_number(file, "flows", block->flows);
	fputc('}', file);
}

static void put_counts(FILE *file, const struct cell *cell)
{
	const struct {
		const char *name;
		uint64_t count;
	} counts[] = {
		{"exact", cell->exact},
		{"unproven", cell->unproven},
		{"wide", cell->wide},
		{"unanswered", cell->unanswered},
		{"one_sided", cell->one_sided},
		{"silent", cell->silent},
		{"prohibited", cell->prohibited},
		{"refused", cell->refused},
		{"outside", cell->outside},
		{"undetermined", cell->undetermined},
	};

	json_key(file, "flows");
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		fprintf(file, "%s\"%s\":%llu", i ? "," : "{", counts[i].name,
		        (unsigned long long)counts[i].count);
	fputc('}', file);
}

static void put_cell(FILE *file, const struct acceptance *a, const struct acceptance_unit *unit,
                     size_t row, size_t at)
{
	const struct cell *cell = &unit->cells[row];
	char whys[CELL_TEXT];

	json_item(file, at, "row");
	json_put(file, a->policy->rows[row].id);
	json_text(file, "state", cell_state_name((enum cell_state)cell->state));
	json_text(file, "grade", grade_name((enum grade)cell->grade));
	json_text(file, "blocked",
	          cell->state == CELL_BLOCKED ? block_word(cell->blocked) : NULL);
	json_text(file, "why",
	          cell->state == CELL_UNDETERMINED ? whys_print(cell, whys) : NULL);
	json_bool(file, "excused", cell->excused);
	json_bool(file, "carried", cell->carried);
	json_bool(file, "waived", cell->waived);
	json_text(file, "group",
	          cell->group >= 0 && (size_t)cell->group < unit->group_count
	                  ? unit->groups[cell->group].group->id
	                  : NULL);
	json_number(file, "refusing", cell->refusing);
	put_counts(file, cell);
	json_time(file, "first", cell->first_us);
	json_time(file, "last", cell->last_us);
	json_id(file, "ok_flow", cell->ok_flow);
	json_id(file, "flow", cell->flow);
	json_list(file, "closed");
	for (unsigned i = 0; i < cell->block_count; i++)
		put_block(file, &cell->blocks[i], i);
	fputc(']', file);
	json_number(file, "closed_more", cell->blocks_more);
	fputc('}', file);
}

static void put_groups(FILE *file, const struct acceptance_unit *unit)
{
	json_list(file, "groups");
	for (size_t i = 0; i < unit->group_count; i++) {
		const struct group_cell *group = &unit->groups[i];

		json_item(file, i, "group");
		json_put(file, group->group->id);
		json_text(file, "need", need_name((enum need)group->need));
		json_text(file, "state", cell_state_name((enum cell_state)group->state));
		json_text(file, "grade", grade_name((enum grade)group->grade));
		json_bool(file, "media_unknown", group->media_unknown);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_unit(FILE *file, const struct acceptance *a, size_t at)
{
	const struct acceptance_unit *unit = &a->units[at];
	const struct envelope *envelope = a->policy->envelope;
	char addr[ADDR_TEXT], profiles[512] = "";
	size_t count = 0;

	json_item(file, at, "unit");
	json_put(file, unit->name);
	json_text(file, "result", acceptance_result_name((enum acceptance_result)unit->result));
	json_bool(file, "seen", unit->seen);
	json_bool(file, "blind", unit->blind);
	for (size_t i = 0; i < envelope->profile_count; i++)
		if (unit->profiles & BIT(i))
			text_add(profiles, sizeof(profiles), "%s%s", *profiles ? ", " : "",
			         envelope->profiles[i].id);
	json_text(file, "profiles", profiles);
	json_list(file, "addresses");
	for (unsigned i = 0; i < unit->address_count; i++)
		json_word(file, i, addr_print(&unit->addresses[i], addr));
	fputc(']', file);
	json_number(file, "flows", unit->flows);
	json_number(file, "documented", unit->documented);
	json_number(file, "blocked", unit->blocked);
	json_number(file, "outside", unit->outside);
	json_number(file, "undetermined", unit->undetermined);
	json_number(file, "housekeeping", unit->housekeeping);
	json_number(file, "open", unit->idle_required);
	json_list(file, "rows");
	for (size_t k = 0; k < a->policy->row_count; k++)
		if (unit->cells[k].applies)
			put_cell(file, a, unit, k, count++);
	fputc(']', file);
	put_groups(file, unit);
	fputc('}', file);
}

/* ---------------------------------------------------------------- findings */

struct packets {
	FILE *file;
	size_t count;
};

static int put_packet(void *context, const struct report_packet *packet, struct err *err)
{
	struct packets *packets = context;
	FILE *file = packets->file;
	char time[TIME_TEXT];

	json_item(file, packets->count++, "time");
	json_put(file, time_print(packet->time_us, time));
	json_id(file, "flow", packet->flow);
	json_text(file, "direction", packet->direction);
	json_number(file, "kept", packet->len);
	json_number(file, "wire", packet->wire_len);
	json_text(file, "info", packet->text);
	fputs(",\"bytes\":\"", file);
	for (size_t i = 0; i < packet->len; i++)
		fprintf(file, "%02x", packet->bytes[i]);
	fputs("\"}", file);
	return 0;
}

/* What of a finding is alike, open or closed. */
static void put_about(FILE *file, const struct finding_row *row)
{
	json_filled(file, "row", row->row);
	json_filled(file, "remote", row->remote);
	json_filled(file, "role", row->role);
	json_text(file, "transport", row->transport ? transport_name(row->transport) : NULL);
	json_filled(file, "port", row->port);
	json_text(file, "application", row->app ? app_name((enum app)row->app) : NULL);
	json_time(file, "first", row->first_us);
	json_time(file, "last", row->last_us);
	json_number(file, "flows", row->flows);
	json_number(file, "bytes", row->bytes);
	json_text(file, "reason", row->reason);
}

static int put_finding(FILE *file, const struct acceptance *a, size_t at, struct err *err)
{
	const struct acceptance_finding *finding = &a->findings[at];
	const struct finding_row *row = &finding->finding;
	struct packets packets = {.file = file};
	char id[32];
	int r;

	snprintf(id, sizeof(id), "F%lld", (long long)finding->id);
	json_item(file, at, "id");
	json_put(file, id);
	json_text(file, "unit", finding->who);
	json_bool(file, "listed", finding->unit < a->unit_count);
	json_text(file, "kind", kind_name((enum kind)row->kind));
	json_text(file, "severity", severity_words(row->severity));
	json_text(file, "state", finding->waived ? "waived" : "open");
	json_bool(file, "refuses", finding->refuses);
	put_about(file, row);
	json_filled(file, "waiver", row->waiver);
	json_id(file, "flow", finding->flow);
	json_list(file, "packets");
	r = finding->evidence ? finding_packets(a, finding->id, put_packet, &packets, err) : 0;
	fputs("]}", file);
	return r;
}

static void put_closed(FILE *file, const struct acceptance *a)
{
	json_list(file, "closed");
	for (size_t i = 0; i < a->closed_count; i++) {
		const struct acceptance_closed *closed = &a->closed[i];
		const struct finding_row *row = &closed->finding.finding;
		char id[32];

		snprintf(id, sizeof(id), "F%lld", (long long)closed->finding.id);
		json_item(file, i, "id");
		json_put(file, id);
		json_text(file, "unit", closed->finding.who);
		json_text(file, "kind", kind_name((enum kind)row->kind));
		json_text(file, "severity", severity_words(row->severity));
		json_text(file, "state", "closed");
		json_filled(file, "by", closed->by);
		json_filled(file, "why", closed->why);
		json_time(file, "at", closed->at_us);
		put_about(file, row);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_steps(FILE *file, const struct acceptance *a)
{
	json_list(file, "next");
	for (size_t i = 0; i < a->step_count; i++) {
		const struct step *step = &a->steps[i];
		char id[32];

		json_item(file, i, "kind");
		json_put(file, step_kind_name((enum step_kind)step->kind));
		json_text(file, "unit", unit_of(a, step->unit, step->who));
		json_text(file, "row", row_of(a, step->row));
		snprintf(id, sizeof(id), "F%lld", (long long)step->finding);
		json_text(file, "finding", step->finding ? id : NULL);
		json_text(file, "say", step->say);
		json_text(file, "lines", step->lines);
		json_bool(file, "proven", step->proven);
		json_number(file, "settles", step->settles);
		fputc('}', file);
	}
	fputc(']', file);
}

static void put_waivers(FILE *file, const struct acceptance *a)
{
	json_list(file, "waivers");
	for (size_t i = 0; i < a->policy->waiver_count; i++) {
		const struct waiver *waiver = &a->policy->waivers[i];
		char scope[1024];
		size_t count = 0;

		json_item(file, i, "owner");
		json_put(file, waiver->owner);
		json_text(file, "reason", waiver->reason);
		json_text(file, "expires", waiver->expires);
		json_bool(file, "expired", waiver_is_over(a, waiver));
		json_text(file, "scope", waiver_scope(a->policy, waiver, scope, sizeof(scope)));
		json_list(file, "excuses");
		for (size_t k = 0; k < a->finding_count; k++)
			if (waiver_excuses(a, waiver, &a->findings[k]))
				fprintf(file, "%s\"F%lld\"", count++ ? "," : "",
				        (long long)a->findings[k].id);
		fputs("]}", file);
	}
	fputc(']', file);
}

/* ------------------------------------------------------------------ origin */

static void put_documented(FILE *file, const struct acceptance *a)
{
	const struct envelope *envelope = a->policy->envelope;
	size_t count = 0;

	json_list(file, "rows");
	for (size_t k = 0; k < a->policy->row_count; k++) {
		const struct row *row = &a->policy->rows[k];

		if (!row_is_asked(a, k))
			continue;
		json_item(file, count++, "row");
		json_put(file, row->id);
		json_text(file, "document", row->document);
		json_text(file, "need", need_name((enum need)row->need));
		json_filled(file, "need_reason", row->need_reason);
		json_bool(file, "need_by_site", row->need_by_site);
		json_bool(file, "narrowed", a->policy->row_narrowed[k]);
		fputc('}', file);
	}
	fputc(']', file);
	json_list(file, "groups");
	for (size_t i = 0; i < envelope->group_count; i++) {
		const struct row_group *group = &envelope->groups[i];

		json_item(file, i, "group");
		json_put(file, group->id);
		json_text(file, "rule", group->rule == GROUP_TOGETHER ? "together" : "one-of");
		json_text(file, "media", media_name(group->media));
		json_list(file, "rows");
		for (unsigned k = 0; k < group->row_count; k++)
			json_word(file, k, a->policy->rows[group->rows[k]].id);
		fputc(']', file);
		json_filled(file, "reason", group->reason);
		fputc('}', file);
	}
	fputc(']', file);
}

static int put_input(void *context, const struct input_row *input, struct err *err)
{
	struct packets *inputs = context;
	FILE *file = inputs->file;

	json_item(file, inputs->count++, "file");
	json_put(file, input->name);
	json_number(file, "size", input->size);
	json_filled(file, "hash", input->hash);
	json_time(file, "first", input->first_us);
	json_time(file, "last", input->last_us);
	json_number(file, "packets", input->packets);
	json_bool(file, "cut", input->cut);
	json_filled(file, "note", input->note);
	fputc('}', file);
	return 0;
}

static int put_origin(FILE *file, const struct acceptance *a, struct err *err)
{
	struct packets inputs = {.file = file};
	int r = 0;

	json_list(file, "inputs");
	if (a->db)
		r = flowdb_inputs(a->db, 0, put_input, &inputs, err);
	fputc(']', file);
	json_text(file, "software", "tlmon " TLMON_VERSION);
	json_text(file, "policy", a->policy->hash);
	json_text(file, "envelope", a->policy->envelope->hash);
	json_filled(file, "endpoints", a->policy->endpoints_date);
	json_text(file, "site_text", a->policy->site_text);
	json_text(file, "envelope_text", a->policy->envelope->text);
	return r;
}

int report_json(const struct acceptance *acceptance, FILE *file, struct err *err)
{
	const struct acceptance *a = acceptance;
	int r = 0;

	put_result(file, a);
	put_blinds(file, a);
	json_list(file, "units");
	for (size_t i = 0; i < a->unit_count; i++)
		put_unit(file, a, i);
	fputc(']', file);
	put_silent(file, a);
	json_list(file, "findings");
	for (size_t i = 0; i < a->finding_count && r >= 0; i++)
		r = put_finding(file, a, i, err);
	fputc(']', file);
	if (r < 0)
		return r;
	put_closed(file, a);
	put_steps(file, a);
	put_waivers(file, a);
	put_documented(file, a);
	r = put_origin(file, a, err);
	fputs("}\n", file);
	return r < 0 ? r : stream_end(file, err);
}

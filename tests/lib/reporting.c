/*
 * reporting.c - see reporting.h.
 */
#include "tests/lib/reporting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define S INT64_C(1000000)

static const char SITE[] =
	"site: Head <b>office\n"
	"units:\n"
	"  - {name: boardroom, addresses: [10.20.0.15], profiles: [room, online]}\n"
	"  - {name: huddle, addresses: [10.20.0.16], profiles: [room]}\n"
	"waivers:\n"
	"  - {units: [huddle], remote: 10.0.0.9, transport: udp, remote-ports: [123], application: ntp,\n"
	"     owner: netops, reason: local clock until 4.5, expires: 2026-12-31}\n"
	"  - {kind: peer, owner: av-team, reason: old & gone, expires: 2026-01-31}\n";

static void *take(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	assert_non_null(memory);
	return memory;
}

int reporting_setup(void **state)
{
	const struct policy_args args = {
		.site_path = "site.yaml", .site_text = SITE, .site_text_len = strlen(SITE)};
	struct reporting *bench = take(1, sizeof(*bench));
	struct err err = {0};

	if (policy_load(&args, &bench->policy, &err) < 0)
		fail_msg("%s", err.text);
	bench->a = (struct acceptance){
		.options = {.policy = bench->policy,
	                    .fail_on = SEVERITY_LOW,
	                    .source = "day.pcap"},
		.policy = bench->policy,
		.since_us = DBKIT_DAY,
		.until_us = DBKIT_DAY + 600 * S,
		.runs = 1,
		.packets = 1234,
	};
	*state = bench;
	return 0;
}

static void acceptance_release(struct acceptance *a)
{
	for (size_t i = 0; i < a->unit_count; i++) {
		free(a->units[i].name);
		free(a->units[i].cells);
		free(a->units[i].groups);
	}
	for (size_t i = 0; i < a->finding_count; i++)
		free(a->findings[i].who);
	for (size_t i = 0; i < a->closed_count; i++) {
		free(a->closed[i].finding.who);
		free(a->closed[i].by);
		free(a->closed[i].why);
	}
	free(a->closed);
	for (size_t i = 0; i < a->reason_count; i++)
		free(a->reasons[i].text);
	for (size_t i = 0; i < a->step_count; i++) {
		free(a->steps[i].who);
		free(a->steps[i].say);
		free(a->steps[i].lines);
	}
	free(a->units);
	free(a->findings);
	free(a->blinds);
	free(a->reasons);
	free(a->steps);
}

int reporting_teardown(void **state)
{
	struct reporting *bench = *state;

	acceptance_release(&bench->a);
	policy_free(bench->policy);
	free(bench->text);
	free(bench);
	return 0;
}

/* ---------------------------------------------------------------- building */

void reporting_add_units(struct reporting *bench, size_t count, const char *name,
                         const char *profiles)
{
	struct acceptance *a = &bench->a;
	size_t from = a->unit_count;
	struct err err;

	assert_int_equal(
		array_reserve(&a->units, &a->unit_room, from + count, sizeof(*a->units)), 0);
	for (size_t i = from; i < from + count; i++) {
		struct acceptance_unit *unit = &a->units[i];

		a->unit_count++;
		assert_true(asprintf(&unit->name, count > 1 ? "%s-%02zu" : "%s", name, i) > 0);
		assert_int_equal(policy_parse_profiles(bench->policy->envelope, profiles,
		                                       &unit->profiles, &err),
		                 0);
		unit->seen = true;
		unit->cells = take(bench->policy->row_count + 1, sizeof(*unit->cells));
		for (size_t k = 0; k < bench->policy->row_count; k++) {
			unit->cells[k].applies =
				unit->profiles & BIT(bench->policy->rows[k].profile);
			unit->cells[k].group = -1;
		}
	}
}

struct cell *reporting_cell(struct reporting *bench, size_t unit, const char *row)
{
	int at = envelope_find_row(bench->policy->envelope, row);

	assert_true(at >= 0);
	return &bench->a.units[unit].cells[at];
}

struct cell *reporting_set(struct reporting *bench, size_t unit, const char *row,
                           struct cell cell)
{
	struct cell *at = reporting_cell(bench, unit, row);

	cell.applies = at->applies;
	cell_settle(&cell);
	return *at = cell, at;
}

struct acceptance_finding *reporting_add_finding(struct reporting *bench, size_t unit,
                                                 const char *row, enum kind kind,
                                                 enum severity severity, const char *waiver)
{
	struct acceptance *a = &bench->a;
	struct acceptance_finding *finding;

	assert_int_equal(array_reserve(&a->findings, &a->finding_room, a->finding_count + 1,
	                               sizeof(*a->findings)),
	                 0);
	finding = &a->findings[a->finding_count++];
	*finding = (struct acceptance_finding){
		.id = (int64_t)a->finding_count,
		.unit = unit,
		.who = strdup(unit < a->unit_count ? a->units[unit].name : "10.9.9.9"),
		.row = *row ? envelope_find_row(bench->policy->envelope, row) : -1,
		.waived = *waiver,
		.refuses = !*waiver && severity >= a->options.fail_on,
		.finding = {.kind = (uint8_t)kind,
	                    .severity = (uint8_t)severity,
	                    .transport = TRANSPORT_UDP,
	                    .app = APP_NTP,
	                    .first_us = DBKIT_DAY + 60 * S,
	                    .last_us = DBKIT_DAY + 61 * S,
	                    .flows = 1,
	                    .open = true},
	};
	text_copy(finding->finding.row, ROW_ID_MAX, row);
	text_copy(finding->finding.remote, PREFIX_TEXT, "10.0.0.0/24");
	text_copy(finding->finding.port, 64, "123");
	text_copy(finding->finding.waiver, 256, waiver);
	snprintf(finding->finding.reason, 768, "why F%lld stands", (long long)finding->id);
	if (*waiver)
		a->waived++;
	else
		a->by_severity[severity]++;
	if (finding->refuses && finding->row >= 0 && unit < a->unit_count)
		a->units[unit].cells[finding->row].refusing++;
	return finding;
}

void reporting_add_blind(struct reporting *bench, enum blind_cause cause, int from_s, int to_s,
                         const char *unit)
{
	struct acceptance *a = &bench->a;
	struct acceptance_blind *blind;

	assert_int_equal(array_reserve(&a->blinds, &a->blind_room, a->blind_count + 1,
	                               sizeof(*a->blinds)),
	                 0);
	blind = &a->blinds[a->blind_count++];
	*blind = (struct acceptance_blind){.id = (int64_t)a->blind_count,
	                                   .row = {.cause = (uint8_t)cause,
	                                           .since_us = DBKIT_DAY + from_s * S,
	                                           .until_us = DBKIT_DAY + to_s * S,
	                                           .count = 120}};
	text_copy(blind->unit, sizeof(blind->unit), unit);
	a->blind_causes |= (uint32_t)BIT(cause);
}

void reporting_add_step(struct reporting *bench, enum step_kind kind, size_t unit,
                        const char *say, const char *lines)
{
	struct acceptance *a = &bench->a;

	assert_int_equal(
		array_reserve(&a->steps, &a->step_room, a->step_count + 1, sizeof(*a->steps)),
		0);
	a->steps[a->step_count++] = (struct step){.kind = (uint8_t)kind,
	                                          .unit = unit,
	                                          .row = -1,
	                                          .say = strdup(say),
	                                          .lines = lines ? strdup(lines) : NULL};
}

void reporting_judge(struct reporting *bench)
{
	struct acceptance *a = &bench->a;
	struct err err = {0};

	for (size_t i = 0; i < a->reason_count; i++)
		free(a->reasons[i].text);
	a->reason_count = 0;
	assert_int_equal(acceptance_judge(a, &err), 0);
}

/* Everything works. */
void reporting_make_fine(struct reporting *bench, size_t units)
{
	reporting_add_units(bench, units, "boardroom", "room, online");
	for (size_t i = 0; i < units; i++)
		for (size_t k = 0; k < bench->policy->row_count; k++)
			if (bench->a.units[i].cells[k].applies)
				reporting_set(
					bench, i, bench->policy->rows[k].id,
					(struct cell){.exact = 2,
				                      .first_us = DBKIT_DAY +
				                                  (int64_t)(k + 1) * 10 * S,
				                      .last_us = DBKIT_DAY + 500 * S});
}

/* One of each. */
void reporting_make_mixed(struct reporting *bench)
{
	struct cell *cell;

	reporting_make_fine(bench, 1);
	reporting_add_units(bench, 1, "huddle", "room");
	reporting_set(bench, 0, "online.out.sip_tls", (struct cell){.outside = 3});
	cell = reporting_set(bench, 0, "online.out.audio",
	                     (struct cell){.prohibited = 1, .unwaived = 1});
	cell->block_count = 1;
	cell->blocks[0] = (struct cell_block){.kind = KIND_BLOCKED_PROHIBITED,
	                                      .transport = TRANSPORT_UDP,
	                                      .direction = DIRECTION_OUT,
	                                      .icmp_type = 3,
	                                      .icmp_code = 13,
	                                      .local_port = 50002,
	                                      .remote_port = 50011,
	                                      .local = dbkit_addr("10.20.0.15"),
	                                      .remote = dbkit_addr("52.112.1.9"),
	                                      .sender = dbkit_addr("10.20.0.1"),
	                                      .flow = 9,
	                                      .flows = 1};
	reporting_set(bench, 0, "online.out.video",
	              (struct cell){.unanswered = 1,
	                            .undetermined = 1,
	                            .verdict_whys = BIT(WHY_ENCRYPTED)});
	reporting_set(bench, 1, "room.out.dns", (struct cell){.unproven = 1, .outside = 2});
	reporting_add_finding(bench, 0, "online.out.sip_tls", KIND_PEER, SEVERITY_HIGH, "");
	reporting_add_finding(bench, 0, "online.out.audio", KIND_BLOCKED_PROHIBITED,
	                      SEVERITY_MEDIUM, "");
	reporting_add_finding(bench, 1, "room.out.dns", KIND_PEER, SEVERITY_LOW, "");
	reporting_add_finding(bench, 1, "", KIND_SERVICE, SEVERITY_LOW, "");
	reporting_add_finding(bench, 1, "room.out.dhcp", KIND_SERVICE, SEVERITY_LOW,
	                      "netops: local clock until 4.5 (until 2026-12-31)");
	reporting_add_finding(bench, SIZE_MAX, "", KIND_UNLISTED_UNIT, SEVERITY_MEDIUM, "");
	reporting_add_blind(bench, BLIND_KERNEL_DROP, 100, 130, "");
	reporting_add_blind(bench, BLIND_ONE_SIDED, 200, 300, "huddle");
	bench->a.units[0].blind = bench->a.units[1].blind = true;
	reporting_add_step(bench, STEP_FIREWALL, 0, "open it at 10.20.0.1",
	                   "udp dport 50000-59999 accept\nct state established accept\n");
	reporting_judge(bench);
}

/* ------------------------------------------------------------------- asking */

const char *reporting_write(struct reporting *bench, enum report_form form)
{
	struct err err = {0};
	FILE *file;

	free(TAKE(bench->text));
	file = open_memstream(&bench->text, &bench->size);
	assert_non_null(file);
	if (report_write(&bench->a, form, file, false, &err) < 0)
		fail_msg("%s", err.text);
	fclose(file);
	return bench->text;
}

void reporting_has(const struct reporting *bench, const char *words)
{
	if (!strstr(bench->text, words))
		fail_msg("no '%s' in:\n%s", words, bench->text);
}

void reporting_lacks(const struct reporting *bench, const char *words)
{
	if (strstr(bench->text, words))
		fail_msg("'%s' in:\n%s", words, bench->text);
}

size_t reporting_count(const struct reporting *bench, const char *words)
{
	size_t count = 0;

	for (const char *c = bench->text; (c = strstr(c, words)); c++)
		count++;
	return count;
}

void reporting_in_order(const struct reporting *bench, const char *const *words)
{
	const char *at = bench->text;

	for (; *words; words++) {
		const char *next = strstr(at, *words);

		if (!next)
			fail_msg("no '%s' behind what comes before it in:\n%s", *words,
			         bench->text);
		at = next;
	}
}

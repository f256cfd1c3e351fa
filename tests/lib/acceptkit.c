/*
 * acceptkit.c - see acceptkit.h.
 */
#include "tests/lib/acceptkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char ONE[] =
	"units: [{name: boardroom, addresses: [10.20.0.15], profiles: [room]}]\n";

void acceptkit_load(struct acceptkit *bench, const char *site)
{
	const struct policy_args args = {
		.site_path = "site.yaml", .site_text = site, .site_text_len = strlen(site)};

	policy_freep(&bench->policy);
	if (policy_load(&args, &bench->policy, &bench->err) < 0)
		fail_msg("%s", bench->err.text);
	assert_int_equal(flowdb_policy_put(bench->kit.db, bench->policy->hash, "rows", site,
	                                   &bench->kit.policy, &bench->err),
	                 0);
}

int acceptkit_setup(void **state)
{
	struct acceptkit *bench = calloc(1, sizeof(*bench));

	dbkit_open(&bench->kit);
	acceptkit_load(bench, ONE);
	*state = bench;
	return 0;
}

int acceptkit_teardown(void **state)
{
	struct acceptkit *bench = *state;

	acceptance_free(bench->acceptance);
	policy_free(bench->policy);
	dbkit_close(&bench->kit);
	free(bench);
	return 0;
}

int64_t acceptkit_put(struct acceptkit *bench, struct judged judged)
{
	struct flow_facts facts =
		dbkit_facts(judged.second, judged.peer ? judged.peer : "52.112.1.9",
	                    judged.port ? judged.port : 443);
	struct verdict verdict = {
		.ruling = (uint8_t)(judged.ruling ? judged.ruling : RULING_DOCUMENTED),
		.grade = (uint8_t)(judged.grade ? judged.grade : GRADE_EXACT),
		.kind = (uint8_t)judged.kind,
		.why = (uint8_t)judged.why,
		.direction = DIRECTION_OUT,
	};
	struct flow_row flow = {
		.run = bench->kit.run,
		.policy = bench->kit.policy,
		.unit = bench->kit.unit,
		.facts = &facts,
		.name = "",
		.verdict = &verdict,
		.finding = judged.finding,
		.told = judged.told,
	};
	int64_t id = 0;

	if (judged.transport)
		facts.transport = judged.transport;
	facts.outcome = judged.outcome ? judged.outcome : OUTCOME_ANSWERED;
	if (judged.told & TOLD_OPEN && !judged.outcome)
		facts.outcome = OUTCOME_UNKNOWN;
	facts.media = judged.media;
	if (judged.one_way)
		facts.packets[1] = facts.bytes[1] = 0;
	if (judged.heard)
		facts.packets[0] = facts.bytes[0] = 0;
	if (judged.sender) {
		facts.icmp_type = 3;
		facts.icmp_code = 13;
		facts.icmp_sender = dbkit_addr(judged.sender);
	}
	if (verdict.ruling == RULING_OUTSIDE) {
		verdict.nearest_count = 1;
		verdict.nearest[0] =
			(struct nearest){.count = 2,
		                         .differs = {{FIELD_PEER, "maestro", "8.8.8.8"},
		                                     {FIELD_REMOTE_PORT, "443", "8443"}}};
		flow.nearest[0] = judged.rows[0];
	} else {
		for (unsigned i = 0; i < ROWS_MAX && judged.rows[i]; i++)
			flow.rows[verdict.row_count++] = judged.rows[i];
	}
	if (flowdb_flow_put(bench->kit.db, &flow, &id, &bench->err) < 0)
		fail_msg("%s", bench->err.text);
	return id;
}

void acceptkit_do_all(struct acceptkit *bench, int second)
{
	PUT(.second = second, .rows = {"room.out.dns"}, .transport = TRANSPORT_UDP);
	PUT(.second = second + 1, .rows = {"room.out.dhcp"}, .transport = TRANSPORT_UDP);
	PUT(.second = second + 2, .rows = {"room.out.maestro"});
}

int acceptkit_ask(struct acceptkit *bench, struct acceptance_options options)
{
	options.policy = bench->policy;
	options.fail_on = options.fail_on ? options.fail_on : SEVERITY_LOW;
	acceptance_freep(&bench->acceptance);
	bench->err = (struct err){0};
	return acceptance_new(bench->kit.db, &options, &bench->acceptance, &bench->err);
}

void acceptkit_is(struct acceptkit *bench, enum acceptance_result result, const char *reason)
{
	const struct acceptance *a = bench->acceptance;
	bool any = !reason;

	for (size_t i = 0; i < a->reason_count && !any; i++)
		any = strstr(a->reasons[i].text, reason);
	if (a->result != result || !any)
		fail_msg("%s, '%s' wanted, and is %s, of %zu reasons the first is: %s",
		         acceptance_result_name(result), reason ? reason : "",
		         acceptance_result_name(a->result), a->reason_count,
		         a->reason_count ? a->reasons[0].text : "none");
}

const struct cell *acceptkit_cell(const struct acceptkit *bench, const char *unit,
                                  const char *row)
{
	const struct acceptance *a = bench->acceptance;

	for (size_t i = 0; i < a->unit_count; i++)
		if (!strcmp(a->units[i].name, unit))
			return &a->units[i].cells[envelope_find_row(a->policy->envelope, row)];
	fail_msg("no unit %s", unit);
	return NULL;
}

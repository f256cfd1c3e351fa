/*
 * judging.h - cases of judging, one line each: a flow in the tuple's notation, and what the judge
 * must say of it.
 *
 * Expected is one line:
 *   documented GRADE ROW[+ROW] [why=WHY] [reason=REASON]
 *   outside KIND SEVERITY ROW: FIELD EXPECTED|SEEN[; ...] [reason=REASON]
 *   undetermined ROW[+ROW] why=WHY
 *   housekeeping
 */
#ifndef TESTS_LIB_JUDGING_H
#define TESTS_LIB_JUDGING_H

#include "monitor/commands/tuple.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* Most lines need no mending and leave that field out. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct judged {
	const char *profiles, *tuple, *expected;
	void (*mend)(struct tuple *tuple); /* what the notation cannot say; NULL */
};

/* The unit of every case is 10.1.2.3, 192.168.7.3 or 2001:db8::3; the site text ends with its roles. */
static inline struct policy *policy_of(const char *roles)
{
	char site[4096];
	struct policy_args args = {.site_path = "site.yaml", .site_text = site};
	struct policy *policy = NULL;
	struct err err = {0};

	snprintf(
		site, sizeof(site),
		"site: test\nunits:\n"
		"  - {name: unit, addresses: [10.1.2.3, 192.168.7.3, \"2001:db8::3\", 0.0.0.0], "
		"profiles: [room]}\n%s",
		roles);
	args.site_text_len = strlen(site);
	if (policy_load(&args, &policy, &err) < 0)
		fail_msg("%s", err.text);
	return policy;
}

static inline void verdict_print(const struct policy *policy, const struct verdict *v,
                                 char *buf, size_t size)
{
	text_add(buf, size, "%s", ruling_name((enum ruling)v->ruling));
	if (v->grade)
		text_add(buf, size, " %s", grade_name((enum grade)v->grade));
	if (v->kind)
		text_add(buf, size, " %s %s", kind_name((enum kind)v->kind),
		         severity_name((enum severity)v->severity));
	for (unsigned i = 0; i < v->row_count; i++)
		text_add(buf, size, "%s%s", i ? "+" : " ", policy->rows[v->rows[i]].id);
	if (v->nearest_count) {
		text_add(buf, size, " %s:", policy->rows[v->nearest[0].row].id);
		for (unsigned i = 0; i < v->nearest[0].count; i++) {
			const struct differs *d = &v->nearest[0].differs[i];

			text_add(buf, size, "%s %s %s|%s", i ? ";" : "",
			         field_name((enum field)d->field), d->expected, d->seen);
		}
	}
	if (v->why)
		text_add(buf, size, " why=%s", why_name((enum why)v->why));
	if (v->reason[0])
		text_add(buf, size, " reason=%s", v->reason);
}

static inline void tuple_ready(const struct policy *policy, const struct judged *judged,
                               struct tuple *tuple)
{
	struct err err = {0};

	if (tuple_parse(judged->tuple, tuple, &err) < 0 ||
	    policy_parse_profiles(policy->envelope, judged->profiles, &tuple->view.profiles,
	                          &err) < 0)
		fail_msg("%s", err.text);
	tuple->view.bound_roles =
		tuple->bound[0] ? policy_roles_of_name(policy, tuple->bound) : 0;
	if (judged->mend)
		judged->mend(tuple);
}

static inline void check_cases(const char *roles, const struct judged *cases, size_t count)
{
	struct policy *policy = policy_of(roles);
	unsigned wrong = 0;

	for (size_t i = 0; i < count; i++) {
		struct tuple tuple;
		struct verdict verdict;
		char said[1024] = "", sentence[REASON_MAX];

		tuple_ready(policy, &cases[i], &tuple);
		judge_flow(policy, &tuple.view, &verdict);
		verdict_print(policy, &verdict, said, sizeof(said));
		judge_sentence(policy, &tuple.view, &verdict, sentence, sizeof(sentence));
		assert_non_null(strstr(sentence, ": "));
		assert_null(strchr(sentence, '\n'));
		if (strcmp(said, cases[i].expected) != 0) {
			print_error("[%s] %s\n  expected %s\n  said     %s\n",
			            cases[i].profiles, cases[i].tuple, cases[i].expected, said);
			wrong++;
		}
	}
	policy_free(policy);
	assert_int_equal(wrong, 0);
}

#define CHECK(roles, cases) check_cases(roles, cases, ARRAY_LEN(cases))

#endif

/*
 * test_outcome.c - blocked is not outside, and is claimed only where design.md 5 allows it.
 */
#include "tests/lib/judging.h"
#include "tests/lib/roles.h"

struct attempt {
	const char *profiles, *tuple, *expected; /* kind and severity; "" for none */
	void (*mend)(struct tuple *tuple);
};

static void check_outcomes(const char *roles, const struct attempt *cases, size_t count)
{
	struct policy *policy = policy_of(roles);
	unsigned wrong = 0;

	for (size_t i = 0; i < count; i++) {
		struct judged judged = {cases[i].profiles, cases[i].tuple, "", cases[i].mend};
		struct verdict verdict, before;
		struct tuple tuple;
		char said[64] = "";
		bool held;

		tuple_ready(policy, &judged, &tuple);
		judge_flow(policy, &tuple.view, &verdict);
		assert_int_equal(verdict.ruling, RULING_DOCUMENTED);
		before = verdict;
		held = judge_outcome(policy, &tuple.view, false, &verdict);
		assert_memory_equal(&verdict, &before, sizeof(verdict)); /* no two-way flow, no claim */
		assert_false(judge_outcome(policy, &tuple.view, true, &verdict));
		assert_int_equal(verdict.ruling, RULING_DOCUMENTED);
		assert_int_equal(verdict.grade, before.grade);
		if (verdict.kind)
			snprintf(said, sizeof(said), "%s %s", kind_name((enum kind)verdict.kind),
			         severity_name((enum severity)verdict.severity));
		if (strcmp(said, cases[i].expected) != 0 || held != (said[0] != '\0')) {
			print_error("%s: expected '%s', said '%s', held %d\n", cases[i].tuple,
			            cases[i].expected, said, held);
			wrong++;
		}
	}
	policy_free(policy);
	assert_int_equal(wrong, 0);
}

static void one_try(struct tuple *tuple)
{
	tuple->facts.tries = 1;
}

static void two_seconds(struct tuple *tuple)
{
	tuple->facts.last_us = tuple->facts.last_try_us = 2000000;
}

static void two_seconds_then_silence(struct tuple *tuple)
{
	two_seconds(tuple);
	tuple->facts.silent_s = 32;
}

static void asked_once_here_and_once_elsewhere(struct tuple *tuple)
{
	one_try(tuple);
	tuple->view.asked_again = true;
}

static void while_packets_were_lost(struct tuple *tuple)
{
	tuple->view.lossy = true;
}

static void asked_nothing(struct tuple *tuple)
{
	tuple->facts.asked = 0;
}

static void each_request_that_must_be_answered_can_be_blocked(void **state)
{
	static const struct attempt cases[] = {
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=unanswered", "blocked-silent medium"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 outcome=unanswered", "blocked-silent medium"},
		{"onprem", "udp 10.1.2.3:50000 > 10.0.0.10:88 app=kerberos outcome=unanswered", "blocked-silent medium"},
		{"onprem", "udp 10.1.2.3:50000 > 203.0.113.20:3478 app=stun outcome=unanswered", "blocked-silent medium"},
		{"online", "udp 10.1.2.3:50007 > 52.112.1.9:3479 app=msturn outcome=unanswered", "blocked-silent medium"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 outcome=prohibited", "blocked-prohibited medium"},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=prohibited", "blocked-prohibited medium"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 outcome=refused", "refused medium"},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=refused", "refused medium"},
		{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 outcome=unanswered", "blocked-silent medium"},
		/* what others ask of the unit in vain */
		{"room", "tcp 10.1.2.3:443 < 10.9.9.9:51000 outcome=refused", "refused low"},
	};

	check_outcomes(COMPANY, cases, ARRAY_LEN(cases));
}

static void nothing_else_is_called_blocked(void **state)
{
	static const struct attempt cases[] = {
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns", ""},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=one-sided", ""},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=unanswered", "", one_try},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=unanswered", "", two_seconds},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=unanswered", "blocked-silent medium", two_seconds_then_silence},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=unanswered", "blocked-silent medium", asked_once_here_and_once_elsewhere},
		/* the answer may be what we lost; an error that we saw we did not lose */
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=unanswered", "", while_packets_were_lost},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 outcome=unanswered", "", while_packets_were_lost},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 outcome=refused", "refused medium", while_packets_were_lost},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 outcome=prohibited", "blocked-prohibited medium", while_packets_were_lost},
		/* an error says it at once */
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=prohibited", "blocked-prohibited medium", one_try},
		{"room", "udp 10.1.2.3:50000 > 224.0.0.252:5355 app=llmnr outcome=unanswered", ""},
		{"room", "udp 0.0.0.0:68 > 255.255.255.255:67 app=dhcp outcome=unanswered", ""},
		/* ICE probes: to whoever the site lists, over TCP too */
		{"online", "udp 10.1.2.3:50007 > 203.0.113.9:50011 app=stun outcome=unanswered", ""},
		{"online", "tcp 10.1.2.3:50007 > 203.0.113.9:50011 outcome=unanswered", ""},
		/* STUN to a server nobody named */
		{"onprem", "udp 10.1.2.3:50000 > 198.51.100.9:3478 app=rtp media=audio outcome=unanswered", ""},
		/* media that asked nothing */
		{"online", "udp 10.1.2.3:50007 > 52.112.1.9:50011 app=rtp media=audio outcome=refused", "", asked_nothing},
	};

	check_outcomes(COMPANY, cases, ARRAY_LEN(cases));
}

static void a_listed_client_s_silence_is_an_ice_probe(void **state)
{
	static const struct attempt cases[] = {
		{"online", "udp 10.1.2.3:50007 > 203.0.113.9:50011 app=stun outcome=unanswered", ""},
		{"online", "tcp 10.1.2.3:50007 > 203.0.113.9:50011 outcome=unanswered", ""},
	};

	check_outcomes("roles:\n  other-client: {addresses: [203.0.113.9]}\n", cases, ARRAY_LEN(cases));
}

static void what_is_outside_stays_outside(void **state)
{
	struct policy *policy = policy_of(COMPANY);
	struct judged judged = {"room", "udp 10.1.2.3:50000 > 8.8.8.8:53 app=dns outcome=unanswered", "", NULL};
	struct verdict verdict, before;
	struct tuple tuple;

	tuple_ready(policy, &judged, &tuple);
	judge_flow(policy, &tuple.view, &verdict);
	before = verdict;
	assert_int_equal(verdict.kind, KIND_PEER);
	assert_false(judge_outcome(policy, &tuple.view, true, &verdict));
	assert_false(judge_outcome(policy, &tuple.view, false, &verdict));
	assert_memory_equal(&verdict, &before, sizeof(verdict));
	policy_free(policy);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_request_that_must_be_answered_can_be_blocked),
		cmocka_unit_test(nothing_else_is_called_blocked),
		cmocka_unit_test(a_listed_client_s_silence_is_an_ice_probe),
		cmocka_unit_test(what_is_outside_stays_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_memo.c - a flow out of the judge's memory has the verdict that it has by itself. Flows are drawn, most of their
 * ports and addresses at a border, and each thing of them is changed: what a key left out would show.
 */
#include "tests/lib/judging.h"
#include "tests/lib/roles.h"

#include "rules/memo.h"

#define SUBNETS "subnets: [10.1.0.0/16, 192.168.7.0/24]\n"
#define PROXY "  web-proxy: {addresses: [10.0.0.8]}\n"

/* A sequence that is the same each time. */
struct draw {
	uint64_t state;
};

static unsigned draw(struct draw *draw, unsigned below)
{
	draw->state = draw->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(draw->state >> 33) % below;
}

/* One time in `in`, else 0. */
static unsigned rarely(struct draw *d, unsigned in, unsigned below)
{
	return draw(d, in) ? 0 : draw(d, below);
}

static struct addr draw_addr(struct draw *d, bool unit)
{
	static const char *const units[] = {"10.1.2.3", "192.168.7.3", "2001:db8::3"};
	static const char *const peers[] = {
		"10.0.0.53",   "10.0.0.54",     "10.0.0.8",       "10.0.0.20",    "10.0.0.30",
		"10.1.2.77",   "10.1.255.255",  "10.1.255.254",   "10.2.0.0",     "192.168.7.255",
		"192.168.8.1", "52.112.0.0",    "52.111.255.255", "52.115.255.255", "52.116.0.0",
		"8.8.8.8",     "203.0.113.20",  "203.0.113.21",   "224.0.0.252",  "239.255.255.255",
		"240.0.0.0",   "255.255.255.255", "169.254.1.1",  "100.64.0.1",   "127.0.0.1",
		"172.31.255.255", "172.32.0.0", "0.0.0.0",        "2001:db8::77", "2001:db8::78",
		"fe80::1",     "fec0::1",       "fdff::1",        "ff02::1:3",    "::1",
		"2603:1063::", "2a00::1",       "10.255.255.255", "11.0.0.0",     "198.51.100.7",
	};
	const char *text = unit ? units[draw(d, ARRAY_LEN(units))] : peers[draw(d, ARRAY_LEN(peers))];
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static uint16_t draw_port(struct draw *d)
{
	static const uint16_t ports[] = {0,     1,     22,    53,    67,    68,    80,    88,    123,
	                                 389,   443,   445,   546,   547,   853,   1023,  1024,  1900,
	                                 3127,  3128,  3477,  3478,  3481,  3482,  5000,  5060,  5061,
	                                 5062,  5353,  5355,  8057,  8080,  8443,  40000, 49999, 50000,
	                                 50019, 50020, 50039, 50040, 50059, 50060, 59999, 60000, 65535};

	return draw(d, 4) ? ports[draw(d, ARRAY_LEN(ports))] : (uint16_t)draw(d, 65536);
}

static void draw_facts(struct draw *d, struct flow_facts *facts)
{
	static const uint8_t transports[] = {TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_UDP, TRANSPORT_ICMP};
	unsigned unit = draw(d, 2);

	memset(facts, 0, sizeof(*facts));
	facts->id = 1 + draw(d, 1000);
	facts->first_us = draw(d, 1000000);
	facts->last_us = facts->first_us + draw(d, 1000000);
	facts->end[unit].addr = draw_addr(d, true);
	facts->end[!unit].addr = draw_addr(d, false);
	for (unsigned end = 0; end < 2; end++) {
		facts->end[end].port = draw_port(d);
		facts->packets[end] = draw(d, 3) * draw(d, 12);
	}
	if (!draw(d, 20))
		memset(&facts->end[!unit].mac, 0xff, sizeof(struct mac));
	facts->ip_version = addr_is_v4(&facts->end[!unit].addr) ? 4 : 6;
	facts->transport = transports[draw(d, ARRAY_LEN(transports))];
	facts->initiator = (uint8_t)draw(d, 3);
	facts->initiator_by = (uint8_t)draw(d, INITIATOR_SYN + 1);
	facts->midstream = !draw(d, 5);
	facts->warmup = !draw(d, 5);
	facts->solicited = !draw(d, 8);
	facts->outcome = (uint8_t)draw(d, OUTCOME_ONE_SIDED + 1);
	facts->payload_packets = (uint16_t)draw(d, 5);
	facts->media = (uint8_t)rarely(d, 3, 8);
	facts->ice = (uint8_t)rarely(d, 3, 4);
	facts->name_kind = (uint8_t)rarely(d, 3, NAME_DNS_QUESTION + 1);
	facts->connect_port = (uint16_t)rarely(d, 30, 500);
}

static const char *const NAMES[] = {"sip.corp.example", "webpool.online.lync.com", "example.org",
                                    "config.maestro.starleaf.com", "10.0.0.20"};
static const enum app APPS[] = {APP_NONE, APP_DNS,    APP_TLS, APP_HTTP, APP_RTP,
                                APP_STUN, APP_MSTURN, APP_SIP, APP_NTP,  APP_LLMNR};
#define ALL_PROFILES 31u

static void draw_view(struct draw *d, const struct policy *policy, const struct flow_facts *facts,
                      struct view *view)
{
	*view = (struct view){
		.facts = facts,
		.name = "",
		.local = facts->end[0].addr.b[15] != 3,
		.app = (uint16_t)APPS[draw(d, ARRAY_LEN(APPS))],
		.profiles = draw(d, 2) ? ALL_PROFILES : (uint32_t)draw(d, ALL_PROFILES + 1),
		.unit = &policy->units[0],
		.inspector_off = !draw(d, 6),
		.bound_roles = rarely(d, 4, 1u << 14),
		.learnt_roles = rarely(d, 6, 4),
		.learnt_any = rarely(d, 4, 4),
		.subnet_known = !draw(d, 4),
		.asked_again = draw(d, 2),
	};
	view->evidence = view->app == APP_NONE ? EVIDENCE_NONE
	                 : draw(d, 4)          ? EVIDENCE_DISSECTOR
	                                       : EVIDENCE_INSPECTED;
	if (facts->name_kind)
		view->name = NAMES[draw(d, ARRAY_LEN(NAMES))];
	if (!draw(d, 5))
		view->bound[view->bound_count++] = NAMES[draw(d, ARRAY_LEN(NAMES))];
	view->subnet = prefix_of(&facts->end[view->local].addr, 96 + 16);
}

static void same_but_for_words(const struct verdict *a, const struct verdict *b)
{
	assert_int_equal(a->ruling, b->ruling);
	assert_int_equal(a->grade, b->grade);
	assert_int_equal(a->why, b->why);
	assert_int_equal(a->kind, b->kind);
	assert_int_equal(a->severity, b->severity);
	assert_int_equal(a->direction, b->direction);
	assert_int_equal(a->role, b->role);
	assert_string_equal(a->reason, b->reason);
	assert_int_equal(a->row_count, b->row_count);
	assert_memory_equal(a->rows, b->rows, a->row_count * sizeof(*a->rows));
	assert_int_equal(a->nearest_count, b->nearest_count);
	for (unsigned i = 0; i < a->nearest_count; i++) {
		assert_int_equal(a->nearest[i].row, b->nearest[i].row);
		assert_int_equal(a->nearest[i].form, b->nearest[i].form);
		assert_int_equal(a->nearest[i].fields, b->nearest[i].fields);
	}
}

static void same_words(const struct nearest *a, const struct nearest *b)
{
	assert_int_equal(a->count, b->count);
	for (unsigned i = 0; i < a->count; i++) {
		assert_int_equal(a->differs[i].field, b->differs[i].field);
		assert_string_equal(a->differs[i].expected, b->differs[i].expected);
		assert_string_equal(a->differs[i].seen, b->differs[i].seen);
	}
}

/* One thing of the flow becomes another. */
static void change(struct draw *d, unsigned what, struct flow_facts *facts, struct view *view)
{
	static const uint8_t outcomes[] = {OUTCOME_ANSWERED, OUTCOME_UNANSWERED, OUTCOME_ONE_SIDED,
	                                   OUTCOME_REFUSED};
	unsigned unit = view->local, peer = !unit;

	switch (what) {
	case 0:
		facts->end[unit].port = draw_port(d);
		break;
	case 1:
		facts->end[peer].port = draw_port(d);
		break;
	case 2:
		facts->end[unit].addr = draw_addr(d, true);
		break;
	case 3:
		facts->end[peer].addr = draw_addr(d, false);
		break;
	case 4:
		facts->ip_version ^= 4 ^ 6;
		break;
	case 5:
		facts->transport = facts->transport == TRANSPORT_TCP ? TRANSPORT_UDP : TRANSPORT_TCP;
		break;
	case 6:
		facts->initiator = (uint8_t)draw(d, 3);
		break;
	case 7:
		facts->initiator_by = (uint8_t)draw(d, INITIATOR_SYN + 1);
		break;
	case 8:
		facts->outcome = outcomes[draw(d, ARRAY_LEN(outcomes))];
		break;
	case 9:
		facts->payload_packets = (uint16_t)draw(d, 5);
		break;
	case 10:
		facts->packets[draw(d, 2)] = draw(d, 3) * 7;
		break;
	case 11:
		facts->media = (uint8_t)draw(d, 8);
		break;
	case 12:
		facts->ice = (uint8_t)draw(d, 4);
		break;
	case 13:
		facts->midstream ^= 1;
		break;
	case 14:
		facts->warmup ^= 1;
		break;
	case 15:
		facts->solicited ^= 1;
		break;
	case 16:
		facts->not_apps.w[0] = draw(d, 2) ? UINT64_MAX : 0;
		facts->not_apps.w[1] = draw(d, 2) ? UINT64_MAX : 0;
		break;
	case 17:
		memset(&facts->end[peer].mac, draw(d, 2) ? 0xff : 0, sizeof(struct mac));
		break;
	case 18:
		view->app = (uint16_t)APPS[draw(d, ARRAY_LEN(APPS))];
		break;
	case 19:
		view->evidence = (uint8_t)draw(d, EVIDENCE_INSPECTED + 1);
		break;
	case 20:
		view->profiles = ALL_PROFILES & (uint32_t)draw(d, 256);
		break;
	case 21:
		view->bound_roles = draw(d, 2) ? UINT32_MAX : 0;
		break;
	case 22:
		view->learnt_roles = draw(d, 2) ? UINT32_MAX : 0;
		break;
	case 23:
		view->learnt_any = draw(d, 2) ? UINT32_MAX : 0;
		break;
	case 24:
		view->inspector_off ^= 1;
		break;
	case 25:
		view->subnet_known = draw(d, 2);
		view->subnet = prefix_of(&facts->end[draw(d, 2)].addr, 96 + 8 * draw(d, 5));
		break;
	case 26:
		view->name = NAMES[draw(d, ARRAY_LEN(NAMES))];
		facts->name_kind = (uint8_t)draw(d, NAME_DNS_QUESTION + 1);
		break;
	case 27:
		view->bound_count = (uint8_t)draw(d, 2);
		view->bound[0] = NAMES[draw(d, ARRAY_LEN(NAMES))];
		break;
	case 28:
		facts->connect_port = draw(d, 2) ? 443 : 0;
		break;
	case 29:
		view->local ^= 1;
		break;
	default: /* nothing: it must be found */
		facts->id++;
		facts->first_us++;
		facts->tries++;
		break;
	}
}
enum { THINGS = 31 };

static void check_one(struct memo *memo, const struct policy *policy, const struct view *view,
                      unsigned *known)
{
	struct verdict told, kept;
	bool worded;

	judge_flow(policy, view, &told);
	memset(&kept, 0xff, sizeof(kept)); /* what nobody fills shows */
	worded = memo_judge(memo, view, &kept);
	same_but_for_words(&told, &kept);
	if (!worded)
		judge_words(policy, view, &kept);
	for (unsigned n = 0; n < told.nearest_count; n++)
		same_words(&told.nearest[n], &kept.nearest[n]);
	*known += !worded;
}

/* Draws so many flows, and holds each against itself with one thing changed, or a second one. */
static void check_memory(const char *roles, unsigned flows, uint64_t seed)
{
	struct policy *policy = policy_of(roles);
	struct memo *memo = memo_new(policy);
	struct draw d = {seed};
	unsigned known = 0;

	assert_non_null(memo);
	for (unsigned i = 0; i < flows; i++) {
		struct flow_facts facts, other;
		struct view view, changed;

		draw_facts(&d, &facts);
		draw_view(&d, policy, &facts, &view);
		for (unsigned what = 0; what < THINGS; what++) {
			check_one(memo, policy, &view, &known);
			other = facts;
			changed = view;
			changed.facts = &other;
			change(&d, what, &other, &changed);
			check_one(memo, policy, &changed, &known);
		}
	}
	assert_true(known > flows * THINGS / 2);
	memo_free(memo);
	policy_free(policy);
}

static void what_is_remembered_is_what_would_be_said(void **state)
{
	check_memory(NOBODY, 1000, 1);
	check_memory(COMPANY, 1000, 2);
	check_memory(SUBNETS COMPANY PROXY, 1000, 3);
	check_memory("options: {nat: true, strict-relay-ports: true, allow-vbss: true}\n" COMPANY, 1000, 4);
}

/* Of each class the ends, and what lies beside them. */
static void classes_end_where_answers_change(void **state)
{
	struct policy *policy = policy_of(SUBNETS COMPANY PROXY);
	struct memo *memo = memo_new(policy);
	struct flow_facts facts;
	struct draw d = {5};
	struct view view;

	draw_facts(&d, &facts);
	draw_view(&d, policy, &facts, &view);
	facts.transport = TRANSPORT_UDP;
	facts.connect_port = 0;
	view.profiles = ALL_PROFILES;
	for (unsigned port = 0; port <= UINT16_MAX; port++)
		for (unsigned end = 0; end < 2; end++) {
			struct verdict told, kept;

			facts.end[end].port = (uint16_t)port;
			facts.end[!end].port = (uint16_t)(port % 3 ? 50003 : 3478);
			judge_flow(policy, &view, &told);
			memo_judge(memo, &view, &kept);
			same_but_for_words(&told, &kept);
		}
	memo_free(memo);
	policy_free(policy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_remembered_is_what_would_be_said),
		cmocka_unit_test(classes_end_where_answers_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

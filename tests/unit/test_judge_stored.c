/*
 * test_judge_stored.c - a flow read back from the database is judged as it was when it was written: what
 * the judge looks at is a stored fact, every bit of it. Else recorded history could not be judged under
 * another policy, nor under the same one.
 */
#include "rules/judge.h"
#include "tests/lib/dbkit.h"
#include "tests/lib/judging.h"
#include "tests/lib/roles.h"

#define FLOWS 3000
#define SITES_FLOWS COMPANY "  web-proxy: {addresses: [10.0.0.8]}\n"

/* What the recorder knows beside the facts; it stays as it was. */
struct written {
	struct view view;
	struct verdict verdict;
	bool held; /* judge_outcome() without a two-way flow */
	uint8_t told;
	char sentence[REASON_MAX];
};

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

#define PICK(list) (list)[next_random(seed) % ARRAY_LEN(list)]
#define ONE_OF(count) (next_random(seed) % (count))

static void times_random(struct flow_facts *f, uint64_t *seed)
{
	f->first_us = DBKIT_DAY + (int64_t)ONE_OF(1000000000);
	f->last_us = f->first_us + (int64_t)ONE_OF(100000000);
	f->asked = (uint8_t)(ONE_OF(2) * ONE_OF(32));
	if (!f->asked)
		return;
	f->tries = (uint16_t)(1 + ONE_OF(4));
	f->first_try_us = f->first_us + (int64_t)(ONE_OF(2) * ONE_OF(1000000));
	f->last_try_us = f->first_try_us + (int64_t)(ONE_OF(2) * ONE_OF(9000000));
	f->silent_s = (uint8_t)(ONE_OF(2) * ONE_OF(256));
}

static void error_random(struct flow_facts *f, uint64_t *seed)
{
	static const uint8_t codes[] = {0, 1, 3, 9, 10, 13};

	if (ONE_OF(3))
		return;
	f->icmp_type = f->ip_version == 4 ? 3 : 1;
	f->icmp_code = PICK(codes);
	f->icmp_sender = dbkit_addr("10.0.0.1");
}

/* All that a sensor can say and the judge may look at. */
static void facts_random(struct flow_facts *f, uint64_t *seed)
{
	static const char *const addrs[] = {"10.0.0.53", "10.0.0.20", "10.0.0.8", "52.112.1.9", "203.0.113.20", "8.8.8.8",
	                                    "224.0.0.252", "10.1.2.77", "2001:db8::77", "ff02::1:3", "fe80::1"};
	static const uint16_t ports[] = {53, 67, 68, 69, 80, 88, 443, 1024, 3478, 5000, 5061, 5355, 8080, 50007, 50027, 50063, 60000};
	static const uint8_t transports[] = {1, 6, 6, 6, 17, 17, 17, 47};

	for (unsigned i = 0; i < 2; i++) {
		f->end[i].addr = dbkit_addr(PICK(addrs));
		f->end[i].port = PICK(ports);
		f->packets[i] = ONE_OF(20);
		f->tcp_flags[i] = (uint8_t)ONE_OF(64);
	}
	f->transport = PICK(transports);
	f->ip_version = ONE_OF(2) ? 4 : 6;
	f->vlan = VLAN_NONE;
	f->initiator = (uint8_t)ONE_OF(3);
	f->initiator_by = f->initiator > 1 ? INITIATOR_UNKNOWN : (uint8_t)(1 + ONE_OF(4));
	f->midstream = (uint8_t)ONE_OF(2);
	f->warmup = (uint8_t)ONE_OF(2);
	f->solicited = (uint8_t)ONE_OF(2);
	f->outcome = (uint8_t)ONE_OF(6);
	f->settled_by = (uint8_t)(1 + ONE_OF(4));
	f->media = ONE_OF(3) ? 0 : (uint8_t)ONE_OF(8);
	f->media_packets[0] = (uint32_t)ONE_OF(3);
	f->by_shape = (uint8_t)ONE_OF(8);
	f->ice = (uint8_t)ONE_OF(4);
	f->not_apps.w[0] = next_random(seed) & next_random(seed);
	f->payload_packets = (uint16_t)ONE_OF(8);
	f->tls_version = (uint8_t)ONE_OF(5);
	f->mtls = (uint8_t)ONE_OF(3);
	f->closed = (uint8_t)ONE_OF(2);
	f->connect_port = ONE_OF(3) ? 0 : (uint16_t)(1 + ONE_OF(65535));
	times_random(f, seed);
	error_random(f, seed);
}

static void view_random(struct tuple *tuple, uint64_t id, uint64_t *seed)
{
	static const char *const names[] = {"config.maestro.starleaf.com", "evil.example", "10.0.0.44", "lyncdiscover.corp.example"};
	struct flow_facts *f = &tuple->facts;

	memset(tuple, 0, sizeof(*tuple));
	facts_random(f, seed);
	f->id = id;
	memset(f->payload_types, 0xff, sizeof(f->payload_types));
	tuple->view = (struct view){
		.facts = f,
		.name = tuple->name,
		.local = (uint8_t)ONE_OF(2),
		.evidence = (uint8_t)ONE_OF(3),
		.profiles = (uint32_t)ONE_OF(32),
		.bound_roles = (uint32_t)next_random(seed),
		.learnt_any = (uint32_t)next_random(seed),
		.inspector_off = ONE_OF(2),
		.lossy = !ONE_OF(4),
		.asked_again = !ONE_OF(4),
	};
	tuple->view.app = tuple->view.evidence ? (uint16_t)(1 + ONE_OF(APP_COUNT - 1)) : APP_NONE;
	if (tuple->view.evidence == EVIDENCE_DISSECTOR) {
		f->app = tuple->view.app;
		f->evidence = EVIDENCE_DISSECTOR;
	}
	if (ONE_OF(2)) {
		f->name_kind = (uint8_t)(1 + ONE_OF(3));
		text_copy(tuple->name, sizeof(tuple->name), PICK(names));
	}
}

/* Flows that rows were written for, so that more is looked at than what makes a flow outside. */
static void tuple_random(const struct policy *policy, struct tuple *tuple, uint64_t id, uint64_t *seed)
{
	static const struct judged documented[] = {
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=unanswered", ""},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 outcome=unanswered", ""},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 outcome=refused", ""},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=config.maestro.starleaf.com", ""},
		{"room", "udp 10.1.2.3:50000 > 10.1.2.9:5355 app=llmnr", ""},
		{"room", "tcp 10.1.2.3:80 < 198.51.100.9:51000 app=http", ""},
		{"onprem", "udp 10.1.2.3:50000 > 203.0.113.20:3478 app=stun outcome=unanswered", ""},
		{"onprem", "tcp 10.1.2.3:40000 > 198.51.100.7:8057 app=tls", ""},
		{"online", "udp 10.1.2.3:50007 > 52.112.1.9:50044 app=rtp media=audio", ""},
		{"online", "udp 10.1.2.3:50007 > 203.0.113.9:50044 app=rtp media=audio ice=yes", ""},
		{"room touch", "tcp 10.1.2.3:5000 <> 10.1.2.77:51000", ""},
	};
	struct flow_facts *f = &tuple->facts;

	tuple_ready(policy, &PICK(documented), tuple);
	f->id = id;
	times_random(f, seed);
	error_random(f, seed);
	f->warmup = (uint8_t)ONE_OF(2);
	f->midstream = f->warmup;
	f->solicited = (uint8_t)ONE_OF(2);
	if (f->initiator < 2)
		f->initiator_by = (uint8_t)(1 + ONE_OF(4));
	f->payload_packets = (uint16_t)ONE_OF(8);
	tuple->view.asked_again = ONE_OF(2);
	tuple->view.lossy = !ONE_OF(4);
}

static void judge_all(const struct policy *policy, const struct view *view, struct written *ret)
{
	struct verdict blocked;

	memset(ret, 0, sizeof(*ret));
	ret->view = *view;
	judge_flow(policy, view, &ret->verdict);
	blocked = ret->verdict;
	ret->held = judge_outcome(policy, view, false, &blocked);
	judge_outcome(policy, view, true, &ret->verdict);
	judge_sentence(policy, view, &ret->verdict, ret->sentence, sizeof(ret->sentence));
}

struct reading {
	const struct policy *policy;
	const struct written *written; /* by the number of the flow's first packet, less one */
	unsigned count;
};

static int take(void *context, const struct flow_view *flow, struct err *err)
{
	struct reading *reading = context;
	const struct written *before = &reading->written[flow->facts.id - 1];
	struct view view = before->view;
	struct written after;

	view.facts = &flow->facts;
	view.name = flow->name;
	view.local = flow->local;
	view.app = flow->app;
	view.evidence = flow->evidence;
	view.asked_again = flow->asked_again;
	view.lossy = flow->lossy;
	judge_all(reading->policy, &view, &after);
	assert_memory_equal(&after.verdict, &before->verdict, sizeof(after.verdict));
	assert_int_equal(after.held, before->held);
	assert_int_equal(flow->told, before->told);
	assert_string_equal(after.sentence, before->sentence);
	reading->count++;
	return 0;
}

static void put(struct dbkit *kit, const struct policy *policy, const struct written *written)
{
	struct flow_row row = {
		.run = kit->run,
		.policy = kit->policy,
		.unit = kit->unit,
		.facts = written->view.facts,
		.name = written->view.name,
		.local = written->view.local,
		.app = written->view.app,
		.evidence = written->view.evidence,
		.asked_again = written->view.asked_again,
		.lossy = written->view.lossy,
		.told = written->told,
		.verdict = &written->verdict,
	};
	struct err err = {0};
	int64_t id = 0;

	for (unsigned i = 0; i < written->verdict.row_count; i++)
		row.rows[i] = policy->rows[written->verdict.rows[i]].id;
	for (unsigned i = 0; i < written->verdict.nearest_count; i++)
		row.nearest[i] = policy->rows[written->verdict.nearest[i].row].id;
	assert_int_equal(flowdb_flow_put(kit->db, &row, &id, &err), 0);
}

static void a_flow_read_back_is_judged_the_same(void **state)
{
	struct policy *policy = policy_of(SITES_FLOWS);
	struct written *written = calloc(FLOWS, sizeof(*written));
	struct reading reading = {policy, written, 0};
	struct flow_query query = {0};
	uint64_t seed = 20261122;
	struct err err = {0};
	struct dbkit kit;

	assert_non_null(written);
	dbkit_open(&kit);
	for (unsigned i = 0; i < FLOWS; i++) {
		struct tuple tuple;

		if (i % 2)
			view_random(&tuple, i + 1, &seed);
		else
			tuple_random(policy, &tuple, i + 1, &seed);
		judge_all(policy, &tuple.view, &written[i]);
		written[i].told = (uint8_t)(i % 32);
		put(&kit, policy, &written[i]);
	}
	assert_int_equal(flowdb_flows(kit.db, &query, take, &reading, &err), 0);
	assert_int_equal(reading.count, FLOWS);
	dbkit_close(&kit);
	free(written);
	policy_free(policy);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_read_back_is_judged_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

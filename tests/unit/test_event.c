/*
 * test_event.c - what another process wrote is checked field by field.
 */
#include "schema/event_brief.h"
#include "schema/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct event_flow sound_flow(void)
{
	struct event_flow event;

	memset(&event, 0, sizeof(event));
	event.head.len = sizeof(event);
	event.head.type = EVENT_FLOW_END;
	event.facts.id = 1;
	event.facts.ip_version = 4;
	event.facts.vlan = VLAN_NONE;
	return event;
}

/* Of a lone SYN that was sent twice. */
static struct flow_facts brief_facts(void)
{
	struct flow_facts facts;

	memset(&facts, 0, sizeof(facts));
	facts.id = 4711;
	facts.first_us = facts.first_try_us = INT64_C(1772438400000000);
	facts.last_us = facts.last_try_us = facts.first_us + 1000000;
	facts.end[0].addr = addr_from_v4((const uint8_t[]){198, 51, 100, 7});
	facts.end[0].port = 49152;
	facts.end[1].addr = addr_from_v4((const uint8_t[]){10, 1, 0, 7});
	facts.end[1].port = 443;
	facts.end[1].mac = (struct mac){{0x00, 0x26, 0x8c, 1, 2, 3}};
	facts.packets[0] = facts.tries = 2;
	facts.bytes[0] = 120;
	facts.transport = TRANSPORT_TCP;
	facts.ip_version = 4;
	facts.vlan = VLAN_NONE;
	facts.initiator_by = INITIATOR_SYN;
	facts.tcp_flags[0] = TCP_SYN;
	facts.outcome = OUTCOME_UNANSWERED;
	facts.asked = ASKED_SYN;
	facts.settled_by = SETTLED_END;
	facts.silent_s = 30;
	memset(facts.payload_types, 0xff, sizeof(facts.payload_types));
	return facts;
}

/* Whatever byte of the facts is another one: a brief event says all of it, or there is none. */
static void a_brief_flow_says_all_or_is_none(void **state)
{
	static const uint8_t changes[] = {0, 1, 2, 0x80, 0xff};
	unsigned fit = 0, not = 0;

	for (size_t i = 0; i < sizeof(struct flow_facts) * ARRAY_LEN(changes); i++) {
		struct event_brief brief = {
			.head = {.len = sizeof(brief), .type = EVENT_FLOW_BRIEF, .handed = 77}};
		struct flow_facts facts = brief_facts();
		struct event_flow whole;

		((uint8_t *)&facts)[i / ARRAY_LEN(changes)] ^= changes[i % ARRAY_LEN(changes)];
		if (!event_brief_fill(&facts, &brief)) {
			not++;
			continue;
		}
		fit++;
		assert_ptr_equal(event_whole(&brief.head, &whole), &whole);
		assert_memory_equal(&whole.facts, &facts, sizeof(facts));
		assert_int_equal(whole.head.type, EVENT_FLOW_END);
		assert_int_equal(whole.head.len, sizeof(whole));
		assert_int_equal(whole.head.handed, 77);
		assert_int_equal(whole.name_len, 0);
		assert_int_equal(event_check(&brief.head, sizeof(brief)),
		                 event_check(&whole.head, sizeof(whole)));
	}
	/* Of 264 bytes 8 are of the number, 48 of the ends: these fit with any change. */
	assert_true(fit > 300);
	assert_true(not > 600);
}

static void a_brief_flow_is_checked_like_any(void **state)
{
	struct flow_facts facts = brief_facts();
	struct event_brief sound = {.head = {.len = sizeof(sound), .type = EVENT_FLOW_BRIEF}}, brief;
	struct event_flow whole;

	assert_true(event_brief_fill(&facts, &sound));
	assert_int_equal(event_check(&sound.head, sizeof(sound)), 0);
	brief = sound;
	brief.id = 0;
	assert_int_equal(event_check(&brief.head, sizeof(brief)), -EBADMSG);
	brief = sound;
	brief.first_us = INT64_MAX; /* the last packet was behind the end of all times */
	assert_int_equal(event_check(&brief.head, sizeof(brief)), -EBADMSG);
	brief = sound;
	brief.outcome = OUTCOME_ONE_SIDED + 1;
	assert_int_equal(event_check(&brief.head, sizeof(brief)), -EBADMSG);
	brief = sound;
	brief.ip_version = 5;
	assert_int_equal(event_check(&brief.head, sizeof(brief)), -EBADMSG);
	brief = sound;
	brief.tunnel = TUNNEL_COUNT;
	assert_int_equal(event_check(&brief.head, sizeof(brief)), -EBADMSG);
	/* Of another length it is nothing. */
	brief = sound;
	brief.head.len = sizeof(brief) - 8;
	assert_int_equal(event_check(&brief.head, sizeof(brief) - 8), -EBADMSG);
	assert_ptr_equal(event_whole(&brief.head, &whole), &brief);
}

static int check(const struct event_flow *event)
{
	return event_check(&event->head, sizeof(*event));
}

static void a_sound_flow_passes(void **state)
{
	struct event_flow event = sound_flow();

	assert_int_equal(check(&event), 0);
	event.name_len = 7;
	event.facts.name_kind = NAME_SNI;
	memcpy(event.name, "a.examp", 7);
	assert_int_equal(check(&event), 0);
}

static void every_field_that_is_used_as_an_index_or_length_is_checked(void **state)
{
#define BROKEN(statement)                           \
	do {                                        \
		struct event_flow event = sound_flow(); \
		statement;                          \
		assert_int_equal(check(&event), -EBADMSG); \
	} while (0)
	BROKEN(event.head.len = sizeof(event) - 8);
	BROKEN(event.head.type = EVENT_TYPE_COUNT);
	BROKEN(event.head.type = 0);
	BROKEN(event.facts.id = 0);
	BROKEN(event.facts.ip_version = 5);
	BROKEN(event.facts.initiator = 3);
	BROKEN(event.facts.initiator_by = INITIATOR_SYN + 1);
	BROKEN(event.facts.outcome = OUTCOME_ONE_SIDED + 1);
	BROKEN(event.facts.settled_by = SETTLED_END + 1);
	BROKEN(event.facts.app = APP_COUNT);
	BROKEN(event.facts.evidence = EVIDENCE_INSPECTED); /* the recorder's word alone */
	BROKEN(event.facts.name_kind = NAME_DNS_QUESTION + 1);
	BROKEN(event.facts.media = 8);
	BROKEN(event.facts.ice = 4);
	BROKEN(event.facts.mtls = MTLS_YES + 1);
	BROKEN(event.facts.vlan = 4096);
	BROKEN(event.facts.first_us = 1); /* after last_us */
	BROKEN(event.name_len = 8; event.facts.name_kind = NAME_SNI);
	BROKEN(event.name_len = 3; event.facts.name_kind = NAME_SNI); /* holds a NUL */
	BROKEN(event.name_len = 1; event.name[0] = 'a'); /* a name of no kind */
#undef BROKEN
}

static void a_length_that_is_not_the_events_own_is_refused(void **state)
{
	struct event_flow event = sound_flow();

	assert_int_equal(event_check(&event.head, sizeof(event) - 8), -EBADMSG);
	assert_int_equal(event_check(&event.head, 4), -EBADMSG);
	event.head.len = sizeof(event.head);
	assert_int_equal(event_check(&event.head, sizeof(event.head)), -EBADMSG);
}

static void names_leases_packets_and_opinions_are_checked(void **state)
{
	struct event_name name = {.head = {.len = sizeof(name), .type = EVENT_NAME}, .name_len = 1, .name = "a"};
	struct event_neighbour neighbour = {.head = {.len = sizeof(neighbour), .type = EVENT_NEIGHBOUR}};
	struct event_lease lease = {.head = {.len = sizeof(lease), .type = EVENT_LEASE}, .mask_bits = 24, .word = LEASE_GIVEN};
	struct event_opinion opinion = {.head = {.len = sizeof(opinion), .type = EVENT_OPINION}, .flow = 1, .app = APP_SSH};

	assert_int_equal(event_check(&name.head, sizeof(name)), 0);
	name.name_len = 3;
	assert_int_equal(event_check(&name.head, sizeof(name)), -EBADMSG);
	name.name_len = 1;
	name.tunnel = TUNNEL_COUNT;
	assert_int_equal(event_check(&name.head, sizeof(name)), -EBADMSG);
	neighbour.tunnel = TUNNEL_COUNT;
	assert_int_equal(event_check(&neighbour.head, sizeof(neighbour)), -EBADMSG);
	assert_int_equal(event_check(&lease.head, sizeof(lease)), 0);
	lease.word = 3; /* a REQUEST gives nothing */
	assert_int_equal(event_check(&lease.head, sizeof(lease)), -EBADMSG);
	lease.word = LEASE_RELEASED;
	assert_int_equal(event_check(&lease.head, sizeof(lease)), 0);
	lease.asked = 2;
	assert_int_equal(event_check(&lease.head, sizeof(lease)), -EBADMSG);
	lease.asked = 1;
	lease.tunnel = TUNNEL_COUNT;
	assert_int_equal(event_check(&lease.head, sizeof(lease)), -EBADMSG);
	lease.tunnel = TUNNEL_VXLAN;
	assert_int_equal(event_check(&lease.head, sizeof(lease)), 0);
	lease.dns_count = LEASE_SERVERS + 1;
	assert_int_equal(event_check(&lease.head, sizeof(lease)), -EBADMSG);
	assert_int_equal(event_check(&opinion.head, sizeof(opinion)), 0);
	opinion.app = APP_COUNT;
	assert_int_equal(event_check(&opinion.head, sizeof(opinion)), -EBADMSG);
}

static void of_how_a_row_stands_every_field_is_checked(void **state)
{
	const struct event_exercised sound = {
		.head = {.len = sizeof(sound), .type = EVENT_EXERCISED},
		.exercised = {.standing = {.what = STANDS_EXACT | STANDS_UNDETERMINED, .media = MEDIA_AUDIO},
	                      .direction = DIRECTION_IN},
		.unit_len = 1,
		.unit = "u",
	};

	assert_int_equal(event_check(&sound.head, sizeof(sound)), 0);
#define BROKEN(statement)                                                               \
	do {                                                                            \
		struct event_exercised event = sound;                                   \
		statement;                                                              \
		assert_int_equal(event_check(&event.head, sizeof(event)), -EBADMSG);    \
	} while (0)
	BROKEN(event.head.len = sizeof(event) - 8);
	BROKEN(event.exercised.standing.what = STANDS_UNDETERMINED << 1);
	BROKEN(event.exercised.standing.media = STANDS_NO_MEDIA << 1);
	BROKEN(event.exercised.standing.whys = (uint8_t)BIT(WHY_NO_INSPECTOR + 1));
	BROKEN(event.exercised.direction = DIRECTION_IN + 1);
	BROKEN(event.unit_len = 0);
	BROKEN(event.unit_len = 2);   /* holds a NUL */
	BROKEN(event.unit_len = 200); /* past its end */
#undef BROKEN
}

static void of_a_finding_every_field_is_checked(void **state)
{
	const struct event_found sound = {.head = {.len = sizeof(sound), .type = EVENT_FOUND},
	                                  .kind = KIND_PEER,
	                                  .severity = SEVERITY_HIGH,
	                                  .waived = 1,
	                                  .unit_len = 1,
	                                  .text_len = 2,
	                                  .text = {'u', 'r'}};

	assert_int_equal(event_check(&sound.head, sizeof(sound)), 0);
#define BROKEN(statement)                                                               \
	do {                                                                            \
		struct event_found event = sound;                                       \
		statement;                                                              \
		assert_int_equal(event_check(&event.head, sizeof(event)), -EBADMSG);    \
	} while (0)
	BROKEN(event.kind = KIND_COUNT);
	BROKEN(event.severity = SEVERITY_HIGH + 1);
	BROKEN(event.waived = 2);
	BROKEN(event.unit_len = 3); /* past the text */
	BROKEN(event.text_len = 40); /* past its end */
	BROKEN(event.text[1] = '\0');
#undef BROKEN
}

static void of_a_flow_s_first_packets_every_field_is_checked(void **state)
{
	union {
		struct event_sample sample;
		uint8_t room[512];
	} u = {.sample = {.head = {.type = EVENT_SAMPLE},
	                  .flow = 1,
	                  .wire_len = SAMPLE_BYTES,
	                  .len = SAMPLE_BYTES,
	                  .headers_len = SAMPLE_BYTES,
	                  .link = LINK_LOOPBACK,
	                  .number = SAMPLE_PACKETS - 1}};
	const struct event_sample sound = u.sample;
	size_t len = (offsetof(struct event_sample, bytes) + SAMPLE_BYTES + 7) / 8 * 8;

#define BROKEN(change) \
	do { \
		u.sample = sound; \
		u.sample.head.len = (uint32_t)len; \
		assert_int_equal(event_check(&u.sample.head, len), 0); \
		u.sample.change; \
		assert_int_equal(event_check(&u.sample.head, u.sample.head.len), -EBADMSG); \
	} while (0)
	BROKEN(head.len -= 8); /* the bytes go on past it */
	BROKEN(len = SAMPLE_BYTES + 1);
	BROKEN(wire_len--);
	BROKEN(headers_len++);
	BROKEN(link = LINK_COUNT);
	BROKEN(number = SAMPLE_PACKETS);
	BROKEN(flow = 0);
	BROKEN(time_us = -1);
#undef BROKEN
}

/* Sums of such numbers would overflow. */
static void times_counts_and_numbers_of_flows_have_their_limits(void **state)
{
	static const int64_t WRONG[] = {-1, EVENT_NUMBER_MAX + 1, INT64_MAX, INT64_MIN};

	for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
#define CASE(kind, event_type, member) \
	do { \
		union { \
			struct event head; \
			struct kind event; \
			uint8_t room[512]; \
		} u = {.event = {.head = {.len = (sizeof(struct kind) + 7) / 8 * 8, .type = event_type}}}; \
		if (event_type == EVENT_FLOW_END) \
			u.event = *(struct kind *)(void *)&flow; \
		if (event_type == EVENT_NAME) \
			memcpy(u.room + offsetof(struct event_name, asked), "\0\0\1a", 4); \
		if (event_type == EVENT_LEASE) \
			u.room[offsetof(struct event_lease, word)] = LEASE_GIVEN; \
		if (event_type == EVENT_BLIND) \
			u.room[offsetof(struct event_blind, cause)] = BLIND_CLOCK_STEP; \
		if (event_type == EVENT_EXERCISED) \
			memcpy(u.room + offsetof(struct event_exercised, unit_len), "\1u", 2); \
		if (event_type == EVENT_PACKET || event_type == EVENT_FORGET || event_type == EVENT_OPINION || \
		    event_type == EVENT_SAMPLE) \
			((struct event_forget *)(void *)&u)->flow = 1; \
		assert_int_equal(event_check(&u.head, u.head.len), 0); \
		memcpy(&u.event.member, &WRONG[i], sizeof(WRONG[i])); \
		assert_int_equal(event_check(&u.head, u.head.len), -EBADMSG); \
	} while (0)
		struct event_flow flow = sound_flow();

		CASE(event_flow, EVENT_FLOW_END, facts.id);
		CASE(event_flow, EVENT_FLOW_END, facts.first_us);
		CASE(event_flow, EVENT_FLOW_END, facts.last_us);
		CASE(event_flow, EVENT_FLOW_END, facts.first_try_us);
		CASE(event_flow, EVENT_FLOW_END, facts.last_try_us);
		CASE(event_flow, EVENT_FLOW_END, facts.packets[1]);
		CASE(event_flow, EVENT_FLOW_END, facts.bytes[1]);
		CASE(event_name, EVENT_NAME, time_us);
		CASE(event_lease, EVENT_LEASE, time_us);
		CASE(event_neighbour, EVENT_NEIGHBOUR, time_us);
		CASE(event_health, EVENT_HEALTH, time_us);
		CASE(event_health, EVENT_HEALTH, counters.seen);
		CASE(event_health, EVENT_HEALTH, counters.told_shed);
		CASE(event_input, EVENT_INPUT, first_us);
		CASE(event_input, EVENT_INPUT, last_us);
		CASE(event_input, EVENT_INPUT, packets);
		CASE(event_input, EVENT_INPUT, size);
		CASE(event_packet, EVENT_PACKET, flow);
		CASE(event_packet, EVENT_PACKET, time_us);
		CASE(event_forget, EVENT_FORGET, flow);
		CASE(event_opinion, EVENT_OPINION, flow);
		CASE(event_begin, EVENT_BEGIN, time_us);
		CASE(event_blind, EVENT_BLIND, since_us);
		CASE(event_blind, EVENT_BLIND, until_us);
		CASE(event_blind, EVENT_BLIND, count);
		CASE(event_evidence, EVENT_EVIDENCE, time_us);
		CASE(event_evidence, EVENT_EVIDENCE, flow);
		CASE(event_sample, EVENT_SAMPLE, time_us);
		CASE(event_sample, EVENT_SAMPLE, flow);
		CASE(event_found, EVENT_FOUND, time_us);
		CASE(event_exercised, EVENT_EXERCISED, exercised.time_us);
		CASE(event_exercised, EVENT_EXERCISED, exercised.teller);
#undef CASE
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_flow_passes),
		cmocka_unit_test(a_brief_flow_says_all_or_is_none),
		cmocka_unit_test(a_brief_flow_is_checked_like_any),
		cmocka_unit_test(every_field_that_is_used_as_an_index_or_length_is_checked),
		cmocka_unit_test(a_length_that_is_not_the_events_own_is_refused),
		cmocka_unit_test(names_leases_packets_and_opinions_are_checked),
		cmocka_unit_test(of_a_flow_s_first_packets_every_field_is_checked),
		cmocka_unit_test(of_a_finding_every_field_is_checked),
		cmocka_unit_test(of_how_a_row_stands_every_field_is_checked),
		cmocka_unit_test(times_counts_and_numbers_of_flows_have_their_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

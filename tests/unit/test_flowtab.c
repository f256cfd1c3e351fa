/*
 * test_flowtab.c - the table of live flows: find, age, evict, the young half.
 */
#include "monitor/capture/flowtab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct flow_key key_of(uint16_t port)
{
	const uint8_t v4[4] = {10, 0, 0, 1};
	struct flow_key key;

	memset(&key, 0, sizeof(key));
	key.addr[0] = key.addr[1] = addr_from_v4(v4);
	key.port[0] = port;
	key.port[1] = 443;
	key.transport = TRANSPORT_TCP;
	key.ip_version = 4;
	return key;
}

static struct flow *begin(struct flowtab *tab, uint16_t port, int64_t at_us, enum idle idle)
{
	struct flow_key key = key_of(port);
	struct flow *flow = flowtab_add(tab, &key);

	if (flow) {
		flow->facts.id = port;
		flow->facts.last_us = at_us;
		flowtab_touch(tab, flow, idle);
	}
	return flow;
}

static struct flowtab *small(uint32_t flows, uint32_t young)
{
	struct flowtab_limits limits = FLOWTAB_DEFAULTS;

	limits.flows = flows;
	limits.young = young;
	return flowtab_new(&limits);
}

static void a_full_table_refuses_and_names_the_longest_idle(void **state)
{
	struct flowtab *tab = small(3, 1);
	struct flow_key key = key_of(2);

	begin(tab, 1, 30, IDLE_UDP_LONE);
	begin(tab, 2, 10, IDLE_TCP_OPENING);
	begin(tab, 3, 20, IDLE_ICMP);
	assert_null(begin(tab, 4, 40, IDLE_UDP));
	assert_int_equal(flowtab_at(tab, flowtab_least_missed(tab))->facts.id, 2);
	flowtab_remove(tab, flowtab_at(tab, flowtab_least_missed(tab)));
	assert_null(flowtab_find(tab, &key));
	assert_non_null(begin(tab, 4, 40, IDLE_UDP));
	assert_int_equal(flowtab_count(tab), 3);
	flowtab_free(tab);
}

static void flows_are_given_up_by_what_they_are_before_how_long_they_were_silent(void **state)
{
	/* In the order in which they go; who was silent longest stays longest. */
	static const enum idle order[] = {
		IDLE_UDP_LONE, IDLE_TCP_LONE, IDLE_TCP_OPENING, IDLE_TCP_CLOSED, IDLE_ICMP,
		IDLE_OTHER,    IDLE_UDP,      IDLE_UDP_CALL,    IDLE_TCP_OPEN,
	};
	static const uint8_t rank[] = {0, 0, 0, 0, 0, 0, 1, 2, 2};

	for (unsigned a = 0; a < ARRAY_LEN(order); a++)
		for (unsigned b = 0; b < ARRAY_LEN(order); b++) {
			struct flowtab *tab = small(4, 1);

			begin(tab, 1, 100 + (int64_t)a, order[a]);
			begin(tab, 2, 200, order[b]);
			assert_int_equal(flowtab_at(tab, flowtab_least_missed(tab))->facts.id,
			                 rank[b] < rank[a] ? 2 : 1);
			flowtab_free(tab);
		}
	assert_int_equal(ARRAY_LEN(order), IDLE_COUNT);
}

static void what_begins_is_left_an_eighth_of_the_slots_for_its_answer(void **state)
{
	struct flowtab *tab = small(80, 1);

	for (uint16_t i = 1; i <= 70; i++)
		begin(tab, i, i, IDLE_TCP_OPEN);
	for (uint16_t i = 71; i <= 80; i++)
		begin(tab, i, i, IDLE_UDP_LONE);
	assert_int_equal(flowtab_at(tab, flowtab_least_missed(tab))->facts.id, 1);
	flowtab_remove(tab, flowtab_at(tab, flowtab_least_missed(tab)));
	begin(tab, 81, 81, IDLE_UDP_LONE);
	assert_int_equal(flowtab_at(tab, flowtab_least_missed(tab))->facts.id, 71); /* now they have more */
	flowtab_free(tab);
}

static void kinds_that_share_a_span_end_in_the_order_of_their_last_packets(void **state)
{
	static const enum idle kind[] = {IDLE_UDP_CALL, IDLE_UDP, IDLE_UDP_LONE, IDLE_UDP};
	struct flowtab *tab = small(4, 1);

	for (uint16_t i = 0; i < 4; i++)
		begin(tab, i + 1, i, kind[i]);
	for (unsigned i = 0; i < 4; i++) {
		struct flow *over = flowtab_at(tab, flowtab_expired(tab, 61 * 1000000));

		assert_int_equal(over->facts.id, i + 1);
		flowtab_remove(tab, over);
	}
	flowtab_free(tab);
}

static void each_kind_of_flow_has_its_time_out(void **state)
{
	static const struct {
		enum idle idle;
		int64_t seconds;
	} cases[] = {
		{IDLE_UDP, 60},         {IDLE_ICMP, 10},       {IDLE_TCP_OPENING, 30},
		{IDLE_TCP_OPEN, 3600}, {IDLE_TCP_CLOSED, 5},   {IDLE_OTHER, 60},
		{IDLE_UDP_LONE, 60},   {IDLE_UDP_CALL, 60},    {IDLE_TCP_LONE, 3600},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct flowtab *tab = small(4, 1);
		int64_t end = 1000 + cases[i].seconds * 1000000;

		begin(tab, 7, 1000, cases[i].idle);
		assert_null(flowtab_at(tab, flowtab_expired(tab, end - 1)));
		assert_int_equal(flowtab_at(tab, flowtab_expired(tab, end))->facts.id, 7);
		flowtab_free(tab);
	}
}

static void a_touched_flow_lives_longer(void **state)
{
	struct flowtab *tab = small(4, 1);
	struct flow *first = begin(tab, 1, 0, IDLE_UDP);

	begin(tab, 2, 10, IDLE_UDP);
	first->facts.last_us = 20;
	flowtab_touch(tab, first, IDLE_UDP);
	assert_int_equal(flowtab_at(tab, flowtab_expired(tab, 60 * 1000000 + 15))->facts.id, 2);
	flowtab_remove(tab, flowtab_at(tab, flowtab_expired(tab, 60 * 1000000 + 15)));
	assert_null(flowtab_at(tab, flowtab_expired(tab, 60 * 1000000 + 15)));
	flowtab_free(tab);
}

static void it_keeps_every_flow_through_random_changes(void **state)
{
	static struct flow *there[2000];
	struct flowtab *tab = small(ARRAY_LEN(there), 1);
	uint32_t dice = 99;
	size_t count = 0;

	for (unsigned i = 0; i < 100000; i++) {
		uint16_t port;

		dice = dice * 1664525 + 1013904223;
		port = (uint16_t)((dice >> 8) % ARRAY_LEN(there) + 1);
		if (there[port - 1]) {
			if (dice >> 30)
				flowtab_remove(tab, there[port - 1]);
			else
				flowtab_end(tab, there[port - 1], i + 1);
			there[port - 1] = NULL;
			count--;
		} else {
			if (flowtab_is_full(tab))
				flowtab_remove(tab, flowtab_oldest_over(tab));
			there[port - 1] = begin(tab, port, i, (enum idle)(dice >> 20 & 3));
			assert_non_null(there[port - 1]);
			count++;
		}
		assert_int_equal(flowtab_count(tab), count);
	}
	for (uint16_t port = 1; port <= ARRAY_LEN(there); port++) {
		struct flow_key key = key_of(port);

		assert_ptr_equal(flowtab_find(tab, &key), there[port - 1]);
	}
	flowtab_free(tab);
}

static void sorted_gives_each_flow_once_in_order_of_its_number(void **state)
{
	struct flowtab *tab = small(8, 1);
	CLEANUP(freep) uint32_t *flows = NULL;
	size_t count;

	begin(tab, 3, 0, IDLE_UDP);
	begin(tab, 1, 0, IDLE_ICMP);
	flowtab_remove(tab, begin(tab, 5, 0, IDLE_UDP));
	begin(tab, 2, 0, IDLE_TCP_OPEN);
	flows = flowtab_sorted(tab, &count);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(flowtab_at(tab, flows[i])->facts.id, i + 1);
	flowtab_free(tab);
}

static void the_young_half_is_bounded_and_given_back(void **state)
{
	struct flowtab *tab = small(4, 1);
	struct flow *a = begin(tab, 1, 0, IDLE_UDP), *b = begin(tab, 2, 0, IDLE_UDP);

	assert_true(flowtab_make_young(tab, a));
	assert_true(flowtab_make_young(tab, a));
	assert_false(flowtab_make_young(tab, b));
	assert_ptr_equal(flowtab_oldest_young(tab), a);
	a->young->rtcp_run = 7;
	flowtab_remove(tab, a);
	assert_null(flowtab_oldest_young(tab));
	assert_true(flowtab_make_young(tab, b));
	assert_int_equal(b->young->rtcp_run, 0);
	flowtab_free(tab);
}

static void a_flow_that_is_over_keeps_its_slot_and_frees_its_key(void **state)
{
	struct flowtab *tab = small(3, 1);
	struct flow_key key = key_of(1);
	CLEANUP(freep) uint32_t *flows = NULL;
	struct flow *first = begin(tab, 1, 0, IDLE_UDP), *again;
	size_t count;

	assert_true(flowtab_make_young(tab, first));
	flowtab_end(tab, first, 1);
	assert_null(flowtab_find(tab, &key));
	assert_null(flowtab_oldest_young(tab));
	assert_null(flowtab_at(tab, flowtab_least_missed(tab)));
	assert_int_equal(flowtab_count(tab), 0);
	again = begin(tab, 1, 10, IDLE_UDP);
	assert_ptr_equal(flowtab_find(tab, &key), again);
	assert_ptr_not_equal(first, again);
	begin(tab, 2, 10, IDLE_UDP);
	assert_true(flowtab_is_full(tab));
	flows = flowtab_sorted(tab, &count);
	assert_int_equal(count, 2); /* the live ones alone */
	assert_ptr_equal(flowtab_oldest_over(tab), first);
	flowtab_remove(tab, first);
	assert_ptr_equal(flowtab_find(tab, &key), again);
	assert_false(flowtab_is_full(tab));
	assert_null(flowtab_oldest_over(tab));
	assert_int_equal(flowtab_count(tab), 2);
	flowtab_free(tab);
}

static void who_waits_goes_by_its_number_whether_over_or_not(void **state)
{
	struct flowtab *tab = small(8, 1);
	struct flow *flow[6];

	for (uint16_t i = 0; i < ARRAY_LEN(flow); i++)
		flow[i] = begin(tab, (uint16_t)(i + 1), i, IDLE_UDP);
	assert_null(flowtab_oldest_untold(tab));
	flowtab_untold(tab, flow[0], 1);
	flowtab_end(tab, flow[1], 2);
	flowtab_untold(tab, flow[2], 3);
	flowtab_untold(tab, flow[3], 4);
	flowtab_end(tab, flow[4], 5);
	flowtab_end(tab, flow[2], 6); /* in the middle of its list */
	flowtab_told(tab, flow[5]);   /* it does not wait at all */
	assert_int_equal(flowtab_untold_count(tab), 5);
	for (unsigned i = 0; i < 5; i++) {
		static const unsigned order[] = {0, 1, 3, 4, 2};
		struct flow *next = flowtab_oldest_untold(tab);

		assert_ptr_equal(next, flow[order[i]]);
		if (next->idle == IDLE_OVER)
			flowtab_remove(tab, next);
		else
			flowtab_told(tab, next);
	}
	assert_null(flowtab_oldest_untold(tab));
	assert_int_equal(flowtab_untold_count(tab), 0);
	assert_int_equal(flowtab_count(tab), 3);
	flowtab_free(tab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_table_refuses_and_names_the_longest_idle),
		cmocka_unit_test(flows_are_given_up_by_what_they_are_before_how_long_they_were_silent),
		cmocka_unit_test(what_begins_is_left_an_eighth_of_the_slots_for_its_answer),
		cmocka_unit_test(kinds_that_share_a_span_end_in_the_order_of_their_last_packets),
		cmocka_unit_test(each_kind_of_flow_has_its_time_out),
		cmocka_unit_test(a_touched_flow_lives_longer),
		cmocka_unit_test(it_keeps_every_flow_through_random_changes),
		cmocka_unit_test(sorted_gives_each_flow_once_in_order_of_its_number),
		cmocka_unit_test(the_young_half_is_bounded_and_given_back),
		cmocka_unit_test(a_flow_that_is_over_keeps_its_slot_and_frees_its_key),
		cmocka_unit_test(who_waits_goes_by_its_number_whether_over_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

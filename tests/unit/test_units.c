/*
 * test_units.c - the units a policy names one by one, and the roles it leaves empty for them.
 */
#include "monitor/record/units.h"
#include "schema/flowdb_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct policy *policy(const char *site)
{
	const struct policy_args args = {
		.site_path = "site.yaml", .site_text = site, .site_text_len = strlen(site)};
	struct policy *loaded = NULL;
	struct err err = {0};

	if (policy_load(&args, &loaded, &err) < 0)
		fail_msg("%s", err.text);
	return loaded;
}

static int add(void *context, const struct unit_view *unit, struct err *err)
{
	text_add(context, 512, "%s (%s)%s; ", unit->name, unit->profiles,
	         unit->listed ? "" : " not listed");
	return 0;
}

static void units_named_one_by_one_stand_in_the_database_unseen(void **state)
{
	struct policy *site =
		policy("units:\n"
	               "  - {name: board, addresses: [10.1.0.7], profiles: [room, online]}\n"
	               "  - {name: by-mac, macs: [\"00:26:8c:01:02:03\"], profiles: [room]}\n"
	               "  - {name: floor, addresses: [10.1.8.0/24], profiles: [room]}\n");
	struct sighting at = {.end.addr = {{[10] = 0xff, [11] = 0xff, 10, 1, 0, 7}},
	                      .spoke = true};
	const struct run_row run = {
		.version = "2", .source = "file", .inputs = "", .filter = ""};
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct units *units = units_new(site, UNITS_MAX);
	struct err err = {0};
	char names[512] = "";
	struct unit *unit;
	int64_t id;
	int r;

	assert_int_equal(flowdb_open(NULL, FLOWDB_WRITE, &db, &err), 0);
	assert_int_equal(flowdb_run_begin(db, &run, &id, &err), 0);
	assert_int_equal(units_list(units, db, &err), 0);
	assert_int_equal(flowdb_units(db, add, names, &err), 0);
	assert_string_equal(names, "board (room, online); by-mac (room); ");
	assert_int_equal(units_count(units), 0); /* none was seen */
	/* Seen, it is the same one. */
	unit = units_at(units, db, &at, &r, &err);
	assert_non_null(unit);
	assert_string_equal(unit->name, "board");
	*names = '\0';
	assert_int_equal(flowdb_units(db, add, names, &err), 0);
	assert_string_equal(names, "board (room, online); by-mac (room); ");
	units_free(units);
	policy_free(site);
}

static void roles_that_rows_in_use_need_and_nobody_holds_are_empty(void **state)
{
	static const struct {
		const char *site, *roles;
	} cases[] = {
		{"units: [{name: a, addresses: [10.0.0.1], profiles: [room]}]\n", ""},
		{"units: [{name: a, addresses: [10.0.0.1], profiles: [external, touch]}]\n",
	         "edge,other-client,touch-controller"},
		{"units: [{name: a, addresses: [10.0.0.1], profiles: [external]}]\n"
	         "roles: {other-client: {addresses: [10.0.0.0/8]}}\n",
	         "edge"},
		{"units: [{name: a, addresses: [10.0.0.1], profiles: [external]}]\n"
	         "roles: {edge: {names: [edge.corp.example]}, other-client: {addresses: [10.0.0.0/8]}}\n",
	         ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy *site = policy(cases[i].site);
		char roles[512];

		policy_roles_unknown(site, roles, sizeof(roles));
		assert_string_equal(roles, cases[i].roles);
		policy_free(site);
	}
}

/* What is not in the database yet is not given up for another one. */
static void an_address_that_was_not_written_is_kept(void **state)
{
	struct policy *site =
		policy("units: [{name: board, addresses: [10.1.0.7], profiles: [room]}]\n");
	struct units *units = units_new(site, UNITS_MAX);
	struct sighting at = {.end.addr = {{[10] = 0xff, [11] = 0xff, 10, 1, 0, 7}},
	                      .spoke = true};
	const struct run_row run = {
		.version = "2", .source = "file", .inputs = "", .filter = ""};
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct err err = {0};
	struct unit *unit;
	int64_t id;
	int r;

	assert_int_equal(flowdb_open(NULL, FLOWDB_WRITE, &db, &err), 0);
	assert_int_equal(flowdb_run_begin(db, &run, &id, &err), 0);
	unit = units_at(units, db, &at, &r, &err);
	assert_non_null(unit);
	for (unsigned i = 0; i < UNIT_ADDRESSES_MAX + 3; i++) {
		at.end.mac.b[5] = (uint8_t)i;
		at.first_us = at.last_us = 1 + i;
		unit_seen(unit, &at);
	}
	assert_int_equal(unit->address[0].last_us, 1);
	assert_int_equal(units_flush(units, db, &err), 0);
	assert_int_equal(units_refused(units), 3);
	unit_seen(unit, &at); /* those are written now */
	assert_int_equal(unit->address[0].last_us, UNIT_ADDRESSES_MAX + 3);
	units_free(units);
	policy_free(site);
}

/* However many clients a network had: the latest ones count. */
static void the_latest_leases_tell_whose_a_mac_is(void **state)
{
	struct policy *site =
		policy("units: [{name: board, addresses: [10.1.0.7], profiles: [room]}]\n");
	struct units *units = units_new(site, UNITS_MAX);
	const struct run_row run = {
		.version = "2", .source = "file", .inputs = "", .filter = ""};
	struct event_lease lease = {.time_us = 1, .word = LEASE_GIVEN};
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct err err = {0};
	struct unit *unit;
	int64_t id;
	int r;

	assert_int_equal(flowdb_open(NULL, FLOWDB_WRITE, &db, &err), 0);
	assert_int_equal(flowdb_run_begin(db, &run, &id, &err), 0);
	for (unsigned i = 0; i <= 70000; i++) {
		lease.chaddr = (struct mac){{2, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8),
		                             (uint8_t)i}};
		lease.address = (struct addr){{[10] = 0xff, [11] = 0xff, 10, 1, 0, 8}};
		lease.address.b[15] -= i == 70000;
		assert_int_equal(units_lease(units, db, id, &lease, false, &err), 0);
	}
	unit = units_by_mac(units, db, &lease.chaddr, 2, &r, &err);
	assert_non_null(unit);
	assert_string_equal(unit->name, "board");
	units_free(units);
	policy_free(site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(units_named_one_by_one_stand_in_the_database_unseen),
		cmocka_unit_test(an_address_that_was_not_written_is_kept),
		cmocka_unit_test(the_latest_leases_tell_whose_a_mac_is),
		cmocka_unit_test(roles_that_rows_in_use_need_and_nobody_holds_are_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_flowdb_seen.c - where units were seen waits for the end of its transaction (schema/flowdb_seen.c): the database is
 * the one that is made where nothing waits.
 */
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNITS 9000 /* more than twice as many as wait at once */

static int count_one(void *context, const struct unit_address_row *row, struct err *err)
{
	(void)row;
	(void)err;
	++*(unsigned *)context;
	return 0;
}

/* How many addresses somebody who asks sees. */
static unsigned asked(struct dbkit *kit)
{
	struct err err = {0};
	unsigned count = 0;

	assert_int_equal(flowdb_unit_addresses(kit->db, 0, count_one, &count, &err), 0);
	return count;
}

static void seen(struct dbkit *kit, bool waits, unsigned unit, unsigned address, bool mac,
                 uint8_t known_by, int64_t first_us, int64_t last_us)
{
	const struct mac own = {{2, 0, 0, 0, (uint8_t)(unit >> 8), (uint8_t)unit}}, none = {{0}};
	const uint8_t bytes[] = {10, (uint8_t)address, (uint8_t)(unit >> 8), (uint8_t)unit};
	const struct addr addr = addr_from_v4(bytes);
	struct err err = {0};

	assert_int_equal(flowdb_unit_seen(kit->db, unit, &addr, mac ? &own : &none, known_by,
	                                  first_us, last_us, &err),
	                 0);
	if (!waits)
		asked(kit);
}

static void commit(struct dbkit *kit)
{
	struct err err = {0};

	assert_int_equal(flowdb_commit(kit->db, &err), 0);
	assert_int_equal(flowdb_begin(kit->db, &err), 0);
}

static void tell(struct dbkit *kit, bool waits, unsigned units)
{
	for (unsigned i = 1; i <= units; i++) {
		seen(kit, waits, i, 0, true, 1, 5000 + i, 6000 + i);
		if (i % 2) /* again, earlier and later, and known by more */
			seen(kit, waits, i, 0, true, 4, 4000 + i, 5500 + i);
		if (i % 3 == 0) {
			seen(kit, waits, i, 1, true, 1, 7000, 8000);
			seen(kit, waits, i, 0, true, 2, 7000, 8000);
			seen(kit, waits, i, 0, false, 0, 7000, 8000);
		}
		if (i > 200)
			seen(kit, waits, i - 200, 0, i % 5, 1, 9000, 9000 + i);
		if (i == 300)
			commit(kit);
	}
}

static char *told(bool waits, unsigned units)
{
	struct dbkit kit;
	char *lines;

	dbkit_open(&kit);
	tell(&kit, waits, units);
	dbkit_done(&kit);
	lines = dbkit_ask(kit.dir, "SELECT rowid, * FROM unit_address ORDER BY rowid;"
	                           "SELECT * FROM host ORDER BY id");
	dbkit_close(&kit);
	return lines;
}

static void what_waits_is_written_as_if_it_had_not(void **state)
{
	CLEANUP(freep) char *plain = told(false, 700);
	CLEANUP(freep) char *waited = told(true, 700);

	assert_true(strlen(plain) > 1000);
	assert_string_equal(waited, plain);
}

static void more_than_may_wait_are_all_written_once_each(void **state)
{
	CLEANUP(freep) char *lines = NULL;
	struct dbkit kit;

	dbkit_open(&kit);
	for (unsigned round = 0; round < 2; round++)
		for (unsigned i = 1; i <= UNITS; i++)
			seen(&kit, true, i, 0, true, (uint8_t)(1 + round), 5000 - round, 6000 + round);
	assert_int_equal(asked(&kit), UNITS);
	dbkit_done(&kit);
	lines = dbkit_ask(kit.dir, "SELECT count(*), min(first_us), max(first_us), min(last_us),"
	                           " max(last_us), min(known_by), max(known_by) FROM unit_address");
	assert_string_equal(lines, "9000|4999|4999|6001|6001|3|3\n");
	dbkit_close(&kit);
}

static void what_waited_is_forgotten_with_its_transaction(void **state)
{
	struct err err = {0};
	struct dbkit kit;

	dbkit_open(&kit);
	seen(&kit, true, 1, 0, true, 1, 5000, 6000);
	commit(&kit);
	seen(&kit, true, 2, 0, true, 1, 5000, 6000);
	flowdb_rollback(kit.db);
	assert_int_equal(flowdb_begin(kit.db, &err), 0);
	assert_int_equal(asked(&kit), 1);
	dbkit_done(&kit);
	dbkit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_waits_is_written_as_if_it_had_not),
		cmocka_unit_test(more_than_may_wait_are_all_written_once_each),
		cmocka_unit_test(what_waited_is_forgotten_with_its_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_finding_table.c - findings as a person reads them: many units, one screen.
 */
#include "monitor/commands/finding_table.h"
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void of_120_units_with_three_faults_the_table_has_at_most_20_lines(void **state)
{
	FILE *file = tmpfile();
	struct dbkit kit;
	struct out *out = NULL;
	struct err err = {0};
	unsigned lines = 0, named = 0;
	char line[1024];

	dbkit_open(&kit);
	for (unsigned i = 0; i < 120; i++) {
		char name[32];
		int64_t unit;

		snprintf(name, sizeof(name), "room-%03u", i);
		unit = dbkit_unit(&kit, name);
		dbkit_finding(&kit, unit, KIND_LOCAL_PORT, SEVERITY_MEDIUM, "", 3);
		dbkit_finding(&kit, unit, KIND_PEER, SEVERITY_LOW, "224.0.0.251", 1);
		dbkit_finding(&kit, unit, KIND_REMOTE_PORT, SEVERITY_LOW, "162.159.200.0/24",
			      1);
	}
	assert_int_equal(out_new(OUT_TABLE, file, FINDING_GROUP_COLUMNS,
				 FINDING_GROUP_COLUMN_COUNT, false, &out, &err),
			 0);
	assert_int_equal(flowdb_finding_groups(kit.db, &(struct finding_query){0},
					       finding_group_put, out, &err),
			 0);
	assert_int_equal(out_finish(out, &err), 0);
	out_free(out);
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		lines++;
		named += strstr(line, "    120  ") != NULL;
	}
	assert_int_equal(lines, 7); /* a heading, and two lines for each fault */
	assert_int_equal(named, 3);
	fclose(file);
	dbkit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_120_units_with_three_faults_the_table_has_at_most_20_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

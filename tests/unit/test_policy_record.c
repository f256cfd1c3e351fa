/*
 * test_policy_record.c - a policy is loaded again from what was recorded of it, though its files are gone.
 */
#include "monitor/policy_record.h"
#include "rules/recorded.h"
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <unistd.h>

static const char SITE[] =
	"# FILE nothing.yaml\n"
	"# --unit 10.9.9.9 --profile room\n"
	"site: Head office\n"
	"units:\n"
	"  - {name: boardroom, addresses: [10.1.2.3], profiles: [room, online]}\n"
	"units-file: rooms.csv\n"
	"roles:\n"
	"  sfb-online: {endpoints: list-2026-01-02.json}\n"
	"waivers:\n"
	"  - {units: [boardroom], remote: 10.0.0.9, owner: netops, reason: clock, expires: 2026-12-31}\n";
static const char ROOMS[] = "name,mac,address,profiles\nhuddle,00:26:8c:01:02:03,,room onprem"; /* no line end */
static const char LIST[] =
	"[{\"id\":1,\"serviceArea\":\"Skype\",\"urls\":[\"*.example.com\"],\"ips\":[\"192.0.2.0/24\"],\"required\":true}]\n";

struct kit {
	char dir[64];
	struct dbkit db;
	struct err err;
};

static void file_put(const struct kit *kit, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", kit->dir, name);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void files_remove(const struct kit *kit)
{
	static const char *const names[] = {"site.yaml", "rooms.csv", "list-2026-01-02.json"};
	char path[128];

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", kit->dir, names[i]);
		unlink(path);
	}
	rmdir(kit->dir);
}

static struct policy *record(struct kit *kit, struct policy_args args)
{
	struct policy *policy = NULL;
	int64_t id;

	if (policy_load(&args, &policy, &kit->err) < 0)
		fail_msg("%s", kit->err.text);
	assert_int_equal(flowdb_policy_put(kit->db.db, policy->hash, policy->envelope->text,
	                                   policy->site_text, &id, &kit->err),
	                 0);
	return policy;
}

static struct policy *again(struct kit *kit, const char *hash)
{
	struct policy *policy = NULL;

	if (policy_of_record(kit->db.db, hash, &policy, &kit->err) < 0)
		fail_msg("%s", kit->err.text);
	return policy;
}

static struct policy *record_site(struct kit *kit)
{
	char site[128];
	static const char *const units[] = {"192.168.1.0/24", "2001:db8::7"};
	struct policy *policy;

	file_put(kit, "site.yaml", SITE);
	file_put(kit, "rooms.csv", ROOMS);
	file_put(kit, "list-2026-01-02.json", LIST);
	snprintf(site, sizeof(site), "%s/site.yaml", kit->dir);
	policy = record(kit, (struct policy_args){.site_path = site,
	                                          .units = units,
	                                          .unit_count = ARRAY_LEN(units),
	                                          .profiles = "room, online"});
	files_remove(kit);
	return policy;
}

static int setup(void **state)
{
	struct kit *kit = calloc(1, sizeof(*kit));

	assert_non_null(kit);
	snprintf(kit->dir, sizeof(kit->dir), "/tmp/policy_recordXXXXXX");
	assert_non_null(mkdtemp(kit->dir));
	dbkit_open(&kit->db);
	*state = kit;
	return 0;
}

static int teardown(void **state)
{
	struct kit *kit = *state;

	files_remove(kit);
	dbkit_close(&kit->db);
	free(kit);
	return 0;
}

static void a_policy_comes_back_whole_without_its_files(void **state)
{
	struct kit *kit = *state;
	struct policy *before = record_site(kit), *after = again(kit, before->hash);
	struct addr listed = dbkit_addr("192.0.2.7");

	assert_string_equal(after->site_text, before->site_text);
	assert_string_equal(after->envelope->text, before->envelope->text);
	assert_string_equal(after->site_name, "Head office");
	assert_string_equal(after->endpoints_date, "2026-01-02");
	assert_int_equal(after->unit_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(after->units[i].name, before->units[i].name);
		assert_int_equal(after->units[i].profiles, before->units[i].profiles);
		assert_int_equal(after->units[i].unnamed, before->units[i].unnamed);
	}
	assert_int_equal(after->waiver_count, 1);
	assert_int_equal(policy_roles_of_addr(after, &listed), policy_roles_of_addr(before, &listed));
	assert_int_not_equal(policy_roles_of_addr(after, &listed), 0);
	policy_free(before);
	policy_free(after);
}

static void what_is_compiled_in_comes_back_too(void **state)
{
	struct kit *kit = *state;
	struct policy *before = record(kit, (struct policy_args){0}), *after = again(kit, before->hash);

	assert_int_equal(after->row_count, before->row_count);
	for (size_t i = 0; i < after->row_count; i++)
		assert_string_equal(after->rows[i].id, before->rows[i].id);
	assert_int_equal(after->unit_count, 0);
	policy_free(before);
	policy_free(after);
}

struct compared {
	const struct policy *policy;
	size_t rows;
};

static int compare_document(void *context, const char *row, const char *document, struct err *err)
{
	struct compared *compared = context;
	int at = envelope_find_row(compared->policy->envelope, row);

	(void)err;
	assert_true(at >= 0);
	assert_string_equal(document, compared->policy->rows[at].document);
	compared->rows++;
	return 0;
}

static void rows_are_called_the_same_where_they_alone_are_read(void **state)
{
	struct kit *kit = *state;
	struct policy *policy = record_site(kit);
	struct compared compared = {.policy = policy};

	assert_int_equal(policy_documents_of_record(kit->db.db, policy->hash, compare_document,
	                                            &compared, &kit->err),
	                 0);
	assert_int_equal(compared.rows, policy->row_count);
	assert_true(compared.rows > 10);
	policy_free(policy);
}

static void the_beginning_of_a_hash_is_enough(void **state)
{
	struct kit *kit = *state;
	struct policy *before = record(kit, (struct policy_args){0}), *after;
	char start[13];

	snprintf(start, sizeof(start), "%.12s", before->hash);
	after = again(kit, start);
	assert_string_equal(after->hash, before->hash);
	policy_free(before);
	policy_free(after);
}

static void a_hash_of_none_is_refused_by_name(void **state)
{
	struct kit *kit = *state;
	struct policy *policy = NULL;

	assert_int_equal(policy_of_record(kit->db.db, "facade", &policy, &kit->err), -ENOENT);
	assert_non_null(strstr(kit->err.text, "facade"));
	assert_int_equal(policy_of_record(kit->db.db, "'; --", &policy, &kit->err), -ENOENT);
	assert_null(policy);
}

/* As a program would have left it that did not record the files a site names. */
static void a_record_that_is_not_whole_says_so(void **state)
{
	struct kit *kit = *state;
	struct policy *policy = record(kit, (struct policy_args){0}), *after = NULL;
	struct compared compared = {.rows = 0};
	int64_t id;

	assert_int_equal(flowdb_policy_put(kit->db.db, "feed", policy->envelope->text,
	                                   "# FILE site.yaml\nunits-file: rooms.csv\n", &id, &kit->err),
	                 0);
	assert_int_equal(policy_of_record(kit->db.db, "feed", &after, &kit->err), -EINVAL);
	assert_non_null(strstr(kit->err.text, "rooms.csv"));
	assert_int_equal(flowdb_policy_put(kit->db.db, "beef", policy->envelope->text,
	                                   "# FILE site.yaml\nsite: another\n", &id, &kit->err),
	                 0);
	assert_int_equal(policy_of_record(kit->db.db, "beef", &after, &kit->err), -EINVAL);
	assert_non_null(strstr(kit->err.text, "beef"));
	assert_null(after);
	compared.policy = policy;
	assert_int_equal(policy_documents_of_record(kit->db.db, "beef", compare_document, &compared,
	                                            &kit->err),
	                 -EINVAL);
	assert_int_equal(policy_documents_of_record(kit->db.db, "facade", compare_document, &compared,
	                                            &kit->err),
	                 -ENOENT);
	assert_int_equal(compared.rows, 0);
	policy_free(policy);
}

static void one_file_of_a_record_is_changed_and_the_others_stay(void **state)
{
	static const struct {
		const char *before, *after;
	} cases[] = {
		{"# FILE site.yaml\nsite: a\n# FILE rooms.csv\nname\n\\# FILE x\n# --unit 10.0.0.1 --profile room\n",
		 "# FILE site.yaml\nsite: b\n\\# FILE y\n# FILE rooms.csv\nname\n\\# FILE x\n# --unit 10.0.0.1 --profile room\n"},
		{"# --unit 10.0.0.1 --profile room\n",
		 "# FILE site.yaml\nsite: b\n\\# FILE y\n# --unit 10.0.0.1 --profile room\n"},
		{"", "# FILE site.yaml\nsite: b\n\\# FILE y\n"},
	};
	static const char NEW[] = "site: b\n# FILE y\n";

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(freep) char *made = NULL;
		struct err err = {0};

		assert_int_equal(recorded_with(cases[i].before, "site.yaml", NEW, strlen(NEW), &made, &err), 0);
		assert_string_equal(made, cases[i].after);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_policy_comes_back_whole_without_its_files, setup, teardown),
		cmocka_unit_test(one_file_of_a_record_is_changed_and_the_others_stay),
		cmocka_unit_test_setup_teardown(what_is_compiled_in_comes_back_too, setup, teardown),
		cmocka_unit_test_setup_teardown(rows_are_called_the_same_where_they_alone_are_read, setup,
		                                teardown),
		cmocka_unit_test_setup_teardown(the_beginning_of_a_hash_is_enough, setup, teardown),
		cmocka_unit_test_setup_teardown(a_hash_of_none_is_refused_by_name, setup, teardown),
		cmocka_unit_test_setup_teardown(a_record_that_is_not_whole_says_so, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

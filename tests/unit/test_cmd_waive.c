/*
 * test_cmd_waive.c - the waiver that is printed for a finding.
 */
#include "monitor/commands.h"
#include "tests/lib/dbkit.h"

#include <fcntl.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

/* Runs it with these words and gives its exit code; what it prints goes into `text`. */
static int waive(char *text, size_t size, const char **words)
{
	FILE *file = tmpfile();
	int argc = 0, saved = dup(STDOUT_FILENO), exit_code;
	size_t len;

	while (words[argc])
		argc++;
	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	optind = 0;
	exit_code = cmd_waive(argc, (char **)words);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
	return exit_code;
}

#define WAIVE(text, ...) waive(text, sizeof(text), (const char *[]){"waive", __VA_ARGS__, NULL})

static void the_scope_is_the_findings_and_words_are_quoted(void **state)
{
	struct flow_facts facts = dbkit_facts(5, "198.51.100.7", 16332);
	struct dbkit kit;
	char text[2048];

	dbkit_open(&kit);
	dbkit_finding(&kit, dbkit_unit(&kit, "12: attic"), KIND_REMOTE_PORT, SEVERITY_LOW,
		      "198.51.100.0/24", 1);
	dbkit_flow(&kit, &facts, NULL, 1);
	dbkit_done(&kit);
	assert_int_equal(WAIVE(text, "F1", "-l", kit.dir, "--owner", "netops", "--reason",
			       "it is \"so\" # for now", "--expires", "2026-12-31"),
			 0);
	/* The flow's own port: it lies outside the range that the finding is gathered under. */
	assert_string_equal(text, "  - units: [\"12: attic\"]\n"
				  "    kind: remote-port\n"
				  "    row: online.out.audio\n"
				  "    remote: 198.51.100.0/24\n"
				  "    transport: udp\n"
				  "    remote-ports: [16332]\n"
				  "    application: rtp\n"
				  "    owner: netops\n"
				  "    reason: \"it is \\\"so\\\" # for now\"\n"
				  "    expires: 2026-12-31\n");
	dbkit_close(&kit);
}

static void words_that_yaml_would_read_otherwise_are_quoted(void **state)
{
	struct dbkit kit;
	char text[2048];

	dbkit_open(&kit);
	dbkit_finding(&kit, kit.unit, KIND_PEER, SEVERITY_LOW, "", 1);
	dbkit_done(&kit);
	assert_int_equal(WAIVE(text, "F1", "-l", kit.dir, "--owner", "Yes", "--reason",
			       "a\nb: [c", "--expires", "2026-12-31"),
			 0);
	assert_non_null(strstr(text, "    owner: \"Yes\"\n"));
	assert_non_null(strstr(text, "    reason: \"a\\nb: [c\"\n"));
	assert_non_null(strstr(text, "    remote-ports: [50000-59999]\n"));
	dbkit_close(&kit);
}

static void what_is_missing_or_wrong_is_refused(void **state)
{
	struct dbkit kit;
	char text[2048];

	dbkit_open(&kit);
	dbkit_finding(&kit, kit.unit, KIND_PEER, SEVERITY_LOW, "", 1);
	dbkit_done(&kit);
	assert_int_equal(WAIVE(text, "F1", "-l", kit.dir, "--owner", "a", "--reason", "b"), 2);
	assert_int_equal(WAIVE(text, "F1", "-l", kit.dir, "--owner", " ", "--reason", "b",
			       "--expires", "2026-12-31"),
			 2);
	assert_int_equal(WAIVE(text, "F1", "-l", kit.dir, "--owner", "WHO", "--reason", "b",
			       "--expires", "2026-12-31"),
			 2);
	assert_int_equal(WAIVE(text, "F1", "-l", kit.dir, "--owner", "a", "--reason", "WHY",
			       "--expires", "2026-12-31"),
			 2);
	assert_int_equal(WAIVE(text, "F1", "-l", kit.dir, "--owner", "a", "--reason", "b",
			       "--expires", "2026-02-30"),
			 2);
	assert_int_equal(WAIVE(text, "F2", "-l", kit.dir, "--owner", "a", "--reason", "b",
			       "--expires", "2026-12-31"),
			 2);
	assert_int_equal(WAIVE(text, "17", "-l", kit.dir, "--owner", "a", "--reason", "b",
			       "--expires", "2026-12-31"),
			 2);
	assert_string_equal(text, "");
	dbkit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_scope_is_the_findings_and_words_are_quoted),
		cmocka_unit_test(words_that_yaml_would_read_otherwise_are_quoted),
		cmocka_unit_test(what_is_missing_or_wrong_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

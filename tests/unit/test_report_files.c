/*
 * test_report_files.c - files of a report are whole or not there.
 */
#include "tests/lib/jsonkit.h"
#include "tests/lib/reporting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static void the_end_of_a_name_says_what_it_is(void **state)
{
	struct report_files files = {0};
	struct err err = {0};

	assert_int_equal(report_files_add(&files, "a.html", &err), 0);
	assert_int_equal(report_files_add(&files, "dir.d/b.c.xml", &err), 0);
	assert_int_equal(report_files_add(&files, "c.json", &err), 0);
	assert_int_equal(report_files_add(&files, "d.txt", &err), 0);
	assert_int_equal(files.files[1].form, REPORT_JUNIT);
	assert_false(report_files_take_stdout(&files));
	assert_int_equal(report_files_add(&files, "a.html", &err), -EINVAL);
	assert_string_equal(err.text, "--report a.html: it is there twice");
	assert_int_equal(report_files_add(&files, "e.pdf", &err), -EINVAL);
	assert_string_equal(err.text, "--report e.pdf: what it is to be is told by its end; accepted: .html, "
	                              ".xml (JUnit), .json, .txt");
	assert_int_equal(report_files_add(&files, "html", &err), -EINVAL);
	assert_int_equal(report_files_add(&files, "-.json", &err), 0);
	assert_true(report_files_take_stdout(&files));
	assert_int_equal(report_files_add(&files, "-", &err), -EINVAL);
	assert_string_equal(err.text, "--report -: standard output is taken by --report -.json");
	assert_int_equal(files.count, 5);
	report_files_release(&files);
}

static char *slurp(const char *path)
{
	CLEANUP(fclosep) FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (file && getdelim(&text, &room, '\0', file) < 0)
		text = strdup("");
	return text;
}

static size_t files_in(const char *dir)
{
	CLEANUP(freep) char *command = NULL;
	FILE *list;
	unsigned count = 0;

	assert_true(asprintf(&command, "ls -A %s | wc -l", dir) > 0);
	list = popen(command, "re");
	assert_int_equal(fscanf(list, "%u", &count), 1);
	pclose(list);
	return count;
}

static void a_file_is_whole_or_as_it_was(void **state)
{
	struct reporting *bench = *state;
	struct report_files files = {0};
	char dir[] = "/tmp/reports.XXXXXX", path[64], link[64];
	CLEANUP(freep) char *text = NULL;
	struct err err = {0};
	struct stat stat;
	FILE *file;

	reporting_make_mixed(bench);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.json", dir);
	snprintf(link, sizeof(link), "%s/link.json", dir);
	file = fopen(path, "we");
	fputs("old", file);
	fclose(file);
	assert_int_equal(symlink("a.json", link), 0);
	assert_int_equal(report_files_add(&files, link, &err), 0);
	assert_int_equal(report_files_open(&files, &err), 0);
	text = slurp(path);
	assert_string_equal(text, "old");
	report_files_release(&files); /* it never came to be written */
	free(TAKE(text));
	text = slurp(path);
	assert_string_equal(text, "old");
	assert_int_equal(files_in(dir), 2);

	assert_int_equal(report_files_add(&files, link, &err), 0);
	assert_int_equal(report_files_open(&files, &err), 0);
	assert_int_equal(report_files_write(&files, &bench->a, &err), 0);
	report_files_release(&files);
	free(TAKE(text));
	text = slurp(path);
	assert_true(jsonkit_valid(text));
	assert_int_equal(lstat(link, &stat), 0);
	assert_true(S_ISLNK(stat.st_mode));
	assert_int_equal(lstat(path, &stat), 0);
	assert_int_equal(stat.st_mode & 0444, 0444);
	assert_int_equal(files_in(dir), 2);
	unlink(link);
	unlink(path);
	rmdir(dir);
}

static void what_cannot_be_written_is_said_before_the_run(void **state)
{
	struct report_files files = {0};
	struct err err = {0};

	assert_int_equal(report_files_add(&files, "/no/such/dir/a.html", &err), 0);
	assert_int_equal(report_files_open(&files, &err), -ENOENT);
	assert_string_equal(err.text, "--report /no/such/dir/a.html: No such file or directory");
	report_files_release(&files);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, reporting_setup, reporting_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(the_end_of_a_name_says_what_it_is),
		WITH(a_file_is_whole_or_as_it_was),
		WITH(what_cannot_be_written_is_said_before_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_options.c - the command line all commands share: what is refused, and in which words.
 */
#include "monitor/commands/feed.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

static const struct option LONG[] = {POLICY_LONG,
				     FEED_LONG,
				     {"log", required_argument, NULL, 'l'},
				     {"help", no_argument, NULL, 'h'},
				     {0}};

/* Reads these words to their end; 0 or what was refused. Counts the words behind the options. */
static int line_read(const char *words, int *ret_left, struct err *err)
{
	struct command_line line = {.command = "watch", .options = LONG, .words_last = true};
	char copy[256], *save = NULL;
	const char *argv[32] = {"watch"};
	int argc = 1, r;

	snprintf(copy, sizeof(copy), "%s", words);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(word, "EMPTY") ? word : "";
	while ((r = command_line_next(&line, argc, (char **)argv, err)) > 0)
		;
	*ret_left = argc - optind;
	return r;
}

static void what_is_wrong_is_said_in_one_line_with_a_hint(void **state)
{
	static const struct {
		const char *words, *says;
	} cases[] = {
		{"--nosuch", "watch: no option --nosuch; 'tlmon watch --help' lists them"},
		{"--confg a", "watch: no option --confg (did you mean --config?); 'tlmon watch --help' "
			      "lists them"},
		{"-x", "watch: no option -x; 'tlmon watch --help' lists them"},
		{"-hx", "watch: no option -x; 'tlmon watch --help' lists them"},
		{"--again=3", "watch: --again takes no value; 'tlmon watch --help' lists the options"},
		{"-c", "watch: -c wants a value; 'tlmon watch --help' says which"},
		{"--for", "watch: --for wants a value; 'tlmon watch --help' says which"},
		{"-c a -c b", "-c: given twice (a, b)"},
		{"-c a --config=b", "-c: given twice (a, b)"},
		{"-c a -c a", "-c: given twice (a, a)"},
		{"--profile room --unit a --profile online", "--profile: given twice (room, online)"},
		{"-l EMPTY", "-l: an empty value; is a shell variable not set?"},
		{"--profile=", "--profile: an empty value; is a shell variable not set?"},
		{"-r EMPTY", "-r: an empty value; is a shell variable not set?"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = {0};
		int left;

		assert_int_equal(line_read(cases[i].words, &left, &err), -EINVAL);
		assert_string_equal(err.text, cases[i].says);
	}
}

static void what_may_come_again_does_and_words_of_a_filter_are_left_alone(void **state)
{
	struct err err;
	int left;

	assert_int_equal(line_read("-r a -r b --unit x --unit x --again --again", &left, &err), 0);
	assert_int_equal(left, 0);
	assert_int_equal(line_read("-i a -i b udp port 53 -x", &left, &err), 0);
	assert_int_equal(left, 4);
}

static void a_profile_without_a_unit_is_refused(void **state)
{
	const struct policy_options options = {.site = "tests/demo/site.yaml", .profiles = "room"};
	struct policy *policy = NULL;
	struct err err = {0};

	assert_int_equal(policy_options_load(&options, &policy, &err), -EINVAL);
	assert_non_null(strstr(err.text, "--profile room"));
	assert_non_null(strstr(err.text, "--unit"));
	assert_null(policy);
}

static void the_same_input_twice_is_refused_by_name(void **state)
{
	char dir[] = "/tmp/tlmon-options-XXXXXX", a[64], b[64], dotted[80];
	const char *pairs[][2] = {{a, a}, {a, dotted}, {a, b}, {"-", "-"}};

	assert_non_null(mkdtemp(dir));
	snprintf(a, sizeof(a), "%s/a.pcap", dir);
	snprintf(b, sizeof(b), "%s/b.pcap", dir);
	snprintf(dotted, sizeof(dotted), "%s/./a.pcap", dir);
	close(open(a, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(link(a, b), 0);
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct feed feed = {0};
		struct err err = {0};

		assert_int_equal(feed_option(&feed, 'r', pairs[i][0], &err), 1);
		assert_int_equal(feed_option(&feed, 'r', pairs[i][1], &err), 1);
		assert_int_equal(feed_words(&feed, 0, NULL, &err), -EINVAL);
		assert_non_null(strstr(err.text, pairs[i][1]));
		feed_release(&feed);
	}
	unlink(b);
	close(open(b, O_CREAT | O_WRONLY, 0600));
	for (int again = 0; again < 2; again++) {
		struct feed feed = {0};
		struct err err = {0};

		assert_int_equal(feed_option(&feed, again ? 'i' : 'r', again ? "eth1" : a, &err), 1);
		assert_int_equal(feed_option(&feed, again ? 'i' : 'r', again ? "eth2" : b, &err), 1);
		assert_int_equal(feed_words(&feed, 0, NULL, &err), 0);
		if (again) {
			assert_int_equal(feed_option(&feed, 'i', "eth1", &err), 1);
			assert_int_equal(feed_words(&feed, 0, NULL, &err), -EINVAL);
			assert_string_equal(err.text, "-i eth1: given twice");
		}
		feed_release(&feed);
	}
	unlink(a);
	unlink(b);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_is_said_in_one_line_with_a_hint),
		cmocka_unit_test(what_may_come_again_does_and_words_of_a_filter_are_left_alone),
		cmocka_unit_test(a_profile_without_a_unit_is_refused),
		cmocka_unit_test(the_same_input_twice_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

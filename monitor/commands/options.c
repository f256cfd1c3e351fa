/*
 * options.c - see options.h.
 */
#include "monitor/commands/options.h"

#include <assert.h>

#define WORD_MAX 32

/* Letters to change, drop or add until `a` is `b` (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	size_t row[WORD_MAX + 1], len = strlen(b);

	if (len > WORD_MAX || strlen(a) > WORD_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			size_t least = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < least)
				least = row[j] + 1;
			if (row[j - 1] + 1 < least)
				least = row[j - 1] + 1;
			row[j] = least;
		}
	}
	return row[len];
}

const char *nearest_word(const char *word, const char *const *words, size_t count)
{
	size_t least = strlen(word) < 4 ? 2 : 3; /* from here on it is another word */
	const char *nearest = NULL;

	for (size_t i = 0; i < count; i++) {
		size_t far = distance(word, words[i]);

		if (far < least) {
			least = far;
			nearest = words[i];
		}
	}
	return nearest;
}

int word_parse(const char *option, const char *what, const char *value,
               const char *const *words, size_t count, struct err *err)
{
	const char *nearest = nearest_word(value, words, count);
	char accepted[sizeof(err->text) - 256] = "";

	for (size_t i = 0; i < count; i++) {
		if (!strcmp(words[i], value))
			return (int)i;
		text_add(accepted, sizeof(accepted), "%s%s", i ? ", " : "", words[i]);
	}
	return err_set(err, -EINVAL, "%s %.80s: no such %s%s%s%s; accepted: %s", option, value, what,
	               nearest ? " (did you mean " : "", nearest ? nearest : "",
	               nearest ? "?)" : "", accepted);
}

/* "-c" where there is a short one, else "--profile". */
static const char *option_print(const struct option *option, char buf[WORD_MAX + 3])
{
	if (option->val < 256)
		snprintf(buf, WORD_MAX + 3, "-%c", option->val);
	else
		snprintf(buf, WORD_MAX + 3, "--%s", option->name);
	return buf;
}

static size_t option_index(const struct command_line *line, int val)
{
	size_t i = 0;

	while (line->options[i].name && line->options[i].val != val)
		i++;
	return i;
}

/* getopt's short options, made of the long ones; it says nothing itself. */
static void shorts_print(const struct command_line *line, char *buf, size_t size)
{
	snprintf(buf, size, "%s:", line->words_last ? "+" : "");
	for (const struct option *option = line->options; option->name; option++)
		if (option->val < 256)
			text_add(buf, size, "%c%s", option->val, option->has_arg ? ":" : "");
}

static int refuse_unknown(const struct command_line *line, const char *word, struct err *err)
{
	const char *names[OPTIONS_MAX], *nearest = NULL;
	char name[WORD_MAX + 1], dashed[8];
	size_t count = 0;

	if (optopt && line->options[option_index(line, optopt)].name)
		return err_set(err, -EINVAL,
		               "%s: --%s takes no value; 'tlmon %s --help' lists the options",
		               line->command, line->options[option_index(line, optopt)].name,
		               line->command);
	snprintf(dashed, sizeof(dashed), "-%c", optopt);
	if (!optopt) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
		while (line->options[count].name) {
			names[count] = line->options[count].name;
			count++;
		}
		nearest = nearest_word(name, names, count);
	}
	return err_set(err, -EINVAL, "%s: no option %s%s%s%s; 'tlmon %s --help' lists them",
	               line->command, optopt ? dashed : word,
	               nearest ? " (did you mean --" : "", nearest ? nearest : "",
	               nearest ? "?)" : "", line->command);
}

/* The same input twice is not for us to judge: these gather what they are given. */
static bool may_come_again(const struct command_line *line, int option)
{
	return option == OPTION_UNIT || option == 'r' || option == 'i' ||
	       (line->gathers && line->gathers(option));
}

int command_line_next(struct command_line *line, int argc, char **argv, struct err *err)
{
	char shorts[2 * OPTIONS_MAX + 3], name[WORD_MAX + 3];
	const struct option *given;
	size_t index;
	int option;

	shorts_print(line, shorts, sizeof(shorts));
	if (!line->begun)
		optind = 0; /* the GNU way to begin afresh */
	line->begun = true;
	opterr = 0;
	option = getopt_long(argc, argv, shorts, line->options, NULL);
	if (option == -1)
		return 0;
	if (option == '?')
		return refuse_unknown(line, argv[optind - 1], err);
	index = option_index(line, option == ':' ? optopt : option);
	assert(index < OPTIONS_MAX);
	given = &line->options[index];
	option_print(given, name);
	if (option == ':')
		return err_set(err, -EINVAL,
		               "%s: %s wants a value; 'tlmon %s --help' says which",
		               line->command, name, line->command);
	if (!given->has_arg)
		return option;
	if (!*optarg)
		return err_set(err, -EINVAL, "%s: an empty value; is a shell variable not set?",
		               name);
	if (line->given[index] && !may_come_again(line, option))
		return err_set(err, -EINVAL, "%s: given twice (%.200s, %.200s)", name,
		               line->given[index], optarg);
	line->given[index] = optarg;
	return option;
}

int command_line_end(const struct command_line *line, int argc, char **argv, struct err *err)
{
	if (optind >= argc)
		return 0;
	return err_set(err, -EINVAL,
	               "%s: '%s' is an argument, and it takes none; 'tlmon %s --help' lists its "
	               "options",
	               line->command, argv[optind], line->command);
}

const char *command_line_given(const struct command_line *line, int option)
{
	return line->given[option_index(line, option)];
}

int policy_option(struct policy_options *options, int option, const char *value,
                  struct err *err)
{
	switch (option) {
	case 'c':
		options->site = value;
		return 1;
	case 'e':
		options->envelope = value;
		return 1;
	case OPTION_PROFILE:
		options->profiles = value;
		return 1;
	case OPTION_UNIT:
		if (options->unit_count == OPTION_UNITS_MAX)
			return err_set(
				err, -E2BIG,
				"--unit: more than %d of them; name prefixes, or a site file (-c)",
				OPTION_UNITS_MAX);
		options->units[options->unit_count++] = value;
		return 1;
	default:
		return 0;
	}
}

int policy_options_load(const struct policy_options *options, struct policy **ret_policy,
                        struct err *err)
{
	struct policy_args args = {
		.envelope_path = options->envelope,
		.site_path = options->site,
		.units = options->units,
		.unit_count = options->unit_count,
		.profiles = options->profiles,
	};

	if (options->profiles && !options->unit_count)
		return err_set(
			err, -EINVAL,
			"--profile %s: of which unit? Name it, as in --unit 10.20.0.15; units of a "
			"site file (-c) have their profiles there",
			options->profiles);
	return policy_load(&args, ret_policy, err);
}

const char *data_dir(const char *given)
{
	const char *dir = given ? given : getenv("TLMON_DIR");

	return dir && *dir ? dir : "/var/lib/tlmon";
}

int read_size(const char *text, const char *units, uint64_t *ret_bytes)
{
	static const char UNITS[] = "KMGT";
	size_t digits = strspn(text, "0123456789");
	char unit = text[digits];
	uint64_t number = digits && digits < 7 ? strtoull(text, NULL, 10) : 0;

	if (!number || !unit || !strchr(units, unit) || text[digits + 1])
		return -EINVAL;
	*ret_bytes = number << (10 + 10 * (strchr(UNITS, unit) - UNITS));
	return 0;
}

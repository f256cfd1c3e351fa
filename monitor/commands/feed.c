/*
 * feed.c - see feed.h.
 */
#include "monitor/commands/feed.h"
#include "schema/time.h"

#include <sys/stat.h>
#include <unistd.h>

/* The words of --idle; as enum idle. */
static const char *const IDLES[IDLE_SPANS] = {"udp",         "icmp",     "other",
                                              "tcp-opening", "tcp-open", "tcp-closed"};

static int read_idle(struct feed *feed, const char *value, struct err *err)
{
	CLEANUP(freep) char *words = strdup(value);
	char *save = NULL;

	if (!words)
		return err_set(err, -ENOMEM, "out of memory");
	for (char *word = strtok_r(words, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		char *span = strchr(word, '=');
		unsigned kind = 0;

		if (span)
			*span++ = '\0';
		while (kind < IDLE_SPANS && strcmp(IDLES[kind], word) != 0)
			kind++;
		if (!span || kind == IDLE_SPANS)
			return err_set(
				err, -EINVAL,
				"--idle %s: KIND=SPAN is wanted, as in udp=60s; kinds are udp, icmp, "
				"other, tcp-opening, tcp-open, tcp-closed",
				value);
		if (time_parse_span(span, &feed->limits.idle_us[kind], NULL) < 0 ||
		    feed->limits.idle_us[kind] <= 0)
			return err_set(
				err, -EINVAL,
				"--idle %s: '%s' is no span of time, as 500ms, 90s, 15m, 2h are",
				value, span);
	}
	return 0;
}

/* "ROLE:WHAT", of --test try=. */
static int read_try(struct feed *feed, char *value, struct err *err)
{
	char *what = strchr(value, ':');

	for (unsigned role = 0; what && role < PROCESS_COUNT; role++) {
		const char *name = process_role_name(role);

		if (strlen(name) == (size_t)(what - value) &&
		    !strncmp(name, value, (size_t)(what - value))) {
			feed->test.try_role = role;
			feed->test.try_what = what + 1;
			return 0;
		}
	}
	return err_set(err, -EINVAL, "--test try=%s: ROLE:WHAT is wanted, as in sensor:open",
	               value);
}

/* What goes wrong on purpose; tests/README.md explains the words. */
static int read_test(struct feed *feed, const char *value, struct err *err)
{
	char *save = NULL;
	int r = 0;

	free(feed->test_words);
	feed->test_words = strdup(value);
	if (!feed->test_words)
		return err_set(err, -ENOMEM, "out of memory");
	for (char *word = strtok_r(feed->test_words, ",", &save); word && !r;
	     word = strtok_r(NULL, ",", &save)) {
		char *given = strchr(word, '=');

		if (given)
			*given++ = '\0';
		if (!strcmp(word, "libpcap") && !given)
			feed->libpcap = true;
		else if (!strcmp(word, "ndpi-dtls") && !given)
			feed->test.ndpi_dtls = true;
		else if (!strcmp(word, "delay") && given)
			feed->test.delay = strtoull(given, NULL, 10);
		else if (!strcmp(word, "pace") && given)
			feed->test.pace_us = (unsigned)strtoul(given, NULL, 10);
		else if (!strcmp(word, "commit") && given)
			feed->test.commit_us = strtoll(given, NULL, 10);
		else if (!strcmp(word, "die") && given)
			feed->test.die = given;
		else if (!strcmp(word, "hang") && given)
			feed->test.hang = given;
		else if (!strcmp(word, "try") && given)
			r = read_try(feed, given, err);
		else
			r = err_set(err, -EINVAL,
			            "--test %s: no such word; libpcap, ndpi-dtls, delay=SEED, pace=US, commit=US, "
			            "die=TEXT, hang=TEXT, try=ROLE:WHAT are",
			            word);
	}
	return r;
}

/* The flow table's limits as they were asked for. */
static struct flowtab_limits limits(const struct feed *feed)
{
	struct flowtab_limits ret = FLOWTAB_DEFAULTS;

	if (feed->limits.flows)
		ret.flows = feed->limits.flows;
	if (ret.young > ret.flows)
		ret.young = ret.flows;
	for (unsigned kind = 0; kind < IDLE_SPANS; kind++)
		if (feed->limits.idle_us[kind])
			ret.idle_us[kind] = feed->limits.idle_us[kind];
	return ret;
}

#define FLOWS_MAX (1 << 26)

enum { SCOPE_ON, SCOPE_OFF };
static const char *const SCOPES[] = {"on", "off"};

int feed_option(struct feed *feed, int option, const char *value, struct err *err)
{
	char *end;
	long number;
	int r;

	switch (option) {
	case 'r':
		r = capture_expand(value, &feed->files, &feed->file_room, &feed->file_count,
		                   err);
		return r < 0 ? r : 1;
	case 'i':
		if (feed->interface_count == INTERFACES_MAX)
			return err_set(err, -E2BIG, "-i: more than %d interfaces",
			               INTERFACES_MAX);
		feed->interfaces[feed->interface_count++] = value;
		return 1;
	case FEED_SNAP:
		number = strtol(value, &end, 10);
		if (*end || end == value || number < 96 || number > 262144)
			return err_set(
				err, -EINVAL,
				"--snaplen %s: a number of bytes from 96 to 262144 is wanted",
				value);
		feed->snap_len = (int)number;
		return 1;
	case FEED_FOR:
		r = time_parse_span(value, &feed->for_us, err);
		return r < 0 ? r : 1;
	case FEED_FLOWS:
		number = strtol(value, &end, 10);
		if (*end || end == value || number < 16 || number > FLOWS_MAX)
			return err_set(err, -EINVAL,
			               "--flows %s: a number from 16 to %d is wanted", value,
			               FLOWS_MAX);
		feed->limits.flows = (uint32_t)number;
		return 1;
	case FEED_IDLE:
		r = read_idle(feed, value, err);
		return r < 0 ? r : 1;
	case FEED_AGAIN:
		feed->again = true;
		return 1;
	case FEED_IN_PROCESS:
		feed->in_process = true;
		return 1;
	case FEED_SCOPE:
		r = word_parse("--scope", "scope", value, SCOPES, ARRAY_LEN(SCOPES), err);
		feed->no_scope = r == SCOPE_OFF;
		return r < 0 ? r : 1;
	case FEED_TEST:
		r = read_test(feed, value, err);
		return r < 0 ? r : 1;
	default:
		return 0;
	}
}

static int check_interfaces(const struct feed *feed, struct err *err)
{
	for (size_t i = 0; i < feed->interface_count; i++)
		for (size_t j = 0; j < i; j++)
			if (!strcmp(feed->interfaces[i], feed->interfaces[j]))
				return err_set(err, -EINVAL, "-i %s: given twice",
				               feed->interfaces[i]);
	return 0;
}

/* One file under two names would be counted as two captures. What cannot be opened is told later. */
static int check_files(const struct feed *feed, struct err *err)
{
	CLEANUP(freep) struct stat *files = calloc(feed->file_count + 1, sizeof(*files));

	if (!files)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < feed->file_count; i++) {
		bool there = strcmp(feed->files[i], "-") != 0 &&
		             stat(feed->files[i], &files[i]) == 0;

		for (size_t j = 0; j < i; j++) {
			if (!strcmp(feed->files[i], feed->files[j]))
				return err_set(err, -EINVAL, "-r %s: given twice",
				               feed->files[i]);
			if (there && files[i].st_ino == files[j].st_ino &&
			    files[i].st_dev == files[j].st_dev)
				return err_set(err, -EINVAL, "-r %s: the same file as %s",
				               feed->files[i], feed->files[j]);
		}
	}
	return 0;
}

int feed_words(struct feed *feed, int argc, char **argv, struct err *err)
{
	struct stat st;

	for (int i = 0; i < argc; i++) {
		/* "watch -r a.pcap b.pcap": the second would be read as a filter and fail obscurely. */
		if (strchr(argv[i], '.') && !stat(argv[i], &st))
			return err_set(
				err, -EINVAL,
				"%s: trailing words are a tcpdump filter, and this one is a file; "
				"files go behind -r",
				argv[i]);
		if (strlen(feed->filter) + strlen(argv[i]) + 2 > sizeof(feed->filter))
			return err_set(err, -E2BIG, "the filter is longer than %zu bytes",
			               sizeof(feed->filter));
		text_add(feed->filter, sizeof(feed->filter), "%s%s", i ? " " : "", argv[i]);
	}
	if (feed->file_count && feed->interface_count)
		return err_set(err, -EINVAL,
		               "-r and -i: either files or interfaces in one run");
	if (!feed->file_count && !feed->interface_count)
		return err_set(
			err, -EINVAL,
			"what shall be read? -i INTERFACE watches a mirror port, -r FILE reads a capture");
	if (feed->file_count && feed->for_us)
		return err_set(err, -EINVAL, "--for ends a live run; a file ends by itself");
	return feed->file_count ? check_files(feed, err) : check_interfaces(feed, err);
}

void feed_release(struct feed *feed)
{
	for (size_t i = 0; i < feed->file_count; i++)
		free(feed->files[i]);
	free(feed->files);
	free(feed->test_words);
}

struct run_options feed_run(const struct feed *feed)
{
	bool live = feed->interface_count > 0;

	return (struct run_options){
		.capture =
			{
				.inputs = live ? feed->interfaces
	                                       : (const char *const *)feed->files,
				.input_count = live ? feed->interface_count : feed->file_count,
				.live = live,
				.filter = feed->filter,
				.snap_len = feed->snap_len,
				.libpcap = feed->libpcap,
			},
		.limits = limits(feed),
		.for_us = feed->for_us,
		.again = feed->again,
		.in_process = feed->in_process,
		.scope = !feed->no_scope,
		.test = feed->test,
		.progress = progress_show,
	};
}

#define BAR 30
static bool shown;

void progress_show(void *context, const struct run_state *state)
{
	char time[TIME_TEXT], bar[BAR + 1];
	int filled;

	if (!isatty(STDERR_FILENO))
		return;
	shown = true;
	if (state->live) {
		fprintf(stderr,
		        "\r%.19s  %llu packets  %llu units  %llu flows over  %llu findings  %llu dropped\033[K",
		        time_print_local(state->now_us, time),
		        (unsigned long long)state->seen, (unsigned long long)state->units,
		        (unsigned long long)state->flows,
		        (unsigned long long)state->findings,
		        (unsigned long long)state->dropped);
		return;
	}
	filled = state->permille < 0 ? BAR : state->permille * BAR / 1000;
	for (int i = 0; i < BAR; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[BAR] = '\0';
	fprintf(stderr, "\r[%s] %3d%%  %llu packets  %llu findings\033[K", bar,
	        state->permille < 0 ? 100 : state->permille / 10,
	        (unsigned long long)state->seen, (unsigned long long)state->findings);
}

void progress_line(const char *text)
{
	if (!isatty(STDERR_FILENO))
		return;
	shown = true;
	fprintf(stderr, "\r%s\033[K", text);
}

void progress_clear(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}

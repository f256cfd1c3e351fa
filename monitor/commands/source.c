/*
 * source.c - see source.h.
 */
#include "monitor/commands/source.h"
#include "schema/time.h"

#include <sys/stat.h>
#include <unistd.h>

int source_option(struct source *source, int option, const char *value, struct err *err)
{
	char *end;
	long number;
	int r;

	switch (option) {
	case 'r':
		r = capture_expand(value, &source->files, &source->file_room,
				   &source->file_count, err);
		return r < 0 ? r : 1;
	case 'i':
		if (source->interface_count == INTERFACES_MAX)
			return err_set(err, -E2BIG, "-i: more than %d interfaces",
				       INTERFACES_MAX);
		source->interfaces[source->interface_count++] = value;
		return 1;
	case SOURCE_SNAP:
		number = strtol(value, &end, 10);
		if (*end || end == value || number < 96 || number > 262144)
			return err_set(
				err, -EINVAL,
				"--snaplen %s: a number of bytes from 96 to 262144 is wanted",
				value);
		source->snap_len = (int)number;
		return 1;
	case SOURCE_FOR:
		r = time_parse_span(value, &source->for_us, err);
		return r < 0 ? r : 1;
	case SOURCE_AGAIN:
		source->again = true;
		return 1;
	case SOURCE_IN_PROCESS:
		return 1;
	default:
		return 0;
	}
}

int source_words(struct source *source, int argc, char **argv, struct err *err)
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
		if (strlen(source->filter) + strlen(argv[i]) + 2 > sizeof(source->filter))
			return err_set(err, -E2BIG, "the filter is longer than %zu bytes",
				       sizeof(source->filter));
		text_add(source->filter, sizeof(source->filter), "%s%s", i ? " " : "", argv[i]);
	}
	if (source->file_count && source->interface_count)
		return err_set(err, -EINVAL,
			       "-r and -i: either files or interfaces in one run");
	if (!source->file_count && !source->interface_count)
		return err_set(
			err, -EINVAL,
			"what shall be read? -i INTERFACE watches a mirror port, -r FILE reads a capture");
	if (source->file_count && source->for_us)
		return err_set(err, -EINVAL, "--for ends a live run; a file ends by itself");
	return 0;
}

void source_release(struct source *source)
{
	for (size_t i = 0; i < source->file_count; i++)
		free(source->files[i]);
	free(source->files);
}

void source_capture(const struct source *source, struct capture_options *ret)
{
	bool live = source->interface_count > 0;

	*ret = (struct capture_options){
		.inputs = live ? source->interfaces : (const char *const *)source->files,
		.input_count = live ? source->interface_count : source->file_count,
		.live = live,
		.filter = source->filter,
		.snap_len = source->snap_len,
	};
}

#define BAR 30
static bool shown;

void progress_show(void *context, const struct pipeline_state *state)
{
	char time[TIME_TEXT], bar[BAR + 1];
	int filled;

	if (!isatty(STDERR_FILENO))
		return;
	shown = true;
	if (state->live) {
		fprintf(stderr,
			"\r%.19s  %llu packets  %u units  %llu flows over  %llu findings  %llu dropped\033[K",
			time_print_local(state->now_us, time),
			(unsigned long long)state->counters->seen, state->units,
			(unsigned long long)state->sums->flows,
			(unsigned long long)state->sums->findings,
			(unsigned long long)state->counters->kernel_dropped);
		return;
	}
	filled = state->permille < 0 ? BAR : state->permille * BAR / 1000;
	for (int i = 0; i < BAR; i++)
		bar[i] = i < filled ? '#' : '.';
	bar[BAR] = '\0';
	fprintf(stderr, "\r[%s] %3d%%  %llu packets  %llu findings\033[K", bar,
		state->permille < 0 ? 100 : state->permille / 10,
		(unsigned long long)state->counters->seen,
		(unsigned long long)state->sums->findings);
}

void progress_clear(void)
{
	if (shown)
		fputs("\r\033[K", stderr);
	shown = false;
}

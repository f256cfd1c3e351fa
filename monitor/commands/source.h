/*
 * source.h - where packets come from, as watch and check read it from their command lines:
 * -r FILE|DIR, -i INTERFACE, and a tcpdump filter as trailing words. Also how a run shows its progress.
 */
#ifndef MONITOR_COMMANDS_SOURCE_H
#define MONITOR_COMMANDS_SOURCE_H

#include "monitor/commands/options.h"
#include "monitor/pipeline.h"

#define INTERFACES_MAX 16

enum { SOURCE_SNAP = OPTION_LAST, SOURCE_FOR, SOURCE_AGAIN, SOURCE_IN_PROCESS, SOURCE_LAST };

struct source {
	char **files;
	size_t file_room, file_count;
	const char *interfaces[INTERFACES_MAX];
	size_t interface_count;
	char filter[4096];
	int snap_len;
	int64_t for_us;
	bool again;
};
#define SOURCE_SHORT "r:i:"
#define SOURCE_LONG \
	{"read", required_argument, NULL, 'r'}, {"interface", required_argument, NULL, 'i'}, \
		{"snaplen", required_argument, NULL, SOURCE_SNAP}, \
		{"for", required_argument, NULL, SOURCE_FOR}, \
		{"again", no_argument, NULL, SOURCE_AGAIN}, \
	{ \
		"in-process", no_argument, NULL, SOURCE_IN_PROCESS \
	}
#define SOURCE_HELP \
	"  -i, --interface IF    watch this interface (repeatable: merged by time)\n" \
	"  -r, --read FILE|DIR   read a pcap or pcapng file, '-' for standard input, or the\n" \
	"                        files of a folder in name order (repeatable)\n" \
	"      --for SPAN        live: end after 90s, 15m, 2h ...\n" \
	"      --snaplen BYTES   live: bytes kept of a packet (default 65535; 1600 will do)\n" \
	"      --in-process      all roles in one process (so far the only way)\n"

/* Takes the option if it is one of SOURCE_*: 1 taken, 0 not mine, negative errno with err filled. */
int source_option(struct source *source, int option, const char *value,
		  struct err *err) MUST_CHECK;
/* The trailing words; then checks that there is one kind of input. */
int source_words(struct source *source, int argc, char **argv, struct err *err) MUST_CHECK;
void source_release(struct source *source);
/* What capture_open() takes; `*ret` borrows from `source`. */
void source_capture(const struct source *source, struct capture_options *ret);

/* pipeline_options.progress: a bar or a status line on stderr, if that is a terminal. */
void progress_show(void *context, const struct pipeline_state *state);
/* Takes the line away again. */
void progress_clear(void);

#endif

/*
 * feed.h - where packets come from, as watch and check read it from their command lines:
 * -r FILE|DIR, -i INTERFACE, and a tcpdump filter as trailing words. Also how a run shows its progress.
 */
#ifndef MONITOR_COMMANDS_FEED_H
#define MONITOR_COMMANDS_FEED_H

#include "monitor/commands/options.h"
#include "monitor/run.h"

#define INTERFACES_MAX 16

enum {
	FEED_SNAP = OPTION_LAST,
	FEED_FOR,
	FEED_AGAIN,
	FEED_IN_PROCESS,
	FEED_FLOWS,
	FEED_IDLE,
	FEED_TEST,
	FEED_SCOPE,
	FEED_LAST
};

struct feed {
	char **files;
	size_t file_room, file_count;
	const char *interfaces[INTERFACES_MAX];
	size_t interface_count;
	char filter[4096];
	int snap_len;
	int64_t for_us;
	bool again, in_process;
	bool no_scope; /* --scope off */
	struct run_test test;
	bool libpcap; /* capture_options.libpcap */
	char *test_words; /* what `test` points into */
	struct flowtab_limits limits; /* of the flow table; 0: its default */
};
#define FEED_LONG \
	{"read", required_argument, NULL, 'r'}, {"interface", required_argument, NULL, 'i'}, \
		{"snaplen", required_argument, NULL, FEED_SNAP}, \
		{"for", required_argument, NULL, FEED_FOR}, \
		{"again", no_argument, NULL, FEED_AGAIN}, \
		{"flows", required_argument, NULL, FEED_FLOWS}, \
		{"idle", required_argument, NULL, FEED_IDLE}, \
		{"test", required_argument, NULL, FEED_TEST}, \
	{ \
		"in-process", no_argument, NULL, FEED_IN_PROCESS \
	}
#define FEED_HELP \
	"  -i, --interface IF    watch this interface (repeatable: merged by time)\n" \
	"  -r, --read FILE|DIR   read a pcap or pcapng file, '-' for standard input, or\n" \
	"                        the files of a folder in name order (repeatable)\n" \
	"      --for SPAN        live: end after 90s, 15m, 2h ...\n" \
	"      --snaplen BYTES   live: bytes kept of a packet (default 65535)\n" \
	"      --flows N         flows watched at once (default 1048576); when it is full\n" \
	"                        one ends early: first those that nobody answers\n" \
	"      --idle KIND=SPAN,...  how long a flow may be silent: udp=60s icmp=10s\n" \
	"                        other=60s tcp-opening=30s tcp-open=1h tcp-closed=5s\n" \
	"      --in-process      all roles in one process, no sandbox: for debuggers\n"

/* Of those that judge units alone, beside FEED_LONG. */
#define FEED_SCOPE_LONG {"scope", required_argument, NULL, FEED_SCOPE}
#define FEED_SCOPE_HELP \
	"      --scope off       look into all packets, not only into those that can\n" \
	"                        matter to the units ('on')\n"

/* Takes the option if it is one of FEED_*: 1 taken, 0 not mine, negative errno with err filled. */
int feed_option(struct feed *feed, int option, const char *value, struct err *err) MUST_CHECK;
/* The trailing words; then checks that there is one kind of input, and none of it twice. */
int feed_words(struct feed *feed, int argc, char **argv, struct err *err) MUST_CHECK;
void feed_release(struct feed *feed);
/* The run that was asked for, but for policy, database and what is to be told. It borrows from `feed`. */
struct run_options feed_run(const struct feed *feed);

/* run_options.progress: a bar or a status line on stderr, if that is a terminal. */
void progress_show(void *context, const struct run_state *state);
/* Such a line of any text, in the place of the one before. */
void progress_line(const char *text);
/* Takes the line away again. */
void progress_clear(void);

#endif

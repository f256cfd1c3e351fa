/*
 * reading.c - see reading.h. The file lies in memory.
 */
#include "tests/lib/reading.h"
#include "monitor/capture/capture.h"

#include <sys/mman.h>
#include <unistd.h>

struct reader {
	struct capture *capture;
	struct err err;
	int opened; /* 0, or how that failed */
};

static void reader_begin(struct reader *reader, const char *path, const struct reading *how,
                         bool libpcap)
{
	const struct capture_options options = {
		.inputs = &path, .input_count = 1, .filter = how->filter, .libpcap = libpcap};

	*reader = (struct reader){0};
	reader->opened = capture_open(&options, &reader->capture, &reader->err);
	if (reader->opened)
		return;
	if (how->skip)
		capture_skip(reader->capture, 0, how->skip);
	reader->opened = capture_check(reader->capture, &reader->err);
}

static bool frames_are_same(const struct frame *a, const struct frame *b)
{
	return a->time_us == b->time_us && a->caplen == b->caplen && a->wire_len == b->wire_len &&
	       a->link == b->link && a->input == b->input && !memcmp(a->bytes, b->bytes, a->caplen);
}

static bool inputs_are_same(const struct captured_input *a, const struct captured_input *b)
{
	return a->size == b->size && !strcmp(a->hash, b->hash) && a->packets == b->packets &&
	       a->first_us == b->first_us && a->last_us == b->last_us && a->cut == b->cut &&
	       !strcmp(a->note, b->note);
}

/* Reads both to their end, a packet at a time. */
static bool readers_agree(struct reader *a, struct reader *b, char why[256])
{
	for (uint64_t packet = 1;; packet++) {
		struct frame one = {0}, other = {0};
		int r = capture_next(a->capture, &one, &a->err);
		int s = capture_next(b->capture, &other, &b->err);

		if (r != s || r < 0 ||
		    (r == CAPTURED_FRAME && !frames_are_same(&one, &other))) {
			snprintf(why, 256, "packet %llu: %d %.40s / %d %.40s, %lld us, %u of %u bytes / %lld us, %u of %u",
			         (unsigned long long)packet, r, r < 0 ? a->err.text : "", s,
			         s < 0 ? b->err.text : "", (long long)one.time_us, one.caplen,
			         one.wire_len, (long long)other.time_us, other.caplen,
			         other.wire_len);
			return false;
		}
		if (r == CAPTURED_END)
			return true;
	}
}

bool reading_same(const uint8_t *data, size_t len, const struct reading *how, char why[256])
{
	CLEANUP(closep) int fd = memfd_create("capture", MFD_CLOEXEC);
	const struct captured_input *one, *other;
	struct reader blocks, libpcap;
	char path[64];
	bool same;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fd < 0 || write(fd, data, len) != (ssize_t)len) {
		snprintf(why, 256, "no file in memory: %s", strerror(errno));
		return false;
	}
	reader_begin(&blocks, path, how, false);
	reader_begin(&libpcap, path, how, true);
	same = blocks.opened == libpcap.opened && !strcmp(blocks.err.text, libpcap.err.text);
	if (!same)
		snprintf(why, 256, "opened: %.100s / %.100s", blocks.err.text, libpcap.err.text);
	if (same && !blocks.opened) {
		same = readers_agree(&blocks, &libpcap, why);
		one = capture_input(blocks.capture, 0);
		other = capture_input(libpcap.capture, 0);
		if (same && !inputs_are_same(one, other)) {
			snprintf(why, 256, "%llu packets, '%.80s' / %llu packets, '%.80s'",
			         (unsigned long long)one->packets, one->note,
			         (unsigned long long)other->packets, other->note);
			same = false;
		}
	}
	capture_close(blocks.capture);
	capture_close(libpcap.capture);
	return same;
}

/*
 * capture.h - live interfaces or capture files behind one capture_next(). The room that knows libpcap, in
 * capture*.c. capture_open() opens whatever will ever be read: afterwards a process that may open
 * nothing can go on with it, also a forked one, while its parent closes or keeps the same handle.
 */
#ifndef MONITOR_CAPTURE_CAPTURE_H
#define MONITOR_CAPTURE_CAPTURE_H

#include "dissectors/decode.h"
#include "schema/event.h"

struct capture;

struct capture_options {
	const char *const *inputs; /* files ("-": standard input), or interfaces: never both */
	size_t input_count;
	bool live;
	const char *filter; /* tcpdump words; "" */
	bool libpcap;       /* for tests: it reads every file, none is read in blocks */
	int snap_len;       /* live; 0: 1,600 would do, 65,535 is the default */
};

struct frame {
	int64_t time_us; /* as the capture says; may go back; live never later than now */
	uint32_t caplen, wire_len;
	const uint8_t *bytes; /* borrowed until the next capture_next() */
	enum link link;
	unsigned input;
};

enum captured {
	CAPTURED_FRAME,
	/* No packet lies ready (live; capture_wait() sleeps until one does), or a signal came. */
	CAPTURED_NOTHING,
	/* A file is over, an interface gone: frame.input says which, capture_input() how. */
	CAPTURED_INPUT_END,
	CAPTURED_END, /* all are */
};

/* How an input went. */
struct captured_input {
	const char *name; /* base name, or the interface */
	uint64_t size;    /* of a file; 0 */
	char hash[33];    /* of a file's content; "" for standard input and interfaces */
	uint64_t packets;
	int64_t first_us, last_us;
	bool cut; /* ended in the middle of a packet, or was damaged there */
	char note
		[256]; /* then: "damaged or cut after packet 7: ...", "interrupted ...", "gone ..." */
};

/*
 * Opens every input, hashes files and compiles the filter; no byte of a file is looked at yet. On failure err
 * names the file or interface, what is wrong with it and what would do. On success *ret is the caller's.
 */
int capture_open(const struct capture_options *options, struct capture **ret,
                 struct err *err) MUST_CHECK;
/*
 * Looks at the head of every file, in the process that will read them, before the first packet: -EINVAL and the like,
 * with err naming the file, for one that is no capture or has a link type that is not read; -ENODATA if
 * none holds a packet. Opens nothing. What can be read once only is begun.
 */
int capture_check(struct capture *capture, struct err *err) MUST_CHECK;
void capture_close(struct capture *capture);
void capture_closep(struct capture **capture);
/* In a process that does not read it: lets go of every handle; names, sizes and hashes stay. */
void capture_detach(struct capture *capture);
/* How an input went, as the process that read it says: capture_input() knows it from then on. */
void capture_tell(struct capture *capture, const struct event_input *input);

/*
 * The next frame: files one after the other, interfaces merged by time. Live too CAPTURED_END is no
 * error: all interfaces are gone. Negative errno with err filled when it fails for good.
 */
int capture_next(struct capture *capture, struct frame *frame, struct err *err) MUST_CHECK;
/* Live: sleeps until a packet may lie ready, a signal came, or `timeout_ms` passed. */
void capture_wait(struct capture *capture, int timeout_ms);

/* The rest of a file is not wanted: true with its index if one was being read. It counts as cut. */
bool capture_stop(struct capture *capture, unsigned *ret_input);

size_t capture_input_count(const struct capture *capture);
const struct captured_input *capture_input(const struct capture *capture, size_t index);
/* Files: how much of all has been read, 0 to 1000; -1 where it cannot be known. */
int capture_progress(const struct capture *capture);

/*
 * Files, before capture_check(): goes on in the place of another process, after `packets` frames of input
 * `input`. The inputs before it are over and not told of again. What cannot be read twice (standard
 * input, a pipe) ends there as cut.
 */
void capture_skip(struct capture *capture, unsigned input, uint64_t packets);

/*
 * Live: adds what the kernel received and dropped since this was last asked, by whoever has the handle, to
 * kernel_received and kernel_dropped.
 */
void capture_stats(struct capture *capture, struct counters *counters);
/* What the interface `name` received, and dropped before any capture. Negative errno: it cannot be known. */
int capture_interface_counts(const char *name, uint64_t *ret_received, uint64_t *ret_drops) MUST_CHECK;

/*
 * Live: the socket behind an input, the caller's own to close; it outlives the capture, also where that was let go of.
 * 0, or negative errno: there is none.
 */
struct capture_handle {
	int fd;
	int type; /* libpcap's number of the link type */
	enum link link;
};
int capture_handle(const struct capture *capture, size_t index,
                   struct capture_handle *ret) MUST_CHECK;
/*
 * From now on the kernel lets through what is in the scope and passes the words of the filter that `capture` was opened
 * with; no frame is lost over it. Returns how long its program is; or negative errno, with err saying why, and then the words
 * alone count.
 */
struct scope;
int capture_scope(const struct capture *capture, const struct capture_handle *handle,
                  const struct scope *scope, struct err *err) MUST_CHECK;

/*
 * Files behind `path`: itself, or if it is a folder its plain files in name order. Appended to
 * *paths (strdup'ed; room as array_reserve). Returns 0 or negative errno with err filled.
 */
int capture_expand(const char *path, char ***paths, size_t *room, size_t *count,
                   struct err *err) MUST_CHECK;

#endif

/*
 * capture_pcap.h - what the capture*.c share, for them alone: they are the room that knows libpcap.
 */
#ifndef MONITOR_CAPTURE_CAPTURE_PCAP_H
#define MONITOR_CAPTURE_CAPTURE_PCAP_H

#include "monitor/capture/capture.h"
#include "monitor/capture/capture_plain.h"

struct input {
	struct captured_input told;
	char *path;
	pcap_t *pcap;
	int dlt; /* its link type as libpcap calls it, */
	enum link link; /* and as we do */
	FILE *file; /* of a file that libpcap does not read, or not yet */
	struct plain *plain; /* then: we are reading it */
	bool once;  /* it is no regular file: what was read of it is gone */
	bool empty; /* a file without a packet */
	bool over;  /* its packets are; its hash may not be known yet */
	struct file_hash *hash; /* while it is read */
	/* live: the frame held back */
	bool held;
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
};

struct live_stats {
	uint64_t received, dropped;
};

struct capture {
	bool live, libpcap;
	struct filter *filter; /* NULL: everything passes */
	struct input *inputs;
	size_t count, current;
	uint64_t total, before; /* bytes of all files; of those behind us */
	bool skipping;          /* `skip` packets of the current file are another process's */
	uint64_t skip;
	struct live_stats gone; /* counted by interfaces that are gone, and not told yet */
	int epoll_fd, timer_fd;
};

/* Which link type it has; only some are read. */
int input_link(struct input *input, struct err *err) MUST_CHECK;
void input_close(struct input *input);
/* When it was captured. A damaged file may claim any time: one that no clock shows becomes 1970 or 2112. */
int64_t stamp_us(const struct pcap_pkthdr *header);
void frame_fill(struct input *input, unsigned index, const struct pcap_pkthdr *header,
                const uint8_t *bytes, struct frame *frame);

/*
 * tcpdump's words, compiled for every link type that is read, while files and sockets may still be
 * opened: names of hosts and services are looked up there. *ret is the caller's; NULL for no words.
 */
int filter_new(const char *words, struct filter **ret, struct err *err) MUST_CHECK;
void filter_free(struct filter *filter);
/* The words for this link type; NULL: none. */
const struct bpf_program *filter_program(const struct filter *filter, int type);
/*
 * The words once more, for the interface at hand: what they say of VLANs is there a question to the kernel, which took the
 * tag off before it asks the filter.
 */
int filter_live(struct filter *filter, const struct input *input, struct err *err) MUST_CHECK;
int input_filter(struct input *input, const struct filter *filter, struct err *err) MUST_CHECK;
/* Whether a packet that libpcap has not seen passes. */
bool input_passes(const struct input *input, const struct filter *filter,
                  const struct pcap_pkthdr *header, const uint8_t *bytes);

/* Opens and hashes it; libpcap does not see it yet. */
int file_open(struct input *input, struct err *err) MUST_CHECK;
int files_room(size_t count, struct err *err) MUST_CHECK;
int file_next(struct capture *capture, struct frame *frame, struct err *err) MUST_CHECK;
/* Reads on for the hash: whether there is more. */
bool file_hash_rest(struct input *input);

int live_open(struct capture *capture, struct input *input, const struct capture_options *options,
              struct err *err) MUST_CHECK;
int live_timer(struct capture *capture, size_t interfaces, struct err *err) MUST_CHECK;
int live_next(struct capture *capture, struct frame *frame);

#endif

/*
 * capture_files.c - see capture.h: capture files, one after the other. A regular file is kept open
 * and unread until its turn comes, so that a process that may open nothing can read it, and another one again.
 */
#include "monitor/capture/capture_pcap.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#define FILES_BESIDE 64 /* descriptors for all that is no capture file */
#define STRANGE 2       /* beside what pcap_next_ex() returns: it is to have a look */

int capture_expand(const char *path, char ***paths, size_t *room, size_t *count,
                   struct err *err)
{
	struct dirent **entries = NULL;
	size_t before = *count;
	struct stat st;
	int n, r = 0;

	if (strcmp(path, "-") && stat(path, &st) < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!strcmp(path, "-") || !S_ISDIR(st.st_mode)) {
		if (array_reserve(paths, room, *count + 1, sizeof(**paths)) < 0 ||
		    !((*paths)[*count] = strdup(path)))
			return err_set(err, -ENOMEM, "out of memory");
		(*count)++;
		return 0;
	}
	n = scandir(path, &entries, NULL, alphasort);
	if (n < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	for (int i = 0; i < n; i++) {
		char *name = NULL;

		if (!r && entries[i]->d_name[0] != '.' &&
		    asprintf(&name, "%s/%s", path, entries[i]->d_name) >= 0) {
			if (!stat(name, &st) && S_ISREG(st.st_mode) &&
			    !array_reserve(paths, room, *count + 1, sizeof(**paths)))
				(*paths)[(*count)++] = TAKE(name);
			free(name);
		}
		free(entries[i]);
	}
	free(entries);
	if (!r && *count == before)
		return err_set(err, -ENOENT, "%s: this folder holds no capture file", path);
	return r;
}

static int file_digest(struct input *input, int fd, struct err *err)
{
	CLEANUP(freep) uint8_t *buf = malloc(1 << 20);
	XXH3_state_t *state = XXH3_createState();
	XXH128_hash_t hash;
	XXH128_canonical_t canonical;
	ssize_t n = 0;
	off_t at = 0;

	if (!buf || !state) {
		XXH3_freeState(state);
		return err_set(err, -ENOMEM, "out of memory");
	}
	XXH3_128bits_reset(state);
	while ((n = pread(fd, buf, 1 << 20, at)) > 0) {
		XXH3_128bits_update(state, buf, (size_t)n);
		at += n;
	}
	hash = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	if (n < 0)
		return err_set(err, -errno, "%s: %s", input->path, strerror(errno));
	XXH128_canonicalFromHash(&canonical, hash);
	for (unsigned i = 0; i < 16; i++)
		snprintf(input->told.hash + 2 * i, 3, "%02x", canonical.digest[i]);
	input->told.size = (uint64_t)at;
	return 0;
}

/* Every file stays open from here on, so that it can be read where nothing may be opened. */
int files_room(size_t count, struct err *err)
{
	rlim_t need = count + FILES_BESIDE;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= need)
		return 0;
	limit.rlim_cur = need;
	if (limit.rlim_max < need || setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return err_set(
			err, -EMFILE,
			"%zu files: only %llu may be open at once; raise that ('ulimit -n %llu', "
			"or LimitNOFILE= of the service), or give fewer files a run",
			count, (unsigned long long)limit.rlim_max, (unsigned long long)need);
	return 0;
}

/* Begins to read it from its start, whoever did so before: processes share the place in a file. */
static int file_begin(struct input *input, struct err *err)
{
	char text[PCAP_ERRBUF_SIZE] = "";

	if (!input->once && lseek(fileno(input->file), 0, SEEK_SET) < 0)
		return err_set(err, -errno, "%s: %s", input->path, strerror(errno));
	input->pcap = pcap_fopen_offline(input->file, text);
	if (!input->pcap)
		return err_set(err, -EINVAL,
		               "%s: not a capture file that can be read (%s); pcap and "
		               "pcapng are",
		               input->path, text);
	input->file = NULL; /* libpcap's now */
	return input_link(input, err);
}

static int file_first(struct input *input, struct err *err)
{
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int r = pcap_next_ex(input->pcap, &header, &bytes);

	if (r == PCAP_ERROR)
		return err_set(err, -EINVAL, "%s: damaged at its first packet: %s", input->path,
		               pcap_geterr(input->pcap));
	input->empty = r == PCAP_ERROR_BREAK;
	return 0;
}

/* A rotation may leave an empty file behind; but a run of nothing else is a mistake. */
static int files_hold_packets(const struct capture *capture, struct err *err)
{
	for (size_t i = 0; i < capture->count; i++)
		if (!capture->inputs[i].empty)
			return 0;
	return err_set(err, -ENODATA, "%s: %s", capture->inputs[0].path,
	               capture->inputs[0].told.size ? "the capture holds no packet"
	                                            : "the file is empty (0 bytes)");
}

int file_open(struct input *input, struct err *err)
{
	struct stat st;

	input->file = strcmp(input->path, "-") ? fopen(input->path, "rbe") : stdin;
	if (!input->file || fstat(fileno(input->file), &st) < 0)
		return err_set(err, -errno, "%s: %s", input->path, strerror(errno));
	input->once = !S_ISREG(st.st_mode) || input->file == stdin;
	input->empty = !input->once && !st.st_size;
	return input->once || input->empty ? 0 : file_digest(input, fileno(input->file), err);
}

/*
 * A regular file is looked at, and read from its beginning later: a thousand need no thousand
 * buffers. What can be read once only is begun for good.
 */
static int file_check(struct capture *capture, struct input *input, struct err *err)
{
	int fd = -1, r;

	if (!input->file || input->empty || (input->once && capture->skipping))
		return 0;
	if (!input->once) {
		fd = dup(fileno(input->file));
		if (fd < 0)
			return err_set(err, -errno, "%s: %s", input->path, strerror(errno));
	}
	r = file_begin(input, err);
	if (!r && !input->once)
		r = file_first(input, err);
	if (!r)
		r = input_filter(input, capture->filter, err);
	if (input->once)
		return r;
	if (input->pcap)
		pcap_close(input->pcap);
	else
		fclosep(&input->file);
	input->pcap = NULL;
	input->file = fdopen(fd, "rb");
	if (!input->file)
		close(fd);
	return r < 0 || input->file ? r : err_set(err, -ENOMEM, "out of memory");
}

int capture_check(struct capture *capture, struct err *err)
{
	int r = 0;

	for (size_t i = capture->current; i < capture->count && !r && !capture->live; i++)
		r = file_check(capture, &capture->inputs[i], err);
	if (!r && !capture->live && !capture->skipping)
		r = files_hold_packets(capture, err);
	return r;
}

void capture_skip(struct capture *capture, unsigned index, uint64_t packets)
{
	while (capture->current < index && capture->current < capture->count) {
		input_close(&capture->inputs[capture->current]);
		capture->before += capture->inputs[capture->current++].told.size;
	}
	capture->skipping = true;
	capture->skip = packets;
}

static int file_over(struct capture *capture, struct frame *frame)
{
	input_close(&capture->inputs[capture->current]);
	capture->before += capture->inputs[capture->current].told.size;
	frame->input = (unsigned)capture->current++;
	return CAPTURED_INPUT_END;
}

static int file_begin_filtered(struct capture *capture, struct input *input, struct err *err)
{
	int r = file_begin(input, err);

	return r < 0 ? r : input_filter(input, capture->filter, err);
}

/* Its turn has come. What we do not read ourselves is libpcap's. */
static int file_start(struct capture *capture, struct input *input, struct err *err)
{
	if (!capture->libpcap && !input->once)
		input->plain = plain_new(fileno(input->file), input->dlt);
	return input->plain ? 0 : file_begin_filtered(capture, input, err);
}

/* libpcap is to say what is strange about it: from its beginning, behind what was read of it. */
static int file_hand_over(struct capture *capture, struct input *input, struct err *err)
{
	plain_free(input->plain);
	input->plain = NULL;
	capture->skip += input->told.packets;
	input->told.packets = 0;
	input->told.last_us = 0;
	return file_begin_filtered(capture, input, err);
}

/* The next packet that passes the filter, as pcap_next_ex(); or STRANGE. */
static int plain_packet(const struct capture *capture, struct input *input,
                        struct pcap_pkthdr *header, const uint8_t **ret_bytes)
{
	enum plain_next next;

	do {
		next = plain_next(input->plain, header, ret_bytes);
	} while (next == PLAIN_PACKET &&
	         !input_passes(input, capture->filter, header, *ret_bytes));
	if (next == PLAIN_PACKET)
		return 1;
	return next == PLAIN_END ? PCAP_ERROR_BREAK : STRANGE;
}

/* The same, behind the packets that another process has read. */
static int file_packet(struct capture *capture, struct input *input, struct frame *frame)
{
	struct pcap_pkthdr plain, *header = &plain;
	const uint8_t *bytes;
	int r;

	if (input->empty)
		return PCAP_ERROR_BREAK;
	do {
		errno = 0;
		if (input->plain)
			r = plain_packet(capture, input, &plain, &bytes);
		else
			r = pcap_next_ex(input->pcap, &header, &bytes);
		if (r == 1)
			frame_fill(input, (unsigned)capture->current, header, bytes, frame);
	} while (r == 1 && capture->skip && capture->skip--);
	return r;
}

int file_next(struct capture *capture, struct frame *frame, struct err *err)
{
	struct input *input;
	int r;

	if (capture->current == capture->count)
		return CAPTURED_END;
	input = &capture->inputs[capture->current];
	if (capture->skipping && input->once) {
		input->told.cut = true;
		input->told.packets = capture->skip;
		snprintf(
			input->told.note, sizeof(input->told.note),
			"lost after packet %llu: who read it died, and it cannot be read twice",
			(unsigned long long)capture->skip);
		capture->skipping = false;
		capture->skip = 0;
		return file_over(capture, frame);
	}
	capture->skipping = false;
	if (input->file && !input->plain && !input->empty) {
		r = file_start(capture, input, err);
		if (r < 0)
			return r;
	}
	r = file_packet(capture, input, frame);
	if (r == STRANGE) {
		r = file_hand_over(capture, input, err);
		if (r < 0)
			return r;
		r = file_packet(capture, input, frame);
	}
	if (r == 1)
		return CAPTURED_FRAME;
	if (r == PCAP_ERROR && errno == EINTR)
		return CAPTURED_NOTHING; /* standard input, and a signal */
	if (r == PCAP_ERROR) {
		input->told.cut = true;
		snprintf(input->told.note, sizeof(input->told.note),
		         "damaged or cut after packet %llu: %s",
		         (unsigned long long)input->told.packets, pcap_geterr(input->pcap));
	}
	capture->skip = 0;
	return file_over(capture, frame);
}


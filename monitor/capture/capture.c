/*
 * capture.c - see capture.h. Invariants:
 *  (1) An interface is never in immediate mode: with a large snap length its ring would shrink to a
 *      few frames. Reading is non-blocking; epoll and a timerfd wake us, since a packet socket's
 *      block may lie unread until its time-out.
 *  (2) At most one frame of each interface is held back, for merging by time.
 *  (3) After capture_open() nothing is opened: a regular file is kept open and unread, whatever else
 *      is read keeps its libpcap handle.
 */
#include "monitor/capture/capture.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <pcap/pcap.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <xxhash.h>

#define RING_BYTES (64 * 1024 * 1024)
#define SNAP_DEFAULT 65535
#define BLOCK_MS 10 /* how long the kernel may collect packets before it hands a block over */
#define FILES_BESIDE 64 /* descriptors for all that is no capture file */
#define MERGE_US 50000  /* how long a frame waits for an older one of a slower interface */

struct input {
	struct captured_input told;
	char *path;
	pcap_t *pcap;
	enum link link;
	FILE *file; /* a regular file, until it is read */
	bool empty; /* a file without a packet */
	/* live: the frame held back */
	bool held;
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
};

struct live_stats {
	uint64_t received, dropped;
};

struct capture {
	bool live;
	char *filter;
	struct input *inputs;
	size_t count, current;
	uint64_t total, before; /* bytes of all files; of those behind us */
	bool skipping;          /* `skip` packets of the current file are another process's */
	uint64_t skip;
	struct live_stats gone; /* counted by interfaces that are gone, and not told yet */
	int epoll_fd, timer_fd;
};

static int link_of(int type, enum link *ret)
{
	switch (type) {
	case DLT_EN10MB:
		*ret = LINK_ETHERNET;
		return 0;
	case DLT_LINUX_SLL:
		*ret = LINK_SLL;
		return 0;
	case DLT_LINUX_SLL2:
		*ret = LINK_SLL2;
		return 0;
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		*ret = LINK_RAW;
		return 0;
	case DLT_NULL:
	case DLT_LOOP:
		*ret = LINK_LOOPBACK;
		return 0;
	default:
		return -EINVAL;
	}
}

static int input_link(struct input *input, struct err *err)
{
	int type = pcap_datalink(input->pcap);
	const char *name = pcap_datalink_val_to_name(type);

	if (link_of(type, &input->link) < 0)
		return err_set(
			err, -EPROTONOSUPPORT,
			"%s: link type %d (%s) is not read; Ethernet, Linux cooked (SLL, SLL2), "
			"raw IP and loopback are",
			input->path, type, name ? name : "unknown");
	return 0;
}

static int input_filter(struct input *input, const char *words, struct err *err)
{
	struct bpf_program program;
	int r = 0;

	if (!*words)
		return 0;
	if (pcap_compile(input->pcap, &program, words, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return err_set(
			err, -EINVAL,
			"filter '%s': %s (trailing words are a filter as tcpdump has it; files "
			"go behind -r)",
			words, pcap_geterr(input->pcap));
	if (pcap_setfilter(input->pcap, &program) < 0)
		r = err_set(err, -EINVAL, "filter '%s': %s", words, pcap_geterr(input->pcap));
	pcap_freecode(&program);
	return r;
}

/* ------------------------------------------------------------------ files */

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
static int files_room(size_t count, struct err *err)
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

/* Begins to read; `file` is libpcap's from here on, also on failure. */
static int file_begin(struct input *input, FILE *file, struct err *err)
{
	char text[PCAP_ERRBUF_SIZE] = "";

	input->pcap = pcap_fopen_offline(file, text);
	if (input->pcap)
		return 0;
	if (file != stdin)
		fclose(file);
	return err_set(err, -EINVAL,
	               "%s: not a capture file that can be read (%s); pcap and "
	               "pcapng are",
	               input->path, text);
}

static void input_close(struct input *input)
{
	if (input->pcap)
		pcap_close(input->pcap);
	input->pcap = NULL;
	fclosep(&input->file);
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

/* What can be read once only is libpcap's from here on. */
static int file_once(struct input *input, FILE *file, const char *filter, struct err *err)
{
	int r = file_begin(input, file, err);

	if (!r)
		r = input_link(input, err);
	return r < 0 ? r : input_filter(input, filter, err);
}

/* A regular file is looked at, and read from its beginning later: a thousand need no thousand buffers. */
static int file_look(struct input *input, const char *filter, struct err *err)
{
	int fd, r = file_digest(input, fileno(input->file), err);
	FILE *file;

	if (r < 0)
		return r;
	fd = fcntl(fileno(input->file), F_DUPFD_CLOEXEC, 0);
	file = fd < 0 ? NULL : fdopen(fd, "rb");
	if (!file) {
		r = err_set(err, -errno, "%s: %s", input->path, strerror(errno));
		closep(&fd);
		return r;
	}
	r = file_begin(input, file, err);
	if (!r)
		r = input_link(input, err);
	if (!r)
		r = file_first(input, err);
	if (!r)
		r = input_filter(input, filter, err);
	if (input->pcap)
		pcap_close(input->pcap);
	input->pcap = NULL;
	return r;
}

static int file_check(struct input *input, const char *filter, struct err *err)
{
	struct stat st;

	if (!strcmp(input->path, "-"))
		return file_once(input, stdin, filter, err);
	input->file = fopen(input->path, "rbe");
	if (!input->file || fstat(fileno(input->file), &st) < 0)
		return err_set(err, -errno, "%s: %s", input->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return file_once(input, TAKE(input->file), filter, err);
	input->empty = !st.st_size;
	return input->empty ? 0 : file_look(input, filter, err);
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

/* ------------------------------------------------------------------- live */

static int live_open(struct input *input, const struct capture_options *options, int epoll_fd,
                     struct err *err)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	struct epoll_event event = {.events = EPOLLIN};
	pcap_t *pcap = pcap_create(input->path, text);
	int r, fd;

	if (!pcap)
		return err_set(err, -ENODEV, "%s: %s", input->path, text);
	input->pcap = pcap;
	pcap_set_snaplen(pcap, options->snap_len ? options->snap_len : SNAP_DEFAULT);
	pcap_set_promisc(pcap, 1);
	pcap_set_timeout(pcap, BLOCK_MS);
	pcap_set_buffer_size(pcap, RING_BYTES);
	r = pcap_activate(pcap);
	if (r == PCAP_ERROR_NO_SUCH_DEVICE)
		return err_set(err, -ENODEV,
		               "%s: there is no such interface; 'ip link' lists them",
		               input->path);
	if (r == PCAP_ERROR_PERM_DENIED || r == PCAP_ERROR_PROMISC_PERM_DENIED)
		return err_set(
			err, -EPERM,
			"%s: not permitted; run as root, or give the program CAP_NET_RAW: "
			"setcap cap_net_raw+ep",
			input->path);
	if (r == PCAP_ERROR_IFACE_NOT_UP)
		return err_set(err, -ENETDOWN, "%s: the interface is down; 'ip link set %s up'",
		               input->path, input->path);
	if (r < 0)
		return err_set(err, -EIO, "%s: %s", input->path, pcap_geterr(pcap));
	if (pcap_setnonblock(pcap, 1, text) < 0)
		return err_set(err, -EIO, "%s: %s", input->path, text);
	r = input_link(input, err);
	if (r < 0)
		return r;
	r = input_filter(input, options->filter, err);
	if (r < 0)
		return r;
	fd = pcap_get_selectable_fd(pcap);
	if (fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return err_set(err, -EIO, "%s: cannot be waited for", input->path);
	return 0;
}

static int live_timer(struct capture *capture, struct err *err)
{
	struct itimerspec tick = {{0, 50 * 1000000}, {0, 50 * 1000000}};
	struct epoll_event event = {.events = EPOLLIN};

	capture->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	capture->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (capture->epoll_fd < 0 || capture->timer_fd < 0 ||
	    timerfd_settime(capture->timer_fd, 0, &tick, NULL) < 0 ||
	    epoll_ctl(capture->epoll_fd, EPOLL_CTL_ADD, capture->timer_fd, &event) < 0)
		return err_set(err, -errno, "epoll: %s", strerror(errno));
	return 0;
}

void capture_wait(struct capture *capture, int timeout_ms)
{
	struct epoll_event events[4];
	uint64_t ticks;

	if (epoll_wait(capture->epoll_fd, events, ARRAY_LEN(events), timeout_ms) > 0 &&
	    read(capture->timer_fd, &ticks, sizeof(ticks)) < 0)
		return; /* woken by a packet, not by the timer */
}

/*
 * packet(7), PACKET_STATISTICS: each question sets the kernel's counts to zero, so what is told are
 * differences, and no packet is told twice. pcap_stats() reads /sys as well, which a sandbox forbids.
 */
static void input_stats(const struct input *input, struct live_stats *sums)
{
	struct tpacket_stats_v3 now = {0};
	socklen_t len = sizeof(now);

	if (!input->pcap ||
	    getsockopt(pcap_fileno(input->pcap), SOL_PACKET, PACKET_STATISTICS, &now, &len) < 0)
		return;
	sums->received += now.tp_packets; /* the dropped are among them */
	sums->dropped += now.tp_drops;
}

void capture_stats(struct capture *capture, struct counters *counters)
{
	struct live_stats sums = capture->gone;

	capture->gone = (struct live_stats){0};
	for (size_t i = 0; capture->live && i < capture->count; i++)
		input_stats(&capture->inputs[i], &sums);
	counters->kernel_received += sums.received;
	counters->kernel_dropped += sums.dropped;
}

/* proc(5): the fourth number of a line is what was received and dropped, and missed before. */
int capture_interface_drops(const char *name, uint64_t *ret_drops)
{
	CLEANUP(fclosep) FILE *file = fopen("/proc/net/dev", "re");
	CLEANUP(freep) char *line = NULL;
	size_t room = 0, len = strlen(name);

	if (!file)
		return -errno;
	while (getline(&line, &room, file) >= 0) {
		const char *at = line + strspn(line, " ");
		unsigned long long drops;

		if (strncmp(at, name, len) || at[len] != ':')
			continue;
		if (sscanf(at + len + 1, "%*u %*u %*u %llu", &drops) != 1)
			return -EBADMSG;
		*ret_drops = drops;
		return 0;
	}
	return -ENODEV;
}

/* ------------------------------------------------------------------ both */

int capture_open(const struct capture_options *options, struct capture **ret, struct err *err)
{
	CLEANUP(capture_closep) struct capture *capture = calloc(1, sizeof(*capture));
	int r = 0;

	if (!capture)
		return err_set(err, -ENOMEM, "out of memory");
	capture->epoll_fd = capture->timer_fd = -1;
	capture->live = options->live;
	capture->filter = strdup(options->filter ? options->filter : "");
	capture->inputs = calloc(options->input_count, sizeof(*capture->inputs));
	if (!capture->filter || !capture->inputs)
		return err_set(err, -ENOMEM, "out of memory");
	r = options->live ? live_timer(capture, err) : files_room(options->input_count, err);
	for (size_t i = 0; !r && i < options->input_count; i++) {
		struct input *input = &capture->inputs[capture->count];
		const char *slash = strrchr(options->inputs[i], '/');

		input->path = strdup(options->inputs[i]);
		if (!input->path)
			return err_set(err, -ENOMEM, "out of memory");
		input->told.name = input->path;
		if (!options->live && slash)
			input->told.name += slash + 1 - options->inputs[i];
		if (!options->live && !strcmp(input->path, "-"))
			input->told.name = "standard input";
		capture->count++;
		r = options->live ? live_open(input, options, capture->epoll_fd, err)
		                  : file_check(input, capture->filter, err);
		capture->total += input->told.size;
	}
	if (!r && !options->live)
		r = files_hold_packets(capture, err);
	if (r < 0)
		return r;
	*ret = TAKE(capture);
	return 0;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	for (size_t i = 0; i < capture->count; i++) {
		input_close(&capture->inputs[i]);
		free(capture->inputs[i].path);
	}
	closep(&capture->epoll_fd);
	closep(&capture->timer_fd);
	free(capture->inputs);
	free(capture->filter);
	free(capture);
}

void capture_detach(struct capture *capture)
{
	for (size_t i = 0; i < capture->count; i++)
		input_close(&capture->inputs[i]);
	closep(&capture->epoll_fd);
	closep(&capture->timer_fd);
	capture->epoll_fd = capture->timer_fd = -1;
}

void capture_tell(struct capture *capture, const struct event_input *input)
{
	struct captured_input *told;

	if (input->index >= capture->count)
		return;
	told = &capture->inputs[input->index].told;
	told->packets = input->packets;
	told->first_us = input->first_us;
	told->last_us = input->last_us;
	told->cut = input->cut;
	memcpy(told->note, input->note, input->note_len);
	told->note[input->note_len] = '\0';
}

void capture_closep(struct capture **capture)
{
	capture_close(*capture);
	*capture = NULL;
}

static void frame_fill(struct input *input, unsigned index, const struct pcap_pkthdr *header,
                       const uint8_t *bytes, struct frame *frame)
{
	frame->time_us = (int64_t)header->ts.tv_sec * 1000000 + header->ts.tv_usec;
	frame->caplen = header->caplen;
	frame->wire_len = header->len > header->caplen ? header->len : header->caplen;
	frame->bytes = bytes;
	frame->link = input->link;
	frame->input = index;
	if (!input->told.packets++)
		input->told.first_us = frame->time_us;
	input->told.last_us = frame->time_us;
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

/* As pcap_next_ex(); behind the packets that another process has read. */
static int file_packet(struct capture *capture, struct input *input, struct frame *frame)
{
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int r;

	if (input->empty)
		return PCAP_ERROR_BREAK;
	do {
		errno = 0;
		r = pcap_next_ex(input->pcap, &header, &bytes);
		if (r == 1)
			frame_fill(input, (unsigned)capture->current, header, bytes, frame);
	} while (r == 1 && capture->skip && capture->skip--);
	return r;
}

static int file_next(struct capture *capture, struct frame *frame, struct err *err)
{
	struct input *input;
	int r;

	if (capture->current == capture->count)
		return CAPTURED_END;
	input = &capture->inputs[capture->current];
	if (capture->skipping && input->pcap) {
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
	if (input->file && !input->empty) {
		/* Not where a process that is gone stopped: they share the place in it. */
		if (lseek(fileno(input->file), 0, SEEK_SET) < 0)
			return err_set(err, -errno, "%s: %s", input->path, strerror(errno));
		r = file_begin(input, TAKE(input->file), err);
		if (!r)
			r = input_filter(input, capture->filter, err);
		if (r < 0)
			return r;
	}
	r = file_packet(capture, input, frame);
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

/* An interface went away; the others go on. */
static int live_gone(struct capture *capture, struct input *input, struct frame *frame)
{
	input->told.cut = true;
	snprintf(input->told.note, sizeof(input->told.note), "gone after packet %llu: %s",
	         (unsigned long long)input->told.packets, pcap_geterr(input->pcap));
	input_stats(input, &capture->gone);
	epoll_ctl(capture->epoll_fd, EPOLL_CTL_DEL, pcap_get_selectable_fd(input->pcap), NULL);
	input_close(input);
	frame->input = (unsigned)(input - capture->inputs);
	return CAPTURED_INPUT_END;
}

static int64_t wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int live_next(struct capture *capture, struct frame *frame)
{
	struct input *oldest = NULL;
	bool all = true, none = true;
	int64_t oldest_us = 0, now_us;

	for (size_t i = 0; i < capture->count; i++) {
		struct input *input = &capture->inputs[i];
		int64_t time_us;

		if (!input->pcap)
			continue;
		none = false;
		if (!input->held) {
			int r = pcap_next_ex(input->pcap, &input->header, &input->bytes);

			if (r == PCAP_ERROR)
				return live_gone(capture, input, frame);
			input->held = r == 1;
		}
		if (!input->held) {
			all = false;
			continue;
		}
		time_us =
			(int64_t)input->header->ts.tv_sec * 1000000 + input->header->ts.tv_usec;
		if (!oldest || time_us < oldest_us) {
			oldest = input;
			oldest_us = time_us;
		}
	}
	if (!oldest)
		return none ? CAPTURED_END : CAPTURED_NOTHING;
	now_us = wall_us();
	if (!all && now_us - oldest_us < MERGE_US && now_us >= oldest_us)
		return CAPTURED_NOTHING;
	oldest->held = false;
	frame_fill(oldest, (unsigned)(oldest - capture->inputs), oldest->header, oldest->bytes,
	           frame);
	/* A stamp of the future: the clock was set back since. */
	if (frame->time_us > now_us)
		frame->time_us = now_us;
	return CAPTURED_FRAME;
}

int capture_next(struct capture *capture, struct frame *frame, struct err *err)
{
	return capture->live ? live_next(capture, frame) : file_next(capture, frame, err);
}

bool capture_stop(struct capture *capture, unsigned *ret_input)
{
	struct input *input = &capture->inputs[capture->current];

	if (capture->live || capture->current == capture->count || !input->pcap)
		return false;
	input->told.cut = true;
	snprintf(input->told.note, sizeof(input->told.note), "interrupted after packet %llu",
	         (unsigned long long)input->told.packets);
	*ret_input = (unsigned)capture->current;
	return true;
}

size_t capture_input_count(const struct capture *capture)
{
	return capture->count;
}

const struct captured_input *capture_input(const struct capture *capture, size_t index)
{
	return &capture->inputs[index].told;
}

int capture_progress(const struct capture *capture)
{
	const struct input *input = &capture->inputs[capture->current];
	uint64_t at = capture->before;

	if (!capture->total || capture->current == capture->count)
		return -1;
	if (input->pcap && *input->told.hash)
		at += (uint64_t)ftell(pcap_file(input->pcap));
	return (int)(at * 1000 / capture->total);
}

/*
 * capture_live.c - see capture.h: interfaces, merged by time. Invariants:
 *  (1) An interface is never in immediate mode: with a large snap length its ring would shrink to a
 *      few frames. Reading is non-blocking; epoll and a timerfd wake us, since a packet socket's
 *      block may lie unread until its time-out.
 *  (2) At most one frame of each interface is held back, for merging by time.
 */
#include "monitor/capture/capture_pcap.h"

#include <linux/if_packet.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define RING_BYTES (64 * 1024 * 1024)
#define SNAP_DEFAULT 65535
#define BLOCK_MS 10 /* how long the kernel may collect packets before it hands a block over */
#define MERGE_US 50000 /* how long a frame waits for an older one of a slower interface */
#define ALONE_US 100000 /* the tick where there is no other */

int live_open(struct capture *capture, struct input *input, const struct capture_options *options,
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
	pcap_set_buffer_size(pcap, options->ring_kib
	                                   ? (int)(options->ring_kib * 1024u / options->input_count)
	                                   : RING_BYTES);
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
	r = filter_live(capture->filter, input, err);
	if (r < 0)
		return r;
	r = input_filter(input, capture->filter, err);
	if (r < 0)
		return r;
	fd = pcap_get_selectable_fd(pcap);
	if (fd < 0 || epoll_ctl(capture->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return err_set(err, -EIO, "%s: cannot be waited for", input->path);
	return 0;
}

int live_timer(struct capture *capture, size_t interfaces, struct err *err)
{
	long ns = interfaces > 1 ? MERGE_US * 1000 : ALONE_US * 1000;
	struct itimerspec tick = {{0, ns}, {0, ns}};
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

/* proc(5): the second number of a line is packets received, the fourth what was dropped of them, and missed before. */
int capture_interface_counts(const char *name, uint64_t *ret_received, uint64_t *ret_drops)
{
	CLEANUP(fclosep) FILE *file = fopen("/proc/net/dev", "re");
	CLEANUP(freep) char *line = NULL;
	size_t room = 0, len = strlen(name);

	if (!file)
		return -errno;
	while (getline(&line, &room, file) >= 0) {
		const char *at = line + strspn(line, " ");
		unsigned long long received, drops;

		if (strncmp(at, name, len) || at[len] != ':')
			continue;
		if (sscanf(at + len + 1, "%*u %llu %*u %llu", &received, &drops) != 2)
			return -EBADMSG;
		*ret_received = received;
		*ret_drops = drops;
		return 0;
	}
	return -ENODEV;
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

int live_next(struct capture *capture, struct frame *frame)
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
		time_us = stamp_us(input->header);
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


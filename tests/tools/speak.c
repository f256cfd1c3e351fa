/*
 * speak.c - plays a conversation of tests/lib/talk.h over real sockets: one end in each of two network
 * namespaces, so that the kernels open, retry, cut and acknowledge, and routers and firewalls between
 * them do as they do. For what no program of the lab speaks. Both ends are this process: a message is
 * sent by one and awaited by the other, at the pace of the talk.
 *
 *   speak NS PEER 'A > B' KIND [ARG...]   A is in NS and opens; B is in PEER ('-': nobody is there)
 *
 *   ice                       a check each way, both answered
 *   rtp PT PACKETS            media each way; one-way: from A alone; ice: checks before it
 *       [one-way|ice]
 *   rtp_tcp PT PACKETS        RFC 4571 framed, after checks
 *   msturn RELAYED PT PACKETS an allocation and the media through it, over UDP
 *   msturn_tcp RELAYED PT PACKETS [pseudo-tls]   the same over TCP
 *   dhcp CHADDR               a discover, from whatever port A names
 *   udp|tcp HEX [HEX]         these bytes, and these as the answer
 *
 * Prints "played N"; ends 1 if the other end was not reached.
 */
#include "tests/lib/talk.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS 3000

struct end {
	struct sockaddr_storage addr;
	socklen_t len;
	int fd;
};

static void stop(const char *what, const char *why)
{
	fprintf(stderr, "speak: %s: %s\n", what, why);
	exit(1);
}

static unsigned number(const char *text, unsigned most)
{
	char *end;
	unsigned long value = text ? strtoul(text, &end, 10) : 0;

	if (!text || end == text || *end || value > most)
		stop(text ? text : "(nothing)", "no such number");
	return (unsigned)value;
}

static struct message bytes_of(const char *hex)
{
	struct message m = {0};
	unsigned value;

	for (; hex && *hex; hex += 2) {
		if (sscanf(hex, "%2x", &value) != 1 || !hex[1])
			stop(hex, "not hexadecimal");
		message_add8(&m, value);
	}
	return m;
}

static struct end end_of(const char *text, size_t len)
{
	struct end end = {.fd = -1};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&end.addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&end.addr;
	char copy[WIRE_TUPLE], *colon;

	snprintf(copy, sizeof(copy), "%.*s", (int)len, text);
	colon = strrchr(copy, ':');
	if (!colon)
		stop(text, "not an address with a port");
	*colon = '\0';
	if (*copy == '[') {
		colon[-1] = '\0';
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)number(colon + 1, 65535));
		end.len = sizeof(*v6);
		if (inet_pton(AF_INET6, copy + 1, &v6->sin6_addr) != 1)
			stop(copy, "not an address");
	} else {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)number(colon + 1, 65535));
		end.len = sizeof(*v4);
		if (inet_pton(AF_INET, copy, &v4->sin_addr) != 1)
			stop(copy, "not an address");
	}
	return end;
}

/* A socket bound to the end's address, in that namespace: where a socket was made it stays. */
static int socket_in(const char *ns, const struct end *end, int type)
{
	char path[256];
	int one = 1, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", ns);
	CLEANUP(closep) int net = open(path, O_RDONLY | O_CLOEXEC);

	if (net < 0 || setns(net, CLONE_NEWNET) < 0)
		stop(path, strerror(errno));
	fd = socket(end->addr.ss_family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		stop("socket", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&end->addr, end->len) < 0)
		stop("bind", strerror(errno));
	return fd;
}

/* The listener is closed on return, the connection has Nagle's delay off: a message is a segment. */
static void connect_tcp(struct end *a, struct end *b, const char *ns, const char *peer_ns)
{
	int listener = socket_in(peer_ns, b, SOCK_STREAM), one = 1;
	struct pollfd ready = {.fd = listener, .events = POLLIN};
	struct timeval wait = {WAIT_MS / 1000, 0};

	if (listen(listener, 1) < 0)
		stop("listen", strerror(errno));
	a->fd = socket_in(ns, a, SOCK_STREAM);
	setsockopt(a->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	if (connect(a->fd, (struct sockaddr *)&b->addr, b->len) < 0)
		stop("connect", strerror(errno));
	if (poll(&ready, 1, WAIT_MS) != 1)
		stop("accept", "nobody came");
	b->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (b->fd < 0)
		stop("accept", strerror(errno));
	close(listener);
	setsockopt(a->fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one));
	setsockopt(b->fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof(one));
}

static void connect_udp(struct end *a, struct end *b, const char *ns, const char *peer_ns)
{
	a->fd = socket_in(ns, a, SOCK_DGRAM);
	if (connect(a->fd, (struct sockaddr *)&b->addr, b->len) < 0)
		stop("connect", strerror(errno));
	if (!strcmp(peer_ns, "-"))
		return;
	b->fd = socket_in(peer_ns, b, SOCK_DGRAM);
	if (connect(b->fd, (struct sockaddr *)&a->addr, a->len) < 0)
		stop("connect", strerror(errno));
}

/* All that was sent has come: a datagram, or so many bytes of the stream. */
static bool received(int fd, size_t len, bool stream)
{
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	uint8_t buf[MESSAGE_MAX];

	do {
		ssize_t n;

		if (poll(&ready, 1, WAIT_MS) != 1)
			return false;
		n = recv(fd, buf, stream ? len : sizeof(buf), 0); /* len <= MESSAGE_MAX */
		if (n < 0 || (stream && !n))
			return false;
		len -= stream ? (size_t)n : len;
	} while (len);
	return true;
}

/* What a frame of the talk carries, and which end it is from. */
struct part {
	const uint8_t *data;
	size_t len;
	bool tcp, from_a;
};

static struct part part_of(const struct wire_frame *frame, const struct end *a)
{
	const uint8_t *ip = frame->data + 14, *end = frame->data + frame->len, *l4;
	bool v6 = ip[0] >> 4 == 6;
	uint16_t port = v6 ? ((const struct sockaddr_in6 *)&a->addr)->sin6_port
	                   : ((const struct sockaddr_in *)&a->addr)->sin_port;
	struct part part = {.tcp = ip[v6 ? 6 : 9] == IPPROTO_TCP};

	l4 = ip + (v6 ? 40 : (ip[0] & 15) * 4);
	end = ip + (v6 ? 40 + (ip[4] << 8 | ip[5]) : ip[2] << 8 | ip[3]);
	part.data = l4 + (part.tcp ? (l4[12] >> 4) * 4 : 8);
	part.len = (size_t)(end - part.data);
	/* Addresses of both ends may be alike, ports too, but not both. */
	part.from_a =
		memcmp(l4, &port, 2) == 0 &&
		memcmp(ip + (v6 ? 8 : 12),
	               v6 ? (const void *)&((const struct sockaddr_in6 *)&a->addr)->sin6_addr
	                  : (const void *)&((const struct sockaddr_in *)&a->addr)->sin_addr,
	               v6 ? 16 : 4) == 0;
	return part;
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void sleep_until(int64_t time_us)
{
	struct timespec at = {time_us / 1000000, time_us % 1000000 * 1000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		;
}

static unsigned play(const struct wire *w, struct end *a, struct end *b)
{
	int64_t begun_us = now_us(), first_us = 0;
	unsigned played = 0;

	for (size_t i = 0; i < wire_count(w); i++) {
		struct wire_frame frame = wire_packet(w, i);
		struct part part = part_of(&frame, a);
		int from = part.from_a ? a->fd : b->fd, to = part.from_a ? b->fd : a->fd;

		if (!i)
			first_us = frame.time_us;
		if ((part.tcp && !part.len) || from < 0)
			continue;
		sleep_until(begun_us + frame.time_us - first_us);
		/* An ICMP error of the packet before is told once, and the next try sends. */
		if (send(from, part.data, part.len, MSG_NOSIGNAL) < 0 &&
		    send(from, part.data, part.len, MSG_NOSIGNAL) < 0)
			stop("send", strerror(errno));
		if (to >= 0 && !received(to, part.len, part.tcp))
			stop("receive", "the other end was not reached");
		played++;
	}
	return played;
}

static struct media media_of(char **arg, const char *tuple)
{
	struct media media = {.payload_type = (uint8_t)number(arg[0], 127),
	                      .packets = number(arg[1], 10000)};

	/* Another stream from one conversation to the next. */
	for (const char *c = tuple; *c; c++)
		media.ssrc = media.ssrc * 131 + (uint8_t)*c;
	media.one_way = arg[2] && !strcmp(arg[2], "one-way");
	return media;
}

/* `arg` ends with NULLs. */
static void talk(struct wire *w, const char *tuple, const char *kind, char **arg)
{
	struct media media;
	char back[WIRE_TUPLE];

	wire_back(tuple, back);
	if (!strcmp(kind, "ice")) {
		talk_ice(w, tuple);
	} else if (!strcmp(kind, "rtp")) {
		media = media_of(arg, tuple);
		if (arg[2] && !strcmp(arg[2], "ice"))
			talk_ice(w, tuple);
		talk_rtp(w, tuple, &media);
	} else if (!strcmp(kind, "rtp_tcp")) {
		media = media_of(arg, tuple);
		talk_rtp_tcp(w, tuple, &media);
	} else if (!strcmp(kind, "msturn")) {
		media = media_of(arg + 1, tuple);
		talk_msturn(w, tuple, arg[0], &media);
	} else if (!strcmp(kind, "msturn_tcp")) {
		media = media_of(arg + 1, tuple);
		talk_msturn_tcp(w, tuple, arg[0], &media, arg[3] != NULL);
	} else if (!strcmp(kind, "dhcp") && arg[0]) {
		struct message m = message_dhcp(
			&(struct dhcp){.type = DHCP_DISCOVER, .xid = 7, .chaddr = arg[0]});

		talk_udp(w, tuple, &m);
	} else if ((!strcmp(kind, "udp") || !strcmp(kind, "tcp")) && arg[0]) {
		struct message ask = bytes_of(arg[0]), answer = bytes_of(arg[1]);

		if (!strcmp(kind, "tcp")) {
			talk_tcp(w, tuple, &ask, &answer);
			return;
		}
		talk_udp(w, tuple, &ask);
		if (arg[1])
			talk_udp(w, back, &answer);
	} else {
		stop(kind, "no such conversation, or not its arguments");
	}
}

int main(int argc, char **argv)
{
	char *arg[8] = {0};
	struct end a, b;
	const char *parted;

	if (argc < 5 || argc > 5 + (int)ARRAY_LEN(arg) - 3 ||
	    !(parted = strstr(argv[3], " > "))) {
		fprintf(stderr,
		        "usage: speak NS PEER|- 'A > B' ice | rtp PT N | rtp_tcp PT N | "
		        "msturn RELAYED PT N | msturn_tcp RELAYED PT N | dhcp CHADDR | "
		        "udp|tcp HEX [HEX]\n");
		return 2;
	}
	for (int i = 5; i < argc; i++)
		arg[i - 5] = argv[i];

	CLEANUP(wire_freep) struct wire *w = wire_new();

	talk(w, argv[3], argv[4], arg);
	a = end_of(argv[3], (size_t)(parted - argv[3]));
	b = end_of(parted + 3, strlen(parted + 3));
	struct wire_frame first = wire_packet(w, 0);

	if (part_of(&first, &a).tcp)
		connect_tcp(&a, &b, argv[1], argv[2]);
	else
		connect_udp(&a, &b, argv[1], argv[2]);
	printf("played %u\n", play(w, &a, &b));
	closep(&a.fd);
	closep(&b.fd);
	return 0;
}

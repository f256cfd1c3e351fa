/*
 * send.c - puts packets on an interface of the lab and says exactly how many it sent. A packet counts once
 * the kernel has taken it (packet(7)); while there is no room (ENOBUFS) it is offered again. A path in place
 * of the interface (it has a '/') becomes a capture file of what would have been sent.
 *
 *   send IF flows COUNT PER_SECOND [FIRST]   conversations of one unit, all distinct from number FIRST on, of
 *                                            which no dissector knows what they speak, so that nDPI is asked
 *   send IF syns COUNT PER_SECOND [PORT]     a SYN each, to one port of that unit (else to one after the other), of
 *                                            ever another source, and nobody answers
 *   send IF packets COUNT BYTES              one flow, as fast as possible, packets of BYTES from the IP header on
 *   send IF text TEXT [SECONDS]              one UDP packet whose payload begins with TEXT, that much later
 *   send IF frame HEX                        one frame as it stands, from the link header on
 *   send IF talk                             ten ordinary conversations within a second; three of them nDPI alone knows
 *
 * Prints "sent N".
 */
#include "tests/lib/talk.h"

#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define UNIT "10.20.0.15"
#define COUNT_MAX 10000000
#define STALLED_MAX 100000 /* waits of 100 us in a row without room: 10 s and more */

struct line {
	int fd;
	struct wire *file; /* in place of an interface */
	int64_t begun_us;
	uint64_t sent;
};

static void stop(const char *what, const char *why)
{
	fprintf(stderr, "send: %s: %s\n", what, why);
	exit(1);
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

static struct line line_open(const char *interface)
{
	if (strchr(interface, '/'))
		return (struct line){.fd = -1, .file = wire_new()};

	struct sockaddr_ll addr = {.sll_family = AF_PACKET,
	                           .sll_ifindex = (int)if_nametoindex(interface)};
	/* Protocol 0: nothing is received. */
	struct line line = {.fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0),
	                    .begun_us = now_us()};

	if (!addr.sll_ifindex)
		stop(interface, "no such interface");
	if (line.fd < 0 || bind(line.fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		stop(interface, strerror(errno));
	return line;
}

/* At that time since the beginning; or, if that is over, at once. */
static void line_put(struct line *line, const struct wire_frame *frame, int64_t after_us)
{
	line->sent++;
	if (line->file) {
		wire_at(line->file, (double)after_us / 1e6);
		wire_frame(line->file, frame->data, frame->len);
		return;
	}
	sleep_until(line->begun_us + after_us);
	for (unsigned stalled = 0; send(line->fd, frame->data, frame->len, 0) < 0; stalled++) {
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR)
			stop("cannot send", strerror(errno));
		if (stalled == STALLED_MAX)
			stop("cannot send", "no room for ten seconds");
		sleep_until(now_us() + 100);
	}
}

/* All there is on the wire, each packet at its time there, and `after_us` later. */
static void line_play(struct line *line, const struct wire *w, int64_t after_us)
{
	for (size_t i = 0; i < wire_count(w); i++) {
		struct wire_frame frame = wire_packet(w, i);

		line_put(line, &frame, after_us + frame.time_us - WIRE_EPOCH * 1000000);
	}
}

static uint64_t number(const char *text, const char *what, uint64_t most)
{
	char *end;
	uint64_t value = strtoull(text, &end, 10);

	if (end == text || *end || value > most)
		stop(text, what);
	return value;
}

/* Text: its first byte is that of no RTP, STUN, DNS or DTLS, and nDPI knows it as little. */
static struct message unheard_of(uint64_t number, const char *side)
{
	char text[64];

	snprintf(text, sizeof(text), "lab %s %08llu nobody knows this\n", side,
	         (unsigned long long)number);
	return message_text(text);
}

/* Three over UDP, one over TCP, and so on; question and answer. */
static void conversation(struct wire *w, uint64_t n)
{
	struct message ask = unheard_of(n, "ask"), answer = unheard_of(n, "answer");
	/* 198.18.0.0/15 is for tests of networks (RFC 2544). */
	unsigned peer = (unsigned)(n / 250 % 512);
	char tuple[WIRE_TUPLE], back[WIRE_TUPLE];

	snprintf(tuple, sizeof(tuple), UNIT ":%u > 198.%u.%u.%u:%u",
	         20000 + (unsigned)(n % 40000), 18 + peer / 256, peer % 256,
	         1 + (unsigned)(n % 250), 20000 + (unsigned)(n % 30000));
	if (n % 4 == 3) {
		talk_open(w, tuple);
		talk_send(w, tuple, &ask);
		talk_send(w, wire_back(tuple, back), &answer);
	} else {
		talk_udp(w, tuple, &ask);
		talk_udp(w, wire_back(tuple, back), &answer);
	}
}

static void send_flows(struct line *line, uint64_t count, uint64_t per_second, uint64_t first)
{
	for (uint64_t i = 0; i < count; i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		int64_t begin_us = (int64_t)(i * 1000000 / per_second);

		conversation(w, first + i);
		for (size_t k = 0; k < wire_count(w); k++) {
			struct wire_frame frame = wire_packet(w, k);

			line_put(line, &frame, begin_us + (int64_t)k * 10);
		}
	}
}

static void send_syns(struct line *line, uint64_t count, uint64_t per_second, unsigned port)
{
	for (uint64_t i = 0; i < count; i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		char tuple[WIRE_TUPLE];

		/* One port: of ever another network. All ports: of one host, as a scan. */
		snprintf(tuple, sizeof(tuple), "198.%u.%u.%u:%u > " UNIT ":%u",
		         18 + (port ? (unsigned)(i / 256 % 2) : 0), port ? (unsigned)(i % 256) : 0,
		         port ? 1 + (unsigned)(i / 512 % 250) : 9, 20000 + (unsigned)(i % 40000),
		         port ? port : 6000 + (unsigned)(i % 30000));
		wire_tcp(w, tuple, "S", NULL, 0);
		line_play(line, w, (int64_t)(i * 1000000 / per_second));
	}
}

static void send_packets(struct line *line, uint64_t count, uint64_t bytes)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct message m = {.len = bytes - 28}; /* without the headers of IPv4 and UDP */
	struct wire_frame frame;

	wire_udp(w, UNIT ":19000 > 198.18.0.1:19000", m.b, m.len);
	frame = wire_packet(w, 0);
	for (uint64_t i = 0; i < count; i++)
		line_put(line, &frame, 0);
}

static void send_text(struct line *line, const char *text, uint64_t after_s)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct message m = message_text(text);

	wire_udp(w, UNIT ":19001 > 198.18.0.1:19001", m.b, m.len);
	line_play(line, w, (int64_t)after_s * 1000000);
}

static void send_frame(struct line *line, const char *hex)
{
	struct message m = {0};
	struct wire_frame frame = {.data = m.b};
	unsigned value;

	for (; *hex; hex += 2) {
		if (sscanf(hex, "%2x", &value) != 1 || !hex[1])
			stop(hex, "not hexadecimal");
		message_add8(&m, value);
	}
	frame.len = frame.caplen = (uint32_t)m.len;
	line_put(line, &frame, 0);
}

static void send_talk(struct line *line)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct message noise = message_noise(80, 1), ldap = message_ldap_bind();

	talk_dns(
		w, UNIT ":52001 > 10.20.0.53:53",
		&(struct dns_case){"config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"});
	talk_tls(w, UNIT ":49160 > 203.0.113.20:443",
	         &(struct tls){.sni = "config.maestro.starleaf.com"});
	talk_tls(w, UNIT ":49161 > 52.112.64.12:443",
	         &(struct tls){.sni = "webdir.online.lync.com"});
	talk_ssh(w, UNIT ":49701 > 52.112.64.12:443"); /* nDPI's word */
	talk_http(w, "10.20.2.40:51000 > " UNIT ":80", UNIT, "/api/status");
	talk_ice(w, UNIT ":50004 > 52.112.1.9:50110");
	talk_tcp(w, UNIT ":49712 > 10.20.5.10:389", &ldap, &ldap); /* nDPI's word */
	talk_kerberos(w, UNIT ":49181 > 10.20.5.10:88");
	talk_udp(w, UNIT ":40000 > 198.51.100.7:40000", &noise);
	talk_ssh(w, "10.20.2.50:40000 > " UNIT ":22"); /* nDPI's word */
	wire_sort(w);
	line_play(line, w, 0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	struct line line;
	struct err err;

	if (argc < 3) {
		fprintf(stderr,
		        "usage: send IF|PATH flows COUNT PER_SECOND [FIRST] | syns COUNT PER_SECOND [PORT] | packets COUNT BYTES | "
		        "text TEXT [SECONDS] | frame HEX | talk\n");
		return 2;
	}
	line = line_open(argv[1]);
	if (!strcmp(what, "flows") && (argc == 5 || argc == 6)) {
		uint64_t rate = number(argv[4], "flows a second, from 1 to 100000", 100000);

		if (!rate)
			stop(argv[4], "flows a second, from 1 to 100000");
		send_flows(&line, number(argv[3], "no such number of flows", COUNT_MAX), rate,
		           argc == 6 ? number(argv[5], "no such number", COUNT_MAX) : 0);
	} else if (!strcmp(what, "syns") && (argc == 5 || argc == 6)) {
		uint64_t rate = number(argv[4], "SYNs a second, from 1 to 1000000", 1000000);

		if (!rate)
			stop(argv[4], "SYNs a second, from 1 to 1000000");
		send_syns(&line, number(argv[3], "no such number of SYNs", COUNT_MAX), rate,
		          argc == 6 ? (unsigned)number(argv[5], "no port", 65535) : 0);
	} else if (!strcmp(what, "packets") && argc == 5) {
		uint64_t bytes = number(argv[4], "bytes of a packet, from 28 to 4096", 4096);

		if (bytes < 28)
			stop(argv[4], "bytes of a packet, from 28 to 4096");
		send_packets(&line, number(argv[3], "no such number of packets", COUNT_MAX),
		             bytes);
	} else if (!strcmp(what, "text") && (argc == 4 || argc == 5)) {
		send_text(&line, argv[3],
		          argc == 5 ? number(argv[4], "seconds, up to 3600", 3600) : 0);
	} else if (!strcmp(what, "frame") && argc == 4) {
		send_frame(&line, argv[3]);
	} else if (!strcmp(what, "talk") && argc == 3) {
		send_talk(&line);
	} else {
		stop(what, "no such thing to send, or not its arguments");
	}
	if (line.file && wire_write(line.file, argv[1], &err) < 0)
		stop(argv[1], err.text);
	wire_free(line.file);
	closep(&line.fd);
	printf("sent %llu\n", (unsigned long long)line.sent);
	return 0;
}

/*
 * capture.c - writes what an interface of the lab carries, both ways, into a capture file, until SIGTERM or
 * SIGINT, or SECONDS have passed.
 *
 *   capture IF FILE SECONDS
 *
 * Prints "listening" once nothing is missed any more, and at the end "captured N".
 */
#include "tests/lib/wire.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>

#define ROOM (32 << 20) /* the kernel keeps so much for us meanwhile */
#define PACKETS_MAX 100000

static volatile sig_atomic_t over;

static void on_signal(int number)
{
	over = 1;
}

static double since_epoch(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (double)(now.tv_sec - WIRE_EPOCH) + (double)now.tv_nsec / 1e9;
}

static int stop(const char *what, const char *why)
{
	fprintf(stderr, "capture: %s: %s\n", what, why);
	return 1;
}

int main(int argc, char **argv)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(closep) int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sigaction action = {.sa_handler = on_signal};
	struct sockaddr_ll addr = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	static uint8_t frame[65536];
	struct pollfd ready = {.fd = fd, .events = POLLIN};
	int room = ROOM;
	double end;
	struct err err;

	if (argc != 4)
		return stop("usage", "capture IF FILE SECONDS");
	addr.sll_ifindex = (int)if_nametoindex(argv[1]);
	if (!addr.sll_ifindex)
		return stop(argv[1], "no such interface");
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0 ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return stop(argv[1], strerror(errno));
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	puts("listening");
	fflush(stdout);
	end = since_epoch() + strtod(argv[3], NULL);
	while (!over && since_epoch() < end && wire_count(w) < PACKETS_MAX) {
		ssize_t len;

		if (poll(&ready, 1, 100) <= 0)
			continue;
		len = recv(fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (len <= 0)
			continue;
		wire_at(w, since_epoch());
		wire_frame(w, frame, (size_t)len);
	}
	if (wire_write(w, argv[2], &err) < 0)
		return stop(argv[2], err.text);
	printf("captured %zu\n", wire_count(w));
	return 0;
}

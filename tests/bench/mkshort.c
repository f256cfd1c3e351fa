/*
 * mkshort.c - short flows that are all open at once, for the measurements: each sends its first packet before
 * any sends its second. Of four flows two are DNS questions, one is a TLS hello and its answer, one a request
 * to the unit's control API; every one is documented, so that each becomes a row.
 *
 *   mkshort FILE [FLOWS]
 */
#include "tests/lib/bulk.h"

#include "schema/packet.h"
#include "tests/lib/message.h"

#define UNITS 1000
#define UNIT 0x0a400101u     /* 10.64.1.1 and on */
#define RESOLVER 0x0a000035u /* 10.0.0.53 */
#define SERVICE 0x34700000u  /* 52.112.0.0 */
#define PANEL 0x0a140000u    /* 10.20.0.0: whoever controls the rooms */
#define NAMES 64
#define ROUNDS 5   /* packets of the longest */
#define PACE_US 10 /* between two packets */

enum kind { KIND_DNS, KIND_DNS_TOO, KIND_TLS, KIND_CONTROL, KIND_COUNT };

struct words {
	struct message ask, answer;
};

static struct words dns[NAMES], tls, control;

static void words_make(void)
{
	for (unsigned i = 0; i < NAMES; i++) {
		char name[64], addr[32];

		snprintf(name, sizeof(name), "service-%u.corp.example", i);
		snprintf(addr, sizeof(addr), "198.51.100.%u", 1 + i);
		dns[i].ask = message_dns_query(0, name, DNS_A);
		dns[i].answer = message_dns_answer(0, name, DNS_A, NULL, addr, 3600);
	}
	tls.ask = message_client_hello("webpool.online.lync.com", 0x0303);
	tls.answer = message_server_hello(0x0303, false);
	control.ask = message_http_get("room.corp.example", "/api/status");
	control.answer = message_http_answer(200, 120);
}

static struct bulk_ends flow_ends(uint32_t flow)
{
	uint32_t unit = UNIT + flow / KIND_COUNT % UNITS;
	uint32_t call = flow / KIND_COUNT / UNITS * KIND_COUNT + flow % KIND_COUNT;
	uint16_t port = (uint16_t)(20000 + call % 40000);

	switch (flow % KIND_COUNT) {
	case KIND_TLS:
		return (struct bulk_ends){unit, SERVICE + 1 + call % 250 + 256 * (call / 40000),
		                          port, 443};
	case KIND_CONTROL:
		return (struct bulk_ends){PANEL + 1 + flow % 4000, unit, port, 80};
	default:
		return (struct bulk_ends){unit, RESOLVER, port, 53};
	}
}

static bool dns_send(struct bulk *bulk, int64_t at_us, uint32_t flow, unsigned round)
{
	struct bulk_ends ends = flow_ends(flow);
	struct words *words = &dns[flow % NAMES];
	struct message *m = round ? &words->answer : &words->ask;

	if (round > 1)
		return false;
	m->b[0] = (uint8_t)(flow >> 10);
	m->b[1] = (uint8_t)(flow >> 2);
	ends = round ? bulk_back(ends) : ends;
	bulk_udp(bulk, at_us, &ends, m->b, m->len);
	return true;
}

/* SYN, SYN and ACK, ACK, request, answer. */
static bool tcp_send(struct bulk *bulk, int64_t at_us, uint32_t flow, unsigned round)
{
	static const uint8_t flags[ROUNDS] = {TCP_SYN, TCP_SYN | TCP_ACK, TCP_ACK,
	                                      TCP_PSH | TCP_ACK, TCP_PSH | TCP_ACK};
	const struct words *words = flow % KIND_COUNT == KIND_TLS ? &tls : &control;
	uint32_t client = flow * 0x9e3779b1u, server = flow * 0x85ebca6bu;
	struct bulk_ends ends = flow_ends(flow);
	struct bulk_tcp head = {flags[round], client + (round > 0), round ? server + 1 : 0};
	const struct message *m = round == 3 ? &words->ask : round == 4 ? &words->answer : NULL;

	if (round == 1 || round == 4) {
		ends = bulk_back(ends);
		head.seq = server + (round == 4);
		head.ack = client + 1 + (round == 4 ? (uint32_t)words->ask.len : 0);
	}
	bulk_tcp(bulk, at_us, &ends, &head, m ? m->b : NULL, m ? m->len : 0);
	return true;
}

int main(int argc, char **argv)
{
	CLEANUP(bulk_freep) struct bulk *bulk = NULL;
	uint64_t flows = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	int64_t at_us = 0;
	struct err err = {0};

	if (argc < 2 || argc > 3 || flows > 10000000) {
		fprintf(stderr, "usage: mkshort FILE [FLOWS]\n");
		return 2;
	}
	if (bulk_new(argv[1], &bulk, &err) < 0)
		goto failed;
	words_make();
	for (unsigned round = 0; round < ROUNDS; round++) {
		for (uint32_t i = 0; i < flows; i++) {
			bool udp = i % KIND_COUNT <= KIND_DNS_TOO;

			if (udp ? dns_send(bulk, at_us, i, round)
			        : tcp_send(bulk, at_us, i, round))
				at_us += PACE_US;
		}
	}
	if (bulk_finish(bulk, &err) < 0)
		goto failed;
	printf("short: %llu packets of %llu flows, all open at once\n",
	       (unsigned long long)bulk_packets(bulk), (unsigned long long)flows);
	return 0;
failed:
	fprintf(stderr, "mkshort: %s\n", err.text);
	return 1;
}

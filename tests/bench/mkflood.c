/*
 * mkflood.c - a flood of SYNs for the measurements: each from another address and port, all to one port of one
 * unit, 400,000 a second, and nobody answers.
 *
 *   mkflood FILE [TUPLES [PORT]]
 */
#include "tests/lib/bulk.h"

#include "schema/packet.h"

#define UNIT 0x0a40000fu    /* 10.64.0.15 */
#define SOURCES 0x14000000u /* 20.0.0.0/6 */
#define SOURCE_BITS 0x3ffffffu

int main(int argc, char **argv)
{
	CLEANUP(bulk_freep) struct bulk *bulk = NULL;
	uint64_t tuples = argc > 2 ? strtoull(argv[2], NULL, 10) : 2000000;
	unsigned port = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 8443;
	struct err err = {0};

	if (argc < 2 || argc > 4 || tuples > SOURCE_BITS) {
		fprintf(stderr, "usage: mkflood FILE [TUPLES [PORT]]\n");
		return 2;
	}
	if (bulk_new(argv[1], &bulk, &err) < 0)
		goto failed;
	for (uint32_t i = 0; i < tuples; i++) {
		/* An odd factor: no address comes twice. */
		struct bulk_ends ends = {.src = SOURCES + (i * 0x9e3779b1u & SOURCE_BITS),
		                         .dst = UNIT};
		struct bulk_tcp syn = {.flags = TCP_SYN, .seq = i * 0x85ebca6bu};

		ends.src_port = (uint16_t)(1024 + (i * 0xc2b2ae35u >> 16) % 64512);
		ends.dst_port = (uint16_t)port;
		bulk_tcp(bulk, (int64_t)i * 5 / 2, &ends, &syn, NULL, 0);
	}
	if (bulk_finish(bulk, &err) < 0)
		goto failed;
	printf("flood: %llu packets, as many tuples, to one port of one unit\n",
	       (unsigned long long)bulk_packets(bulk));
	return 0;
failed:
	fprintf(stderr, "mkflood: %s\n", err.text);
	return 1;
}

/*
 * bulk.h - capture files of any size, written as they are made: for the measurements, where wire.h (which
 * keeps every frame) would be too small. Ethernet, IPv4, checksums right, times since WIRE_EPOCH. The same
 * calls give the same bytes.
 */
#ifndef TESTS_LIB_BULK_H
#define TESTS_LIB_BULK_H

#include "schema/base.h"

struct bulk;

struct bulk_ends {
	uint32_t src, dst; /* as numbers: 0x0a000001 is 10.0.0.1 */
	uint16_t src_port, dst_port;
};

struct bulk_tcp {
	uint8_t flags; /* TCP_SYN, ... of schema/packet.h */
	uint32_t seq, ack;
};

/* On success *ret is the caller's; on failure err says why. */
int bulk_new(const char *path, struct bulk **ret, struct err *err) MUST_CHECK;
void bulk_free(struct bulk *bulk);
void bulk_freep(struct bulk **bulk);
/* Whether all that was put has been written; once, before bulk_free(). */
int bulk_finish(struct bulk *bulk, struct err *err) MUST_CHECK;
uint64_t bulk_packets(const struct bulk *bulk);
uint64_t bulk_bytes(const struct bulk *bulk); /* of the file */

/* Times must not go back. */
void bulk_frame(struct bulk *bulk, int64_t at_us, const uint8_t *frame, uint32_t caplen,
                uint32_t wire_len);
void bulk_udp(struct bulk *bulk, int64_t at_us, const struct bulk_ends *ends, const void *data,
              size_t len);
void bulk_tcp(struct bulk *bulk, int64_t at_us, const struct bulk_ends *ends,
              const struct bulk_tcp *tcp, const void *data, size_t len);
struct bulk_ends bulk_back(struct bulk_ends ends); /* the other direction */

/*
 * Puts `len` bytes (even) at `at` of a packet and mends the checksum at `sum` (RFC 1624), NULL for none. A UDP
 * checksum of 0 stays.
 */
void bulk_mend(uint8_t *at, const uint8_t *bytes, unsigned len, uint8_t *sum, bool udp);

/* The head of an Ethernet frame between a room system of `unit` and its router. */
void bulk_ethernet(uint8_t frame[14], uint32_t unit, bool from_unit, uint16_t ether_type);

#endif

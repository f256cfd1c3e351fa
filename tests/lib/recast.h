/*
 * recast.h - captures played again with other clients. Of any two addresses that talk one is taken for the
 * client: who sends, has more partners, is private, spoke first, in that order. It is given an address among
 * the units' (10.64.0.0/10, 2001:db8:64::/48); checksums are mended, quoted packets of ICMP errors too.
 */
#ifndef TESTS_LIB_RECAST_H
#define TESTS_LIB_RECAST_H

#include "tests/lib/bulk.h"

struct recast; /* one capture */

/* A folder of captures. Set gap_us and longest_us, zero the rest. */
struct recasting {
	int64_t gap_us,
		longest_us; /* longer silences are cut to that, longer captures played faster */
	struct recast **captures; /* those with packets, in name order */
	size_t count;
	uint64_t packets,
		left_out; /* of all: kept; without IP, malformed, cut before the ports */
	uint32_t clients; /* of all: each has a number below that */
};

/* On failure err says why; recasting_release() is due either way. */
int recasting_read(struct recasting *all, const char *folder, struct err *err) MUST_CHECK;
void recasting_release(struct recasting *all);

size_t recast_count(const struct recast *capture); /* of packets, at least 1 */
/* When a packet comes, from the capture's first on; never before the one before it. */
int64_t recast_at(const struct recast *capture, size_t packet);
/* Writes it at `at_us`; its client has the unit's address of its number + `first`. */
void recast_write(const struct recast *capture, size_t packet, int64_t at_us, uint32_t first,
                  struct bulk *bulk);

#endif

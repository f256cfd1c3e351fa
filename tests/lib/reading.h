/*
 * reading.h - a capture file read in blocks beside the same file read by libpcap: what comes out must be the same,
 * up to the words about damage.
 */
#ifndef TESTS_LIB_READING_H
#define TESTS_LIB_READING_H

#include "schema/base.h"

struct reading {
	const char *filter;
	uint64_t skip; /* packets of another process */
};

/* Whether both give the same of a file with these bytes; else `why` says where they part. */
bool reading_same(const uint8_t *data, size_t len, const struct reading *how, char why[256]);

#endif

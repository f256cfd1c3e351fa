/*
 * later.c - a capture whose packets from the N-th on come so many seconds later: `later IN OUT N SECONDS`. For what
 * becomes of records in hours and days. IN is as the other tools here write it.
 */
#include "schema/base.h"

#include <stdio.h>
#include <stdlib.h>

#define HEAD 24
#define RECORD 16

int main(int argc, char **argv)
{
	FILE *in = argc == 5 ? fopen(argv[1], "rb") : NULL,
	     *out = in ? fopen(argv[2], "wb") : NULL;
	uint8_t bytes[65536 + HEAD];
	uint32_t record[RECORD / 4]; /* seconds, microseconds, bytes here, bytes on the wire */
	unsigned long number = 0, first = argc == 5 ? strtoul(argv[3], NULL, 10) : 0;

	if (!out || fread(bytes, HEAD, 1, in) != 1 || fwrite(bytes, HEAD, 1, out) != 1) {
		fprintf(stderr, "usage: later IN OUT N SECONDS\n");
		return 2;
	}
	while (fread(record, RECORD, 1, in) == 1 && record[2] <= 65536 &&
	       fread(bytes, 1, record[2], in) == record[2]) {
		if (++number >= first)
			record[0] += (uint32_t)strtoul(argv[4], NULL, 10);
		fwrite(record, RECORD, 1, out);
		fwrite(bytes, 1, record[2], out);
	}
	fclose(in);
	return fclose(out) ? 1 : 0;
}

/*
 * fuzz_capture.c - capture files: what is read in blocks must be what libpcap reads, up to the words about damage.
 */
#include "tests/lib/reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct reading ways[] = {{0}, {.filter = "udp"}, {.skip = 1}};
	char why[256];

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		if (reading_same(data, size, &ways[i], why))
			continue;
		fprintf(stderr, "way %zu: %s\n", i, why);
		abort();
	}
	return 0;
}

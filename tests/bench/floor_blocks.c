/*
 * floor_blocks.c - the least a program pays that reads a capture file itself, in blocks of 256 KiB: it goes from
 * one record's head to the next, counts packets and bytes, and looks at nothing else. pcap of this machine's byte order.
 */
#include "schema/base.h"

#include <fcntl.h>
#include <unistd.h>

#define BLOCK (256 << 10)
#define RECORD_MAX 65536
#define FILE_HEAD 24
#define RECORD_HEAD 16

static unsigned long long packets, bytes;

/* Returns how much of `buf` was whole records. */
static size_t walk(const uint8_t *buf, size_t len)
{
	size_t at = 0;

	while (at + RECORD_HEAD <= len) {
		uint32_t sizes[2]; /* captured, on the wire */

		memcpy(sizes, buf + at + 8, sizeof(sizes));
		if (sizes[0] > RECORD_MAX || at + RECORD_HEAD + sizes[0] > len)
			break;
		packets++;
		bytes += sizes[1];
		at += RECORD_HEAD + sizes[0];
	}
	return at;
}

int main(int argc, char **argv)
{
	static uint8_t buf[BLOCK + RECORD_HEAD + RECORD_MAX];
	CLEANUP(closep) int fd = argc == 2 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	size_t kept = 0;
	uint32_t magic;
	ssize_t got;

	if (fd < 0 || read(fd, buf, FILE_HEAD) != FILE_HEAD) {
		fprintf(stderr, "usage: floor_blocks FILE\n");
		return 2;
	}
	memcpy(&magic, buf, sizeof(magic));
	if (magic != 0xa1b2c3d4 && magic != 0xa1b23c4d) {
		fprintf(stderr, "floor_blocks: %s: no pcap of this machine's byte order\n",
		        argv[1]);
		return 1;
	}
	while ((got = read(fd, buf + kept, BLOCK)) > 0) {
		size_t len = kept + (size_t)got, done = walk(buf, len);

		kept = len - done;
		if (kept > RECORD_HEAD + RECORD_MAX)
			break;
		memmove(buf, buf + done, kept);
	}
	printf("%llu packets, %llu bytes\n", packets, bytes);
	return got < 0 || kept ? 1 : 0;
}

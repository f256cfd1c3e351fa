/*
 * pcapng.c - see pcapng.h. Every block is | type 4 | length 4 | body | length 4 |, every option | code 2 | length 2 |
 * value, padded to 4 |, all in the byte order of this machine, which the section's magic number tells.
 */
#include "monitor/commands/pcapng.h"

enum { BLOCK_SECTION = 0x0a0d0d0a, BLOCK_INTERFACE = 1, BLOCK_PACKET = 6 };
enum { OPTION_END = 0, OPTION_COMMENT = 1, SECTION_PROGRAM = 4, INTERFACE_TSRESOL = 9 };
#define MAGIC 0x1a2b3c4d
#define OPTION_MAX 65532 /* a length of 16 bits, and a whole number of words */

static size_t padded(size_t len)
{
	return (len + 3) / 4 * 4;
}

static void put16(FILE *file, uint16_t value)
{
	fwrite(&value, sizeof(value), 1, file);
}

static void put32(FILE *file, uint32_t value)
{
	fwrite(&value, sizeof(value), 1, file);
}

static void put_padded(FILE *file, const void *bytes, size_t len)
{
	static const uint8_t zeros[4];

	if (len)
		fwrite(bytes, 1, len, file);
	fwrite(zeros, 1, padded(len) - len, file);
}

static size_t text_len(const char *text)
{
	return strnlen(text, OPTION_MAX);
}

static size_t option_len(const char *text)
{
	return 4 + padded(text_len(text));
}

static void put_option(FILE *file, uint16_t code, const void *value, size_t len)
{
	put16(file, code);
	put16(file, (uint16_t)len);
	put_padded(file, value, len);
}

static void put_text(FILE *file, uint16_t code, const char *text)
{
	put_option(file, code, text, text_len(text));
}

void pcapng_begin(struct pcapng *pcapng, FILE *file, const char *program,
                  const char *const *comments, size_t count, uint32_t snaplen)
{
	size_t len = 28 + option_len(program) + 4;

	*pcapng = (struct pcapng){.file = file, .snaplen = snaplen};
	for (size_t i = 0; i < count; i++)
		len += option_len(comments[i]);
	put32(file, BLOCK_SECTION);
	put32(file, (uint32_t)len);
	put32(file, MAGIC);
	put16(file, 1); /* version 1.0 */
	put16(file, 0);
	put32(file, UINT32_MAX); /* the section's length: not told */
	put32(file, UINT32_MAX);
	for (size_t i = 0; i < count; i++)
		put_text(file, OPTION_COMMENT, comments[i]);
	put_text(file, SECTION_PROGRAM, program);
	put_option(file, OPTION_END, "", 0);
	put32(file, (uint32_t)len);
}

/* Numbers of https://www.tcpdump.org/linktypes.html. Of a loopback readers find out the byte order themselves. */
static uint16_t linktype(enum link link)
{
	static const uint16_t types[LINK_COUNT] = {[LINK_ETHERNET] = 1,
	                                           [LINK_SLL] = 113,
	                                           [LINK_SLL2] = 276,
	                                           [LINK_RAW] = 101,
	                                           [LINK_LOOPBACK] = 0};

	return types[link];
}

static void put_interface(struct pcapng *pcapng, enum link link)
{
	static const uint8_t MICROSECONDS = 6;
	const uint32_t len = 20 + 8 + 4;

	put32(pcapng->file, BLOCK_INTERFACE);
	put32(pcapng->file, len);
	put16(pcapng->file, linktype(link));
	put16(pcapng->file, 0);
	put32(pcapng->file, pcapng->snaplen);
	put_option(pcapng->file, INTERFACE_TSRESOL, &MICROSECONDS, 1);
	put_option(pcapng->file, OPTION_END, "", 0);
	put32(pcapng->file, len);
	pcapng->interface[link] = ++pcapng->interfaces;
}

void pcapng_put(struct pcapng *pcapng, const struct pcapng_packet *packet)
{
	FILE *file = pcapng->file;
	uint32_t len = (uint32_t)(32 + padded(packet->len) + option_len(packet->comment) + 4);

	if (!pcapng->interface[packet->link])
		put_interface(pcapng, packet->link);
	put32(file, BLOCK_PACKET);
	put32(file, len);
	put32(file, pcapng->interface[packet->link] - 1);
	put32(file, (uint32_t)((uint64_t)packet->time_us >> 32));
	put32(file, (uint32_t)packet->time_us);
	put32(file, packet->len);
	put32(file, packet->wire_len);
	put_padded(file, packet->bytes, packet->len);
	put_text(file, OPTION_COMMENT, packet->comment);
	put_option(file, OPTION_END, "", 0);
	put32(file, len);
}

/*
 * capture_plain.c - see capture_plain.h. Lengths are held against what lies there before anything behind them
 * is read. What libpcap does with times and lengths is done here as it does it: a damaged file must give the same.
 *
 *   pcap:   | magic, major, minor, zone, sigfigs, snap length, link | (seconds, fraction, caplen, len | bytes) ...
 *   pcapng: | type, length | body | length | ..., all blocks; a packet's body (EPB):
 *           | interface, time high, time low, caplen, len | bytes, padding | options |
 */
#include "monitor/capture/capture_plain.h"
#include "monitor/capture/capture_blocks.h"

#include <limits.h>

#define SNAP_MAX 262144 /* libpcap's, for the link types that are read */
#define HEAD 24         /* of a pcap file */
#define RECORD 16       /* before a packet in it */
#define FRAME 12        /* of a pcapng block, around its body */
#define PACKET 20       /* an EPB's fields before the bytes */
#define INTERFACES_MAX 16

enum { MAGIC_US = 0xa1b2c3d4, MAGIC_NS = 0xa1b23c4d, MAGIC_ORDER = 0x1a2b3c4d };
/* Blocks of pcapng. */
enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, PACKET_OLD = 2, PACKET_SIMPLE = 3, PACKET_ENHANCED = 6 };
enum { OPTION_END = 0, OPTION_RESOLUTION = 9, OPTION_OFFSET = 14 };

struct plain {
	struct blocks blocks;
	bool ng, swapped;
	int dlt;
	uint32_t snap;
	unsigned per_us; /* pcap: parts of a second in a microsecond */
	/* pcapng: of each interface, parts of a second in a microsecond */
	unsigned interfaces, resolution[INTERFACES_MAX];
};

static uint16_t u16(const struct plain *plain, const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return plain->swapped ? __builtin_bswap16(value) : value;
}

static uint32_t u32(const struct plain *plain, const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return plain->swapped ? __builtin_bswap32(value) : value;
}

/* Of a link type as files have it; -1: libpcap may know it. */
static int dlt_of(uint32_t link)
{
	static const struct {
		uint32_t link;
		int dlt;
	} KNOWN[] = {{0, DLT_NULL},  {1, DLT_EN10MB}, {101, DLT_RAW},  {108, DLT_LOOP},
	             {113, DLT_LINUX_SLL}, {228, DLT_IPV4}, {229, DLT_IPV6}, {276, DLT_LINUX_SLL2}};

	for (size_t i = 0; i < ARRAY_LEN(KNOWN); i++)
		if (KNOWN[i].link == link)
			return KNOWN[i].dlt;
	return -1;
}

static uint32_t snap_of(uint32_t snap)
{
	return snap && snap <= INT_MAX ? snap : SNAP_MAX;
}

static bool begin_pcap(struct plain *plain)
{
	const uint8_t *head = blocks_need(&plain->blocks, HEAD);
	uint32_t magic;

	if (!head)
		return false;
	memcpy(&magic, head, sizeof(magic));
	plain->swapped = magic != MAGIC_US && magic != MAGIC_NS;
	magic = u32(plain, head);
	if ((magic != MAGIC_US && magic != MAGIC_NS) || u16(plain, head + 4) != 2 ||
	    u16(plain, head + 6) != 4 || dlt_of(u32(plain, head + 20)) != plain->dlt)
		return false;
	plain->per_us = magic == MAGIC_NS ? 1000 : 1;
	plain->snap = snap_of(u32(plain, head + 16));
	blocks_take(&plain->blocks, HEAD);
	return true;
}

static bool begin_ng(struct plain *plain)
{
	const uint8_t *head = blocks_need(&plain->blocks, 16);
	uint32_t type, order;

	if (!head)
		return false;
	memcpy(&type, head, sizeof(type));
	memcpy(&order, head + 8, sizeof(order));
	plain->swapped = order != MAGIC_ORDER;
	plain->ng = true;
	return type == SECTION && u32(plain, head + 8) == MAGIC_ORDER && u16(plain, head + 12) == 1 &&
	       !u16(plain, head + 14);
}

struct plain *plain_new(int fd, int dlt)
{
	struct plain *plain = calloc(1, sizeof(*plain));

	if (!plain)
		return NULL;
	plain->dlt = dlt;
	if (!blocks_init(&plain->blocks, fd) && (begin_pcap(plain) || begin_ng(plain)))
		return plain;
	plain_free(plain);
	return NULL;
}

void plain_free(struct plain *plain)
{
	if (!plain)
		return;
	blocks_release(&plain->blocks);
	free(plain);
}

uint64_t plain_offset(const struct plain *plain)
{
	return plain->blocks.offset - (plain->blocks.end - plain->blocks.at);
}

/* libpcap takes seconds for signed where the file has our byte order, and not where it has not. */
static enum plain_next next_pcap(struct plain *plain, struct pcap_pkthdr *header,
                                 const uint8_t **ret_bytes)
{
	const uint8_t *at = blocks_need(&plain->blocks, RECORD);
	uint32_t s, fraction, caplen;

	if (!at)
		return blocks_over(&plain->blocks) ? PLAIN_END : PLAIN_STRANGE;
	caplen = u32(plain, at + 8);
	if (caplen > SNAP_MAX || caplen > plain->snap ||
	    !(at = blocks_need(&plain->blocks, RECORD + caplen)))
		return PLAIN_STRANGE;
	s = u32(plain, at);
	fraction = u32(plain, at + 4);
	header->ts.tv_sec = plain->swapped ? (int64_t)s : (int32_t)s;
	header->ts.tv_usec = (plain->swapped ? (int64_t)fraction : (int32_t)fraction) /
	                     (int)plain->per_us;
	header->caplen = caplen;
	header->len = u32(plain, at + 12);
	*ret_bytes = at + RECORD;
	blocks_take(&plain->blocks, RECORD + caplen);
	return PLAIN_PACKET;
}

/* `body` of `len` bytes; false: there is something about it that we do not read. */
static bool interface_add(struct plain *plain, const uint8_t *body, uint32_t len)
{
	unsigned per_us = 1;
	bool told = false;
	uint32_t snap;

	if (len < 8 || plain->interfaces == INTERFACES_MAX || dlt_of(u16(plain, body)) != plain->dlt)
		return false;
	snap = snap_of(u32(plain, body + 4));
	if (plain->interfaces && snap != plain->snap)
		return false;
	for (uint32_t at = 8; at < len;) {
		uint32_t code, size;

		if (len - at < 4)
			return false;
		code = u16(plain, body + at);
		size = u16(plain, body + at + 2);
		at += 4;
		if (code == OPTION_END && !size)
			break;
		if (code == OPTION_END || code == OPTION_OFFSET || ((size + 3) & ~3u) > len - at)
			return false;
		if (code == OPTION_RESOLUTION) {
			if (size != 1 || told || (body[at] != 6 && body[at] != 9))
				return false;
			told = true;
			per_us = body[at] == 9 ? 1000 : 1;
		}
		at += (size + 3) & ~3u;
	}
	plain->snap = snap;
	plain->resolution[plain->interfaces++] = per_us;
	return true;
}

static bool packet_enhanced(const struct plain *plain, const uint8_t *body, uint32_t len,
                            struct pcap_pkthdr *header, const uint8_t **ret_bytes)
{
	uint32_t interface, per_s;
	uint64_t time;

	if (len < PACKET)
		return false;
	interface = u32(plain, body);
	time = (uint64_t)u32(plain, body + 4) << 32 | u32(plain, body + 8);
	header->caplen = u32(plain, body + 12);
	header->len = u32(plain, body + 16);
	if (interface >= plain->interfaces || header->caplen > plain->snap ||
	    header->caplen > len - PACKET)
		return false;
	per_s = plain->resolution[interface] * 1000000;
	header->ts.tv_sec = (time_t)(time / per_s);
	header->ts.tv_usec = (suseconds_t)(time % per_s / plain->resolution[interface]);
	*ret_bytes = body + PACKET;
	return true;
}

static enum plain_next next_ng(struct plain *plain, struct pcap_pkthdr *header,
                               const uint8_t **ret_bytes)
{
	for (;;) {
		const uint8_t *at = blocks_need(&plain->blocks, 8), *body;
		bool first = !plain_offset(plain);
		uint32_t type, len;

		if (!at)
			return blocks_over(&plain->blocks) ? PLAIN_END : PLAIN_STRANGE;
		type = u32(plain, at);
		len = u32(plain, at + 4);
		if (len < FRAME || len % 4 || len > PIECE_MAX ||
		    !(at = blocks_need(&plain->blocks, len)) || u32(plain, at + len - 4) != len)
			return PLAIN_STRANGE;
		body = at + 8;
		if ((type == SECTION && !first) || type == PACKET_OLD || type == PACKET_SIMPLE ||
		    (type == INTERFACE && !interface_add(plain, body, len - FRAME)) ||
		    (type == PACKET_ENHANCED &&
		     !packet_enhanced(plain, body, len - FRAME, header, ret_bytes)))
			return PLAIN_STRANGE;
		blocks_take(&plain->blocks, len);
		if (type == PACKET_ENHANCED)
			return PLAIN_PACKET;
	}
}

enum plain_next plain_next(struct plain *plain, struct pcap_pkthdr *header,
                           const uint8_t **ret_bytes)
{
	return plain->ng ? next_ng(plain, header, ret_bytes)
	                 : next_pcap(plain, header, ret_bytes);
}

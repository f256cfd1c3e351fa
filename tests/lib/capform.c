/*
 * capform.c - see capform.h.
 */
#include "tests/lib/capform.h"

#include <endian.h>

#define HEAD 24
#define RECORD 16

static const char *const NAMES[] = {
#define ENTRY(name) #name,
	CAPFORMS(ENTRY)
#undef ENTRY
};

struct out {
	uint8_t *data;
	size_t len;
	bool big, ng;
	uint32_t per_us;
};

struct packet_record {
	uint32_t s, us, caplen, len;
	const uint8_t *bytes;
};

const char *capform_name(enum capform form)
{
	return NAMES[form];
}

static void put16(struct out *out, uint16_t value)
{
	value = out->big ? htobe16(value) : htole16(value);
	memcpy(out->data + out->len, &value, sizeof(value));
	out->len += sizeof(value);
}

static void put32(struct out *out, uint32_t value)
{
	value = out->big ? htobe32(value) : htole32(value);
	memcpy(out->data + out->len, &value, sizeof(value));
	out->len += sizeof(value);
}

static void put(struct out *out, const uint8_t *bytes, size_t len, size_t padded)
{
	memcpy(out->data + out->len, bytes, len);
	memset(out->data + out->len + len, 0, padded - len);
	out->len += padded;
}

static uint32_t little(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static void begin_pcap(struct out *out, const uint8_t *head)
{
	put32(out, out->per_us == 1000 ? 0xa1b23c4d : 0xa1b2c3d4);
	put16(out, 2);
	put16(out, 4);
	put32(out, 0);
	put32(out, 0);
	put32(out, little(head + 16));
	put32(out, little(head + 20));
}

static void begin_ng(struct out *out, const uint8_t *head)
{
	bool nano = out->per_us == 1000;

	put32(out, 0x0a0d0d0a); /* a section, whose length is not said */
	put32(out, 28);
	put32(out, 0x1a2b3c4d);
	put16(out, 1);
	put16(out, 0);
	put32(out, UINT32_MAX);
	put32(out, UINT32_MAX);
	put32(out, 28);
	put32(out, 1); /* an interface */
	put32(out, nano ? 32 : 20);
	put16(out, (uint16_t)little(head + 20));
	put16(out, 0);
	put32(out, little(head + 16));
	if (nano) {
		put16(out, 9); /* if_tsresol */
		put16(out, 1);
		put(out, (const uint8_t[]){9}, 1, 4);
		put16(out, 0);
		put16(out, 0);
	}
	put32(out, nano ? 32 : 20);
}

static void put_pcap(struct out *out, const struct packet_record *packet)
{
	put32(out, packet->s);
	put32(out, packet->us * out->per_us);
	put32(out, packet->caplen);
	put32(out, packet->len);
	put(out, packet->bytes, packet->caplen, packet->caplen);
}

static void put_ng(struct out *out, const struct packet_record *packet)
{
	uint64_t time = ((uint64_t)packet->s * 1000000 + packet->us) * out->per_us;
	uint32_t padded = (packet->caplen + 3) & ~3u;

	put32(out, 6);
	put32(out, 32 + padded);
	put32(out, 0);
	put32(out, (uint32_t)(time >> 32));
	put32(out, (uint32_t)time);
	put32(out, packet->caplen);
	put32(out, packet->len);
	put(out, packet->bytes, packet->caplen, padded);
	put32(out, 32 + padded);
	if (out->per_us == 1)
		return;
	put32(out, 5); /* statistics of the interface */
	put32(out, 24);
	put32(out, 0);
	put32(out, (uint32_t)(time >> 32));
	put32(out, (uint32_t)time);
	put32(out, 24);
}

uint8_t *capform_of(const uint8_t *data, size_t len, enum capform form, size_t *ret_len)
{
	struct out out = {
		.big = form == CAPFORM_pcap_big || form == CAPFORM_pcap_nano_big ||
		       form == CAPFORM_ng_big,
		.ng = form >= CAPFORM_ng_little,
		.per_us = form == CAPFORM_pcap_nano || form == CAPFORM_pcap_nano_big ||
	                          form == CAPFORM_ng_nano
	                  ? 1000
	                  : 1,
	};
	size_t at = HEAD;

	if (len < HEAD || little(data) != 0xa1b2c3d4)
		return NULL;
	out.data = malloc(4 * len + 256); /* of the smallest packet, 16 bytes become 60 */
	if (!out.data)
		return NULL;
	out.ng ? begin_ng(&out, data) : begin_pcap(&out, data);
	while (len - at >= RECORD) {
		const uint8_t *record = data + at;
		struct packet_record packet = {little(record), little(record + 4),
		                               little(record + 8), little(record + 12),
		                               record + RECORD};

		if (packet.caplen > len - at - RECORD)
			break;
		out.ng ? put_ng(&out, &packet) : put_pcap(&out, &packet);
		at += RECORD + packet.caplen;
	}
	*ret_len = out.len;
	return out.data;
}

uint8_t *capform_load(const char *path, size_t *ret_len)
{
	CLEANUP(fclosep) FILE *file = fopen(path, "rbe");
	long len = -1;
	uint8_t *data;

	if (file && !fseek(file, 0, SEEK_END))
		len = ftell(file);
	data = len >= 0 ? malloc((size_t)len + 1) : NULL;
	if (!data || fseek(file, 0, SEEK_SET) ||
	    fread(data, 1, (size_t)len, file) != (size_t)len) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		free(data);
		return NULL;
	}
	*ret_len = (size_t)len;
	return data;
}

/*
 * bulk.c - see bulk.h.
 */
#include "tests/lib/bulk.h"

#include "schema/packet.h"
#include "tests/lib/wire.h"

#define ETHERNET 14
#define FRAME_MIN 60
#define FRAME_MAX 2048
#define UNITS_NET 0x0a400000u /* 10.64.0.0/10 */
#define UNITS_MASK 0xffc00000u

struct bulk {
	FILE *file;
	char *path;
	uint64_t packets, bytes;
	uint16_t ip_id;
};

static void put16(uint8_t *b, uint32_t value)
{
	b[0] = (uint8_t)(value >> 8);
	b[1] = (uint8_t)value;
}

static void put32(uint8_t *b, uint32_t value)
{
	put16(b, value >> 16);
	put16(b + 2, value);
}

static void write_all(struct bulk *bulk, const void *data, size_t len)
{
	fwrite(data, 1, len, bulk->file); /* bulk_finish() asks whether that went well */
	bulk->bytes += len;
}

int bulk_new(const char *path, struct bulk **ret, struct err *err)
{
	const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, WIRE_ETHERNET};
	CLEANUP(bulk_freep) struct bulk *bulk = calloc(1, sizeof(*bulk));

	if (!bulk)
		return err_set(err, -ENOMEM, "out of memory");
	bulk->path = strdup(path);
	bulk->file = fopen(path, "we");
	if (!bulk->file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	setvbuf(bulk->file, NULL, _IOFBF, 1 << 20);
	write_all(bulk, head, sizeof(head));
	*ret = TAKE(bulk);
	return 0;
}

void bulk_free(struct bulk *bulk)
{
	if (!bulk)
		return;
	if (bulk->file)
		fclose(bulk->file);
	free(bulk->path);
	free(bulk);
}

void bulk_freep(struct bulk **bulk)
{
	bulk_free(*bulk);
}

int bulk_finish(struct bulk *bulk, struct err *err)
{
	if (fflush(bulk->file) || ferror(bulk->file))
		return err_set(err, -EIO, "%s: could not be written to its end", bulk->path);
	return 0;
}

uint64_t bulk_packets(const struct bulk *bulk)
{
	return bulk->packets;
}

uint64_t bulk_bytes(const struct bulk *bulk)
{
	return bulk->bytes;
}

void bulk_frame(struct bulk *bulk, int64_t at_us, const uint8_t *frame, uint32_t caplen,
                uint32_t wire_len)
{
	int64_t us = WIRE_EPOCH * 1000000 + at_us;
	const uint32_t head[4] = {(uint32_t)(us / 1000000), (uint32_t)(us % 1000000), caplen,
	                          wire_len};

	write_all(bulk, head, sizeof(head));
	write_all(bulk, frame, caplen);
	bulk->packets++;
}

static uint32_t sum_add(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (len % 2)
		sum += (uint32_t)data[len - 1] << 8;
	return sum;
}

static uint32_t sum_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

void bulk_mend(uint8_t *at, const uint8_t *bytes, unsigned len, uint8_t *sum, bool udp)
{
	uint32_t now;

	if (sum && !(udp && !sum[0] && !sum[1])) {
		now = ~((uint32_t)sum[0] << 8 | sum[1]) & 0xffff;
		for (unsigned i = 0; i < len; i += 2) {
			now += ~((uint32_t)at[i] << 8 | at[i + 1]) & 0xffff;
			now += (uint32_t)bytes[i] << 8 | bytes[i + 1];
		}
		now = sum_fold(now);
		put16(sum, udp && !now ? 0xffff : now);
	}
	memcpy(at, bytes, len);
}

void bulk_ethernet(uint8_t frame[14], uint32_t unit, bool from_unit, uint16_t ether_type)
{
	static const uint8_t router[6] = {0x00, 0x00, 0x5e, 0x00, 0x01, 0x01};
	uint8_t mac[6] = {0x02, 0x40};

	put32(mac + 2, unit);
	memcpy(frame, from_unit ? router : mac, 6);
	memcpy(frame + 6, from_unit ? mac : router, 6);
	put16(frame + 12, ether_type);
}

/* Headers below the transport for `len` bytes of it; returns where it begins. */
static uint8_t *begin(struct bulk *bulk, uint8_t *frame, const struct bulk_ends *ends,
                      uint8_t transport, size_t len)
{
	bool from_unit = (ends->src & UNITS_MASK) == UNITS_NET;
	uint8_t *ip = frame + ETHERNET;

	if (ETHERNET + 20 + len > FRAME_MAX) {
		fprintf(stderr, "bulk: a packet of %zu bytes is too long\n", len);
		exit(2);
	}
	memset(frame, 0, FRAME_MIN);
	bulk_ethernet(frame, from_unit ? ends->src : ends->dst, from_unit, 0x0800);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(20 + len));
	put16(ip + 4, ++bulk->ip_id);
	ip[6] = 0x40; /* do not fragment */
	ip[8] = 64;
	ip[9] = transport;
	put32(ip + 12, ends->src);
	put32(ip + 16, ends->dst);
	put16(ip + 10, sum_fold(sum_add(0, ip, 20)));
	put16(ip + 20, ends->src_port);
	put16(ip + 22, ends->dst_port);
	return ip + 20;
}

static void end(struct bulk *bulk, int64_t at_us, uint8_t *frame, uint8_t *sum, size_t len)
{
	const uint8_t *ip = frame + ETHERNET;
	uint32_t size = (uint32_t)(ETHERNET + 20 + len);
	uint32_t value = sum_add(ip[9] + (uint32_t)len, ip + 12, 8);

	value = sum_fold(sum_add(value, ip + 20, len));
	put16(sum, ip[9] == TRANSPORT_UDP && !value ? 0xffff : value);
	size = size < FRAME_MIN ? FRAME_MIN : size;
	bulk_frame(bulk, at_us, frame, size, size);
}

void bulk_udp(struct bulk *bulk, int64_t at_us, const struct bulk_ends *ends, const void *data,
              size_t len)
{
	uint8_t frame[FRAME_MAX];
	uint8_t *udp = begin(bulk, frame, ends, TRANSPORT_UDP, 8 + len);

	put16(udp + 4, (uint32_t)(8 + len));
	put16(udp + 6, 0);
	memcpy(udp + 8, data, len);
	end(bulk, at_us, frame, udp + 6, 8 + len);
}

void bulk_tcp(struct bulk *bulk, int64_t at_us, const struct bulk_ends *ends,
              const struct bulk_tcp *tcp, const void *data, size_t len)
{
	uint8_t frame[FRAME_MAX];
	uint8_t *head = begin(bulk, frame, ends, TRANSPORT_TCP, 20 + len);

	put32(head + 4, tcp->seq);
	put32(head + 8, tcp->ack);
	head[12] = 0x50;
	head[13] = tcp->flags;
	put16(head + 14, 64240);
	put16(head + 16, 0);
	put16(head + 18, 0);
	if (len)
		memcpy(head + 20, data, len);
	end(bulk, at_us, frame, head + 16, 20 + len);
}

struct bulk_ends bulk_back(struct bulk_ends ends)
{
	return (struct bulk_ends){ends.dst, ends.src, ends.dst_port, ends.src_port};
}

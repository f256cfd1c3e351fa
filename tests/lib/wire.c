/*
 * wire.c - packets for tests. Invariants:
 *  (1) The same calls give the same bytes: no clock, no random numbers, no host byte order.
 *  (2) Every checksum is right and every length agrees, unless a frame was given as it stands.
 *  (3) A tuple's sequence numbers follow its data, also over data that was lost.
 */
#include "tests/lib/wire_inner.h"

static void *grown(void *items, size_t *room, size_t want, size_t size)
{
	if (want <= *room)
		return items;
	while (*room < want)
		*room = *room ? *room * 2 : 64;
	items = realloc(items, *room * size);
	if (!items)
		wrong("out of memory", "");
	return items;
}

struct wire *wire_new(void)
{
	struct wire *w = calloc(1, sizeof(*w));

	if (!w)
		wrong("out of memory", "");
	w->link = WIRE_ETHERNET;
	w->mss = 1460;
	w->ip_id = 1;
	w->now_us = WIRE_EPOCH * 1000000;
	return w;
}

void wire_free(struct wire *w)
{
	if (!w)
		return;
	free(w->frames);
	free(w->bytes);
	free(w);
}

void wire_freep(struct wire **w)
{
	wire_free(*w);
	*w = NULL;
}

static int64_t microseconds(double seconds)
{
	return (int64_t)(seconds * 1e6 + (seconds < 0 ? -0.5 : 0.5));
}

void wire_at(struct wire *w, double seconds)
{
	w->now_us = WIRE_EPOCH * 1000000 + microseconds(seconds);
}

void wire_wait(struct wire *w, double seconds)
{
	w->now_us += microseconds(seconds);
}

double wire_now(const struct wire *w)
{
	return (double)(w->now_us - WIRE_EPOCH * 1000000) / 1e6;
}

void wire_link(struct wire *w, enum wire_link link)
{
	w->link = link;
}

void wire_snap(struct wire *w, uint32_t len)
{
	w->snap = len;
}

void wire_pad(struct wire *w, uint32_t len)
{
	if (len > 64)
		wrong("no frame is padded to more", "64");
	w->pad = len;
}

void wire_mtu(struct wire *w, uint32_t len)
{
	w->mtu = len;
}

void wire_mss(struct wire *w, uint32_t len)
{
	w->mss = len;
}

void wire_vlan(struct wire *w, unsigned count, const uint16_t *ids)
{
	if (count > ARRAY_LEN(w->vlan))
		wrong("too many VLAN tags", "4 at most");
	w->vlan_count = count;
	if (count)
		memcpy(w->vlan, ids, count * sizeof(*ids));
}

/* MAC addresses */

void wire_mac(struct wire *w, const char *addr, const char *mac)
{
	struct host host;
	unsigned i = 0;

	host_parse(addr, strlen(addr), false, &host);
	while (i < w->mac_count && !host_equal(&w->mac[i].host, &host))
		i++;
	if (i == MACS_MAX)
		wrong("too many MAC addresses", mac);
	w->mac_count += i == w->mac_count;
	w->mac[i].host = host;
	mac_parse_text(mac, w->mac[i].mac);
}

void wire_router(struct wire *w, const char *prefix, const char *mac)
{
	const char *slash = strchr(prefix, '/');
	struct host host;

	if (!slash)
		wrong("cannot be a prefix", prefix);
	host_parse(prefix, (size_t)(slash - prefix), false, &host);
	w->router[host.v6].set = true;
	w->router[host.v6].bits = (unsigned)strtoul(slash + 1, NULL, 10);
	memcpy(w->router[host.v6].addr, host.addr, sizeof(host.addr));
	mac_parse_text(mac, w->router[host.v6].mac);
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || (a[bits / 8] ^ b[bits / 8]) >> (8 - bits % 8) == 0;
}

void mac_of(const struct wire *w, const struct host *host, uint8_t mac[6])
{
	static const uint8_t nobody[16], everybody[4] = {255, 255, 255, 255};

	for (unsigned i = 0; i < w->mac_count; i++) {
		if (w->mac[i].host.v6 == host->v6 &&
		    !memcmp(w->mac[i].host.addr, host->addr, sizeof(host->addr))) {
			memcpy(mac, w->mac[i].mac, 6);
			return;
		}
	}
	if (!host->v6 && !memcmp(host->addr, everybody, 4)) {
		memset(mac, 0xff, 6);
	} else if (!host->v6 && host->addr[0] >> 4 == 14) { /* RFC 1112 6.4 */
		memcpy(mac,
		       (uint8_t[]){1, 0, 0x5e, host->addr[1] & 0x7f, host->addr[2],
		                   host->addr[3]},
		       6);
	} else if (host->v6 && host->addr[0] == 0xff) { /* RFC 2464 7 */
		mac[0] = mac[1] = 0x33;
		memcpy(mac + 2, host->addr + 12, 4);
	} else if (w->router[host->v6].set &&
	           memcmp(host->addr, nobody, host->v6 ? 16 : 4) != 0 &&
	           !(host->v6 && host->addr[0] == 0xfe && host->addr[1] >> 6 == 2) &&
	           !same_bits(host->addr, w->router[host->v6].addr, w->router[host->v6].bits)) {
		memcpy(mac, w->router[host->v6].mac, 6);
	} else {
		mac[0] = 2;
		mac[1] = host->v6 ? 6 : 4;
		memcpy(mac + 2, host->addr + (host->v6 ? 12 : 0), 4);
	}
}

/* Frames */

void wire_frame(struct wire *w, const void *frame, size_t len)
{
	size_t keep = w->snap && len > w->snap ? w->snap : len;

	w->frames = grown(w->frames, &w->frame_room, w->frame_count + 1, sizeof(*w->frames));
	w->bytes = grown(w->bytes, &w->byte_room, w->byte_count + keep, 1);
	w->frames[w->frame_count++] =
		(struct frame){w->now_us, w->byte_count, (uint32_t)keep, (uint32_t)len};
	if (keep)
		memcpy(w->bytes + w->byte_count, frame, keep);
	w->byte_count += keep;
}

void wire_again(struct wire *w)
{
	if (!w->frame_count)
		wrong("nothing to repeat", "the wire is empty");
	struct frame last = w->frames[w->frame_count - 1];

	w->bytes = grown(w->bytes, &w->byte_room, w->byte_count + last.caplen, 1);
	memcpy(w->bytes + w->byte_count, w->bytes + last.at, last.caplen);
	w->frames = grown(w->frames, &w->frame_room, w->frame_count + 1, sizeof(*w->frames));
	last.time_us = w->now_us;
	last.at = w->byte_count;
	w->frames[w->frame_count++] = last;
	w->byte_count += last.caplen;
}

size_t wire_count(const struct wire *w)
{
	return w->frame_count;
}

struct wire_frame wire_packet(const struct wire *w, size_t index)
{
	if (index >= w->frame_count)
		wrong("no such packet", "");
	const struct frame *f = &w->frames[index];

	return (struct wire_frame){f->time_us, w->bytes + f->at, f->caplen, f->len};
}

enum wire_link wire_linktype(const struct wire *w)
{
	return w->link;
}

/* Frames of one time keep the order of their bytes. */
static int frame_compare(const void *a, const void *b)
{
	const struct frame *x = a, *y = b;

	if (x->time_us != y->time_us)
		return x->time_us < y->time_us ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

void wire_sort(struct wire *w)
{
	if (w->frame_count)
		qsort(w->frames, w->frame_count, sizeof(*w->frames), frame_compare);
}

static void little32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* draft-ietf-opsawg-pcap 4 and 5, little-endian. */
int wire_write(const struct wire *w, const char *path, struct err *err)
{
	uint8_t head[24] = {0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4};
	CLEANUP(fclosep) FILE *file = fopen(path, "wbe");

	if (!file)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	little32(head + 16, w->snap ? w->snap : 262144);
	little32(head + 20, (uint32_t)w->link);
	fwrite(head, 1, sizeof(head), file);
	for (size_t i = 0; i < w->frame_count; i++) {
		const struct frame *f = &w->frames[i];
		uint8_t record[16];

		little32(record, (uint32_t)(f->time_us / 1000000));
		little32(record + 4, (uint32_t)(f->time_us % 1000000));
		little32(record + 8, f->caplen);
		little32(record + 12, f->len);
		fwrite(record, 1, sizeof(record), file);
		fwrite(w->bytes + f->at, 1, f->caplen, file);
	}
	if (fflush(file) || ferror(file))
		return err_set(err, -EIO, "%s: could not be written", path);
	return 0;
}

/*
 * wrap.c - see wrap.h.
 */
#include "tests/lib/wrap.h"

#define HEAD(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static const struct {
	const uint8_t *head;
	size_t len;
	unsigned port; /* of UDP; 0: GRE */
	bool ip;       /* without the Ethernet header */
} KINDS[WRAP_COUNT] = {
	[WRAP_GRE] = {HEAD(0, 0, 0x65, 0x58), 0, false},
	[WRAP_GRE_IP] = {HEAD(0, 0, 0x08, 0x00), 0, true},
	[WRAP_GRE_FULL] = {HEAD(0xb0, 0, 0x65, 0x58, 0xab, 0xcd, 0, 0, 0, 0, 0, 7, 0, 0, 0, 9),
                           0, false},
	[WRAP_ERSPAN_1] = {HEAD(0, 0, 0x88, 0xbe), 0, false},
	[WRAP_ERSPAN_2] = {HEAD(0x10, 0, 0x88, 0xbe, 0, 0, 0, 9, 0x11, 0x41, 0, 5, 0, 0, 0, 1),
                           0, false},
	[WRAP_ERSPAN_3] = {HEAD(0x10, 0, 0x22, 0xeb, 0, 0, 0, 9, 0x21, 0x41, 0, 5, 1, 2, 3, 4,
                                0, 0, 0, 2),
                           0, false},
	[WRAP_ERSPAN_3_O] = {HEAD(0x10, 0, 0x22, 0xeb, 0, 0, 0, 9, 0x21, 0x41, 0, 5, 1, 2, 3, 4,
                                  0, 0, 0, 3, 8, 7, 6, 5, 4, 3, 2, 1),
                             0, false},
	[WRAP_VXLAN] = {HEAD(8, 0, 0, 0, 0, 0, 77, 0), 4789, false},
	[WRAP_VXLAN_GROUP] = {HEAD(0x88, 0, 0x12, 0x34, 0, 0, 77, 0), 4789, false},
	[WRAP_GENEVE] = {HEAD(2, 0, 0x65, 0x58, 0, 0, 77, 0, 1, 2, 3, 1, 9, 9, 9, 9), 6081,
                         false},
	[WRAP_GENEVE_IP] = {HEAD(0, 0, 0x08, 0x00, 0, 0, 77, 0), 6081, true},
	[WRAP_TZSP] = {HEAD(1, 0, 0, 1, 0, 10, 1, 0xb0, 41, 2, 0, 90, 1), 37008, false},
};

size_t wrap_bytes(enum wrap kind, const struct wire *from, uint32_t keep, uint8_t *ret)
{
	struct wire_frame frame = wire_packet(from, wire_count(from) - 1);
	size_t skip = KINDS[kind].ip ? 14 : 0, head = KINDS[kind].len;
	size_t len = (keep ? keep : frame.caplen) - skip;

	memcpy(ret, KINDS[kind].head, head);
	memcpy(ret + head, frame.data + skip, len);
	if (KINDS[kind].ip) /* its EtherType */
		memcpy(ret + 2, frame.data + 12, 2);
	return head + len;
}

void wrap(struct wire *to, const char *pair, enum wrap kind, const struct wire *from,
          uint32_t keep)
{
	static uint8_t bytes[WRAP_MAX];
	size_t len = wrap_bytes(kind, from, keep, bytes);
	char tuple[WIRE_TUPLE];
	const char *arrow = strstr(pair, " > ");

	if (!KINDS[kind].port) {
		wire_ip(to, pair, 47, bytes, len);
		return;
	}
	snprintf(tuple, sizeof(tuple),
	         *pair == '[' || strchr(pair, ':') ? "[%.*s]:40000 > [%s]:%u"
	                                           : "%.*s:40000 > %s:%u",
	         (int)(arrow - pair), pair, arrow + 3, KINDS[kind].port);
	wire_udp(to, tuple, bytes, len);
}

/*
 * mkfleet.c - a capture of many units that all do the same three things no row allows: NTP, mDNS,
 * and audio from outside the documented ports. What differs from unit to unit must not make a list
 * that nobody reads (tests/demo/fleet.yaml is the site).
 */
#include "tests/lib/talk.h"

#define UNITS 120

int main(int argc, char **argv)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct err err;

	if (argc != 2) {
		fprintf(stderr, "usage: mkfleet FILE\n");
		return 2;
	}
	wire_router(w, "10.30.0.0/16", "00:00:5e:00:01:01");
	for (unsigned i = 0; i < UNITS; i++) {
		struct message m = message_mdns_query("_airplay._tcp.local");
		char unit[16], mac[18], tuple[WIRE_TUPLE];

		snprintf(unit, sizeof(unit), "10.30.0.%u", i + 10);
		snprintf(mac, sizeof(mac), "00:26:8c:10:00:%02x", i);
		wire_mac(w, unit, mac);
		wire_at(w, i * 0.5);
		snprintf(tuple, sizeof(tuple), "%s:123 > 162.159.200.%u:123", unit, 1 + i % 4);
		talk_ntp(w, tuple);
		snprintf(tuple, sizeof(tuple), "%s:5353 > 224.0.0.251:5353", unit);
		talk_udp(w, tuple, &m);
		for (unsigned call = 0; call < 3; call++) {
			snprintf(tuple, sizeof(tuple), "%s:%u > 52.112.1.%u:%u", unit,
			         50060 + (i + call) % 40, 1 + i % 9, 50000 + i * 5 + call);
			talk_ice(w, tuple);
			talk_rtp(w, tuple,
			         &(struct media){PT_SILK, 12, 0x6a000000 + i * 8 + call, false,
			                         false});
		}
	}
	wire_sort(w);
	if (wire_write(w, argv[1], &err) < 0) {
		fprintf(stderr, "mkfleet: %s\n", err.text);
		return 1;
	}
	return 0;
}

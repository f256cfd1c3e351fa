/*
 * proto.c - see proto.h.
 */
#include "schema/proto.h"

static const char *const APP_NAMES[APP_COUNT] = {
#define X(name, text) [APP_##name] = text,
	APPS(X)
#undef X
};

/* The words of IANA's protocol numbers that a mirror port shows; the rest is "ip-N". */
static const char *const TRANSPORT_NAMES[256] = {
	[1] = "icmp",   [2] = "igmp",   [4] = "ipip",  [6] = "tcp",   [17] = "udp",
	[41] = "ip6ip", [46] = "rsvp",  [47] = "gre",  [50] = "esp",  [51] = "ah",
	[58] = "icmp6", [88] = "eigrp", [89] = "ospf", [103] = "pim", [112] = "vrrp",
	[115] = "l2tp", [132] = "sctp",
};

#define TEN(t) \
	"ip-" #t "0", "ip-" #t "1", "ip-" #t "2", "ip-" #t "3", "ip-" #t "4", "ip-" #t "5", \
		"ip-" #t "6", "ip-" #t "7", "ip-" #t "8", "ip-" #t "9"
static const char *const NUMBERED[260] = {
	"ip-0",  "ip-1",  "ip-2",  "ip-3",  "ip-4",  "ip-5",  "ip-6",  "ip-7",  "ip-8",
	"ip-9",  TEN(1),  TEN(2),  TEN(3),  TEN(4),  TEN(5),  TEN(6),  TEN(7),  TEN(8),
	TEN(9),  TEN(10), TEN(11), TEN(12), TEN(13), TEN(14), TEN(15), TEN(16), TEN(17),
	TEN(18), TEN(19), TEN(20), TEN(21), TEN(22), TEN(23), TEN(24), TEN(25),
};

const char *app_name(enum app app)
{
	return (unsigned)app < APP_COUNT ? APP_NAMES[app] : "other";
}

enum app app_parse(const char *text)
{
	for (unsigned i = 0; i < APP_COUNT; i++)
		if (!strcmp(APP_NAMES[i], text))
			return (enum app)i;
	return APP_COUNT;
}

const char *transport_name(uint8_t transport)
{
	return TRANSPORT_NAMES[transport] ? TRANSPORT_NAMES[transport] : NUMBERED[transport];
}

uint8_t transport_parse(const char *text)
{
	for (unsigned i = 1; i < 256; i++)
		if (!strcmp(transport_name((uint8_t)i), text))
			return (uint8_t)i;
	return 0;
}

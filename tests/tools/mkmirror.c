/*
 * mkmirror.c - what mirrors show that are set up wrongly: `mkmirror CASE FILE`. All begin with the same office, two
 * units and those they talk to (tests/cli/doctor_mirror.sh has its site); then something becomes of its frames.
 */
#include "tests/lib/talk.h"
#include "tests/lib/wrap.h"

#define BOARD "10.20.0.15"
#define HUDDLE "10.20.0.16"
#define BOARD_MAC "00:26:8c:01:02:03"
#define HUDDLE_MAC "00:26:8c:04:05:06"
#define ROUTER_MAC "00:00:5e:00:01:01"
#define IP_AT 14

/* A unit's morning: its lease, names, service, an hour's call in small. */
static void morning(struct wire *w, const char *unit, const char *mac, unsigned port)
{
	char tuple[WIRE_TUPLE];

	talk_dhcp(w, &(struct dhcp_case){mac, unit, "10.20.0.1", "255.255.255.0", "10.20.0.1",
	                                 "10.20.0.53", 0x77000000 + port});
	snprintf(tuple, sizeof(tuple), "%s:%u > 10.20.0.53:53", unit, port + 2000);
	talk_dns(
		w, tuple,
		&(struct dns_case){"config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"});
	for (unsigned i = 0; i < 6; i++) {
		snprintf(tuple, sizeof(tuple), "%s:%u > 203.0.113.20:443", unit, port + i);
		talk_tls(w, tuple,
		         &(struct tls){.sni = "config.maestro.starleaf.com", .records = 4});
	}
	snprintf(tuple, sizeof(tuple), "%s:%u > 52.112.1.9:50011", unit, port % 20 + 50000);
	talk_ice(w, tuple);
	talk_rtp(w, tuple,
	         &(struct media){
			 .payload_type = PT_SILK, .packets = 40, .ssrc = 0x5a000000 + port});
}

static void office(struct wire *w)
{
	morning(w, BOARD, BOARD_MAC, 49160);
	morning(w, HUDDLE, HUDDLE_MAC, 49260);
}

/* ------------------------------------------- frames as some mirror gives them */

static bool is_from(const struct wire_frame *frame, const char *mac)
{
	unsigned b[6];

	sscanf(mac, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]);
	for (unsigned i = 0; i < 6; i++)
		if (frame->data[6 + i] != b[i])
			return false;
	return true;
}

static void put(struct wire *to, const struct wire_frame *frame)
{
	wire_at(to, (double)(frame->time_us - WIRE_EPOCH * 1000000) / 1e6);
	wire_frame(to, frame->data, frame->caplen);
}

static struct wire_frame changed(const struct wire_frame *frame, uint8_t *copy)
{
	memcpy(copy, frame->data, frame->caplen);
	return (struct wire_frame){frame->time_us, copy, frame->caplen, frame->len};
}

/* The unit's frames alone, and all others. */
static void from_board(struct wire *to, const struct wire_frame *frame, size_t number)
{
	if (is_from(frame, BOARD_MAC))
		put(to, frame);
}

static void not_from_units(struct wire *to, const struct wire_frame *frame, size_t number)
{
	if (!is_from(frame, BOARD_MAC) && !is_from(frame, HUDDLE_MAC))
		put(to, frame);
}

static void from_units(struct wire *to, const struct wire_frame *frame, size_t number)
{
	if (is_from(frame, BOARD_MAC) || is_from(frame, HUDDLE_MAC))
		put(to, frame);
}

static void without_huddle(struct wire *to, const struct wire_frame *frame, size_t number)
{
	static const uint8_t mac[] = {0x00, 0x26, 0x8c, 0x04, 0x05, 0x06};

	if (!is_from(frame, HUDDLE_MAC) && memcmp(frame->data, mac, 6) != 0)
		put(to, frame);
}

static void twice(struct wire *to, const struct wire_frame *frame, size_t number)
{
	put(to, frame);
	wire_again(to);
}

/* Before and behind the router: another MAC, and one hop less. */
static void routed_twice(struct wire *to, const struct wire_frame *frame, size_t number)
{
	static uint8_t copy[65536];
	struct wire_frame behind = changed(frame, copy);

	put(to, frame);
	copy[6] = 0x02;
	copy[IP_AT + 8]--;
	put(to, &behind);
}

static void cut(struct wire *to, const struct wire_frame *frame, size_t number)
{
	wire_snap(to, 96);
	put(to, frame);
}

/* What units send is tagged, what comes for them is not. */
static void half_tagged(struct wire *to, const struct wire_frame *frame, size_t number)
{
	static uint8_t copy[65536];
	struct wire_frame tagged = {frame->time_us, copy, frame->caplen + 4, frame->len + 4};

	if (!is_from(frame, BOARD_MAC) && !is_from(frame, HUDDLE_MAC)) {
		put(to, frame);
		return;
	}
	memcpy(copy, frame->data, 12);
	memcpy(copy + 12, (uint8_t[]){0x81, 0x00, 0x00, 0x14}, 4);
	memcpy(copy + 16, frame->data + 12, frame->caplen - 12);
	put(to, &tagged);
}

static void wrap_in(struct wire *to, const struct wire_frame *frame, enum wrap outer,
                    bool again)
{
	CLEANUP(wire_freep) struct wire *one = wire_new();

	CLEANUP(wire_freep) struct wire *two = wire_new();

	put(one, frame);
	wire_at(to, (double)(frame->time_us - WIRE_EPOCH * 1000000) / 1e6);
	if (!again) {
		wrap(to, WRAP_PAIR, outer, one, 0);
		return;
	}
	wrap(two, "10.98.0.1 > 10.98.0.2", WRAP_VXLAN, one, 0);
	wrap(to, WRAP_PAIR, outer, two, 0);
}

static void erspan(struct wire *to, const struct wire_frame *frame, size_t number)
{
	wrap_in(to, frame, WRAP_ERSPAN_2, false);
}

static void nested(struct wire *to, const struct wire_frame *frame, size_t number)
{
	wrap_in(to, frame, WRAP_ERSPAN_2, true);
}

static void clock_back(struct wire *to, const struct wire_frame *frame, size_t number)
{
	struct wire_frame stepped = *frame;

	if (number >= 120)
		stepped.time_us -= INT64_C(3600) * 1000000;
	put(to, &stepped);
}

static void clock_unset(struct wire *to, const struct wire_frame *frame, size_t number)
{
	struct wire_frame stepped = *frame;

	stepped.time_us -= WIRE_EPOCH * 1000000;
	put(to, &stepped);
}

static void broadcast(struct wire *to, const struct wire_frame *frame, size_t number)
{
	if (frame->data[0] & 1)
		put(to, frame);
}

/* Captured on the unit itself: its card had not summed yet (RFC 1071 over the pseudo header). */
static void unsummed(struct wire *to, const struct wire_frame *frame, size_t number)
{
	static uint8_t copy[65536];
	struct wire_frame left = changed(frame, copy);
	uint8_t *ip = copy + IP_AT;
	bool tcp = ip[9] == 6;
	uint32_t sum = ip[9] + (uint32_t)(ip[2] << 8 | ip[3]) - 20;

	if (!is_from(frame, BOARD_MAC) || copy[12] != 8 || (!tcp && ip[9] != 17)) {
		put(to, frame);
		return;
	}
	for (unsigned i = 12; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	ip[20 + (tcp ? 16 : 6)] = (uint8_t)(sum >> 8);
	ip[20 + (tcp ? 17 : 7)] = (uint8_t)sum;
	put(to, &left);
}

/* Two routers before the mirror. */
static void routed(struct wire *to, const struct wire_frame *frame, size_t number)
{
	static uint8_t copy[65536];
	struct wire_frame far = changed(frame, copy);

	if (is_from(frame, BOARD_MAC))
		copy[IP_AT + 8] = 126;
	put(to, &far);
}

/* And several hosts behind one of them. */
static void translated(struct wire *to, const struct wire_frame *frame, size_t number)
{
	static uint8_t copy[65536];
	struct wire_frame far = changed(frame, copy);

	if (is_from(frame, BOARD_MAC))
		copy[IP_AT + 8] = number % 2 ? 126 : 62;
	put(to, &far);
}

/* ------------------------------------------------- what else there may be */

/* Segments as a card merges them: what no wire carried. */
static void merged(struct wire *w)
{
	static uint8_t data[60000];

	wire_mss(w, 0);
	wire_wait(w, 1);
	talk_open(w, BOARD ":49999 > 203.0.113.20:443");
	for (unsigned i = 0; i < 8; i++)
		wire_tcp(w, "203.0.113.20:443 > " BOARD ":49999", "PA", data, sizeof(data));
	wire_mss(w, 1460);
}

/* Both units, and four hosts more, behind one router; the site knows the units by its MAC. */
static void one_mac(struct wire *w)
{
	for (unsigned i = 0; i < 6; i++) {
		char tuple[WIRE_TUPLE], unit[16];

		snprintf(unit, sizeof(unit), "10.20.0.%u", 15 + i);
		wire_mac(w, unit, ROUTER_MAC);
		snprintf(tuple, sizeof(tuple), "%s:49200 > 203.0.113.20:443", unit);
		talk_tls(w, tuple, &(struct tls){.sni = "config.maestro.starleaf.com"});
	}
}

static const struct {
	const char *name;
	void (*change)(struct wire *to, const struct wire_frame *frame, size_t number);
	void (*add)(struct wire *w);
} CASES[] = {
	{"fit", NULL, NULL},
	{"from-board", from_board, NULL},
	{"to-units", not_from_units, NULL},
	{"from-units", from_units, NULL},
	{"without-huddle", without_huddle, NULL},
	{"twice", twice, NULL},
	{"routed-twice", routed_twice, NULL},
	{"cut", cut, NULL},
	{"half-tagged", half_tagged, NULL},
	{"erspan", erspan, NULL},
	{"nested", nested, NULL},
	{"clock-back", clock_back, NULL},
	{"clock-unset", clock_unset, NULL},
	{"broadcast", broadcast, NULL},
	{"unsummed", unsummed, NULL},
	{"routed", routed, NULL},
	{"translated", translated, NULL},
	{"merged", NULL, merged},
	{"one-mac", NULL, one_mac},
	{"empty", NULL, NULL},
};

static struct wire *make(size_t at)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct wire *to = wire_new();

	wire_pad(w, 60);
	wire_router(w, "10.20.0.0/16", ROUTER_MAC);
	wire_mac(w, BOARD, BOARD_MAC);
	wire_mac(w, HUDDLE, HUDDLE_MAC);
	if (!strcmp(CASES[at].name, "empty"))
		return to;
	if (CASES[at].add != one_mac)
		office(w);
	if (CASES[at].add)
		CASES[at].add(w);
	for (size_t i = 0; i < wire_count(w); i++) {
		struct wire_frame frame = wire_packet(w, i);

		if (CASES[at].change)
			CASES[at].change(to, &frame, i);
		else
			put(to, &frame);
	}
	return to;
}

int main(int argc, char **argv)
{
	CLEANUP(wire_freep) struct wire *w = NULL;
	struct err err;

	for (size_t i = 0; argc == 3 && i < ARRAY_LEN(CASES); i++)
		if (!strcmp(CASES[i].name, argv[1]))
			w = make(i);
	if (!w) {
		fprintf(stderr, "usage: mkmirror CASE FILE\n");
		return 2;
	}
	if (wire_write(w, argv[2], &err) < 0) {
		fprintf(stderr, "mkmirror: %s\n", err.text);
		return 1;
	}
	return 0;
}

/*
 * mkscope.c - captures for the scope: what of a mirror matters to its units, amid much that does not.
 *
 *   mkscope FILE office [LOUD]   two units (10.20.0.15, and 10.20.9.15 inside ERSPAN alone), two hosts on no list (one
 *                                with the maker's MAC, one that asks for its management by DNS), tags, fragments, an
 *                                error behind a translator; LOUD packets of strangers between
 *   mkscope FILE hello           a host on no list that names its management in TLS alone, at an address nobody told
 *   mkscope FILE load COUNT      numbered packets of 10.20.0.15, 20,000 a second
 *   mkscope FILE foreign COUNT   packets of others
 *   mkscope FILE lease N         a relay is asked for 10.20.7.N by 52:54:00:00:00:99, and gives it
 *   mkscope FILE moved N COUNT   numbered packets of 10.20.7.N, in frames of a router
 */
#include "tests/lib/talk.h"
#include "tests/lib/wrap.h"

#include "schema/addr.h"

#define BOARD "10.20.0.15"
#define WRAPPED "10.20.9.15"
#define RESOLVER "10.20.0.53"
#define MOVER "52:54:00:00:00:99"
#define ROUTER "00:00:5e:00:01:01"
#define COLLECTOR "10.99.0.1 > 10.99.0.2"
#define GAP 0.00005

static void foreign(struct wire *w, unsigned count, unsigned first)
{
	for (unsigned i = first; i < first + count; i++) {
		char tuple[WIRE_TUPLE], text[64];

		snprintf(tuple, sizeof(tuple), "10.50.%u.%u:%u > 10.51.%u.%u:%u", i / 200 % 250,
		         1 + i % 200, 20000 + i % 9000, i % 250, 1 + i % 199, 30000 + i % 99);
		snprintf(text, sizeof(text), "stranger %08u", i);
		if (i % 3 == 0)
			wire_tcp(w, tuple, "PA", text, strlen(text));
		else
			wire_udp(w, tuple, text, strlen(text));
		wire_wait(w, GAP);
	}
}

static void numbered(struct wire *w, const char *tuple, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char text[32];

		snprintf(text, sizeof(text), "number %08u", i);
		wire_udp(w, tuple, text, strlen(text));
		wire_wait(w, GAP);
	}
}

static void put_wrapped(struct wire *w)
{
	CLEANUP(wire_freep) struct wire *inner = wire_new();

	for (unsigned i = 0; i < 6; i++) {
		wire_udp(inner, WRAPPED ":41000 > 192.0.2.60:9999", "inside of a mirror", 18);
		wrap(w, COLLECTOR, i % 2 ? WRAP_ERSPAN_2 : WRAP_ERSPAN_3, inner, 0);
		wire_wait(w, 0.01);
	}
}

static void put_strangers(struct wire *w)
{
	wire_mac(w, "10.20.0.40", "00:26:8c:77:77:77");
	talk_tls(w, "10.20.0.40:50000 > 192.0.2.80:443", &(struct tls){.sni = "www.example.org"});
	talk_dns(w, "10.20.0.41:50001 > " RESOLVER ":53",
	         &(struct dns_case){"config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"});
	talk_tls(w, "10.20.0.41:50002 > 203.0.113.20:443",
	         &(struct tls){.sni = "config.maestro.starleaf.com"});
}

static void put_board(struct wire *w)
{
	static const uint16_t TAGS[] = {7, 120};
	char data[3000] = "a long datagram";

	talk_dns(w, BOARD ":52000 > " RESOLVER ":53",
	         &(struct dns_case){"maestro.starleaf.com", DNS_A, NULL, "203.0.113.21"});
	talk_tls(w, BOARD ":52001 > 203.0.113.21:443", &(struct tls){.sni = "maestro.starleaf.com"});
	for (unsigned tags = 1; tags <= 2; tags++) {
		wire_vlan(w, tags, TAGS);
		talk_ssh(w, tags == 1 ? BOARD ":52002 > 192.0.2.81:22" : BOARD ":52003 > 192.0.2.82:22");
	}
	wire_vlan(w, 0, TAGS);
	wire_mtu(w, 1500);
	wire_udp(w, BOARD ":52004 > 192.0.2.83:7000", data, sizeof(data));
	wire_mtu(w, 0);
	/* Its answer goes to whom the packet seemed to come from. */
	wire_udp(w, BOARD ":52005 > 192.0.2.84:7001", data, 20);
	wire_icmp_error(w, "192.0.2.1 > 198.51.100.1", 3, 13);
	wire_wait(w, 1);
}

static void office(struct wire *w, unsigned loud)
{
	foreign(w, loud / 4, 0);
	put_board(w);
	foreign(w, loud / 4, loud / 4);
	put_wrapped(w);
	foreign(w, loud / 4, loud / 2);
	put_strangers(w);
	foreign(w, loud / 4, loud * 3 / 4);
}

/* Between a relay and the server; who moves is to be seen only in what they say. */
static void lease(struct wire *w, const char *address, unsigned xid)
{
	static const uint8_t TYPES[] = {DHCP_DISCOVER, DHCP_OFFER, DHCP_REQUEST, DHCP_ACK};

	wire_mac(w, "10.20.7.1", ROUTER);
	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
		bool reply = TYPES[i] == DHCP_OFFER || TYPES[i] == DHCP_ACK;
		struct dhcp dhcp = {.type = TYPES[i], .xid = xid, .chaddr = MOVER,
		                    .yiaddr = reply ? address : NULL,
		                    .requested = TYPES[i] == DHCP_REQUEST ? address : NULL,
		                    .server = i ? "10.20.0.1" : NULL,
		                    .lease_s = reply ? 3600 : 0};
		struct message m = message_dhcp(&dhcp);

		wire_udp(w, reply ? "10.20.0.1:67 > 10.20.7.1:67" : "10.20.7.1:67 > 10.20.0.1:67",
		         m.b, m.len);
		wire_wait(w, 0.01);
	}
}

int main(int argc, char **argv)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	const char *what = argc > 2 ? argv[2] : "";
	unsigned number = argc > 3 ? (unsigned)atoi(argv[3]) : 0;
	char address[ADDR_TEXT], tuple[WIRE_TUPLE];
	struct err err;

	snprintf(address, sizeof(address), "10.20.7.%u", number % 256);
	snprintf(tuple, sizeof(tuple), "%s:6000 > 192.0.2.90:7000", address);
	if (!strcmp(what, "office")) {
		office(w, number);
	} else if (!strcmp(what, "hello")) {
		foreign(w, 100, 0);
		talk_tls(w, "10.20.0.42:50003 > 203.0.113.77:443",
		         &(struct tls){.sni = "fw.maestro.starleaf.com", .records = 9});
	} else if (!strcmp(what, "load")) {
		numbered(w, BOARD ":6000 > 192.0.2.90:7000", number);
	} else if (!strcmp(what, "foreign")) {
		foreign(w, number, 0);
	} else if (!strcmp(what, "lease")) {
		lease(w, address, 0x5c0b0000 + number);
	} else if (!strcmp(what, "moved") && argc == 5) {
		wire_mac(w, address, ROUTER);
		numbered(w, tuple, (unsigned)atoi(argv[4]));
	} else {
		fprintf(stderr, "usage: mkscope FILE office [LOUD] | hello | load COUNT | foreign COUNT | lease N | "
		                "moved N COUNT\n");
		return 2;
	}
	if (wire_write(w, argv[1], &err) < 0) {
		fprintf(stderr, "mkscope: %s\n", err.text);
		return 1;
	}
	return 0;
}

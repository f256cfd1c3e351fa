/*
 * test_judge_72.c - undocumented but innocent-looking traffic (domain.md 7.2), line by line, from the
 * packets to the database: what is made of it when the unit sends it, and when it answers it.
 */
#include "tests/lib/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNIT \
	"site: Test\n" \
	"units:\n" \
	"  - {name: board, addresses: [10.1.0.7, \"2001:db8::7\"], macs: [\"02:00:00:00:00:07\"], profiles: "
#define ROLES \
	"roles:\n" \
	"  dns-server: {addresses: [10.1.0.53]}\n" \
	"  maestro: {addresses: [10.1.0.44]}\n" \
	"  front-end: {addresses: [10.1.0.20]}\n" \
	"  sfb-auth: {addresses: [10.1.0.30]}\n" \
	"  domain-controller: {addresses: [10.1.0.10]}\n" \
	"  autodiscover: {addresses: [10.1.0.31]}\n" \
	"  edge: {addresses: [203.0.113.20]}\n" \
	"  other-client: {addresses: [10.3.0.0/16]}\n"
#define CLOUD UNIT "[room, online, touch]}\n" ROLES
#define COMPANY UNIT "[room, onprem]}\n" ROLES
#define PROXY COMPANY "  web-proxy: {addresses: [10.1.0.8]}\n"

static void udp_text(struct wire *w, const char *tuple, const char *text)
{
	struct message m = message_text(text);

	talk_udp(w, tuple, &m);
}

static void udp_both(struct wire *w, const char *tuple, const struct message *m)
{
	char back[WIRE_TUPLE];

	talk_udp(w, tuple, m);
	talk_udp(w, wire_back(tuple, back), m);
}

static struct message bytes(const void *data, size_t len)
{
	struct message m = {0};

	message_add(&m, data, len);
	return m;
}
#define BYTES(...) bytes((const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

/* The side that is asked speaks first, as with Telnet; or the client does. */
static void tcp_both(struct wire *w, const char *tuple, const struct message *ask, const struct message *answer)
{
	talk_tcp(w, tuple, ask, answer);
}

static void ntp(struct wire *w)
{
	talk_ntp(w, "10.1.0.7:123 > 10.1.0.9:123");
}

static void ntp_from_any_port(struct wire *w)
{
	talk_ntp(w, "10.1.0.7:40123 > 198.51.100.9:123");
}

static void dns_on_the_port_of_ntp(struct wire *w)
{
	struct message m = message_dns_query(1, "exfil.evil.example", DNS_A);

	udp_both(w, "10.1.0.7:40123 > 198.51.100.9:123", &m);
}

static void mdns(struct wire *w)
{
	struct message m = message_mdns_query("_airplay._tcp.local");

	talk_udp(w, "10.1.0.7:5353 > 224.0.0.251:5353", &m);
}

static void mdns_v6(struct wire *w)
{
	struct message m = message_mdns_query("_airplay._tcp.local");

	talk_udp(w, "[2001:db8::7]:5353 > [ff02::fb]:5353", &m);
}

static void ssdp(struct wire *w)
{
	udp_text(w, "10.1.0.7:50000 > 239.255.255.250:1900",
	         "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n");
}

static void wsd(struct wire *w)
{
	udp_text(w, "10.1.0.7:50000 > 239.255.255.250:3702",
	         "<?xml version=\"1.0\"?><soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\"></soap:Envelope>");
}

/* RFC 1002 4.2.12: a query for a name in the half-bytes of RFC 1001 14.1. */
static void nbns(struct wire *w)
{
	struct message m = BYTES(0x12, 0x34, 0x01, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 0x20);

	message_add(&m, "FHEPFCELEHFCEPFFFACACACACACACABL", 33);
	message_add16(&m, 32);
	message_add16(&m, 1);
	wire_mac(w, "10.1.0.255", "ff:ff:ff:ff:ff:ff");
	talk_udp(w, "10.1.0.7:137 > 10.1.0.255:137", &m);
}

static void nbds(struct wire *w)
{
	struct message m = message_noise(180, 5);

	wire_mac(w, "10.1.0.255", "ff:ff:ff:ff:ff:ff");
	talk_udp(w, "10.1.0.7:138 > 10.1.0.255:138", &m);
}

/* To everybody on a link whose subnet nobody told us. */
static void to_everybody(struct wire *w)
{
	struct message m = message_noise(120, 7);

	wire_mac(w, "10.1.0.255", "ff:ff:ff:ff:ff:ff");
	talk_udp(w, "10.1.0.7:17500 > 10.1.0.255:17500", &m);
}

/* RFC 8415 8: SOLICIT, from the link-local address that only the MAC makes the unit's. */
static void dhcpv6(struct wire *w)
{
	struct message m = BYTES(1, 0x12, 0x34, 0x56, 0, 1, 0, 10, 0, 3, 0, 1, 2, 0, 0, 0, 0, 7);

	wire_mac(w, "fe80::7", "02:00:00:00:00:07");
	talk_udp(w, "[fe80::7]:546 > [ff02::1:2]:547", &m);
	m.b[0] = 2;
	talk_udp(w, "[fe80::1]:547 > [fe80::7]:546", &m);
}

static void dns_over_tls(struct wire *w)
{
	talk_tls(w, "10.1.0.7:50100 > 198.51.100.9:853", &(struct tls){.sni = "dns.example"});
}

static void dns_over_https(struct wire *w)
{
	talk_tls(w, "10.1.0.7:50100 > 198.51.100.9:443", &(struct tls){.sni = "dns.example"});
}

/* RFC 9000 17.2.2: an Initial packet of version 1. */
static void quic(struct wire *w)
{
	struct message m = BYTES(0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0x96);

	message_add_noise(&m, 1182, 3);
	udp_both(w, "10.1.0.7:50100 > 198.51.100.9:443", &m);
}

static void ocsp(struct wire *w)
{
	talk_http(w, "10.1.0.7:50100 > 198.51.100.9:80", "ocsp.example", "/MFYwVKAD");
}

static void tls_on_the_port_of_ocsp(struct wire *w)
{
	talk_tls(w, "10.1.0.7:50100 > 198.51.100.9:80", &(struct tls){.sni = "evil.example"});
}

/* RFC 4511 4.2: an anonymous bind, and its answer. */
static const uint8_t BIND[] = {0x30, 0x0c, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0};
static const uint8_t BOUND[] = {0x30, 0x0c, 2, 1, 1, 0x61, 7, 0x0a, 1, 0, 4, 0, 4, 0};

static void ldap(struct wire *w)
{
	struct message ask = bytes(BIND, sizeof(BIND)), answer = bytes(BOUND, sizeof(BOUND));

	tcp_both(w, "10.1.0.7:50100 > 10.1.0.10:389", &ask, &answer);
}

static void cldap(struct wire *w)
{
	struct message ask = bytes(BIND, sizeof(BIND));

	udp_both(w, "10.1.0.7:50100 > 10.1.0.10:389", &ask);
}

static void ldaps(struct wire *w)
{
	talk_tls(w, "10.1.0.7:50100 > 10.1.0.10:636", &(struct tls){0});
}

/* [MS-SMB2] 2.2.1.1 behind the four bytes of [MS-SMB2] 2.1 */
static void smb(struct wire *w)
{
	struct message m = BYTES(0, 0, 0, 64, 0xfe, 'S', 'M', 'B', 64, 0);

	message_add_noise(&m, 58, 1);
	tcp_both(w, "10.1.0.7:50100 > 10.1.0.10:445", &m, &m);
}

/* C706 12.6.4.3: bind of DCE RPC 5.0 */
static void rpc(struct wire *w)
{
	struct message m = BYTES(5, 0, 0x0b, 3, 0x10, 0, 0, 0, 72, 0, 0, 0, 1, 0, 0, 0);

	message_add_noise(&m, 56, 1);
	tcp_both(w, "10.1.0.7:50100 > 10.1.0.10:135", &m, &m);
}

static void ssh_out(struct wire *w)
{
	talk_ssh(w, "10.1.0.7:50100 > 10.1.0.9:22");
}

/* A ClientHello by its two lengths; nDPI is content with them. */
static void like_tls(struct wire *w)
{
	static const uint8_t head[] = {22, 3, 1, 1, 48, 1, 0, 1, 44};
	const char *out = "10.1.0.7:50101 > 10.1.0.44:443";
	struct message m = {0};

	message_add(&m, head, sizeof(head));
	for (unsigned i = 0; i < 300; i++)
		message_add8(&m, (uint8_t)(i * 37 + 5));
	talk_open(w, out);
	talk_send(w, out, &m);
	talk_close(w, out);
}

static void ssh_in(struct wire *w)
{
	talk_ssh(w, "10.9.0.9:50100 > 10.1.0.7:22");
}

static void ssh_refused(struct wire *w)
{
	talk_refused(w, "10.9.0.9:50100 > 10.1.0.7:22");
}

static void ssh_dropped(struct wire *w)
{
	talk_silence(w, "10.9.0.9:50100 > 10.1.0.7:22");
}

static void telnet(struct wire *w, const char *tuple)
{
	struct message m = BYTES(0xff, 0xfd, 0x18, 0xff, 0xfd, 0x20, 0xff, 0xfd, 0x23, 0xff, 0xfd, 0x27);
	char back[WIRE_TUPLE];

	talk_open(w, tuple);
	talk_send(w, wire_back(tuple, back), &m);
	m.b[1] = 0xfb;
	talk_send(w, tuple, &m);
	talk_close(w, tuple);
}

static void telnet_out(struct wire *w)
{
	telnet(w, "10.1.0.7:50100 > 10.1.0.9:23");
}

static void telnet_in(struct wire *w)
{
	telnet(w, "10.9.0.9:50100 > 10.1.0.7:23");
}

/* RFC 1157 4.1.2: GetRequest of community "public" */
static const uint8_t SNMP[] = {0x30, 0x26, 2, 1, 1, 4, 6, 'p', 'u', 'b', 'l', 'i', 'c', 0xa0, 0x19, 2, 1, 1, 2, 1,
                               0, 2, 1, 0, 0x30, 0x0e, 0x30, 0x0c, 6, 8, 0x2b, 6, 1, 2, 1, 1, 1, 0, 5, 0};

static void snmp_out(struct wire *w)
{
	struct message m = bytes(SNMP, sizeof(SNMP));

	udp_both(w, "10.1.0.7:50100 > 10.1.0.9:161", &m);
}

static void snmp_in(struct wire *w)
{
	struct message m = bytes(SNMP, sizeof(SNMP));

	udp_both(w, "10.9.0.9:50100 > 10.1.0.7:161", &m);
}

static void snmp_unanswered(struct wire *w)
{
	struct message m = bytes(SNMP, sizeof(SNMP));

	talk_udp(w, "10.9.0.9:50100 > 10.1.0.7:161", &m);
}

static void syslog(struct wire *w)
{
	udp_text(w, "10.1.0.7:50100 > 10.1.0.9:514", "<34>Oct 11 22:14:15 board app: started");
}

static void tftp_out(struct wire *w)
{
	struct message m = BYTES(0, 1, 'f', 'w', '.', 'b', 'i', 'n', 0, 'o', 'c', 't', 'e', 't', 0);

	talk_udp(w, "10.1.0.7:50100 > 10.1.0.9:69", &m);
}

static void tftp_in(struct wire *w)
{
	struct message m = BYTES(0, 1, 'f', 'w', '.', 'b', 'i', 'n', 0, 'o', 'c', 't', 'e', 't', 0);

	udp_both(w, "10.9.0.9:50100 > 10.1.0.7:69", &m);
}

static void connect_to(struct wire *w, const char *tuple)
{
	struct message ask = message_text("CONNECT config.maestro.starleaf.com:443 HTTP/1.1\r\n"
	                                  "Host: config.maestro.starleaf.com:443\r\n\r\n"),
		       answer = message_text("HTTP/1.1 200 Connection established\r\n\r\n");

	tcp_both(w, tuple, &ask, &answer);
}

static void proxy_3128(struct wire *w)
{
	connect_to(w, "10.1.0.7:50100 > 10.1.0.8:3128");
}

static void proxy_8080(struct wire *w)
{
	connect_to(w, "10.1.0.7:50100 > 10.1.0.8:8080");
}

static void front_end_tls(struct wire *w, const char *port)
{
	char tuple[WIRE_TUPLE];

	snprintf(tuple, sizeof(tuple), "10.1.0.7:50100 > 10.1.0.20:%s", port);
	talk_tls(w, tuple, &(struct tls){.sni = "fe01.corp.example"});
}

static void web_services(struct wire *w)
{
	front_end_tls(w, "4443");
}

static void av_authentication(struct wire *w)
{
	front_end_tls(w, "5062");
}

static void web_conferencing(struct wire *w)
{
	front_end_tls(w, "8057");
}

static void keep_alives(struct wire *w)
{
	static const char out[] = "10.1.0.7:50004 > 52.112.1.9:50010";
	struct message m = {0};

	talk_ice(w, out);
	talk_rtp(w, out, &(struct media){.payload_type = PT_SILK, .packets = 30, .ssrc = 4});
	talk_udp(w, out, &m);
	message_add8(&m, 0);
	talk_udp(w, out, &m);
	m = message_stun_plain(9);
	m.b[1] = 0x11; /* an indication (RFC 5389 6) */
	talk_udp(w, out, &m);
}

static void keep_alives_first(struct wire *w)
{
	static const char out[] = "10.1.0.7:50004 > 52.112.1.9:50010";
	struct message m = {0};

	talk_udp(w, out, &m);
	message_add8(&m, 0);
	talk_udp(w, out, &m);
	talk_ice(w, out);
	talk_rtp(w, out, &(struct media){.payload_type = PT_SILK, .packets = 30, .ssrc = 4});
}

static void what_the_unit_does_and_no_row_lists(void **state)
{
	static const struct story stories[] = {
		{"NTP", ntp, "udp unknown(unknown) ntp? answered: outside remote-port low room.out.dhcp"},
		{"NTP from any port", ntp_from_any_port, "udp out(port) ntp? answered: outside remote-port low room.out.dhcp"},
		{"DNS on the port of NTP", dns_on_the_port_of_ntp, "udp out(request) dns answered: outside peer medium room.out.dns"},
		{"mDNS", mdns, "udp out(first-packet) mdns? unknown: outside peer low room.out.dns"},
		{"mDNS over IPv6", mdns_v6, "udp out(first-packet) mdns? unknown: outside peer low room.out.dns"},
		{"SSDP", ssdp, "udp out(first-packet) ssdp? unknown: outside peer low online.out.audio"},
		{"WSD", wsd, "udp out(first-packet) none unknown: outside peer low online.out.audio"},
		{"NBNS", nbns, "udp out(first-packet) netbios? unknown: outside remote-port low room.out.llmnr"},
		{"NetBIOS datagrams", nbds, "udp out(first-packet) none unknown: outside remote-port low room.out.llmnr"},
		{"to everybody on the link", to_everybody, "udp out(first-packet) none unknown: outside remote-port low room.out.llmnr"},
		{"DHCPv6", dhcpv6, "udp out(first-packet) dhcpv6? unknown: housekeeping | udp unknown(unknown) dhcpv6? unanswered: housekeeping"},
		{"DNS over TLS", dns_over_tls, "tcp out(syn) tls answered: outside peer medium room.out.maestro"},
		{"DNS over HTTPS", dns_over_https, "tcp out(syn) tls answered: outside peer medium room.out.maestro"},
		{"QUIC", quic, "udp out(port) quic? answered: outside remote-port medium room.out.dhcp"},
		{"OCSP", ocsp, "tcp out(syn) http answered: outside service low room.out.dns"},
		{"TLS on the port of OCSP", tls_on_the_port_of_ocsp, "tcp out(syn) tls answered: outside peer medium room.out.maestro"},
		{"LDAP", ldap, "tcp out(syn) ldap? answered: outside remote-port medium room.out.llmnr"},
		{"CLDAP", cldap, "udp out(port) ldap? answered: outside remote-port medium room.out.llmnr"},
		{"LDAPS", ldaps, "tcp out(syn) tls answered: outside remote-port medium room.out.llmnr"},
		{"SMB", smb, "tcp out(syn) netbios? answered: outside remote-port medium room.out.llmnr"},
		{"RPC", rpc, "tcp out(syn) dcerpc? answered: outside remote-port medium room.out.llmnr"},
		{"SSH", ssh_out, "tcp out(syn) ssh? answered: outside remote-port medium room.out.llmnr"},
		{"what only begins like TLS", like_tls, "tcp out(syn) none answered: outside application high room.out.maestro"},
		{"SSH to the unit", ssh_in, "tcp in(syn) ssh? answered: outside application high room.in.control_api"},
		{"... refused", ssh_refused, "tcp in(syn) none refused: outside local-port low room.in.control_api"},
		{"... dropped", ssh_dropped, "tcp in(syn) none unanswered: outside local-port low room.in.control_api"},
		{"Telnet", telnet_out, "tcp out(syn) none answered: outside remote-port medium room.out.llmnr"},
		{"Telnet to the unit", telnet_in, "tcp in(syn) none answered: outside application high room.in.control_api"},
		{"SNMP", snmp_out, "udp out(port) snmp? answered: outside remote-port medium room.out.llmnr"},
		{"SNMP to the unit", snmp_in, "udp in(port) snmp? answered: outside remote-port high room.in.dhcp"},
		{"... unanswered", snmp_unanswered, "udp in(port) snmp? unanswered: outside remote-port low room.in.dhcp"},
		{"syslog", syslog, "udp out(port) syslog? unanswered: outside remote-port medium room.out.llmnr"},
		{"TFTP", tftp_out, "udp out(port) tftp? unanswered: outside remote-port medium room.out.llmnr"},
		{"TFTP to the unit", tftp_in, "udp in(port) tftp? answered: outside remote-port high room.in.dhcp"},
		{"a proxy nobody listed", proxy_3128, "tcp out(syn) http answered: outside remote-port medium room.out.llmnr"},
		{"... on another port", proxy_8080, "tcp out(syn) http answered: outside remote-port medium room.out.llmnr"},
	};

	assert_stories(CLOUD, stories);
}

static void what_a_front_end_serves_is_documented_and_wide(void **state)
{
	static const struct story stories[] = {
		{"web services", web_services, "tcp out(syn) tls answered: documented wide onprem.out.psom"},
		{"A/V authentication", av_authentication, "tcp out(syn) tls answered: documented wide onprem.out.psom"},
		{"web conferencing", web_conferencing, "tcp out(syn) tls answered: documented wide onprem.out.psom"},
	};

	assert_stories(COMPANY, stories);
}

static void keep_alives_are_part_of_their_flow(void **state)
{
	static const struct story stories[] = {
		{"behind the media", keep_alives, "udp unknown(unknown) rtp answered: documented exact online.out.audio+online.in.audio reason=assumed"},
		{"before it", keep_alives_first, "udp unknown(unknown) rtp answered: documented exact online.out.audio+online.in.audio reason=assumed"},
	};

	assert_stories(CLOUD, stories);
}

static void the_company_s_rows_excuse_none_of_it(void **state)
{
	static const struct story stories[] = {
		{"NTP", ntp_from_any_port, "udp out(port) ntp? answered: outside remote-port low room.out.dhcp"},
		{"mDNS", mdns, "udp out(first-packet) mdns? unknown: outside peer low onprem.out.media_udp"},
		{"SSDP", ssdp, "udp out(first-packet) ssdp? unknown: outside peer low onprem.out.media_udp"},
		{"WSD", wsd, "udp out(first-packet) none unknown: outside peer low onprem.out.media_udp"},
		{"DNS over TLS", dns_over_tls, "tcp out(syn) tls answered: outside peer medium room.out.maestro"},
		{"DNS over HTTPS", dns_over_https, "tcp out(syn) tls answered: outside peer medium room.out.maestro"},
		{"QUIC", quic, "udp out(port) quic? answered: outside remote-port medium room.out.dhcp"},
		{"OCSP", ocsp, "tcp out(syn) http answered: outside peer low onprem.out.autodiscover"},
		{"LDAP", ldap, "tcp out(syn) ldap? answered: outside remote-port medium onprem.out.kerberos"},
		{"SMB", smb, "tcp out(syn) netbios? answered: outside remote-port medium onprem.out.kerberos"},
		{"SSH", ssh_out, "tcp out(syn) ssh? answered: outside remote-port medium room.out.llmnr"},
		{"SSH to the unit", ssh_in, "tcp in(syn) ssh? answered: outside application high room.in.control_api"},
		{"a proxy nobody listed", proxy_3128, "tcp out(syn) http answered: outside remote-port medium room.out.llmnr"},
		{"... on another port", proxy_8080, "tcp out(syn) http answered: outside remote-port medium room.out.llmnr"},
	};

	assert_stories(COMPANY, stories);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_front_end_serves_is_documented_and_wide),
		cmocka_unit_test(keep_alives_are_part_of_their_flow),
		cmocka_unit_test(the_company_s_rows_excuse_none_of_it),
		cmocka_unit_test(what_the_unit_does_and_no_row_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

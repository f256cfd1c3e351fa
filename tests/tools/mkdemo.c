/*
 * mkdemo.c - the demo capture: a room system's day in small. Two units, every profile, every
 * documented row, then what is outside in every field, and what the network blocks. The addresses
 * are those of tests/demo/site.yaml. Times are fixed: 75 seconds from 2026-03-02 08:00:00 UTC, so
 * that it can be replayed at its own pace.
 */
#include "tests/lib/talk.h"

#define BOARDROOM_MAC "00:26:8c:01:02:03"
#define HUDDLE_MAC "00:26:8c:04:05:06"
#define SPARE_MAC "00:26:8c:07:08:09"
#define ROUTER_MAC "00:00:5e:00:01:01"

#define AUDIO(n) (&(struct media){.payload_type = PT_SILK, .packets = (n), .ssrc = 0x5a100000})
#define VIDEO(n) (&(struct media){.payload_type = PT_H264, .packets = (n), .ssrc = 0x5b200000})
#define SHARE(n) (&(struct media){.payload_type = PT_DATA, .packets = (n), .ssrc = 0x5c300000})
#define TLS(...) (&(struct tls){__VA_ARGS__})
#define DNS(...) (&(struct dns_case){__VA_ARGS__})

/* Both wake up: leases, names, management. */
static void wake(struct wire *w)
{
	wire_at(w, 0);
	wire_arp(w, "10.20.0.15 > 10.20.0.1");
	talk_dhcp(w,
	          &(struct dhcp_case){BOARDROOM_MAC, "10.20.0.15", "10.20.0.1", "255.255.255.0",
	                              "10.20.0.1", "10.20.0.53", 0x11223301});
	wire_at(w, 0.3);
	talk_dhcp(w, &(struct dhcp_case){HUDDLE_MAC, "10.20.1.21", "10.20.1.1", "255.255.255.0",
	                                 "10.20.1.1", "10.20.0.53", 0x11223302});
	wire_at(w, 0.6);
	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	talk_dns(w, "10.20.0.15:52002 > 10.20.0.53:53",
	         DNS("fw.maestro.starleaf.com", DNS_A, NULL, "203.0.113.21"));
	talk_dns(w, "10.20.0.15:52003 > 10.20.0.53:53",
	         DNS("sipdir.online.lync.com", DNS_A, NULL, "52.112.64.11"));
	talk_dns(w, "10.20.0.15:52004 > 10.20.0.53:53",
	         DNS("lyncdiscover.corp.example", DNS_A, "webdir.online.lync.com",
	             "52.112.64.12"));
	talk_dns_tcp(
		w, "10.20.0.15:52005 > 10.20.0.53:53",
		DNS("_sip._tls.corp.example", DNS_SRV, NULL, "443 sipdir.online.lync.com"));
	talk_dns(w, "10.20.0.15:52006 > 10.20.0.53:53",
	         DNS("meet.corp.example", DNS_AAAA, NULL, NULL));
	wire_at(w, 1);
	talk_dns(w, "10.20.1.21:52101 > 10.20.0.53:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	talk_dns(w, "10.20.1.21:52102 > 10.20.0.53:53",
	         DNS("lyncdiscoverinternal.corp.example", DNS_A, NULL, "10.20.5.21"));
	talk_dns(w, "10.20.1.21:52103 > 10.20.0.53:53",
	         DNS("fe01.corp.example", DNS_A, NULL, "10.20.5.20"));
	talk_dns(w, "10.20.1.21:52104 > 10.20.0.53:53",
	         DNS("sts.corp.example", DNS_A, NULL, "10.20.5.22"));
	talk_dns_tcp(w, "10.20.1.21:52105 > 10.20.0.53:53",
	             DNS("_sipinternaltls._tcp.corp.example", DNS_SRV, NULL,
	                 "5061 fe01.corp.example"));
	wire_at(w, 1.5);
	talk_tls(w, "10.20.0.15:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	talk_tls(w, "10.20.1.21:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	wire_at(w, 2);
	talk_llmnr(w, "10.20.0.15:52010 > 224.0.0.252:5355", "printer", "10.20.0.77");
	talk_llmnr(w, "[fe80::226:8cff:fe01:203]:52011 > [ff02::1:3]:5355", "printer", NULL);
	wire_echo(w, "10.20.0.15 > 10.20.0.1", false, 1, 1);
	wire_echo(w, "10.20.0.1 > 10.20.0.15", true, 1, 1);
}

/* What others open towards the boardroom: the API, the page, the touch panel. */
static void served(struct wire *w)
{
	static const char *const panel[] = {
		"[2001:db8:20::99]:49169 > [2001:db8:20::15]:69",
		"[2001:db8:20::99]:49443 > [2001:db8:20::15]:443",
		"[2001:db8:20::99]:49500 > [2001:db8:20::15]:5000",
		"[2001:db8:20::99]:49515 > [2001:db8:20::15]:5152",
		"[2001:db8:20::99]:49523 > [2001:db8:20::15]:23456",
	};

	wire_at(w, 3);
	talk_http(w, "10.20.2.40:51000 > 10.20.0.15:80", "10.20.0.15", "/api/status");
	talk_tls(w, "10.20.2.40:51001 > 10.20.0.15:443", TLS(.version = 0x0303));
	for (unsigned i = 0; i < ARRAY_LEN(panel); i++) {
		struct message ask = message_noise(60, i), answer = message_noise(140, i + 10);

		wire_at(w, 4 + i * 0.1);
		if (i == 1)
			talk_tls(w, panel[i], TLS(.sni = NULL));
		else
			talk_tcp(w, panel[i], &ask, &answer);
	}
}

/* The boardroom's meeting in Skype for Business Online. */
static void online(struct wire *w)
{
	wire_at(w, 6);
	talk_tls(w, "10.20.0.15:49170 > 52.112.64.12:443",
	         TLS(.sni = "webdir.online.lync.com"));
	talk_tls(w, "10.20.0.15:49171 > 52.112.64.11:443",
	         TLS(.sni = "sipdir.online.lync.com", .records = 12));
	talk_tls(w, "10.20.0.15:49172 > 52.112.64.13:443",
	         TLS(.sni = "webconf.online.lync.com", .version = 0x0304));
	wire_at(w, 8);
	talk_msturn_tcp(w, "10.20.0.15:50044 > 52.113.1.5:443", "93.184.216.34:50301", SHARE(6),
	                true);
	wire_at(w, 9);
	talk_msturn(w, "10.20.0.15:50016 > 52.114.2.2:3478", "93.184.216.34:50100", AUDIO(40));
	wire_at(w, 9.1);
	talk_msturn(w, "10.20.0.15:50036 > 52.114.2.2:3479", "93.184.216.34:50200", VIDEO(45));
	wire_at(w, 11);
	talk_ice(w, "10.20.0.15:50004 > 52.112.1.9:50110");
	talk_rtp(w, "10.20.0.15:50004 > 52.112.1.9:50110", AUDIO(60));
	wire_at(w, 11.2);
	talk_ice(w, "10.20.0.15:50024 > 52.112.1.9:50210");
	talk_rtp(w, "10.20.0.15:50024 > 52.112.1.9:50210", VIDEO(60));
	wire_at(w, 11.4);
	talk_ice(w, "[2001:db8:20::15]:50008 > [2603:1027::44]:50120");
	talk_rtp(w, "[2001:db8:20::15]:50008 > [2603:1027::44]:50120",
	         &(struct media){PT_SILK, 40, 0x5d400000, false, true});
	wire_at(w, 13);
	talk_rtp_tcp(w, "10.20.0.15:50041 > 52.112.1.9:50310", SHARE(10));
	talk_rtp_tcp(w, "10.20.0.15:50012 > 52.112.1.9:50112", AUDIO(20));
	talk_rtp_tcp(w, "10.20.0.15:50032 > 52.112.1.9:50212", VIDEO(18));
	/* other clients open media towards the unit */
	wire_at(w, 15);
	talk_rtp_tcp(w, "10.20.64.31:50307 > 10.20.0.15:50006", AUDIO(20));
	talk_rtp_tcp(w, "10.20.64.31:50327 > 10.20.0.15:50026", VIDEO(18));
	talk_rtp_tcp(w, "10.20.64.31:50347 > 10.20.0.15:50047", SHARE(10));
	wire_at(w, 16);
	talk_ice(w, "10.20.64.31:50310 > 10.20.0.15:50002");
	talk_rtp(w, "10.20.64.31:50310 > 10.20.0.15:50002", AUDIO(40));
}

/* The huddle room's day on premises, then from outside through the Edge, then online. */
static void hybrid(struct wire *w)
{
	wire_at(w, 18);
	talk_http(w, "10.20.1.21:49180 > 10.20.5.21:80", "lyncdiscoverinternal.corp.example",
	          "/?sipuri=huddle@corp.example");
	talk_kerberos(w, "10.20.1.21:49181 > 10.20.5.10:88");
	talk_kerberos_tcp(w, "10.20.1.21:49182 > 10.20.5.10:88");
	talk_tls(w, "10.20.1.21:49183 > 10.20.5.22:443", TLS(.sni = "sts.corp.example"));
	talk_tls(w, "10.20.1.21:49184 > 10.20.5.20:5061",
	         TLS(.sni = "fe01.corp.example", .mutual = true, .records = 8));
	talk_tls(w, "10.20.1.21:49185 > 10.20.5.20:8057", TLS(.sni = "fe01.corp.example"));
	wire_at(w, 20);
	talk_msturn(w, "10.20.1.21:50003 > 198.51.100.12:3478", "192.0.2.60:50100", AUDIO(40));
	wire_at(w, 21);
	talk_ice(w, "10.20.1.21:50005 > 10.20.64.40:21000");
	talk_rtp(w, "10.20.1.21:50005 > 10.20.64.40:21000", AUDIO(50));
	wire_at(w, 22);
	talk_rtp_tcp(w, "10.20.1.21:50045 > 10.20.64.40:22000", SHARE(8));
	wire_at(w, 24);
	talk_tls(w, "10.20.1.21:49190 > 198.51.100.10:443",
	         TLS(.sni = "sip.corp.example", .records = 8));
	talk_tls(w, "10.20.1.21:49191 > 198.51.100.11:443", TLS(.sni = "webconf.corp.example"));
	talk_msturn_tcp(w, "10.20.1.21:50046 > 198.51.100.12:443", "192.0.2.60:50300", SHARE(6),
	                true);
	talk_msturn_tcp(w, "10.20.1.21:50013 > 198.51.100.12:3478", "192.0.2.60:50101",
	                AUDIO(20), false);
	wire_at(w, 26);
	talk_ice(w, "10.20.1.21:31000 > 198.51.100.12:51000");
	talk_rtp(w, "10.20.1.21:31000 > 198.51.100.12:51000", AUDIO(40));
	wire_at(w, 27);
	talk_rtp_tcp(w, "10.20.1.21:31001 > 198.51.100.12:52000", SHARE(8));
	wire_at(w, 28);
	talk_ice(w, "10.20.1.21:31010 > 192.0.2.60:31020");
	talk_rtp(w, "10.20.1.21:31010 > 192.0.2.60:31020", VIDEO(45));
	wire_at(w, 29);
	talk_rtp_tcp(w, "10.20.1.21:31011 > 192.0.2.60:31021", AUDIO(20));
	wire_at(w, 31);
	talk_tls(w, "10.20.1.21:49195 > 52.112.64.12:443",
	         TLS(.sni = "webdir.online.lync.com"));
	talk_ice(w, "10.20.1.21:50011 > 52.112.1.9:50411");
	talk_rtp(w, "10.20.1.21:50011 > 52.112.1.9:50411", AUDIO(60));
	wire_at(w, 32.5);
	talk_msturn(w, "10.20.1.21:50031 > 52.114.2.2:3480", "93.184.216.34:50231", VIDEO(45));
}

/* What no row allows: each differs in another field. */
static void outside(struct wire *w)
{
	struct message ask, answer;

	/* local-port: the headline, on both units */
	wire_at(w, 36);
	talk_ice(w, "10.20.0.15:50063 > 52.112.1.9:50011");
	talk_rtp(w, "10.20.0.15:50063 > 52.112.1.9:50011", AUDIO(60));
	wire_at(w, 36.5);
	talk_ice(w, "10.20.1.21:50063 > 52.112.1.9:50012");
	talk_rtp(w, "10.20.1.21:50063 > 52.112.1.9:50012", AUDIO(60));
	/* media: video from an audio port */
	wire_at(w, 38);
	talk_ice(w, "10.20.0.15:50005 > 52.112.1.9:50215");
	talk_rtp(w, "10.20.0.15:50005 > 52.112.1.9:50215", VIDEO(60));
	/* remote-port: a peer behind translation, and a server where none is documented */
	wire_at(w, 40);
	talk_ice(w, "10.20.0.15:50010 > 52.112.1.9:16332");
	talk_rtp(w, "10.20.0.15:50010 > 52.112.1.9:16332", AUDIO(50));
	wire_at(w, 41);
	talk_tls(w, "10.20.0.15:49700 > 203.0.113.20:8443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	/* application: SSH where TLS is documented, SIP in clear where it must be TLS */
	wire_at(w, 42);
	talk_ssh(w, "10.20.0.15:49701 > 52.112.64.12:443");
	ask = message_sip_register("corp.example");
	answer = message_sip_answer();
	talk_tcp(w, "10.20.1.21:49702 > 10.20.5.20:5061", &ask, &answer);
	/* peer: a foreign resolver, a name that lies, media with a stranger */
	wire_at(w, 43);
	talk_dns(w, "10.20.0.15:52020 > 8.8.8.8:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "45.33.20.9"));
	talk_tls(w, "10.20.0.15:49703 > 45.33.20.9:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	talk_rtp(w, "10.20.0.15:50009 > 45.33.20.10:50500", AUDIO(30));
	/* ip-version: the right controller on the right port, over IPv4, and answered */
	wire_at(w, 45);
	ask = message_noise(60, 1);
	answer = message_noise(140, 2);
	talk_tcp(w, "10.20.0.99:49710 > 10.20.0.15:5000", &ask, &answer);
	/* direction: a server opens what the unit should open */
	wire_at(w, 46);
	talk_tls(w, "52.112.64.12:443 > 10.20.0.15:49711", TLS(.sni = NULL));
	/* transport: the touch panel speaks TCP; sharing from a sharing port, but over UDP */
	wire_at(w, 47);
	ask = message_noise(60, 3);
	answer = message_noise(140, 4);
	talk_udp(w, "[2001:db8:20::99]:49530 > [2001:db8:20::15]:5000", &ask);
	talk_udp(w, "[2001:db8:20::15]:5000 > [2001:db8:20::99]:49530", &answer);
	talk_ice(w, "10.20.0.15:50042 > 52.112.1.9:50320");
	talk_rtp(w, "10.20.0.15:50042 > 52.112.1.9:50320", SHARE(24));
	/* service: nothing comes near */
	wire_at(w, 50);
	talk_ntp(w, "10.20.0.15:123 > 162.159.200.1:123");
	talk_ntp(w, "10.20.1.21:123 > 162.159.200.1:123");
	ask = message_mdns_query("_airplay._tcp.local");
	talk_udp(w, "10.20.1.21:5353 > 224.0.0.251:5353", &ask);
	ask = message_text("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
	                   "MAN: \"ssdp:discover\"\r\nMX: 2\r\nST: ssdp:all\r\n\r\n");
	talk_udp(w, "10.20.1.21:50900 > 239.255.255.250:1900", &ask);
	ask = message_ldap_bind();
	answer = message_ldap_bind();
	talk_tcp(w, "10.20.1.21:49712 > 10.20.5.10:389", &ask, &answer);
	/* somebody opens a shell on the boardroom, and it answers */
	wire_at(w, 52);
	talk_ssh(w, "10.20.2.50:40000 > 10.20.0.15:22");
	/* a room system that nobody listed */
	wire_at(w, 53);
	talk_dns(w, "10.20.3.30:52001 > 10.20.0.53:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	talk_tls(w, "10.20.3.30:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
}

/* What is documented, and what the network does to it. */
static void blocked(struct wire *w)
{
	struct message ask = message_msturn(MSTURN_ALLOCATE, 99, NULL, NULL);

	wire_at(w, 56);
	talk_silence(w, "10.20.0.15:49720 > 203.0.113.21:443");
	for (unsigned i = 0; i < 2; i++) {
		wire_at(w, 58 + i);
		talk_udp(w, "10.20.1.21:50017 > 198.51.100.13:3478", &ask);
		wire_icmp_error(w, "10.20.1.1 > 10.20.1.21", 3, 13);
	}
	wire_at(w, 60);
	talk_refused(w, "10.20.1.21:49721 > 10.20.5.11:88");
}

/* Others on the wire: no unit's traffic, counted and out of scope. */
static void others(struct wire *w)
{
	struct message m = message_mdns_query("_printer._tcp.local");

	wire_at(w, 62);
	talk_udp(w, "10.20.0.77:5353 > 224.0.0.251:5353", &m);
	talk_tls(w, "10.20.2.40:51100 > 93.184.216.34:443", TLS(.sni = "example.com"));
	wire_at(w, 74);
	wire_echo(w, "10.20.0.15 > 10.20.0.1", false, 1, 2);
	wire_echo(w, "10.20.0.1 > 10.20.0.15", true, 1, 2);
}

int main(int argc, char **argv)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct err err;

	if (argc != 2) {
		fprintf(stderr, "usage: mkdemo FILE\n");
		return 2;
	}
	wire_pad(w, 60);
	wire_router(w, "10.20.0.0/16", ROUTER_MAC);
	wire_router(w, "2001:db8:20::/64", ROUTER_MAC);
	wire_mac(w, "10.20.0.15", BOARDROOM_MAC);
	wire_mac(w, "2001:db8:20::15", BOARDROOM_MAC);
	wire_mac(w, "fe80::226:8cff:fe01:203", BOARDROOM_MAC);
	wire_mac(w, "10.20.1.21", HUDDLE_MAC);
	wire_mac(w, "10.20.3.30", SPARE_MAC);
	wake(w);
	served(w);
	online(w);
	hybrid(w);
	outside(w);
	blocked(w);
	others(w);
	wire_sort(w);
	if (wire_write(w, argv[1], &err) < 0) {
		fprintf(stderr, "mkdemo: %s\n", err.text);
		return 1;
	}
	return 0;
}

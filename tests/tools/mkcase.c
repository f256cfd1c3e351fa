/*
 * mkcase.c - the captures of the golden cases: each a deployment seen whole, the applications where no row
 * wants them, or what segments do to messages. `mkcase CASE FILE`; the addresses are those of the site.yaml
 * in tests/golden/CASE. Between them every dissector decides at least one line of a report
 * (tests/cli/without_dissector.sh).
 */
#include "tests/lib/talk.h"
#include "tests/lib/wrap.h"

#define ROOM_MAC "00:26:8c:01:02:03"
#define AUDIO(n) (&(struct media){.payload_type = PT_SILK, .packets = (n), .ssrc = 0x5a100000})
#define VIDEO(n) (&(struct media){.payload_type = PT_H264, .packets = (n), .ssrc = 0x5b200000})
#define SHARE(n) (&(struct media){.payload_type = PT_DATA, .packets = (n), .ssrc = 0x5c300000})
#define TLS(...) (&(struct tls){__VA_ARGS__})
#define DNS(...) (&(struct dns_case){__VA_ARGS__})

/* Names, leases, management, and what others open. */
static void room(struct wire *w)
{
	struct message m;

	talk_dhcp(w, &(struct dhcp_case){ROOM_MAC, "10.20.0.15", "10.20.0.1", "255.255.255.0",
	                                 "10.20.0.1", "10.20.0.53", 0x11223301});
	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	talk_dns(w, "10.20.0.15:52002 > 10.20.0.53:53",
	         DNS("lyncdiscover.corp.example", DNS_A, "web.corp.example", "203.0.113.9"));
	talk_dns(w, "10.20.0.15:52003 > 10.20.0.53:53",
	         DNS("no.corp.example", DNS_AAAA, NULL, NULL));
	talk_dns_tcp(w, "10.20.0.15:52004 > 10.20.0.53:53",
	             DNS("_sip._tls.corp.example", DNS_SRV, NULL, "443 sip.corp.example"));
	/* the mirror shows one direction only: an answer alone, a query that was answered out of sight */
	wire_at(w, 2);
	m = message_dns_answer(9, "ntp.corp.example", DNS_A, NULL, "10.20.0.54", 60);
	talk_udp(w, "10.20.0.53:53 > 10.20.0.15:52005", &m);
	wire_at(w, 3);
	talk_llmnr(w, "10.20.0.15:52010 > 224.0.0.252:5355", "printer", "10.20.0.77");
	talk_llmnr(w, "[fe80::226:8cff:fe01:203]:52011 > [ff02::1:3]:5355", "printer", NULL);
	wire_at(w, 4);
	talk_tls(w, "10.20.0.15:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	talk_tls(w, "10.20.0.15:49161 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com", .version = 0x0304));
	/* a foreign resolver lends the name to its own address, and the unit goes there */
	talk_dns(w, "10.20.0.15:52006 > 198.51.100.99:53",
	         DNS("fw.maestro.starleaf.com", DNS_A, NULL, "198.51.100.98"));
	talk_tls(w, "10.20.0.15:49162 > 198.51.100.98:443",
	         TLS(.sni = "fw.maestro.starleaf.com"));
	wire_at(w, 6);
	talk_http(w, "10.20.2.40:51000 > 10.20.0.15:80", "10.20.0.15", "/api/status");
	talk_tls(w, "10.20.2.40:51001 > 10.20.0.15:443", TLS(.sni = NULL));
}

static void onprem(struct wire *w)
{
	struct message ask, answer;

	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53",
	         DNS("lyncdiscoverinternal.corp.example", DNS_A, NULL, "10.20.5.21"));
	talk_dns(w, "10.20.0.15:52002 > 10.20.0.53:53",
	         DNS("fe01.corp.example", DNS_A, NULL, "10.20.5.20"));
	wire_at(w, 1);
	talk_http(w, "10.20.0.15:49180 > 10.20.5.21:80", "lyncdiscoverinternal.corp.example",
	          "/?sipuri=room@corp.example");
	talk_kerberos(w, "10.20.0.15:49181 > 10.20.5.10:88");
	talk_kerberos_tcp(w, "10.20.0.15:49182 > 10.20.5.10:88");
	ask = message_kerberos(KERBEROS_AS_REQ);
	answer = message_kerberos(KERBEROS_ERROR);
	talk_udp(w, "10.20.0.15:49183 > 10.20.5.10:88", &ask);
	talk_udp(w, "10.20.5.10:88 > 10.20.0.15:49183", &answer);
	talk_tls(w, "10.20.0.15:49184 > 10.20.5.20:5061",
	         TLS(.sni = "fe01.corp.example", .mutual = true, .records = 8));
	talk_tls(w, "10.20.0.15:49185 > 10.20.5.20:8057", TLS(.sni = "fe01.corp.example"));
	wire_at(w, 3);
	talk_msturn(w, "10.20.0.15:50003 > 198.51.100.12:3478", "192.0.2.60:50100", AUDIO(40));
	wire_at(w, 5);
	talk_ice(w, "10.20.0.15:20000 > 10.20.64.40:21000");
	talk_rtp(w, "10.20.0.15:20000 > 10.20.64.40:21000", AUDIO(50));
	wire_at(w, 7);
	talk_rtp(w, "10.20.64.40:21010 > 10.20.0.15:20010", VIDEO(40));
	talk_rtp_tcp(w, "10.20.0.15:20020 > 10.20.64.40:22000", SHARE(20));
}

/* Through the Edge: pseudo-TLS, framed relays, peers behind it. */
static void external(struct wire *w)
{
	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53",
	         DNS("sip.corp.example", DNS_A, NULL, "198.51.100.10"));
	wire_at(w, 1);
	talk_tls(w, "10.20.0.15:49190 > 198.51.100.10:443",
	         TLS(.sni = "sip.corp.example", .records = 8));
	talk_tls(w, "10.20.0.15:49191 > 198.51.100.11:443", TLS(.sni = "webconf.corp.example"));
	talk_msturn_tcp(w, "10.20.0.15:50046 > 198.51.100.12:443", "192.0.2.60:50300",
	                SHARE(12), true);
	talk_msturn_tcp(w, "10.20.0.15:50013 > 198.51.100.12:3478", "192.0.2.60:50101",
	                AUDIO(20), false);
	wire_at(w, 4);
	talk_msturn(w, "10.20.0.15:50014 > 198.51.100.12:3478", "192.0.2.60:50102", AUDIO(40));
	wire_at(w, 6);
	talk_ice(w, "10.20.0.15:31000 > 198.51.100.12:51000");
	talk_rtp(w, "10.20.0.15:31000 > 198.51.100.12:51000", AUDIO(40));
	talk_rtp_tcp(w, "10.20.0.15:31001 > 198.51.100.12:52000", SHARE(20));
	wire_at(w, 9);
	talk_ice(w, "10.20.0.15:31010 > 192.0.2.60:31020");
	talk_rtp(w, "10.20.0.15:31010 > 192.0.2.60:31020", VIDEO(45));
	talk_rtp_tcp(w, "10.20.0.15:31011 > 192.0.2.60:31021", AUDIO(20));
}

/* RFC 5766: allocate, bind a channel, then media in it. */
static void channel(struct wire *w, const char *tuple)
{
	static const unsigned types[] = {0x0003, 0x0103, 0x0009, 0x0109};
	struct message m, one;
	char back[WIRE_TUPLE];

	wire_back(tuple, back);
	for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
		m = message_stun(&(struct stun){.type = types[i], .tx = 1 + i / 2});
		talk_udp(w, i % 2 ? back : tuple, &m);
	}
	for (unsigned i = 0; i < 40; i++) {
		one = message_rtp(&(struct rtp){.payload_type = PT_SILK,
		                                .seq = (uint16_t)(100 + i),
		                                .timestamp = i * 320,
		                                .ssrc = 0x5a100000,
		                                .payload_len = 72});
		m = message_channel(0x4001, &one);
		talk_udp(w, i % 2 ? back : tuple, &m);
	}
}

/* A web client's media: DTLS first (RFC 5764). */
static void dtls(struct wire *w, const char *tuple)
{
	struct message m = {0};
	char back[WIRE_TUPLE];

	message_add(&m, (uint8_t[]){22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 72}, 13);
	message_add(&m, (uint8_t[]){1, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 60}, 12);
	message_add_noise(&m, 60, 2);
	talk_udp(w, tuple, &m);
	m.b[13] = 2;
	talk_udp(w, wire_back(tuple, back), &m);
}

static void online(struct wire *w)
{
	struct message m, inner;

	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53",
	         DNS("lyncdiscover.corp.example", DNS_A, "webdir.online.lync.com",
	             "52.112.64.12"));
	talk_dns(w, "10.20.0.15:52002 > 10.20.0.53:53",
	         DNS("sipdir.online.lync.com", DNS_A, NULL, "52.112.64.11"));
	talk_tls(w, "10.20.0.15:49170 > 52.112.64.12:443",
	         TLS(.sni = "webdir.online.lync.com"));
	talk_tls(w, "10.20.0.15:49171 > 52.112.64.11:443",
	         TLS(.sni = "sipdir.online.lync.com", .records = 12));
	wire_at(w, 2);
	talk_msturn_tcp(w, "10.20.0.15:50044 > 52.113.1.5:443", "93.184.216.34:50301",
	                SHARE(20), true);
	talk_msturn(w, "10.20.0.15:50016 > 52.114.2.2:3478", "93.184.216.34:50100", AUDIO(40));
	wire_at(w, 5);
	talk_ice(w, "10.20.0.15:50004 > 52.112.1.9:50110");
	talk_rtp(w, "10.20.0.15:50004 > 52.112.1.9:50110", AUDIO(60));
	for (unsigned i = 0; i < 4; i++) { /* RTCP on the port beside it */
		m = message_rtcp(0x5a100000, i);
		talk_udp(w, "10.20.0.15:50005 > 52.112.1.9:50111", &m);
		talk_udp(w, "52.112.1.9:50111 > 10.20.0.15:50005", &m);
	}
	wire_at(w, 8);
	talk_rtp(w, "10.20.0.15:50024 > 52.112.1.9:50220", VIDEO(60));
	talk_rtp_tcp(w, "10.20.0.15:50047 > 52.112.1.9:50320", SHARE(20));
	wire_at(w, 12);
	inner = message_stun_success(5, "52.112.1.9:50120");
	m = message_msturn_multiplexed(
		&inner); /* the two directions may differ (domain of 2.2.3) */
	inner = message_stun_request(5, true);
	talk_udp(w, "52.114.2.3:3479 > 10.20.0.15:50017", &inner);
	talk_udp(w, "10.20.0.15:50017 > 52.114.2.3:3479", &m);
	channel(w, "10.20.0.15:50018 > 52.114.2.4:3480");
	dtls(w, "10.20.0.15:50019 > 52.112.1.9:50130");
	talk_ice_probe(w, "10.20.0.15:50012 > 52.112.1.10:50131", 3);
}

/* Every application where no row wants it. */
static void violations(struct wire *w)
{
	struct message ask = message_sip_register("corp.example"),
		       answer = message_sip_answer();

	talk_tcp(w, "10.20.0.15:49702 > 10.20.5.20:5061", &ask, &answer);
	talk_udp(w, "10.20.0.15:49703 > 10.20.5.20:5060", &ask);
	talk_udp(w, "10.20.5.20:5060 > 10.20.0.15:49703", &answer);
	talk_http(w, "10.20.0.15:49704 > 203.0.113.20:443", "config.maestro.starleaf.com", "/");
	talk_tls(w, "10.20.0.15:49705 > 10.20.5.21:80", TLS(.sni = "web.corp.example"));
	talk_kerberos_tcp(w, "10.20.0.15:49706 > 10.20.5.20:5061");
	talk_dns_tcp(w, "10.20.0.15:49707 > 203.0.113.20:443",
	             DNS("tunnel.example", DNS_A, NULL, "203.0.113.1"));
	talk_dns(w, "10.20.0.15:49708 > 10.20.5.10:88",
	         DNS("tunnel.example", DNS_A, NULL, "203.0.113.1"));
	talk_rtp(w, "10.20.0.15:49709 > 10.20.0.53:53", AUDIO(30));
	talk_ice(w, "10.20.0.15:49710 > 10.20.5.10:88");
	talk_msturn(w, "10.20.0.15:49711 > 203.0.113.20:123", "192.0.2.60:50100", AUDIO(20));
	talk_msturn_tcp(w, "10.20.0.15:49712 > 203.0.113.20:443", "192.0.2.60:50101", AUDIO(20),
	                true);
	talk_rtp_tcp(w, "10.20.0.15:49713 > 203.0.113.20:443", SHARE(20));
	dtls(w, "10.20.0.15:49714 > 203.0.113.20:443");
	ask = message_rtcp(7, 1);
	talk_udp(w, "10.20.0.15:49715 > 203.0.113.20:4000", &ask);
	talk_udp(w, "203.0.113.20:4000 > 10.20.0.15:49715", &ask);
	/* a stranger gives out leases, and somebody asks one neighbour what is for all */
	talk_dhcp(w, &(struct dhcp_case){ROOM_MAC, "10.20.0.15", "10.20.0.66", "255.255.255.0",
	                                 "10.20.0.66", "10.20.0.66", 0x11223302});
	ask = message_dns_query(7, "printer", DNS_A);
	ask.b[2] = 0;
	talk_udp(w, "10.20.0.15:49716 > 203.0.113.20:5355", &ask);
}

static void pieces(struct wire *w, const char *tuple, const struct message *m, size_t size)
{
	for (size_t at = 0; at < m->len; at += size) {
		wire_tcp(w, tuple, "PA", m->b + at, m->len - at < size ? m->len - at : size);
		wire_wait(w, 0.001);
	}
}

/* The second part is on the wire first. */
static void swapped(struct wire *w, const char *tuple, const struct message *m, size_t at)
{
	double now = wire_now(w);

	wire_at(w, now + 0.002);
	wire_tcp(w, tuple, "A", m->b, at);
	wire_at(w, now + 0.001);
	wire_tcp(w, tuple, "PA", m->b + at, m->len - at);
	wire_at(w, now + 0.004);
}

/* What segments do to messages: cut anywhere, in another order, twice, several in one. */
static void framing(struct wire *w)
{
	struct message m = message_client_hello("sipdir.online.lync.com", 0x0303), one,
		       all = {0};
	const char *tls = "10.20.0.15:49171 > 52.112.64.11:443";
	const char *http = "10.20.2.40:51000 > 10.20.0.15:80";
	const char *dns = "10.20.0.15:52001 > 10.20.0.53:53";
	const char *relay = "10.20.0.15:50046 > 52.113.1.5:443";
	const char *peer = "10.20.0.15:50047 > 52.112.1.9:50320";
	char back[WIRE_TUPLE];

	talk_open(w, tls);
	swapped(w, tls, &m, 70);
	m = message_server_hello(0x0303, true);
	pieces(w, wire_back(tls, back), &m, 100);
	m = message_client_finish(true);
	pieces(w, tls, &m, 60);
	talk_close(w, tls);

	wire_at(w, 1);
	m = message_http_get("10.20.0.15", "/api/status");
	talk_open(w, http);
	pieces(w, http, &m, 1);
	m = message_http_answer(200, 60);
	pieces(w, wire_back(http, back), &m, 5);
	talk_close(w, http);

	wire_at(w, 2);
	one = message_dns_query(1, "sip.corp.example", DNS_A);
	m = message_framed(&one, 2);
	talk_open(w, dns);
	swapped(w, dns, &m, 2);
	one = message_dns_answer(1, "sip.corp.example", DNS_A, NULL, "203.0.113.20", 60);
	m = message_framed(&one, 2);
	pieces(w, wire_back(dns, back), &m, 7);
	talk_close(w, dns);

	wire_at(w, 3);
	m = message_pseudo_tls_hello();
	talk_open(w, relay);
	pieces(w, relay, &m, 20);
	m = message_pseudo_tls_answer();
	pieces(w, wire_back(relay, back), &m, 50);
	one = message_msturn(MSTURN_ALLOCATE, 1, NULL, NULL);
	m = message_msturn_framed(2, &one);
	pieces(w, relay, &m, 30);
	for (unsigned i = 0; i < 12; i++) {
		one = message_rtp(&(struct rtp){.payload_type = PT_DATA,
		                                .seq = (uint16_t)(100 + i),
		                                .timestamp = i * 3000,
		                                .ssrc = 0x5c300000,
		                                .payload_len = 200});
		m = message_msturn_framed(3, &one);
		message_add(&all, m.b, m.len);
	}
	pieces(w, relay, &all, 500);
	talk_close(w, relay);

	wire_at(w, 4);
	talk_open(w, peer);
	all = (struct message){0};
	one = message_stun_request(9, true);
	m = message_framed(&one, 2);
	message_add(&all, m.b, m.len);
	for (unsigned i = 0; i < 12; i++) {
		one = message_rtp(&(struct rtp){.payload_type = PT_DATA,
		                                .seq = (uint16_t)(500 + i),
		                                .timestamp = i * 3000,
		                                .ssrc = 0x5c300000,
		                                .payload_len = 200});
		m = message_framed(&one, 2);
		message_add(&all, m.b, m.len);
	}
	swapped(w, peer, &all, 150);
	talk_close(w, peer);
}

/* The frames of `from`, in a mirror's wrapping. */
static void wrapped(struct wire *w, enum wrap kind, const struct wire *from)
{
	for (size_t i = 0; i < wire_count(from); i++) {
		CLEANUP(wire_freep) struct wire *one = wire_new();
		struct wire_frame frame = wire_packet(from, i);

		wire_frame(one, frame.data, frame.len);
		wire_at(w, (double)(frame.time_us - WIRE_EPOCH * 1000000) / 1e6);
		wrap(w, "10.99.0.1 > 10.99.0.2", kind, one, 0);
	}
}

/* One flow in each wrapping, a SPAN's copies of one, and a unit's own tunnel, which stays one. */
static void mirror(struct wire *w)
{
	struct message inner = message_noise(60, 1), vxlan = {0};

	for (unsigned kind = 0; kind < WRAP_COUNT; kind++) {
		CLEANUP(wire_freep) struct wire *from = wire_new();
		char tuple[WIRE_TUPLE];

		wire_at(from, kind * 2);
		snprintf(tuple, sizeof(tuple), "10.20.0.15:%u > %s", 50000 + kind,
		         kind % 2 ? "52.112.1.9:50100" : "203.0.113.20:443");
		if (kind % 2)
			talk_rtp(from, tuple, AUDIO(12));
		else
			talk_tls(from, tuple, TLS(.sni = "config.maestro.starleaf.com"));
		wrapped(w, (enum wrap)kind, from);
	}
	wire_at(w, 30);
	for (unsigned i = 0; i < 20; i++) {
		struct message m = message_rtp(&(struct rtp){.payload_type = PT_SILK,
		                                             .seq = (uint16_t)(100 + i),
		                                             .timestamp = i * 320,
		                                             .ssrc = 7,
		                                             .payload_len = 72});

		wire_udp(w, "10.20.0.15:50018 > 52.112.1.9:50100", m.b, m.len);
		wire_wait(w, 0.001);
		wire_again(w);
		wire_wait(w, 0.019);
	}
	message_add(&vxlan, (uint8_t[]){8, 0, 0, 0, 0, 0, 77, 0}, 8);
	message_add(&vxlan, inner.b, inner.len);
	talk_udp(w, "10.20.0.15:40000 > 192.0.2.9:4789", &vxlan);
}

/* Media of payload types nobody listed (domain.md 2.2), by what its packets look like. */
static void dynamic(struct wire *w, const char *tuple, uint8_t payload_type, bool video,
                    unsigned packets)
{
	for (unsigned i = 0; i < packets; i++) {
		struct message m = message_rtp(&(struct rtp){
			.payload_type = payload_type,
			.marker = video && i % 4 == 3,
			.seq = (uint16_t)(100 + i),
			.timestamp = video ? i / 4 * 3000 : i * 960,
			.ssrc = 0x60000000U + payload_type,
			.payload_len = (uint16_t)(video ? 1000 + i % 80 : 90 + i % 20)});

		wire_udp(w, tuple, m.b, m.len);
		wire_wait(w, video ? (i % 4 == 3 ? 0.03 : 0.0003) : 0.02);
	}
}

/* What is known by other flows, by shape, by time: leases, a proxy, kinds, a port used again. */
static void learned(struct wire *w)
{
	const char *proxy = "10.20.0.15:49200 > 10.20.0.8:3128", *reused;
	struct message m = message_text("CONNECT config.maestro.starleaf.com:443 HTTP/1.1\r\n"
	                                "Host: config.maestro.starleaf.com:443\r\n\r\n");
	char back[WIRE_TUPLE];

	talk_dhcp(w, &(struct dhcp_case){ROOM_MAC, "10.20.0.15", "10.20.0.1", "255.255.255.0",
	                                 "10.20.0.1", "10.20.0.53", 0x11223301});
	wire_at(w, 1);
	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	talk_dns(w, "10.20.0.15:52002 > 198.51.100.99:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "198.51.100.98"));
	wire_at(w, 2);
	talk_open(w, proxy);
	talk_send(w, proxy, &m);
	m = message_text("HTTP/1.1 200 Connection established\r\n\r\n");
	talk_send(w, wire_back(proxy, back), &m);
	m = message_client_hello("config.maestro.starleaf.com", 0x0303);
	talk_send(w, proxy, &m);
	m = message_server_hello(0x0303, false);
	talk_send(w, back, &m);
	talk_close(w, proxy);
	wire_at(w, 4);
	talk_llmnr(w, "10.20.0.15:52010 > 224.0.0.252:5355", "printer", "10.20.0.77");
	wire_at(w, 6);
	dynamic(w, "10.20.0.15:50006 > 52.112.1.9:50106", 96, false, 60);
	dynamic(w, "10.20.0.15:50026 > 52.112.1.9:50126", 98, true, 80);
	dynamic(w, "10.20.0.15:50008 > 52.112.1.9:50108", 98, true, 80); /* from audio's port */
	wire_at(w, 12);
	talk_rtp(w, "10.20.0.15:50010 > 52.112.1.9:50110", AUDIO(40));
	talk_rtp(w, "10.20.0.15:50010 > 52.112.1.9:50110", VIDEO(60)); /* mixed */
	wire_at(w, 16);
	reused =
		"10.20.0.15:50012 > 52.112.1.9:50112"; /* a call, and a minute later the next */
	talk_ice(w, reused);
	talk_rtp(w, reused, AUDIO(30));
	wire_wait(w, 90);
	talk_ice(w, reused);
	talk_rtp(w, reused, AUDIO(30));
}

static const struct {
	const char *name;
	void (*make)(struct wire *w);
} CASES[] = {
	{"room", room},     {"onprem", onprem},         {"external", external},
	{"online", online}, {"violations", violations}, {"framing", framing},
	{"mirror", mirror}, {"learned", learned},
};

int main(int argc, char **argv)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct err err;

	for (unsigned i = 0; argc == 3 && i < ARRAY_LEN(CASES); i++) {
		if (strcmp(CASES[i].name, argv[1]))
			continue;
		wire_pad(w, 60);
		wire_router(w, "10.20.0.0/16", "00:00:5e:00:01:01");
		wire_mac(w, "10.20.0.15", ROOM_MAC);
		wire_mac(w, "fe80::226:8cff:fe01:203", ROOM_MAC);
		CASES[i].make(w);
		wire_wait(w, 5);
		wire_echo(w, "10.20.0.15 > 10.20.0.1", false, 1, 1); /* time goes on */
		wire_sort(w);
		if (wire_write(w, argv[2], &err) == 0)
			return 0;
		fprintf(stderr, "mkcase: %s\n", err.text);
		return 1;
	}
	fprintf(stderr, "usage: mkcase CASE FILE\n");
	return 2;
}

/*
 * mkclean.c - the clean capture: the units of tests/clean/site.yaml work through every required and recommended
 * row of all profiles, and do nothing else. Each row is an act of its own, so that one can be left out:
 *
 *     mkclean FILE [--without UNIT/ROW]... [--jump SECONDS]
 *
 * With --jump the clock is set by so much, forward or back, when two thirds are over.
 */
#include "tests/lib/talk.h"

#define BOARDROOM_MAC "00:26:8c:11:12:13"
#define HUDDLE_MAC "00:26:8c:14:15:16"
#define ROUTER_MAC "00:00:5e:00:01:02"

#define AUDIO(n) (&(struct media){.payload_type = PT_SILK, .packets = (n), .ssrc = 0x5a100000})
#define VIDEO(n) (&(struct media){.payload_type = PT_H264, .packets = (n), .ssrc = 0x5b200000})
#define SHARE(n) (&(struct media){.payload_type = PT_DATA, .packets = (n), .ssrc = 0x5c300000})
#define TLS(...) (&(struct tls){__VA_ARGS__})
#define DNS(...) (&(struct dns_case){__VA_ARGS__})

/* ------------------------------------------------------------ the boardroom */

static void b_dhcp(struct wire *w)
{
	talk_dhcp(w, &(struct dhcp_case){BOARDROOM_MAC, "10.40.0.15", "10.40.0.1", "255.255.255.0",
	                                 "10.40.0.1", "10.40.0.53", 0x22334401});
}

static void b_dns(struct wire *w)
{
	talk_dns(w, "10.40.0.15:52001 > 10.40.0.53:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	talk_dns(w, "10.40.0.15:52002 > 10.40.0.53:53",
	         DNS("sipdir.online.lync.com", DNS_A, NULL, "52.112.64.11"));
	talk_dns(w, "10.40.0.15:52003 > 10.40.0.53:53",
	         DNS("webdir.online.lync.com", DNS_A, NULL, "52.112.64.12"));
	talk_dns_tcp(w, "10.40.0.15:52004 > 10.40.0.53:53",
	             DNS("_sip._tls.corp.example", DNS_SRV, NULL, "443 sipdir.online.lync.com"));
}

static void b_maestro(struct wire *w)
{
	talk_tls(w, "10.40.0.15:49160 > 203.0.113.20:443", TLS(.sni = "config.maestro.starleaf.com"));
}

static void b_web_ui(struct wire *w)
{
	talk_tls(w, "10.40.2.40:51001 > 10.40.0.15:443", TLS(.version = 0x0303));
}

static void b_touch(struct wire *w)
{
	struct message ask = message_noise(60, 1), answer = message_noise(140, 2);

	talk_tcp(w, "[2001:db8:40::99]:49500 > [2001:db8:40::15]:5000", &ask, &answer);
}

static void b_auth_https(struct wire *w)
{
	talk_tls(w, "10.40.0.15:49170 > 52.112.64.12:443", TLS(.sni = "webdir.online.lync.com"));
}

static void b_sip(struct wire *w)
{
	talk_tls(w, "10.40.0.15:49171 > 52.112.64.11:443",
	         TLS(.sni = "sipdir.online.lync.com", .records = 12));
}

static void b_relay_tcp(struct wire *w)
{
	talk_msturn_tcp(w, "10.40.0.15:50044 > 52.113.1.5:443", "93.184.216.34:50301", SHARE(6), true);
}

static void b_relay_udp(struct wire *w)
{
	talk_msturn(w, "10.40.0.15:50016 > 52.114.2.2:3478", "93.184.216.34:50100", AUDIO(40));
	talk_msturn(w, "10.40.0.15:50036 > 52.114.2.2:3479", "93.184.216.34:50200", VIDEO(45));
}

static void b_audio(struct wire *w)
{
	talk_ice(w, "10.40.0.15:50004 > 52.112.1.9:50110");
	talk_rtp(w, "10.40.0.15:50004 > 52.112.1.9:50110", AUDIO(60));
}

static void b_video(struct wire *w)
{
	talk_ice(w, "10.40.0.15:50024 > 52.112.1.9:50210");
	talk_rtp(w, "10.40.0.15:50024 > 52.112.1.9:50210", VIDEO(60));
}

static void b_appshare(struct wire *w)
{
	talk_rtp_tcp(w, "10.40.0.15:50041 > 52.112.1.9:50310", SHARE(10));
}

static void b_in_audio(struct wire *w)
{
	talk_rtp_tcp(w, "10.40.64.31:50307 > 10.40.0.15:50006", AUDIO(20));
}

static void b_in_video(struct wire *w)
{
	talk_rtp_tcp(w, "10.40.64.31:50327 > 10.40.0.15:50026", VIDEO(18));
}

static void b_in_appshare(struct wire *w)
{
	talk_rtp_tcp(w, "10.40.64.31:50347 > 10.40.0.15:50047", SHARE(10));
}

/* --------------------------------------------------------------- the huddle */

static void h_dhcp(struct wire *w)
{
	talk_dhcp(w, &(struct dhcp_case){HUDDLE_MAC, "10.40.1.21", "10.40.1.1", "255.255.255.0",
	                                 "10.40.1.1", "10.40.0.53", 0x22334402});
}

static void h_dns(struct wire *w)
{
	talk_dns(w, "10.40.1.21:52101 > 10.40.0.53:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	talk_dns(w, "10.40.1.21:52102 > 10.40.0.53:53",
	         DNS("lyncdiscoverinternal.corp.example", DNS_A, NULL, "10.40.5.21"));
	talk_dns(w, "10.40.1.21:52103 > 10.40.0.53:53",
	         DNS("fe01.corp.example", DNS_A, NULL, "10.40.5.20"));
	talk_dns(w, "10.40.1.21:52104 > 10.40.0.53:53",
	         DNS("sts.corp.example", DNS_A, NULL, "10.40.5.22"));
}

static void h_maestro(struct wire *w)
{
	talk_tls(w, "10.40.1.21:49160 > 203.0.113.20:443", TLS(.sni = "config.maestro.starleaf.com"));
}

static void h_web_ui(struct wire *w)
{
	talk_tls(w, "10.40.2.40:51002 > 10.40.1.21:443", TLS(.version = 0x0303));
}

static void h_autodiscover(struct wire *w)
{
	talk_http(w, "10.40.1.21:49180 > 10.40.5.21:80", "lyncdiscoverinternal.corp.example",
	          "/?sipuri=huddle@corp.example");
}

static void h_kerberos(struct wire *w)
{
	talk_kerberos(w, "10.40.1.21:49181 > 10.40.5.10:88");
}

static void h_auth_https(struct wire *w)
{
	talk_tls(w, "10.40.1.21:49183 > 10.40.5.22:443", TLS(.sni = "sts.corp.example"));
}

static void h_sip(struct wire *w)
{
	talk_tls(w, "10.40.1.21:49184 > 10.40.5.20:5061",
	         TLS(.sni = "fe01.corp.example", .mutual = true, .records = 8));
}

static void h_turn_udp(struct wire *w)
{
	talk_msturn(w, "10.40.1.21:50003 > 198.51.100.12:3478", "192.0.2.60:50100", AUDIO(40));
	talk_msturn(w, "10.40.1.21:50033 > 198.51.100.12:3478", "192.0.2.60:50200", VIDEO(45));
}

static void h_media_udp(struct wire *w)
{
	talk_ice(w, "10.40.1.21:50005 > 10.40.64.40:21000");
	talk_rtp(w, "10.40.1.21:50005 > 10.40.64.40:21000", AUDIO(50));
	talk_ice(w, "10.40.1.21:50035 > 10.40.64.40:21002");
	talk_rtp(w, "10.40.1.21:50035 > 10.40.64.40:21002", VIDEO(50));
}

static void h_media_tcp(struct wire *w)
{
	talk_rtp_tcp(w, "10.40.1.21:50045 > 10.40.64.40:22000", SHARE(8));
}

static void h_edge_sip(struct wire *w)
{
	talk_tls(w, "10.40.1.21:49190 > 198.51.100.10:443", TLS(.sni = "sip.corp.example", .records = 8));
}

static void h_edge_turn_tcp(struct wire *w)
{
	talk_msturn_tcp(w, "10.40.1.21:50046 > 198.51.100.12:443", "192.0.2.60:50300", SHARE(6), true);
}

static void h_edge_turn_3478(struct wire *w)
{
	talk_msturn_tcp(w, "10.40.1.21:50013 > 198.51.100.12:3478", "192.0.2.60:50101", AUDIO(20), false);
}

static void h_peer_udp(struct wire *w)
{
	talk_ice(w, "10.40.1.21:31008 > 192.0.2.60:31018");
	talk_rtp(w, "10.40.1.21:31008 > 192.0.2.60:31018", AUDIO(45));
	talk_ice(w, "10.40.1.21:31010 > 192.0.2.60:31020");
	talk_rtp(w, "10.40.1.21:31010 > 192.0.2.60:31020", VIDEO(45));
}

static void h_peer_tcp(struct wire *w)
{
	talk_rtp_tcp(w, "10.40.1.21:31011 > 192.0.2.60:31021", SHARE(10));
}

static void h_edge_udp(struct wire *w)
{
	talk_ice(w, "10.40.1.21:31000 > 198.51.100.12:51000");
	talk_rtp(w, "10.40.1.21:31000 > 198.51.100.12:51000", AUDIO(40));
}

/* The script of the two rooms, an act after the other. */
static const struct act {
	const char *name; /* "unit/row" */
	void (*play)(struct wire *w);
} ACTS[] = {
	{"boardroom/room.out.dhcp", b_dhcp},
	{"huddle/room.out.dhcp", h_dhcp},
	{"boardroom/room.out.dns", b_dns},
	{"huddle/room.out.dns", h_dns},
	{"boardroom/room.out.maestro", b_maestro},
	{"huddle/room.out.maestro", h_maestro},
	{"boardroom/room.in.web_ui", b_web_ui},
	{"huddle/room.in.web_ui", h_web_ui},
	{"boardroom/touch.in.control", b_touch},
	{"boardroom/online.out.auth_https", b_auth_https},
	{"boardroom/online.out.sip_tls", b_sip},
	{"boardroom/online.out.relay_tcp", b_relay_tcp},
	{"boardroom/online.out.relay_udp", b_relay_udp},
	{"boardroom/online.out.audio", b_audio},
	{"boardroom/online.out.video", b_video},
	{"boardroom/online.out.appshare", b_appshare},
	{"boardroom/online.in.audio", b_in_audio},
	{"boardroom/online.in.video", b_in_video},
	{"boardroom/online.in.appshare", b_in_appshare},
	{"huddle/onprem.out.autodiscover", h_autodiscover},
	{"huddle/onprem.out.kerberos", h_kerberos},
	{"huddle/onprem.out.auth_https", h_auth_https},
	{"huddle/onprem.out.sip", h_sip},
	{"huddle/onprem.out.turn_udp", h_turn_udp},
	{"huddle/onprem.out.media_udp", h_media_udp},
	{"huddle/onprem.out.media_tcp", h_media_tcp},
	{"huddle/external.out.sip_tls", h_edge_sip},
	{"huddle/external.out.turn_tcp", h_edge_turn_tcp},
	{"huddle/external.out.turn_3478", h_edge_turn_3478},
	{"huddle/external.out.peer_udp", h_peer_udp},
	{"huddle/external.out.peer_tcp", h_peer_tcp},
	{"huddle/external.out.edge_udp", h_edge_udp},
};

struct wanted {
	const char *file;
	bool left_out[ARRAY_LEN(ACTS)];
	double jump_s;
};

static int leave_out(struct wanted *wanted, const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(ACTS); i++)
		if (!strcmp(ACTS[i].name, name)) {
			wanted->left_out[i] = true;
			return 0;
		}
	fprintf(stderr, "mkclean: no act %s\n", name);
	return -EINVAL;
}

static int read_words(int argc, char **argv, struct wanted *wanted)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--without") && i + 1 < argc) {
			if (leave_out(wanted, argv[++i]) < 0)
				return -EINVAL;
		} else if (!strcmp(argv[i], "--jump") && i + 1 < argc) {
			wanted->jump_s = strtod(argv[++i], NULL);
		} else if (!wanted->file) {
			wanted->file = argv[i];
		} else {
			wanted->file = NULL;
			break;
		}
	}
	if (wanted->file)
		return 0;
	fprintf(stderr, "usage: mkclean FILE [--without UNIT/ROW]... [--jump SECONDS]\n");
	return -EINVAL;
}

int main(int argc, char **argv)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct wanted wanted = {0};
	struct err err;

	if (read_words(argc, argv, &wanted) < 0)
		return 2;
	wire_pad(w, 60);
	wire_router(w, "10.40.0.0/16", ROUTER_MAC);
	wire_router(w, "2001:db8:40::/64", ROUTER_MAC);
	wire_mac(w, "10.40.0.15", BOARDROOM_MAC);
	wire_mac(w, "2001:db8:40::15", BOARDROOM_MAC);
	wire_mac(w, "10.40.1.21", HUDDLE_MAC);
	for (size_t i = 0; i < ARRAY_LEN(ACTS); i++) {
		double jump_s = 3 * i >= 2 * ARRAY_LEN(ACTS) ? wanted.jump_s : 0;

		wire_at(w, 100 + 2.5 * (double)i + jump_s);
		if (!wanted.left_out[i])
			ACTS[i].play(w);
	}
	if (wire_write(w, wanted.file, &err) < 0) {
		fprintf(stderr, "mkclean: %s\n", err.text);
		return 1;
	}
	return 0;
}

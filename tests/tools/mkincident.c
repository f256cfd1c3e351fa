/*
 * mkincident.c - captures of a unit's night, for its report: `mkincident DIR` writes before.pcap (habits, three
 * days earlier), night1.pcap and night2.pcap. Nobody looked between the last two. Around 2026-03-05
 * 02:00 to 02:04 UTC calls reach over both edges, and a peer is new whose name would like to be a script.
 */
#include "tests/lib/talk.h"

#define TWO 237600 /* 2026-03-05 02:00:00 UTC, in seconds of a wire */
#define AUDIO(n) (&(struct media){.payload_type = PT_SILK, .packets = (n), .ssrc = 0x5a100000})
#define TLS(...) (&(struct tls){__VA_ARGS__})
#define DNS(...) (&(struct dns_case){__VA_ARGS__})

static void begin(struct wire *w)
{
	wire_pad(w, 60);
	wire_router(w, "10.20.0.0/16", "00:00:5e:00:01:01");
	wire_mac(w, "10.20.0.15", "00:26:8c:01:02:03");
}

static void habits(struct wire *w)
{
	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53",
	         DNS("sipdir.online.lync.com", DNS_A, NULL, "52.112.64.11"));
	talk_tls(w, "10.20.0.15:49171 > 52.112.64.11:443", TLS(.sni = "sipdir.online.lync.com"));
}

static void call(struct wire *w, const char *tuple)
{
	talk_ice(w, tuple);
	talk_rtp(w, tuple, AUDIO(1500)); /* 30 s */
}

static void before(struct wire *w)
{
	talk_dhcp(w, &(struct dhcp_case){"00:26:8c:01:02:03", "10.20.0.15", "10.20.0.1",
	                                 "255.255.255.0", "10.20.0.1", "10.20.0.53", 0x11223301});
	wire_at(w, 2);
	habits(w);
	wire_at(w, 10);
	call(w, "10.20.0.15:50004 > 52.112.1.9:50110");
}

static void night1(struct wire *w)
{
	wire_at(w, TWO - 10);
	call(w, "10.20.0.15:50006 > 52.112.1.9:50112"); /* over the first edge */
	wire_at(w, TWO + 60);
	habits(w);
	wire_at(w, TWO + 90);
	talk_tls(w, "10.20.0.15:49703 > 45.33.20.9:443",
	         TLS(.sni = "<script>alert('x')</script>&amp;.example"));
	wire_at(w, TWO + 120);
	wire_echo(w, "10.20.0.15 > 10.20.0.1", false, 1, 1);
}

static void night2(struct wire *w)
{
	wire_at(w, TWO + 200);
	wire_echo(w, "10.20.0.15 > 10.20.0.1", false, 1, 2);
	wire_at(w, TWO + 230);
	call(w, "10.20.0.15:50008 > 52.112.1.9:50114"); /* over the last edge */
}

static int write_one(const char *dir, const char *name, void (*make)(struct wire *w))
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct err err = {0};
	char path[4096];

	begin(w);
	make(w);
	wire_sort(w);
	snprintf(path, sizeof(path), "%s/%s.pcap", dir, name);
	if (wire_write(w, path, &err) == 0)
		return 0;
	fprintf(stderr, "mkincident: %s\n", err.text);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return write_one(argv[1], "before", before) ||
		       write_one(argv[1], "night1", night1) ||
		       write_one(argv[1], "night2", night2);
	fprintf(stderr, "usage: mkincident DIR\n");
	return 2;
}

/*
 * test_dissect.c - the list as a whole: each of its dissectors knows its own, the certain no, and which
 * application stays when several are seen.
 */
#include "dissectors/list.h"
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UDP "10.1.0.7:50016 > 10.1.0.9:50010"
#define TCP "10.1.0.7:49152 > 10.1.0.9:443"
#define TCP_BACK "10.1.0.9:443 > 10.1.0.7:49152"

static const struct media AUDIO = {PT_SILK, 6, 7, false, false};

static void say_msturn(struct wire *w)
{
	talk_msturn(w, "10.1.0.7:50016 > 52.112.1.9:3478", "93.71.110.205:16332", &AUDIO);
}

static void say_msturn_tcp(struct wire *w)
{
	talk_msturn_tcp(w, TCP, "93.71.110.205:16332", &AUDIO, true);
}

static void say_stun(struct wire *w)
{
	talk_ice(w, UDP);
}

/* | type 22 | fe fd | epoch, sequence | length | ...: a ClientHello as far as it matters. */
static void say_dtls(struct wire *w)
{
	struct message m = {0};

	message_add8(&m, 22);
	message_add16(&m, 0xfefd);
	message_add_noise(&m, 8, 1);
	message_add16(&m, 60);
	message_add_noise(&m, 60, 2);
	talk_udp(w, UDP, &m);
}

/* Bind a channel (RFC 5766 11.1), then send RTP in it. */
static void say_channel(struct wire *w)
{
	const struct rtp rtp = {
		.payload_type = PT_SILK, .seq = 1, .ssrc = 7, .payload_len = 62};
	struct message inner = message_rtp(&rtp), bind = message_stun_plain(1), data = {0};

	bind.b[1] = 9;
	talk_udp(w, UDP, &bind);
	message_add16(&data, 0x4001);
	message_add16(&data, (unsigned)inner.len);
	message_add(&data, inner.b, inner.len);
	talk_udp(w, UDP, &data);
}

static void say_dhcp(struct wire *w)
{
	const struct dhcp dhcp = {.type = DHCP_DISCOVER, .chaddr = "00:26:8c:01:02:03"};
	struct message m = message_dhcp(&dhcp);

	talk_udp(w, "0.0.0.0:68 > 255.255.255.255:67", &m);
}

static void say_llmnr(struct wire *w)
{
	talk_llmnr(w, "10.1.0.7:50000 > 224.0.0.252:5355", "huddle", NULL);
}

static void say_dns(struct wire *w)
{
	const struct dns_case dns = {"sip.corp.example", DNS_A, NULL, "10.0.0.9"};

	talk_dns(w, "10.1.0.7:40000 > 10.0.0.53:53", &dns);
}

static void say_tls(struct wire *w)
{
	const struct tls tls = {.sni = "sip.corp.example"};

	talk_tls(w, TCP, &tls);
}

static void say_http(struct wire *w)
{
	talk_http(w, "10.1.0.7:49152 > 10.1.0.9:80", "lyncdiscover.corp.example", "/");
}

static void say_sip(struct wire *w)
{
	struct message m = message_sip_register("corp.example");

	talk_udp(w, "10.1.0.7:5060 > 10.1.0.9:5060", &m);
}

static void say_kerberos(struct wire *w)
{
	talk_kerberos_tcp(w, "10.1.0.7:49152 > 10.1.0.9:88");
}

static void say_rtcp(struct wire *w)
{
	struct message m = message_rtcp(7, 1);

	talk_udp(w, UDP, &m);
}

static void say_rtp(struct wire *w)
{
	talk_rtp(w, UDP, &AUDIO);
}

static void say_framed(struct wire *w)
{
	talk_rtp_tcp(w, "10.1.0.7:50016 > 10.1.0.9:50010", &AUDIO);
}

/* One conversation for each line of the list: a dissector without one does not compile. */
static const struct {
	const char *name;
	void (*say)(struct wire *w);
	const struct dissector *dissector;
} CASES[] = {
#define CASE(name) {#name, say_##name, &dissector_##name},
	DISSECTORS(CASE)
#undef CASE
};

static void every_dissector_of_the_list_knows_its_own(void **state)
{
	for (unsigned i = 0; i < ARRAY_LEN(CASES); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		enum app app = CASES[i].dissector->app;

		CASES[i].say(w);
		seen = seen_of(w);
		if (app == APP_TURN_CHANNEL)
			app = APP_STUN; /* of the standard TURN flow it is part of */
		if (seen->facts.app != app || seen->facts.evidence != EVIDENCE_DISSECTOR)
			fail_msg("%s reads %s", CASES[i].name,
				 app_name((enum app)seen->facts.app));
		assert_string_equal(CASES[i].dissector->name, CASES[i].name);
	}
}

static void what_a_channel_carries_is_media_of_the_flow(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	say_channel(w);
	seen = seen_of(w);
	assert_int_equal(seen->facts.media, MEDIA_AUDIO);
}

static void media_counts_for_more_than_how_it_was_set_up(void **state)
{
	static const struct {
		void (*first)(struct wire *w), (*then)(struct wire *w);
		enum app app;
	} cases[] = {
		{say_stun, say_rtp, APP_RTP},	   {say_rtp, say_stun, APP_RTP},
		{say_stun, say_rtcp, APP_RTCP},	   {say_rtcp, say_rtp, APP_RTP},
		{say_stun, say_dtls, APP_DTLS},	   {say_dtls, say_rtp, APP_RTP},
		{say_msturn, say_rtp, APP_MSTURN}, {say_dtls, say_stun, APP_DTLS},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		cases[i].first(w);
		cases[i].then(w);
		seen = seen_of(w);
		if (seen->facts.app != cases[i].app)
			fail_msg("case %u reads %s", i, app_name((enum app)seen->facts.app));
	}
}

static const enum app POSSIBLE[] = {APP_TLS,	  APP_HTTP,  APP_STUN,	       APP_MSTURN,
				    APP_RTP,	  APP_RTCP,  APP_TURN_CHANNEL, APP_DNS,
				    APP_KERBEROS, APP_LLMNR, APP_SIP};

static unsigned said_no(const struct seen *seen)
{
	unsigned count = 0;

	for (unsigned i = 0; i < ARRAY_LEN(POSSIBLE); i++)
		count += app_set_has(&seen->facts.not_apps, POSSIBLE[i]);
	return count;
}

static void ssh_on_443_is_a_certain_no(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	talk_ssh(w, TCP);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_NONE);
	assert_int_equal(said_no(seen), ARRAY_LEN(POSSIBLE));
}

enum { NO_SYN = 1, FROM_SERVER = 2, LOST = 4, CUT = 8, ONLY_ANSWER = 16 };

static void a_certain_no_needs_the_whole_first_payload_of_the_opener(void **state)
{
	static const struct {
		const char *what;
		const char *text;
		unsigned how;
		bool no;
	} cases[] = {
		{"whole", "SSH-2.0-OpenSSH_9.2\r\n", 0, true},
		{"only the answer to the SYN was seen", "SSH-2.0-OpenSSH_9.2\r\n",
		 NO_SYN | ONLY_ANSWER, false},
		{"no SYN was seen", "SSH-2.0-OpenSSH_9.2\r\n", NO_SYN, false},
		{"of the server, which had received nothing", "SSH-2.0-OpenSSH_9.2\r\n",
		 FROM_SERVER, true},
		{"behind a lost segment", "SSH-2.0-OpenSSH_9.2\r\n", LOST, false},
		{"cut by the snap length", "SSH-2.0-OpenSSH_9.2\r\n", CUT, false},
		{"may become a request", "GET", 0, false},
		{"may become a request", "G", 0, false},
		{"may become a hello", "\x16\x03\x01", 0, false},
		{"may become SIP", "REGISTER ", 0, false},
		{"a request that is none", "GETTY\r\n", 0, true},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		if (!(cases[i].how & NO_SYN))
			talk_open(w, TCP);
		if (cases[i].how & ONLY_ANSWER)
			wire_tcp(w, TCP_BACK, "SA", NULL, 0);
		if (cases[i].how & LOST)
			wire_lose(w, TCP, 100);
		if (cases[i].how & CUT)
			wire_snap(w, 14 + 20 + 20 + 9);
		wire_tcp(w, cases[i].how & FROM_SERVER ? TCP_BACK : TCP, "PA", cases[i].text,
			 strlen(cases[i].text));
		seen = seen_of(w);
		if (!!said_no(seen) != cases[i].no)
			fail_msg("%s: %s", cases[i].what, cases[i].text);
		assert_int_equal(seen->facts.app, APP_NONE);
	}
}

static void who_speaks_first_rules_out_what_its_opener_begins(void **state)
{
	static const struct {
		const char *what, *text;
		size_t len;
		bool answers, no; /* the client had spoken, though that is seen later; it is a certain no */
		enum app app;
	} cases[] = {
		{"a greeting", "220 mail ESMTP\r\n", 16, false, true, APP_NONE},
		{"a greeting in answer", "220 mail ESMTP\r\n", 16, true, false, APP_NONE},
		{"RFB", "RFB 003.008\n", 12, false, true, APP_NONE},
		{"a web server that is tired of waiting", "HTTP/1.1 408 Request Time-out\r\n\r\n", 33, false,
		 false, APP_HTTP},
		{"an alert", "\x15\x03\x01\x00\x02\x02\x28", 7, false, false, APP_TLS},
		{"half of one", "\x15\x03\x01", 3, false, false, APP_NONE},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		talk_open(w, TCP);
		if (cases[i].answers)
			wire_lose(w, TCP, 10); /* as the acknowledgement says */
		wire_tcp(w, TCP_BACK, "PA", cases[i].text, cases[i].len);
		seen = seen_of(w);
		if (seen->facts.app != cases[i].app ||
		    app_set_has(&seen->facts.not_apps, APP_TLS) != cases[i].no ||
		    app_set_has(&seen->facts.not_apps, APP_DNS) != cases[i].no)
			fail_msg("%s", cases[i].what);
	}
}

static void a_no_is_said_of_what_pieces_add_up_to(void **state)
{
	static const struct {
		const char *pieces[3];
		bool no;
	} cases[] = {
		{{"GE", "TTY", "\r\n"}, true},
		{{"GE", "T ", "/ HTTP/1.1\r\n"}, false},
		{{"\x16", "\x03", "\xff"}, true},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		talk_open(w, TCP);
		for (unsigned p = 0; p < 3; p++)
			wire_tcp(w, TCP, "PA", cases[i].pieces[p], strlen(cases[i].pieces[p]));
		seen = seen_of(w);
		if (app_set_has(&seen->facts.not_apps, APP_HTTP) != cases[i].no)
			fail_msg("case %u", i);
	}
}

static void a_frame_of_media_may_begin_what_nothing_else_may(void **state)
{
	const struct rtp rtp = {
		.payload_type = PT_DATA, .seq = 1, .ssrc = 7, .payload_len = 300};
	struct message m = message_rtp(&rtp), framed = message_framed(&m, 2);
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	talk_open(w, TCP);
	wire_tcp(w, TCP, "PA", framed.b, framed.len);
	seen = seen_of(w);
	assert_false(app_set_has(&seen->facts.not_apps, APP_RTP));
	assert_true(app_set_has(&seen->facts.not_apps, APP_TLS));
	assert_true(app_set_has(&seen->facts.not_apps, APP_HTTP));
	assert_true(app_set_has(&seen->facts.not_apps, APP_MSTURN));
}

static void noise_over_udp_is_nothing(void **state)
{
	for (uint32_t seed = 0; seed < 200; seed++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		for (unsigned i = 0; i < 8; i++) {
			struct message m = message_noise(40 + 37 * i, seed * 8 + i);

			talk_udp(w, UDP, &m);
		}
		seen = seen_of(w);
		assert_int_equal(seen->facts.app, APP_NONE);
		assert_true(seen->more);
	}
}

static void ports_of_servers_are_known(void **state)
{
	static const struct {
		uint16_t port;
		bool listens;
	} cases[] = {{0, false},    {53, true},	  {443, true},	 {1023, true},	{1024, false},
		     {3477, false}, {3478, true}, {3481, true},	 {3482, false}, {5060, false},
		     {5061, true},  {5355, true}, {5353, false}, {8080, false}, {50000, false}};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
		assert_int_equal(port_listens(cases[i].port), cases[i].listens);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_dissector_of_the_list_knows_its_own),
		cmocka_unit_test(what_a_channel_carries_is_media_of_the_flow),
		cmocka_unit_test(media_counts_for_more_than_how_it_was_set_up),
		cmocka_unit_test(ssh_on_443_is_a_certain_no),
		cmocka_unit_test(a_certain_no_needs_the_whole_first_payload_of_the_opener),
		cmocka_unit_test(who_speaks_first_rules_out_what_its_opener_begins),
		cmocka_unit_test(a_no_is_said_of_what_pieces_add_up_to),
		cmocka_unit_test(a_frame_of_media_may_begin_what_nothing_else_may),
		cmocka_unit_test(noise_over_udp_is_nothing),
		cmocka_unit_test(ports_of_servers_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_http.c - HTTP/1 requests with their host, however cut, replies seen alone, and SIP beside it.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CLIENT "10.1.0.7:49152 > 10.1.0.9:80"

/* The text in segments of `step` bytes, behind a handshake. */
static struct seen *see(const char *text, size_t step)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	size_t len = strlen(text);

	talk_open(w, CLIENT);
	for (size_t at = 0; at < len; at += step)
		wire_tcp(w, CLIENT, "PA", text + at, len - at < step ? len - at : step);
	return seen_of(w);
}

static void a_request_tells_its_host(void **state)
{
	static const struct {
		const char *text, *host;
	} cases[] = {
		{"GET / HTTP/1.1\r\nHost: lyncdiscover.corp.example\r\n\r\n",
		 "lyncdiscover.corp.example"},
		{"POST /x?y HTTP/1.1\r\nAccept: a\r\nhost:Corp.Example:80\r\n\r\n",
		 "corp.example"},
		{"GET / HTTP/1.1\nHost: corp.example \n\n", "corp.example"},
		{"CONNECT sip.corp.example:443 HTTP/1.1\r\nHost: sip.corp.example:443\r\n\r\n",
		 "sip.corp.example"},
		{"GET / HTTP/1.1\r\nHost: [2001:db8::9]:8080\r\n\r\n", "2001:db8::9"},
		{"GET / HTTP/1.0\r\n\r\nHost: not.a.header\r\n", ""},
		{"GET http://www.corp.example:8080/x HTTP/1.1\r\nHost: other.example\r\n\r\n",
		 "www.corp.example"},
		{"POST HTTP://[2001:db8::9]?x HTTP/1.1\r\n\r\n", "2001:db8::9"},
		{"GET /http://no.host/ HTTP/1.1\r\nHost: corp.example\r\n\r\n", "corp.example"},
		{"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""},
		{"OPTIONS * HTTP/1.1\r\nHost: a\x01\xff"
		 "b\r\n\r\n",
		 "a??b"},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(seen_freep) struct seen *seen = see(cases[i].text, 2000);

		assert_int_equal(seen->facts.app, APP_HTTP);
		assert_string_equal(seen->name, cases[i].host);
		assert_int_equal(seen->facts.name_kind,
				 *cases[i].host ? NAME_HTTP_HOST : NAME_NONE);
		/* What goes through a proxy is still to come. */
		assert_int_equal(seen->more, !strncmp(cases[i].text, "CONNECT", 7));
	}
}

static void a_request_may_come_in_segments_of_any_size(void **state)
{
	static const char text[] =
		"GET /?sipuri=room@corp.example HTTP/1.1\r\n"
		"Accept: application/vnd.microsoft.rtc.autodiscover+xml;v=1\r\n"
		"Host: lyncdiscover.corp.example\r\n\r\n";

	for (size_t step = 1; step < sizeof(text); step++) {
		CLEANUP(seen_freep) struct seen *seen = see(text, step);

		assert_int_equal(seen->facts.app, APP_HTTP);
		assert_int_equal(seen->facts.not_apps.w[0], 0);
		if (step > 4)
			assert_string_equal(seen->name, "lyncdiscover.corp.example");
	}
}

static void a_request_of_any_method_is_one_also_behind_an_empty_line(void **state)
{
	static const char *const texts[] = {
		"\r\nGET / HTTP/1.1\r\nHost: corp.example\r\n\r\n",
		"M-SEARCH * HTTP/1.1\r\nHost: corp.example\r\n\r\n",
		"VERSION-CONTROL /a HTTP/1.1\r\nHost: corp.example\r\n\r\n",
		"BITS_POST /a HTTP/1.1\r\nHost: corp.example\r\n\r\n",
	};

	for (unsigned i = 0; i < ARRAY_LEN(texts); i++)
		for (size_t step = 2; step < 90; step++) {
			CLEANUP(seen_freep) struct seen *seen = see(texts[i], step);

			assert_int_equal(seen->facts.app, APP_HTTP);
			assert_int_equal(seen->facts.not_apps.w[0], 0);
			assert_string_equal(seen->name, "corp.example");
		}
}

static void what_has_a_word_in_capitals_is_not_thereby_http(void **state)
{
	static const char *const texts[] = {
		"OPTIONS rtsp://10.1.0.8/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
		"USER anonymous\r\n",
		"SSH-2.0-OpenSSH_9.2\r\n",
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1\r\n\r\n",
	};

	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(seen_freep) struct seen *seen = see(texts[i], 2000);

		assert_int_not_equal(seen->facts.app, APP_HTTP);
		assert_true(app_set_has(&seen->facts.not_apps, APP_HTTP));
	}
}

#define PROXY "10.1.0.7:49152 > 10.1.0.8:8080"
#define PROXY_BACK "10.1.0.8:8080 > 10.1.0.7:49152"
#define CONNECT "CONNECT SIP.Corp.Example:5061 HTTP/1.1\r\nHost: ignored.example\r\n\r\n"

/* What is said to a proxy and by it, in turns; "" for none. */
static struct seen *see_turns(const char *const turns[6])
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	talk_open(w, PROXY);
	for (unsigned i = 0; i < 6 && turns[i]; i++)
		if (*turns[i])
			wire_tcp(w, i % 2 ? PROXY_BACK : PROXY, "PA", turns[i], strlen(turns[i]));
	return seen_of(w);
}

static void what_a_proxy_is_asked_for_names_the_flow(void **state)
{
	static const struct {
		const char *turns[6];
		enum app app;
		bool not_tls;
	} cases[] = {
		/* nothing yet */
		{{CONNECT}, APP_HTTP, false},
		{{CONNECT, "HTTP/1.1 200 OK\r\n\r\n"}, APP_HTTP, false},
		/* SSH, of which either side may speak first, and one side alone is seen */
		{{CONNECT, "HTTP/1.1 200 OK\r\n\r\n", "SSH-2.0-OpenSSH\r\n"}, APP_SSH, false},
		{{CONNECT, "HTTP/1.1 200 OK\r\n\r\nSSH-2.0-OpenSSH\r\n"}, APP_SSH, false},
		{{CONNECT, "", "SSH-2.0-OpenSSH\r\n"}, APP_SSH, false},
		/* something else, but certainly not TLS */
		{{CONNECT, "HTTP/1.1 200 OK\r\n\r\n", "telnet, or so"}, APP_HTTP, true},
		{{CONNECT "telnet, or so"}, APP_HTTP, true},
		/* asked who it is first */
		{{CONNECT, "HTTP/1.1 407 No\r\nContent-Length: 4\r\n\r\nno\r\n", CONNECT,
		  "HTTP/1.1 200 OK\r\n\r\n", "SSH-2.0-OpenSSH\r\n"}, APP_SSH, false},
		/* HTTP through it */
		{{CONNECT, "HTTP/1.1 200 OK\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		 APP_HTTP, false},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(seen_freep) struct seen *seen = see_turns(cases[i].turns);

		if (seen->facts.app != cases[i].app)
			fail_msg("case %u: %s", i, app_name((enum app)seen->facts.app));
		assert_string_equal(seen->name, "sip.corp.example");
		assert_int_equal(seen->facts.name_kind, NAME_HTTP_HOST);
		assert_int_equal(seen->facts.connect_port, 5061);
		assert_int_equal(app_set_has(&seen->facts.not_apps, APP_TLS), cases[i].not_tls);
	}
}

static void tls_through_a_proxy_is_tls_however_it_is_cut(void **state)
{
	static const char ask[] = CONNECT,
			  answer[] = "HTTP/1.0 200 Connection established\r\nA: b\r\n\r\n";
	struct message hello = message_client_hello("other.example", 0x0303),
		       reply = message_server_hello(0x0303, true),
		       finish = message_client_finish(true), said = message_text(ask),
		       said_back = message_text(answer);
	enum { TURNS, CLIENT_ALONE, SERVER_LATE, FORMS };

	/* Nobody waits for the proxy's answer here, and it may end in any segment. */
	message_add(&said, hello.b, hello.len);
	message_add(&said_back, reply.b, reply.len);
	for (unsigned form = 0; form < FORMS; form++)
		for (uint32_t step = 1; step < 900; step += step < 100 ? 1 : 93) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			CLEANUP(seen_freep) struct seen *seen = NULL;

			wire_mss(w, step);
			talk_open(w, PROXY);
			talk_send(w, PROXY, &said);
			if (form == TURNS)
				talk_send(w, PROXY_BACK, &said_back);
			talk_send(w, PROXY, &finish);
			if (form == SERVER_LATE)
				talk_send(w, PROXY_BACK, &said_back);
			seen = seen_of(w);
			assert_int_equal(seen->facts.app, APP_TLS);
			assert_string_equal(seen->name, "sip.corp.example"); /* not what the SNI says */
			assert_int_equal(seen->facts.connect_port, 5061);
			assert_int_equal(seen->facts.tls_version, 3);
			assert_int_equal(seen->facts.mtls, MTLS_YES);
			assert_int_equal(seen->facts.not_apps.w[0], 0);
		}
}

static void a_connect_without_a_port_is_a_request_like_others(void **state)
{
	static const char *const targets[] = {"sip.corp.example", "sip.corp.example:",
					      "sip.corp.example:70000", "sip.corp.example:0",
					      "sip.corp.example:5x"};

	for (unsigned i = 0; i < ARRAY_LEN(targets); i++) {
		char text[128];

		snprintf(text, sizeof(text), "CONNECT %s HTTP/1.1\r\nHost: corp.example\r\n\r\n",
			 targets[i]);
		CLEANUP(seen_freep) struct seen *seen = see(text, 2000);

		assert_int_equal(seen->facts.connect_port, 0);
		assert_string_equal(seen->name, "corp.example");
		assert_false(seen->more);
	}
}

static void a_reply_alone_tells_who_asked(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message m = message_http_answer(302, 10);

	wire_tcp(w, "10.1.0.9:80 > 10.1.0.7:49152", "PA", m.b, m.len);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_HTTP);
	assert_int_equal(seen->facts.initiator, 1);
	assert_int_equal(seen->facts.initiator_by, INITIATOR_REQUEST);
}

static void what_only_begins_like_a_request_is_none(void **state)
{
	static const char *const texts[] = {
		"GETTY images\r\n",
		"GET the door\r\n",
		"GET /index.html\r\n", /* HTTP/0.9 */
		"OPTIONS rtsp://cam/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
		"OPTIONS sip:room@corp.example SIP/2.0\r\n\r\n",
		"GET \x01\x02 HTTP/1.1\r\n\r\n",
		"HTTP/1.x 200 OK\r\n\r\n",
		"HTTP/1.1 OK\r\n\r\n",
	};

	for (unsigned i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(seen_freep) struct seen *seen = see(texts[i], 2000);

		if (seen->facts.app == APP_HTTP)
			fail_msg("%s", texts[i]);
		assert_true(seen->facts.app == APP_SIP ||
			    app_set_has(&seen->facts.not_apps, APP_HTTP));
	}
}

static void sip_in_clear_is_told_by_its_first_line(void **state)
{
	static const struct {
		const char *text;
		bool sip;
	} cases[] = {
		{"REGISTER sip:corp.example SIP/2.0\r\n\r\n", true},
		{"SIP/2.0 200 OK\r\n\r\n", true},
		{"SIP/2.0 OK\r\n\r\n", false},
		{"REGISTER sip:corp.example\r\n\r\n", false},
		{"REGISTER sip:corp.example SIP/2.0 and more\r\n\r\n", false},
		{"NOTIFY * HTTP/1.1\r\n\r\n", false},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *tcp = see(cases[i].text, 2000), *udp = NULL;

		wire_udp(w, "10.1.0.7:5060 > 10.1.0.9:5060", cases[i].text,
			 strlen(cases[i].text));
		udp = seen_of(w);
		assert_int_equal(tcp->facts.app == APP_SIP, cases[i].sip);
		assert_int_equal(udp->facts.app == APP_SIP, cases[i].sip);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_tells_its_host),
		cmocka_unit_test(a_request_of_any_method_is_one_also_behind_an_empty_line),
		cmocka_unit_test(what_has_a_word_in_capitals_is_not_thereby_http),
		cmocka_unit_test(a_request_may_come_in_segments_of_any_size),
		cmocka_unit_test(what_a_proxy_is_asked_for_names_the_flow),
		cmocka_unit_test(tls_through_a_proxy_is_tls_however_it_is_cut),
		cmocka_unit_test(a_connect_without_a_port_is_a_request_like_others),
		cmocka_unit_test(a_reply_alone_tells_who_asked),
		cmocka_unit_test(what_only_begins_like_a_request_is_none),
		cmocka_unit_test(sip_in_clear_is_told_by_its_first_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

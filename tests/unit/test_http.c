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
		cmocka_unit_test(a_request_may_come_in_segments_of_any_size),
		cmocka_unit_test(a_reply_alone_tells_who_asked),
		cmocka_unit_test(what_only_begins_like_a_request_is_none),
		cmocka_unit_test(sip_in_clear_is_told_by_its_first_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

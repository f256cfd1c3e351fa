/*
 * test_ndpi.c - nDPI behind its wall: its opinions in our words, no guess, no DTLS, nothing leaked; and
 * where it is spared work, the same as without.
 */
#include "dissectors/ndpi.h"
#include "schema/event.h"
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* What it says of all packets of a wire as one flow, and how many of them it wanted to see. */
static enum app opinion_after(struct ndpi_engine *engine, const struct wire *w, unsigned *ret_looks)
{
	struct ndpi_state *state = ndpi_state_new(engine);
	enum app app = APP_NONE;
	bool final = false;

	*ret_looks = 0;

	assert_non_null(state);
	for (size_t i = 0; i < wire_count(w) && !final; i++) {
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct packet packet;

		if (seen_packet(w, i, &packet, &bytes) != DECODED_IP)
			continue;
		app = ndpi_look(engine, state, packet.ip, packet.ip_caplen, packet.time_us,
				&final);
		++*ret_looks;
	}
	ndpi_state_free(engine, state);
	return app;
}

static enum app opinion(struct ndpi_engine *engine, const struct wire *w)
{
	unsigned looks;

	return opinion_after(engine, w, &looks);
}

static void say_dns(struct wire *w)
{
	const struct dns_case dns = {"teams.microsoft.com", DNS_A, NULL, "52.112.1.9"};

	talk_dns(w, "10.1.0.7:40000 > 10.0.0.53:53", &dns);
}

static void say_ssh(struct wire *w)
{
	talk_ssh(w, "10.1.0.7:49152 > 10.1.0.9:443");
}

static void say_ntp(struct wire *w)
{
	talk_ntp(w, "10.1.0.7:123 > 10.1.0.9:123");
}

static void say_tls(struct wire *w)
{
	const struct tls tls = {.sni = "sip.online.lync.com"};

	talk_tls(w, "10.1.0.7:49152 > 10.1.0.9:443", &tls);
}

static void say_noise_to_3478(struct wire *w)
{
	for (unsigned i = 0; i < 8; i++) {
		struct message m = message_noise(200, i);

		talk_udp(w, "10.1.0.7:50016 > 10.1.0.9:3478", &m);
	}
}

static void say_syn_to_5061(struct wire *w)
{
	wire_tcp(w, "10.1.0.7:49152 > 10.1.0.9:5061", "S", NULL, 0);
}

static void what_it_sees_it_says_and_what_it_guesses_it_keeps(void **state)
{
	static const struct {
		void (*say)(struct wire *w);
		enum app app;
	} cases[] = {
		{say_dns, APP_DNS},
		{say_ssh, APP_SSH},
		{say_ntp, APP_NTP},
		{say_tls, APP_TLS},
		{say_noise_to_3478, APP_NONE},
		{say_syn_to_5061, APP_NONE},
	};
	struct ndpi_engine *engine = NULL;
	struct err err;

	assert_int_equal(ndpi_engine_new(false, &engine, &err), 0);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		enum app app;

		cases[i].say(w);
		app = opinion(engine, w);
		if (app != cases[i].app)
			fail_msg("case %u reads %s", i, app_name(app));
	}
	ndpi_engine_free(engine);
}

static void dtls_never_reaches_it(void **state)
{
	static const uint8_t firsts[][3] = {
		{22, 0xfe, 0xff}, {22, 0xfe, 0xfd}, {20, 0xfe, 0xfd}, {22, 1, 0}};
	struct ndpi_engine *engine = NULL;
	struct err err;

	assert_int_equal(ndpi_engine_new(false, &engine, &err), 0);
	for (unsigned i = 0; i < ARRAY_LEN(firsts); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		struct message m = {0};

		message_add(&m, firsts[i], 3);
		message_add_noise(&m, 8, 1);
		message_add16(&m, 100);
		message_add_noise(&m, 100, 2);
		talk_udp(w, "10.1.0.7:50016 > 10.1.0.9:50010", &m);
		assert_int_equal(opinion(engine, w), APP_NONE);
	}
	ndpi_engine_free(engine);
}

static void several_engines_live_side_by_side(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct ndpi_engine *engines[2] = {NULL, NULL};
	struct err err;

	say_ssh(w);
	assert_int_equal(ndpi_engine_new(false, &engines[0], &err), 0);
	assert_int_equal(ndpi_engine_new(false, &engines[1], &err), 0);
	assert_int_equal(opinion(engines[0], w), APP_SSH);
	ndpi_engine_free(engines[0]);
	assert_int_equal(opinion(engines[1], w), APP_SSH);
	ndpi_engine_free(engines[1]);
	ndpi_engine_free(NULL);
}

static void no_ip_packet_is_no_opinion(void **state)
{
	static const uint8_t odd[][4] = {{0}, {0x45}, {0x60}, {0xff}};
	struct ndpi_engine *engine = NULL;
	struct ndpi_state *s;
	struct err err;
	bool final = true;

	assert_int_equal(ndpi_engine_new(false, &engine, &err), 0);
	s = ndpi_state_new(engine);
	for (unsigned i = 0; i < ARRAY_LEN(odd); i++)
		for (uint32_t len = 0; len <= 4; len++)
			assert_int_equal(ndpi_look(engine, s, odd[i], len, 0, &final),
					 APP_NONE);
	assert_false(final);
	ndpi_state_free(engine, s);
	ndpi_engine_free(engine);
}

static void a_packet_cut_on_its_way_is_still_read(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(freep) uint8_t *bytes = NULL;
	struct ndpi_engine *engine = NULL;
	struct message m = message_text("SSH-2.0-OpenSSH_9.2\r\n");
	struct ndpi_state *s;
	struct packet packet;
	struct err err;
	bool final;

	m.len = MESSAGE_MAX;
	wire_mss(w, 0);
	wire_tcp(w, "10.1.0.7:49152 > 10.1.0.9:443", "PA", m.b, m.len);
	assert_int_equal(seen_packet(w, 0, &packet, &bytes), DECODED_IP);
	assert_true(packet.ip_caplen > INSPECT_MAX);
	assert_int_equal(ndpi_engine_new(false, &engine, &err), 0);
	s = ndpi_state_new(engine);
	assert_int_equal(ndpi_look(engine, s, packet.ip, INSPECT_MAX, 0, &final), APP_SSH);
	ndpi_state_free(engine, s);
	ndpi_engine_free(engine);
}

/* A v1 Initial (RFC 9000 17.2.2) that no key opens, `len` bytes with its header; `flaw`: 1 a Handshake, 2 an id too long. */
static struct message quic_initial(size_t len, uint32_t version, unsigned flaw)
{
	struct message m = {0};

	message_add8(&m, flaw == 1 ? 0xe3 : 0xc3);
	message_add32(&m, version);
	message_add8(&m, flaw == 2 ? 21 : 8);
	message_add_noise(&m, flaw == 2 ? 21 : 8, 1);
	message_add8(&m, 0);
	message_add8(&m, 0); /* no token */
	message_add16(&m, 0x4000 | (unsigned)(len - m.len - 2));
	message_add_noise(&m, len - m.len, 2);
	return m;
}

/* On its port it is named without being decrypted, elsewhere by nDPI as a whole: both say the same. */
static void an_initial_of_quic_is_named_as_ndpi_does(void **state)
{
	static const struct {
		uint32_t version;
		size_t len;
		unsigned flaw;
		enum app app;
	} cases[] = {
		{1, 1200, 0, APP_QUIC},          {1, 1252, 0, APP_QUIC},
		{0xff00001d, 1200, 0, APP_QUIC}, {1, 1199, 0, APP_NONE},
		{1, 1200, 1, APP_NONE},          {1, 1200, 2, APP_NONE},
	};
	static const char *const tuples[] = {
		"10.1.0.7:50016 > 10.1.0.9:443", "10.1.0.9:443 > 10.1.0.7:50016",
		"[fd00::7]:50016 > [fd00::9]:443", "10.1.0.7:50016 > 10.1.0.9:8443"};
	struct ndpi_engine *engine = NULL;
	struct err err;

	assert_int_equal(ndpi_engine_new(false, &engine, &err), 0);
	for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
		for (unsigned j = 0; j < ARRAY_LEN(tuples); j++) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			struct message m = quic_initial(cases[i].len, cases[i].version, cases[i].flaw);
			enum app app;

			talk_udp(w, tuples[j], &m);
			app = opinion(engine, w);
			if (app != cases[i].app)
				fail_msg("case %u, %s: reads %s", i, tuples[j], app_name(app));
		}
	ndpi_engine_free(engine);
}

/* It names what is none of our applications (a keep-alive of Dropbox), and has nothing more to learn of it. */
static void what_is_over_for_ndpi_is_over_here(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct message m = message_text("{\"host_int\": 1, \"version\": [2, 0]}");
	struct ndpi_engine *engine = NULL;
	unsigned looks;
	struct err err;

	for (unsigned i = 0; i < 4; i++)
		talk_udp(w, "10.1.0.7:17500 > 10.1.0.255:17500", &m);
	assert_int_equal(ndpi_engine_new(false, &engine, &err), 0);
	assert_int_equal(opinion_after(engine, w, &looks), APP_OTHER);
	assert_int_equal(looks, 1);
	ndpi_engine_free(engine);
}

/* A place that was given back knows nothing of the flow it served. */
static void a_state_used_again_is_like_a_new_one(void **state)
{
	CLEANUP(wire_freep) struct wire *ssh = wire_new(), *noise = wire_new();
	struct ndpi_engine *engine = NULL;
	struct err err;

	say_ssh(ssh);
	say_noise_to_3478(noise);
	assert_int_equal(ndpi_engine_new(false, &engine, &err), 0);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(opinion(engine, ssh), APP_SSH);
		assert_int_equal(opinion(engine, noise), APP_NONE);
	}
	ndpi_engine_free(engine);
}

static void its_version_is_told(void **state)
{
	assert_int_equal(strncmp(ndpi_version(), "4.", 2), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_it_sees_it_says_and_what_it_guesses_it_keeps),
		cmocka_unit_test(dtls_never_reaches_it),
		cmocka_unit_test(several_engines_live_side_by_side),
		cmocka_unit_test(no_ip_packet_is_no_opinion),
		cmocka_unit_test(a_packet_cut_on_its_way_is_still_read),
		cmocka_unit_test(an_initial_of_quic_is_named_as_ndpi_does),
		cmocka_unit_test(what_is_over_for_ndpi_is_over_here),
		cmocka_unit_test(a_state_used_again_is_like_a_new_one),
		cmocka_unit_test(its_version_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

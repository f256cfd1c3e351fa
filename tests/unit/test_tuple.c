/*
 * test_tuple.c - a flow written by hand: what it means, what is refused, what is printed.
 */
#include "tests/lib/judging.h"
#include "tests/lib/roles.h"

#include "monitor/commands.h"

#include <unistd.h>

static struct tuple *parsed(const char *text)
{
	static struct tuple tuple;
	struct err err = {0};

	if (tuple_parse(text, &tuple, &err) < 0)
		fail_msg("%s", err.text);
	return &tuple;
}

static void the_unit_stands_on_the_left_and_the_sign_says_who_opened(void **state)
{
	struct tuple *t = parsed("udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio");
	char text[ADDR_TEXT];

	assert_int_equal(t->facts.transport, TRANSPORT_UDP);
	assert_int_equal(t->facts.ip_version, 4);
	assert_int_equal(t->view.local, 0);
	assert_int_equal(t->facts.initiator, 0);
	assert_int_equal(t->facts.initiator_by, INITIATOR_REQUEST);
	assert_string_equal(addr_print(&t->facts.end[0].addr, text), "10.1.2.3");
	assert_int_equal(t->facts.end[0].port, 50063);
	assert_int_equal(t->facts.end[1].port, 50011);
	assert_int_equal(t->view.app, APP_RTP);
	assert_int_equal(t->view.evidence, EVIDENCE_DISSECTOR);
	assert_int_equal(t->facts.media, MEDIA_AUDIO);
	assert_int_equal(t->facts.outcome, OUTCOME_ANSWERED);

	t = parsed("tcp [2001:db8::3]:443 < [2001:db8::9]:51000");
	assert_int_equal(t->view.local, 1);
	assert_int_equal(t->facts.initiator, 0); /* the right side is end 0: it spoke first */
	assert_int_equal(t->facts.initiator_by, INITIATOR_SYN);
	assert_int_equal(t->facts.end[t->view.local].port, 443);
	assert_int_equal(t->facts.ip_version, 6);
	assert_int_equal(t->view.evidence, EVIDENCE_NONE);

	t = parsed("udp 10.1.2.3:50000 <> 10.1.2.4:50000");
	assert_int_equal(t->facts.initiator, 2);
	assert_int_equal(t->facts.initiator_by, INITIATOR_UNKNOWN);

	t = parsed("icmp6 2001:db8::3 > fe80::1");
	assert_int_equal(t->facts.transport, TRANSPORT_ICMP6);
	assert_int_equal(t->facts.end[0].port, 0);
}

static void words_become_facts(void **state)
{
	struct tuple *t = parsed("tcp 10.1.2.3:50000 > 10.0.0.9:443 app=ssh evidence=inspected "
	                         "not=tls,http name=Host.Example bound=fe01.corp.example ice=yes "
	                         "media=mixed outcome=one-sided");

	assert_int_equal(t->view.evidence, EVIDENCE_INSPECTED);
	assert_int_equal(t->view.app, APP_SSH);
	assert_int_equal(t->facts.app, APP_NONE); /* the sensor's own is a dissector's alone */
	assert_true(app_set_has(&t->facts.not_apps, APP_TLS));
	assert_true(app_set_has(&t->facts.not_apps, APP_HTTP));
	assert_false(app_set_has(&t->facts.not_apps, APP_DNS));
	assert_string_equal(t->view.name, "host.example");
	assert_int_equal(t->facts.name_kind, NAME_SNI);
	assert_int_equal(t->view.bound_count, 1);
	assert_string_equal(t->view.bound[0], "fe01.corp.example");
	assert_int_equal(t->facts.ice, 2); /* the peer is end 1 */
	assert_int_equal(t->facts.media, MEDIA_AUDIO | MEDIA_VIDEO);
	assert_int_equal(t->facts.outcome, OUTCOME_ONE_SIDED);
	assert_int_equal(t->facts.packets[1], 0);
	assert_int_equal(parsed("tcp 10.1.2.3:5 > 10.0.0.9:80 app=http name=a.b")->facts.name_kind, NAME_HTTP_HOST);
	assert_int_equal(parsed("udp 10.1.2.3:5 > 10.0.0.9:53 app=dns name=a.b")->facts.name_kind, NAME_DNS_QUESTION);
	t = parsed("udp 10.1.2.3:5 > 10.0.0.9:53 app=dns outcome=prohibited");
	assert_int_equal(t->facts.asked, ASKED_DNS);
	assert_int_equal(t->facts.icmp_code, 13);
	assert_int_equal(t->facts.tries, 3); /* as --help says */
	assert_int_equal(t->facts.last_try_us - t->facts.first_try_us, 7000000);
	t = parsed("udp 10.1.2.3:5 > 10.0.0.9:53 app=dns outcome=unanswered tries=1 after=0");
	assert_int_equal(t->facts.tries, 1);
	assert_int_equal(t->facts.packets[0], 1);
	assert_int_equal(t->facts.last_try_us, 0);
	t = parsed("udp 10.1.2.3:5 > 10.0.0.9:53 after=3.5 app=dns outcome=unanswered");
	assert_int_equal(t->facts.last_try_us, 3500000);
}

static void errors_name_the_word_and_what_is_accepted(void **state)
{
	static const struct {
		const char *text, *says[2];
	} cases[] = {
		{"", {"expected TRANSPORT UNIT:PORT > PEER:PORT", NULL}},
		{"udp 10.1.2.3:50063 52.112.1.9:50011", {"expected TRANSPORT", NULL}},
		{"udb 10.1.2.3:50063 > 52.112.1.9:50011", {"'udb'", "tcp, udp"}},
		{"udp 10.1.2.3:50063 -> 52.112.1.9:50011", {"'->'", "> (opened by the unit)"}},
		{"udp 10.1.2.3:99999 > 52.112.1.9:50011", {"'99999'", "0 to 65535"}},
		{"udp 10.1.2.3:-1 > 52.112.1.9:50011", {"'-1'", "0 to 65535"}},
		{"udp 10.1.2.3: > 52.112.1.9:50011", {"'10.1.2.3:'", "0 to 65535"}},
		{"udp 10.1.2.3 > 52.112.1.9:50011", {"'10.1.2.3'", "ADDRESS:PORT"}},
		{"udp 10.1.2.300:1 > 52.112.1.9:50011", {"'10.1.2.300'", "IPv4 or IPv6"}},
		{"udp 2001:db8::3:443 > [2001:db8::9]:443", {"'2001:db8::3:443'", "is written ["}},
		{"udp [2001:db8::3:443 > [2001:db8::9]:443", {"'[2001:db8::3:443'", "[2001:db8::1]:443"}},
		{"udp [2001:db8::3]443 > [2001:db8::9]:443", {"'[2001:db8::3]443'", "[2001:db8::1]:443"}},
		{"udp 10.1.2.3:1 > [2001:db8::9]:443", {"both IPv6", NULL}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 app=rpt", {"'app=rpt'", "rtp"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 app=", {"'app='", "dns"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 media=sound", {"'media=sound'", "audio, video, data, mixed"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 ice=maybe", {"'ice=maybe'", "no, yes"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 outcome=lost", {"'outcome=lost'", "unanswered, refused"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 evidence=gut", {"'evidence=gut'", "dissector, inspected"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 not=tls,htpp", {"'not=htpp'", "http"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 name=", {"'name='", "host name"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 colour=red", {"'colour='", "app, media, name"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 rtp", {"'rtp'", "WORD=VALUE"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 app=dns ice=no app=tls", {"'app=tls'", "given twice"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 outcome=refused tries=0", {"'tries=0'", "1 to 65535"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 outcome=refused tries=65536", {"'tries=65536'", "1 to 65535"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 outcome=refused after=-1", {"'after=-1'", "0 to 86400"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 outcome=refused after=1e9", {"'after=1e9'", "0 to 86400"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 outcome=refused after=.", {"'after=.'", "0 to 86400"}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 tries=2", {"outcome=unanswered", NULL}},
		{"udp 10.1.2.3:1 > 10.1.2.4:2 a b c d e f g h i j k l m", {"'m'", "at most 16 words"}},
	};
	static char long_text[5000];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = {0};
		struct tuple tuple;

		assert_int_equal(tuple_parse(cases[i].text, &tuple, &err), -EINVAL);
		for (unsigned s = 0; s < 2 && cases[i].says[s]; s++)
			if (!strstr(err.text, cases[i].says[s]))
				fail_msg("%s: '%s' does not say '%s'", cases[i].text, err.text,
				         cases[i].says[s]);
	}
	memset(long_text, 'x', sizeof(long_text) - 1);
	{
		struct err err = {0};
		struct tuple tuple;

		assert_int_equal(tuple_parse(long_text, &tuple, &err), -EINVAL);
		assert_non_null(strstr(err.text, "longer than"));
	}
}

/* Whatever a user types is read or refused, within the bytes he typed. */
static void survives_every_cut_and_every_changed_byte(void **state)
{
	static const char text[] = "tcp [2001:db8::3]:443 <> [2001:db8::9]:51000 app=tls not=http,dns name=a.b ice=yes";
	struct err err;
	struct tuple tuple;
	char copy[sizeof(text)];

	for (size_t i = 0; i < sizeof(text); i++) {
		int r;

		snprintf(copy, i + 1, "%s", text);
		r = tuple_parse(copy, &tuple, &err);
		assert_true(!r || (r == -EINVAL && err.text[0]));
		for (int byte = 1; byte < 256; byte += 7) {
			memcpy(copy, text, sizeof(text));
			copy[i] = (char)byte;
			copy[sizeof(text) - 1] = '\0';
			r = tuple_parse(copy, &tuple, &err);
			assert_true(!r || (r == -EINVAL && err.text[0]));
		}
	}
}

static void profiles_alone_make_the_left_address_a_unit(void **state)
{
	struct policy_options options = {.profiles = "room,online"};
	struct tuple *t = parsed("udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio");
	struct policy *policy = NULL;
	struct err err = {0};

	assert_int_equal(tuple_policy(t, &options, &policy, &err), 0);
	assert_non_null(t->view.unit);
	assert_int_equal(t->view.profiles, t->view.unit->profiles);
	policy_free(policy);

	/* a unit that is named keeps what was said of it; another address needs profiles too */
	policy = NULL;
	options.units[options.unit_count++] = "10.1.2.9";
	assert_int_equal(tuple_policy(t, &options, &policy, &err), 0);
	policy_free(policy);

	/* a unit of the site file has its profiles there: two answers to one question are refused */
	policy = NULL;
	t = parsed("udp 10.20.0.15:50063 > 52.112.1.9:50011 app=rtp media=audio");
	options = (struct policy_options){.site = "tests/demo/site.yaml", .profiles = "room"};
	assert_int_equal(tuple_policy(t, &options, &policy, &err), -EINVAL);
	assert_non_null(strstr(err.text, "--profile"));
	assert_null(policy);
	options.profiles = NULL;
	assert_int_equal(tuple_policy(t, &options, &policy, &err), 0);
	policy_free(policy);

	policy = NULL;
	options = (struct policy_options){0};
	assert_true(tuple_policy(t, &options, &policy, &err) < 0);
	assert_non_null(strstr(err.text, "--profile"));
	assert_null(policy);
	options.profiles = "room,onlin";
	assert_true(tuple_policy(t, &options, &policy, &err) < 0);
	assert_non_null(strstr(err.text, "onlin"));
	assert_null(policy);
}

/* Runs explain_tuple() with stdout in `buf`; returns its exit code. */
static int explained(const char *text, const char *profiles, bool json, char *buf, size_t size)
{
	struct policy_options options = {.profiles = profiles};
	FILE *file = tmpfile();
	size_t len;
	int saved, code;

	assert_non_null(file);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(fileno(file), STDOUT_FILENO);
	code = explain_tuple(text, &options, json);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	rewind(file);
	len = fread(buf, 1, size - 1, file);
	buf[len] = '\0';
	fclose(file);
	return code;
}

static void the_answer_fits_eighty_columns_and_tries_every_row(void **state)
{
	char buf[16384];
	unsigned column = 0;

	assert_int_equal(explained("udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio",
	                           "room,online,onprem,external", false, buf, sizeof(buf)),
	                 EXIT_FINE);
	assert_non_null(strstr(buf, "outside, local-port, severity medium\n"));
	assert_non_null(strstr(buf, "local-port: expected 50000-50019, seen 50063"));
	assert_non_null(strstr(buf, "online.out.audio"));
	assert_non_null(strstr(buf, "refused")); /* the wide rows */
	assert_non_null(strstr(buf, "room.out.llmnr"));
	assert_null(strstr(buf, "touch.in.control"));
	for (const char *c = buf; *c; c++) {
		column = *c == '\n' ? 0 : column + 1;
		assert_true(column <= 80);
	}
}

static void json_is_one_object_with_the_names_of_flows(void **state)
{
	char buf[16384];

	assert_int_equal(explained("udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio",
	                           "room,online", true, buf, sizeof(buf)),
	                 EXIT_FINE);
	assert_true(buf[0] == '{' && strchr(buf, '\n') == buf + strlen(buf) - 1);
	assert_non_null(strstr(buf, "\"verdict\":\"outside\""));
	assert_non_null(strstr(buf, "\"kind\":\"local-port\""));
	assert_non_null(strstr(buf, "\"row\":null"));
	assert_non_null(strstr(buf, "\"reason\":\"UDP audio from local port 50063")); /* as in findings */
	assert_non_null(strstr(buf, "\"remark\":null"));
	assert_non_null(strstr(buf, "\"nearest\":[{\"row\":\"online.out.audio\",\"differs\":[{\"field\":"
	                            "\"local-port\",\"expected\":\"50000-50019\",\"seen\":\"50063\"}]}"));
	assert_non_null(strstr(buf, "\"tried\":[{\"row\":\"room.out.dns\""));
	assert_int_equal(explained("udp 10.1.2.3:50007 > 52.112.1.9:50011 app=rtp media=audio",
	                           "room,online", true, buf, sizeof(buf)),
	                 EXIT_FINE);
	assert_non_null(strstr(buf, "\"row\":\"online.out.audio\",\"rows\":[\"online.out.audio\"]"));
	assert_non_null(strstr(buf, "\"grade\":\"exact\""));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_unit_stands_on_the_left_and_the_sign_says_who_opened),
		cmocka_unit_test(words_become_facts),
		cmocka_unit_test(errors_name_the_word_and_what_is_accepted),
		cmocka_unit_test(survives_every_cut_and_every_changed_byte),
		cmocka_unit_test(profiles_alone_make_the_left_address_a_unit),
		cmocka_unit_test(the_answer_fits_eighty_columns_and_tries_every_row),
		cmocka_unit_test(json_is_one_object_with_the_names_of_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_eve.c - the lines of an EVE file: Suricata's fields, read back by somebody else's parser.
 */
#include "monitor/export/eve.h"
#include "tests/lib/dbkit.h"
#include "tests/lib/jsonkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct change_view a_change(void)
{
	struct change_view change = {
		.id = 41,
		.run = 2,
		.time_us = DBKIT_DAY + 43200 * INT64_C(1000000) + 7,
		.state = FINDINGS_OPEN,
		.flow = 81234,
		.finding = {.id = 17,
			    .unit = "boardroom",
			    .row = {.kind = KIND_REMOTE_PORT,
				    .severity = SEVERITY_MEDIUM,
				    .transport = TRANSPORT_TCP,
				    .row = "online.out.audio",
				    .remote = "52.112.1.0/24",
				    .port = "16332",
				    .app = APP_TLS,
				    .first_us = DBKIT_DAY,
				    .last_us = DBKIT_DAY + 1,
				    .flows = 3,
				    .open = true,
				    .reason = "the peer's port is outside the row's"}},
	};

	return change;
}

static struct flow_view a_flow(void)
{
	struct flow_view flow = {
		.id = 81234, .unit = "boardroom", .name = "", .app = APP_TLS,
		.policy = "0123456789abcdef0123456789abcdef",
		.facts = dbkit_facts(0, "52.112.1.9", 16332)};

	return flow;
}

/* The line, to be freed; it ends with its one newline, and is JSON. */
static char *line_of(const struct change_view *change, const struct flow_view *flow)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	eve_put(file, change, flow);
	fclose(file);
	assert_ptr_equal(strchr(text, '\n'), text + size - 1);
	if (!jsonkit_valid(text))
		fail_msg("no JSON: %s", text);
	return text;
}

static void a_finding_with_a_flow_is_this_line(void **state)
{
	struct change_view change = a_change();
	struct flow_view flow = a_flow();
	CLEANUP(freep) char *line = line_of(&change, &flow);

	assert_string_equal(
		line,
		"{\"timestamp\":\"2026-11-22T12:00:00.000007+0000\",\"flow_id\":81234,"
		"\"event_type\":\"alert\",\"src_ip\":\"10.20.0.15\",\"src_port\":50000,"
		"\"dest_ip\":\"52.112.1.9\",\"dest_port\":16332,\"proto\":\"TCP\","
		"\"app_proto\":\"tls\",\"community_id\":\"1:+CVztTONL6XmhdbvioBkHenfqSI=\","
		"\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":1710005,\"rev\":1,"
		"\"signature\":\"Teamline remote-port: online.out.audio\","
		"\"category\":\"Teamline envelope\",\"severity\":2},"
		"\"teamline\":{\"finding\":\"F17\",\"unit\":\"boardroom\",\"kind\":\"remote-port\","
		"\"severity\":\"medium\",\"row\":\"online.out.audio\",\"remote\":\"52.112.1.0/24\","
		"\"transport\":\"tcp\",\"port\":\"16332\",\"application\":\"tls\",\"state\":\"open\","
		"\"reason\":\"the peer's port is outside the row's\",\"flows\":3,"
		"\"first\":\"2026-11-22T00:00:00.000000Z\",\"last\":\"2026-11-22T00:00:00.000001Z\","
		"\"policy\":\"0123456789ab\",\"run\":2,\"change\":41}}\n");
}

static void numbers_are_numbers_and_objects_objects(void **state)
{
	static const char *const integers[] = {"$.flow_id", "$.src_port", "$.dest_port",
					       "$.alert.gid", "$.alert.signature_id",
					       "$.alert.severity", "$.teamline.flows"};
	struct change_view change = a_change();
	struct flow_view flow = a_flow();
	CLEANUP(freep) char *line = line_of(&change, &flow);

	for (size_t i = 0; i < ARRAY_LEN(integers); i++) {
		char buf[32];
		const char *value = jsonkit_get(line, integers[i], buf, sizeof(buf));

		assert_non_null(value);
		assert_int_equal(strspn(value, "0123456789"), strlen(value));
	}
}

static void without_a_flow_what_only_a_flow_knows_is_left_out(void **state)
{
	static const char *const absent[] = {
		"$.flow_id", "$.src_ip", "$.src_port", "$.dest_ip", "$.dest_port", "$.proto",
		"$.app_proto", "$.community_id", "$.direction", "$.teamline.row", "$.teamline.remote",
		"$.teamline.role", "$.teamline.transport", "$.teamline.port", "$.teamline.application",
		"$.teamline.waiver", "$.teamline.policy"};
	struct change_view change = a_change();
	CLEANUP(freep) char *line = NULL;

	change.flow = 0;
	change.finding.row = (struct finding_row){.kind = KIND_UNLISTED_UNIT,
						  .severity = SEVERITY_MEDIUM,
						  .reason = "on no list"};
	line = line_of(&change, NULL);
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		assert_true(jsonkit_is(line, absent[i], NULL));
	assert_true(jsonkit_is(line, "$.event_type", "alert"));
	assert_true(jsonkit_is(line, "$.alert.signature", "Teamline unlisted-unit"));
	assert_true(jsonkit_is(line, "$.teamline.unit", "boardroom"));
}

static void src_is_who_opened_the_flow(void **state)
{
	static const struct {
		uint8_t initiator;
		const char *src, *src_port, *dest, *dest_port;
	} cases[] = {
		{0, "10.20.0.15", "50000", "52.112.1.9", "16332"},
		{1, "52.112.1.9", "16332", "10.20.0.15", "50000"},
		{2, "10.20.0.15", "50000", "52.112.1.9", "16332"}, /* unknown: who sent first */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct change_view change = a_change();
		struct flow_view flow = a_flow();
		CLEANUP(freep) char *line = NULL;

		flow.facts.initiator = cases[i].initiator;
		line = line_of(&change, &flow);
		assert_true(jsonkit_is(line, "$.src_ip", cases[i].src));
		assert_true(jsonkit_is(line, "$.src_port", cases[i].src_port));
		assert_true(jsonkit_is(line, "$.dest_ip", cases[i].dest));
		assert_true(jsonkit_is(line, "$.dest_port", cases[i].dest_port));
		/* It is the same for both directions. */
		assert_true(jsonkit_is(line, "$.community_id", "1:+CVztTONL6XmhdbvioBkHenfqSI="));
	}
}

static void protocols_and_applications_have_suricatas_names(void **state)
{
	static const struct {
		uint8_t transport;
		uint16_t app;
		const char *proto, *app_proto;
		bool ports;
	} cases[] = {
		{TRANSPORT_TCP, APP_KERBEROS, "TCP", "krb5", true},
		{TRANSPORT_UDP, APP_DNS, "UDP", "dns", true},
		{TRANSPORT_UDP, APP_MSTURN, "UDP", "msturn", true},
		{TRANSPORT_TCP, APP_POSTGRES, "TCP", "pgsql", true},
		{TRANSPORT_TCP, APP_VNC, "TCP", "rfb", true},
		{TRANSPORT_TCP, APP_NONE, "TCP", NULL, true},
		{TRANSPORT_ICMP, APP_NONE, "ICMP", NULL, false},
		{TRANSPORT_ICMP6, APP_NONE, "IPv6-ICMP", NULL, false},
		{47, APP_NONE, "GRE", NULL, false},
		{99, APP_NONE, "099", NULL, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct change_view change = a_change();
		struct flow_view flow = a_flow();
		CLEANUP(freep) char *line = NULL;

		flow.facts.transport = cases[i].transport;
		flow.app = cases[i].app;
		line = line_of(&change, &flow);
		assert_true(jsonkit_is(line, "$.proto", cases[i].proto));
		assert_true(jsonkit_is(line, "$.app_proto", cases[i].app_proto));
		assert_true(jsonkit_is(line, "$.src_port", cases[i].ports ? "50000" : NULL));
		assert_true(jsonkit_is(line, "$.dest_port", cases[i].ports ? "16332" : NULL));
	}
}

/* Rules and dashboards of others name these numbers: they never change. */
static void each_kind_has_its_signature_and_each_severity_its_number(void **state)
{
	static const char *const ids[] = {
		"1710001", "1710002", "1710003", "1710004", "1710005", "1710006", "1710007",
		"1710008", "1710009", "1710010", "1710011", "1710012", "1710013"};
	static const char *const kinds[] = {
		"ip-version",  "transport", "direction", "peer",	   "remote-port",
		"application", "local-port", "media",	 "service",	   "blocked-silent",
		"blocked-prohibited", "refused", "unlisted-unit"};
	static const char *const severities[] = {"3", "3", "3", "2", "1"};

	assert_true(ARRAY_LEN(ids) >= KIND_COUNT - 1);
	for (unsigned i = 0; i < ARRAY_LEN(ids); i++) {
		struct change_view change = a_change();
		CLEANUP(freep) char *line = NULL;
		char signature[64];

		change.finding.row.kind = (uint8_t)(i + 1);
		change.finding.row.severity = (uint8_t)(i % 5);
		line = line_of(&change, NULL);
		snprintf(signature, sizeof(signature), "Teamline %s: online.out.audio", kinds[i]);
		assert_true(jsonkit_is(line, "$.alert.signature", signature));
		assert_true(jsonkit_is(line, "$.alert.signature_id", ids[i]));
		assert_true(jsonkit_is(line, "$.alert.severity", severities[i % 5]));
		assert_true(jsonkit_is(line, "$.teamline.kind", kinds[i]));
	}
}

static void the_state_is_said_with_the_words_of_tlmon_findings(void **state)
{
	static const struct {
		enum finding_state state;
		const char *word;
	} cases[] = {{FINDINGS_OPEN, "open"}, {FINDINGS_WAIVED, "waived"}, {FINDINGS_CLOSED, "closed"}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct change_view change = a_change();
		CLEANUP(freep) char *line = NULL;

		change.state = (uint8_t)cases[i].state;
		text_copy(change.finding.row.waiver, sizeof(change.finding.row.waiver),
			  "netops: until firmware 4.5 (until 2026-12-31)");
		line = line_of(&change, NULL);
		assert_true(jsonkit_is(line, "$.teamline.state", cases[i].word));
		assert_true(jsonkit_is(line, "$.teamline.waiver", change.finding.row.waiver));
	}
}

static void hostile_names_stay_in_their_string(void **state)
{
	static const struct {
		const char *name, *read;
	} cases[] = {
		{"a\"b\\c", "a\"b\\c"},
		{"a\nb\rc\td\x01\x1b[31m\x7f", "a\nb\rc\td\x01\x1b[31m\x7f"},
		{"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},	      /* overlong */
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
		{"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe4\xbc\x9a\xe8\xad\xb0\xe5\xae\xa4", "\xe4\xbc\x9a\xe8\xad\xb0\xe5\xae\xa4"},
		{"\"}}\n{\"event_type\":\"alert\"", "\"}}\n{\"event_type\":\"alert\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct change_view change = a_change();
		struct flow_view flow = a_flow();
		CLEANUP(freep) char *line = NULL;

		change.finding.unit = cases[i].name;
		text_copy(change.finding.row.reason, sizeof(change.finding.row.reason),
			  cases[i].name);
		text_copy(change.finding.row.role, sizeof(change.finding.row.role), cases[i].name);
		line = line_of(&change, &flow);
		assert_true(jsonkit_is(line, "$.teamline.unit", cases[i].read));
		assert_true(jsonkit_is(line, "$.teamline.reason", cases[i].read));
		assert_true(jsonkit_is(line, "$.teamline.role", cases[i].read));
		assert_true(jsonkit_is(line, "$.teamline.change", "41"));
	}
}

static void a_line_ends_with_the_tail_of_its_own_change_alone(void **state)
{
	struct change_view change = a_change();
	char tail[EVE_TAIL_TEXT];
	CLEANUP(freep) char *line = NULL;

	text_copy(change.finding.row.reason, sizeof(change.finding.row.reason),
		  eve_tail(2, 40, tail));
	line = line_of(&change, NULL);
	assert_null(strstr(line, tail)); /* as a text it is escaped */
	eve_tail(2, 41, tail);
	assert_string_equal(line + strlen(line) - strlen(tail), tail);
	eve_tail(INT64_MIN, INT64_MIN, tail);
	assert_string_equal(tail + strlen(tail) - 3, "}}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_finding_with_a_flow_is_this_line),
		cmocka_unit_test(numbers_are_numbers_and_objects_objects),
		cmocka_unit_test(without_a_flow_what_only_a_flow_knows_is_left_out),
		cmocka_unit_test(src_is_who_opened_the_flow),
		cmocka_unit_test(protocols_and_applications_have_suricatas_names),
		cmocka_unit_test(each_kind_has_its_signature_and_each_severity_its_number),
		cmocka_unit_test(the_state_is_said_with_the_words_of_tlmon_findings),
		cmocka_unit_test(hostile_names_stay_in_their_string),
		cmocka_unit_test(a_line_ends_with_the_tail_of_its_own_change_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_policy.c - what a loaded policy answers: which unit, which roles, which waiver; and lint.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rules/policy.h"
#include "schema/time.h"

#include <unistd.h>

static struct envelope *envelope;

static int load_envelope(void **state)
{
	return envelope_load(NULL, &envelope, NULL);
}

static int free_envelope(void **state)
{
	envelope_free(envelope);
	return 0;
}

static struct policy *site(const char *text)
{
	struct policy_args args = {.site_path = "site.yaml",
				   .site_text = text,
				   .site_text_len = strlen(text),
				   .envelope = envelope};
	struct policy *policy = NULL;
	struct err err = {0};

	if (policy_load(&args, &policy, &err) < 0)
		fail_msg("%s", err.text);
	return policy;
}

static struct addr addr(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static void a_unit_is_found_by_address_prefix_or_mac(void **state)
{
	static const struct {
		const char *addr, *mac, *name;
	} cases[] = {
		{"10.20.0.15", NULL, "boardroom"},
		{"2001:db8::15", NULL, "boardroom"},
		{"10.20.0.16", NULL, NULL},
		{"10.20.7.255", NULL, NULL},
		{"10.20.8.0", NULL, "floor-2/10.20.8.0"},
		{"10.20.11.254", NULL, "floor-2/10.20.11.254"},
		{"10.20.12.0", NULL, NULL},
		{"10.99.0.1", "00:26:8c:01:02:03", "huddle"},
		{"10.20.8.7", "00:26:8c:01:02:03",
		 "huddle"}, /* its MAC is listed, whatever address it has */
		{"10.20.8.7", "00:26:8c:01:02:04", "floor-2/10.20.8.7"},
		{NULL, "00:26:8c:01:02:03", "huddle"},
		{NULL, NULL, NULL},
		{"0.0.0.0", NULL, NULL},
		{"2001:db8:5::1", NULL, "lab/2001:db8:5::1"},
		{"224.0.0.251", NULL, NULL}, /* within 224.0.0.0/8, but never a host */
		{"224.1.1.1", NULL, NULL},
	};
	CLEANUP(policy_freep)
	struct policy *policy = site(
		"units:\n"
		"  - {name: boardroom, addresses: [10.20.0.15, \"2001:db8::15\"], profiles: [room]}\n"
		"  - {name: huddle, macs: [\"00:26:8c:01:02:03\"], profiles: [room]}\n"
		"  - {name: floor-2, addresses: [10.20.8.0/22], profiles: [room]}\n"
		"  - {name: lab, addresses: [\"2001:db8:5::/48\", 224.0.0.0/8], profiles: [room]}\n");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a = addr(cases[i].addr ? cases[i].addr : "0.0.0.0");
		const struct unit_rule *unit;
		char name[UNIT_NAME_MAX];
		struct mac mac;

		if (cases[i].mac)
			assert_int_equal(mac_parse(cases[i].mac, &mac), 0);
		unit = policy_find_unit(policy, cases[i].addr ? &a : NULL,
					cases[i].mac ? &mac : NULL);
		if (!cases[i].name)
			assert_null(unit);
		else
			assert_string_equal(unit_name(unit, &a, name, sizeof(name)),
					    cases[i].name);
	}
}

static void hosts_of_a_prefix_given_by_hand_go_by_their_address(void **state)
{
	static const char *const words[] = {"10.0.0.0/8", "192.168.1.6"};
	struct policy_args args = {
		.units = words, .unit_count = 2, .profiles = "room", .envelope = envelope};
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct addr a = addr("10.1.2.3"), b = addr("192.168.1.6");
	char name[UNIT_NAME_MAX];

	assert_int_equal(policy_load(&args, &policy, NULL), 0);
	assert_string_equal(
		unit_name(policy_find_unit(policy, &a, NULL), &a, name, sizeof(name)),
		"10.1.2.3");
	assert_string_equal(
		unit_name(policy_find_unit(policy, &b, NULL), &b, name, sizeof(name)),
		"192.168.1.6");
}

static void a_hundred_thousand_units_are_told_apart(void **state)
{
	CLEANUP(freep) char *text = malloc(8 * 1024 * 1024);
	CLEANUP(policy_freep) struct policy *policy = NULL;
	size_t len = (size_t)sprintf(text, "units:\n");

	for (unsigned i = 0; i < 100000; i++)
		len += (size_t)sprintf(
			text + len,
			"- {name: u%u, addresses: [10.%u.%u.%u], profiles: [room]}\n", i,
			i >> 16, i >> 8 & 255, i & 255);
	policy = site(text);
	assert_int_equal(policy->unit_count, 100000);
	for (unsigned i = 0; i < 100000; i++) {
		uint8_t bytes[4] = {10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};
		struct addr a = addr_from_v4(bytes);

		assert_ptr_equal(policy_find_unit(policy, &a, NULL), &policy->units[i]);
	}
}

static uint32_t mask_of(const char *roles)
{
	CLEANUP(freep) char *copy = strdup(roles);
	char *rest = copy, *word;
	uint32_t mask = 0;

	while ((word = strsep(&rest, " ")))
		if (*word)
			mask |= (uint32_t)1 << envelope_find_role(envelope, word);
	return mask;
}

static void an_address_has_all_roles_that_list_it(void **state)
{
	static const struct {
		const char *addr, *roles;
	} cases[] = {
		{"10.0.0.53", "dns-server other-client"},
		{"10.0.0.54", "other-client"},
		{"10.0.7.1", "edge other-client"},
		{"10.0.7.2", "edge front-end other-client"},
		{"11.0.0.1", ""},
		{"52.114.1.1", "sfb-online"},
		{"40.126.3.4", "o365-sign-in"},
		{"255.255.255.255", "dhcp-server"},
		{"ff02::1:3", "local-segment"},
		{"10.0.0.8", "web-proxy other-client"},
		{"::", ""},
		{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", ""},
	};
	CLEANUP(policy_freep)
	struct policy *policy = site("roles:\n"
				     "  dns-server: {addresses: [10.0.0.53]}\n"
				     "  edge: {addresses: [10.0.7.0/24]}\n"
				     "  front-end: {addresses: [10.0.7.2, 10.0.7.2/32]}\n"
				     "  other-client: {addresses: [10.0.0.0/8]}\n"
				     "  web-proxy: {addresses: [10.0.0.8]}\n");

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr a = addr(cases[i].addr);

		if (policy_roles_of_addr(policy, &a) != mask_of(cases[i].roles))
			fail_msg("%s", cases[i].addr);
	}
}

static void a_name_has_all_roles_it_fits(void **state)
{
	CLEANUP(policy_freep)
	struct policy *policy = site(
		"domains: [corp.example, Corp.Test]\n"
		"roles: {maestro: {names: [mgmt.corp.example]}, edge: {names: [\"*.corp.example\"]}}\n");
	CLEANUP(policy_freep) struct policy *bare = site("site: x\n");

	assert_int_equal(policy_roles_of_name(policy, "lyncdiscover.corp.example"),
			 mask_of("autodiscover edge"));
	assert_int_equal(policy_roles_of_name(policy, "autodiscover.corp.test"),
			 mask_of("autodiscover"));
	assert_int_equal(policy_roles_of_name(policy, "lyncdiscover.other.example"), 0);
	assert_int_equal(policy_roles_of_name(bare, "lyncdiscover.other.example"),
			 mask_of("autodiscover"));
	/* document holders and the site's add up */
	assert_int_equal(policy_roles_of_name(policy, "mgmt.corp.example"),
			 mask_of("maestro edge"));
	assert_int_equal(policy_roles_of_name(policy, "FW.Maestro.StarLeaf.com"),
			 mask_of("maestro"));
	assert_int_equal(policy_roles_of_name(policy, "sipdir.online.lync.com"),
			 mask_of("sfb-online"));
	assert_int_equal(policy_roles_of_name(policy, "login.microsoftonline.com"),
			 mask_of("o365-sign-in"));
	assert_int_equal(policy_roles_of_name(policy, ""), 0);
}

static void endpoints_of_the_site_replace_the_snapshot_for_all_roles_of_that_file(void **state)
{
	char folder[] = "/tmp/test_policy.XXXXXX", path[64], json[64];
	struct policy_args args = {.site_path = path, .envelope = envelope};
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct addr old = addr("52.114.1.1"), fresh = addr("198.51.100.7"),
		    common = addr("203.0.113.9");
	struct addr optional = addr("192.0.2.1");
	struct err err = {0};
	FILE *file;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/site.yaml", folder);
	snprintf(json, sizeof(json), "%s/new-2024-01-02.json", folder);
	file = fopen(path, "w");
	fputs("roles: {sfb-online: {endpoints: new-2024-01-02.json, names: [own.example]}}\n",
	      file);
	fclose(file);
	file = fopen(json, "w");
	fputs("[{\"id\": 11, \"serviceArea\": \"Skype\", \"ips\": [\"198.51.100.0/24\"], \"udpPorts\": \"3478\"},\n"
	      " {\"id\": 14, \"serviceArea\": \"Skype\", \"urls\": [\"<tenant>.lync.example\"], \"new\": {\"a\": null}},\n"
	      " {\"serviceArea\": \"Common\", \"ips\": [\"203.0.113.0/24\"], \"required\": true},\n"
	      " {\"serviceArea\": \"Common\", \"ips\": [\"192.0.2.0/24\"]}]\n",
	      file);
	fclose(file);
	if (policy_load(&args, &policy, &err) < 0)
		fail_msg("%s", err.text);
	unlink(path);
	unlink(json);
	rmdir(folder);
	assert_int_equal(policy_roles_of_addr(policy, &old), 0);
	assert_int_equal(policy_roles_of_addr(policy, &fresh), mask_of("sfb-online"));
	assert_int_equal(policy_roles_of_addr(policy, &common), mask_of("o365-sign-in"));
	assert_int_equal(policy_roles_of_addr(policy, &optional), 0);
	assert_int_equal(policy_roles_of_name(policy, "acme.lync.example"),
			 mask_of("sfb-online"));
	assert_int_equal(policy_roles_of_name(policy, "own.example"), mask_of("sfb-online"));
	assert_int_equal(policy_roles_of_name(policy, "sipdir.online.lync.com"), 0);
	assert_string_equal(policy->endpoints_date, "2024-01-02");
	assert_non_null(strstr(policy->site_text, "# FILE new-2024-01-02.json\n[{\"id\": 11,"));
}

static void a_unit_of_the_maker_is_told_by_oui_or_by_the_names_it_asks_for(void **state)
{
	CLEANUP(policy_freep) struct policy *policy = site("site: x\n");
	struct mac maker, other;

	assert_int_equal(mac_parse("00:26:8c:ff:00:01", &maker), 0);
	assert_int_equal(mac_parse("00:26:8d:ff:00:01", &other), 0);
	assert_true(policy_looks_like_unit(policy, &maker, NULL));
	assert_false(policy_looks_like_unit(policy, &other, NULL));
	assert_true(policy_looks_like_unit(policy, &other, "config.maestro.starleaf.com"));
	assert_true(policy_looks_like_unit(policy, NULL, "maestro.starleaf.com"));
	assert_false(policy_looks_like_unit(policy, &other, "www.example.com"));
	assert_false(policy_looks_like_unit(policy, NULL, NULL));
	assert_false(policy_looks_like_unit(policy, NULL, ""));
}

/* NTP of huddle to 10.0.0.9:123, outside by `service`, nearest room.out.dns. */
struct flow {
	struct flow_facts facts;
	struct verdict verdict;
};

static struct flow ntp_flow(void)
{
	struct flow flow = {.facts = {.transport = TRANSPORT_UDP, .app = APP_NTP},
			    .verdict = {.ruling = RULING_OUTSIDE,
					.kind = KIND_SERVICE,
					.nearest_count = 1}};

	flow.facts.end[0] = (struct endpoint){.addr = addr("10.20.1.21"), .port = 40000};
	flow.facts.end[1] = (struct endpoint){.addr = addr("10.0.0.9"), .port = 123};
	flow.verdict.nearest[0].row = (uint16_t)envelope_find_row(envelope, "room.out.dns");
	return flow;
}

static void a_waiver_excuses_what_lies_in_all_of_its_scope(void **state)
{
	static const struct {
		const char *scope;
		bool excuses;
	} cases[] = {
		{"units: [huddle]", true},
		{"units: [boardroom]", false},
		{"units: [boardroom, huddle]", true},
		{"kind: service", true},
		{"kind: peer", false},
		{"row: room.out.dns", true},
		{"row: room.out.dhcp", false},
		{"remote: 10.0.0.9", true},
		{"remote: 10.0.0.0/24", true},
		{"remote: 10.0.1.0/24", false},
		{"transport: udp", true},
		{"transport: tcp", false},
		{"local-ports: [1024-65535]", true},
		{"local-ports: [123]", false},
		{"remote-ports: [123]", true},
		{"remote-ports: [53, 124-200]", false},
		{"application: ntp", true},
		{"application: dns", false},
		{"units: [huddle], remote: 10.0.0.9, transport: udp, remote-ports: [123], application: ntp",
		 true},
		{"units: [huddle], remote: 10.0.0.9, transport: udp, remote-ports: [124], application: ntp",
		 false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct flow flow = ntp_flow();
		CLEANUP(policy_freep) struct policy *policy = NULL;
		const struct waiver *expired = NULL;
		char text[512];

		snprintf(
			text, sizeof(text),
			"units:\n- {name: huddle, addresses: [10.20.1.21], profiles: [room]}\n- {name: boardroom, addresses: [10.20.1.22], profiles: [room]}\n"
			"waivers: [{%s, owner: o, reason: r, expires: 2026-12-31}]\n",
			cases[i].scope);
		policy = site(text);
		if (!policy_find_waiver(policy, "huddle", &flow.verdict, &flow.facts, 0,
					APP_NTP, 0, &expired) == cases[i].excuses)
			fail_msg("%s", cases[i].scope);
		assert_null(expired);
	}
}

static void a_waiver_ends_with_its_last_day(void **state)
{
	CLEANUP(policy_freep)
	struct policy *policy =
		site("waivers: [{kind: service, owner: o, reason: r, expires: 2026-12-31}]\n");
	struct flow flow = ntp_flow();
	const int64_t midnight = INT64_C(1798761600) * SECOND_US; /* 2027-01-01T00:00:00Z */
	const struct waiver *expired = NULL;

	assert_non_null(policy_find_waiver(policy, "huddle", &flow.verdict, &flow.facts, 0,
					   APP_NTP, midnight - 1, &expired));
	assert_null(expired);
	assert_null(policy_find_waiver(policy, "huddle", &flow.verdict, &flow.facts, 0, APP_NTP,
				       midnight, &expired));
	assert_ptr_equal(expired, &policy->waivers[0]);
	assert_null(policy_find_waiver(policy, "huddle", &flow.verdict, &flow.facts, 0, APP_NTP,
				       midnight, NULL));
}

static void a_waiver_names_a_host_of_a_prefix_or_all_of_them(void **state)
{
	CLEANUP(policy_freep)
	struct policy *policy = site(
		"units: [{name: floor, addresses: [10.20.8.0/22], profiles: [room]}]\n"
		"waivers:\n"
		"- {units: [floor/10.20.8.5], kind: service, owner: one, reason: r, expires: 2026-12-31}\n"
		"- {units: [floor], kind: service, owner: all, reason: r, expires: 2026-12-31}\n"
		"- {units: [10.77.0.1], kind: service, owner: stray, reason: r, expires: 2026-12-31}\n");
	struct flow flow = ntp_flow();

	assert_string_equal(policy_find_waiver(policy, "floor/10.20.8.5", &flow.verdict,
					       &flow.facts, 0, APP_NTP, 0, NULL)
				    ->owner,
			    "one");
	assert_string_equal(policy_find_waiver(policy, "floor/10.20.8.50", &flow.verdict,
					       &flow.facts, 0, APP_NTP, 0, NULL)
				    ->owner,
			    "all");
	assert_string_equal(policy_find_waiver(policy, "10.77.0.1", &flow.verdict, &flow.facts,
					       0, APP_NTP, 0, NULL)
				    ->owner,
			    "stray");
	assert_null(policy_find_waiver(policy, "floor-3", &flow.verdict, &flow.facts, 0,
				       APP_NTP, 0, NULL));
}

static void a_blocked_flow_is_excused_by_the_row_it_is_documented_by(void **state)
{
	CLEANUP(policy_freep)
	struct policy *policy = site(
		"waivers: [{row: room.out.dns, kind: blocked-silent, owner: o, reason: r, expires: 2026-12-31}]\n");
	struct flow flow = ntp_flow();

	flow.verdict = (struct verdict){
		.ruling = RULING_DOCUMENTED,
		.kind = KIND_BLOCKED_SILENT,
		.row_count = 1,
		.rows = {(uint16_t)envelope_find_row(envelope, "room.out.dns")}};
	assert_non_null(policy_find_waiver(policy, "x", &flow.verdict, &flow.facts, 0, APP_NONE,
					   0, NULL));
	flow.verdict.rows[0]++;
	assert_null(policy_find_waiver(policy, "x", &flow.verdict, &flow.facts, 0, APP_NONE, 0,
				       NULL));
}

struct said {
	char text[8192];
};

static void take_lint(void *context, const struct lint *lint)
{
	struct said *said = context;

	text_add(said->text, sizeof(said->text), "%s: %s\n",
		 lint->level == LINT_WARNING ? "warning" : "note", lint->text);
}

#define ALL_ROLES \
	"  dns-server: {addresses: [10.0.0.53]}\n" \
	"  dhcp-server: {addresses: [10.0.0.1]}\n" \
	"  domain-controller: {addresses: [10.0.0.10]}\n" \
	"  sfb-auth: {names: [sts.corp.example]}\n" \
	"  front-end: {names: [fe01.corp.example]}\n" \
	"  touch-controller: {addresses: [\"2001:db8::99\"]}\n" \
	"  other-client: {addresses: [10.0.0.0/8]}\n"

#define NOW (INT64_C(1797000000) * SECOND_US) /* 2026-12-11 */

static void lint_says_what_will_mislead_in_a_fixed_order(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"units: [{name: a, addresses: [10.1.1.1], profiles: [room, touch]}]\nroles:\n" ALL_ROLES,
		 ""},
		{"site: x\ndomains: [corp.example]\nroles:\n  edge: {addresses: [10.0.0.9]}\n" ALL_ROLES,
		 "warning: no units: nothing will be judged; list them under 'units' or name them with --unit\n"
		 "note: the endpoint list for 'sfb-online' is of 2020-08-06, 2317 days old; name a newer one under "
		 "roles\n"},
		{"units: [{name: a, addresses: [10.1.1.1], profiles: [external]}]\nroles:\n" ALL_ROLES,
		 "warning: nobody holds the role 'edge' (the Edge servers, Access, Web Conferencing and A/V alike), "
		 "so its rows are unproven at best: external.out.sip_tls, external.out.psom_tls, "
		 "external.out.turn_tcp, external.out.turn_3478, external.out.edge_udp, external.out.edge_tcp; add "
		 "addresses or names under roles\n"},
		{"units: [{name: a, addresses: [10.1.1.1], profiles: [room]}]\n",
		 "note: role 'dns-server' is left to what DHCP tells; what is learnt so stays unproven: room.out.dns\n"
		 "note: role 'dhcp-server' is left to what DHCP tells; what is learnt so stays unproven: room.out.dhcp, "
		 "room.in.dhcp\n"},
		{"units: [{name: a, addresses: [10.1.1.1], profiles: [onprem]}]\nroles:\n"
		 "  edge: {addresses: [0.0.0.0/0]}\n" ALL_ROLES,
		 "warning: no domains: 'lyncdiscover.' and the like fit with any domain in the role 'autodiscover': "
		 "onprem.out.autodiscover, onprem.out.auth_https; list yours under domains\n"
		 "warning: role 'edge' is held by every address: it proves nothing\n"},
		{"units: [{name: a, addresses: [10.1.1.1], profiles: [online, external]}]\nroles:\n"
		 "  edge: {addresses: [10.0.0.9]}\n" ALL_ROLES,
		 "note: the endpoint list for 'sfb-online' is of 2020-08-06, 2317 days old; name a newer one under "
		 "roles\n"
		 "warning: wide rows external.out.peer_udp, external.out.peer_tcp cover narrow rows online.out.audio, "
		 "online.out.video, online.in.audio, online.in.video, online.out.appshare, online.in.appshare for "
		 "'a': only media of a certain kind is still held to the narrow ports; narrow the wide rows, or drop "
		 "a profile\n"},
		{"units:\n- {name: a, addresses: [10.1.1.1], profiles: [online]}\n"
		 "- {name: b, addresses: [10.1.1.2], profiles: [external]}\nroles:\n"
		 "  edge: {addresses: [10.0.0.9]}\n" ALL_ROLES, /* no unit has both */
		 "note: the endpoint list for 'sfb-online' is of 2020-08-06, 2317 days old; name a newer one under "
		 "roles\n"},
		{"units: [{name: a, addresses: [10.1.1.1], profiles: [room]}]\nroles:\n" ALL_ROLES
		 "waivers:\n"
		 "- {kind: peer, owner: old, reason: r, expires: 2026-12-10}\n"
		 "- {kind: peer, owner: soon, reason: s, expires: 2026-12-11}\n"
		 "- {kind: peer, owner: later, reason: t, expires: 2027-01-20}\n",
		 "warning: site.yaml:11:48: the waiver of old expired on 2026-12-10 (r); renew it, or leave it out\n"
		 "    - {kind: peer, owner: old, reason: r, expires: 2026-12-10}\n"
		 "                                                   ^~~~~~~~~~\n"
		 "warning: site.yaml:12:49: the waiver of soon expires within 30 days, on 2026-12-11 (s)\n"
		 "    - {kind: peer, owner: soon, reason: s, expires: 2026-12-11}\n"
		 "                                                    ^~~~~~~~~~\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(policy_freep) struct policy *policy = site(cases[i].text);
		struct said said = {.text = ""};
		unsigned warnings = policy_lint(policy, NOW, take_lint, &said), counted = 0;
		char *note;

		/* What is said of any policy comes last. */
		note = strstr(said.text, "note: evidence: full: ");
		assert_non_null(note);
		assert_string_equal(strchr(note, '\n'), "\n");
		*note = '\0';
		assert_string_equal(said.text, cases[i].said);
		for (const char *p = said.text; (p = strstr(p, "warning: ")); p++)
			counted++;
		assert_int_equal(warnings, counted);
	}
}

static void profiles_are_read_from_words(void **state)
{
	struct err err = {0};
	uint32_t mask = 0;

	assert_int_equal(policy_parse_profiles(envelope, "room,online", &mask, &err), 0);
	assert_int_equal(mask, 1 | 8);
	assert_int_equal(policy_parse_profiles(envelope, " touch , room ", &mask, &err), 0);
	assert_int_equal(mask, 1 | 16);
	assert_int_equal(policy_parse_profiles(envelope, "", &mask, &err), -EINVAL);
	assert_int_equal(policy_parse_profiles(envelope, "rom", &mask, &err), -EINVAL);
	assert_string_equal(
		err.text,
		"--profile: unknown profile 'rom'; accepted: room, onprem, external, online, "
		"touch; did you mean 'room'?");
	assert_int_equal(mask, 1 | 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_unit_is_found_by_address_prefix_or_mac),
		cmocka_unit_test(hosts_of_a_prefix_given_by_hand_go_by_their_address),
		cmocka_unit_test(a_hundred_thousand_units_are_told_apart),
		cmocka_unit_test(an_address_has_all_roles_that_list_it),
		cmocka_unit_test(a_name_has_all_roles_it_fits),
		cmocka_unit_test(
			endpoints_of_the_site_replace_the_snapshot_for_all_roles_of_that_file),
		cmocka_unit_test(
			a_unit_of_the_maker_is_told_by_oui_or_by_the_names_it_asks_for),
		cmocka_unit_test(a_waiver_excuses_what_lies_in_all_of_its_scope),
		cmocka_unit_test(a_waiver_ends_with_its_last_day),
		cmocka_unit_test(a_waiver_names_a_host_of_a_prefix_or_all_of_them),
		cmocka_unit_test(a_blocked_flow_is_excused_by_the_row_it_is_documented_by),
		cmocka_unit_test(lint_says_what_will_mislead_in_a_fixed_order),
		cmocka_unit_test(profiles_are_read_from_words),
	};

	return cmocka_run_group_tests(tests, load_envelope, free_envelope);
}

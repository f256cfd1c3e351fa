/*
 * test_site.c - the site file and rooms.csv: what they may say, and the whole message for each way
 * of getting it wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rules/policy.h"

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

static int load(const char *text, struct policy **ret_policy, struct err *err)
{
	struct policy_args args = {.site_path = "site.yaml",
				   .site_text = text,
				   .site_text_len = strlen(text),
				   .envelope = envelope};

	return policy_load(&args, ret_policy, err);
}

static struct policy *site(const char *text)
{
	struct policy *policy = NULL;
	struct err err = {0};

	if (load(text, &policy, &err) < 0)
		fail_msg("%s", err.text);
	return policy;
}

#define UNIT "units: [{name: a, addresses: [10.20.0.15], profiles: [room]}]\n"
#define NAME_OF_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define WAIVER(scope, rest) "waivers: [{" scope "owner: o, reason: r, " rest "}]\n"

static void every_mistake_is_shown_with_its_place_and_what_is_accepted(void **state)
{
	static const struct {
		const char *text, *said; /* the whole message */
	} cases[] = {
		/* keys */
		{"untis: []\n",
		 "site.yaml:1:1: unknown key of the site file 'untis'; accepted: site, units, units-file, domains, "
		 "subnets, roles, narrow, need, options, evidence, waivers; did you mean 'units'?\n    untis: []\n    ^~~~~"},
		{"site: a\nunits: [{name: a, adresses: [10.0.0.1]}]\n",
		 "site.yaml:2:19: unknown key of a unit 'adresses'; accepted: name, addresses, macs, profiles; did "
		 "you mean 'addresses'?\n    units: [{name: a, adresses: [10.0.0.1]}]\n                      ^~~~~~~~"},
		{"[a]\n",
		 "site.yaml:1:1: the site file is a map of key: value; accepted: site, units, units-file, "
		 "domains, subnets, roles, narrow, need, options, evidence, waivers\n    [a]\n    ^"},
		/* units */
		{"units: [{addresses: [10.0.0.1]}]\n",
		 "site.yaml:1:9: a unit lacks 'name'\n    units: [{addresses: [10.0.0.1]}]\n            ^"},
		{"units: [{name: a}]\n",
		 "site.yaml:1:16: a unit needs 'addresses' or 'macs'\n    units: [{name: a}]\n                   ^"},
		{"units: [{name: a/b, addresses: [10.0.0.1]}]\n",
		 "site.yaml:1:16: 'a/b' is no name of a unit; accepted: letters, digits, blanks and signs other "
		 "than / and ,\n    units: [{name: a/b, addresses: [10.0.0.1]}]\n                   ^~~"},
		{"units: [{name: a, addresses: [10.0.0.300]}]\n",
		 "site.yaml:1:31: '10.0.0.300' is no address; accepted: 10.20.0.15, 10.20.8.0/22, 2001:db8::15, "
		 "2001:db8::/64\n    units: [{name: a, addresses: [10.0.0.300]}]\n"
		 "                                  ^~~~~~~~~~"},
		{"units: [{name: a, addresses: [10.0.0.5/24]}]\n",
		 "site.yaml:1:31: '10.0.0.5/24' has bits set behind its prefix; did you mean '10.0.0.0/24'?\n"
		 "    units: [{name: a, addresses: [10.0.0.5/24]}]\n                                  ^~~~~~~~~~~"},
		{"units: [{name: a, addresses: 10.0.0.5}]\n",
		 "site.yaml:1:30: addresses is a list; accepted: [10.0.0.5]\n"
		 "    units: [{name: a, addresses: 10.0.0.5}]\n                                 ^~~~~~~~"},
		{"units: [{name: a, macs: [00-26:8c-01-02-03]}]\n",
		 "site.yaml:1:26: '00-26:8c-01-02-03' is no MAC address; accepted: 00:26:8c:01:02:03\n"
		 "    units: [{name: a, macs: [00-26:8c-01-02-03]}]\n                             ^~~~~~~~~~~~~~~~~"},
		{"units: [{name: a, addresses: [10.0.0.1], profiles: [onlin]}]\n",
		 "site.yaml:1:53: unknown profile 'onlin'; accepted: room, onprem, external, online, touch; did you "
		 "mean 'online'?\n    units: [{name: a, addresses: [10.0.0.1], profiles: [onlin]}]\n"
		 "                                                        ^~~~~"},
		{"units:\n- {name: a, addresses: [10.0.0.1], profiles: [room]}\n- {name: a, addresses: [10.0.0.2], profiles: [room]}\n",
		 "site.yaml:3:10: 'a' is the name of two units, first in line 2 of site.yaml\n"
		 "    - {name: a, addresses: [10.0.0.2], profiles: [room]}\n             ^"},
		{"units:\n- {name: a, addresses: [10.0.0.7], profiles: [room]}\n- {name: b, addresses: [10.0.0.0/24], profiles: [room]}\n",
		 "site.yaml:3:25: overlapping units: 10.0.0.0/24 of 'b' and 10.0.0.7 of 'a', first in line 2 of "
		 "site.yaml\n    - {name: b, addresses: [10.0.0.0/24], profiles: [room]}\n                            ^~~~~~~~~~~"},
		{"units:\n- {name: a, macs: [\"00:26:8c:01:02:03\"], profiles: [room]}\n- {name: b, macs: [00-26-8C-01-02-03], profiles: [room]}\n",
		 "site.yaml:3:20: one MAC, two units: 00:26:8c:01:02:03 of 'b' and 00:26:8c:01:02:03 of 'a', first in "
		 "line 2 of site.yaml\n    - {name: b, macs: [00-26-8C-01-02-03], profiles: [room]}\n                       ^~~~~~~~~~~~~~~~~"},
		{"units: [{name: a, addresses: [10.0.0.1]}]\n",
		 "site.yaml:1:9: a unit lacks 'profiles'\n    units: [{name: a, addresses: [10.0.0.1]}]\n            ^"},
		{"units: [{name: a, addresses: [10.0.0.1], profiles: []}]\n",
		 "site.yaml:1:42: a unit needs one profile at least; accepted: room, onprem, external, online, touch\n"
		 "    units: [{name: a, addresses: [10.0.0.1], profiles: []}]\n"
		 "                                             ^~~~~~~~"},
		{"units:\n- {name: a, addresses: [], macs: [], profiles: [room]}\n",
		 "site.yaml:2:10: a unit needs 'addresses' or 'macs'\n"
		 "    - {name: a, addresses: [], macs: [], profiles: [room]}\n             ^"},
		{"units:\n- name:\n  addresses: [10.0.0.1]\n",
		 "site.yaml:2:3: name is empty; accepted: a text\n    - name:\n      ^~~~"},
		{"units: [{name: ' ', addresses: [10.0.0.1]}]\n",
		 "site.yaml:1:17: a unit needs a name\n    units: [{name: ' ', addresses: [10.0.0.1]}]\n                    ^"},
		{"units: [{name: " NAME_OF_64 ", addresses: [10.0.0.1]}]\n",
		 "site.yaml:1:16: the name of a unit has at most 63 bytes\n    units: [{name: " NAME_OF_64 ", address\n"
		 "                   ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"},
		/* keys that say nothing, in the order of the file */
		{"units:\nsite:\n",
		 "site.yaml:1:1: units is empty; accepted: a list of units, [] for none\n    units:\n    ^~~~~"},
		{"units: []\nsite:\nunits-file:\n",
		 "site.yaml:2:1: site is empty; accepted: a text\n    site:\n    ^~~~"},
		/* need */
		{"need: {online: required}\n",
		 "site.yaml:1:16: a need is a map of key: value; accepted: need, reason\n"
		 "    need: {online: required}\n                   ^~~~~~~~"},
		{"need: {online: {need: often, reason: r}}\n",
		 "site.yaml:1:23: unknown need 'often'; accepted: required, recommended, if-used\n"
		 "    need: {online: {need: often, reason: r}}\n                          ^~~~~"},
		{"need: {online: {need: if-used}}\n",
		 "site.yaml:1:16: a need lacks 'reason'\n"
		 "    need: {online: {need: if-used}}\n                   ^"},
		/* control characters */
		{"site: \"a\\e[31mRED\"\n",
		 "site.yaml:1:8: a control character in this text; accepted: one line without tabs or escapes\n"
		 "    site: \"a\\e[31mRED\"\n           ^~~~~~~~~~"},
		{"domains: [\"a\\x9b\"]\n",
		 "site.yaml:1:12: a control character in this text; accepted: one line without tabs or escapes\n"
		 "    domains: [\"a\\x9b\"]\n               ^~~~~"},
		{"waivers: [{kind: peer, owner: \"o\\a\", reason: r, expires: 2026-12-31}]\n",
		 "site.yaml:1:32: a control character in this text; accepted: one line without tabs or escapes\n"
		 "    waivers: [{kind: peer, owner: \"o\\a\", reason: r, expires: 2026-12-31}]\n"
		 "                                   ^~~"},
		{"waivers: [{kind: peer, owner: o, reason: \"\\e]\", expires: 2026-12-31}]\n",
		 "site.yaml:1:43: a control character in this text; accepted: one line without tabs or escapes\n"
		 "    waivers: [{kind: peer, owner: o, reason: \"\\e]\", expires: 2026-12-31}]\n"
		 "                                              ^~~"},
		/* domains and roles */
		{"domains: [\"corp example\"]\n",
		 "site.yaml:1:12: 'corp example' is no host name; accepted: fe01.corp.example, *.corp.example\n"
		 "    domains: [\"corp example\"]\n               ^~~~~~~~~~~~"},
		{"roles: {frontend: {names: [a]}}\n",
		 "site.yaml:1:9: unknown role 'frontend'; accepted: dns-server, dhcp-server, maestro, local-segment, "
		 "any, autodiscover, domain-controller, sfb-auth, front-end, edge, sfb-online, o365-sign-in, "
		 "other-client, touch-controller, web-proxy; did you mean 'front-end'?\n"
		 "    roles: {frontend: {names: [a]}}\n            ^~~~~~~~"},
		{"roles: {edge: {address: [10.0.0.1]}}\n",
		 "site.yaml:1:16: unknown key of a role 'address'; accepted: addresses, names, endpoints; did you "
		 "mean 'addresses'?\n    roles: {edge: {address: [10.0.0.1]}}\n                   ^~~~~~~"},
		{"roles: {any: {addresses: [10.0.0.1]}}\n",
		 "site.yaml:1:9: everybody holds the role 'any'; it takes no addresses or names\n"
		 "    roles: {any: {addresses: [10.0.0.1]}}\n            ^~~"},
		{"roles: {sfb-online: {endpoints: none.json}}\n",
		 "site.yaml:1:33: none.json: No such file or directory\n"
		 "    roles: {sfb-online: {endpoints: none.json}}\n                                    ^~~~~~~~~"},
		/* narrow */
		{"narrow: {online.out.audio: {local-ports: [50019-50000]}}\n",
		 "site.yaml:1:43: impossible port range '50019-50000': its end lies before its start; did you mean "
		 "'50000-50019'?\n    narrow: {online.out.audio: {local-ports: [50019-50000]}}\n"
		 "                                              ^~~~~~~~~~~"},
		{"narrow: {online.out.audio: {local-ports: [70000]}}\n",
		 "site.yaml:1:43: port '70000' does not exist; accepted: 1 to 65535\n"
		 "    narrow: {online.out.audio: {local-ports: [70000]}}\n"
		 "                                              ^~~~~"},
		{"narrow: {online.out.audio: {local-ports: [50000-50039]}}\n",
		 "site.yaml:1:42: local-ports is wider here than online.out.audio allows: 50000-50019; a site may "
		 "tighten a row, never widen it\n    narrow: {online.out.audio: {local-ports: [50000-50039]}}\n"
		 "                                             ^"},
		{"narrow: {online.out.audio: {peer: [edge]}}\n",
		 "site.yaml:1:35: peer is wider here than online.out.audio allows; a site may tighten a row, never "
		 "widen it\n    narrow: {online.out.audio: {peer: [edge]}}\n                                      ^"},
		{"narrow: {external.out.sip_tls: {application: [tls]}}\n",
		 "site.yaml:1:46: application is wider here than external.out.sip_tls allows; a site may tighten a row, "
		 "never widen it\n    narrow: {external.out.sip_tls: {application: [tls]}}\n"
		 "                                                 ^"},
		{"narrow: {online.out.audio: {need: required}}\n",
		 "site.yaml:1:29: unknown key of a narrowed row 'need'; accepted: direction, ip-version, transport, "
		 "local-ports, remote-ports, peer, application, media\n"
		 "    narrow: {online.out.audio: {need: required}}\n                                ^~~~"},
		/* options */
		{"options: {nta: true}\n",
		 "site.yaml:1:11: unknown key of options 'nta'; accepted: nat, strict-relay-ports, allow-vbss; did "
		 "you mean 'nat'?\n    options: {nta: true}\n              ^~~"},
		{"options: {nat: yes}\n",
		 "site.yaml:1:16: nat: 'yes' is neither true nor false; accepted: true, false\n"
		 "    options: {nat: yes}\n                   ^~~"},
		/* waivers */
		{WAIVER("units: [], ", "expires: 2026-12-31"),
		 "site.yaml:1:19: no unit is named here; leave 'units' out to mean all\n"
		 "    waivers: [{units: [], owner: o, reason: r, expires: 2026-12-31}]\n                      ^"},
		{WAIVER("remote: \"::/0\", ", "expires: 2026-12-31"),
		 "site.yaml:1:21: that is every address; leave 'remote' out to mean all\n"
		 "    waivers: [{remote: \"::/0\", owner: o, reason: r, expires: 2026-12-31}]\n                        ^~~~"},
		{"waivers: [{row: room.out.dns, reason: r, expires: 2026-12-31}]\n",
		 "site.yaml:1:11: a waiver (owner, reason, expires and a scope) lacks 'owner'\n"
		 "    waivers: [{row: room.out.dns, reason: r, expires: 2026-12-31}]\n              ^"},
		{"waivers: [{row: room.out.dns, owner: WHO, reason: r, expires: 2026-12-31}]\n",
		 "site.yaml:1:38: 'WHO': fill in who answers for it\n"
		 "    waivers: [{row: room.out.dns, owner: WHO, reason: r, expires: 2026-12-31}]\n"
		 "                                         ^~~"},
		{"waivers: [{row: room.out.dns, owner: o, reason: WHY, expires: 2026-12-31}]\n",
		 "site.yaml:1:49: 'WHY': fill in why it is let be\n"
		 "    waivers: [{row: room.out.dns, owner: o, reason: WHY, expires: 2026-12-31}]\n"
		 "                                                    ^~~"},
		{"waivers: [{row: room.out.dns, owner: \" \", reason: r, expires: 2026-12-31}]\n",
		 "site.yaml:1:39: ' ': fill in who answers for it\n"
		 "    waivers: [{row: room.out.dns, owner: \" \", reason: r, expires: 2026-12-31}]\n"
		 "                                          ^"},
		{"waivers: [{row: room.out.dns, owner: o, expires: 2026-12-31}]\n",
		 "site.yaml:1:11: a waiver (owner, reason, expires and a scope) lacks 'reason'\n"
		 "    waivers: [{row: room.out.dns, owner: o, expires: 2026-12-31}]\n              ^"},
		{"waivers: [{row: room.out.dns, owner: o, reason: r}]\n",
		 "site.yaml:1:11: a waiver (owner, reason, expires and a scope) lacks 'expires'\n"
		 "    waivers: [{row: room.out.dns, owner: o, reason: r}]\n              ^"},
		{WAIVER("", "expires: 2026-12-31"),
		 "site.yaml:1:11: a waiver without a scope would excuse everything; accepted: units, kind, row, remote, "
		 "transport, local-ports, remote-ports, application\n"
		 "    waivers: [{owner: o, reason: r, expires: 2026-12-31}]\n              ^"},
		{WAIVER("kind: peer, ", "expires: 2026-02-30"),
		 "site.yaml:1:54: '2026-02-30' is no day; accepted: 2026-12-31\n"
		 "    waivers: [{kind: peer, owner: o, reason: r, expires: 2026-02-30}]\n"
		 "                                                         ^~~~~~~~~~"},
		{WAIVER("kind: pear, ", "expires: 2026-12-31"),
		 "site.yaml:1:18: unknown kind 'pear'; accepted: ip-version, transport, direction, peer, remote-port, "
		 "application, local-port, media, service, blocked-silent, blocked-prohibited, refused, "
		 "unlisted-unit; did you mean 'peer'?\n"
		 "    waivers: [{kind: pear, owner: o, reason: r, expires: 2026-12-31}]\n                     ^~~~"},
		{WAIVER("remote: here, ", "expires: 2026-12-31"),
		 "site.yaml:1:20: 'here' is no address; accepted: 10.20.0.15, 10.20.8.0/22, 2001:db8::15, "
		 "2001:db8::/64\n    waivers: [{remote: here, owner: o, reason: r, expires: 2026-12-31}]\n"
		 "                       ^~~~"},
		{WAIVER("transport: upd, ", "expires: 2026-12-31"),
		 "site.yaml:1:23: unknown transport 'upd'; accepted: tcp, udp, icmp, icmp6, sctp, gre\n"
		 "    waivers: [{transport: upd, owner: o, reason: r, expires: 2026-12-31}]\n"
		 "                          ^~~"},
		{UNIT WAIVER("units: [b], ", "expires: 2026-12-31"),
		 "site.yaml:2:20: unknown unit 'b'; accepted: a\n"
		 "    waivers: [{units: [b], owner: o, reason: r, expires: 2026-12-31}]\n                       ^"},
		/* files */
		{"units-file: none.csv\n",
		 "site.yaml:1:13: none.csv: No such file or directory\n"
		 "    units-file: none.csv\n                ^~~~~~~~"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy *policy = NULL;
		struct err err = {0};

		assert_true(load(cases[i].text, &policy, &err) < 0);
		assert_null(policy);
		assert_string_equal(err.text, cases[i].said);
	}
}

static void a_row_that_is_none_is_answered_with_all_35(void **state)
{
	struct policy *policy = NULL;
	struct err err = {0};

	assert_int_equal(
		load("narrow: {online.out.adio: {local-ports: [50000]}}\n", &policy, &err),
		-EINVAL);
	assert_int_equal(
		strncmp(err.text,
			"site.yaml:1:10: unknown row 'online.out.adio'; accepted: room.out.dns, ",
			71),
		0);
	assert_non_null(
		strstr(err.text,
		       ", touch.in.control; did you mean 'online.out.audio'?\n    narrow: {"));
	for (size_t i = 0; i < envelope->row_count; i++)
		assert_non_null(strstr(err.text, envelope->rows[i].id));
}

static void an_application_that_is_none_is_answered_with_those_there_are(void **state)
{
	struct policy *policy = NULL;
	struct err err = {0};

	assert_int_equal(
		load(WAIVER("application: nto, ", "expires: 2026-12-31"), &policy, &err),
		-EINVAL);
	assert_non_null(
		strstr(err.text, "site.yaml:1:25: unknown application 'nto'; accepted: dns, "));
	assert_non_null(strstr(err.text, "did you mean 'ntp'?"));
}

static void the_example_of_the_design_is_taken_as_it_stands(void **state)
{
	CLEANUP(policy_freep)
	struct policy *policy = site(
		"site: Head office\n"
		"units:\n"
		"  - {name: boardroom, addresses: [10.20.0.15, \"2001:db8::15\"], profiles: [room, online, touch]}\n"
		"  - {name: huddle, macs: [\"00:26:8c:01:02:03\"], profiles: [room, onprem]}\n"
		"  - {name: floor-2, addresses: [10.20.8.0/22], profiles: [room, online]}\n"
		"domains: [corp.example]\n"
		"subnets: [10.20.0.0/21]\n"
		"roles:\n"
		"  dns-server:   {addresses: [10.0.0.53]}\n"
		"  front-end:    {names: [fe01.corp.example]}\n"
		"  sfb-online:   {names: [\"*.lync.com\"]}\n"
		"  web-proxy:    {addresses: [10.0.0.8]}\n"
		"  edge:\n"
		"narrow: {onprem.out.media_udp: {local-ports: [50000-50059]}}\n"
		"options: {nat: true, strict-relay-ports: false, allow-vbss: false}\n"
		"waivers:\n"
		"  - {units: [huddle], remote: 10.0.0.9, transport: udp, remote-ports: [123], application: ntp,\n"
		"     owner: netops, reason: local clock until firmware 4.5, expires: 2026-12-31}\n");
	const struct waiver *waiver = &policy->waivers[0];
	int front_end = envelope_find_role(envelope, "front-end");

	assert_string_equal(policy->site_name, "Head office");
	assert_int_equal(policy->unit_count, 3);
	assert_string_equal(policy->units[1].name, "huddle");
	assert_int_equal(policy->units[1].line, 4);
	assert_int_equal(policy->units[0].profiles, 1 | 8 | 16);
	assert_int_equal(policy->units[0].prefix_count, 2);
	assert_int_equal(policy->units[1].mac_count, 1);
	assert_true(policy->units[2].many);
	assert_int_equal(policy->subnet_count, 1);
	assert_true(policy->holders[front_end].by_site);
	assert_string_equal(policy->holders[front_end].names[0], "fe01.corp.example");
	assert_false(policy->holders[envelope_find_role(envelope, "edge")].by_site);
	assert_true(policy->nat);
	assert_false(policy->allow_vbss);
	assert_int_equal(policy->waiver_count, 1);
	assert_int_equal(waiver->app, APP_NTP);
	assert_int_equal(waiver->transport, TRANSPORT_UDP);
	assert_int_equal(waiver->row, -1);
	assert_string_equal(waiver->expires, "2026-12-31");
	assert_int_equal(waiver->expires_us, INT64_C(1798761599999999));
	assert_int_equal(waiver->line, 17);
	assert_non_null(strstr(policy->site_text, "# FILE site.yaml\nsite: Head office\n"));
}

static void a_narrowed_row_allows_less_in_all_its_readings(void **state)
{
	CLEANUP(policy_freep)
	struct policy *policy = site(
		"narrow:\n"
		"  onprem.out.media_udp: {local-ports: [50000-50019, 50020-50059], peer: [front-end], media: [video]}\n"
		"  external.out.turn_3478: {transport: [udp], application: [msturn]}\n"
		"  touch.in.control: {local-ports: [443, 5000], application: [tls]}\n");
	const struct row *media =
		&policy->rows[envelope_find_row(envelope, "onprem.out.media_udp")];
	const struct row *turn =
		&policy->rows[envelope_find_row(envelope, "external.out.turn_3478")];
	const struct row *touch =
		&policy->rows[envelope_find_row(envelope, "touch.in.control")];

	assert_true(policy->row_narrowed[media - policy->rows]);
	assert_false(policy->row_narrowed[0]);
	assert_int_equal(media->form[0].local.range[0].low, 50000);
	assert_int_equal(media->form[0].local.range[0].high, 50059);
	assert_int_equal(media->form[0].local.count, 1);
	assert_int_equal(media->form[0].peers, 1u << envelope_find_role(envelope, "front-end"));
	assert_int_equal(media->form[0].media, MEDIA_VIDEO);
	assert_string_equal(media->media_words, "video");
	assert_int_equal(turn->form_count, 1); /* the reading as written, TCP, is gone */
	assert_true(turn->form[0].udp);
	assert_false(turn->form[0].tcp);
	assert_true(app_set_has(&turn->form[0].apps, APP_MSTURN));
	assert_false(app_set_has(&turn->form[0].apps, APP_RTP));
	assert_false(touch->form[0].opaque);
	assert_true(app_set_has(&touch->form[0].apps, APP_TLS));
	assert_int_equal(touch->form[0].local.count, 2);
	/* the envelope itself is untouched */
	assert_true(port_set_is_ephemeral(&envelope->rows[media - policy->rows].form[0].local));
}

static void the_site_says_what_it_needs_and_narrower_goes_before_wider(void **state)
{
	static const struct {
		const char *row;
		enum need need;
		const char *reason; /* NULL: the envelope's word */
	} EXPECTED[] = {
		{"online.out.appshare", NEED_REQUIRED, "the board shares slides"},
		{"online.in.appshare", NEED_IF_USED, "no slides come in"},
		{"online.out.relay_tcp", NEED_IF_USED, "no slides come in"},
		{"online.out.audio", NEED_RECOMMENDED, "on trial"},
		{"online.out.video", NEED_RECOMMENDED, "on trial, this very row"},
		{"onprem.out.sip", NEED_REQUIRED, "the whole profile"},
		{"online.out.sip_tls", NEED_RECOMMENDED, "on trial"},
		{"room.out.dns", NEED_REQUIRED, NULL},
		{"touch.in.control", NEED_IF_USED, NULL},
	};
	CLEANUP(policy_freep) struct policy *policy =
		site("need:\n"
	               "  online.out.appshare: {need: required, reason: the board shares slides}\n"
	               "  online.appshare: {need: if-used, reason: no slides come in}\n"
	               "  online.out.video: {need: recommended, reason: 'on trial, this very row'}\n"
	               "  onprem: {need: required, reason: the whole profile}\n"
	               "  online: {need: recommended, reason: on trial}\n");

	for (size_t i = 0; i < ARRAY_LEN(EXPECTED); i++) {
		int at = envelope_find_row(policy->envelope, EXPECTED[i].row);
		const struct row *row = &policy->rows[at];

		assert_int_equal(row->need, EXPECTED[i].need);
		assert_int_equal(row->need_by_site, EXPECTED[i].reason != NULL);
		/* Of this very row alone it is the site's word that no other way will do. */
		assert_int_equal(row->need_alone, i == 0);
		assert_string_equal(row->need_reason,
		                    EXPECTED[i].reason ? EXPECTED[i].reason
		                                       : policy->envelope->rows[at].need_reason);
	}
}

static void a_need_that_names_a_profile_and_a_row_is_refused(void **state)
{
	static const char ROWS[] =
		"# FILE roles.yaml\nroles: {a: {meaning: m}}\n# FILE x.yaml\nprofile: x\nrows:\n"
		"  - {id: x, document: d, direction: [out], transport: [tcp], local-ports: [1], remote-ports: [2],"
		" peer: [a], application: [tls]}\n";
	static const char NEED[] = "units: [{name: a, addresses: [10.0.0.1], profiles: [x]}]\n"
				   "need: {x: {need: if-used, reason: r}}\n";
	CLEANUP(envelope_freep) struct envelope *foreign = NULL;
	struct policy *policy = NULL;
	struct err err = {0};

	assert_int_equal(envelope_of_text(ROWS, &foreign, &err), 0);
	assert_int_equal(policy_load(&(struct policy_args){.site_path = "site.yaml",
	                                                   .site_text = NEED,
	                                                   .site_text_len = strlen(NEED),
	                                                   .envelope = foreign},
	                             &policy, &err),
	                 -EINVAL);
	assert_non_null(strstr(err.text, "site.yaml:2:8: 'x' is a profile and a row of this envelope"));
}

/* A program before this one took it; what it judged by can still be loaded. */
static void a_waiver_never_filled_in_is_taken_from_the_record_alone(void **state)
{
	static const char open[] =
		UNIT "waivers: [{kind: peer, owner: WHO, reason: WHY, expires: 2026-12-31}]\n";
	const struct policy_args recorded = {.recorded_site = "# FILE site.yaml\n" UNIT
		"waivers: [{kind: peer, owner: WHO, reason: WHY, expires: 2026-12-31}]\n",
	                                     .envelope = envelope};
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct err err = {0};

	assert_true(load(open, &policy, &err) < 0);
	assert_non_null(strstr(err.text, "'WHO': fill in who answers for it"));
	assert_int_equal(policy_load(&recorded, &policy, &err), 0);
	assert_int_equal(policy->waiver_count, 1);
	assert_string_equal(policy->waivers[0].owner, "WHO");
}

static void options_choose_among_the_readings_of_a_row(void **state)
{
	CLEANUP(policy_freep) struct policy *plain = site(UNIT);
	CLEANUP(policy_freep)
	struct policy *strict =
		site(UNIT "options: {strict-relay-ports: true, allow-vbss: true}\n");
	int relay = envelope_find_row(envelope, "online.out.relay_udp");
	int share = envelope_find_row(envelope, "online.out.appshare");

	assert_int_equal(plain->rows[relay].form_count, 1);
	assert_true(port_set_is_ephemeral(&plain->rows[relay].form[0].local));
	assert_int_equal(plain->rows[share].form_count, 1);
	assert_int_equal(strict->rows[relay].form_count, 3);
	assert_int_equal(strict->rows[relay].form[0].local.range[0].low, 50000);
	assert_int_equal(strict->rows[relay].form[2].local.range[0].high, 50059);
	assert_int_equal(strict->rows[share].form_count, 2);
	assert_true(strict->rows[share].form[1].udp);
}

/* A folder with a site file that names rooms.csv. */
struct rooms {
	char folder[32], site[64], csv[64];
};

static void rooms_write(struct rooms *rooms, const char *csv)
{
	FILE *file;

	strcpy(rooms->folder, "/tmp/test_site.XXXXXX");
	assert_non_null(mkdtemp(rooms->folder));
	snprintf(rooms->site, sizeof(rooms->site), "%s/site.yaml", rooms->folder);
	snprintf(rooms->csv, sizeof(rooms->csv), "%s/rooms.csv", rooms->folder);
	file = fopen(rooms->site, "w");
	fputs("units-file: rooms.csv\n", file);
	fclose(file);
	file = fopen(rooms->csv, "w");
	fputs(csv, file);
	fclose(file);
}

static int rooms_load(struct rooms *rooms, struct policy **ret_policy, struct err *err)
{
	struct policy_args args = {.site_path = rooms->site, .envelope = envelope};
	int r = policy_load(&args, ret_policy, err);

	unlink(rooms->site);
	unlink(rooms->csv);
	rmdir(rooms->folder);
	return r;
}

static void rooms_csv_is_read_as_rfc_4180_writes_it(void **state)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct rooms rooms;
	struct err err = {0};

	rooms_write(&rooms, "\xef\xbb\xbf" /* as spreadsheets begin it */
			    "Name,MAC,Address,Profiles\r\n"
			    "\"Room \"\"A\"\" \",,10.30.0.1,room online\r\n"
			    "\r\n"
			    "B,00-26-8c-aa-bb-cc,10.30.0.2 2001:db8::2,\"room\r\nonprem\"\n"
			    "floor 3,,10.31.0.0/16,touch");
	if (rooms_load(&rooms, &policy, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(policy->unit_count, 3);
	assert_string_equal(policy->units[0].name, "Room \"A\" ");
	assert_int_equal(policy->units[0].profiles, 1 | 8);
	assert_int_equal(policy->units[0].line, 2);
	assert_int_equal(policy->units[1].mac_count, 1);
	assert_int_equal(policy->units[1].prefix_count, 2);
	assert_int_equal(policy->units[1].line, 4);
	assert_int_equal(policy->units[1].profiles, 1 | 2);
	assert_int_equal(policy->units[2].line, 6); /* a line break within quotes counts */
	assert_int_equal(policy->units[2].profiles, 16);
	assert_true(policy->units[2].many);
	assert_non_null(strstr(policy->site_text, "# FILE rooms.csv\n\xef\xbb\xbf"
						  "Name,"));
}

static void a_broken_line_of_rooms_csv_is_shown(void **state)
{
	static const struct {
		const char *csv, *said; /* behind the header, and behind the name of the file */
	} cases[] = {
		{"a,,10.0.0.1,room\nb,,10.0.0.2\n",
		 ":3:1: 3 fields; accepted: 4, one for each column of the first line\n    b,,10.0.0.2\n    ^"},
		{"a,,10.0.0.1,room,x\n",
		 ":2:18: more than 4 fields, one for each column of the first line\n    a,,10.0.0.1,room,x\n"
		 "                     ^"},
		{"a,,10.0.0.1,room cloud\n",
		 ":2:13: unknown profile 'cloud'; accepted: room, onprem, external, online, touch\n"
		 "    a,,10.0.0.1,room cloud\n                ^~~~~~~~~~"},
		{"a,00:26:8c:1,,room\n",
		 ":2:3: '00:26:8c:1' is no MAC address; accepted: 00:26:8c:01:02:03\n"
		 "    a,00:26:8c:1,,room\n      ^~~~~~~~~~"},
		{"a,,10.0.0.1/8,room\n",
		 ":2:4: '10.0.0.1/8' is no address; accepted: 10.20.0.15, 10.20.8.0/22, 2001:db8::15\n"
		 "    a,,10.0.0.1/8,room\n       ^~~~~~~~~~"},
		{"a,, ,room\n",
		 ":2:1: 'a' has neither MAC nor address; a unit needs one of them\n    a,, ,room\n    ^"},
		{"a,,10.0.0.1,\n",
		 ":2:1: 'a' has no profiles; a unit needs one at least\n    a,,10.0.0.1,\n    ^"},
		{",,10.0.0.1,room\n", ":2:1: a unit needs a name\n    ,,10.0.0.1,room\n    ^"},
		{"a/b,,10.0.0.1,room\n",
		 ":2:1: 'a/b' is no name of a unit; accepted: letters, digits, blanks and signs other than / and ,\n"
		 "    a/b,,10.0.0.1,room\n    ^~~"},
		{NAME_OF_64 ",,10.0.0.1,room\n",
		 ":2:1: the name of a unit has at most 63 bytes\n    " NAME_OF_64 ",,10.0.0.1,room\n"
		 "    ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"},
		{"\"a,,10.0.0.1,room\n",
		 ":2:1: this quote is never closed\n    \"a,,10.0.0.1,room\n    ^"},
		{"\"a\"b,,10.0.0.1,room\n",
		 ":2:4: a field goes on behind its quotes; accepted: a comma or the end of the line\n"
		 "    \"a\"b,,10.0.0.1,room\n       ^"},
		{"a\"b,,10.0.0.1,room\n",
		 ":2:2: a quote inside a field; accepted: the whole field in quotes, quotes "
		 "in it doubled\n    a\"b,,10.0.0.1,room\n     ^"},
		{"a,,10.0.0.1,room\nb,,10.0.0.1,room\n",
		 ":3:4: overlapping units: 10.0.0.1 of 'b' and 10.0.0.1 of 'a', first in line 2 of rooms.csv\n"
		 "    b,,10.0.0.1,room\n       ^~~~~~~~"},
		{"a\x1b[31m,,10.0.0.1,room\n",
		 ":2:2: a control character (byte 0x1b); accepted: text in UTF-8\n    a?[31m,,10.0.0.1,room\n     ^"},
		{"a\xff,,10.0.0.1,room\n",
		 ":2:2: byte 0xff is not UTF-8; accepted: text in UTF-8\n    a?,,10.0.0.1,room\n     ^"},
	};
	char csv[512];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy *policy = NULL;
		struct rooms rooms;
		struct err err = {0};

		snprintf(csv, sizeof(csv), "name,mac,address,profiles\n%s", cases[i].csv);
		rooms_write(&rooms, csv);
		assert_int_equal(rooms_load(&rooms, &policy, &err), -EINVAL);
		assert_int_equal(strncmp(err.text, rooms.csv, strlen(rooms.csv)), 0);
		assert_string_equal(err.text + strlen(rooms.csv), cases[i].said);
	}
}

static void the_columns_of_rooms_csv_stand_in_any_order(void **state)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct rooms rooms;
	struct err err = {0};

	rooms_write(&rooms, "\naddress, Name,profiles ,mac\n10.0.0.1,a,room,\n,b,touch,00:26:8c:01:02:03\n");
	if (rooms_load(&rooms, &policy, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(policy->unit_count, 2);
	assert_string_equal(policy->units[0].name, "a");
	assert_int_equal(policy->units[0].prefix_count, 1);
	assert_int_equal(policy->units[1].mac_count, 1);
	assert_int_equal(policy->units[1].profiles, 16);
	assert_int_equal(policy->units[1].line, 4);
}

static void a_wrong_header_of_rooms_csv_is_shown(void **state)
{
	static const struct {
		const char *csv, *said; /* behind the name of the file */
	} cases[] = {
		{"", ":1:1: the first line must name the columns: name,mac,address,profiles, in any order\n    \n    ^"},
		{"\n\n", ":1:1: the first line must name the columns: name,mac,address,profiles, in any order\n    \n    ^"},
		{"a,,10.0.0.1,room\n",
		 ":1:1: the first line must name the columns: name,mac,address,profiles, in any order\n"
		 "    a,,10.0.0.1,room\n    ^"},
		{"name,mac,adress,profiles\n",
		 ":1:10: unknown column 'adress'; accepted: name, mac, address, profiles; did you mean 'address'?\n"
		 "    name,mac,adress,profiles\n             ^~~~~~"},
		{"name,mac,address,profiles,floor,site\n",
		 ":1:27: unknown column 'floor'; accepted: name, mac, address, profiles\n"
		 "    name,mac,address,profiles,floor,site\n                              ^~~~~"},
		{"name,address,mac,address\n",
		 ":1:18: the column 'address' stands here twice\n    name,address,mac,address\n"
		 "                     ^~~~~~~"},
		{"name,mac,address\na,,10.0.0.1\n",
		 ":1:1: the column 'profiles' is missing; the first line must name the columns: "
		 "name,mac,address,profiles, in any order\n    name,mac,address\n    ^~~~"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct policy *policy = NULL;
		struct rooms rooms;
		struct err err = {0};

		rooms_write(&rooms, cases[i].csv);
		assert_int_equal(rooms_load(&rooms, &policy, &err), -EINVAL);
		assert_string_equal(err.text + strlen(rooms.csv), cases[i].said);
	}
}

static void one_unit_too_many_is_shown_with_its_line(void **state)
{
	CLEANUP(freep) char *csv = NULL;
	struct policy *policy = NULL;
	struct rooms rooms;
	size_t size;
	FILE *file = open_memstream(&csv, &size);
	struct err err = {0};

	fputs("name,mac,address,profiles\n", file);
	for (unsigned i = 0; i < 101000; i++)
		fprintf(file, "u%u,,10.%u.%u.%u,room\n", i, i >> 16, i >> 8 & 255, i & 255);
	fclose(file);
	rooms_write(&rooms, csv);
	assert_int_equal(rooms_load(&rooms, &policy, &err), -E2BIG);
	assert_string_equal(err.text + strlen(rooms.csv),
			    ":100002:1: more than 100000 units\n    u100000,,10.1.134.160,room\n    ^~~~~~~");
}

static void words_of_unit_and_profile_do_without_a_site_file(void **state)
{
	static const char *const units[] = {"192.168.1.6", "10.20.8.0/22", "00:26:8c:01:02:03"};
	static const char *const wrong[] = {"10.20.0"}, *const twice[] = {"10.0.0.1",
									  "10.0.0.1"};
	struct policy_args args = {.units = units,
				   .unit_count = 3,
				   .profiles = "room,online",
				   .envelope = envelope};
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct policy *other = NULL;
	struct err err = {0};

	assert_int_equal(policy_load(&args, &policy, &err), 0);
	assert_int_equal(policy->unit_count, 3);
	assert_string_equal(policy->units[0].name, "192.168.1.6");
	assert_int_equal(policy->units[2].profiles, 1 | 8);
	args.profiles = "room,onlin";
	assert_int_equal(policy_load(&args, &other, &err), -EINVAL);
	assert_string_equal(
		err.text,
		"--profile: unknown profile 'onlin'; accepted: room, onprem, external, online, "
		"touch; did you mean 'online'?");
	args.profiles = "room,,online";
	assert_int_equal(policy_load(&args, &other, &err), -EINVAL);
	assert_string_equal(err.text, "--profile: 'room,,online' has a comma without a word; accepted: room, onprem, "
				      "external, online, touch");
	args.profiles = "room,";
	assert_int_equal(policy_load(&args, &other, &err), -EINVAL);
	args.profiles = NULL;
	assert_int_equal(policy_load(&args, &other, &err), -EINVAL);
	assert_non_null(strstr(err.text, "--unit needs --profile"));
	args = (struct policy_args){
		.units = wrong, .unit_count = 1, .profiles = "room", .envelope = envelope};
	assert_int_equal(policy_load(&args, &other, &err), -EINVAL);
	assert_string_equal(err.text,
			    "--unit 10.20.0: no address, prefix or MAC; accepted: 192.168.1.6, "
			    "10.20.8.0/22, 2001:db8::15, 00:26:8c:01:02:03");
	args = (struct policy_args){
		.units = twice, .unit_count = 2, .profiles = "room", .envelope = envelope};
	assert_int_equal(policy_load(&args, &other, &err), -EINVAL);
	assert_non_null(strstr(err.text, "--unit 10.0.0.1: "));
}

static void words_of_unit_add_to_a_site_file_and_may_not_clash_with_it(void **state)
{
	static const char *const more[] = {"10.9.9.9"}, *const same[] = {"10.20.0.15"};
	struct policy_args args = {.site_path = "site.yaml",
				   .site_text = UNIT,
				   .site_text_len = strlen(UNIT),
				   .units = more,
				   .unit_count = 1,
				   .profiles = "online",
				   .envelope = envelope};
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct policy *other = NULL;
	struct err err = {0};

	assert_int_equal(policy_load(&args, &policy, &err), 0);
	assert_int_equal(policy->unit_count, 2);
	args.units = same;
	assert_int_equal(policy_load(&args, &other, &err), -EINVAL);
	assert_string_equal(
		err.text,
		"--unit 10.20.0.15: overlapping units: 10.20.0.15 of '10.20.0.15' and 10.20.0.15 "
		"of 'a', first in line 1 of site.yaml");
}

static void the_hash_follows_every_word(void **state)
{
	CLEANUP(policy_freep)
	struct policy *a = site(UNIT), *b = site(UNIT), *c = site(UNIT "# more\n");

	assert_string_equal(a->hash, b->hash);
	assert_string_not_equal(a->hash, c->hash);
}

static void every_truncation_of_a_site_file_is_survived(void **state)
{
	static const char text[] =
		"units: [{name: a, addresses: [10.0.0.1, 10.1.0.0/16], macs: [00-26-8c-01-02-03], profiles: [room]}]\n"
		"domains: [a.b]\nroles: {edge: {addresses: [10.0.0.0/8], names: [\"*.x\"]}}\n"
		"narrow: {online.out.audio: {local-ports: [50000]}}\noptions: {nat: true}\n" WAIVER(
			"units: [a], ", "expires: 2026-12-31");
	char cut[sizeof(text)];

	for (size_t len = 0; len < sizeof(text); len++) {
		CLEANUP(policy_freep) struct policy *policy = NULL;
		struct err err = {0};

		memcpy(cut, text, len);
		cut[len] = '\0';
		if (load(cut, &policy, &err) < 0)
			assert_non_null(strstr(err.text, "site.yaml:"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_mistake_is_shown_with_its_place_and_what_is_accepted),
		cmocka_unit_test(a_row_that_is_none_is_answered_with_all_35),
		cmocka_unit_test(an_application_that_is_none_is_answered_with_those_there_are),
		cmocka_unit_test(the_example_of_the_design_is_taken_as_it_stands),
		cmocka_unit_test(a_narrowed_row_allows_less_in_all_its_readings),
		cmocka_unit_test(the_site_says_what_it_needs_and_narrower_goes_before_wider),
		cmocka_unit_test(a_need_that_names_a_profile_and_a_row_is_refused),
		cmocka_unit_test(a_waiver_never_filled_in_is_taken_from_the_record_alone),
		cmocka_unit_test(options_choose_among_the_readings_of_a_row),
		cmocka_unit_test(rooms_csv_is_read_as_rfc_4180_writes_it),
		cmocka_unit_test(a_broken_line_of_rooms_csv_is_shown),
		cmocka_unit_test(the_columns_of_rooms_csv_stand_in_any_order),
		cmocka_unit_test(a_wrong_header_of_rooms_csv_is_shown),
		cmocka_unit_test(one_unit_too_many_is_shown_with_its_line),
		cmocka_unit_test(words_of_unit_and_profile_do_without_a_site_file),
		cmocka_unit_test(words_of_unit_add_to_a_site_file_and_may_not_clash_with_it),
		cmocka_unit_test(the_hash_follows_every_word),
		cmocka_unit_test(every_truncation_of_a_site_file_is_survived),
	};

	return cmocka_run_group_tests(tests, load_envelope, free_envelope);
}

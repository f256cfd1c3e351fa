/*
 * test_suggest.c - a site file proposed from packets: who becomes a unit, which profiles are in use, and what becomes of a
 * site file that there is. Each case is a wire, and lines that must, or may not, stand in the proposal.
 */
#include "tests/lib/proposal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* ------------------------------------------------------------------ units */

static void a_mac_of_the_maker_tells_a_unit_with_all_its_addresses(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	lease(w, ROOM, "10.20.0.15", "10.20.0.1");
	talk_http(w, "10.20.2.40:51000 > 10.20.0.15:80", "10.20.0.15", "/");
	talk_tls(w, "[2001:db8:20::40]:51000 > [2001:db8:20::15]:443", TLS(.sni = NULL));
	propose(&p, NULL, w, NULL);
	must(&p, "- {name: room-1, macs: [\"" ROOM "\"], profiles: [room]}\n");
	must_not(&p, "room-2");
	must_say(&p, "MAC of the maker; DHCP gave it 10.20.0.15, by 10.20.0.1, until");
	must_say(&p, "its addresses by then: 10.20.0.15, 2001:db8:20::15");
}

static void who_asks_for_maestro_is_a_unit_and_whose_resolver_asks_is_none(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_dns(w, "10.20.9.15:52001 > 10.20.0.53:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	talk_dns(w, "10.20.0.53:52001 > 9.9.9.9:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	propose(&p, NULL, w, NULL);
	must(&p, "- {name: room-1, addresses: [10.20.9.15], profiles: [room]}\n");
	must_not(&p, "room-2");
	must_say(&p, "asked for or contacted config.maestro.starleaf.com: 1 flow, udp 10.20.9.15:52001 > "
	             "10.20.0.53:53");
	proposal_release(&p);
	/* By more than one name: it is not said that all of them were by the first. */
	talk_dns(w, "10.20.9.15:52002 > 10.20.0.53:53",
	         DNS("fw.maestro.starleaf.com", DNS_A, NULL, "203.0.113.21"));
	propose(&p, NULL, w, NULL);
	must_say(&p, "asked for or contacted config.maestro.starleaf.com and others like it: 2 flows, the "
	             "first udp 10.20.9.15:52001");
}

static void whom_others_ask_in_vain_is_no_resolver(void **state)
{
	struct message ask = message_dns_query(7, "config.maestro.starleaf.com", DNS_A);
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_udp(w, "10.20.9.66:52001 > 10.20.9.15:53", &ask);
	talk_tls(w, "10.20.9.15:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	propose(&p, NULL, w, NULL);
	must(&p, "addresses: [10.20.9.15], profiles: [room]}\n");
}

static void whatever_name_each_address_asks_for_is_said_to_be_one_of_several(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_tls(w, "10.20.0.15:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	wire_at(w, 1);
	talk_tls(w, "[2001:db8:20::15]:49160 > [2001:db8:113::20]:443",
	         TLS(.sni = "fw.maestro.starleaf.com"));
	propose(&p, NULL, w, NULL);
	must_say(&p, "config.maestro.starleaf.com and others like it: 2 flows, the first tcp 10.20.0.15");
}

static void a_unit_that_serves_another_one_is_a_unit_still(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_tls(w, "10.20.0.15:49184 > 10.20.0.21:5061", TLS(.sni = "huddle.corp.example"));
	propose(&p, NULL, w, NULL);
	must(&p, "- {name: room-2, macs: [\"" OTHER "\"]");
}

static void a_mac_that_dhcp_gave_the_address_to_is_the_units_own(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	wire_mac(w, "10.20.0.31", "02:11:22:33:44:55");
	lease(w, "02:11:22:33:44:55", "10.20.0.31", "10.20.0.1");
	talk_tls(w, "10.20.0.31:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	propose(&p, NULL, w, NULL);
	must(&p, "macs: [\"02:11:22:33:44:55\"]");
}

static void behind_a_router_the_addresses_tell(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;
	char tuple[WIRE_TUPLE];

	/* Even a MAC of the maker is a router's where more addresses are behind it than one host has. */
	for (unsigned i = 0; i < 6; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "10.30.0.%u", 15 + i);
		wire_mac(w, addr, ROOM);
		snprintf(tuple, sizeof(tuple), "%s:49160 > 203.0.113.20:443", addr);
		talk_tls(w, tuple,
		         TLS(.sni = i < 2 ? "config.maestro.starleaf.com" : "example.com"));
	}
	propose(&p, NULL, w, NULL);
	must(&p, "- {name: room-1, addresses: [10.30.0.15], profiles: [room]}\n");
	must(&p, "- {name: room-2, addresses: [10.30.0.16], profiles: [room]}\n");
	must_not(&p, "room-3");
	must_not(&p, "macs:");
	must_say(&p, "behind a router (" ROOM ")");
}

static void who_is_named_is_a_unit_and_nobody_else(void **state)
{
	static const char *const units[] = {"10.20.4.0/24", "10.9.9.9", NULL};
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_http(w, "10.20.4.7:51000 > 10.20.0.15:80", "10.20.0.15", "/");
	propose(&p, NULL, w, units);
	must(&p, "- {name: room-1, addresses: [10.20.4.7], profiles: [room]}\n");
	must_not(&p, ROOM);
	must_say(&p, "--unit 10.9.9.9: no such host was seen");
}

static void a_panel_of_the_maker_is_no_unit(void **state)
{
	static const char *const ports[] = {"69", "5000", "23456"};
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	wire_mac(w, "2001:db8:20::99", OTHER);
	for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
		struct message ask = message_noise(60, i), answer = message_noise(90, i + 9);
		char tuple[WIRE_TUPLE];

		snprintf(tuple, sizeof(tuple), "[2001:db8:20::99]:%u > [2001:db8:20::15]:%s",
		         49000 + i, ports[i]);
		talk_tcp(w, tuple, &ask, &answer);
	}
	talk_tls(w, "10.20.0.15:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	propose(&p, NULL, w, NULL);
	must(&p, "- {name: room-1, macs: [\"" ROOM "\"], profiles: [room, touch]}\n");
	must_not(&p, "room-2");
	must(&p, "  touch-controller:\n    addresses:\n      - \"2001:db8:20::99\"\n");
	must_say(&p, "opened ports 69, 5000, 23456 of units, which answered");
}

static void media_makes_nobody_a_holder_and_wide_rows_no_profile(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_ice(w, "10.20.0.15:31000 > 192.0.2.60:51000");
	talk_rtp(w, "10.20.0.15:31000 > 192.0.2.60:51000", AUDIO(40));
	wire_at(w, 5); /* by then it counts who speaks first */
	talk_ntp(w, "10.20.0.15:123 > 192.0.2.61:123");
	propose(&p, NULL, w, NULL);
	must(&p, "profiles: [room]}");
	must_not(&p, "192.0.2");
	must_not(&p, "waivers");
	must_not(&p, "ports");
	must_say(&p, "other-client: left empty");
	must_say(&p, "waivers: 1 ntp flow, udp 10.20.0.15:123 > 192.0.2.61:123");
	must_say(&p, "owner: \"\", reason: \"\", expires: \"\"");
}

static void who_is_asked_for_the_time_is_excused_and_who_asks_is_not(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_http(w, "10.20.2.40:51000 > 10.20.0.15:80", "10.20.0.15", "/");
	wire_at(w, 5); /* by then it counts who speaks first */
	talk_ntp(w, "192.0.2.61:123 > 10.20.0.15:123");
	propose(&p, NULL, w, NULL);
	must_not_say(&p, "waivers");
}

static void a_profile_is_not_proven_by_what_nobody_answered(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_kerberos(w, "10.20.0.15:49181 > 10.20.5.10:88");
	wire_wait(w, 1);
	talk_refused(w, "10.20.0.21:49181 > 10.20.5.10:88");
	propose(&p, NULL, w, NULL);
	must(&p, "macs: [\"" ROOM "\"], profiles: [room, onprem]}");
	must(&p, "macs: [\"" OTHER "\"], profiles: [room]}");
}

static void a_call_between_narrow_ports_speaks_for_the_profile_that_has_them(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_ice(w, "10.20.0.15:50004 > 192.0.2.60:51000");
	talk_rtp(w, "10.20.0.15:50004 > 192.0.2.60:51000", AUDIO(40));
	propose(&p, NULL, w, NULL);
	must(&p, "profiles: [room, online]}");
}

static void the_same_call_of_a_unit_on_premises_does_not(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_kerberos(w, "10.20.0.15:49181 > 10.20.5.10:88");
	talk_ice(w, "10.20.0.15:50004 > 192.0.2.60:51000");
	talk_rtp(w, "10.20.0.15:50004 > 192.0.2.60:51000", AUDIO(40));
	propose(&p, NULL, w, NULL);
	must(&p, "profiles: [room, onprem]}");
}

/* ------------------------------------------------------------------- names */

static void hostile_names_stay_out_of_values_and_are_tame_in_comments(void **state)
{
	static const char *const names[] = {
		"lyncdiscover.evil\n- x: y.example", "lyncdiscover.a]b}.example",
		"lyncdiscover.\x1b[31mred.example", "lyncdiscover.*.example", "lyncdiscover.# x.example",
	};
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		char tuple[WIRE_TUPLE];

		snprintf(tuple, sizeof(tuple), "10.20.0.15:%u > 10.20.0.53:53", 52001 + i);
		talk_dns(w, tuple, DNS(names[i], DNS_A, NULL, "10.20.5.21"));
		snprintf(tuple, sizeof(tuple), "10.20.0.15:%u > 10.20.5.2%u:5061", 53001 + i, i);
		talk_tls(w, tuple, TLS(.sni = names[i]));
	}
	propose(&p, NULL, w, NULL);
	must_not(&p, "domains");
	must_not(&p, "evil");
	must_not(&p, "x: y");
	must_not(&p, "names:");
	for (const char *c = p.text; *c; c++)
		assert_true(*c == '\n' || (unsigned char)*c >= ' ');
}

/* ------------------------------------------------------- a file that there is */

static void a_site_file_in_force_stays_as_it_is_with_new_lines_in_it(void **state)
{
	static const char site[] = "# Mine.\n"
				   "site: Office   # of the company\n"
				   "units:\n"
				   "  - name: boardroom\n"
				   "    macs: [\"" ROOM "\"]\n"
				   "    profiles: [room]\n"
				   "\n"
				   "roles:\n"
				   "  dns-server: {addresses: [10.20.0.53]}\n"
				   "waivers: []\n";
	const char *at, *line = site;
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_dns(w, "10.20.0.15:52001 > 10.20.0.54:53", DNS("b.example", DNS_A, NULL, "10.0.0.2"));
	talk_kerberos(w, "10.20.0.15:49181 > 10.20.5.10:88");
	talk_tls(w, "10.20.0.21:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	propose(&p, site, w, NULL);
	/* Each line of it, in its order. */
	at = p.text;
	while (*line) {
		size_t len = strcspn(line, "\n") + 1;
		char whole[80];

		snprintf(whole, sizeof(whole), "%.*s", (int)len, line);
		at = strstr(at, whole);
		if (!at)
			fail_msg("'%s' is gone from:\n%s", whole, p.text);
		at += len > 1 ? len : 0;
		line += len;
	}
	must(&p, "  - {name: room-1, macs: [\"" OTHER "\"], profiles: [room]}\n");
	must(&p, "  domain-controller: {addresses: [10.20.5.10]}\n");
	must_not(&p, "10.20.0.54");
	must_say(&p, "new: room-1: MAC of the maker");
	must_say(&p, "new: domain-controller 10.20.5.10: answered 1 kerberos flow, udp 10.20.0.15:49181 > 10.20.5.10:88");
	must_say(&p, "10.20.0.54: answered 1 dns flow");
	must_say(&p, "the site file names others for this role");
	must_say(&p, "boardroom fits rows of profiles that it does not have");
	must_say(&p, "onprem: 1 flow");
	must(&p, "    profiles: [room]\n");
}

static void nobody_is_a_candidate_in_an_office_of_others(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_http(w, "10.20.2.40:51000 > 10.20.2.50:80", "10.20.2.50", "/");
	propose(&p, NULL, w, NULL);
	assert_int_equal(p.suggestion->candidate_count, 0);
	assert_int_equal(p.suggestion->hosts, 2);
	must(&p, "units: []\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mac_of_the_maker_tells_a_unit_with_all_its_addresses),
		cmocka_unit_test(who_asks_for_maestro_is_a_unit_and_whose_resolver_asks_is_none),
		cmocka_unit_test(whom_others_ask_in_vain_is_no_resolver),
		cmocka_unit_test(whatever_name_each_address_asks_for_is_said_to_be_one_of_several),
		cmocka_unit_test(a_unit_that_serves_another_one_is_a_unit_still),
		cmocka_unit_test(a_mac_that_dhcp_gave_the_address_to_is_the_units_own),
		cmocka_unit_test(behind_a_router_the_addresses_tell),
		cmocka_unit_test(who_is_named_is_a_unit_and_nobody_else),
		cmocka_unit_test(a_panel_of_the_maker_is_no_unit),
		cmocka_unit_test(media_makes_nobody_a_holder_and_wide_rows_no_profile),
		cmocka_unit_test(who_is_asked_for_the_time_is_excused_and_who_asks_is_not),
		cmocka_unit_test(a_profile_is_not_proven_by_what_nobody_answered),
		cmocka_unit_test(a_call_between_narrow_ports_speaks_for_the_profile_that_has_them),
		cmocka_unit_test(the_same_call_of_a_unit_on_premises_does_not),
		cmocka_unit_test(hostile_names_stay_out_of_values_and_are_tame_in_comments),
		cmocka_unit_test(a_site_file_in_force_stays_as_it_is_with_new_lines_in_it),
		cmocka_unit_test(nobody_is_a_candidate_in_an_office_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

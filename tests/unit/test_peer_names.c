/*
 * test_peer_names.c - what DNS and TLS say of a peer, from the packets to the database (design.md 4, "Who is the
 * peer?"): only answers of the unit's own DNS server bind a name, for that unit, for their time; a name in
 * the flow is a claim.
 */
#include "tests/lib/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNITS \
	"site: Test\n" \
	"domains: [corp.example]\n" \
	"units:\n" \
	"  - {name: board, addresses: [10.1.0.7], profiles: [room]}\n" \
	"  - {name: huddle, addresses: [10.1.0.8], profiles: [room]}\n"
#define WITH_DNS UNITS "roles:\n  dns-server: {addresses: [10.1.0.53]}\n"
#define WITH_MAESTRO WITH_DNS "  maestro: {addresses: [10.1.0.44]}\n"

#define BY_MAC \
	"site: Test\n" \
	"units: [{name: board, macs: [\"00:26:8c:01:02:03\"], profiles: [room]}]\n" \
	"roles: {dns-server: {addresses: [10.1.0.53]}}\n"

#define MAESTRO "config.maestro.starleaf.com"
#define THERE "192.0.2.7"

static void ask(struct wire *w, const char *tuple, const char *name, const char *cname, const char *value)
{
	talk_dns(w, tuple, &(struct dns_case){.name = name, .type = DNS_A, .cname = cname, .value = value});
}

static void tls(struct wire *w, const char *sni)
{
	talk_tls(w, "10.1.0.7:50100 > " THERE ":443", &(struct tls){.sni = sni});
}

static void bound(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", MAESTRO, NULL, THERE);
	tls(w, MAESTRO);
}

static void bound_by_mac(struct wire *w)
{
	wire_mac(w, "10.1.0.7", "00:26:8c:01:02:03");
	bound(w);
}

static void bound_without_sni(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", MAESTRO, NULL, THERE);
	tls(w, NULL);
}

static void bound_with_another_sni(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", MAESTRO, NULL, THERE);
	tls(w, "cdn.example");
}

static void bound_by_tcp(struct wire *w)
{
	talk_dns_tcp(w, "10.1.0.7:50000 > 10.1.0.53:53", &(struct dns_case){.name = MAESTRO, .type = DNS_A, .value = THERE});
	tls(w, MAESTRO);
}

static void an_alias(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", MAESTRO, "host7.cloud.example", THERE);
	tls(w, MAESTRO);
}

/* The name asked for is an alias of a name of the role: each name of the chain is bound. */
static void an_alias_to_it(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", "evil.example", MAESTRO, THERE);
	tls(w, MAESTRO);
}


static void a_foreign_resolver(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 198.51.100.53:53", MAESTRO, NULL, THERE);
	tls(w, MAESTRO);
}

static void a_foreign_resolver_against_ours(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", MAESTRO, NULL, "192.0.2.1");
	a_foreign_resolver(w);
}

static void for_another_unit(struct wire *w)
{
	ask(w, "10.1.0.8:50000 > 10.1.0.53:53", MAESTRO, NULL, THERE);
	tls(w, MAESTRO);
}

static void elsewhere(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", MAESTRO, NULL, "192.0.2.1");
	tls(w, MAESTRO);
}

/* TTL 300 s and an hour of grace. */
static void still_in_grace(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", MAESTRO, NULL, THERE);
	wire_wait(w, 300 + 3590);
	tls(w, MAESTRO);
}

static void expired(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", MAESTRO, NULL, THERE);
	wire_wait(w, 300 + 3610);
	tls(w, MAESTRO);
}

static void expired_and_bound_anew(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", MAESTRO, NULL, THERE);
	wire_wait(w, 300 + 3610);
	ask(w, "10.1.0.7:50001 > 10.1.0.53:53", MAESTRO, NULL, THERE);
	tls(w, MAESTRO);
}

/* Bound while the flow goes on: the last word counts. */
static void bound_after_it_began(struct wire *w)
{
	struct message m = message_client_hello(MAESTRO, 0x0303);

	talk_open(w, "10.1.0.7:50100 > " THERE ":443");
	talk_send(w, "10.1.0.7:50100 > " THERE ":443", &m);
	wire_wait(w, 20);
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", MAESTRO, NULL, THERE);
	m = message_server_hello(0x0303, false);
	talk_send(w, THERE ":443 > 10.1.0.7:50100", &m);
}

static void bound_after_it_ended(struct wire *w)
{
	tls(w, MAESTRO);
	wire_wait(w, 20);
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", MAESTRO, NULL, THERE);
}

static void never_bound(struct wire *w)
{
	tls(w, MAESTRO);
}

static void never_bound_and_another_sni(struct wire *w)
{
	tls(w, "evil.example");
}

static void no_name_at_all(struct wire *w)
{
	tls(w, NULL);
}

static void to_the_listed_one(struct wire *w)
{
	talk_tls(w, "10.1.0.7:50100 > 10.1.0.44:443", &(struct tls){.sni = "evil.example"});
}

#define DNS "udp out(request) dns answered: documented exact room.out.dns"
#define DNS_TCP "tcp out(syn) dns answered: documented exact room.out.dns"
#define DNS_LEARNT "udp out(request) dns answered: documented unproven room.out.dns why=role-unknown"
#define FOREIGN "udp out(request) dns answered: outside peer medium room.out.dns"
#define EXACT "tcp out(syn) tls answered: documented exact room.out.maestro"
#define UNPROVEN "tcp out(syn) tls answered: documented unproven room.out.maestro why=role-unknown"
#define WRONG "tcp out(syn) tls answered: outside peer medium room.out.maestro"

static void names_prove_a_peer_only_as_far_as_a_dns_server_said_so(void **state)
{
	static const struct story stories[] = {
		{"bound", bound, DNS " | " EXACT},
		{"bound, no SNI", bound_without_sni, DNS " | " EXACT},
		{"bound, another SNI", bound_with_another_sni, DNS " | " EXACT},
		{"bound by TCP", bound_by_tcp, DNS_TCP " | " EXACT},
		{"an alias", an_alias, DNS " | " EXACT},
		{"an alias to it", an_alias_to_it, DNS " | " EXACT},
		{"a foreign resolver", a_foreign_resolver, FOREIGN " | " UNPROVEN},
		{"... against ours", a_foreign_resolver_against_ours, DNS " | " FOREIGN " | " WRONG},
		{"for another unit", for_another_unit, DNS " | " UNPROVEN},
		{"elsewhere", elsewhere, DNS " | " WRONG},
		{"still in grace", still_in_grace, DNS " | " EXACT},
		{"expired", expired, DNS " | " WRONG},
		{"expired and bound anew", expired_and_bound_anew, DNS " | " DNS " | " EXACT},
		{"bound after it began", bound_after_it_began, EXACT " | " DNS},
		{"bound after it ended", bound_after_it_ended, UNPROVEN " | " DNS},
		{"never bound", never_bound, UNPROVEN},
		{"never bound, another SNI", never_bound_and_another_sni, WRONG},
		{"no name at all", no_name_at_all, UNPROVEN},
	};

	assert_stories(WITH_DNS, stories);
}

static void a_name_at_none_of_the_listed_addresses_is_wrong(void **state)
{
	static const struct story stories[] = {
		{"an SNI", never_bound, WRONG},
		{"a foreign resolver", a_foreign_resolver, FOREIGN " | " WRONG},
		{"bound by ours", bound, DNS " | " EXACT},
		{"the listed one, whatever it is called", to_the_listed_one, EXACT},
	};

	assert_stories(WITH_MAESTRO, stories);
}

/* Nothing but its MAC says who it is: no lease, no word of ARP. */
static void a_name_is_bound_for_a_unit_known_by_its_mac(void **state)
{
	static const struct story stories[] = {{"bound", bound_by_mac, DNS " | " EXACT}};

	assert_stories(BY_MAC, stories);
}

/* Nobody is named as a DNS server, and no lease names one: nobody's answers count. */
static void without_a_dns_server_nothing_is_bound(void **state)
{
	static const struct story stories[] = {
		{"asked somebody", bound, DNS_LEARNT " | " UNPROVEN},
		{"asked somebody else", a_foreign_resolver, DNS_LEARNT " | " UNPROVEN},
	};

	assert_stories(UNITS, stories);
}

/* ------------------------------------------- services behind one port (domain.md 1.3) */

#define EDGE \
	"site: Test\n" \
	"domains: [corp.example]\n" \
	"units:\n" \
	"  - {name: board, addresses: [10.1.0.7], profiles: [external, onprem]}\n" \
	"roles:\n" \
	"  dns-server: {addresses: [10.1.0.53]}\n" \
	"  edge: {addresses: [" THERE "], names: [sip.corp.example, webconf.corp.example, av.corp.example]}\n" \
	"  sfb-auth: {names: [sts.corp.example, \"adfs*.corp.example\", webext.corp.example]}\n" \
	"  front-end: {addresses: [10.1.0.20]}\n" \
	"  other-client: {addresses: [10.3.0.0/16]}\n"

static void sip_name(struct wire *w)
{
	tls(w, "sip.corp.example");
}

static void psom_name(struct wire *w)
{
	tls(w, "webconf.corp.example");
}

static void auth_name(struct wire *w)
{
	ask(w, "10.1.0.7:50000 > 10.1.0.53:53", "adfs2.corp.example", NULL, "192.0.2.9");
	talk_tls(w, "10.1.0.7:50100 > 192.0.2.9:443", &(struct tls){.sni = "adfs2.corp.example"});
}

static void auth_name_at_the_edge(struct wire *w)
{
	tls(w, "sts.corp.example");
}

static void relay(struct wire *w)
{
	talk_msturn_tcp(w, "10.1.0.7:50100 > " THERE ":443", "198.51.100.3:50000",
	                &(struct media){.payload_type = PT_SILK, .packets = 20, .ssrc = 1}, true);
}

static void services_that_tls_hides_stand_side_by_side(void **state)
{
	static const struct story stories[] = {
		{"SIP's name", sip_name, "tcp out(syn) tls answered: documented exact external.out.sip_tls+external.out.psom_tls"},
		{"PSOM's name", psom_name, "tcp out(syn) tls answered: documented exact external.out.sip_tls+external.out.psom_tls"},
		{"no name", no_name_at_all, "tcp out(syn) tls answered: documented unproven external.out.sip_tls+external.out.psom_tls why=encrypted"},
		{"ADFS", auth_name, "udp out(request) dns answered: outside service medium onprem.out.kerberos"
		                    " | tcp out(syn) tls answered: documented exact onprem.out.auth_https"},
		{"a sign-in name at the Edge", auth_name_at_the_edge,
		 "tcp out(syn) tls answered: documented unproven external.out.sip_tls+external.out.psom_tls why=encrypted"},
		{"A/V", relay, "tcp out(syn) msturn answered: documented exact external.out.turn_tcp"},
	};

	assert_stories(EDGE, stories);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_prove_a_peer_only_as_far_as_a_dns_server_said_so),
		cmocka_unit_test(a_name_at_none_of_the_listed_addresses_is_wrong),
		cmocka_unit_test(a_name_is_bound_for_a_unit_known_by_its_mac),
		cmocka_unit_test(without_a_dns_server_nothing_is_bound),
		cmocka_unit_test(services_that_tls_hides_stand_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_peer.c - who is the peer: proven, unknown or wrong for each role (design.md 4).
 */
#include "tests/lib/judging.h"
#include "tests/lib/roles.h"

static enum fit fit_of(const struct policy *policy, const char *tuple_text, const char *role,
                       void (*mend)(struct tuple *))
{
	struct judged judged = {"room", tuple_text, "", mend};
	struct tuple tuple;
	int index = envelope_find_role(policy->envelope, role);

	assert_true(index >= 0);
	tuple_ready(policy, &judged, &tuple);
	return judge_role(policy, &tuple.view, (unsigned)index);
}

struct asked {
	const char *role, *tuple;
	enum fit fit;
	void (*mend)(struct tuple *tuple);
};

static void check_roles(const char *roles, const struct asked *cases, size_t count)
{
	struct policy *policy = policy_of(roles);
	unsigned wrong = 0;

	for (size_t i = 0; i < count; i++) {
		enum fit fit = fit_of(policy, cases[i].tuple, cases[i].role, cases[i].mend);

		if (fit != cases[i].fit) {
			print_error("%s of %s: said %d, expected %d\n", cases[i].role, cases[i].tuple, fit,
			            cases[i].fit);
			wrong++;
		}
	}
	policy_free(policy);
	assert_int_equal(wrong, 0);
}

static void a_listed_address_is_proven_whatever_else_is_said(void **state)
{
	static const struct asked cases[] = {
		{"dns-server", "udp 10.1.2.3:50000 > 10.0.0.53:53", FIT_MATCH},
		{"front-end", "tcp 10.1.2.3:50000 > 10.0.0.53:443 name=evil.example", FIT_MATCH},
		{"sfb-online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 name=evil.example", FIT_MATCH},
		{"sfb-online", "tcp [2001:db8::3]:50000 > [2603:1027::1]:443", FIT_MATCH},
	};

	check_roles("roles:\n  dns-server: {addresses: [10.0.0.53]}\n  front-end: {addresses: [10.0.0.0/24]}\n",
	            cases, ARRAY_LEN(cases));
}

static void an_empty_role_is_unknown_unless_we_know_the_peer_is_somebody_else(void **state)
{
	static const struct asked cases[] = {
		{"other-client", "udp 10.1.2.3:50000 > 203.0.113.9:50000", FIT_UNKNOWN},
		{"front-end", "tcp 10.1.2.3:50000 > 10.9.9.9:5061 name=evil.example", FIT_UNKNOWN},
		{"other-client", "udp 10.1.2.3:50000 > 52.112.1.9:50000", FIT_MISMATCH}, /* sfb-online */
		{"other-client", "udp 10.1.2.3:50000 > 10.0.0.53:50000", FIT_MISMATCH},  /* dns-server */
		{"other-client", "udp 10.1.2.3:50000 > 10.9.9.9:50000 bound=config.maestro.starleaf.com", FIT_MISMATCH},
		/* the unit's own segment is a place, not an identity */
		{"other-client", "udp [2001:db8::3]:50000 > [fe80::9]:50000", FIT_UNKNOWN},
		/* no client lives at a group's address */
		{"other-client", "udp 10.1.2.3:5353 > 224.0.0.251:5353", FIT_MISMATCH},
		{"other-client", "udp 10.1.2.3:17500 > 255.255.255.255:17500", FIT_MISMATCH},
	};

	check_roles("roles:\n  dns-server: {addresses: [10.0.0.53]}\n", cases, ARRAY_LEN(cases));
}

static void an_answered_ice_check_proves_an_other_client_that_nobody_listed(void **state)
{
	static const struct asked nobody[] = {
		{"other-client", "udp 10.1.2.3:50000 > 203.0.113.9:50000 ice=yes", FIT_MATCH},
		{"other-client", "udp 10.1.2.3:50000 < 203.0.113.9:50000 ice=yes", FIT_MATCH},
		{"other-client", "udp 10.1.2.3:50000 > 203.0.113.9:50000 ice=no", FIT_UNKNOWN},
		{"other-client", "udp 10.1.2.3:50000 > 52.112.1.9:50000 ice=yes", FIT_MISMATCH},
		{"front-end", "udp 10.1.2.3:50000 > 203.0.113.9:50000 ice=yes", FIT_UNKNOWN},
	};
	static const struct asked listed[] = {
		{"other-client", "udp 10.1.2.3:50000 > 203.0.113.9:50000 ice=yes", FIT_MISMATCH},
	};

	check_roles(NOBODY, nobody, ARRAY_LEN(nobody));
	check_roles("roles:\n  other-client: {addresses: [10.20.0.0/16]}\n", listed, ARRAY_LEN(listed));
}

static void somewhere_else(struct tuple *tuple)
{
	tuple->view.bound_roles = UINT32_MAX; /* DNS bound names of every role, to other addresses */
}

static void a_role_held_by_names_alone_waits_for_dns(void **state)
{
	static const struct asked cases[] = {
		{"maestro", "tcp 10.1.2.3:50000 > 192.0.2.1:443", FIT_UNKNOWN},
		{"maestro", "tcp 10.1.2.3:50000 > 192.0.2.1:443 app=tls name=config.maestro.starleaf.com", FIT_UNKNOWN},
		{"maestro", "tcp 10.1.2.3:50000 > 192.0.2.1:443 app=tls name=MAESTRO.starleaf.com", FIT_UNKNOWN},
		{"maestro", "tcp 10.1.2.3:50000 > 192.0.2.1:443 app=tls name=evil.example", FIT_MISMATCH},
		{"maestro", "tcp 10.1.2.3:50000 > 192.0.2.1:443 bound=config.maestro.starleaf.com", FIT_MATCH},
		{"maestro", "tcp 10.1.2.3:50000 > 192.0.2.1:443 app=tls name=evil.example bound=config.maestro.starleaf.com", FIT_MATCH},
		{"maestro", "tcp 10.1.2.3:50000 > 192.0.2.1:443 bound=evil.example", FIT_MISMATCH},
		/* bound elsewhere: an SNI of the role at an address that is none of its own lies */
		{"maestro", "tcp 10.1.2.3:50000 > 192.0.2.1:443 app=tls name=config.maestro.starleaf.com", FIT_MISMATCH, somewhere_else},
		{"maestro", "tcp 10.1.2.3:50000 > 192.0.2.1:443", FIT_MISMATCH, somewhere_else},
		/* what the unit asks a DNS server is no name of that server */
		{"maestro", "udp 10.1.2.3:50000 > 192.0.2.1:53 app=dns name=evil.example", FIT_UNKNOWN},
		{"autodiscover", "tcp 10.1.2.3:50000 > 192.0.2.1:80 app=http name=lyncdiscover.corp.example", FIT_UNKNOWN},
		{"autodiscover", "tcp 10.1.2.3:50000 > 192.0.2.1:80 app=http name=www.corp.example", FIT_MISMATCH},
	};

	check_roles(NOBODY, cases, ARRAY_LEN(cases));
}

static void a_listed_role_is_not_fooled_by_a_name(void **state)
{
	static const struct asked cases[] = {
		{"sfb-online", "tcp 10.1.2.3:50000 > 192.0.2.1:443 app=tls name=sipdir.online.lync.com", FIT_MISMATCH},
		{"sfb-online", "tcp 10.1.2.3:50000 > 192.0.2.1:443 bound=sipdir.online.lync.com", FIT_MATCH},
		{"edge", "tcp 10.1.2.3:50000 > 192.0.2.1:443 app=tls name=sip.corp.example", FIT_MISMATCH},
		{"edge", "tcp 10.1.2.3:50000 > 192.0.2.1:443", FIT_MISMATCH},
	};

	check_roles(COMPANY, cases, ARRAY_LEN(cases));
}

static void learnt(struct tuple *tuple)
{
	tuple->view.learnt_any = tuple->view.learnt_roles = UINT32_MAX;
}

static void learnt_others(struct tuple *tuple)
{
	tuple->view.learnt_any = UINT32_MAX;
}

static void what_dhcp_teaches_is_unproven_and_counts_only_where_the_site_is_silent(void **state)
{
	static const struct asked nobody[] = {
		{"dns-server", "udp 10.1.2.3:50000 > 10.0.0.53:53", FIT_UNKNOWN, learnt},
		{"dns-server", "udp 10.1.2.3:50000 > 8.8.8.8:53", FIT_MISMATCH, learnt_others},
		{"dhcp-server", "udp 10.1.2.3:68 > 10.0.0.1:67", FIT_UNKNOWN, learnt},
		{"dhcp-server", "udp 10.1.2.3:68 < 10.1.2.1:67", FIT_UNKNOWN, learnt_others}, /* a relay */
		{"dhcp-server", "udp 10.1.2.3:68 > 10.0.0.1:67", FIT_UNKNOWN},
		{"dhcp-server", "udp 0.0.0.0:68 > 255.255.255.255:67", FIT_MATCH},
	};
	static const struct asked company[] = {
		{"dns-server", "udp 10.1.2.3:50000 > 8.8.8.8:53", FIT_MISMATCH, learnt},
		{"dhcp-server", "udp 10.1.2.3:68 > 10.0.0.2:67", FIT_MISMATCH},
		{"dhcp-server", "udp 10.1.2.3:68 > 10.0.0.1:67", FIT_MATCH},
	};

	check_roles(NOBODY, nobody, ARRAY_LEN(nobody));
	check_roles(COMPANY, company, ARRAY_LEN(company));
}

static void leased(struct tuple *tuple)
{
	tuple->view.subnet_known = true;
	assert_int_equal(prefix_parse("10.1.2.0/24", &tuple->view.subnet), 0);
}

static void the_local_segment_is_the_unit_s_own_subnet(void **state)
{
	static const struct asked cases[] = {
		{"local-segment", "udp 10.1.2.3:50000 < 10.1.2.9:5355", FIT_MATCH, leased},
		{"local-segment", "udp 10.1.2.3:50000 < 10.1.3.9:5355", FIT_MISMATCH, leased},
		{"local-segment", "udp 10.1.2.3:50000 < 10.1.3.9:5355", FIT_UNKNOWN},
		{"local-segment", "udp 10.1.2.3:50000 < 198.51.100.1:5355", FIT_MISMATCH},
		{"local-segment", "udp 10.1.2.3:50000 > 224.0.0.252:5355", FIT_MATCH},
		{"local-segment", "udp 10.1.2.3:50000 > 239.255.255.250:1900", FIT_MISMATCH},
		{"local-segment", "udp [2001:db8::3]:50000 > [ff02::1:3]:5355", FIT_MATCH, leased},
		{"local-segment", "udp [2001:db8::3]:50000 < [fe80::1]:5355", FIT_MATCH, leased},
		/* a lease of IPv4 says nothing of IPv6 */
		{"local-segment", "udp [2001:db8::3]:50000 < [fd00::1]:5355", FIT_UNKNOWN, leased},
		/* the subnet's broadcast is in it, and is no host */
		{"local-segment", "udp 10.1.2.3:50000 > 10.1.2.255:9", FIT_MATCH, leased},
		{"other-client", "udp 10.1.2.3:50000 > 10.1.2.255:9", FIT_MISMATCH, leased},
		{"other-client", "udp 10.1.2.3:50000 > 10.1.2.9:9", FIT_UNKNOWN, leased},
		{"any", "udp 10.1.2.3:50000 > 10.1.2.9:9", FIT_MATCH},
	};

	check_roles(NOBODY, cases, ARRAY_LEN(cases));
}

static void an_llmnr_reply_takes_the_query_s_row(void **state)
{
	static const struct judged cases[] = {
		{"room", "udp 10.1.2.3:50000 > 10.1.2.9:5355 app=llmnr", "documented exact room.out.llmnr", leased},
		{"room", "udp 10.1.2.3:50000 > 10.1.2.9:5355 app=llmnr", "documented unproven room.out.llmnr why=role-unknown"},
		{"room", "udp 10.1.2.3:50000 > 10.9.2.9:5355 app=llmnr", "outside peer medium room.out.llmnr: peer local-segment|10.9.2.9", leased},
	};

	CHECK(NOBODY, cases);
}

static void a_web_proxy_is_judged_by_the_host_asked_for(void **state)
{
	static const struct judged cases[] = {
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=config.maestro.starleaf.com", "documented unproven room.out.maestro why=role-unknown"},
		/* CONNECT, and nothing seen of what goes through it */
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=http connect=443 name=config.maestro.starleaf.com", "documented unproven room.out.maestro why=role-unknown"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=http connect=443 name=config.maestro.starleaf.com not=tls",
		 "outside application high room.out.maestro: application tls|not tls"},
		/* its beginning was missed: an SNI, and no port */
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls name=config.maestro.starleaf.com", "documented unproven room.out.maestro why=role-unknown"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080", "documented unproven room.out.maestro why=role-unknown"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=evil.example",
		 "outside peer medium room.out.maestro: peer maestro|evil.example"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=http connect=443 name=evil.example",
		 "outside peer medium room.out.maestro: peer maestro|evil.example"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=http connect=22 name=config.maestro.starleaf.com",
		 "outside remote-port medium room.out.maestro: remote-port 443|22"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=http connect=22 name=evil.example",
		 "outside peer medium room.out.maestro: peer maestro|evil.example; remote-port 443|22"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=rdp connect=443 name=config.maestro.starleaf.com",
		 "outside application high room.out.maestro: application tls|rdp"},
		/* a proxy on port 443 or 80 */
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:443 app=http connect=443 name=evil.example",
		 "outside peer medium room.out.maestro: peer maestro|evil.example"},
		/* a name that DNS bound to the proxy is the proxy's */
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=evil.example bound=config.maestro.starleaf.com",
		 "outside peer medium room.out.maestro: peer maestro|evil.example"},
		/* an address for a name: it counts as that address, and proves as little */
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=10.0.0.44", "documented unproven room.out.maestro why=role-unknown"},
		{"online", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=msturn connect=443 name=52.112.1.9", "documented unproven online.out.relay_tcp why=role-unknown"},
		{"online", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=2603:1027::1",
		 "documented unproven online.out.auth_https+online.out.sip_tls+online.out.psom_tls+online.out.relay_tcp why=role-unknown"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=45.33.20.9",
		 "outside peer medium room.out.maestro: peer maestro|45.33.20.9"},
		{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=10.0.0.31", "documented unproven onprem.out.auth_https why=role-unknown"},
		/* GET by absolute URI is HTTP on port 80 */
		{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=http name=lyncdiscover.corp.example", "documented unproven onprem.out.autodiscover why=role-unknown"},
		{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=http name=ocsp.example",
		 "outside peer low onprem.out.autodiscover: peer autodiscover|ocsp.example"},
		/* a role nobody is listed under is unknown there as elsewhere, but of whom we know to be another */
		{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=adfs.corp.example", "documented unproven onprem.out.auth_https why=role-unknown"},
		{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=config.maestro.starleaf.com",
		 "outside peer medium onprem.out.auth_https: peer sfb-auth|config.maestro.starleaf.com"},
		/* no conversation with a proxy: another service of that machine */
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:22", "outside remote-port medium room.out.llmnr: remote-port 5355|22"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=ssh evidence=inspected not=http,tls,dns,llmnr",
		 "outside remote-port medium room.out.llmnr: remote-port 5355|8080; application llmnr|ssh (inspected)"},
		{"room", "tcp 10.1.2.3:80 < 10.0.0.8:51000 app=http name=unit.corp.example", "documented exact room.in.control_api"},
		{"online", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls name=sipdir.online.lync.com",
		 "documented unproven online.out.auth_https+online.out.sip_tls+online.out.psom_tls+online.out.relay_tcp why=role-unknown"},
	};
	static const struct judged unnamed[] = {
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=http name=config.maestro.starleaf.com",
		 "outside remote-port medium room.out.maestro: remote-port 443|8080; application tls|http"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=http",
		 "outside remote-port medium room.out.dns: remote-port 53|8080; application dns|http"},
	};

	CHECK("domains: [corp.example]\nroles:\n  web-proxy: {addresses: [10.0.0.8]}\n  maestro: {addresses: [10.0.0.44]}\n"
	      "  autodiscover: {addresses: [10.0.0.31]}\n  sfb-auth: {names: [adfs.corp.example]}\n",
	      cases);
	CHECK(NOBODY, unnamed);
}

static void a_peer_the_document_only_lets_us_infer_must_show_its_name(void **state)
{
	static const struct judged cases[] = {
		{"onprem", "tcp 10.1.2.3:50000 > 198.51.100.7:443 app=tls name=autodiscover.corp.example",
		 "documented unproven onprem.out.auth_https why=role-unknown"},
		{"onprem", "tcp 10.1.2.3:50000 > 198.51.100.7:443 app=tls bound=autodiscover.corp.example",
		 "documented exact onprem.out.auth_https"},
		{"onprem", "tcp 10.1.2.3:50000 > 198.51.100.7:443 app=tls", "outside peer medium onprem.out.auth_https: peer sfb-auth|198.51.100.7"},
	};

	CHECK("domains: [corp.example]\nroles:\n  sfb-auth: {addresses: [10.0.0.30]}\n"
	      "  front-end: {addresses: [10.0.0.20]}\n  other-client: {addresses: [10.0.0.99]}\n", cases);
}

static void prefixes_listed_as_local_segment_are_the_units_subnet(void **state)
{
	static const struct judged cases[] = {
		{"room", "udp 10.1.2.3:50000 > 10.1.2.9:5355 app=llmnr", "documented exact room.out.llmnr"},
		{"room", "udp 10.1.2.3:50000 > 10.99.0.9:5355 app=llmnr", "outside peer medium room.out.llmnr: peer local-segment|10.99.0.9"},
		/* not this unit's: its own is not known then */
		{"room", "udp 192.168.7.3:50000 > 192.168.7.9:5355 app=llmnr", "documented unproven room.out.llmnr why=role-unknown"},
	};

	CHECK("roles:\n  local-segment: {addresses: [10.1.2.0/24]}\n", cases);
}

static void the_role_that_proves_the_peer_is_named(void **state)
{
	struct policy *policy = policy_of(COMPANY);
	struct judged proven = {"online", "udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio", "", NULL};
	struct judged stranger = {"online", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio", "", NULL};
	struct verdict verdict;
	struct tuple tuple;

	tuple_ready(policy, &proven, &tuple);
	judge_flow(policy, &tuple.view, &verdict);
	assert_int_equal(verdict.role, envelope_find_role(policy->envelope, "sfb-online"));
	tuple_ready(policy, &stranger, &tuple);
	judge_flow(policy, &tuple.view, &verdict);
	assert_int_equal(verdict.role, -1);
	policy_free(policy);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listed_address_is_proven_whatever_else_is_said),
		cmocka_unit_test(an_empty_role_is_unknown_unless_we_know_the_peer_is_somebody_else),
		cmocka_unit_test(an_answered_ice_check_proves_an_other_client_that_nobody_listed),
		cmocka_unit_test(a_role_held_by_names_alone_waits_for_dns),
		cmocka_unit_test(a_listed_role_is_not_fooled_by_a_name),
		cmocka_unit_test(what_dhcp_teaches_is_unproven_and_counts_only_where_the_site_is_silent),
		cmocka_unit_test(the_local_segment_is_the_unit_s_own_subnet),
		cmocka_unit_test(an_llmnr_reply_takes_the_query_s_row),
		cmocka_unit_test(a_web_proxy_is_judged_by_the_host_asked_for),
		cmocka_unit_test(a_peer_the_document_only_lets_us_infer_must_show_its_name),
		cmocka_unit_test(prefixes_listed_as_local_segment_are_the_units_subnet),
		cmocka_unit_test(the_role_that_proves_the_peer_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

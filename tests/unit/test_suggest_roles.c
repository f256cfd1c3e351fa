/*
 * test_suggest_roles.c - a site file proposed from packets: who is proposed as a holder of which role, who is only
 * commented out, and under which name.
 */
#include "tests/lib/proposal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void one_touch_port_makes_no_controller(void **state)
{
	struct message ask = message_noise(60, 1), answer = message_noise(90, 2);
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_tcp(w, "[2001:db8:20::98]:49000 > [2001:db8:20::15]:5000", &ask, &answer);
	propose(&p, NULL, w, NULL);
	must_not(&p, "touch");
	must_offer(&p, "      - \"2001:db8:20::98\"\n");
	must_say(&p, "touch-controller: addresses: opened port 5000 of units");
}

static void a_public_resolver_beside_one_of_the_site_is_doubted(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53", DNS("a.example", DNS_A, NULL, "10.0.0.1"));
	talk_dns(w, "10.20.0.15:52002 > 8.8.8.8:53", DNS("b.example", DNS_A, NULL, "10.0.0.2"));
	propose(&p, NULL, w, NULL);
	must(&p, "  dns-server:\n    addresses:\n      - 10.20.0.53\n");
	must_not(&p, "8.8.8.8");
	must_offer(&p, "      - 8.8.8.8\n");
	must_say(&p, "udp 10.20.0.15:52002 > 8.8.8.8:53 at 2026-03-02T08:00:00Z; a public resolver");
}

static void a_public_resolver_alone_is_proposed(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_dns(w, "10.20.0.15:52002 > 8.8.8.8:53", DNS("b.example", DNS_A, NULL, "10.0.0.2"));
	propose(&p, NULL, w, NULL);
	must(&p, "  dns-server:\n    addresses:\n      - 8.8.8.8\n");
	proposal_release(&p);
	talk_dns(w, "10.20.0.15:52003 > 9.9.9.9:53", DNS("c.example", DNS_A, NULL, "10.0.0.3"));
	propose(&p, NULL, w, NULL);
	must(&p, "  dns-server:\n    addresses:\n      - 8.8.8.8\n      - 9.9.9.9\n");
}

static void a_lease_of_somebody_else_says_nothing(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	lease(w, "02:11:22:33:44:55", "10.20.7.7", "10.20.7.1");
	wire_at(w, 1);
	talk_http(w, "10.20.7.7:51000 > 10.20.0.15:80", "10.20.0.15", "/");
	propose(&p, NULL, w, NULL);
	must_not(&p, "10.20.7.1");
	must_not(&p, "10.20.0.53");
}

static void a_server_of_dhcp_is_one_that_acknowledged(void **state)
{
	struct message offer = message_noise(300, 1);
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	lease(w, ROOM, "10.20.0.15", "10.20.0.1");
	talk_udp(w, "10.20.0.66:67 > 10.20.0.15:68", &offer);
	propose(&p, NULL, w, NULL);
	must(&p, "  dhcp-server:\n    addresses:\n      - 10.20.0.1\n");
	must_not(&p, "10.20.0.66");
	must_say(&p, "gave 1 lease (ACK), and offers");
}

static void a_kdc_is_proven_by_its_answer_and_its_neighbour_is_not(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_kerberos(w, "10.20.0.15:49181 > 10.20.5.10:88");
	wire_wait(w, 1);
	talk_refused(w, "10.20.0.15:49182 > 10.20.5.11:88");
	talk_refused(w, "10.20.0.15:49183 > 10.20.77.11:88");
	talk_kerberos(w, "10.20.0.15:49184 > 198.51.100.77:88");
	propose(&p, NULL, w, NULL);
	must(&p, "  domain-controller:\n    addresses:\n      - 10.20.5.10\n");
	must_offer(&p, "      - 10.20.5.11\n");
	must_offer(&p, "      - 10.20.77.11\n");
	must_offer(&p, "      - 198.51.100.77\n");
	must_say(&p, "49182 > 10.20.5.11:88 at 2026-03-02T08:00:01Z; no answer proves it; it stands beside "
	             "10.20.5.10 - 10.20.5.11");
	must_say(&p, "tried in vain: 1 flow, tcp 10.20.0.15:49183 > 10.20.77.11:88 at "
	             "2026-03-02T08:00:01Z; no answer proves it - 10.20.77.11");
	must_say(&p, "answered 1 kerberos flow, udp 10.20.0.15:49184 > 198.51.100.77:88");
	must_say(&p, "a public address, and DNS bound no name of yours to it");
	must(&p, "profiles: [room, onprem]}");
}

static void a_silent_server_is_proven_by_a_name_that_dns_bound(void **state)
{
	static const char *const names[] = {"dc2.corp.example", "access.corp.example",
	                                    "files.corp.example", "dc3.example.org"};
	static const char *const tries[] = {
		"10.20.0.15:49181 > 10.20.5.31:88", "10.20.0.15:49182 > 10.20.5.32:443",
		"10.20.0.15:49183 > 10.20.5.33:443", "10.20.0.15:49184 > 10.20.5.34:88",
		/* The same host, but before its name was asked for. */
		"10.20.0.21:49185 > 10.20.5.31:88",
	};
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p, none;

	lease(w, ROOM, "10.20.0.15", "10.20.0.1");
	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		char tuple[WIRE_TUPLE], addr[16];

		snprintf(tuple, sizeof(tuple), "10.20.0.15:%u > 10.20.0.53:53", 52001 + i);
		snprintf(addr, sizeof(addr), "10.20.5.3%u", 1 + i);
		talk_dns(w, tuple, DNS(names[i], DNS_A, NULL, addr));
	}
	for (unsigned i = 0; i < 4; i++) {
		wire_at(w, 1 + i);
		talk_refused(w, tries[i]);
	}
	/* While nobody knows a domain of the site's, any name is as good. */
	propose(&none, NULL, w, NULL);
	must_not(&none, "dc2.corp.example");
	must_offer(&none, "      - 10.20.5.31\n");
	proposal_release(&none);

	talk_dns(w, "10.20.0.15:52011 > 10.20.0.53:53",
	         DNS("lyncdiscover.corp.example", DNS_A, NULL, "10.20.5.21"));
	propose(&p, NULL, w, NULL);
	must(&p, "  domain-controller:\n    names:\n      - dc2.corp.example\n");
	must(&p, "  edge:\n    names:\n      - access.corp.example\n");
	must_not(&p, "files.corp");
	must_offer(&p, "      - files.corp.example\n");
	must_not(&p, "example.org");
	must_say(&p, "DNS bound dc2.corp.example to 10.20.5.31 each time; tried in vain: 1 flow, tcp "
	             "10.20.0.15:49181 > 10.20.5.31:88");
	must_offer(&p, "      - 10.20.5.34\n");
	proposal_release(&p);

	talk_refused(w, tries[4]);
	propose(&p, NULL, w, NULL);
	must_not(&p, "dc2.corp.example");
	must_offer(&p, "      - 10.20.5.31\n");
}

static void resolvers_that_a_lease_names_are_proven_by_that(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	lease(w, ROOM, "10.20.0.15", "10.20.0.1"); /* it names 10.20.0.53, whom nobody asked */
	talk_dns(w, "10.20.0.15:52001 > 10.20.0.54:53", DNS("a.example", DNS_A, NULL, NULL));
	wire_wait(w, 1);
	talk_refused(w, "10.20.0.15:52002 > 10.20.0.55:53");
	propose(&p, NULL, w, NULL);
	must(&p, "  dns-server:\n    addresses:\n      - 10.20.0.53\n      - 10.20.0.54\n");
	must_say(&p, "DHCP names it - 10.20.0.53");
	must_offer(&p, "      - 10.20.0.55\n");
}

static void flows_that_only_a_commented_server_would_document_are_counted(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_kerberos(w, "10.20.0.15:49181 > 10.20.5.10:88");
	wire_wait(w, 1);
	talk_refused(w, "10.20.0.15:49182 > 10.20.5.11:88");
	talk_refused(w, "10.20.0.15:49183 > 10.20.5.11:88");
	talk_refused(w, "10.20.0.15:49184 > 10.20.5.11:89"); /* no row takes it, whoever it is */
	propose(&p, NULL, w, NULL);
	assert_int_equal(p.suggestion->withheld, 2);
	must_say(&p, "Not documented under this file: 2 flows to servers that stand in it commented out "
	             "(domain-controller); uncomment those that are yours");
}

static void an_answer_that_nobody_knows_proves_no_role_whatever_its_name(void **state)
{
	struct message ask = message_noise(60, 1), answer = message_noise(90, 2);
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	lease(w, ROOM, "10.20.0.15", "10.20.0.1");
	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53",
	         DNS("lyncdiscover.corp.example", DNS_A, NULL, "10.20.5.21"));
	talk_dns(w, "10.20.0.15:52002 > 10.20.0.53:53",
	         DNS("dc2.corp.example", DNS_A, NULL, "10.20.5.31"));
	wire_wait(w, 1);
	/* Its beginning went by before anybody looked. */
	for (unsigned i = 0; i < 4; i++) {
		talk_send(w, "10.20.0.15:49181 > 10.20.5.31:88", &ask);
		talk_send(w, "10.20.5.31:88 > 10.20.0.15:49181", &answer);
	}
	propose(&p, NULL, w, NULL);
	must_not(&p, "domain-controller");
	must_offer(&p, "      - 10.20.5.31\n");
	must_say(&p, "dc2.corp.example: nobody knows what is spoken in 1 flow, tcp 10.20.0.15:49181 > 10.20.5.31:88");
	must_say(&p, "the port alone speaks for it");
}

static void one_packet_is_no_answer(void **state)
{
	struct message body = message_kerberos(KERBEROS_AS_REQ), ask = message_framed(&body, 4);
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	/* It took the request, and closed. */
	talk_open(w, "10.20.0.15:49181 > 10.20.5.31:88");
	talk_send(w, "10.20.0.15:49181 > 10.20.5.31:88", &ask);
	talk_close(w, "10.20.0.15:49181 > 10.20.5.31:88");
	propose(&p, NULL, w, NULL);
	must_not(&p, "domain-controller");
	must_say(&p, "tried in vain: 1 flow, tcp 10.20.0.15:49181 > 10.20.5.31:88");
}

static void a_neighbour_is_four_addresses_away_at_most(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_kerberos(w, "10.20.0.15:49181 > 10.20.5.10:88");
	wire_wait(w, 1);
	talk_refused(w, "10.20.0.15:49182 > 10.20.5.14:88");
	talk_refused(w, "10.20.0.15:49183 > 10.20.5.15:88");
	propose(&p, NULL, w, NULL);
	must_say(&p, "no answer proves it; it stands beside 10.20.5.10 - 10.20.5.14");
	must_say(&p, "no answer proves it - 10.20.5.15");
}

static void a_name_says_only_what_its_first_label_is(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	lease(w, ROOM, "10.20.0.15", "10.20.0.1");
	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53",
	         DNS("lyncdiscover.corp.example", DNS_A, NULL, "10.20.5.21"));
	talk_dns(w, "10.20.0.15:52002 > 10.20.0.53:53",
	         DNS("mailing.corp.example", DNS_A, NULL, "10.20.5.31"));
	talk_dns(w, "10.20.0.15:52003 > 10.20.0.53:53",
	         DNS("mail-2.corp.example", DNS_A, NULL, "10.20.5.32"));
	talk_dns(w, "10.20.0.15:52004 > 10.20.0.53:53",
	         DNS("mail3.corp.example", DNS_A, NULL, "10.20.5.33"));
	wire_wait(w, 1);
	talk_tls(w, "10.20.0.15:49181 > 10.20.5.31:443", TLS(.sni = "mailing.corp.example"));
	talk_tls(w, "10.20.0.15:49182 > 10.20.5.32:443", TLS(.sni = "mail-2.corp.example"));
	talk_tls(w, "10.20.0.15:49183 > 10.20.5.33:443", TLS(.sni = "mail3.corp.example"));
	propose(&p, NULL, w, NULL);
	must(&p, "  sfb-auth:\n    names:\n      - mail-2.corp.example\n      - mail3.corp.example\n");
	must_not(&p, "mailing");
	must_say(&p, "nothing tells whether it is");
}

static void a_holder_needs_no_line_for_what_else_it_is_called(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_msturn_tcp(w, "10.20.0.15:50013 > 198.51.100.12:443", "192.0.2.60:50101", AUDIO(20),
	                true);
	talk_msturn(w, "10.20.0.15:50003 > 198.51.100.12:3478", "192.0.2.60:50100", AUDIO(20));
	talk_tls(w, "10.20.0.15:49181 > 198.51.100.12:443", TLS(.sni = "sts.corp.example"));
	propose(&p, NULL, w, NULL);
	must(&p, "  edge:\n    addresses:\n      - 198.51.100.12\n");
	must_not_say(&p, "sts.corp.example");
}

static void web_services_of_a_front_end_are_its_own_where_they_answer(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	lease(w, ROOM, "10.20.0.15", "10.20.0.1");
	talk_dns(w, "10.20.0.15:52000 > 10.20.0.53:53",
	         DNS("lyncdiscover.corp.example", DNS_A, NULL, "10.20.5.21"));
	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53",
	         DNS("fe01.corp.example", DNS_A, NULL, "10.20.5.20"));
	wire_wait(w, 1);
	talk_tls(w, "10.20.0.15:49184 > 10.20.5.20:5061", TLS(.sni = "fe01.corp.example"));
	talk_refused(w, "10.20.0.15:49185 > 10.20.5.20:443");
	propose(&p, NULL, w, NULL);
	must(&p, "  front-end:\n    names:\n      - fe01.corp.example\n");
	must_not(&p, "sfb-auth");
	must_offer(&p, "  sfb-auth:\n    names:\n");
}

static void a_proxy_went_where_it_was_asked_to(void **state)
{
	static const char *const statuses[] = {"HTTP/1.1 403 Forbidden\r\n\r\n",
	                                       "HTTP/1.1 200 OK\r\n\r\n"};

	for (unsigned i = 0; i < ARRAY_LEN(statuses); i++) {
		struct message ask = message_text("CONNECT www.example.org:443 HTTP/1.1\r\n"
		                                  "Host: www.example.org:443\r\n\r\n"),
			       answer = message_text(statuses[i]);
		CLEANUP(wire_freep) struct wire *w = office();
		CLEANUP(proposal_release) struct proposal p;

		talk_tcp(w, "10.20.0.15:49181 > 10.20.5.80:3128", &ask, &answer);
		propose(&p, NULL, w, NULL);
		(i ? must : must_offer)(&p, "  web-proxy:\n    addresses:\n      - 10.20.5.80\n");
	}
}

static void of_many_in_doubt_the_first_are_listed(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	for (unsigned i = 0; i < 14; i++) {
		char tuple[WIRE_TUPLE];

		snprintf(tuple, sizeof(tuple), "10.20.0.15:%u > 10.20.5.%u:88", 49181 + i,
		         100 + i);
		talk_refused(w, tuple);
	}
	propose(&p, NULL, w, NULL);
	must_offer(&p, "      - 10.20.5.111\n");
	must_not_say(&p, "10.20.5.112");
	must_say(&p, "and 2 more");
}

static void names_that_dns_bound_go_before_addresses(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	lease(w, ROOM, "10.20.0.15", "10.20.0.1");
	talk_dns(w, "10.20.0.15:52000 > 10.20.0.53:53",
	         DNS("lyncdiscoverinternal.corp.example", DNS_A, NULL, "10.20.5.21"));
	talk_dns(w, "10.20.0.15:52001 > 10.20.0.53:53",
	         DNS("fe01.corp.example", DNS_A, NULL, "10.20.5.20"));
	talk_dns(w, "10.20.0.15:52002 > 10.20.0.53:53",
	         DNS("sts.corp.example", DNS_A, NULL, "10.20.5.22"));
	wire_wait(w, 1);
	talk_tls(w, "10.20.0.15:49184 > 10.20.5.20:5061", TLS(.sni = "fe01.corp.example"));
	talk_tls(w, "10.20.0.15:49185 > 10.20.5.20:443", TLS(.sni = "fe01.corp.example"));
	talk_tls(w, "10.20.0.15:49186 > 10.20.5.22:443", TLS(.sni = "sts.corp.example"));
	talk_tls(w, "10.20.0.15:49187 > 10.20.5.25:5061", TLS(.sni = "fe02.corp.example"));
	talk_tls(w, "10.20.0.15:49188 > 10.20.5.26:443", TLS(.sni = "adfs.corp.example"));
	talk_tls(w, "10.20.0.15:49189 > 198.51.100.80:443", TLS(.sni = "www.example.org"));
	propose(&p, NULL, w, NULL);
	must(&p, "domains: [corp.example]\n");
	must(&p, "  front-end:\n    addresses:\n      - 10.20.5.25\n    names:\n      - fe01.corp.example\n");
	must_offer(&p, "  sfb-auth:\n    addresses:\n");
	must_offer(&p, "      - 10.20.5.26\n");
	must_say(&p, "adfs.corp.example: answered 1 tls flow, tcp 10.20.0.15:49188 > 10.20.5.26:443 at "
	             "2026-03-02T08:00:01Z; only the unit itself says its name (SNI); it stands beside "
	             "10.20.5.22");
	must(&p, "      - fe01.corp.example\n");
	must(&p, "      - sts.corp.example\n");
	must_say(&p, "web services of the front-end");
	must_not(&p, "198.51.100.80");
	must_not(&p, "example.org");
}

static void a_relay_is_an_edge_unless_the_document_lists_it(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_msturn(w, "10.20.0.15:50016 > 52.114.2.2:3478", "93.184.216.34:50100", AUDIO(20));
	talk_msturn_tcp(w, "10.20.0.21:50013 > 198.51.100.12:443", "192.0.2.60:50101", AUDIO(20),
	                true);
	talk_msturn(w, "10.20.0.21:50003 > 198.51.100.12:3478", "192.0.2.60:50100", AUDIO(20));
	propose(&p, NULL, w, NULL);
	must(&p, "  edge:\n    addresses:\n      - 198.51.100.12\n");
	must_not(&p, "52.114.2.2");
	must_say(&p, "sfb-online: the document says who holds it; seen: 1 flow");
	must(&p, "macs: [\"" ROOM "\"], profiles: [room, online]}");
	/* UDP 3478 alone may be of either; TCP 443 is not. */
	must(&p, "macs: [\"" OTHER "\"], profiles: [room, external]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_touch_port_makes_no_controller),
		cmocka_unit_test(a_public_resolver_beside_one_of_the_site_is_doubted),
		cmocka_unit_test(a_public_resolver_alone_is_proposed),
		cmocka_unit_test(a_lease_of_somebody_else_says_nothing),
		cmocka_unit_test(a_server_of_dhcp_is_one_that_acknowledged),
		cmocka_unit_test(a_kdc_is_proven_by_its_answer_and_its_neighbour_is_not),
		cmocka_unit_test(a_silent_server_is_proven_by_a_name_that_dns_bound),
		cmocka_unit_test(resolvers_that_a_lease_names_are_proven_by_that),
		cmocka_unit_test(flows_that_only_a_commented_server_would_document_are_counted),
		cmocka_unit_test(an_answer_that_nobody_knows_proves_no_role_whatever_its_name),
		cmocka_unit_test(one_packet_is_no_answer),
		cmocka_unit_test(a_neighbour_is_four_addresses_away_at_most),
		cmocka_unit_test(a_name_says_only_what_its_first_label_is),
		cmocka_unit_test(a_holder_needs_no_line_for_what_else_it_is_called),
		cmocka_unit_test(web_services_of_a_front_end_are_its_own_where_they_answer),
		cmocka_unit_test(a_proxy_went_where_it_was_asked_to),
		cmocka_unit_test(of_many_in_doubt_the_first_are_listed),
		cmocka_unit_test(names_that_dns_bound_go_before_addresses),
		cmocka_unit_test(a_relay_is_an_edge_unless_the_document_lists_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_severity.c - how bad a flow outside is (domain.md 5.4, 7.2), and the special readings of
 * 3.3 and 5.5.
 */
#include "tests/lib/judging.h"
#include "tests/lib/roles.h"

static void leased(struct tuple *tuple)
{
	tuple->view.subnet_known = true;
	assert_int_equal(prefix_parse("10.1.2.0/24", &tuple->view.subnet), 0);
}

struct graded {
	const char *profiles, *tuple, *severity;
	void (*mend)(struct tuple *tuple);
};

static const struct graded CASES[] = {
	/* high */
	{"room", "tcp 10.1.2.3:22 < 10.9.9.9:51000 app=ssh", "high"},               /* inbound, answered */
	{"room", "udp 10.1.2.3:161 < 10.9.9.9:51000 app=snmp", "high"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:5060 app=sip", "high"},          /* SIP in clear */
	{"onprem", "udp 10.1.2.3:50000 > 10.0.0.20:5060 app=sip", "high"},
	{"touch", "tcp 10.1.2.3:5000 < 10.1.2.77:51000", "high"},                   /* touch over IPv4 */
	{"touch", "tcp 10.1.2.3:5000 < 10.1.2.77:51000 outcome=unanswered", "high"},
	{"touch", "tcp [2001:db8::3]:5000 < [2001:db8::99]:51000", "high"},         /* from no controller */
	{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=ssh", "high"},          /* application on a listed port */
	{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=ntp", "high"},
	/* medium */
	{"online", "udp 10.1.2.3:50100 > 52.112.1.9:50011 app=rtp media=audio", "medium"},
	{"online", "udp 10.1.2.3:50100 < 52.112.1.9:50011 app=rtp media=audio", "medium"},
	{"online", "udp 10.1.2.3:50007 > 203.0.113.9:40011 app=rtp media=audio", "medium"},
	{"online", "udp 10.1.2.3:50025 > 52.112.1.9:50011 app=rtp media=audio", "medium"},
	{"online", "udp 10.1.2.3:50063 > 52.112.1.9:50011 app=stun", "medium"},
	{"room", "tcp 10.1.2.3:50000 > 198.51.100.9:9999", "medium"},               /* to a public address */
	{"room", "udp 10.1.2.3:50000 > 8.8.8.8:53 app=dns", "medium"},              /* peer */
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:443 app=tls", "medium"},         /* a Front End is no sfb-auth */
	/* low */
	{"online", "udp 10.1.2.3:50016 > 93.71.110.205:16332 app=rtp media=audio ice=yes", "low"},
	{"online", "udp 10.1.2.3:50045 > 52.112.1.9:50011 app=rtp media=video", "low"},
	{"room", "tcp 10.1.2.3:50000 > 10.1.2.9:9999", "low", leased},              /* own segment */
	{"room", "tcp 10.1.2.3:50000 > 10.1.2.8:8080 app=http connect=22 name=config.maestro.starleaf.com", "medium", leased},
	{"room", "tcp 10.1.2.3:50000 > 10.1.2.8:8080 app=http name=ocsp.example", "low", leased},
	{"room", "tcp 10.1.2.3:22 < 10.9.9.9:51000 outcome=unanswered", "low"},
	{"room", "tcp 10.1.2.3:22 < 10.9.9.9:51000 outcome=refused", "low"},
	{"room", "udp 10.1.2.3:67 > 255.255.255.255:67 app=dhcp", "low"},           /* A1 */
	{"room", "tcp 10.1.2.3:443 < 10.9.9.9:443 app=tls", "low"},                 /* A22 */
	{"room", "udp 10.1.2.3:17500 > 255.255.255.255:17500", "low"},
	/* a touch port is grave over IPv4 or from a stranger, whichever row is nearest (A21) */
	{"room online touch", "tcp 10.1.2.3:5152 < 198.51.100.7:41000 outcome=unanswered", "high"},
	{"room online touch", "tcp 10.1.2.3:5000 < 10.1.2.77:41000 outcome=refused", "high"},
	{"room online touch", "tcp [2001:db8::3]:5152 < [2001:db8::99]:41000 outcome=unanswered", "high"},
	{"room online touch", "tcp 10.1.2.3:5153 < 198.51.100.7:41000 outcome=unanswered", "low"},
	/* info */
	{"room", "udp 10.1.2.3:5355 < 10.1.2.9:51000 app=llmnr", "info", leased},   /* A3 */
	/* domain.md 7.2, row by row */
	{"room", "udp 10.1.2.3:123 > 10.0.0.9:123 app=ntp evidence=inspected", "low"},
	{"room", "udp 10.1.2.3:123 > 198.51.100.9:123 app=ntp", "low"},
	{"room", "udp 10.1.2.3:5353 > 224.0.0.251:5353 app=mdns evidence=inspected", "low"},
	{"onprem", "udp 10.1.2.3:5353 > 224.0.0.251:5353 app=mdns evidence=inspected", "low"},
	{"room", "udp 10.1.2.3:50000 > 239.255.255.250:1900", "low"},
	{"room", "udp 10.1.2.3:50000 > 239.255.255.250:3702", "low"},
	{"room", "udp 10.1.2.3:137 > 10.1.2.255:137", "low", leased},
	{"room", "udp 10.1.2.3:138 > 10.1.2.255:138", "low", leased},
	{"room", "tcp 10.1.2.3:50000 > 198.51.100.9:853 app=tls", "medium"},
	{"room", "udp 10.1.2.3:50000 > 198.51.100.9:443 app=quic", "medium"},
	{"onprem", "tcp 10.1.2.3:50000 > 198.51.100.9:80 app=http name=ocsp.example", "low"},
	{"room", "tcp 10.1.2.3:50000 > 10.0.0.10:389 app=ldap evidence=inspected", "medium"},
	{"room", "tcp 10.1.2.3:50000 > 10.0.0.10:636", "medium"},
	{"room", "tcp 10.1.2.3:50000 > 10.1.2.9:445", "medium", leased},
	{"room", "tcp 10.1.2.3:50000 > 10.0.0.10:135", "medium"},
	{"room", "tcp 10.1.2.3:50000 > 10.1.2.9:22", "medium", leased},
	{"room", "tcp 10.1.2.3:50000 > 10.0.0.10:23", "medium"},
	{"room", "udp 10.1.2.3:50000 > 10.0.0.10:161", "medium"},
	{"room", "udp 10.1.2.3:50000 > 10.0.0.10:514", "medium"},
	{"room", "udp 10.1.2.3:50000 > 10.0.0.10:69", "medium"},
	{"room", "udp 10.1.2.3:69 < 10.0.0.10:50000", "high"},
	{"room", "tcp 10.1.2.3:50000 > 10.0.0.10:3128", "medium"},
	{"room", "tcp 10.1.2.3:50000 > 10.0.0.10:8080", "medium"},
};

static void the_severity_of_each_case_of_the_book(void **state)
{
	struct policy *policy = policy_of(COMPANY "  web-proxy: {addresses: [10.1.2.8]}\n");
	unsigned wrong = 0;

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct judged judged = {CASES[i].profiles, CASES[i].tuple, "", CASES[i].mend};
		struct verdict verdict;
		struct tuple tuple;
		char said[1024] = "";

		tuple_ready(policy, &judged, &tuple);
		judge_flow(policy, &tuple.view, &verdict);
		verdict_print(policy, &verdict, said, sizeof(said));
		if (verdict.ruling != RULING_OUTSIDE ||
		    strcmp(severity_name((enum severity)verdict.severity), CASES[i].severity) != 0) {
			print_error("%s: expected %s, said %s\n", CASES[i].tuple, CASES[i].severity, said);
			wrong++;
		}
	}
	policy_free(policy);
	assert_int_equal(wrong, 0);
}

static void a_peer_behind_a_translator_is_low_and_says_so(void **state)
{
	static const struct judged cases[] = {
		{"online", "udp 10.1.2.3:50016 > 93.71.110.205:16332 app=rtp media=audio ice=yes",
		 "outside remote-port low online.out.audio: remote-port 50000-59999|16332 reason=peer_nat"},
		{"online", "udp 10.1.2.3:50016 > 93.71.110.205:16332 app=rtp media=audio",
		 "outside remote-port medium online.out.audio: remote-port 50000-59999|16332"},
		/* no translator stands before an address of our own */
		{"online", "udp 10.1.2.3:50016 > 10.9.9.9:16332 app=rtp media=audio ice=yes",
		 "outside remote-port medium online.out.audio: remote-port 50000-59999|16332"},
		/* the local port is wrong as well: no excuse */
		{"online", "udp 10.1.2.3:50066 > 93.71.110.205:16332 app=rtp media=audio ice=yes",
		 "outside remote-port medium online.out.audio: remote-port 50000-59999|16332; local-port 50000-50019|50066"},
	};

	CHECK(NOBODY, cases);
}

static void fifteen_packets(struct tuple *tuple)
{
	tuple->facts.packets[tuple->view.local] = 15;
}

static void an_ice_probe_is_judged_by_its_port_and_never_by_its_peer(void **state)
{
	static const struct judged cases[] = {
		{"online", "udp 10.1.2.3:50007 > 10.0.0.53:50011 app=stun outcome=unanswered", "documented unproven online.out.audio why=role-unknown"},
		{"online", "udp 10.1.2.3:50063 > 10.0.0.53:50011 app=stun outcome=unanswered",
		 "outside local-port medium online.out.audio: local-port 50000-50019|50063"},
		/* a candidate of another network, Teredo */
		{"online", "udp 10.1.2.3:50007 > 198.51.100.7:3544 app=stun outcome=unanswered", "documented unproven online.out.audio why=role-unknown"},
		{"online", "udp 10.1.2.3:50007 > 10.0.0.53:50011 app=stun",
		 "outside peer medium online.out.audio: peer sfb-online or other-client|10.0.0.53"},
		{"online", "udp 10.1.2.3:50007 > 10.0.0.53:50011 app=stun outcome=unanswered",
		 "outside peer medium online.out.audio: peer sfb-online or other-client|10.0.0.53", fifteen_packets},
	};

	CHECK(COMPANY, cases);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_severity_of_each_case_of_the_book),
		cmocka_unit_test(a_peer_behind_a_translator_is_low_and_says_so),
		cmocka_unit_test(an_ice_probe_is_judged_by_its_port_and_never_by_its_peer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

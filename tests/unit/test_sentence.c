/*
 * test_sentence.c - the one line a person reads: what the flow is, how it stands to the document,
 * what would settle it.
 */
#include "tests/lib/judging.h"
#include "tests/lib/roles.h"

static void check_sentences(const char *roles, const struct judged *cases, size_t count)
{
	struct policy *policy = policy_of(roles);
	unsigned wrong = 0;

	for (size_t i = 0; i < count; i++) {
		struct verdict verdict;
		struct tuple tuple;
		char said[REASON_MAX];

		tuple_ready(policy, &cases[i], &tuple);
		judge_flow(policy, &tuple.view, &verdict);
		judge_outcome(policy, &tuple.view, true, &verdict);
		judge_sentence(policy, &tuple.view, &verdict, said, sizeof(said));
		if (strcmp(said, cases[i].expected) != 0) {
			print_error("expected %s\nsaid     %s\n", cases[i].expected, said);
			wrong++;
		}
	}
	policy_free(policy);
	assert_int_equal(wrong, 0);
}

static void a_no_says_what_differs_and_what_would_settle_it(void **state)
{
	static const struct judged cases[] = {
		{"online", "udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio",
		 "UDP audio from local port 50063 to 52.112.1.9:50011: online.out.audio allows local ports 50000-50019; "
		 "set the unit's media ports so, or options.nat if the mirror sees translated ports"},
		{"room", "udp 10.1.2.3:50000 > 8.8.8.8:53 app=dns",
		 "UDP dns from local port 50000 to 8.8.8.8:53: room.out.dns is for dns-server, and 8.8.8.8 is not known as such; "
		 "if it is, list 8.8.8.8 under roles: dns-server"},
		{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=ssh evidence=inspected not=tls,msturn,stun",
		 "TCP ssh (inspected) from local port 50000 to 52.112.1.9:443: online.out.auth_https is for tls, and this is ssh (inspected)"},
		{"touch", "tcp 10.1.2.3:5000 < 10.1.2.77:51000",
		 "TCP from 10.1.2.77:51000 to local port 5000: touch.in.control is documented for IPv6, not IPv4"},
		{"online", "udp 10.1.2.3:50016 > 93.71.110.205:16332 app=rtp media=audio ice=yes",
		 "UDP audio from local port 50016 to 93.71.110.205:16332: online.out.audio allows remote ports 50000-59999; "
		 "the peer answered an ICE check, so a translator changed its port"},
		{"room", "sctp 10.1.2.3:9 > 198.51.100.9:99",
		 "SCTP from local port 9 to 198.51.100.9:99: no documented row comes near; the nearest, room.out.dhcp, "
		 "differs in transport, peer, remote-port and local-port"},
		{"online", "tcp 10.1.2.3:41000 > 167.99.215.164:4434 app=tls name=dati.ntop.org",
		 "TCP tls from local port 41000 to 167.99.215.164:4434 (dati.ntop.org): online.out.auth_https is for sfb-online, "
		 "and 167.99.215.164 (dati.ntop.org) is not known as such, and it allows remote port 443"},
	};

	check_sentences(COMPANY, cases, ARRAY_LEN(cases));
}

static void a_peer_is_taken_for_nobody_it_only_claims_to_be(void **state)
{
	static const struct judged cases[] = {
		/* a TLS name that lies */
		{"room", "tcp 10.1.2.3:50000 > 45.33.20.9:443 app=tls name=config.maestro.starleaf.com",
		 "TCP tls from local port 50000 to 45.33.20.9:443 (config.maestro.starleaf.com): room.out.maestro is for maestro, "
		 "and that name is only what the unit claims: 45.33.20.9 is no address that maestro lists or a dns-server gave for it; "
		 "list 45.33.20.9 under roles: maestro only if it is right"},
		/* ... before an address that somebody else is known by */
		{"room", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=tls name=config.maestro.starleaf.com",
		 "TCP tls from local port 50000 to 52.112.1.9:443 (config.maestro.starleaf.com): room.out.maestro is for maestro, "
		 "and that name is only what the unit claims: 52.112.1.9 is known as sfb-online; "
		 "list 52.112.1.9 under roles: maestro only if it is right"},
		/* ... and nobody knows who opened it */
		{"room", "tcp 10.1.2.3:50000 <> 45.33.20.9:443 app=tls name=fw.maestro.starleaf.com",
		 "TCP tls between local port 50000 and 45.33.20.9:443 (fw.maestro.starleaf.com): room.out.maestro is for maestro, "
		 "and that name is only what the flow claims: 45.33.20.9 is no address that maestro lists or a dns-server gave for it; "
		 "list 45.33.20.9 under roles: maestro only if it is right"},
		/* known under another role, by its address, by two, by a name of DNS */
		{"room", "tcp 10.1.2.3:50000 > 52.112.1.9:443",
		 "TCP from local port 50000 to 52.112.1.9:443: room.out.maestro is for maestro, and 52.112.1.9 is known as sfb-online; "
		 "if it is both, list 52.112.1.9 under roles: maestro"},
		{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.53:443",
		 "TCP from local port 50000 to 10.0.0.53:443: onprem.out.auth_https is for sfb-auth, and 10.0.0.53 is known as dns-server; "
		 "if it is both, list 10.0.0.53 under roles: autodiscover or sfb-auth"},
		{"room", "tcp 10.1.2.3:50000 > 198.51.100.7:443 app=tls bound=sip.corp.example",
		 "TCP tls from local port 50000 to 198.51.100.7:443 (sip.corp.example): room.out.maestro is for maestro, "
		 "and 198.51.100.7 is known as edge; if it is both, list 198.51.100.7 under roles: maestro"},
		/* with a second difference there is no one change that settles it */
		{"room", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=ssh name=config.maestro.starleaf.com",
		 "TCP ssh from local port 50000 to 52.112.1.9:443 (config.maestro.starleaf.com): room.out.maestro is for maestro, "
		 "and that name is only what the unit claims: 52.112.1.9 is known as sfb-online, and it is for tls, and this is ssh"},
	};
	static const struct judged proxy[] = {
		/* a proxy goes where it is asked to: it is that host which the site must know */
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=evil.example",
		 "TCP tls from local port 50000 to evil.example:443 by the proxy 10.0.0.8 port 8080: room.out.maestro is for maestro, "
		 "and evil.example is not known as such; if it is, list evil.example under roles: maestro"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=sipdir.online.lync.com",
		 "TCP tls from local port 50000 to sipdir.online.lync.com:443 by the proxy 10.0.0.8 port 8080: room.out.maestro is for maestro, "
		 "and sipdir.online.lync.com is known as sfb-online; if it is both, list sipdir.online.lync.com under roles: maestro"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=http connect=22 name=config.maestro.starleaf.com",
		 "TCP http from local port 50000 to config.maestro.starleaf.com:22 by the proxy 10.0.0.8 port 8080: "
		 "room.out.maestro allows remote port 443"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=2001:db8::9",
		 "TCP tls from local port 50000 to [2001:db8::9]:443 by the proxy 10.0.0.8 port 8080: room.out.maestro is for maestro, "
		 "and 2001:db8::9 is not known as such; if it is, list 2001:db8::9 under roles: maestro"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=config.maestro.starleaf.com",
		 "TCP tls from local port 50000 to config.maestro.starleaf.com:443 by the proxy 10.0.0.8 port 8080: "
		 "documented by room.out.maestro, unproven: where the proxy went to was not seen"},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.8:53 app=dns",
		 "UDP dns from local port 50000 to 10.0.0.8:53: room.out.dns is for dns-server, and 10.0.0.8 is known as web-proxy; "
		 "if it is both, list 10.0.0.8 under roles: dns-server"},
	};

	static const struct judged unlisted[] = {
		{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=adfs.corp.example",
		 "TCP tls from local port 50000 to 10.0.0.8:8080 (adfs.corp.example): onprem.out.media_tcp is for stun, rtp or rtcp, "
		 "and this is http; if 10.0.0.8 is the site's web proxy, list it under roles: web-proxy"},
	};

	check_sentences(COMPANY, unlisted, ARRAY_LEN(unlisted));
	check_sentences(COMPANY, cases, ARRAY_LEN(cases));
	check_sentences("roles:\n  web-proxy: {addresses: [10.0.0.8]}\n  dns-server: {addresses: [10.0.0.53]}\n", proxy, ARRAY_LEN(proxy));
}

static void the_longest_names_leave_room_for_the_advice(void **state)
{
	struct policy *policy = policy_of(COMPANY);
	struct judged judged = {"room", "tcp [2001:db8::3]:50000 > [2001:db8:1111:2222:3333:4444:5555:6666]:443 app=tls name=x", "", NULL};
	static const char tail[] = ".maestro.starleaf.com", end[] = " under roles: maestro only if it is right";
	struct verdict verdict;
	struct tuple tuple;
	char said[REASON_MAX];

	tuple_ready(policy, &judged, &tuple);
	memset(tuple.name, 'a', NAME_MAX_LEN);
	strcpy(tuple.name + NAME_MAX_LEN - strlen(tail), tail);
	judge_flow(policy, &tuple.view, &verdict);
	judge_sentence(policy, &tuple.view, &verdict, said, sizeof(said));
	assert_string_equal(said + strlen(said) - strlen(end), end);
	policy_free(policy);
}

static void error(struct tuple *tuple, uint8_t code, const char *sender)
{
	tuple->facts.icmp_type = 3;
	tuple->facts.icmp_code = code;
	assert_int_equal(addr_parse(sender, &tuple->facts.icmp_sender), 0);
}

static void by_a_filter(struct tuple *tuple)
{
	error(tuple, 3, "10.0.0.1");
}

static void by_the_peer(struct tuple *tuple)
{
	error(tuple, 3, "10.0.0.53");
}

static void unreachable(struct tuple *tuple)
{
	error(tuple, 1, "10.0.0.1");
}

static void from_another_port(struct tuple *tuple)
{
	tuple->facts.tries = 1;
	tuple->view.asked_again = true;
}

static void who_blocks_or_refuses_is_named(void **state)
{
	static const struct judged cases[] = {
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=refused",
		 "UDP dns from local port 50000 to 10.0.0.53:53: documented by room.out.dns, but 10.0.0.1 on the way refuses it (ICMP 3/3); open it there", by_a_filter},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=refused",
		 "UDP dns from local port 50000 to 10.0.0.53:53: documented by room.out.dns, but the peer refuses it (ICMP 3/3); is the service running there?", by_the_peer},
		{"room", "tcp 10.1.2.3:443 < 10.9.9.9:51000 outcome=refused",
		 "TCP from 10.9.9.9:51000 to local port 443: documented by room.in.web_ui, but the unit refuses it"},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=unanswered",
		 "UDP dns from local port 50000 to 10.0.0.53:53: documented by room.out.dns, but nothing came back to 3 tries in 7.0 s; "
		 "10.0.0.1 says that it cannot be reached (ICMP 3/1)", unreachable},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=unanswered",
		 "UDP dns from local port 50000 to 10.0.0.53:53: documented by room.out.dns, but nothing came back to it, "
		 "nor to the same from another port; look for a filter on the way", from_another_port},
	};

	check_sentences(COMPANY, cases, ARRAY_LEN(cases));
}

static void a_yes_says_by_which_row_and_what_keeps_it_from_being_exact(void **state)
{
	static const struct judged cases[] = {
		{"online", "udp 10.1.2.3:50007 > 52.112.1.9:50011 app=rtp media=audio",
		 "UDP audio from local port 50007 to 52.112.1.9:50011: documented by online.out.audio"},
		{"online", "udp 10.1.2.3:50007 > 203.0.113.9:50011 app=rtp media=audio",
		 "UDP audio from local port 50007 to 203.0.113.9:50011: documented by online.out.audio, unproven: "
		 "nothing proves the peer; list it under other-client if it is one"},
		{"external", "tcp 10.1.2.3:50000 > 203.0.113.20:443 app=tls",
		 "TCP tls from local port 50000 to 203.0.113.20:443: documented by external.out.sip_tls or external.out.psom_tls, "
		 "unproven: TLS hides which service it is"},
		{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:8057 app=tls",
		 "TCP tls from local port 50000 to 10.0.0.20:8057: documented by onprem.out.psom, a wide row that accepts almost any port"},
		{"onprem", "udp 10.1.2.3:40000 <> 198.51.100.7:41000",
		 "UDP between local port 40000 and 198.51.100.7:41000: cannot tell whether onprem.out.media_udp covers it: "
		 "nothing proves the peer; list it under other-client if it is one"},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=unanswered",
		 "UDP dns from local port 50000 to 10.0.0.53:53: documented by room.out.dns, but nothing came back to 3 tries in 7.0 s; "
		 "look for a filter on the way"},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns outcome=prohibited",
		 "UDP dns from local port 50000 to 10.0.0.53:53: documented by room.out.dns, but 10.0.0.53 forbids it (ICMP 3/13); open it there"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 outcome=refused",
		 "TCP from local port 50000 to 10.0.0.44:443: documented by room.out.maestro, "
		 "but the peer refuses it; is the service running there?"},
		/* an ICE probe: its peer is not held against it, and no list would help */
		{"online", "udp 10.1.2.3:50007 > 10.0.0.53:50011 app=stun outcome=unanswered",
		 "UDP stun from local port 50007 to 10.0.0.53:50011: documented by online.out.audio, unproven: nothing proves the peer"},
		{"room", "icmp 10.1.2.3 > 8.8.8.8 app=icmp", "ICMP icmp with 8.8.8.8: link upkeep that no envelope lists"},
	};

	check_sentences(COMPANY, cases, ARRAY_LEN(cases));
}

static void what_the_wire_calls_itself_cannot_break_the_line(void **state)
{
	struct policy *policy = policy_of(COMPANY);
	struct judged judged = {"room", "tcp 10.1.2.3:50000 > 192.0.2.1:443 app=tls name=x", "", NULL};
	struct verdict verdict;
	struct tuple tuple;
	char said[REASON_MAX], small[20];

	tuple_ready(policy, &judged, &tuple);
	strcpy(tuple.name, "a\nb\x1b[31m\"\xff");
	judge_flow(policy, &tuple.view, &verdict);
	assert_string_equal(verdict.nearest[0].differs[0].seen, "192.0.2.1 (a?b?[31m\"?)");
	judge_sentence(policy, &tuple.view, &verdict, said, sizeof(said));
	assert_null(strpbrk(said, "\n\x1b\xff"));
	judge_sentence(policy, &tuple.view, &verdict, small, sizeof(small));
	assert_int_equal(strlen(small), sizeof(small) - 1);
	memset(tuple.name, 'a', NAME_MAX_LEN);
	judge_flow(policy, &tuple.view, &verdict);
	assert_non_null(strstr(verdict.nearest[0].differs[0].seen, "aaa...)"));
	policy_free(policy);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_no_says_what_differs_and_what_would_settle_it),
		cmocka_unit_test(a_peer_is_taken_for_nobody_it_only_claims_to_be),
		cmocka_unit_test(the_longest_names_leave_room_for_the_advice),
		cmocka_unit_test(who_blocks_or_refuses_is_named),
		cmocka_unit_test(a_yes_says_by_which_row_and_what_keeps_it_from_being_exact),
		cmocka_unit_test(what_the_wire_calls_itself_cannot_break_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_judge.c - the rules of judging as tables: the truth table, the order of matching rows, the
 * order of the nearest, kinds, the headline, options. One line a case.
 */
#include "tests/lib/judging.h"
#include "tests/lib/roles.h"

/* Peers of the company: 10.0.0.53 is a DNS server and nobody else, 10.0.0.20 a Front End. */
static void truth_table_narrow_rows(void **state)
{
	static const struct judged cases[] = {
		/* peer wrong */
		{"room", "udp 10.1.2.3:50000 > 8.8.8.8:53 app=dns", "outside peer medium room.out.dns: peer dns-server|8.8.8.8"},
		{"room", "udp 10.1.2.3:50000 > 8.8.8.8:53", "outside peer medium room.out.dns: peer dns-server|8.8.8.8"},
		/* application certainly another, or certainly none of the row's */
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=ntp", "outside application high room.out.dns: application dns|ntp"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.53:53 not=dns", "outside application high room.out.dns: application dns|not dns"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.53:53 app=ssh evidence=inspected not=dns", "outside application high room.out.dns: application dns|ssh (inspected)"},
		/* proven */
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns", "documented exact room.out.dns"},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53", "documented unproven room.out.dns"},
		/* nDPI is an opinion: in the list or not, the application is unknown */
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns evidence=inspected", "documented unproven room.out.dns"},
		{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=bittorrent evidence=inspected", "documented unproven room.out.dns"},
		{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.30:443 not=http,ssh", "documented unproven onprem.out.auth_https"},
	};
	static const struct judged unknown_peer[] = {
		{"room", "udp 10.1.2.3:50000 > 8.8.8.8:53 app=dns", "documented unproven room.out.dns why=role-unknown"},
		{"room", "udp 10.1.2.3:50000 > 8.8.8.8:53", "documented unproven room.out.dns why=role-unknown"},
		{"room", "udp 10.1.2.3:50000 > 8.8.8.8:53 app=ntp", "outside application high room.out.dns: application dns|ntp"},
		{"room", "tcp 10.1.2.3:50000 > 8.8.8.8:53 not=dns", "outside application high room.out.dns: application dns|not dns"},
	};

	CHECK(COMPANY, cases);
	CHECK(NOBODY, unknown_peer);
}

static void truth_table_rows_with_all_ports_on_both_sides(void **state)
{
	static const struct judged cases[] = {
		{"onprem", "udp 10.1.2.3:40000 > 10.0.0.53:41000 app=rtp media=audio", "outside peer medium onprem.out.media_udp: peer front-end or other-client|10.0.0.53"},
		{"onprem", "udp 10.1.2.3:40000 > 10.0.0.53:41000", "outside peer medium onprem.out.media_udp: peer front-end or other-client|10.0.0.53"},
		{"onprem", "udp 10.1.2.3:40000 > 10.0.0.20:41000 app=ntp", "outside application medium onprem.out.media_udp: application stun, rtp or rtcp|ntp"},
		{"onprem", "udp 10.1.2.3:40000 > 198.51.100.7:41000 app=ntp", "outside application medium onprem.out.media_udp: application stun, rtp or rtcp|ntp"},
		{"onprem", "udp 10.1.2.3:40000 > 10.0.0.20:41000 app=rtp media=audio", "documented wide onprem.out.media_udp"},
		{"onprem", "udp 10.1.2.3:40000 > 10.0.0.20:41000", "documented wide onprem.out.media_udp"},
		{"onprem", "udp 10.1.2.3:40000 > 198.51.100.7:41000 app=rtp media=audio", "documented wide onprem.out.media_udp why=role-unknown"},
		{"onprem", "udp 10.1.2.3:40000 > 198.51.100.7:41000", "undetermined onprem.out.media_udp why=role-unknown"},
		{"onprem", "udp 10.1.2.3:40000 > 198.51.100.7:41000 app=rtp evidence=inspected", "undetermined onprem.out.media_udp why=role-unknown"},
		/* TLS may be PSOM over TLS; nothing says that it is */
		{"onprem", "tcp 10.1.2.3:40000 > 198.51.100.7:8057 app=tls", "undetermined onprem.out.psom why=encrypted"},
		{"onprem", "tcp 10.1.2.3:40000 > 10.0.0.20:8057 app=tls", "documented wide onprem.out.psom"},
		{"onprem", "tcp 10.1.2.3:40000 > 10.0.0.20:4443 app=tls", "documented wide onprem.out.psom"},
		{"onprem", "tcp 10.1.2.3:40000 > 10.0.0.20:5062 app=tls", "documented wide onprem.out.psom"},
		/* PSOM in clear has no known beginning: a certain no cannot be said of its row */
		{"onprem", "tcp 10.1.2.3:40000 > 10.0.0.20:41000 not=tls,stun,rtp,rtcp", "documented wide onprem.out.psom"},
		{"onprem", "tcp 10.1.2.3:40000 > 198.51.100.7:41000", "undetermined onprem.out.media_tcp+onprem.out.psom why=role-unknown"},
	};

	CHECK(COMPANY, cases);
}

static void several_matches_are_ordered(void **state)
{
	static const struct judged cases[] = {
		/* best grade: exact before unproven (sip_tls, psom_tls) */
		{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=tls", "documented exact online.out.auth_https+online.out.relay_tcp"},
		/* a proven named role before `any` */
		{"room touch", "tcp [2001:db8::3]:443 < [2001:db8::77]:51000 app=tls", "documented exact touch.in.control"},
		{"room touch", "tcp [2001:db8::3]:443 < [2001:db8::99]:51000 app=tls", "documented exact room.in.web_ui"},
		{"room touch", "tcp 10.1.2.3:443 < 10.1.2.77:51000 app=tls", "documented exact room.in.web_ui"},
		/* fewest local ports: 20 before 64512, both unproven */
		{"external online", "udp 10.1.2.3:50007 > 203.0.113.9:50011 app=stun", "documented unproven online.out.audio why=role-unknown"},
		/* all that tie */
		{"onprem external", "udp 10.1.2.3:50000 > 203.0.113.20:3478 app=msturn", "documented exact onprem.out.turn_udp+external.out.turn_3478"},
		{"online", "udp 10.1.2.3:50007 <> 52.112.1.9:50011 app=rtp media=audio", "documented exact online.out.audio+online.in.audio reason=assumed"},
		/* ... but for the order of rows, which says who comes first */
		{"external onprem", "tcp 10.1.2.3:50000 > 198.51.100.7:41000 app=rtp media=video", "documented wide onprem.out.media_tcp+external.out.peer_tcp why=role-unknown"},
	};
	static const struct judged both_roles[] = {
		/* fewest remote ports: 3478 before 3478-3481 */
		{"onprem online", "udp 10.1.2.3:50000 > 52.112.1.9:3478 app=msturn", "documented exact onprem.out.turn_udp"},
		{"onprem online", "udp 10.1.2.3:50000 > 52.112.1.9:3479 app=msturn", "documented exact online.out.relay_udp"},
	};

	CHECK(COMPANY, cases);
	CHECK("roles:\n  edge: {addresses: [52.112.1.9]}\n", both_roles);
}

static void nearest_rows_are_ordered(void **state)
{
	static const struct judged cases[] = {
		/* fewest fields: video differs in the port, audio in port and media */
		{"online", "udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=video", "outside local-port medium online.out.video: local-port 50020-50039|50063"},
		/* the first difference stands later: media after local-port */
		{"online", "udp 10.1.2.3:50025 > 52.112.1.9:50011 app=rtp media=audio", "outside media medium online.out.video: media video|audio"},
		/* fewest local ports: one before twenty */
		{"room online", "tcp 10.1.2.3:8080 < 52.112.1.9:50011", "outside local-port high room.in.control_api: local-port 80|8080"},
		/* fewest remote ports: 3478 before 3478-3481 */
		{"onprem online", "udp 10.1.2.3:41000 > 52.112.1.9:3500 app=stun", "outside remote-port medium onprem.out.turn_udp: remote-port 3478|3500"},
		/* order of rows */
		{"online", "udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp", "outside local-port medium online.out.audio: local-port 50000-50019|50063"},
	};

	CHECK("roles:\n  edge: {addresses: [52.112.1.9]}\n", cases);
}

static void rows_as_near_as_each_other_go_by_what_is_known_of_the_peer(void **state)
{
	static const struct judged nobody[] = {
		/* proven under sfb-online: before room.out.maestro, which stands first and is as near */
		{"room online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 not=tls,msturn,stun", "outside application high online.out.auth_https: application tls|not tls"},
		{"room online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=ssh", "outside application high online.out.auth_https: application tls|ssh"},
		/* whatever the flow calls its peer */
		{"room online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=ssh name=config.maestro.starleaf.com", "outside application high online.out.auth_https: application tls|ssh"},
		/* nobody proven: the name the flow carries; then the order of rows */
		{"room onprem", "tcp 10.1.2.3:50000 > 198.51.100.7:443 app=http name=lyncdiscover.corp.example", "outside application high onprem.out.auth_https: application tls|http"},
		{"room onprem", "tcp 10.1.2.3:50000 > 198.51.100.7:443 app=http", "outside application high room.out.maestro: application tls|http"},
		/* fewer local ports go before a proven peer */
		{"room online", "tcp 10.1.2.3:8080 < 52.112.1.9:50011", "outside local-port high room.in.control_api: local-port 80|8080"},
	};

	CHECK(NOBODY, nobody);
}

static void every_kind_is_said(void **state)
{
	static const struct judged cases[] = {
		{"touch", "tcp 10.1.2.3:5000 < 10.1.2.77:51000", "outside ip-version high touch.in.control: ip-version 6|4"},
		{"room touch", "tcp 10.1.2.3:5000 < 10.1.2.77:51000", "outside ip-version high touch.in.control: ip-version 6|4"},
		{"room touch", "tcp 10.1.2.3:5000 < 10.1.2.77:51000 not=tls,http", "outside ip-version high touch.in.control: ip-version 6|4"},
		{"room", "tcp 10.1.2.3:50000 < 10.0.0.53:53 app=dns", "outside direction high room.out.dns: direction out|in"},
		{"room", "udp 10.1.2.3:50000 > 8.8.8.8:53 app=dns", "outside peer medium room.out.dns: peer dns-server|8.8.8.8"},
		{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:4434 app=tls", "outside remote-port medium online.out.auth_https: remote-port 443|4434"},
		{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=ssh", "outside application high online.out.auth_https: application tls|ssh"},
		{"online", "udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio", "outside local-port medium online.out.audio: local-port 50000-50019|50063"},
		{"online", "udp 10.1.2.3:50007 > 52.112.1.9:50011 app=rtp media=video", "outside media medium online.out.audio: media audio|video"},
		{"online", "udp 10.1.2.3:50007 > 52.112.1.9:50011 app=rtp media=mixed", "outside media medium online.out.audio: media audio|mixed"},
		/* three fields, or another transport: service */
		{"onprem", "tcp 10.1.2.3:500 > 192.0.2.9:99 app=ssh",
		 "outside service medium onprem.out.media_tcp: remote-port 1024-65535|99; application stun, rtp or rtcp|ssh; local-port 1024-65535|500"},
		{"onprem", "udp 10.1.2.3:41000 > 10.0.0.31:80 app=http",
		 "outside service medium onprem.out.autodiscover: transport tcp|udp"},
		{"room", "gre 10.1.2.3 > 10.0.0.53", "outside service medium room.out.dns: transport tcp or udp|gre; remote-port 53|0; local-port 1024-65535|0"},
		{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 app=tls name=evil.example", "documented exact room.out.maestro"},
	};

	CHECK(COMPANY, cases);
}

static void a_flow_of_a_unit_without_profiles_is_outside(void **state)
{
	struct policy *policy = policy_of(NOBODY);
	struct judged judged = {"room", "udp 10.1.2.3:50000 > 8.8.8.8:53 app=dns", "", NULL};
	char sentence[REASON_MAX];
	struct verdict verdict;
	struct tuple tuple;

	tuple_ready(policy, &judged, &tuple);
	tuple.view.profiles = 0;
	judge_flow(policy, &tuple.view, &verdict);
	assert_int_equal(verdict.ruling, RULING_OUTSIDE);
	assert_int_equal(verdict.kind, KIND_SERVICE);
	assert_int_equal(verdict.nearest_count, 0);
	assert_int_equal(verdict.severity, SEVERITY_MEDIUM);
	judge_sentence(policy, &tuple.view, &verdict, sentence, sizeof(sentence));
	policy_free(policy);
}

#define HEADLINE "outside local-port medium online.out.audio: local-port 50000-50019|50063"

static void the_headline_holds_in_every_mix_of_profiles(void **state)
{
	static const struct judged nobody[] = {
		{"room online", "udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio", HEADLINE},
		{"room online onprem external", "udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio", HEADLINE},
		{"room online onprem external", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio", HEADLINE},
		{"online onprem", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio", HEADLINE},
		{"online external", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio", HEADLINE},
		{"online onprem external", "tcp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio", HEADLINE},
		{"online onprem external", "udp 10.1.2.3:50063 <> 203.0.113.9:50011 app=rtp media=audio", HEADLINE},
		{"online onprem external", "udp 10.1.2.3:50063 < 203.0.113.9:50011 app=rtp media=audio",
		 "outside local-port medium online.in.audio: local-port 50000-50019|50063"},
		/* an answered ICE check proves the client, but the site did not name it */
		{"online onprem external", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio ice=yes", HEADLINE},
		/* RTP and RTCP are media for certain, also while their kind is not known */
		{"online onprem external", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp", HEADLINE},
		{"online onprem external", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtcp", HEADLINE},
		/* without the narrower rows nothing is refused */
		{"onprem", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio", "documented wide onprem.out.media_udp why=role-unknown"},
		{"external", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio", "documented unproven external.out.edge_udp why=role-unknown"},
		/* the local port is not all that differs from the narrower row */
		{"online onprem", "udp 10.1.2.3:50063 > 203.0.113.9:40011 app=rtp media=audio", "documented wide onprem.out.media_udp why=role-unknown"},
		/* no certain media: ICE checks alone */
		{"online onprem", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=stun", "documented wide onprem.out.media_udp why=role-unknown"},
	};
	static const struct judged other_client[] = {
		{"online onprem external", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio", "documented wide onprem.out.media_udp+external.out.peer_udp"},
		{"online onprem external", "udp 10.1.2.3:50007 > 203.0.113.9:50011 app=rtp media=audio", "documented exact online.out.audio"},
	};
	static const struct judged edge[] = {
		{"online onprem external", "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio", "documented exact external.out.edge_udp"},
	};

	CHECK(NOBODY, nobody);
	CHECK("roles:\n  other-client: {addresses: [203.0.113.0/24]}\n", other_client);
	CHECK("roles:\n  edge: {addresses: [203.0.113.9]}\n", edge);
}

static void refused_rows_do_not_stand_in_nearest(void **state)
{
	struct policy *policy = policy_of(NOBODY);
	struct judged judged = {"room online onprem external",
	                        "udp 10.1.2.3:50063 > 203.0.113.9:50011 app=rtp media=audio", "", NULL};
	struct verdict verdict;
	struct tuple tuple;

	tuple_ready(policy, &judged, &tuple);
	judge_flow(policy, &tuple.view, &verdict);
	assert_int_equal(verdict.nearest_count, NEAREST_MAX);
	for (unsigned i = 0; i < verdict.nearest_count; i++)
		assert_true(verdict.nearest[i].count > 0);
	for (unsigned r = 0; r < policy->row_count; r++) {
		struct score score;

		judge_row(policy, &tuple.view, r, &score);
		assert_int_equal(score.refused, !strcmp(policy->rows[r].id, "onprem.out.media_udp") ||
		                                        !strcmp(policy->rows[r].id, "external.out.peer_udp") ||
		                                        !strcmp(policy->rows[r].id, "external.out.edge_udp"));
	}
	policy_free(policy);
}

static void options_change_the_reading(void **state)
{
	static const struct judged nat[] = {
		{"online", "udp 10.1.2.3:61000 > 52.112.1.9:50011 app=rtp media=audio", "documented unproven online.out.audio"},
		{"online", "udp 10.1.2.3:50007 > 52.112.1.9:50011 app=rtp media=audio", "documented unproven online.out.audio"},
		/* a row open to every client port is judged as ever */
		{"online", "tcp 10.1.2.3:61000 > 52.112.1.9:443 app=tls", "documented exact online.out.auth_https+online.out.relay_tcp"},
		{"online", "udp 10.1.2.3:61000 > 52.112.1.9:40011 app=rtp media=audio", "outside remote-port medium online.out.audio: remote-port 50000-59999|40011"},
	};
	static const struct judged relaxed[] = {
		{"online", "udp 10.1.2.3:41000 > 52.112.1.9:3479 app=rtp media=audio", "documented exact online.out.relay_udp"},
		{"online", "udp 10.1.2.3:50045 > 52.112.1.9:50011 app=rtp media=video", "outside local-port low online.out.video: local-port 50020-50039|50045 reason=vbss"},
		{"online onprem", "udp 10.1.2.3:50045 > 203.0.113.9:50011 app=rtp media=video", "outside local-port low online.out.video: local-port 50020-50039|50045 reason=vbss"},
		{"online", "udp 10.1.2.3:50045 > 52.112.1.9:50011 app=rtp media=audio", "outside local-port medium online.out.audio: local-port 50000-50019|50045"},
		{"online", "tcp 10.1.2.3:50045 > 52.112.1.9:50011 app=rtp media=video", "outside media medium online.out.appshare: media appshare|video"},
	};
	static const struct judged strict[] = {
		{"online", "udp 10.1.2.3:41000 > 52.112.1.9:3479 app=rtp media=audio", "outside local-port medium online.out.relay_udp: local-port 50000-50019|41000"},
		{"online", "udp 10.1.2.3:50027 > 52.112.1.9:3479 app=rtp media=audio", "outside media medium online.out.relay_udp: media video|audio"},
		{"online", "udp 10.1.2.3:50016 > 52.112.1.9:3479 app=rtp media=audio", "documented exact online.out.relay_udp"},
		{"online", "udp 10.1.2.3:50036 > 52.112.1.9:3479 app=msturn", "documented exact online.out.relay_udp"},
	};
	static const struct judged vbss[] = {
		{"online", "udp 10.1.2.3:50045 > 52.112.1.9:50011 app=rtp media=video", "documented exact online.out.appshare reason=vbss"},
		{"online", "tcp 10.1.2.3:50045 > 52.112.1.9:50011 app=rtp media=data", "documented exact online.out.appshare"},
	};

	CHECK("options: {nat: true}\n", nat);
	CHECK(NOBODY, relaxed);
	CHECK("options: {strict-relay-ports: true}\n", strict);
	CHECK("options: {allow-vbss: true}\n", vbss);
}

static void narrowed_wide_rows_are_narrow(void **state)
{
	static const struct judged cases[] = {
		{"onprem", "udp 10.1.2.3:50007 > 10.0.0.20:41000 app=rtp media=audio", "documented exact onprem.out.media_udp"},
		{"onprem", "udp 10.1.2.3:50063 > 10.0.0.20:41000 app=rtp media=audio", "outside local-port medium onprem.out.media_udp: local-port 50000-50059|50063"},
		{"onprem", "udp 10.1.2.3:50007 > 198.51.100.7:41000", "documented unproven onprem.out.media_udp why=role-unknown"},
	};

	CHECK("roles:\n  front-end: {addresses: [10.0.0.20]}\n"
	      "narrow: {onprem.out.media_udp: {local-ports: [50000-50059]}}\n",
	      cases);
}

static void by_first_packet(struct tuple *tuple)
{
	tuple->facts.initiator_by = INITIATOR_FIRST_PACKET;
}

static void by_port(struct tuple *tuple)
{
	tuple->facts.initiator_by = INITIATOR_PORT;
}

static void direction_is_held_against_a_row_only_when_it_is_known(void **state)
{
	static const struct judged cases[] = {
		{"online", "udp 10.1.2.3:50007 < 52.112.1.9:50011 app=rtp media=audio", "documented exact online.out.audio+online.in.audio", by_first_packet},
		{"room", "udp 10.1.2.3:50000 < 10.0.0.53:53 app=dns", "documented exact room.out.dns", by_first_packet},
		{"room", "udp 10.1.2.3:50000 <> 10.0.0.53:53 app=dns", "documented exact room.out.dns reason=assumed"},
		{"room", "udp 10.1.2.3:50000 < 10.0.0.53:53 app=dns", "outside direction high room.out.dns: direction out|in", by_port},
		{"onprem", "udp 10.1.2.3:40000 <> 10.0.0.20:41000 app=rtp", "documented wide onprem.out.media_udp"},
	};

	CHECK(COMPANY, cases);
}

static void link_upkeep_is_housekeeping(void **state)
{
	static const struct judged cases[] = {
		{"room", "icmp 10.1.2.3 > 8.8.8.8 app=icmp", "housekeeping"},
		{"room", "icmp6 2001:db8::3 < 2001:db8::9", "housekeeping"},
		{"room", "igmp 10.1.2.3 > 224.0.0.22", "housekeeping"},
		{"room", "udp [2001:db8::3]:546 > [ff02::1:2]:547", "housekeeping"},
		{"room", "udp [2001:db8::3]:546 < [fe80::1]:547 app=dhcpv6", "housekeeping"},
		{"room", "udp 10.1.2.3:546 > 10.0.0.9:547", "outside remote-port medium room.out.llmnr: remote-port 5355|547; local-port 1024-65535|546"},
	};

	CHECK(COMPANY, cases);
}

static void midstream(struct tuple *tuple)
{
	tuple->facts.midstream = 1;
}

static void few_packets(struct tuple *tuple)
{
	tuple->facts.payload_packets = 2;
}

static void no_inspector(struct tuple *tuple)
{
	tuple->view.inspector_off = true;
}

static void why_it_is_undetermined_is_said(void **state)
{
	static const struct judged cases[] = {
		{"external", "tcp 10.1.2.3:40000 > 198.51.100.7:41000", "undetermined external.out.peer_tcp why=midstream", midstream},
		{"external", "tcp 10.1.2.3:40000 > 198.51.100.7:41000 outcome=one-sided", "undetermined external.out.peer_tcp why=one-sided"},
		{"external", "tcp 10.1.2.3:40000 > 198.51.100.7:41000", "undetermined external.out.peer_tcp why=too-few-packets", few_packets},
		{"onprem", "tcp 10.1.2.3:40000 > 198.51.100.7:8057 app=tls", "undetermined onprem.out.psom why=encrypted", midstream},
		{"external", "tcp 10.1.2.3:40000 > 198.51.100.7:41000", "undetermined external.out.peer_tcp why=role-unknown"},
		{"external", "tcp 10.1.2.3:40000 > 198.51.100.7:41000", "undetermined external.out.peer_tcp why=no-inspector", no_inspector},
	};

	CHECK(COMPANY, cases);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Every port, address and protocol that some row knows, and others. */
static void tuple_random(struct tuple *tuple, uint64_t *seed)
{
	static const char *const addrs[] = {"10.0.0.53", "10.0.0.20", "52.112.1.9", "203.0.113.20", "8.8.8.8",
	                                    "224.0.0.252", "255.255.255.255", "10.1.2.77", "0.0.0.0",
	                                    "2001:db8::77", "ff02::1:3", "fe80::1", "2603:1027::1"};
	static const uint16_t ports[] = {0, 53, 67, 68, 69, 80, 88, 443, 546, 547, 1023, 1024, 3478, 5000, 5061,
	                                 5355, 49999, 50007, 50027, 50047, 50063, 59999, 60000, 65535};
	static const uint8_t transports[] = {1, 2, 6, 6, 6, 17, 17, 17, 47, 58, 132, 255};
	struct flow_facts *f = &tuple->facts;

	memset(tuple, 0, sizeof(*tuple));
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(addr_parse(addrs[next_random(seed) % ARRAY_LEN(addrs)], &f->end[i].addr), 0);
		f->end[i].port = ports[next_random(seed) % ARRAY_LEN(ports)];
		f->packets[i] = next_random(seed) % 20;
	}
	f->transport = transports[next_random(seed) % ARRAY_LEN(transports)];
	f->ip_version = next_random(seed) % 2 ? 4 : 6;
	f->initiator = next_random(seed) % 3;
	f->initiator_by = next_random(seed) % 5;
	f->midstream = next_random(seed) % 2;
	f->outcome = next_random(seed) % 6;
	f->asked = next_random(seed) % 32;
	f->tries = next_random(seed) % 4;
	f->last_us = f->last_try_us = (int64_t)(next_random(seed) % 10000000);
	f->media = next_random(seed) % 3 ? 0 : next_random(seed) % 8;
	f->ice = next_random(seed) % 4;
	f->name_kind = next_random(seed) % 4;
	f->not_apps.w[0] = next_random(seed) & next_random(seed);
	f->payload_packets = next_random(seed) % 8;
	tuple->view = (struct view){.facts = f, .name = tuple->name};
	if (next_random(seed) % 3 == 0)
		strcpy(tuple->name, next_random(seed) % 2 ? "config.maestro.starleaf.com" : "a\x01\xff b\n");
	tuple->view.local = next_random(seed) % 2;
	tuple->view.evidence = next_random(seed) % 3;
	tuple->view.app = tuple->view.evidence ? next_random(seed) % APP_COUNT : APP_NONE;
	tuple->view.profiles = (uint32_t)next_random(seed) % 32;
	tuple->view.bound_roles = (uint32_t)next_random(seed);
	tuple->view.learnt_any = (uint32_t)next_random(seed);
	tuple->view.learnt_roles = tuple->view.learnt_any & (uint32_t)next_random(seed);
}

static void no_flow_stays_without_a_ruling_and_none_is_judged_twice_differently(void **state)
{
	static const char *const sites[] = {NOBODY, COMPANY, COMPANY "options: {nat: true, allow-vbss: true}\n"};
	uint64_t seed = 20261122;

	for (size_t site = 0; site < ARRAY_LEN(sites); site++) {
		struct policy *policy = policy_of(sites[site]);

		for (unsigned n = 0; n < 20000; n++) {
			struct verdict one, two;
			char sentence[REASON_MAX], again[REASON_MAX];
			struct tuple tuple;

			tuple_random(&tuple, &seed);
			memset(&one, 0xaa, sizeof(one));
			memset(&two, 0x55, sizeof(two));
			judge_flow(policy, &tuple.view, &one);
			judge_flow(policy, &tuple.view, &two);
			assert_memory_equal(&one, &two, sizeof(one));
			assert_true(one.ruling >= RULING_DOCUMENTED && one.ruling <= RULING_HOUSEKEEPING);
			assert_int_equal(one.grade != GRADE_NONE, one.ruling == RULING_DOCUMENTED);
			assert_int_equal(one.kind != KIND_NONE, one.ruling == RULING_OUTSIDE);
			assert_int_equal(one.severity != SEVERITY_NONE, one.ruling == RULING_OUTSIDE);
			assert_int_equal(one.row_count > 0, one.ruling == RULING_DOCUMENTED ||
			                                            one.ruling == RULING_UNDETERMINED);
			assert_true(one.ruling != RULING_UNDETERMINED || one.why != WHY_NONE);
			assert_true(one.kind != KIND_TRANSPORT);
			judge_outcome(policy, &tuple.view, true, &one);
			judge_sentence(policy, &tuple.view, &one, sentence, sizeof(sentence));
			judge_sentence(policy, &tuple.view, &one, again, sizeof(again));
			assert_string_equal(sentence, again);
			for (const char *c = sentence; *c; c++)
				assert_true(*c >= ' ' && *c <= '~');
		}
		policy_free(policy);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(truth_table_narrow_rows),
		cmocka_unit_test(truth_table_rows_with_all_ports_on_both_sides),
		cmocka_unit_test(several_matches_are_ordered),
		cmocka_unit_test(nearest_rows_are_ordered),
		cmocka_unit_test(rows_as_near_as_each_other_go_by_what_is_known_of_the_peer),
		cmocka_unit_test(every_kind_is_said),
		cmocka_unit_test(a_flow_of_a_unit_without_profiles_is_outside),
		cmocka_unit_test(the_headline_holds_in_every_mix_of_profiles),
		cmocka_unit_test(refused_rows_do_not_stand_in_nearest),
		cmocka_unit_test(options_change_the_reading),
		cmocka_unit_test(narrowed_wide_rows_are_narrow),
		cmocka_unit_test(direction_is_held_against_a_row_only_when_it_is_known),
		cmocka_unit_test(link_upkeep_is_housekeeping),
		cmocka_unit_test(why_it_is_undetermined_is_said),
		cmocka_unit_test(no_flow_stays_without_a_ruling_and_none_is_judged_twice_differently),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

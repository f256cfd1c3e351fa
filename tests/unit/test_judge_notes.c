/*
 * test_judge_notes.c - the document's ambiguities (domain.md 5.5), note by note, each in the reading we
 * recommend. A10 (a gauge) and A23 (how numbers are written) say nothing of a flow.
 */
#include "tests/lib/judging.h"
#include "tests/lib/roles.h"

/* Behind a controller of IPv6, a site with a web proxy and one's own segment. */
#define SITES COMPANY "  web-proxy: {addresses: [10.0.0.8]}\n  local-segment: {addresses: [10.1.2.0/24]}\n"

static void mutual(struct tuple *tuple)
{
	tuple->facts.mtls = MTLS_YES;
}

static void not_mutual(struct tuple *tuple)
{
	tuple->facts.mtls = MTLS_NO;
}

static void solicited(struct tuple *tuple)
{
	tuple->facts.solicited = 1;
}

static const struct judged A1[] = {
	{"room", "udp 0.0.0.0:68 > 255.255.255.255:67 app=dhcp", "documented exact room.out.dhcp"},
	{"room", "udp 10.1.2.3:68 > 10.0.0.1:67 app=dhcp", "documented exact room.out.dhcp"},
	{"room", "udp 10.1.2.3:68 < 10.0.0.1:67 app=dhcp", "documented exact room.in.dhcp"},
	{"room", "udp 10.1.2.3:1068 > 10.0.0.1:67 app=dhcp", "outside local-port low room.out.dhcp: local-port 68|1068"},
	{"room", "udp 10.1.2.3:1068 < 10.0.0.1:67 app=dhcp", "outside local-port low room.in.dhcp: local-port 68|1068"},
};

static const struct judged A2[] = {
	{"room", "tcp 10.1.2.3:50000 > 192.0.2.7:443 app=tls bound=config.maestro.starleaf.com", "documented exact room.out.maestro"},
	{"room", "tcp 10.1.2.3:50000 > 192.0.2.7:443 app=tls bound=fw.maestro.starleaf.com", "documented exact room.out.maestro"},
	{"room", "tcp 10.1.2.3:50000 > 192.0.2.7:443 app=tls bound=maestro.starleaf.com", "documented exact room.out.maestro"},
	{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 app=tls", "documented exact room.out.maestro"},
	{"room", "tcp 10.1.2.3:50000 > 192.0.2.7:443 app=tls bound=maestro.starleaf.com.evil.example", "outside peer medium room.out.maestro: peer maestro|192.0.2.7 (maestro.starleaf.com.evil.example)"},
	{"room", "tcp 10.1.2.3:50000 > 192.0.2.7:443 app=tls bound=evilmaestro.starleaf.com", "outside peer medium room.out.maestro: peer maestro|192.0.2.7 (evilmaestro.starleaf.com)"},
	{"room", "tcp 10.1.2.3:50000 > 10.0.0.8:8080 app=tls connect=443 name=fw.maestro.starleaf.com", "documented unproven room.out.maestro why=role-unknown"},
};

static const struct judged A3[] = {
	{"room", "udp 10.1.2.3:50000 > 224.0.0.252:5355 app=llmnr", "documented exact room.out.llmnr"},
	{"room", "udp [2001:db8::3]:50000 > [ff02::1:3]:5355 app=llmnr", "documented exact room.out.llmnr"},
	{"room", "udp 10.1.2.3:50000 > 10.1.2.9:5355 app=llmnr", "documented exact room.out.llmnr"},
	{"room", "udp 10.1.2.3:50000 > 10.9.2.9:5355 app=llmnr", "outside peer medium room.out.llmnr: peer local-segment|10.9.2.9"},
	{"room", "udp 10.1.2.3:50000 > 10.9.2.9:5355 app=llmnr", "documented exact room.out.llmnr", solicited},
	{"room", "tcp 10.1.2.3:50000 > 10.1.2.9:5355 app=llmnr", "documented exact room.out.llmnr"},
	/* the unit is the responder */
	{"room", "udp 10.1.2.3:5355 < 10.1.2.9:51000 app=llmnr", "outside direction info room.out.llmnr: direction out|in; remote-port 5355|51000"},
	{"room", "udp 10.1.2.3:5355 < 10.1.2.9:51000 app=llmnr", "outside direction info room.out.llmnr: direction out|in; remote-port 5355|51000", solicited},
	/* ... and the port of him who asked is one of media */
	{"room online", "udp 10.1.2.3:5355 < 10.1.2.9:51000 app=llmnr", "outside direction info room.out.llmnr: direction out|in; remote-port 5355|51000"},
};

static const struct judged A4[] = {
	{"room touch", "tcp [2001:db8::3]:443 < [2001:db8::77]:51000 app=tls", "documented exact touch.in.control"},
	{"room touch", "tcp [2001:db8::3]:443 < [2001:db8::99]:51000 app=tls", "documented exact room.in.web_ui"},
};

static const struct judged A5_6[] = {
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.31:80 app=http", "documented exact onprem.out.autodiscover"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.31:443 app=tls", "documented exact onprem.out.auth_https"},
	{"onprem", "tcp 10.1.2.3:50000 > 192.0.2.7:443 app=tls bound=lyncdiscoverinternal.corp.example", "documented exact onprem.out.auth_https"},
	{"onprem", "tcp 10.1.2.3:50000 > 192.0.2.7:443 app=tls bound=lyncdiscover.evil.example",
	 "outside remote-port medium onprem.out.psom: remote-port 1024-65535|443"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.30:443 app=tls name=mail.corp.example", "documented exact onprem.out.auth_https"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.30:80 app=http", "outside peer low onprem.out.autodiscover: peer autodiscover|10.0.0.30"},
};

static const struct judged A7[] = {
	{"onprem", "udp 10.1.2.3:50000 > 203.0.113.20:3478 app=msturn", "documented exact onprem.out.turn_udp"},
	{"onprem", "udp 10.1.2.3:50000 > 203.0.113.20:3478 app=rtp media=video", "documented exact onprem.out.turn_udp"},
	{"onprem", "udp 10.1.2.3:50000 > 203.0.113.20:3478 app=rtcp", "documented exact onprem.out.turn_udp"},
	{"onprem", "udp 10.1.2.3:50000 > 203.0.113.20:3478 app=stun", "documented exact onprem.out.turn_udp"},
};

static const struct judged A8[] = {
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:5061 app=tls", "documented exact onprem.out.sip"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:5061 app=tls", "documented exact onprem.out.sip", mutual},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:5061 app=tls", "documented exact onprem.out.sip", not_mutual},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:5061 app=sip", "outside application high onprem.out.sip: application sip_tls|sip"},
	{"onprem", "tcp 10.1.2.3:50000 > 203.0.113.20:5061 app=tls", "outside peer medium onprem.out.sip: peer front-end|203.0.113.20"},
};

static const struct judged A9[] = {
	{"onprem", "udp 10.1.2.3:50000 > 10.0.0.20:40000 app=rtp media=audio", "documented wide onprem.out.media_udp"},
	{"onprem", "udp 10.1.2.3:50000 < 10.0.0.20:40000 app=rtp media=audio", "documented wide onprem.out.media_udp"},
	{"onprem", "tcp 10.1.2.3:50000 < 10.0.0.20:40000 app=stun", "documented wide onprem.out.media_tcp+onprem.out.psom"},
	{"external", "tcp 10.1.2.3:50000 < 198.51.100.7:40000 app=rtp media=data ice=yes", "documented wide external.out.peer_tcp"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:40000 app=http", "outside application medium onprem.out.media_tcp: application stun, rtp or rtcp|http"},
	{"onprem", "udp 10.1.2.3:50000 > 10.0.0.20:1023 app=rtp media=audio", "outside remote-port medium onprem.out.media_udp: remote-port 1024-65535|1023"},
};

static const struct judged A11[] = {
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:8057 app=tls", "documented wide onprem.out.psom"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:40000 app=rtp media=data", "documented wide onprem.out.media_tcp+onprem.out.psom"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:40000 app=psom", "documented wide onprem.out.psom"},
};

static const struct judged A12[] = {
	{"external", "tcp 10.1.2.3:50000 < 203.0.113.20:50500 app=rtp media=data", "outside peer high external.out.peer_tcp: peer other-client|203.0.113.20"},
	{"external", "udp 10.1.2.3:50000 < 203.0.113.20:50500 app=rtp media=audio", "outside peer high external.out.peer_udp: peer other-client|203.0.113.20"},
	{"external", "udp 10.1.2.3:50000 < 198.51.100.7:40000 app=rtp media=audio ice=yes", "documented wide external.out.peer_udp"},
};

static const struct judged A13[] = {
	{"external", "tcp 10.1.2.3:50000 > 203.0.113.20:443 app=tls", "documented unproven external.out.sip_tls+external.out.psom_tls why=encrypted"},
	{"external", "tcp 10.1.2.3:50000 > 203.0.113.20:443 app=msturn", "documented exact external.out.turn_tcp"},
	{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=tls", "documented exact online.out.auth_https+online.out.relay_tcp"},
	{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=msturn", "documented exact online.out.relay_tcp"},
	{"external online", "tcp 10.1.2.3:50000 > 52.112.1.9:443", "documented unproven online.out.auth_https+online.out.sip_tls+online.out.psom_tls+online.out.relay_tcp"},
};

static const struct judged A14_15[] = {
	{"external", "udp 10.1.2.3:50000 > 203.0.113.20:3478 app=msturn", "documented exact external.out.turn_3478"},
	{"external", "tcp 10.1.2.3:50000 > 203.0.113.20:3478 app=msturn", "documented exact external.out.turn_3478 reason=as_written"},
	{"external", "udp 10.1.2.3:2000 > 203.0.113.20:50000 app=rtp media=audio", "documented exact external.out.edge_udp"},
	{"external", "udp 10.1.2.3:50007 > 203.0.113.20:49999 app=rtp media=audio", "outside remote-port medium external.out.turn_3478: remote-port 3478|49999"},
};

static const struct judged A16[] = {
	{"online", "udp 10.1.2.3:50007 > 13.107.64.9:3479 app=msturn", "documented exact online.out.relay_udp"},
	{"online", "udp 10.1.2.3:50007 > 52.120.1.9:50044 app=rtp media=audio", "documented exact online.out.audio"},
	{"online", "tcp [2001:db8::3]:50007 > [2603:1027::9]:443 app=tls", "documented exact online.out.auth_https+online.out.relay_tcp"},
	{"online", "udp 10.1.2.3:50007 > 198.51.100.7:3479 app=msturn", "outside peer medium online.out.relay_udp: peer sfb-online|198.51.100.7"},
	{"online", "tcp 10.1.2.3:50007 > 192.0.2.7:443 app=tls bound=login.microsoftonline.com", "documented exact online.out.auth_https"},
};

static const struct judged A17_DEFAULT[] = {
	{"online", "udp 10.1.2.3:41000 > 52.112.1.9:3480 app=rtp media=audio", "documented exact online.out.relay_udp"},
	{"online", "udp 10.1.2.3:50036 > 52.112.1.9:3480 app=rtp media=audio", "documented exact online.out.relay_udp"},
};

static const struct judged A17_STRICT[] = {
	{"online", "udp 10.1.2.3:50016 > 52.112.1.9:3480 app=rtp media=audio", "documented exact online.out.relay_udp"},
	{"online", "udp 10.1.2.3:50036 > 52.112.1.9:3480 app=rtp media=audio", "outside media medium online.out.relay_udp: media video|audio"},
	{"online", "udp 10.1.2.3:41000 > 52.112.1.9:3480 app=rtp media=audio", "outside local-port medium online.out.relay_udp: local-port 50000-50019|41000"},
};

static const struct judged A18_19[] = {
	{"online", "udp 10.1.2.3:50007 > 203.0.113.9:16332 app=rtp media=audio ice=yes", "outside remote-port low online.out.audio: remote-port 50000-59999|16332 reason=peer_nat"},
	{"online", "udp 10.1.2.3:50007 > 203.0.113.9:16332 app=rtp media=audio", "outside remote-port medium online.out.audio: remote-port 50000-59999|16332"},
	{"online", "udp 10.1.2.3:50027 < 203.0.113.9:50044 app=rtp media=video ice=yes", "documented exact online.in.video"},
	{"online", "udp 10.1.2.3:50027 < 203.0.113.9:50044 app=rtp media=audio ice=yes", "outside media medium online.in.video: media video|audio"},
};

static const struct judged A20_DEFAULT[] = {
	{"online", "udp 10.1.2.3:50047 > 52.112.1.9:50044 app=rtp media=video", "outside local-port low online.out.video: local-port 50020-50039|50047 reason=vbss"},
	{"online", "tcp 10.1.2.3:50047 > 52.112.1.9:50044 app=rtp media=data", "documented exact online.out.appshare"},
};

static const struct judged A20_ALLOWED[] = {
	{"online", "udp 10.1.2.3:50047 > 52.112.1.9:50044 app=rtp media=video", "documented exact online.out.appshare reason=vbss"},
	{"online", "udp 10.1.2.3:50047 < 52.112.1.9:50044 app=rtp media=video", "documented exact online.in.appshare reason=vbss"},
	{"online", "udp 10.1.2.3:50063 > 52.112.1.9:50044 app=rtp media=video", "outside local-port medium online.out.video: local-port 50020-50039|50063"},
};

static const struct judged A21[] = {
	{"room touch", "tcp [2001:db8::3]:69 < [2001:db8::77]:51000", "documented exact touch.in.control"},
	{"room touch", "tcp [2001:db8::3]:5000 < [2001:db8::77]:51000", "documented exact touch.in.control"},
	{"room touch", "tcp [2001:db8::3]:5152 < [2001:db8::77]:51000", "documented exact touch.in.control"},
	{"room touch", "tcp [2001:db8::3]:23456 < [2001:db8::77]:51000", "documented exact touch.in.control"},
	{"room touch", "tcp [2001:db8::3]:23456 < [2001:db8::99]:51000", "outside local-port high room.in.control_api: local-port 80|23456"},
	{"room touch", "tcp 10.1.2.3:69 < 10.1.2.77:51000", "outside ip-version high touch.in.control: ip-version 6|4"},
	{"room touch", "tcp 10.1.2.3:443 < 10.1.2.77:51000 app=tls", "documented exact room.in.web_ui"},
	{"room touch", "tcp 10.1.2.3:443 < 10.9.9.9:51000 app=tls", "documented exact room.in.web_ui"},
	/* TCP 69 is no TFTP, and UDP 69 is no touch port */
	{"room touch", "udp [2001:db8::3]:69 < [2001:db8::77]:51000", "outside service high touch.in.control: transport tcp|udp"},
};

static const struct judged A22[] = {
	{"room", "tcp 10.1.2.3:80 < 10.9.9.9:1023 app=http", "outside remote-port low room.in.control_api: remote-port 1024-65535|1023"},
	{"room", "tcp 10.1.2.3:443 < 10.9.9.9:443 app=tls", "outside remote-port low room.in.web_ui: remote-port 1024-65535|443"},
	{"room", "tcp 10.1.2.3:80 < 10.9.9.9:1024 app=http", "documented exact room.in.control_api"},
};

static void dhcp_is_one_exchange_of_two_ports(void **state)
{
	CHECK(SITES, A1);
}

static void maestro_is_its_names_or_a_server_of_the_site(void **state)
{
	CHECK(SITES, A2);
}

static void llmnr_answers_are_unicast_and_the_unit_does_not_answer(void **state)
{
	CHECK(SITES, A3);
}

static void the_web_page_from_a_controller_is_touch(void **state)
{
	CHECK(SITES, A4);
}

static void autodiscovery_names_may_be_asked_by_https(void **state)
{
	CHECK(SITES, A5_6);
}

static void media_travels_bare_to_the_edge_s_turn_port(void **state)
{
	CHECK(SITES, A7);
}

static void mutual_tls_is_no_matter(void **state)
{
	CHECK(SITES, A8);
}

static void the_widest_rows_go_either_way_and_are_guarded_by_protocol_and_peer(void **state)
{
	CHECK(SITES, A9);
}

static void files_go_by_psom_or_by_media(void **state)
{
	CHECK(SITES, A11);
}

static void towards_the_edge_the_unit_is_the_client(void **state)
{
	CHECK(SITES, A12);
}

static void services_of_one_port_are_told_apart_or_stand_together(void **state)
{
	CHECK(SITES, A13);
}

static void the_edge_s_ports_are_the_far_side_s(void **state)
{
	CHECK(SITES, A14_15);
}

static void microsoft_s_addresses_are_those_of_its_list(void **state)
{
	CHECK(SITES, A16);
}

static void other_clients_have_ports_of_their_own(void **state)
{
	CHECK(SITES, A18_19);
}

static void touch_is_ipv6_from_a_controller(void **state)
{
	CHECK(SITES, A21);
}

static void a_client_s_port_below_1024_is_low(void **state)
{
	CHECK(SITES, A22);
}

static void relay_ports_are_strict_only_where_the_site_says_so(void **state)
{
	CHECK(SITES, A17_DEFAULT);
	CHECK("options: {strict-relay-ports: true}\n", A17_STRICT);
}

static void screens_sent_as_video_are_outside_unless_the_site_allows_it(void **state)
{
	CHECK(SITES, A20_DEFAULT);
	CHECK("options: {allow-vbss: true}\n", A20_ALLOWED);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(dhcp_is_one_exchange_of_two_ports),
		cmocka_unit_test(maestro_is_its_names_or_a_server_of_the_site),
		cmocka_unit_test(llmnr_answers_are_unicast_and_the_unit_does_not_answer),
		cmocka_unit_test(the_web_page_from_a_controller_is_touch),
		cmocka_unit_test(autodiscovery_names_may_be_asked_by_https),
		cmocka_unit_test(media_travels_bare_to_the_edge_s_turn_port),
		cmocka_unit_test(mutual_tls_is_no_matter),
		cmocka_unit_test(the_widest_rows_go_either_way_and_are_guarded_by_protocol_and_peer),
		cmocka_unit_test(files_go_by_psom_or_by_media),
		cmocka_unit_test(towards_the_edge_the_unit_is_the_client),
		cmocka_unit_test(services_of_one_port_are_told_apart_or_stand_together),
		cmocka_unit_test(the_edge_s_ports_are_the_far_side_s),
		cmocka_unit_test(microsoft_s_addresses_are_those_of_its_list),
		cmocka_unit_test(other_clients_have_ports_of_their_own),
		cmocka_unit_test(touch_is_ipv6_from_a_controller),
		cmocka_unit_test(a_client_s_port_below_1024_is_low),
		cmocka_unit_test(relay_ports_are_strict_only_where_the_site_says_so),
		cmocka_unit_test(screens_sent_as_video_are_outside_unless_the_site_allows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_judge_rows.c - each of the 35 documented rows, met once as the document means it.
 */
#include "tests/lib/judging.h"
#include "tests/lib/roles.h"

static const struct judged ROWS[] = {
	{"room", "udp 10.1.2.3:50000 > 10.0.0.53:53 app=dns", "documented exact room.out.dns"},
	{"room", "tcp 10.1.2.3:50000 > 10.0.0.53:53 app=dns", "documented exact room.out.dns"},
	{"room", "udp 0.0.0.0:68 > 255.255.255.255:67 app=dhcp", "documented exact room.out.dhcp"},
	{"room", "udp 10.1.2.3:68 > 10.0.0.1:67 app=dhcp", "documented exact room.out.dhcp"},
	{"room", "tcp 10.1.2.3:50000 > 10.0.0.44:443 app=tls", "documented exact room.out.maestro"},
	{"room", "udp 10.1.2.3:50000 > 224.0.0.252:5355 app=llmnr", "documented exact room.out.llmnr"},
	{"room", "udp [2001:db8::3]:50000 > [ff02::1:3]:5355 app=llmnr", "documented exact room.out.llmnr"},
	{"room", "udp 10.1.2.3:68 < 10.0.0.1:67 app=dhcp", "documented exact room.in.dhcp"},
	{"room", "tcp 10.1.2.3:80 < 198.51.100.9:51000 app=http", "documented exact room.in.control_api"},
	{"room", "tcp 10.1.2.3:443 < 198.51.100.9:51000 app=tls", "documented exact room.in.web_ui"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.31:80 app=http", "documented exact onprem.out.autodiscover"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.10:88 app=kerberos", "documented exact onprem.out.kerberos"},
	{"onprem", "udp 10.1.2.3:50000 > 10.0.0.10:88 app=kerberos", "documented exact onprem.out.kerberos"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.30:443 app=tls", "documented exact onprem.out.auth_https"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.31:443 app=tls", "documented exact onprem.out.auth_https"}, /* A5 */
	{"onprem", "udp 10.1.2.3:50000 > 203.0.113.20:3478 app=msturn", "documented exact onprem.out.turn_udp"},
	{"onprem", "udp 10.1.2.3:50000 > 203.0.113.20:3478 app=rtp media=audio", "documented exact onprem.out.turn_udp"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:5061 app=tls", "documented exact onprem.out.sip"},
	{"onprem", "udp 10.1.2.3:50000 > 10.0.0.20:52000 app=rtp media=audio", "documented wide onprem.out.media_udp"},
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:52000 app=rtp media=video", "documented wide onprem.out.media_tcp"},
	{"onprem", "tcp 10.1.2.3:50000 < 10.0.0.20:52000 app=rtp media=video", "documented wide onprem.out.media_tcp"}, /* A9 */
	{"onprem", "tcp 10.1.2.3:50000 > 10.0.0.20:8057 app=tls", "documented wide onprem.out.psom"},
	{"external", "tcp 10.1.2.3:50000 > 203.0.113.20:443 app=tls", "documented unproven external.out.sip_tls+external.out.psom_tls why=encrypted"},
	{"external", "tcp 10.1.2.3:50000 > 203.0.113.20:443 app=tls name=sip.corp.example", "documented exact external.out.sip_tls+external.out.psom_tls"},
	{"external", "tcp 10.1.2.3:50000 > 203.0.113.20:443 app=msturn", "documented exact external.out.turn_tcp"},
	{"external", "udp 10.1.2.3:50000 > 203.0.113.20:3478 app=msturn", "documented exact external.out.turn_3478"},
	{"external", "tcp 10.1.2.3:50000 > 203.0.113.20:3478 app=msturn", "documented exact external.out.turn_3478 reason=as_written"}, /* A14 */
	{"external", "udp 10.1.2.3:50000 > 198.51.100.7:40000 app=rtp media=audio ice=yes", "documented wide external.out.peer_udp"},
	{"external", "tcp 10.1.2.3:50000 < 198.51.100.7:40000 app=rtp media=data ice=yes", "documented wide external.out.peer_tcp"},
	{"external", "udp 10.1.2.3:50000 > 203.0.113.20:50500 app=rtp media=audio", "documented exact external.out.edge_udp"},
	{"external", "tcp 10.1.2.3:50000 > 203.0.113.20:50500 app=rtp media=data", "documented exact external.out.edge_tcp"},
	{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=tls", "documented exact online.out.auth_https+online.out.relay_tcp"},
	{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=tls bound=sipdir.online.lync.com",
	 "documented exact online.out.auth_https+online.out.sip_tls+online.out.psom_tls+online.out.relay_tcp"},
	{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=tls name=sipdir.online.lync.com", "documented exact online.out.auth_https+online.out.relay_tcp"},
	{"online", "tcp 10.1.2.3:50000 > 52.112.1.9:443 app=msturn", "documented exact online.out.relay_tcp"},
	{"online", "udp 10.1.2.3:50007 > 52.112.1.9:3480 app=rtp media=audio", "documented exact online.out.relay_udp"},
	{"online", "udp 10.1.2.3:50007 > 52.112.1.9:50044 app=rtp media=audio", "documented exact online.out.audio"},
	{"online", "udp 10.1.2.3:50007 > 203.0.113.9:50044 app=rtp media=audio ice=yes", "documented exact online.out.audio"},
	{"online", "tcp 10.1.2.3:50007 > 52.112.1.9:50044 app=rtp media=audio", "documented exact online.out.audio"},
	{"online", "udp 10.1.2.3:50027 > 52.112.1.9:50044 app=rtp media=video", "documented exact online.out.video"},
	{"online", "tcp 10.1.2.3:50047 > 52.112.1.9:50044 app=rtp media=data", "documented exact online.out.appshare"},
	{"online", "udp 10.1.2.3:50007 < 52.112.1.9:50044 app=rtp media=audio", "documented exact online.in.audio"},
	{"online", "udp 10.1.2.3:50027 < 52.112.1.9:50044 app=rtp media=video", "documented exact online.in.video"},
	{"online", "tcp 10.1.2.3:50047 < 52.112.1.9:50044 app=rtp media=data", "documented exact online.in.appshare"},
	{"touch", "tcp [2001:db8::3]:69 < [2001:db8::77]:51000", "documented exact touch.in.control"},
	{"touch", "tcp [2001:db8::3]:5000 < [2001:db8::77]:51000", "documented exact touch.in.control"},
};

static void every_documented_row_is_met_as_the_document_means_it(void **state)
{
	CHECK(COMPANY, ROWS);
}

static void no_row_is_left_out_of_the_cases(void **state)
{
	struct policy *policy = policy_of(COMPANY);
	unsigned met = 0;

	assert_int_equal(policy->row_count, 35);
	for (size_t r = 0; r < policy->row_count; r++) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_LEN(ROWS); i++)
			found |= strstr(ROWS[i].expected, policy->rows[r].id) != NULL;
		if (!found)
			print_error("%s has no case\n", policy->rows[r].id);
		met += found;
	}
	policy_free(policy);
	assert_int_equal(met, 35);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_documented_row_is_met_as_the_document_means_it),
		cmocka_unit_test(no_row_is_left_out_of_the_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

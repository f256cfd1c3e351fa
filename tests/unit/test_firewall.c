/*
 * test_firewall.c - what opens a documented row that the network closes: the rules, the sentence, and that
 * nft takes them.
 */
#include "rules/firewall.h"
#include "rules/text_file.h"
#include "tests/lib/judging.h"
#include "tests/lib/roles.h"

#include <sys/wait.h>
#include <unistd.h>

/* "out udp 10.1.2.3:50017 > 203.0.113.20:3478 prohibited 10.1.1.1 3/13" */
static struct closed_way way_of(const char *text)
{
	struct closed_way way = {.direction = DIRECTION_OUT};
	char direction[8], transport[8], local[64], remote[64], kind[32], sender[64] = "";
	unsigned local_port, remote_port, type = 0, code = 0;

	if (sscanf(text, "%7s %7s %63s %u > %63s %u %31s %63s %u/%u", direction, transport, local,
	           &local_port, remote, &remote_port, kind, sender, &type, &code) < 7)
		fail_msg("%s", text);
	way.direction = !strcmp(direction, "out")  ? DIRECTION_OUT
	                : !strcmp(direction, "in") ? DIRECTION_IN
	                                           : DIRECTION_UNKNOWN;
	way.transport = transport_parse(transport);
	way.kind = !strcmp(kind, "silent")       ? KIND_BLOCKED_SILENT
	           : !strcmp(kind, "prohibited") ? KIND_BLOCKED_PROHIBITED
	                                         : KIND_REFUSED;
	way.local_port = (uint16_t)local_port;
	way.remote_port = (uint16_t)remote_port;
	way.icmp_type = (uint8_t)type;
	way.icmp_code = (uint8_t)code;
	if (addr_parse(local, &way.local) < 0 || addr_parse(remote, &way.remote) < 0 ||
	    (*sender && addr_parse(sender, &way.sender) < 0))
		fail_msg("%s", text);
	return way;
}

#define ROWS_ASKED 2
#define WAYS_ASKED 3

struct firewall_case {
	const char *site, *rows[ROWS_ASKED], *ways[WAYS_ASKED], *locals[2];
	const char *say, *lines;
};

static const struct firewall_case CASES[] = {
	/* The role's addresses, the row's ports, both transports where the row has both. */
	{COMPANY,
         {"onprem.out.turn_udp", "external.out.turn_3478"},
         {"out udp 10.1.2.3 50017 > 203.0.113.20 3478 prohibited 10.1.1.1 3/13"},
         {0},
         "Allow UDP from 10.1.2.3 ports 1024-65535 to 203.0.113.20 port 3478 out; 10.1.1.1 forbids it now "
         "(ICMP 3/13)",
         "ip saddr 10.1.2.3 ip daddr 203.0.113.20 udp sport 1024-65535 udp dport 3478 accept comment "
         "\"onprem.out.turn_udp: On-premise Skype for Business 2015 or Lync 2013 / Outbound / 4\"\n"},
	{COMPANY,
         {"room.out.dns"},
         {"out udp 10.1.2.3 50017 > 10.0.0.53 53 silent"},
         {"192.168.7.3", "2001:db8::3"},
         "Allow UDP and TCP from 10.1.2.3, 192.168.7.3 ports 1024-65535 to 10.0.0.53 port 53 out; nothing comes "
         "back now: look for a filter between the mirror and 10.0.0.53, it does not say who it is",
         "ip saddr { 10.1.2.3, 192.168.7.3 } ip daddr 10.0.0.53 udp sport 1024-65535 udp dport 53 accept comment "
         "\"room.out.dns: Room system connectivity / Outbound / 1\"\n"
         "ip saddr { 10.1.2.3, 192.168.7.3 } ip daddr 10.0.0.53 tcp sport 1024-65535 tcp dport 53 accept comment "
         "\"room.out.dns: Room system connectivity / Outbound / 1\"\n"},
	/* A few holders: all of them, the peer's own version of IP alone; what another covers goes. */
	{"roles: {edge: {addresses: [203.0.113.0/28, 203.0.113.9, 198.51.100.8/29, \"2001:db8:5::/64\"]}}\n",
         {"external.out.turn_tcp"},
         {"out tcp 10.1.2.3 50017 > 203.0.113.9 443 prohibited 10.1.1.1 3/10"},
         {0},
         "Allow TCP from 10.1.2.3 ports 1024-65535 to 198.51.100.8/29, 203.0.113.0/28 port 443 out; 10.1.1.1 "
         "forbids it now (ICMP 3/10)",
         "ip saddr 10.1.2.3 ip daddr { 198.51.100.8/29, 203.0.113.0/28 } tcp sport 1024-65535 tcp dport 443 accept "
         "comment \"external.out.turn_tcp: Teamline systems on external networks / 3\"\n"},
	/* Microsoft's list: those of its prefixes that hold the peers. */
	{"",
         {"online.out.audio"},
         {"out udp 10.1.2.3 50003 > 52.112.1.9 50111 silent", "out udp 10.1.2.3 50004 > 52.113.1.9 50112 silent"},
         {0},
         "Allow UDP and TCP from 10.1.2.3 ports 50000-50019 to 52.112.0.0/14 ports 50000-59999 out; nothing comes "
         "back now: look for a filter between the mirror and 52.112.1.9, it does not say who it is",
         "ip saddr 10.1.2.3 ip daddr 52.112.0.0/14 udp sport 50000-50019 udp dport 50000-59999 accept comment "
         "\"online.out.audio: Skype for Business Online / Outbound / 6\"\n"
         "ip saddr 10.1.2.3 ip daddr 52.112.0.0/14 tcp sport 50000-50019 tcp dport 50000-59999 accept comment "
         "\"online.out.audio: Skype for Business Online / Outbound / 6\"\n"},
	/* Names: what was tried. */
	{"",
         {"room.out.maestro"},
         {"out tcp 10.1.2.3 49720 > 203.0.113.21 443 silent", "out tcp 10.1.2.3 49721 > 203.0.113.22 443 silent"},
         {0},
         "Allow TCP from 10.1.2.3 ports 1024-65535 to 203.0.113.21, 203.0.113.22 port 443 out (maestro: held by "
         "names, which no packet filter knows; these are the addresses that were tried); nothing comes back now: "
         "look for a filter between the mirror and 203.0.113.21, it does not say who it is",
         "ip saddr 10.1.2.3 ip daddr { 203.0.113.21, 203.0.113.22 } tcp sport 1024-65535 tcp dport 443 accept "
         "comment \"room.out.maestro: Room system connectivity / Outbound / 3\"\n"},
	/* In, over IPv6, to a list of ports; host unreachable is silence, and names who said so. */
	{COMPANY,
         {"touch.in.control"},
         {"in tcp 2001:db8::3 5000 > 2001:db8::77 49710 silent 2001:db8::1 1/3"},
         {0},
         "Allow TCP from 2001:db8::77 ports 1024-65535 to 2001:db8::3 ports 69, 443, 5000, 5152, 23456 in; "
         "2001:db8::1 says that it cannot be reached (ICMPv6 1/3); nothing comes back now: look for a filter "
         "between the mirror and 2001:db8::3, it does not say who it is",
         "ip6 saddr 2001:db8::77 ip6 daddr 2001:db8::3 tcp sport 1024-65535 tcp dport { 69, 443, 5000, 5152, 23456 } "
         "accept comment \"touch.in.control: Internal for Teamline 5141 / 1\"\n"},
	/* Anybody may: those who were turned away; in alone, though the row of media goes both ways. */
	{"",
         {"room.in.control_api"},
         {"in tcp 10.1.2.3 80 > 10.9.9.9 40000 prohibited 10.1.1.1 3/13"},
         {0},
         "Allow TCP from 10.9.9.9 ports 1024-65535 to 10.1.2.3 port 80 in; 10.1.1.1 forbids it now (ICMP 3/13)",
         "ip saddr 10.9.9.9 ip daddr 10.1.2.3 tcp sport 1024-65535 tcp dport 80 accept comment \"room.in.control_api: "
         "Room system connectivity / Inbound / 6\"\n"},
	{COMPANY,
         {"onprem.out.media_udp"},
         {"in udp 10.1.2.3 50000 > 10.0.0.20 50001 prohibited 10.1.1.1 3/13"},
         {0},
         "Allow UDP from 10.0.0.20 ports 1024-65535 to 10.1.2.3 ports 1024-65535 in; 10.1.1.1 forbids it now (ICMP "
         "3/13)",
         "ip saddr 10.0.0.20 ip daddr 10.1.2.3 udp sport 1024-65535 udp dport 1024-65535 accept comment "
         "\"onprem.out.media_udp: On-premise Skype for Business 2015 or Lync 2013 / Outbound / 6\"\n"},
	/* Behind a translator nobody knows the unit's ports. */
	{"options: {nat: true}\n",
         {"online.out.relay_udp"},
         {"out udp 10.1.2.3 3003 > 52.112.1.9 3478 prohibited 10.1.1.1 3/13"},
         {0},
         "Allow UDP from 10.1.2.3 to 52.112.0.0/14 ports 3478-3481 out; 10.1.1.1 forbids it now (ICMP 3/13)",
         "ip saddr 10.1.2.3 ip daddr 52.112.0.0/14 udp dport 3478-3481 accept comment \"online.out.relay_udp: Skype "
         "for Business Online / Outbound / 5\"\n"},
	/* A narrowed row opens no more than the site wants. */
	{"narrow: {onprem.out.media_udp: {local-ports: [50000-50059]}}\nroles: {front-end: {addresses: [10.0.0.20]}}\n",
         {"onprem.out.media_udp"},
         {"out udp 10.1.2.3 50000 > 10.0.0.20 50001 prohibited 10.1.1.1 3/13"},
         {0},
         "Allow UDP from 10.1.2.3 ports 50000-50059 to 10.0.0.20 ports 1024-65535 out; 10.1.1.1 forbids it now "
         "(ICMP 3/13)",
         "ip saddr 10.1.2.3 ip daddr 10.0.0.20 udp sport 50000-50059 udp dport 1024-65535 accept comment "
         "\"onprem.out.media_udp: On-premise Skype for Business 2015 or Lync 2013 / Outbound / 6\"\n"},
	/* A port unreachable from another than the peer is a filter's word; a proxy's port stands in no row. */
	{"roles: {web-proxy: {addresses: [10.0.0.8]}, dns-server: {addresses: [10.0.0.53]}}\n",
         {"room.out.maestro"},
         {"out tcp 10.1.2.3 49720 > 10.0.0.8 3128 refused 10.1.1.1 3/3"},
         {0},
         "Allow TCP from 10.1.2.3 ports 1024-65535 to 10.0.0.8 port 3128 out; 10.1.1.1 on the way refuses it "
         "now (ICMP 3/3)",
         "ip saddr 10.1.2.3 ip daddr 10.0.0.8 tcp sport 1024-65535 tcp dport 3128 accept comment \"room.out.maestro: "
         "Room system connectivity / Outbound / 3\"\n"},
	/* No router forwards what is of one link. */
	{"",
         {"touch.in.control"},
         {"in tcp fe80::3 5000 > fe80::77 49710 silent"},
         {0},
         "No router forwards between fe80::3 and fe80::77: look at the switch between them, and at the filter of "
         "the unit itself",
         NULL},
};

static size_t ask_fill(const struct policy *policy, const struct firewall_case *c,
                       struct firewall_ask *ask, uint16_t rows[ROWS_ASKED],
                       struct closed_way ways[WAYS_ASKED], struct addr locals[2])
{
	*ask = (struct firewall_ask){.rows = rows, .ways = ways, .locals = locals};
	for (; ask->row_count < ROWS_ASKED && c->rows[ask->row_count]; ask->row_count++) {
		int row = envelope_find_row(policy->envelope, c->rows[ask->row_count]);

		assert_true(row >= 0);
		rows[ask->row_count] = (uint16_t)row;
	}
	for (; ask->way_count < WAYS_ASKED && c->ways[ask->way_count]; ask->way_count++)
		ways[ask->way_count] = way_of(c->ways[ask->way_count]);
	for (; ask->local_count < 2 && c->locals[ask->local_count]; ask->local_count++)
		assert_int_equal(addr_parse(c->locals[ask->local_count], &locals[ask->local_count]), 0);
	return ask->way_count;
}

static void open_case(const struct firewall_case *c, char **ret_say, char **ret_lines)
{
	CLEANUP(policy_freep) struct policy *policy = policy_of(c->site);
	struct closed_way ways[WAYS_ASKED];
	uint16_t rows[ROWS_ASKED];
	struct addr locals[2];
	struct firewall_ask ask;
	struct err err = {0};

	assert_true(ask_fill(policy, c, &ask, rows, ways, locals));
	for (size_t i = 0; i < ask.way_count; i++)
		assert_false(way_is_refused(policy, &ways[i]));
	if (firewall_open(policy, &ask, ret_say, ret_lines, &err) < 0)
		fail_msg("%s", err.text);
}

/* Each of `rules` put in at the front, then what lets the answers through: so it stands first. */
static void as_commands(const char *rules, char *buf, size_t size)
{
	text_copy(buf, size, "# for 'nft -f'; table and chain are the usual ones: put in yours\n");
	for (size_t len; *rules; rules += len) {
		len = strcspn(rules, "\n") + 1;
		text_add(buf, size, "insert rule inet filter forward %.*s", (int)len, rules);
	}
	text_add(buf, size, "insert rule inet filter forward ct state established,related accept comment "
	                    "\"answers to what is allowed\"\n");
}

static void a_blocked_row_is_opened_as_far_as_it_is_documented(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		CLEANUP(freep) char *say = NULL;
		CLEANUP(freep) char *lines = NULL;
		char commands[2048];

		open_case(&CASES[i], &say, &lines);
		assert_string_equal(say, CASES[i].say);
		if (!CASES[i].lines) {
			assert_null(lines);
			continue;
		}
		as_commands(CASES[i].lines, commands, sizeof(commands));
		assert_string_equal(lines, commands);
	}
}

static void what_the_far_end_refuses_is_for_no_firewall(void **state)
{
	static const struct {
		const char *site, *way, *say;
	} refused[] = {
		{COMPANY, "out tcp 10.1.2.3 49721 > 10.0.0.10 88 refused",
                 "10.0.0.10 itself refuses TCP port 88: start the service there, or open its own port; no filter on "
                 "the way does it"},
		{COMPANY, "out udp 10.1.2.3 49721 > 10.0.0.10 88 refused 10.0.0.10 3/3",
                 "10.0.0.10 itself refuses UDP port 88: start the service there, or open its own port; no filter on "
                 "the way does it"},
		{COMPANY, "in tcp 10.1.2.3 443 > 10.9.9.9 40000 refused",
                 "The unit itself refuses TCP port 443 at 10.1.2.3: is that service switched on there?"},
		{"roles: {web-proxy: {addresses: [10.0.0.8]}}\n", "out tcp 10.1.2.3 49721 > 10.0.0.8 3128 refused",
                 "The proxy 10.0.0.8 port 3128 refuses it: allow it there"},
	};

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		CLEANUP(policy_freep) struct policy *policy = policy_of(refused[i].site);
		const struct closed_way way = way_of(refused[i].way);
		const struct firewall_ask ask = {.ways = &way, .way_count = 1};
		CLEANUP(freep) char *say = NULL;
		struct err err = {0};

		assert_true(way_is_refused(policy, &way));
		assert_int_equal(firewall_refused(policy, &ask, &say, &err), 0);
		assert_string_equal(say, refused[i].say);
	}
}

/* Another maker's envelope may hold any words: none of them ends the rule. */
static void a_comment_stays_a_comment(void **state)
{
	const struct firewall_case quoted = {
		.rows = {"room.out.dns"}, .ways = {"out udp 10.1.2.3 5000 > 10.0.0.53 53 silent"}};
	CLEANUP(policy_freep) struct policy *policy = policy_of(COMPANY);
	CLEANUP(freep) char *say = NULL;
	CLEANUP(freep) char *lines = NULL;
	struct closed_way ways[WAYS_ASKED];
	uint16_t rows[ROWS_ASKED];
	struct addr locals[2];
	struct firewall_ask ask;
	struct err err = {0};
	char document[200];
	const char *comment;

	ask_fill(policy, &quoted, &ask, rows, ways, locals);
	memset(document, 0, sizeof(document));
	for (size_t i = 0; i + 12 < sizeof(document); i += 4)
		memcpy(document + i, i ? "\xc3\xbcs " : "\" \\ ", 4);
	policy->rows[rows[0]].document = document;
	assert_int_equal(firewall_open(policy, &ask, &say, &lines, &err), 0);
	comment = strstr(lines, "comment \"");
	assert_non_null(comment);
	comment += strlen("comment \"");
	assert_true(strcspn(comment, "\"") <= 127);
	assert_int_equal(comment[strcspn(comment, "\"") + 1], '\n');
	assert_null(strchr(lines, '\\'));
	assert_int_equal(text_file_check(&(struct text_file){(char *)"lines", lines, strlen(lines)}, &err), 0);
}

/* 1 it takes them, 0 it does not, -1 there is no nft here, or it may not look at this kernel's tables. */
static int nft_takes(const char *lines)
{
	FILE *nft;
	int status;

	if (system("nft list tables >/dev/null 2>&1") != 0)
		return -1;
	nft = popen("nft -c -f - 2>/dev/null", "w");
	assert_non_null(nft);
	fprintf(nft, "table inet filter {\nchain forward {\ntype filter hook forward priority 0; policy drop;\n"
	             "}\n}\n%s",
	        lines);
	status = pclose(nft);
	return WIFEXITED(status) && !WEXITSTATUS(status);
}

static void nft_takes_every_rule(void **state)
{
	if (nft_takes("") < 0) {
		print_message("there is no nft here, or it may not ask the kernel: apt-get install nftables, and be root\n");
		skip();
	}
	assert_int_equal(nft_takes("insert rule inet filter forward ip saddr nonsense accept\n"), 0);
	assert_int_equal(nft_takes("insert rule inet filter another accept\n"), 0);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		CLEANUP(freep) char *say = NULL;
		CLEANUP(freep) char *lines = NULL;

		open_case(&CASES[i], &say, &lines);
		if (lines && nft_takes(lines) != 1)
			fail_msg("%s", lines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blocked_row_is_opened_as_far_as_it_is_documented),
		cmocka_unit_test(what_the_far_end_refuses_is_for_no_firewall),
		cmocka_unit_test(a_comment_stays_a_comment),
		cmocka_unit_test(nft_takes_every_rule),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

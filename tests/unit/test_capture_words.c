/*
 * test_capture_words.c - tcpdump's words held against recorded flows: which are taken, which words are
 * refused because no flow remembers what they ask for.
 */
#include "monitor/capture/capture_words.h"
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { MEDIA, LEASE, SIGNAL6, ECHO, TUNNEL, FLOW_COUNT };

static struct endpoint end(const char *addr, uint16_t port, const char *mac)
{
	return (struct endpoint){.addr = dbkit_addr(addr), .port = port, .mac = dbkit_mac(mac)};
}

static struct flow_head head_of(int flow)
{
	static const char unit[] = "00:26:8c:01:02:03", router[] = "02:00:00:00:00:01";

	switch (flow) {
	case MEDIA:
		return (struct flow_head){end("10.20.0.15", 50016, unit),
		                          end("52.112.1.9", 3478, router), 20, TRANSPORT_UDP, 4, {true, true}};
	case LEASE:
		return (struct flow_head){end("0.0.0.0", 68, unit),
		                          end("255.255.255.255", 67, "ff:ff:ff:ff:ff:ff"),
		                          VLAN_NONE, TRANSPORT_UDP, 4, {true, false}};
	case SIGNAL6:
		return (struct flow_head){end("2001:db8::15", 49152, unit),
		                          end("2603:1063::5", 443, router), VLAN_NONE,
		                          TRANSPORT_TCP, 6, {true, true}};
	case ECHO:
		return (struct flow_head){end("10.20.0.15", 0, unit), end("10.20.0.1", 0, router),
		                          VLAN_NONE, TRANSPORT_ICMP, 4, {true, true}};
	default:
		return (struct flow_head){end("10.20.0.15", 0, unit), end("192.0.2.50", 0, router),
		                          VLAN_NONE, 50, 4, {true, true}};
	}
}

/* One letter a flow that is taken: m, l, s, e, t. */
static const char *taken(const char *text)
{
	static char letters[FLOW_COUNT + 1];
	struct capture_words *words = NULL;
	struct err err = {0};

	if (capture_words_new(text, &words, &err) < 0)
		fail_msg("%s", err.text);
	*letters = '\0';
	for (int flow = 0; flow < FLOW_COUNT; flow++) {
		struct flow_head head = head_of(flow);

		if (capture_words_take(words, &head))
			text_add(letters, sizeof(letters), "%c", "mlset"[flow]);
	}
	capture_words_free(words);
	return letters;
}

static void flows_are_taken_by_what_is_recorded_of_them(void **state)
{
	static const struct {
		const char *words, *flows;
	} cases[] = {
		{"host 10.20.0.15", "met"},
		{"host 52.112.1.9 and udp port 3478", "m"},
		{"src host 52.112.1.9", "m"}, /* either way */
		{"dst port 3478 and src port 50016", "m"},
		{"src port 50016 and dst port 50016", ""},
		{"portrange 50000-50019", "m"},
		{"net 10.20.0.0/16", "met"},
		{"udp", "ml"},
		{"tcp", "s"},
		{"ip", "mlet"},
		{"ip6", "s"},
		{"ip6 host 2603:1063::5 and tcp port 443", "s"},
		{"port 443", "s"},
		{"icmp", "e"},
		{"ip proto 17", "ml"},
		{"not udp", "set"},
		{"ether host 00:26:8c:01:02:03", "mlset"},
		{"ether src 02:00:00:00:00:01", "mset"},
		{"ether broadcast", "l"},
		{"broadcast or icmp", "le"},
		{"vlan 20", "m"},
		{"vlan", "m"},
		{"vlan 20 and host 52.112.1.9", "m"},
		{"vlan 21", ""},
		{"vlan and (ether[14:2] & 0xfff = 20 or ether[14:2] & 0xfff = 30)", "m"},
		{"ip proto 50", "t"}, /* any protocol can be a flow's */
		{"ip proto 41", ""},
		{"ip6 proto 51 or icmp", "e"},
		{"dst port 67", "l"},
		{"src port 67", ""}, /* nobody answered */
		{"src host 255.255.255.255 or src port 443", "s"},
		{"not vlan 20", "lset"},
		{"(ip[6:2] & 0x1fff) = 0 and udp", "ml"}, /* no flow is a later fragment */
		{"sctp or port 67", "l"},
		{"ip6 protochain 6", "s"}, /* nothing lies between: no flow has extension headers */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (strcmp(taken(cases[i].words), cases[i].flows) != 0)
			fail_msg("'%s' took '%s', not '%s'", cases[i].words, taken(cases[i].words),
			         cases[i].flows);
}

static void what_no_flow_remembers_is_refused_by_name(void **state)
{
	static const struct {
		const char *words, *says;
	} cases[] = {
		{"tcp[tcpflags] & tcp-syn != 0", "behind the ports"},
		{"tcp[13] = 2", "behind the ports"},
		{"udp[8:4] = 0x2112a442", "the payload"},
		{"greater 1000", "the length of a packet"},
		{"less 64", "the length of a packet"},
		{"len > 100", "the length of a packet"},
		{"ip[8] < 5", "TTL"},
		{"ip[2:2] > 500", "length"},
		{"ip[1] = 0xb8", "TOS"},
		{"icmp[icmptype] = icmp-echo", "ICMP message"},
		{"ip6[7] = 1", "IP header"},
		{"ether[60] = 1", "no recorded flow knows that"},
		{"host 10.0.0.1 and (udp[8] = 1 or port 9)", "payload"},

		{"arp", "no recorded flow can meet it"},
		{"vlan 3 and vlan 4", "behind the tag before it"},
		{"vlan 20 or vlan 30", "behind the tag before it"},
		{"ether proto 0x88cc", "no recorded flow can meet it"},
		{"hosst 10.0.0.1", "syntax error"},
		{"host", "syntax error"},
		{"port 70000", "filter 'port 70000'"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct capture_words *words = NULL;
		struct err err = {0};

		if (capture_words_new(cases[i].words, &words, &err) >= 0)
			fail_msg("'%s' was taken", cases[i].words);
		assert_null(words);
		if (!strstr(err.text, cases[i].says))
			fail_msg("'%s' said: %s", cases[i].words, err.text);
		assert_null(strchr(err.text, '\n'));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_taken_by_what_is_recorded_of_them),
		cmocka_unit_test(what_no_flow_remembers_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

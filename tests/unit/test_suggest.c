/*
 * test_suggest.c - a site file proposed from packets: who becomes a unit, who a holder of which role, which
 * profiles are in use, and what is only said. Each case is a wire, and lines that must, or may not, stand in the proposal.
 */
#include "monitor/suggest/suggestion.h"
#include "tests/lib/run.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ROOM "00:26:8c:01:02:03"
#define OTHER "00:26:8c:04:05:06"
#define ROUTER "00:00:5e:00:01:01"
/* Whoever speaks is recorded, as a census does. */
#define EVERYBODY "units: [{name: all, addresses: [0.0.0.0/0, \"::/0\"], profiles: [room]}]\n"

#define AUDIO(n) (&(struct media){.payload_type = PT_SILK, .packets = (n), .ssrc = 0x5a100000})
#define TLS(...) (&(struct tls){__VA_ARGS__})
#define DNS(...) (&(struct dns_case){__VA_ARGS__})

struct proposal {
	struct run *run;
	struct envelope *envelope;
	struct policy *policy;
	struct suggestion *suggestion;
	char *text, *plain; /* all of it; without comments */
	char *whole;        /* with the holders that are commented out in it */
};

/* Lines that are no comment. */
static char *without_comments(const char *text)
{
	char *plain = calloc(1, strlen(text) + 1);

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), blanks = strspn(line, " ");

		len += line[len] == '\n';
		if (line[blanks] != '#')
			strncat(plain, line, len);
		line += len;
	}
	return plain;
}

/* "#" before a line of YAML has blanks before it, and none behind. */
static char *uncommented(const char *text)
{
	char *whole = calloc(1, strlen(text) + 1);

	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n"), blanks = strspn(line, " ");

		len += line[len] == '\n';
		strncat(whole, line, blanks);
		blanks += blanks && line[blanks] == '#' && line[blanks + 1] != ' ';
		strncat(whole, line + blanks, len - blanks);
		line += len;
	}
	return whole;
}

/* It can be used. */
static void loads(const char *text)
{
	struct policy_args args = {.site_path = "proposed.yaml"};
	struct policy *policy = NULL;
	struct err err = {0};

	args.site_text = text;
	args.site_text_len = strlen(text);
	if (policy_load(&args, &policy, &err) < 0)
		fail_msg("%s\n%s", err.text, text);
	policy_free(policy);
}

static void propose(struct proposal *p, const char *site, const struct wire *w,
                    const char *const *units)
{
	struct suggestion_options options = {.units = units, .source = "-r test.pcap"};
	struct policy_args args = {.site_path = "proposed.yaml"};
	struct err err = {0};
	size_t len;
	FILE *file;

	*p = (struct proposal){.run = run_new(site ? site : EVERYBODY)};
	run_wire(p->run, w, 64);
	assert_int_equal(envelope_load(NULL, &p->envelope, &err), 0);
	options.db = run_db(p->run);
	options.envelope = p->envelope;
	if (site) {
		args.site_text = site;
		args.site_text_len = strlen(site);
		assert_int_equal(policy_load(&args, &p->policy, &err), 0);
		options.recorded = true;
		options.in_force = p->policy;
	}
	if (suggestion_new(&options, &p->suggestion, &err) < 0)
		fail_msg("%s", err.text);
	file = open_memstream(&p->text, &len);
	assert_int_equal(suggestion_write(p->suggestion, file, &err), 0);
	fclose(file);
	p->plain = without_comments(p->text);
	p->whole = uncommented(p->text);
	loads(p->text);
	loads(p->whole);
}

static void proposal_release(struct proposal *p)
{
	free(p->text);
	free(p->plain);
	free(p->whole);
	suggestion_free(p->suggestion);
	policy_free(p->policy);
	envelope_free(p->envelope);
	run_free(p->run);
	*p = (struct proposal){0};
}

static void must(const struct proposal *p, const char *line)
{
	if (!strstr(p->plain, line))
		fail_msg("no '%s' in:\n%s", line, p->text);
}

static void must_not(const struct proposal *p, const char *line)
{
	if (strstr(p->plain, line))
		fail_msg("'%s' stands in:\n%s", line, p->text);
}

/* Commented out, and ready to be used. */
static void must_offer(const struct proposal *p, const char *line)
{
	if (strstr(p->plain, line) || !strstr(p->whole, line))
		fail_msg("'%s' is not commented out in:\n%s", line, p->text);
}

/* As a comment: words that may be parted by a line's end. */
static void must_say(const struct proposal *p, const char *words)
{
	char *said = calloc(1, strlen(p->text) + 1), *to = said;

	for (const char *from = p->text; *from; from++) {
		if (*from == '\n') {
			from += 1 + strspn(from + 1, " ");
			from += strspn(from, "#");
			from += strspn(from, " ");
			from--;
			*to++ = ' ';
		} else {
			*to++ = *from;
		}
	}
	if (!strstr(said, words))
		fail_msg("'%s' is not said in:\n%s", words, p->text);
	free(said);
}

static struct wire *office(void)
{
	struct wire *w = wire_new();

	wire_router(w, "10.0.0.0/8", ROUTER);
	wire_mac(w, "10.20.0.15", ROOM);
	wire_mac(w, "2001:db8:20::15", ROOM);
	wire_mac(w, "10.20.0.21", OTHER);
	wire_at(w, 0);
	return w;
}

static void lease(struct wire *w, const char *mac, const char *address, const char *server)
{
	talk_dhcp(w, &(struct dhcp_case){mac, address, server, "255.255.255.0", "10.20.0.1",
	                                 "10.20.0.53", 0x11223301});
}

/* ------------------------------------------------------------------ units */

static void a_mac_of_the_maker_tells_a_unit_with_all_its_addresses(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	lease(w, ROOM, "10.20.0.15", "10.20.0.1");
	talk_http(w, "10.20.2.40:51000 > 10.20.0.15:80", "10.20.0.15", "/");
	talk_tls(w, "[2001:db8:20::40]:51000 > [2001:db8:20::15]:443", TLS(.sni = NULL));
	propose(&p, NULL, w, NULL);
	must(&p, "- {name: room-1, macs: [\"" ROOM "\"], profiles: [room]}\n");
	must_not(&p, "room-2");
	must_say(&p, "MAC of the maker; DHCP gave it 10.20.0.15, by 10.20.0.1, until");
	must_say(&p, "its addresses by then: 10.20.0.15, 2001:db8:20::15");
}

static void who_asks_for_maestro_is_a_unit_and_whose_resolver_asks_is_none(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_dns(w, "10.20.9.15:52001 > 10.20.0.53:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	talk_dns(w, "10.20.0.53:52001 > 9.9.9.9:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	propose(&p, NULL, w, NULL);
	must(&p, "- {name: room-1, addresses: [10.20.9.15], profiles: [room]}\n");
	must_not(&p, "room-2");
	must_say(&p, "asked for or contacted config.maestro.starleaf.com: 1 flow, udp 10.20.9.15:52001 > "
	             "10.20.0.53:53");
	proposal_release(&p);
	/* By more than one name: it is not said that all of them were by the first. */
	talk_dns(w, "10.20.9.15:52002 > 10.20.0.53:53",
	         DNS("fw.maestro.starleaf.com", DNS_A, NULL, "203.0.113.21"));
	propose(&p, NULL, w, NULL);
	must_say(&p, "asked for or contacted config.maestro.starleaf.com and others like it: 2 flows, the "
	             "first udp 10.20.9.15:52001");
}

static void a_mac_that_dhcp_gave_the_address_to_is_the_units_own(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	wire_mac(w, "10.20.0.31", "02:11:22:33:44:55");
	lease(w, "02:11:22:33:44:55", "10.20.0.31", "10.20.0.1");
	talk_tls(w, "10.20.0.31:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	propose(&p, NULL, w, NULL);
	must(&p, "macs: [\"02:11:22:33:44:55\"]");
}

static void behind_a_router_the_addresses_tell(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;
	char tuple[WIRE_TUPLE];

	/* Even a MAC of the maker is a router's where more addresses are behind it than one host has. */
	for (unsigned i = 0; i < 6; i++) {
		char addr[32];

		snprintf(addr, sizeof(addr), "10.30.0.%u", 15 + i);
		wire_mac(w, addr, ROOM);
		snprintf(tuple, sizeof(tuple), "%s:49160 > 203.0.113.20:443", addr);
		talk_tls(w, tuple,
		         TLS(.sni = i < 2 ? "config.maestro.starleaf.com" : "example.com"));
	}
	propose(&p, NULL, w, NULL);
	must(&p, "- {name: room-1, addresses: [10.30.0.15], profiles: [room]}\n");
	must(&p, "- {name: room-2, addresses: [10.30.0.16], profiles: [room]}\n");
	must_not(&p, "room-3");
	must_not(&p, "macs:");
	must_say(&p, "behind a router (" ROOM ")");
}

static void who_is_named_is_a_unit_and_nobody_else(void **state)
{
	static const char *const units[] = {"10.20.4.0/24", "10.9.9.9", NULL};
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_http(w, "10.20.4.7:51000 > 10.20.0.15:80", "10.20.0.15", "/");
	propose(&p, NULL, w, units);
	must(&p, "- {name: room-1, addresses: [10.20.4.7], profiles: [room]}\n");
	must_not(&p, ROOM);
	must_say(&p, "--unit 10.9.9.9: no such host was seen");
}

static void a_panel_of_the_maker_is_no_unit(void **state)
{
	static const char *const ports[] = {"69", "5000", "23456"};
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	wire_mac(w, "2001:db8:20::99", OTHER);
	for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
		struct message ask = message_noise(60, i), answer = message_noise(90, i + 9);
		char tuple[WIRE_TUPLE];

		snprintf(tuple, sizeof(tuple), "[2001:db8:20::99]:%u > [2001:db8:20::15]:%s",
		         49000 + i, ports[i]);
		talk_tcp(w, tuple, &ask, &answer);
	}
	talk_tls(w, "10.20.0.15:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	propose(&p, NULL, w, NULL);
	must(&p, "- {name: room-1, macs: [\"" ROOM "\"], profiles: [room, touch]}\n");
	must_not(&p, "room-2");
	must(&p, "  touch-controller:\n    addresses:\n      - \"2001:db8:20::99\"\n");
	must_say(&p, "opened ports 69, 5000, 23456 of units, which answered");
}

/* ------------------------------------------------------------------ roles */

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

static void media_makes_nobody_a_holder_and_wide_rows_no_profile(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_ice(w, "10.20.0.15:31000 > 192.0.2.60:51000");
	talk_rtp(w, "10.20.0.15:31000 > 192.0.2.60:51000", AUDIO(40));
	wire_at(w, 5); /* by then it counts who speaks first */
	talk_ntp(w, "10.20.0.15:123 > 192.0.2.61:123");
	propose(&p, NULL, w, NULL);
	must(&p, "profiles: [room]}");
	must_not(&p, "192.0.2");
	must_not(&p, "waivers");
	must_not(&p, "ports");
	must_say(&p, "other-client: left empty");
	must_say(&p, "waivers: 1 ntp flow, udp 10.20.0.15:123 > 192.0.2.61:123");
	must_say(&p, "owner: \"\", reason: \"\", expires: \"\"");
}

static void a_call_between_narrow_ports_speaks_for_the_profile_that_has_them(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_ice(w, "10.20.0.15:50004 > 192.0.2.60:51000");
	talk_rtp(w, "10.20.0.15:50004 > 192.0.2.60:51000", AUDIO(40));
	propose(&p, NULL, w, NULL);
	must(&p, "profiles: [room, online]}");
}

static void the_same_call_of_a_unit_on_premises_does_not(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_kerberos(w, "10.20.0.15:49181 > 10.20.5.10:88");
	talk_ice(w, "10.20.0.15:50004 > 192.0.2.60:51000");
	talk_rtp(w, "10.20.0.15:50004 > 192.0.2.60:51000", AUDIO(40));
	propose(&p, NULL, w, NULL);
	must(&p, "profiles: [room, onprem]}");
}

/* ------------------------------------------------------------------- names */

static void hostile_names_stay_out_of_values_and_are_tame_in_comments(void **state)
{
	static const char *const names[] = {
		"lyncdiscover.evil\n- x: y.example", "lyncdiscover.a]b}.example",
		"lyncdiscover.\x1b[31mred.example", "lyncdiscover.*.example", "lyncdiscover.# x.example",
	};
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
		char tuple[WIRE_TUPLE];

		snprintf(tuple, sizeof(tuple), "10.20.0.15:%u > 10.20.0.53:53", 52001 + i);
		talk_dns(w, tuple, DNS(names[i], DNS_A, NULL, "10.20.5.21"));
		snprintf(tuple, sizeof(tuple), "10.20.0.15:%u > 10.20.5.2%u:5061", 53001 + i, i);
		talk_tls(w, tuple, TLS(.sni = names[i]));
	}
	propose(&p, NULL, w, NULL);
	must_not(&p, "domains");
	must_not(&p, "evil");
	must_not(&p, "x: y");
	must_not(&p, "names:");
	for (const char *c = p.text; *c; c++)
		assert_true(*c == '\n' || (unsigned char)*c >= ' ');
}

/* ------------------------------------------------------- a file that there is */

static void a_site_file_in_force_stays_as_it_is_with_new_lines_in_it(void **state)
{
	static const char site[] = "# Mine.\n"
				   "site: Office   # of the company\n"
				   "units:\n"
				   "  - name: boardroom\n"
				   "    macs: [\"" ROOM "\"]\n"
				   "    profiles: [room]\n"
				   "\n"
				   "roles:\n"
				   "  dns-server: {addresses: [10.20.0.53]}\n"
				   "waivers: []\n";
	const char *at, *line = site;
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_dns(w, "10.20.0.15:52001 > 10.20.0.54:53", DNS("b.example", DNS_A, NULL, "10.0.0.2"));
	talk_kerberos(w, "10.20.0.15:49181 > 10.20.5.10:88");
	talk_tls(w, "10.20.0.21:49160 > 203.0.113.20:443",
	         TLS(.sni = "config.maestro.starleaf.com"));
	propose(&p, site, w, NULL);
	/* Each line of it, in its order. */
	at = p.text;
	while (*line) {
		size_t len = strcspn(line, "\n") + 1;
		char whole[80];

		snprintf(whole, sizeof(whole), "%.*s", (int)len, line);
		at = strstr(at, whole);
		if (!at)
			fail_msg("'%s' is gone from:\n%s", whole, p.text);
		at += len > 1 ? len : 0;
		line += len;
	}
	must(&p, "  - {name: room-1, macs: [\"" OTHER "\"], profiles: [room]}\n");
	must(&p, "  domain-controller: {addresses: [10.20.5.10]}\n");
	must_not(&p, "10.20.0.54");
	must_say(&p, "new: room-1: MAC of the maker");
	must_say(&p, "new: domain-controller 10.20.5.10: answered 1 kerberos flow, udp 10.20.0.15:49181 > 10.20.5.10:88");
	must_say(&p, "10.20.0.54: answered 1 dns flow");
	must_say(&p, "the site file names others for this role");
	must_say(&p, "boardroom fits rows of profiles that it does not have");
	must_say(&p, "onprem: 1 flow");
	must(&p, "    profiles: [room]\n");
}

static void nobody_is_a_candidate_in_an_office_of_others(void **state)
{
	CLEANUP(wire_freep) struct wire *w = office();
	CLEANUP(proposal_release) struct proposal p;

	talk_http(w, "10.20.2.40:51000 > 10.20.2.50:80", "10.20.2.50", "/");
	propose(&p, NULL, w, NULL);
	assert_int_equal(p.suggestion->candidate_count, 0);
	assert_int_equal(p.suggestion->hosts, 2);
	must(&p, "units: []\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mac_of_the_maker_tells_a_unit_with_all_its_addresses),
		cmocka_unit_test(who_asks_for_maestro_is_a_unit_and_whose_resolver_asks_is_none),
		cmocka_unit_test(a_mac_that_dhcp_gave_the_address_to_is_the_units_own),
		cmocka_unit_test(behind_a_router_the_addresses_tell),
		cmocka_unit_test(who_is_named_is_a_unit_and_nobody_else),
		cmocka_unit_test(a_panel_of_the_maker_is_no_unit),
		cmocka_unit_test(one_touch_port_makes_no_controller),
		cmocka_unit_test(a_public_resolver_beside_one_of_the_site_is_doubted),
		cmocka_unit_test(a_public_resolver_alone_is_proposed),
		cmocka_unit_test(a_server_of_dhcp_is_one_that_acknowledged),
		cmocka_unit_test(a_kdc_is_proven_by_its_answer_and_its_neighbour_is_not),
		cmocka_unit_test(a_silent_server_is_proven_by_a_name_that_dns_bound),
		cmocka_unit_test(resolvers_that_a_lease_names_are_proven_by_that),
		cmocka_unit_test(flows_that_only_a_commented_server_would_document_are_counted),
		cmocka_unit_test(names_that_dns_bound_go_before_addresses),
		cmocka_unit_test(a_relay_is_an_edge_unless_the_document_lists_it),
		cmocka_unit_test(media_makes_nobody_a_holder_and_wide_rows_no_profile),
		cmocka_unit_test(a_call_between_narrow_ports_speaks_for_the_profile_that_has_them),
		cmocka_unit_test(the_same_call_of_a_unit_on_premises_does_not),
		cmocka_unit_test(hostile_names_stay_out_of_values_and_are_tame_in_comments),
		cmocka_unit_test(a_site_file_in_force_stays_as_it_is_with_new_lines_in_it),
		cmocka_unit_test(nobody_is_a_candidate_in_an_office_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

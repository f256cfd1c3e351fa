/*
 * test_remedy.c - what is said to do next: packets are recorded under a site file, the steps are what they should
 * be, and whoever changes the file as a proven step says has no such finding afterwards.
 */
#include "monitor/acceptance/acceptance.h"
#include "monitor/acceptance/remedy.h"
#include "monitor/policy_record.h"
#include "tests/lib/run.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define TEXT_MAX 16384

#define AUDIO(n) (&(struct media){.payload_type = PT_SILK, .packets = (n), .ssrc = 0x5a100000})
#define VIDEO(n) (&(struct media){.payload_type = PT_H264, .packets = (n), .ssrc = 0x5b200000})
#define DNS(...) (&(struct dns_case){__VA_ARGS__})
#define TLS(...) (&(struct tls){__VA_ARGS__})

static struct acceptance *check(struct run *run, struct policy **ret_policy)
{
	struct acceptance_options options = {.fail_on = SEVERITY_LOW, .source = ""};
	struct acceptance *acceptance = NULL;
	struct err err = {0};

	if (policy_in_force(run_db(run), ret_policy, &err) < 0)
		fail_msg("%s", err.text);
	options.policy = *ret_policy;
	if (acceptance_new(run_db(run), &options, &acceptance, &err) < 0 ||
	    next_steps(acceptance, &err) < 0)
		fail_msg("%s", err.text);
	return acceptance;
}

/* "site boardroom F1 proven 1: say" without its full stop, and the lines; exercises only where asked for. */
static void steps_print(const struct acceptance *a, bool exercises, char *buf)
{
	*buf = '\0';
	for (size_t i = 0; i < a->step_count; i++) {
		const struct step *step = &a->steps[i];
		size_t len = strlen(step->say);

		assert_true(strchr(".?", step->say[len - 1]));
		if ((step->kind == STEP_EXERCISE) != exercises)
			continue;
		text_add(buf, TEXT_MAX, "%s %s", step_kind_name((enum step_kind)step->kind), step->who);
		if (step->finding)
			text_add(buf, TEXT_MAX, " F%lld", (long long)step->finding);
		if (step->proven)
			text_add(buf, TEXT_MAX, " proven %llu", (unsigned long long)step->settles);
		text_add(buf, TEXT_MAX, ": %.*s\n%s", (int)(len - (step->say[len - 1] == '.')), step->say,
			 step->lines ? step->lines : "");
	}
}

/* Who answers, and why: as a person fills it in. */
static void fill_in(char *text)
{
	char *at;

	if ((at = strstr(text, "WHO")))
		memcpy(at, "ann", 3);
	if ((at = strstr(text, "WHY")))
		memcpy(at, "old", 3);
}

/* The file as a person changes it who reads the sentence. */
static char *change(const char *site, const struct step *step)
{
	const char *from = site, *behind, *at;
	unsigned line = 0, last = 0;
	bool replaces = false;
	char *made = NULL;

	if ((at = strstr(step->say, "behind line "))) {
		assert_int_equal(sscanf(at, "behind line %u of", &line), 1);
	} else {
		at = strstr(step->say, "take line");
		at = at ? at : strstr(step->say, "in place of line");
		assert_non_null(at);
		at += strcspn(at, "0123456789");
		assert_true(sscanf(at, "%u-%u", &line, &last) >= 1);
		last = last ? last : line;
		line--;
		replaces = true;
	}
	for (unsigned i = 0; i < line; i++)
		from = strchr(from, '\n') + 1;
	behind = from;
	for (unsigned i = line; replaces && i < last; i++)
		behind = strchr(behind, '\n') + 1;
	assert_true(asprintf(&made, "%.*s%s%s", (int)(from - site), site,
	                     step->lines ? step->lines : "", behind) > 0);
	fill_in(made);
	return made;
}

static size_t open_findings(const struct acceptance *a)
{
	size_t count = 0;

	for (size_t i = 0; i < a->finding_count; i++)
		count += !a->findings[i].waived;
	return count;
}

/* Recorded anew under the changed file: so many findings less as it was to settle, and no other one. */
static void try_step(const char *site, void (*tell)(struct wire *w), const struct acceptance *before,
                     const struct step *step)
{
	CLEANUP(freep) char *changed = change(site, step);
	CLEANUP(run_freep) struct run *run = run_new(changed);
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(acceptance_freep) struct acceptance *after = NULL;
	size_t gone;

	tell(w);
	run_wire(run, w, 1);
	after = check(run, &policy);
	gone = step->settles;
	/* "this also makes 45.33.20.9 a proven maestro (F7)" */
	for (const char *at = step->say; (at = strstr(at, " a proven ")); at++)
		gone++;
	if (open_findings(after) + gone != open_findings(before))
		fail_msg("%s\n%s\n%zu findings before, %zu after", step->say, changed,
		         open_findings(before), open_findings(after));
}

struct remedy_case {
	const char *what, *site;
	void (*tell)(struct wire *w);
	const char *steps; /* all but exercises */
};

/* ------------------------------------------------------------------ what is told */

static void two_resolvers(struct wire *w)
{
	wire_at(w, 61);
	talk_dns(w, "10.20.0.15:52001 > 10.0.0.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
	talk_dns(w, "10.20.0.15:52002 > 10.0.1.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
	talk_dns(w, "10.20.0.15:52003 > 10.0.2.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
}

static void resolver_of_two(struct wire *w)
{
	wire_at(w, 61);
	talk_dns(w, "10.20.0.15:52002 > 10.0.1.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
	talk_dns(w, "10.20.1.21:52003 > 10.0.1.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
}

static void taught_resolver(struct wire *w)
{
	wire_at(w, 61);
	talk_dhcp(w, &(struct dhcp_case){"00:26:8c:01:02:03", "10.20.0.15", "10.20.0.1", "255.255.255.0",
	                                 "10.20.0.1", "10.0.0.53", 0x11223301});
	talk_dns(w, "10.20.0.15:52001 > 10.0.0.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
	talk_dns(w, "10.20.0.15:52002 > 8.8.8.8:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
}

/* Its word alone makes somebody the maestro. */
static void resolver_that_lies(struct wire *w)
{
	wire_at(w, 61);
	talk_dns(w, "10.20.0.15:52000 > 10.0.0.53:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "203.0.113.20"));
	talk_dns(w, "10.20.0.15:52001 > 8.8.8.8:53",
	         DNS("config.maestro.starleaf.com", DNS_A, NULL, "45.33.20.9"));
	talk_tls(w, "10.20.0.15:49703 > 45.33.20.9:443", TLS(.sni = "config.maestro.starleaf.com"));
}

static void stranger_in_a_call(struct wire *w)
{
	wire_at(w, 61);
	talk_rtp(w, "10.20.0.15:50009 > 45.33.20.10:50500", AUDIO(20));
}

static void stranger_inside(struct wire *w)
{
	wire_at(w, 61);
	talk_tls(w, "10.20.0.15:49200 > 10.0.0.20:443", TLS(.sni = "fe.corp.example"));
	talk_rtp(w, "10.20.0.15:50009 > 10.9.9.9:50500", AUDIO(20));
}

static void shared_as_video(struct wire *w)
{
	wire_at(w, 61);
	talk_ice(w, "10.20.0.15:50045 > 52.112.1.9:50211");
	talk_rtp(w, "10.20.0.15:50045 > 52.112.1.9:50211", VIDEO(60));
}

static void relayed_from_elsewhere(struct wire *w)
{
	wire_at(w, 61);
	talk_msturn(w, "10.20.0.15:50105 > 52.114.2.2:3478", "93.184.216.34:50100", AUDIO(40));
}

static void wide_media(struct wire *w)
{
	wire_at(w, 61);
	talk_ice(w, "10.20.0.15:51005 > 10.0.0.20:50105");
	talk_rtp(w, "10.20.0.15:51005 > 10.0.0.20:50105", AUDIO(40));
}

static void panel(struct wire *w)
{
	struct message ask = message_noise(60, 1), answer = message_noise(140, 10);

	wire_at(w, 61);
	talk_tcp(w, "[2001:db8:20::99]:49500 > [2001:db8:20::15]:5000", &ask, &answer);
}

/* At two ports: a finding each. */
static void panels(struct wire *w)
{
	struct message ask = message_noise(60, 1), answer = message_noise(140, 10);

	panel(w);
	talk_tcp(w, "[2001:db8:20::99]:49501 > [2001:db8:20::15]:5152", &ask, &answer);
}

static void translated(struct wire *w)
{
	static const char *const tuples[] = {"10.20.0.15:1031 > 52.112.1.9:50110",
	                                     "10.20.0.15:22345 > 52.112.1.9:50111",
	                                     "10.20.0.15:41001 > 52.112.1.9:50112"};

	for (size_t i = 0; i < ARRAY_LEN(tuples); i++) {
		wire_at(w, 61 + (double)i);
		talk_ice(w, tuples[i]);
		talk_rtp(w, tuples[i], AUDIO(40));
	}
}

static void other_ports(struct wire *w)
{
	wire_at(w, 60.5);
	talk_ice(w, "10.20.0.15:50003 > 52.112.1.9:50109");
	talk_rtp(w, "10.20.0.15:50003 > 52.112.1.9:50109", AUDIO(40));
	translated(w);
}

static void clocks(struct wire *w)
{
	wire_at(w, 61);
	talk_ntp(w, "10.20.0.15:123 > 162.159.200.1:123");
	talk_ntp(w, "10.20.1.21:123 > 162.159.200.1:123");
}

static void translated_peer(struct wire *w)
{
	wire_at(w, 61);
	talk_ice(w, "10.20.0.15:50010 > 93.184.216.34:16332");
	talk_rtp(w, "10.20.0.15:50010 > 93.184.216.34:16332", AUDIO(40));
}

static void by_a_proxy(struct wire *w)
{
	struct message ask = message_text("CONNECT sipdir.online.lync.com:443 HTTP/1.1\r\n"
	                                  "Host: sipdir.online.lync.com:443\r\n\r\n");
	struct message answer = message_text("HTTP/1.1 200 Connection established\r\n\r\n");
	struct message hello = message_client_hello("sipdir.online.lync.com", 0x0303);
	struct message hello_back = message_server_hello(0x0303, false);
	const char *there = "10.20.0.15:49300 > 10.0.0.8:3128", *back = "10.0.0.8:3128 > 10.20.0.15:49300";

	wire_at(w, 61);
	talk_open(w, there);
	talk_send(w, there, &ask);
	talk_send(w, back, &answer);
	talk_send(w, there, &hello);
	talk_send(w, back, &hello_back);
	talk_close(w, there);
}

static void known_as_another(struct wire *w)
{
	wire_at(w, 61);
	talk_tls(w, "10.20.0.15:49200 > 10.0.0.30:443", TLS(.version = 0x0304));
	talk_tls(w, "10.20.0.15:49201 > 10.0.0.53:443", TLS(.version = 0x0304));
}

static void new_room(struct wire *w)
{
	wire_at(w, 61);
	wire_mac(w, "10.20.3.30", "00:26:8c:07:08:09");
	talk_dns(w, "10.20.3.30:52001 > 10.0.0.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
	talk_ice(w, "10.20.3.30:50003 > 52.112.1.9:50109");
}

static void closed_ways(struct wire *w)
{
	wire_at(w, 61);
	talk_dns(w, "10.20.0.15:52001 > 10.0.0.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
	wire_tcp(w, "10.20.0.15:49800 > 10.0.0.10:88", "S", NULL, 0);
	wire_icmp_error(w, "10.20.0.1 > 10.20.0.15", 3, 13);
	talk_refused(w, "10.20.0.15:49721 > 10.0.0.11:88");
	talk_silence(w, "10.20.0.15:49722 > 10.0.0.12:88");
	wire_wait(w, 40);
	talk_dns(w, "10.20.0.15:52002 > 10.0.0.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
}

static void refused_twice(struct wire *w)
{
	wire_at(w, 61);
	talk_refused(w, "10.20.0.15:49721 > 10.0.0.53:53");
	talk_refused(w, "10.20.1.21:49721 > 10.0.0.53:53");
	wire_wait(w, 40);
	talk_dns(w, "10.20.0.15:52002 > 10.0.0.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
	talk_dns(w, "10.20.1.21:52002 > 10.0.0.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
}

static void one_side(struct wire *w)
{
	wire_at(w, 61);
	for (unsigned i = 0; i < 4; i++) {
		struct message hello = message_client_hello("fe.corp.example", 0x0303);

		wire_tcp(w, "10.20.0.15:49200 > 10.0.0.30:443", "PA", hello.b, hello.len);
		wire_wait(w, 1);
	}
}

/* ------------------------------------------------------------------ and what is to be said */

#define BOARDROOM "{name: boardroom, addresses: [10.20.0.15], profiles: [room, online]}"
#define SPOKEN_FOR "; if not, find out why the unit talks to it, and block it"

static const struct remedy_case CASES[] = {
	{"a resolver that the site does not know", /* each by itself: they are another /24 each */
         "units:\n  - " BOARDROOM "\nroles:\n  dns-server:\n    addresses:\n      - 10.0.0.53 # the old one\n",
         two_resolvers,
         "site boardroom F1 proven 1: If 10.0.1.53 is yours to trust as dns-server, list it under roles: behind "
         "line 6 of site.yaml" SPOKEN_FOR "\n      - 10.0.1.53\n"
         "site boardroom F2 proven 1: If 10.0.2.53 is yours to trust as dns-server, list it under roles: behind "
         "line 6 of site.yaml" SPOKEN_FOR "\n      - 10.0.2.53\n"},
	{"... which two units ask: whoever is named is proven by nobody's word",
         "units:\n  - " BOARDROOM "\n  - {name: huddle, addresses: [10.20.1.21], profiles: [room]}\n"
         "roles: {dns-server: {addresses: [10.0.0.53]}}\n",
         resolver_of_two,
         "site boardroom, huddle F1 proven 2: If 10.0.1.53 is yours to trust as dns-server, list it under roles: in "
         "place of line 4 of site.yaml; settles F1 and F2" SPOKEN_FOR "\n"
         "roles: {dns-server: {addresses: [10.0.0.53, 10.0.1.53]}}\n"},
	{"... where DHCP taught one: that is listed too, or it would be nobody any more",
         "units:\n  - {name: boardroom, macs: [\"00:26:8c:01:02:03\"], profiles: [room]}\n", taught_resolver,
         "site boardroom F1 proven 1: If 8.8.8.8 is yours to trust as dns-server, list it, beside those that DHCP "
         "teaches, under roles: behind line 2 of site.yaml (where roles: is there by then, without the first "
         "line)" SPOKEN_FOR "\nroles:\n  dns-server: {addresses: [8.8.8.8, 10.0.0.53]}\n"},
	{"a resolver, and who is proven by its word alone: that one keeps a step of its own",
         "units:\n  - " BOARDROOM "\nroles: {dns-server: {addresses: [10.0.0.53]}}\n", resolver_that_lies,
         "site boardroom F2 proven 1: If 8.8.8.8 is yours to trust as dns-server, list it under roles: in place of line 3 "
         "of site.yaml; this also makes 45.33.20.9 a proven maestro (F1)" SPOKEN_FOR "\n"
         "roles: {dns-server: {addresses: [10.0.0.53, 8.8.8.8]}}\n"
         "site boardroom F1 proven 1: If 45.33.20.9 is yours to trust as maestro, list it under roles: in place of line 3 "
         "of site.yaml" SPOKEN_FOR "\n"
         "roles: {dns-server: {addresses: [10.0.0.53]}, maestro: {addresses: [45.33.20.9]}}\n"},
	{"nobody is made an other client",
         "units:\n  - " BOARDROOM "\nroles: {other-client: {addresses: [10.20.64.0/20]}}\n", stranger_in_a_call,
         "network boardroom F1: Find out whose 45.33.20.10 is: no list of sfb-online or other-client holds it, and it "
         "answered no check of ICE; who was in the call? Is the list of endpoints an old one ('tlmon rules lint')? "
         "If nobody knows it, block it\n"},
	{"... nor a front end, inside the company",
         "units:\n  - {name: boardroom, addresses: [10.20.0.15], profiles: [onprem]}\n"
         "roles: {other-client: {addresses: [10.20.64.0/20]}, front-end: {addresses: [10.0.0.21]},\n"
         "        edge: {addresses: [203.0.113.20]},\n"
         "        sfb-auth: {addresses: [10.0.0.20]}}\n",
         stranger_inside,
         "network boardroom F1: Find out whether 10.9.9.9 took part in a call: it answered no check of ICE, and "
         "other-client does not hold it; if whole networks of yours hold clients, the site may say so under roles\n"},
	{"screens shared as video", "units:\n  - " BOARDROOM "\noptions: {nat: false}\n", shared_as_video,
         "site boardroom F1 proven 1: If screens may be shared as video over UDP, say so under options: in place of "
         "line 3 of site.yaml\noptions: {nat: false, allow-vbss: true}\n"},
	{"relayed media held to the fixed ports",
         "units:\n  - " BOARDROOM "\noptions:\n  strict-relay-ports: true # why?\n", relayed_from_elsewhere,
         "site boardroom F1 proven 1: The document leaves the ports of relayed media to the configuration; if the "
         "site need not be stricter, say so under options: in place of line 4 of site.yaml\n"
         "  strict-relay-ports: false # why?\n"},
	{"a row that the site has narrowed",
         "units:\n  - {name: boardroom, addresses: [10.20.0.15], profiles: [onprem]}\n"
         "narrow:\n  onprem.out.media_udp: {local-ports: [50000-50059]}\n"
         "roles: {front-end: {addresses: [10.0.0.20]}}\n",
         wide_media,
         "site boardroom F1 proven 1: The site holds onprem.out.media_udp to less than the document does; if it "
         "should not, take lines 3-4 out of site.yaml\n"},
	{"a profile that the unit lacks",
         "units:\n  - {name: boardroom, addresses: [10.20.0.15, \"2001:db8:20::15\"],\n     profiles: [room, online]}\n"
         "roles: {touch-controller: {addresses: [\"2001:db8:20::99\"]}}\n",
         panel,
         "site boardroom F1 proven 1: If boardroom is also deployed as touch (Internal for Teamline 5141), give it "
         "that profile under units: in place of line 3 of site.yaml\n     profiles: [room, online, touch]}\n"},
	{"... which settles two findings of the one unit",
         "units:\n  - {name: boardroom, addresses: [10.20.0.15, \"2001:db8:20::15\"],\n     profiles: [room, online]}\n"
         "roles: {touch-controller: {addresses: [\"2001:db8:20::99\"]}}\n",
         panels,
         "site boardroom F1 proven 2: If boardroom is also deployed as touch (Internal for Teamline 5141), give it "
         "that profile under units: in place of line 3 of site.yaml; settles F1 and F2\n"
         "     profiles: [room, online, touch]}\n"},
	{"the same row closed to two units",
         "units:\n  - {name: boardroom, addresses: [10.20.0.15], profiles: [room]}\n"
         "  - {name: huddle, addresses: [10.20.1.21], profiles: [room]}\n"
         "roles: {dns-server: {addresses: [10.0.0.53]}}\n",
         refused_twice,
         "network boardroom F1: 10.0.0.53 itself refuses TCP port 53: start the service there, or open its own port; no "
         "filter on the way does it\n"
         "network huddle F2: 10.0.0.53 itself refuses TCP port 53: start the service there, or open its own port; no "
         "filter on the way does it\n"},
	{"a translator before the unit", "units:\n  - " BOARDROOM "\n", translated,
         "site boardroom F1 proven 1: No media of the unit comes from the ports that it should; set the unit's media "
         "ports, or if the mirror stands behind a translator, say so under options: behind line 2 of site.yaml "
         "(where options: is there by then, without the first line)\noptions: {nat: true}\n"},
	{"... but where some media keeps to its ports there is none", "units:\n  - " BOARDROOM "\n", other_ports,
         "unit boardroom F1: Set the unit's media ports so that online.out.audio comes from 50000-50019\n"},
	{"the same at two units",
         "units:\n  - " BOARDROOM "\n  - {name: huddle, addresses: [10.20.1.21], profiles: [room]}\nwaivers:\n"
         "- {units: [huddle], kind: media, owner: me, reason: so, expires: 2027-01-01}\n",
         clocks,
         "site boardroom, huddle F1 proven 2: If ntp to 162.159.200.0/24 is to stay, waive it (owner, reason and "
         "expiry are yours to fill in) under waivers: behind line 5 of site.yaml; settles F1 and F2\n"
         "- units: [boardroom, huddle]\n  kind: remote-port\n  row: room.out.dhcp\n  remote: 162.159.200.0/24\n"
         "  transport: udp\n  remote-ports: [123]\n  application: ntp\n  owner: WHO\n  reason: WHY\n"
         "  expires: 2026-05-31\n"},
	{"a translator before the peer", "units:\n  - " BOARDROOM "\nwaivers: []\n", translated_peer,
         "site boardroom F1 proven 1: If what a translator makes of the peer's port is to stay, waive it (owner, "
         "reason and expiry are yours to fill in) under waivers: in place of line 3 of site.yaml\n"
         "waivers: [{units: [boardroom], kind: remote-port, row: online.out.audio, "
         "transport: udp, remote-ports: [16332], application: rtp, owner: WHO, reason: WHY, expires: 2026-05-31}]\n"},
	{"a proxy that nobody named", "units:\n  - " BOARDROOM "\n", by_a_proxy,
         "site boardroom F1 proven 1: If 10.0.0.8 is yours to trust as web-proxy, list it under roles: behind line 2 "
         "of site.yaml (where roles: is there by then, without the first line)" SPOKEN_FOR "\n"
         "roles:\n  web-proxy: {addresses: [10.0.0.8]}\n"},
	{"what would make another one wrong is not proven",
         "units:\n  - {name: boardroom, addresses: [10.20.0.15], profiles: [onprem]}\n"
         "roles: {dns-server: {addresses: [10.0.0.53]}}\n",
         known_as_another,
         "network boardroom F1: Find out why the unit talks to 10.0.0.53, and block it if nobody knows\n"},
	{"a host on no list",
         "units: [" BOARDROOM "]\nroles: {dns-server: {addresses: [10.0.0.53]}}\n", new_room,
         "mirror boardroom: Not a packet was seen: is it switched on, does the mirror show its port, are its "
         "addresses and MACs those of the list? 'tlmon doctor' says what the mirror shows\n"
         "site 10.20.3.30 F1: If 10.20.3.30 is a room system of yours, list it by a name of its own, with the "
         "profiles that it is deployed as, under units: in place of line 1 of site.yaml\n"
         "units: [" BOARDROOM ", {name: new-10.20.3.30, addresses: [10.20.3.30], macs: [\"00:26:8c:07:08:09\"], "
         "profiles: [room, online]}]\n"},
	{"ways that are closed",
         "units:\n  - {name: boardroom, addresses: [10.20.0.15], profiles: [room, onprem]}\n"
         "roles: {dns-server: {addresses: [10.0.0.53]}, domain-controller: {addresses: [10.0.0.10, 10.0.0.11, "
         "10.0.0.12]}}\n",
         closed_ways,
         "firewall boardroom F3: Allow UDP and TCP from 10.20.0.15 ports 1024-65535 to 10.0.0.10, 10.0.0.11, "
         "10.0.0.12 port 88 out; 10.20.0.1 forbids it now (ICMP 3/13); nothing comes back now: look for a filter "
         "between the mirror and 10.0.0.12, it does not say who it is\n"
         "# for 'nft -f'; table and chain are the usual ones: put in yours\n"
         "insert rule inet filter forward ip saddr 10.20.0.15 ip daddr { 10.0.0.10, 10.0.0.11, 10.0.0.12 } udp sport "
         "1024-65535 udp dport 88 accept comment \"onprem.out.kerberos: On-premise Skype for Business 2015 or Lync "
         "2013 / Outbound / 2\"\n"
         "insert rule inet filter forward ip saddr 10.20.0.15 ip daddr { 10.0.0.10, 10.0.0.11, 10.0.0.12 } tcp sport "
         "1024-65535 tcp dport 88 accept comment \"onprem.out.kerberos: On-premise Skype for Business 2015 or Lync "
         "2013 / Outbound / 2\"\n"
         "insert rule inet filter forward ct state established,related accept comment \"answers to what is allowed\"\n"
         "network boardroom F1: 10.0.0.11 itself refuses TCP port 88: start the service there, or open its own port; "
         "no filter on the way does it\n"},
	{"a mirror that shows one direction",
         "units:\n  - {name: boardroom, addresses: [10.20.0.15], profiles: [onprem]}\n"
         "roles: {sfb-auth: {addresses: [10.0.0.30]}}\n",
         one_side,
         "mirror boardroom: The mirror shows one direction of conversations: let it copy what the port sends as well "
         "as what it receives\n"},
};

static void steps_are_said_and_hold(void **state)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		const struct remedy_case *c = &CASES[i];
		CLEANUP(run_freep) struct run *run = run_new(c->site);
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(policy_freep) struct policy *policy = NULL;
		CLEANUP(acceptance_freep) struct acceptance *acceptance = NULL;
		char said[TEXT_MAX];

		c->tell(w);
		run_wire(run, w, 1);
		acceptance = check(run, &policy);
		steps_print(acceptance, false, said);
		for (size_t k = 0; k < acceptance->step_count; k++)
			if (acceptance->steps[k].proven)
				try_step(c->site, c->tell, acceptance, &acceptance->steps[k]);
		if (!strcmp(said, c->steps))
			continue;
		fprintf(stderr, "%s\n--- expected\n%s--- said\n%s", c->what, c->steps, said);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* What one exercise shows is one step, for all units that want it; of a group's rows the one of its media alone. */
static void exercises_are_gathered(void **state)
{
	static const char site[] = "units:\n  - {name: boardroom, addresses: [10.20.0.15], profiles: [room]}\n"
				   "  - {name: huddle, addresses: [10.20.1.21], profiles: [room, online]}\n"
				   "roles: {dns-server: {addresses: [10.0.0.53]}}\n";
	CLEANUP(run_freep) struct run *run = run_new(site);
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(acceptance_freep) struct acceptance *acceptance = NULL;
	char said[TEXT_MAX];

	wire_at(w, 61);
	talk_dns(w, "10.20.0.15:52001 > 10.0.0.53:53", DNS("a.example", DNS_A, NULL, "203.0.113.1"));
	run_wire(run, w, 1);
	acceptance = check(run, &policy);
	steps_print(acceptance, true, said);
	assert_string_equal(
		said,
		"exercise boardroom, huddle: Switch the unit on, or renew its network settings; shows room.out.dhcp, "
		"room.in.dhcp, room.out.dns\n"
		"exercise boardroom, huddle: Switch the unit on and leave it idle for ten minutes\n"
		"exercise huddle: Sign the unit out and in again; shows online.out.auth_https, online.out.sip_tls, "
		"online.out.psom_tls\n"
		"exercise huddle: Join a meeting and speak; shows audio by one of online.out.relay_tcp, "
		"online.out.relay_udp, online.out.audio, online.in.audio\n"
		"exercise huddle: Join a meeting with the camera on; shows video by one of online.out.relay_tcp, "
		"online.out.relay_udp, online.out.video, online.in.video\n"
		"exercise huddle: Share a screen in a meeting; shows data by one of online.out.relay_tcp, "
		"online.out.relay_udp, online.out.appshare, online.in.appshare\n"
		"exercise boardroom, huddle: Open the web page of the unit in a browser (recommended)\n");
}

/* More than can be tried, and more than is looked at: what is left out is said. */
static void work_is_bounded_and_it_is_said(void **state)
{
	enum { UNITS = 9, EACH = 30 };
	char site[2048] = "roles: {dns-server: {addresses: [10.0.0.53]}}\nunits:\n", tuple[64];
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(run_freep) struct run *run = NULL;
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(acceptance_freep) struct acceptance *acceptance = NULL;
	size_t proven = 0, untried = 0, left_out = 0;

	wire_at(w, 61);
	for (unsigned unit = 0; unit < UNITS; unit++) {
		text_add(site, sizeof(site), "  - {name: u%u, addresses: [10.20.0.%u], profiles: [room]}\n", unit,
			 unit + 10);
		for (unsigned i = 0; i < EACH; i++) {
			snprintf(tuple, sizeof(tuple), "10.20.0.%u:%u > 10.%u.%u.53:53", unit + 10, 52000 + i,
				 100 + unit, i);
			talk_dns(w, tuple, DNS("a.example", DNS_A, NULL, "203.0.113.1"));
		}
	}
	run = run_new(site);
	run_wire(run, w, 1);
	acceptance = check(run, &policy);
	for (size_t i = 0; i < acceptance->step_count; i++) {
		const struct step *step = &acceptance->steps[i];

		proven += step->proven;
		untried += strstr(step->say, "were tried for others alone") != NULL;
		left_out += strstr(step->say, "14 more findings were not looked at") != NULL;
	}
	assert_int_equal(proven, REMEDY_TRIES_MAX);
	assert_int_equal(untried, REMEDY_FINDINGS_MAX - REMEDY_TRIES_MAX);
	assert_int_equal(left_out, 1);
}

/* More flows of another unit than are judged again, before all that the cases tell. */
static void many_others(struct wire *w)
{
	char tuple[64];

	for (unsigned i = 0; i <= REMEDY_BESIDE_MAX; i++) {
		wire_at(w, 1 + i / 100.0);
		snprintf(tuple, sizeof(tuple), "10.20.1.21:%u > 10.0.0.53:53", 10000 + i);
		talk_refused(w, tuple);
	}
}

/* Not all flows of a long window are judged again: those of the unit in question are, and what is left out is said. */
static void a_long_window_is_judged_in_part(void **state)
{
	static const struct {
		void (*tell)(struct wire *w);
		const char *profiles, *says;
		bool proven;
	} cases[] = {
		{resolver_that_lies, "room, online", " (of other flows 4000 of the window were judged again); this also makes 45.33.20.9", true},
		{known_as_another, "onprem", "Find out why the unit talks to 10.0.0.53", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(run_freep) struct run *run = NULL;
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(policy_freep) struct policy *policy = NULL;
		CLEANUP(acceptance_freep) struct acceptance *acceptance = NULL;
		const struct step *found = NULL;
		char said[TEXT_MAX], site[512];

		snprintf(site, sizeof(site),
		         "units:\n  - {name: huddle, addresses: [10.20.1.21], profiles: [room]}\n"
		         "  - {name: boardroom, addresses: [10.20.0.15], profiles: [%s]}\n"
		         "roles: {dns-server: {addresses: [10.0.0.53]}}\n",
		         cases[i].profiles);
		run = run_new(site);
		many_others(w);
		cases[i].tell(w);
		run_wire(run, w, 1);
		acceptance = check(run, &policy);
		for (size_t k = 0; k < acceptance->step_count; k++)
			if (strstr(acceptance->steps[k].say, cases[i].says))
				found = &acceptance->steps[k];
		steps_print(acceptance, false, said);
		if (!found)
			fail_msg("%s is not said:\n%s", cases[i].says, said);
		assert_int_equal(found->proven, cases[i].proven);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_are_said_and_hold),
		cmocka_unit_test(exercises_are_gathered),
		cmocka_unit_test(work_is_bounded_and_it_is_said),
		cmocka_unit_test(a_long_window_is_judged_in_part),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

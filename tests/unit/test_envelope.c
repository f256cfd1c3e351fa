/*
 * test_envelope.c - the documented rows compiled in, held against the table of the document row by
 * row, and what is refused in an envelope of somebody's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rules/envelope.h"

#include <unistd.h>

/* "Teamline 5141, ports and protocols": words parted by blanks, ports as printed. */
static const struct {
	const char *id, *direction, *ip_version, *transport, *local, *remote, *peer,
		*application, *media;
} DOCUMENT[] = {
	{"room.out.dns", "out", "4 6", "tcp udp", "1024-65535", "53", "dns-server", "dns", ""},
	{"room.out.dhcp", "out", "4 6", "udp", "68", "67", "dhcp-server", "dhcp", ""},
	{"room.out.maestro", "out", "4 6", "tcp", "1024-65535", "443", "maestro", "tls", ""},
	{"room.out.llmnr", "out", "4 6", "tcp udp", "1024-65535", "5355", "local-segment",
	 "llmnr", ""},
	{"room.in.dhcp", "in", "4 6", "udp", "68", "67", "dhcp-server", "dhcp", ""},
	{"room.in.control_api", "in", "4 6", "tcp", "80", "1024-65535", "any", "http", ""},
	{"room.in.web_ui", "in", "4 6", "tcp", "443", "1024-65535", "any", "tls", ""},
	{"onprem.out.autodiscover", "out", "4 6", "tcp", "1024-65535", "80", "autodiscover",
	 "http", ""},
	{"onprem.out.kerberos", "out", "4 6", "tcp udp", "1024-65535", "88",
	 "domain-controller", "kerberos", ""},
	{"onprem.out.auth_https", "out", "4 6", "tcp", "1024-65535", "443", "sfb-auth", "tls",
	 ""},
	{"onprem.out.turn_udp", "out", "4 6", "udp", "1024-65535", "3478", "edge",
	 "msturn stun rtp rtcp", "audio video"},
	{"onprem.out.sip", "out", "4 6", "tcp", "1024-65535", "5061", "front-end", "sip_tls",
	 ""},
	{"onprem.out.media_udp", "out in", "4 6", "udp", "1024-65535", "1024-65535",
	 "front-end other-client", "stun rtp rtcp", "audio video"},
	{"onprem.out.media_tcp", "out in", "4 6", "tcp", "1024-65535", "1024-65535",
	 "front-end other-client", "stun rtp rtcp", "audio video appshare"},
	{"onprem.out.psom", "out in", "4 6", "tcp", "1024-65535", "1024-65535",
	 "front-end other-client", "psom psom_tls stun rtp", "filetransfer"},
	{"external.out.sip_tls", "out", "4 6", "tcp", "1024-65535", "443", "edge", "sip_tls",
	 ""},
	{"external.out.psom_tls", "out", "4 6", "tcp", "1024-65535", "443", "edge", "psom_tls",
	 ""},
	{"external.out.turn_tcp", "out", "4 6", "tcp", "1024-65535", "443", "edge",
	 "msturn stun", "audio video appshare"},
	{"external.out.turn_3478", "out", "4 6", "tcp", "1024-65535", "3478", "edge",
	 "msturn stun", "audio video"},
	{"external.out.peer_udp", "out in", "4 6", "udp", "1024-65535", "1024-65535",
	 "other-client", "stun rtp rtcp", "audio video"},
	{"external.out.peer_tcp", "out in", "4 6", "tcp", "1024-65535", "1024-65535",
	 "other-client", "stun rtp rtcp", "audio video appshare"},
	{"external.out.edge_udp", "out", "4 6", "udp", "1024-65535", "50000-59999", "edge",
	 "stun rtp rtcp", "audio video"},
	{"external.out.edge_tcp", "out", "4 6", "tcp", "1024-65535", "50000-59999", "edge",
	 "stun rtp rtcp", "audio video appshare"},
	{"online.out.auth_https", "out", "4 6", "tcp", "1024-65535", "443", "sfb-online", "tls",
	 ""},
	{"online.out.sip_tls", "out", "4 6", "tcp", "1024-65535", "443", "sfb-online",
	 "sip_tls", ""},
	{"online.out.psom_tls", "out", "4 6", "tcp", "1024-65535", "443", "sfb-online",
	 "psom_tls", ""},
	{"online.out.relay_tcp", "out", "4 6", "tcp", "1024-65535", "443", "sfb-online",
	 "msturn stun tls", "audio video appshare"},
	{"online.out.relay_udp", "out", "4 6", "udp", "1024-65535", "3478-3481", "sfb-online",
	 "msturn stun rtp rtcp", "audio video appshare"},
	{"online.out.audio", "out", "4 6", "tcp udp", "50000-50019", "50000-59999",
	 "sfb-online other-client", "stun rtp rtcp", "audio"},
	{"online.out.video", "out", "4 6", "tcp udp", "50020-50039", "50000-59999",
	 "sfb-online other-client", "stun rtp rtcp", "video"},
	{"online.out.appshare", "out", "4 6", "tcp", "50040-50059", "50000-59999",
	 "sfb-online other-client", "stun rtp", "appshare"},
	{"online.in.audio", "in", "4 6", "tcp udp", "50000-50019", "50000-59999",
	 "sfb-online other-client", "stun rtp rtcp", "audio"},
	{"online.in.video", "in", "4 6", "tcp udp", "50020-50039", "50000-59999",
	 "sfb-online other-client", "stun rtp rtcp", "video"},
	{"online.in.appshare", "in", "4 6", "tcp", "50040-50059", "50000-59999",
	 "sfb-online other-client", "stun rtp", "appshare"},
	{"touch.in.control", "in", "6", "tcp", "69, 443, 5000, 5152, 23456", "1024-65535",
	 "touch-controller", "opaque", ""},
};

/* What stands beside rows in inferred readings: ambiguities A5, A14 and the sign-in names of 4.3; A17, A20 by option. */
static const struct {
	const char *id, *transport, *local, *peer, *application, *media;
	enum site_option when;
	bool instead;
} READINGS[] = {
	{"onprem.out.auth_https", "tcp", "1024-65535", "autodiscover", "tls", "", OPTION_NONE,
	 false},
	{"external.out.turn_3478", "udp", "1024-65535", "edge", "msturn stun rtp rtcp",
	 "audio video", OPTION_NONE, false},
	{"online.out.auth_https", "tcp", "1024-65535", "o365-sign-in", "tls", "", OPTION_NONE,
	 false},
	{"online.out.relay_tcp", "tcp", "50000-50019", "sfb-online", "msturn stun tls", "audio",
	 OPTION_STRICT_RELAY_PORTS, true},
	{"online.out.relay_tcp", "tcp", "50020-50039", "sfb-online", "msturn stun tls", "video",
	 OPTION_STRICT_RELAY_PORTS, true},
	{"online.out.relay_tcp", "tcp", "50040-50059", "sfb-online", "msturn stun tls", "data",
	 OPTION_STRICT_RELAY_PORTS, true},
	{"online.out.relay_udp", "udp", "50000-50019", "sfb-online", "msturn stun rtp rtcp",
	 "audio", OPTION_STRICT_RELAY_PORTS, true},
	{"online.out.relay_udp", "udp", "50020-50039", "sfb-online", "msturn stun rtp rtcp",
	 "video", OPTION_STRICT_RELAY_PORTS, true},
	{"online.out.relay_udp", "udp", "50040-50059", "sfb-online", "msturn stun rtp rtcp",
	 "data", OPTION_STRICT_RELAY_PORTS, true},
	{"online.out.appshare", "udp", "50040-50059", "sfb-online other-client",
	 "stun rtp rtcp", "video", OPTION_ALLOW_VBSS, false},
	{"online.in.appshare", "udp", "50040-50059", "sfb-online other-client", "stun rtp rtcp",
	 "video", OPTION_ALLOW_VBSS, false},
};

static struct envelope *builtin(void)
{
	struct envelope *envelope = NULL;
	struct err err = {0};

	if (envelope_load(NULL, &envelope, &err) < 0)
		fail_msg("%s", err.text);
	return envelope;
}

static bool has_word(const char *words, const char *word, size_t len)
{
	for (const char *p = words; *p; p += strcspn(p, ", "), p += strspn(p, ", "))
		if (strcspn(p, ", ") == len && !memcmp(p, word, len))
			return true;
	return false;
}

/* The same words, in whatever order. */
static void assert_words(const char *id, const char *seen, const char *expected)
{
	for (unsigned i = 0; i < 2; i++) {
		const char *a = i ? seen : expected, *b = i ? expected : seen;

		for (const char *p = a; *p; p += strcspn(p, ", "), p += strspn(p, ", "))
			if (!has_word(b, p, strcspn(p, ", ")))
				fail_msg("%s: '%s', expected '%s'", id, seen, expected);
	}
}

struct printed {
	char direction[16], ip_version[16], transport[16], local[128], remote[128], peer[256],
		application[256], media[64];
};

static void print_form(const struct envelope *envelope, const struct row_form *form,
		       struct printed *ret)
{
	struct printed p = {.direction = ""};

	text_add(p.direction, sizeof(p.direction), "%s%s",
		 form->directions & BIT(DIRECTION_OUT) ? "out " : "",
		 form->directions & BIT(DIRECTION_IN) ? "in" : "");
	text_add(p.ip_version, sizeof(p.ip_version), "%s%s",
		 form->ip_versions & BIT(4) ? "4 " : "", form->ip_versions & BIT(6) ? "6" : "");
	text_add(p.transport, sizeof(p.transport), "%s%s", form->tcp ? "tcp " : "",
		 form->udp ? "udp" : "");
	port_set_print(&form->local, p.local, sizeof(p.local));
	port_set_print(&form->remote, p.remote, sizeof(p.remote));
	for (size_t i = 0; i < envelope->role_count; i++)
		if (form->peers >> i & 1)
			text_add(p.peer, sizeof(p.peer), "%s ", envelope->roles[i].id);
	for (unsigned i = 0; i < APP_COUNT; i++)
		if (app_set_has(&form->apps, (enum app)i) &&
		    (i != APP_TLS || !(form->sip_tls || form->psom_tls)))
			text_add(p.application, sizeof(p.application), "%s ",
				 app_name((enum app)i));
	text_add(p.application, sizeof(p.application), "%s%s%s",
		 form->sip_tls ? "sip_tls " : "", form->psom_tls ? "psom_tls " : "",
		 form->opaque ? "opaque" : "");
	text_add(p.media, sizeof(p.media), "%s%s%s", form->media & MEDIA_AUDIO ? "audio " : "",
		 form->media & MEDIA_VIDEO ? "video " : "",
		 form->media & MEDIA_DATA ? "data" : "");
	*ret = p;
}

static void all_35_rows_say_what_the_document_says(void **state)
{
	CLEANUP(envelope_freep) struct envelope *envelope = builtin();

	assert_int_equal(ARRAY_LEN(DOCUMENT), 35);
	assert_int_equal(envelope->row_count, ARRAY_LEN(DOCUMENT));
	for (size_t i = 0; i < ARRAY_LEN(DOCUMENT); i++) {
		const struct row *row = &envelope->rows[i];
		struct printed p;

		print_form(envelope, &row->form[0], &p);
		assert_string_equal(row->id, DOCUMENT[i].id);
		assert_words(row->id, p.direction, DOCUMENT[i].direction);
		assert_words(row->id, p.ip_version, DOCUMENT[i].ip_version);
		assert_words(row->id, p.transport, DOCUMENT[i].transport);
		assert_string_equal(p.local, DOCUMENT[i].local);
		assert_string_equal(p.remote, DOCUMENT[i].remote);
		assert_words(row->id, p.peer, DOCUMENT[i].peer);
		assert_words(row->id, p.application, DOCUMENT[i].application);
		assert_words(row->id, row->application_words, DOCUMENT[i].application);
		assert_words(row->id, row->media_words, DOCUMENT[i].media);
		assert_true(row->stated);
	}
}

static void further_readings_are_those_we_chose(void **state)
{
	CLEANUP(envelope_freep) struct envelope *envelope = builtin();
	size_t further = 0;

	for (size_t i = 0; i < ARRAY_LEN(READINGS); i++) {
		const struct row *row =
			&envelope->rows[envelope_find_row(envelope, READINGS[i].id)];
		bool found = false;

		for (unsigned f = 1; f < row->form_count; f++) {
			const struct row_form *form = &row->form[f];
			struct printed p;

			print_form(envelope, form, &p);
			if (form->when != READINGS[i].when ||
			    form->instead != READINGS[i].instead ||
			    strcmp(p.local, READINGS[i].local))
				continue;
			assert_words(row->id, p.transport, READINGS[i].transport);
			assert_words(row->id, p.peer, READINGS[i].peer);
			assert_words(row->id, p.application, READINGS[i].application);
			assert_words(row->id, p.media, READINGS[i].media);
			assert_int_equal(form->inferred, !form->instead);
			found = true;
		}
		if (!found)
			fail_msg("%s: no such reading", READINGS[i].id);
	}
	for (size_t i = 0; i < envelope->row_count; i++)
		further += envelope->rows[i].form_count - 1;
	assert_int_equal(further, ARRAY_LEN(READINGS));
}

static void every_row_names_its_place_its_need_and_how_to_exercise_it(void **state)
{
	static const char *const profiles[] = {"room", "onprem", "external", "online", "touch"};
	static const char *const titles[] = {
		"Room system connectivity", "On-premise Skype for Business 2015 or Lync 2013",
		"Teamline systems on external networks", "Skype for Business Online",
		"Internal for Teamline 5141"};
	static const unsigned counts[] = {7, 8, 8, 11, 1};
	CLEANUP(envelope_freep) struct envelope *envelope = builtin();
	unsigned seen[ARRAY_LEN(counts)] = {0};

	assert_int_equal(envelope->profile_count, ARRAY_LEN(profiles));
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
		assert_string_equal(envelope->profiles[i].id, profiles[i]);
		assert_string_equal(envelope->profiles[i].title, titles[i]);
	}
	for (size_t i = 0; i < envelope->row_count; i++) {
		const struct row *row = &envelope->rows[i];
		char end[16];

		snprintf(end, sizeof(end), " / %u",
			 ++seen[row->profile]); /* rows are numbered within a section */
		assert_int_equal(strncmp(row->document, titles[row->profile],
					 strlen(titles[row->profile])),
				 0);
		assert_string_equal(row->document + strlen(row->document) - strlen(end), end);
		assert_true(strlen(row->exercise) > 10);
		assert_true(strlen(row->need_reason) > 10);
		assert_false(row->need_by_site);
		assert_int_equal(strncmp(row->id, profiles[row->profile],
					 strlen(profiles[row->profile])),
				 0);
	}
	assert_memory_equal(seen, counts, sizeof(counts));
	assert_int_equal(envelope->rows[envelope_find_row(envelope, "touch.in.control")].need,
			 NEED_IF_USED);
	assert_int_equal(
		envelope->rows[envelope_find_row(envelope, "online.out.psom_tls")].need,
		NEED_IF_USED);
	assert_int_equal(envelope->rows[envelope_find_row(envelope, "online.out.audio")].need,
			 NEED_REQUIRED);
}

static void rows_are_decided_together_where_the_wire_or_the_network_makes_them_one(void **state)
{
	static const struct {
		const char *id;
		enum group_rule rule;
		uint8_t media;
		const char *rows[GROUP_ROWS_MAX];
	} GROUPS[] = {
		{"onprem.audio", GROUP_ONE_OF, MEDIA_AUDIO, {"onprem.out.turn_udp", "onprem.out.media_udp", "onprem.out.media_tcp"}},
		{"onprem.video", GROUP_ONE_OF, MEDIA_VIDEO, {"onprem.out.turn_udp", "onprem.out.media_udp", "onprem.out.media_tcp"}},
		{"external.edge_443", GROUP_TOGETHER, 0, {"external.out.sip_tls", "external.out.psom_tls"}},
		{"external.audio", GROUP_ONE_OF, MEDIA_AUDIO, {"external.out.turn_tcp", "external.out.turn_3478", "external.out.peer_udp", "external.out.peer_tcp", "external.out.edge_udp", "external.out.edge_tcp"}},
		{"external.video", GROUP_ONE_OF, MEDIA_VIDEO, {"external.out.turn_tcp", "external.out.turn_3478", "external.out.peer_udp", "external.out.peer_tcp", "external.out.edge_udp", "external.out.edge_tcp"}},
		{"external.appshare", GROUP_ONE_OF, MEDIA_DATA, {"external.out.turn_tcp", "external.out.peer_tcp", "external.out.edge_tcp"}},
		{"online.https", GROUP_TOGETHER, 0, {"online.out.auth_https", "online.out.sip_tls", "online.out.psom_tls"}},
		{"online.audio", GROUP_ONE_OF, MEDIA_AUDIO, {"online.out.relay_tcp", "online.out.relay_udp", "online.out.audio", "online.in.audio"}},
		{"online.video", GROUP_ONE_OF, MEDIA_VIDEO, {"online.out.relay_tcp", "online.out.relay_udp", "online.out.video", "online.in.video"}},
		{"online.appshare", GROUP_ONE_OF, MEDIA_DATA, {"online.out.relay_tcp", "online.out.relay_udp", "online.out.appshare", "online.in.appshare"}},
	};
	CLEANUP(envelope_freep) struct envelope *envelope = builtin();

	assert_int_equal(envelope->group_count, ARRAY_LEN(GROUPS));
	for (size_t i = 0; i < ARRAY_LEN(GROUPS); i++) {
		const struct row_group *group = &envelope->groups[i];

		assert_string_equal(group->id, GROUPS[i].id);
		assert_int_equal(group->rule, GROUPS[i].rule);
		assert_int_equal(group->media, GROUPS[i].media);
		assert_true(strlen(group->reason) > 10);
		for (unsigned k = 0; k < group->row_count; k++) {
			const struct row *row = &envelope->rows[group->rows[k]];

			assert_string_equal(row->id, GROUPS[i].rows[k]);
			/* whoever says which media it wants names rows that may carry it */
			assert_int_equal(row->form[0].media & group->media, group->media);
		}
		assert_true(group->row_count == GROUP_ROWS_MAX || !GROUPS[i].rows[group->row_count]);
	}
}

static bool holds(const struct role *role, const char *text)
{
	struct addr addr;

	if (addr_parse(text, &addr) < 0) {
		for (size_t i = 0; i < role->name_count; i++)
			if (name_fits(role->names[i], text))
				return true;
		for (size_t i = 0; i < role->endpoint.name_count; i++)
			if (name_fits(role->endpoint.names[i], text))
				return true;
		return false;
	}
	for (size_t i = 0; i < role->prefix_count; i++)
		if (prefix_covers(&role->prefixes[i], &addr))
			return true;
	for (size_t i = 0; i < role->endpoint.prefix_count; i++)
		if (prefix_covers(&role->endpoint.prefixes[i], &addr))
			return true;
	return false;
}

static void the_document_itself_says_who_holds_some_roles(void **state)
{
	static const struct {
		const char *role, *who;
		bool holds;
	} cases[] = {
		{"maestro", "config.maestro.starleaf.com", true},
		{"maestro", "fw.maestro.starleaf.com", true},
		{"maestro", "maestro.starleaf.com", true},
		{"maestro", "starleaf.com", false},
		{"dhcp-server", "255.255.255.255", true},
		{"local-segment", "224.0.0.252", true},
		{"local-segment", "ff02::1:3", true},
		{"local-segment", "fe80::1", true},
		{"local-segment", "169.254.7.7", true},
		{"local-segment", "224.0.0.251", false},
		{"sfb-online", "52.114.1.2", true},
		{"sfb-online", "52.127.255.255", false},
		{"sfb-online", "13.107.64.1", true},
		{"sfb-online", "2603:1027::7", true},
		{"sfb-online", "sipdir.online.lync.com", true},
		{"sfb-online", "login.microsoftonline.com", false},
		{"sfb-online", "40.126.1.1", false},
		{"o365-sign-in", "login.microsoftonline.com", true},
		{"o365-sign-in", "aadcdn.msauth.net", true},
		{"o365-sign-in", "40.126.1.1", true},
		{"o365-sign-in", "www.youtube.com", false}, /* Common, but not required */
		{"o365-sign-in", "outlook.office365.com.example", false},
		{"edge", "52.114.1.2", false},
	};
	CLEANUP(envelope_freep) struct envelope *envelope = builtin();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (holds(&envelope->roles[envelope_find_role(envelope, cases[i].role)],
			  cases[i].who) != cases[i].holds)
			fail_msg("%s and %s", cases[i].role, cases[i].who);
	assert_string_equal(envelope->endpoints_date, "2020-08-06");
}

static void roles_carry_what_is_special_about_them(void **state)
{
	CLEANUP(envelope_freep) struct envelope *e = builtin();

	assert_true(e->roles[envelope_find_role(e, "any")].anyone);
	assert_true(e->roles[envelope_find_role(e, "local-segment")].own_subnet);
	assert_int_equal(e->roles[envelope_find_role(e, "dns-server")].learn, LEARN_DHCP_DNS);
	assert_int_equal(e->roles[envelope_find_role(e, "dhcp-server")].learn,
			 LEARN_DHCP_SERVER);
	assert_true(e->roles[envelope_find_role(e, "front-end")].one_service);
	assert_false(e->roles[envelope_find_role(e, "edge")].one_service);
	assert_int_equal(e->roles[envelope_find_role(e, "autodiscover")].domain_name_count, 3);
	assert_int_equal(envelope_find_role(e, "web-proxy"), e->role_count - 1);
	assert_true(e->roles[e->role_count - 1].site_only);
	assert_int_equal(e->oui_count, 1);
	assert_memory_equal(e->ouis[0].b, "\x00\x26\x8c\x00\x00\x00", 6);
	assert_int_equal(e->unit_name_count, 2);
	assert_int_equal(e->rows[envelope_find_row(e, "touch.in.control")].severity[FIELD_PEER],
			 SEVERITY_HIGH);
	assert_int_equal(
		e->rows[envelope_find_row(e, "room.out.dhcp")].severity[FIELD_LOCAL_PORT],
		SEVERITY_LOW);
	assert_int_equal(e->rows[envelope_find_row(e, "online.out.audio")].severity[FIELD_PEER],
			 SEVERITY_NONE);
}

static void port_sets_merge_what_touches_and_refuse_what_does_not_fit(void **state)
{
	struct port_set set = {0}, other = {0}, common;
	char text[128];

	assert_int_equal(port_set_add(&set, 443, 443), 0);
	assert_int_equal(port_set_add(&set, 3478, 3481), 0);
	assert_int_equal(port_set_add(&set, 80, 80), 0);
	assert_int_equal(port_set_add(&set, 81, 442), 0);
	assert_string_equal(port_set_print(&set, text, sizeof(text)), "80-443, 3478-3481");
	assert_int_equal(port_set_size(&set), 368);
	assert_true(port_set_has(&set, 3481));
	assert_false(port_set_has(&set, 3482));
	assert_int_equal(port_set_add(&set, 1, 65535), 0);
	assert_string_equal(port_set_print(&set, text, sizeof(text)), "1-65535");
	for (uint16_t port = 1; port <= 2 * PORT_RANGES_MAX; port = (uint16_t)(port + 2))
		assert_int_equal(port_set_add(&other, port, port), 0);
	assert_int_equal(port_set_add(&other, 100, 100), -E2BIG);
	assert_int_equal(port_set_add(&other, 2, 2), 0);
	assert_int_equal(port_set_add(&other, 100, 100), 0);
	assert_true(port_set_within(&other, &set));
	assert_false(port_set_within(&set, &other));
	common = port_set_common(&set, &other);
	assert_memory_equal(&common, &other, sizeof(common));
}

/* An envelope folder of two files; what loading it says. */
static void assert_refused(const char *roles, const char *rows, const char *said)
{
	char folder[] = "/tmp/test_envelope.XXXXXX", roles_path[64], rows_path[64];
	struct envelope *envelope = NULL;
	struct err err = {0};
	FILE *file;

	assert_non_null(mkdtemp(folder));
	snprintf(roles_path, sizeof(roles_path), "%s/roles.yaml", folder);
	snprintf(rows_path, sizeof(rows_path), "%s/x.yaml", folder);
	file = fopen(roles_path, "w");
	fputs(roles, file);
	fclose(file);
	file = fopen(rows_path, "w");
	fputs(rows, file);
	fclose(file);
	assert_true(envelope_load(folder, &envelope, &err) < 0);
	assert_null(envelope);
	unlink(roles_path);
	unlink(rows_path);
	rmdir(folder);
	if (!strstr(err.text, said))
		fail_msg("'%s' does not say '%s'", err.text, said);
}

#define ROLES "roles: {a: {meaning: m}}\n"
#define ROW(keys) "profile: x\nrows:\n  - {id: x.a, document: d, direction: [out], " keys "}\n"
#define TWO ROW(REST) "  - {id: x.b, document: d, direction: [out], " REST "}\n"
#define REST \
	"transport: [tcp], local-ports: [1], remote-ports: [2], peer: [a], application: [tls]"

static void an_envelope_that_is_wrong_says_where(void **state)
{
	static const struct {
		const char *roles, *rows, *said;
	} cases[] = {
		{"roles: {a: {}}\n", ROW(REST), "roles.yaml:1:12: a role lacks 'meaning'"},
		{"roles: {a: {meaning: m, lern: x}}\n", ROW(REST), "did you mean 'learn'?"},
		{"roles: {a: {meaning: m, endpoints: {file: e.json}}}\n", ROW(REST),
		 "no such file beside roles.yaml"},
		{"profiles: [y]\n" ROLES, ROW(REST), "no such profile beside roles.yaml"},
		{"profiles: [x, x]\n" ROLES, ROW(REST),
		 "roles.yaml:1:15: the profile stands here twice"},
		{"units: {ouis: [\"00:26\"]}\n" ROLES, ROW(REST),
		 "'00:26' is no maker's prefix"},
		{ROLES, ROW("transport: [tcp]"), "x.yaml:3:5: a row lacks 'local-ports'"},
		{ROLES, ROW(REST ", media: [sound]"),
		 "unknown media 'sound'; accepted: audio, video, appshare, filetransfer"},
		{ROLES, ROW("transport: [sctp]"),
		 "x.yaml:3:58: unknown transport 'sctp'; accepted: tcp, udp"},
		{ROLES, ROW("peer: [b]"), "unknown role 'b'; accepted: a"},
		{ROLES, ROW("peer: []"), "an empty list of roles; accepted: a"},
		{ROLES, ROW("local-ports: [0]"), "port '0' does not exist"},
		{ROLES, ROW("local-ports: [1-]"), "'1-' is no port"},
		{ROLES, ROW("local-ports: [99999999999999999999]"), "does not exist"},
		{ROLES, ROW(REST ", also: [{when: sometimes}]"), "unknown option 'sometimes'"},
		{ROLES, ROW(REST ", instead: [{media: [audio]}]"),
		 "an instead reading needs 'when'"},
		{ROLES, ROW(REST ", severity: {per: high}"), "unknown field 'per'"},
		{ROLES, ROW(REST ", need: never"),
		 "unknown need 'never'; accepted: required, recommended, if-used"},
		{ROLES, TWO "groups: [{id: x.g}]\n", "x.yaml:5:10: a group lacks 'decided'"},
		{ROLES, TWO "groups: [{id: x.a}]\n", "there is a profile, a row or a group 'x.a' already"},
		{ROLES, TWO "groups: [{id: x}]\n", "there is a profile, a row or a group 'x' already"},
		{ROLES, TWO "groups: [{id: x.g, decided: one}]\n",
		 "unknown way to decide 'one'; accepted: together, one-of"},
		{ROLES, TWO "groups: [{id: x.g, decided: together, media: [audio]}]\n",
		 "media is for groups that are decided one-of"},
		{ROLES, TWO "groups: [{id: x.g, decided: together, rows: [x.a, x.c], reason: r}]\n",
		 "x.yaml:5:51: this profile has no row 'x.c'"},
		{ROLES, TWO "groups: [{id: x.g, decided: together, rows: [x.a], reason: r}]\n",
		 "a group has two rows at least"},
		{ROLES, TWO "groups: [{id: x.g, decided: together, rows: [x.b, x.a], reason: r}]\n",
		 "rows of a group stand in the order of the profile, each once"},
		{ROLES, TWO "groups: [{id: x.g, decided: together, rows: [x.a, x.a], reason: r}]\n",
		 "rows of a group stand in the order of the profile, each once"},
		{ROLES, TWO "groups: [{id: x.g, decided: together, rows: [x.a, x.b]}]\n",
		 "a group lacks 'reason'"},
		{ROLES,
		 TWO "groups:\n- {id: x.g, decided: together, rows: [x.a, x.b], reason: r}\n"
		     "- {id: x.h, decided: one-of, rows: [x.a, x.b], reason: r}\n",
		 "x.yaml:7:36: x.a is in group 'x.g' already; a row that is decided together with others is in "
		 "no second group"},
		{ROLES,
		 TWO "groups:\n- {id: x.g, decided: one-of, rows: [x.a, x.b], reason: r}\n"
		     "- {id: x.h, decided: together, rows: [x.a, x.b], reason: r}\n",
		 "x.a is in group 'x.g' already"},
		{ROLES, ROW(REST) "  - {id: x.a, document: d}\n",
		 "x.yaml:4:10: there is a row or a group 'x.a' already"},
		{ROLES, "profile: x\nrows: []\n", "no profile with rows in it"},
		{ROLES, "rows: []\n", "x.yaml:1:1: a profile lacks 'profile'"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_refused(cases[i].roles, cases[i].rows, cases[i].said);
}

#define TWO_PROFILES "# FILE roles.yaml\n" ROLES "# FILE x.yaml\n" TWO
#define SECOND(profile, row, groups) \
	"# FILE y.yaml\nprofile: " profile "\nrows:\n  - {id: " row ", document: d, direction: [out], " REST "}\n" groups
#define GROUP(id, rows) "groups: [{id: " id ", decided: one-of, rows: [" rows "], reason: r}]\n"

static void profiles_share_no_rows_and_no_names_of_groups(void **state)
{
	static const struct {
		const char *text, *said; /* NULL: nothing is wrong */
	} cases[] = {
		{TWO_PROFILES GROUP("x.g", "x.a, x.b") SECOND("y", "y.a", ""), NULL},
		{TWO_PROFILES GROUP("x.g", "x.a, x.b") SECOND("y", "x.g", ""),
		 "there is a row or a group 'x.g' already"},
		{TWO_PROFILES GROUP("y", "x.a, x.b") SECOND("y", "y.a", ""),
		 "there is a profile or a group 'y' already"},
		{TWO_PROFILES SECOND("y", "y.a", GROUP("y.g", "x.a, x.b")),
		 "this profile has no row 'x.a'"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(envelope_freep) struct envelope *envelope = NULL;
		struct err err = {0};
		int r = envelope_of_text(cases[i].text, &envelope, &err);

		assert_int_equal(r < 0, cases[i].said != NULL);
		if (cases[i].said && !strstr(err.text, cases[i].said))
			fail_msg("'%s' does not say '%s'", err.text, cases[i].said);
	}
}

static void two_loads_of_the_same_text_have_the_same_hash(void **state)
{
	CLEANUP(envelope_freep) struct envelope *a = builtin(), *b = builtin();

	assert_string_equal(a->hash, b->hash);
	assert_int_equal(strlen(a->hash), 64);
	assert_non_null(strstr(a->text, "# FILE online.yaml\n"));
	assert_non_null(strstr(a->text, "# FILE o365-endpoints-2020-08-06.json\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_35_rows_say_what_the_document_says),
		cmocka_unit_test(further_readings_are_those_we_chose),
		cmocka_unit_test(every_row_names_its_place_its_need_and_how_to_exercise_it),
		cmocka_unit_test(rows_are_decided_together_where_the_wire_or_the_network_makes_them_one),
		cmocka_unit_test(the_document_itself_says_who_holds_some_roles),
		cmocka_unit_test(roles_carry_what_is_special_about_them),
		cmocka_unit_test(port_sets_merge_what_touches_and_refuse_what_does_not_fit),
		cmocka_unit_test(an_envelope_that_is_wrong_says_where),
		cmocka_unit_test(profiles_share_no_rows_and_no_names_of_groups),
		cmocka_unit_test(two_loads_of_the_same_text_have_the_same_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

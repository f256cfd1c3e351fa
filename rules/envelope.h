/*
 * envelope.h - the documented rows: YAML files of one folder -> an immutable struct envelope.
 * The engine knows no vendor: which roles, profiles and rows exist is said by the folder alone.
 */
#ifndef RULES_ENVELOPE_H
#define RULES_ENVELOPE_H

#include "schema/verdict.h"

#define PORT_RANGES_MAX 8
#define FORMS_MAX 4  /* a row and its `also` readings */
#define ROLES_MAX 32 /* masks of roles are uint32_t */
#define PROFILES_MAX 16

struct port_set {
	uint8_t count; /* sorted, disjoint ranges */
	struct {
		uint16_t low, high;
	} range[PORT_RANGES_MAX];
};

/* Adds ports low to high; -E2BIG when PORT_RANGES_MAX disjoint ranges do not do. */
int port_set_add(struct port_set *set, uint16_t low, uint16_t high) MUST_CHECK;
bool port_set_within(const struct port_set *set, const struct port_set *whole);
struct port_set port_set_common(const struct port_set *a, const struct port_set *b);
bool port_set_has(const struct port_set *set, uint16_t port);
unsigned port_set_size(const struct port_set *set); /* how many ports it allows */
bool port_set_equal(const struct port_set *a, const struct port_set *b);
bool port_set_is_ephemeral(const struct port_set *set); /* exactly 1024-65535 */
const char *port_set_print(const struct port_set *set, char *buf,
                           size_t size); /* "3478-3481, 443" */

/* Application words of the rows. sip-tls and psom-tls are met by the fact `tls` at unproven. */
enum { WORD_SIP_TLS = APP_COUNT, WORD_PSOM_TLS, WORD_OPAQUE, WORD_COUNT };

/* Options of the site file on which a reading of a row can hang. */
enum site_option {
	OPTION_NONE,
	OPTION_NAT,
	OPTION_STRICT_RELAY_PORTS,
	OPTION_ALLOW_VBSS,
	OPTION_COUNT
};

/* How a row can be read: its own keys, or those with an `also` entry laid over them. */
struct row_form {
	uint8_t directions;  /* mask BIT(DIRECTION_OUT), BIT(DIRECTION_IN) */
	uint8_t ip_versions; /* mask BIT(4), BIT(6) */
	bool tcp, udp;
	bool inferred;          /* origin: inferred */
	uint8_t when;           /* enum site_option: holds only where the site sets it */
	bool instead;           /* ... and then takes the place of the forms that are not */
	bool opaque;            /* application: opaque = any or none */
	bool tls;               /* `tls` stands there itself */
	bool sip_tls, psom_tls; /* met by `tls` at unproven, exact under design.md 4 */
	bool psom;              /* psom in clear: no dissector can prove it */
	uint8_t media;          /* mask MEDIA_*; 0: the row names none */
	uint32_t peers;         /* mask of roles */
	struct port_set local, remote;
	struct app_set
		apps; /* the words that are applications; with sip_tls, psom_tls: APP_TLS too */
	const char *note; /* "" if none */
};

enum need { NEED_REQUIRED, NEED_RECOMMENDED, NEED_IF_USED, NEED_COUNT };
const char *need_name(enum need need); /* required recommended if-used */

struct row {
	char id[ROW_ID_MAX];
	const char *document; /* the place in the document */
	const char *exercise; /* what to do in the room; "" */
	const char *note;     /* "" */
	uint8_t profile;      /* index */
	uint8_t need;         /* enum need: whether a unit is accepted that was not seen to use it */
	const char *need_reason; /* why; of a policy's row the site's word, where it has one; "" */
	bool need_by_site;       /* of a policy's row alone: the site file says so ... */
	bool need_alone;         /* ... of this very row, and requires it: no other of a group does instead */
	bool stated;          /* origin: stated (the default) */
	unsigned form_count;
	struct row_form form[FORMS_MAX];             /* [0] is the row as written */
	const char *application_words, *media_words; /* as written, ", " between; "" */
	uint8_t severity
		[FIELD_COUNT]; /* optional key `severity: {peer: high}`; 0: as domain.md 5.4 says */
};

/*
 * Rows of one profile whose need is decided together. TOGETHER: they cannot be told apart on the wire, so a flow that
 * exercises one of them exercises all. ONE_OF: the network chooses the way, so one of them that works is
 * enough. A row may stand in several groups of the second kind.
 */
#define GROUPS_MAX 64
#define GROUP_ROWS_MAX 8
enum group_rule { GROUP_TOGETHER, GROUP_ONE_OF };
const char *group_rule_name(enum group_rule rule); /* together one-of */
struct row_group {
	char id[ROW_ID_MAX];
	const char *reason;
	uint8_t profile, rule; /* enum group_rule */
	uint8_t media; /* of ONE_OF: mask MEDIA_*, only flows that carry it count; 0: any flow */
	uint8_t row_count;
	uint16_t rows[GROUP_ROWS_MAX]; /* indices, in the order of the envelope */
};

struct profile {
	char id[32];
	const char *title;
};

/* Which sets of a Microsoft endpoint file a role takes. */
struct endpoint_choice {
	char **areas; /* "Skype", "Common"; none: all */
	size_t area_count;
	bool required; /* only sets marked required */
};

/* What they hold. */
struct endpoint_list {
	struct prefix *prefixes;
	size_t prefix_count;
	char **names; /* patterns, lower case */
	size_t name_count;
};

enum role_learn { LEARN_NOTHING, LEARN_DHCP_DNS, LEARN_DHCP_SERVER };

/* What the document itself says of a role (roles.yaml); the site adds holders. */
struct role {
	char id[32];
	const char *meaning;
	bool anyone;     /* `any`: everyone holds it, no name proves it */
	bool own_subnet; /* the unit's own subnet holds it */
	uint8_t learn;   /* enum role_learn */
	bool site_only;  /* a role of the site file that no row names (web-proxy) */
	bool by_ice; /* left empty, an answered ICE check proves it (whoever else takes part in a call) */
	bool proxy; /* goes where it is asked to: CONNECT is judged by the host (domain A2) */
	bool one_service; /* its holders offer one service only: sip-tls, psom-tls may be exact there */
	struct prefix *prefixes;
	size_t prefix_count;
	char **names; /* lower case; "*.x" stands for all levels below x; "*" may stand inside too */
	size_t name_count;
	char **domain_names; /* "lyncdiscover": with each of the site's domains, or any while it has none */
	size_t domain_name_count;
	char **habits; /* "sts": how sites often call its holders; proves nothing, and only `tlmon suggest` looks */
	size_t habit_count;
	const char *
		endpoints; /* file of Microsoft endpoint JSON built in or in the folder; NULL */
	struct endpoint_choice choice; /* what of such a file counts for this role */
	struct endpoint_list
		endpoint; /* what `endpoints` says, until the site names another file */
};

struct envelope {
	struct row *rows;
	size_t row_count;
	struct profile profiles[PROFILES_MAX];
	size_t profile_count;
	struct row_group groups[GROUPS_MAX];
	size_t group_count;
	struct role roles[ROLES_MAX];
	size_t role_count;
	struct mac *ouis; /* makers' prefixes that tell a unit; last three bytes zero */
	size_t oui_count;
	char **unit_names; /* names that only units ask for: patterns as in a role */
	size_t unit_name_count;
	char *text; /* all files, each behind a line "# FILE name", in name order */
	size_t text_len;
	char hash[65];           /* SHA-256 of text */
	char endpoints_date[16]; /* of the endpoint snapshot: "2020-08-06"; "" */
	void *arena;             /* owns every string above */
};

/*
 * Reads the folder at `path`, or what is compiled in if it is NULL. On success *ret_envelope is the
 * caller's, to be given to envelope_free(); it never changes again. On failure *ret_envelope is
 * untouched and err says file, line, column, value and what is accepted.
 */
int envelope_load(const char *path, struct envelope **ret_envelope, struct err *err) MUST_CHECK;
/* The same of what `text` of an envelope holds: no file is read. */
int envelope_of_text(const char *text, struct envelope **ret_envelope,
                     struct err *err) MUST_CHECK;
/*
 * Hands over what the document calls each row that such a text holds; nothing else of it is read or checked, and the
 * long lists of endpoints are passed over. Below 0 from `each`, which fills err, is returned.
 */
int envelope_documents(const char *text,
                       int (*each)(void *context, const char *row, const char *document,
                                   struct err *err),
                       void *context, struct err *err) MUST_CHECK;
void envelope_free(struct envelope *envelope);
void envelope_freep(struct envelope **envelope);

/* -1 if there is none. */
int envelope_find_row(const struct envelope *envelope, const char *id);
int envelope_find_role(const struct envelope *envelope, const char *id);
int envelope_find_profile(const struct envelope *envelope, const char *id);
int envelope_find_group(const struct envelope *envelope, const char *id);

/*
 * DHCP and UDP media in and out mirror each other (design.md 5): the row that a UDP flow of rows[at] exercises
 * as well: same profile, ports and media, UDP, other direction; -1: none.
 */
int row_mirror(const struct row *rows, size_t count, size_t at);

/* Whether `name` fits `pattern` ("*.lync.com", "sts*.example.com", "lyncdiscover.*"). Case does not matter. */
bool name_fits(const char *pattern, const char *name);

#endif

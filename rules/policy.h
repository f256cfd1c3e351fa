/*
 * policy.h - envelope and site file, compiled for matching. Immutable after load: reloading builds
 * a second one and swaps. Units, roles' holders, waivers, options all hang from here.
 */
#ifndef RULES_POLICY_H
#define RULES_POLICY_H

#include "rules/envelope.h"
#include "rules/prefix_index.h"
#include "schema/keep.h"

/* One entry of `units`: one host, or every host seen in a prefix. */
struct unit_rule {
	char *name; /* of the entry; for --unit without a name the address text */
	struct prefix *prefixes;
	size_t prefix_count;
	struct mac *macs;
	size_t mac_count;
	uint32_t profiles; /* mask */
	bool many;         /* holds a prefix of more than one host: each host seen is a unit */
	bool unnamed;      /* a prefix of --unit: its hosts go by their address alone */
	const char *file;  /* where it stands, for messages */
	unsigned line;
};

struct waiver {
	/* scope: an empty one fits all */
	char **units;
	size_t unit_count;
	uint8_t kind;                        /* enum kind; KIND_NONE: any */
	int row;                             /* index; -1: any */
	struct prefix remote;                /* bits 0: any */
	uint8_t transport;                   /* 0: any */
	struct port_set local, remote_ports; /* count 0: any */
	uint16_t app;                        /* APP_NONE: any */
	/* who, why, until when */
	char *owner, *reason;
	char *expires;       /* as written */
	int64_t expires_us;  /* last moment of it */
	const char *place;   /* of `expires`: "site.yaml:6:14", ... */
	const char *excerpt; /* ... and that line with a caret below */
	const char *file;
	unsigned line;
};

/* Who holds a role here: what the document says, the site's additions, or both. */
struct role_holders {
	struct prefix *prefixes; /* sorted by address, for search */
	size_t prefix_count;
	char **names;
	size_t name_count;
	bool by_site; /* the site file names holders */
};

struct mac_entry {
	struct mac mac;
	uint32_t unit; /* index */
};

/* What one reading of a row expects, in words (expected.h). */
struct expected {
	const char *field[FIELD_COUNT];
	const char *ruled_out; /* "not tls or http": of a flow that is certainly none of its applications */
};

struct policy {
	const struct envelope *envelope;
	struct envelope *owned_envelope; /* NULL if the caller brought one */
	char *site_name;                 /* "" */
	struct unit_rule *units;
	size_t unit_count;
	char **domains;
	size_t domain_count;
	struct role_holders holders[ROLES_MAX];
	struct row *rows; /* the envelope's, narrowed; same order and number */
	size_t row_count;
	bool *row_narrowed;
	struct expected *expected; /* FORMS_MAX a row */
	uint32_t proxies; /* roles that go where they are asked to, where somebody is listed under them */
	struct waiver *waivers;
	size_t waiver_count;
	struct prefix *subnets; /* the units' own subnets as the site lists them */
	size_t subnet_count;
	bool nat, strict_relay_ports, allow_vbss; /* options; all false by default */
	enum keep keep;  /* what of a packet may be kept as evidence; all of it by default */
	char *site_text; /* the site file, "" without one (then the --unit words) */
	char hash[65];   /* SHA-256 of envelope text and site text: names this version */
	char endpoints_date
		[16]; /* of the list that counts: the envelope's, or of a file the site names; "" */

	/* what the lookups below go through */
	struct prefix_index unit_prefixes; /* value: index of the unit */
	struct prefix_index role_prefixes; /* value: mask of roles */
	struct mac_entry *macs;            /* sorted */
	size_t mac_count;
	struct name_index *role_names;
	void *arena;
};

/* Words of --unit/--profile: beside or instead of a site file. */
struct policy_args {
	const char *envelope_path; /* NULL: compiled in */
	const char *site_path;     /* NULL: none */
	const char *
		site_text; /* the site file's bytes, if they are at hand: `site_path` is then its name alone */
	size_t site_text_len;
	const struct envelope *
		envelope; /* one that is loaded already, borrowed for the policy's life; NULL */
	const char *const *units; /* "192.168.1.6", "10.20.8.0/22", "00:26:8c:01:02:03" */
	size_t unit_count;
	const char *profiles; /* "room,online"; needed with units, checked without; NULL */
	/* A policy that was recorded: its texts take the place of all of the above. NULL: none. */
	const char *recorded_envelope, *recorded_site;
};

/*
 * Loads and checks all of it. On success *ret_policy is the caller's (policy_free()). On failure
 * err names file, line, column, value and what is accepted, with the line and a caret.
 * Expired waivers are no failure here (expiry is held against a flow's time); lint reports them.
 */
int policy_load(const struct policy_args *args, struct policy **ret_policy,
                struct err *err) MUST_CHECK;
void policy_free(struct policy *policy);
/* "room,online" (blanks do as well) -> mask. 0 or -EINVAL; err says which profile there is not, and which there are. */
int policy_parse_profiles(const struct envelope *envelope, const char *words,
                          uint32_t *ret_mask, struct err *err) MUST_CHECK;
void policy_freep(struct policy **policy);

/*
 * The unit that holds this MAC or address (each may be NULL); NULL if none does. A listed MAC goes
 * before an address; of prefixes the most specific wins.
 */
const struct unit_rule *policy_find_unit(const struct policy *policy, const struct addr *addr,
                                         const struct mac *mac);
/* Name of the unit at `addr` under `rule`: the entry's name, or "name/addr" where it stands for many. Returns `buf`. */
const char *unit_name(const struct unit_rule *rule, const struct addr *addr, char *buf,
                      size_t size);
#define UNIT_NAME_MAX 128

/* Mask of the roles in whose list this address stands (the site's and the document's; not learnt, not `any`). */
uint32_t policy_roles_of_addr(const struct policy *policy, const struct addr *addr);
/* Mask of the roles one of whose names fits. */
uint32_t policy_roles_of_name(const struct policy *policy, const char *name);
/* Whether this host looks like a unit of the maker: by OUI of its MAC, or by a name it asked for. Either may be NULL. */
bool policy_looks_like_unit(const struct policy *policy, const struct mac *mac,
                            const char *name);

/* One thing `rules lint` has to say. */
enum lint_level { LINT_INFO, LINT_WARNING };
struct lint {
	enum lint_level level;
	char text
		[1024]; /* a sentence; names rows, roles, lines, and the remedy; of a place in a file its line, too */
};
/* `now_us` is what expiry and the snapshot's age are held against. Calls `say` for each. Returns how many warnings. */
unsigned policy_lint(const struct policy *policy, int64_t now_us,
                     void (*say)(void *context, const struct lint *lint), void *context);

/* The waiver that excuses a flow under this verdict at `when_us`; NULL. `expired` (may be NULL) gets one that would have. */
const struct waiver *policy_find_waiver(const struct policy *policy, const char *unit,
                                        const struct verdict *verdict,
                                        const struct flow_facts *facts, unsigned local,
                                        enum app app, int64_t when_us,
                                        const struct waiver **expired);
/* "owner: reason (until 2026-12-31)". Returns `buf`. */
const char *waiver_print(const struct waiver *waiver, char *buf, size_t size);

/* The roles that a row of some unit needs and nobody holds, nor DHCP tells: "front-end,edge". */
void policy_roles_unknown(const struct policy *policy, char *buf, size_t size);

#endif

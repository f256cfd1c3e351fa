/*
 * suggestion.h - a site file proposed from what was recorded: which hosts are units, who holds which role, which
 * profiles are in use. Everything that is proposed carries its evidence; what is not proven well enough is there too,
 * commented out, with the reason. It never proposes ports, and nobody becomes an `other-client`.
 *
 *     candidates_find()  who looks like a unit       (candidates.c)
 *     holders_note()     flows -> evidence of roles   (holders.c)
 *     leases_note()      leases -> the same           (leases.c)
 *     holders_settle()   evidence -> who holds what   (settle.c)
 *     profiles_note()    rows that flows fit          (profiles.c)
 *     outcome_note()     what it all comes to         (outcome.c)
 *     site_write()       all of it as YAML            (site_text.c)
 *     site_merge()       into a file that there is    (site_merge.c)
 *
 * Between these steps what is known so far is loaded as a policy, and the recorded flows are judged by it.
 */
#ifndef MONITOR_SUGGEST_SUGGESTION_H
#define MONITOR_SUGGEST_SUGGESTION_H

#include "rules/policy.h"
#include "schema/flowdb_query.h"

#define CANDIDATES_MAX 4096
#define CANDIDATE_ADDRESSES_MAX \
	24 /* more than one host has before its MAC counts as a router's */
#define HOLDERS_MAX 4096
#define HOLDER_NAMES_MAX 6
#define HOLDER_PORTS_MAX 8
#define DOMAINS_MAX 64
#define INNOCENTS_MAX 64
#define SUGGEST_WORDS_MAX 256

/* Flows that say the same: how many, and the first one. */
struct trace {
	uint64_t flows;
	int64_t first_us, flow;        /* flow: its number in the database */
	char what[2 * ADDR_TEXT + 32]; /* "udp 10.20.0.15:52001 > 10.20.0.53:53"; "" */
};

/* A host that looks like a unit, and the line that is proposed for it. */
struct candidate {
	char name[UNIT_NAME_MAX]; /* "room-1" */
	bool listed;              /* the site file in force has it: no line is proposed */
	bool asked;               /* --unit names it, ... */
	bool by_oui;              /* ... it has a MAC of the maker, ... */
	struct trace by_name;     /* ... or it asked for, or contacted: */
	char called[NAME_MAX_LEN + 1];
	bool called_more; /* not all of these flows by that name, but by others that only units ask for */
	struct mac mac;    /* its own; zero: it is not known, or a router's */
	struct mac routed; /* that it was seen behind; zero: none, or its own */
	struct addr address[CANDIDATE_ADDRESSES_MAX]; /* in order */
	unsigned address_count;
	uint64_t addresses_more; /* that found no place there */
	struct lease_row lease;  /* the last one; first_us 0: none was seen */
	uint32_t profiles;       /* mask */
	struct profile_use {
		struct trace trace;
		uint16_t row;
		uint8_t grade;
	} use[PROFILES_MAX]; /* what each was found by; of a listed unit those beside its own */
	int64_t unit;        /* its number in the database, of a listed one */
	char *sentence;      /* of its finding, where there is nothing else; NULL */
};

enum holder_state {
	HOLDER_NOTED,   /* not settled yet, or there is nothing to say of it */
	HOLDER_KNOWN,   /* it stands in the site file in force */
	HOLDER_ACTIVE,  /* proposed */
	HOLDER_DOUBTED, /* commented out; `why` says why */
};

/* Somebody that units talked to, and the role that it holds by what was seen. */
struct holder {
	struct addr addr;
	uint32_t roles;       /* that the flows leave open; mask */
	int role;             /* index, once it is settled */
	uint8_t state;        /* enum holder_state */
	bool turn;            /* a relay: it answered an allocate request, or spoke MS-TURN */
	bool taught;          /* by DHCP */
	uint16_t app;         /* of the first flow that proves anything */
	struct trace proven;  /* answered, and a dissector knows the application */
	struct trace unknown; /* answered, and nobody knows it: the port alone speaks */
	struct trace tried;   /* not answered */
	uint64_t offers, leases; /* of DHCP; leases: ACKs */
	struct mac client;       /* whom it answered first */
	struct addr relays_for;  /* the server that the ACKs name, where it is another; zero */
	struct holder_name {
		char text[NAME_MAX_LEN + 1];
		uint64_t flows;
		bool bound; /* by DNS, then for all of these flows; else a claim (SNI, host) */
	} names[HOLDER_NAMES_MAX];
	unsigned name_count;
	uint16_t ports
		[HOLDER_PORTS_MAX]; /* of the unit that it opened: of a role without an application */
	unsigned port_count;
	char name[NAME_MAX_LEN +
	          1]; /* of `names`: stands in the site file instead of the address; "" */
	char why[200];
};

struct domain {
	char text[NAME_MAX_LEN + 1];
	char asked[NAME_MAX_LEN + 1]; /* the first name that tells it */
	bool asked_more;              /* others do, too */
	struct trace trace;
};

/* Something that no row documents and that is innocent as a rule (NTP): a waiver may excuse it. */
struct innocent {
	struct addr remote;
	uint16_t app, port;
	uint8_t transport;
	struct trace trace;
	char units[160]; /* "room-1, room-2" */
};

struct suggestion_options {
	struct flowdb *db;
	const struct envelope *envelope;
	bool recorded; /* by `tlmon watch`, of units; else it is a census (census.h) */
	const struct policy
		*in_force;        /* what judged a recording, where it has a site file; NULL */
	struct flow_query window; /* since_us, until_us */
	const char *const *
		units; /* --unit: addresses, prefixes, MACs; ended by NULL, SUGGEST_WORDS_MAX at most. NULL: who looks like one */
	const char *site; /* name; NULL: that of the site in force, or none */
	const char *
		source; /* what was looked at, in the words of the command line: "-r day.pcap" */
};

struct suggestion {
	struct suggestion_options options;
	struct candidate *candidates; /* listed ones first, then by address */
	size_t candidate_count, candidate_room;
	uint64_t candidates_refused;
	struct holder
		*holders; /* settled: by role, then proposed before doubted, then by address */
	size_t holder_count, holder_room;
	uint64_t holders_refused;
	struct trace built_in
		[ROLES_MAX]; /* flows to holders that the document itself names, by role */
	struct trace held[ROLES_MAX]; /* ... that the site file in force names */
	struct domain domains[DOMAINS_MAX];
	unsigned domain_count;
	struct prefix subnets[8]; /* by the netmasks of leases */
	unsigned subnet_count;
	struct innocent innocents[INNOCENTS_MAX];
	unsigned innocent_count;
	uint64_t innocents_refused;
	bool missing[SUGGEST_WORDS_MAX]; /* by place in options.units: no such host was seen */
	bool uncommented; /* written as if nobody were doubted: what would it document more? */

	/* what was looked at */
	uint64_t hosts, runs, packets, tunnelled;
	int64_t first_us, last_us;
	uint64_t blinds;
	uint32_t blind_causes; /* mask */
	int64_t blind_us;      /* how long, at most: intervals may overlap */
	char filter[256];
	/* what the proposed file says of it: flows of its units, by enum ruling */
	uint64_t rulings[5], blocked;
	uint64_t withheld; /* that it would document with the doubted holders in it, ... */
	uint32_t withheld_roles; /* ... of these roles; mask */
	struct outsider {
		uint8_t severity, kind;
		char row[ROW_ID_MAX];
		struct trace trace;
	} outsiders
		[16]; /* flows that it leaves outside, by severity, kind and nearest row; the worst first */
	unsigned outsider_count;
	uint64_t outsiders_more; /* flows */
};

/*
 * Looks, judges, decides. What `options` points to must outlive it. On success *ret is the caller's, to be given to
 * suggestion_free(); it may have no candidate at all.
 */
int suggestion_new(const struct suggestion_options *options, struct suggestion **ret,
                   struct err *err) MUST_CHECK;
void suggestion_free(struct suggestion *suggestion);
void suggestion_freep(struct suggestion **suggestion);

/*
 * The proposal as a site file. Over a site file in force it is that text, every byte of it, with new lines among it, each
 * marked.
 */
int suggestion_write(const struct suggestion *suggestion, FILE *file,
                     struct err *err) MUST_CHECK;
/* Units that it proposes, beside those that are listed already. */
size_t suggestion_fresh(const struct suggestion *suggestion);

#endif

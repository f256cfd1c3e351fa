/*
 * incident.h - all that an incident report says of one unit and one window, read from one database or
 * from those of several sensors; and what it is written as. Reading holds sums, and of flows, peers and
 * findings as many as are shown, so that a year costs no more memory than an hour.
 */
#ifndef MONITOR_COMMANDS_INCIDENT_H
#define MONITOR_COMMANDS_INCIDENT_H

#include "monitor/commands/blind_list.h"
#include "schema/flowdb_incident.h"
#include "schema/hashes.h"
#include "schema/time.h"

#define INCIDENT_DAYS 7 /* what is new is new against so many days before */
#define INCIDENT_WORDS 6
/* What may have happened meanwhile is not here. */
#define INCIDENT_UNSEEN \
	(BLIND_UNSEEN | BIT(BLIND_MAC_SHARED) | BIT(BLIND_SET_ASIDE) | BIT(BLIND_REMOVED))

/* A database. */
struct incident_source {
	const char *dir;
	struct query query; /* borrowed from the whole one */
	int64_t unit;       /* id; 0: it does not know the unit */
};

struct incident_blind {
	const struct incident_source *source; /* NULL: none of several looked */
	int64_t id;                           /* 0: no run looked */
	struct blind_row row;
	char detail[128];
	bool alone; /* the unit alone */
};

/* How much of a stretch of time was watched. */
struct incident_watch {
	int64_t since_us, until_us;
	int64_t unseen_us; /* packets went by unseen, or nobody looked */
	int64_t idle_us;    /* of it nobody looked at all, or what they saw is not here any more; of this ... */
	int64_t removed_us; /* ... it was recorded, and has been removed since */
	struct incident_gap {
		int64_t since_us, until_us;
	} * gaps; /* what unseen_us adds up, in order */
	size_t gap_count;
};

/* Flows of a kind. */
struct incident_sum {
	uint64_t flows, before, after, blind;
	uint64_t blocked; /* documented, and the network or the peer did not let it */
	uint64_t packets_out, packets_in, bytes_out, bytes_in;
	uint64_t by_ruling[RULING_HOUSEKEEPING + 1], by_grade[GRADE_WIDE + 1];
	int64_t first_us, last_us;
};

/* A few words with how many flows each has; `more`: there were others. */
struct incident_words {
	struct incident_word {
		char *text;
		uint64_t flows;
	} word[INCIDENT_WORDS];
	unsigned count;
	bool more;
};

struct incident_peer {
	struct addr addr;
	struct incident_sum sum;
	struct incident_words names, ports, apps, rows;
	struct incident_bound {
		char *name, *text; /* a sentence: which DNS answer bound the name to it */
		bool said;         /* by the unit itself in the window: asked for, or in a flow */
		bool asked;        /* the question was for it, whenever that was */
		unsigned again;    /* how often it stands before this one */
	} * bound;         /* names the unit spoke of first, each once before any comes again */
	size_t bound_count, bound_room;
	bool known; /* in the days before */
};

/* A peer, name, application, row or kind that was seen. */
struct incident_thing {
	uint8_t trait; /* enum trait */
	uint16_t number;
	bool known; /* in the days before */
	struct addr addr;
	char *text;
	const struct incident_source *source; /* that showed it first, and ... */
	int64_t id;                           /* ... what it is there */
	size_t peer; /* of a peer: which, while all are gathered */
	char *document; /* of a row: what the document calls it by the policy that judged last; NULL: unknown */
	struct incident_sum sum;
};

struct incident_finding {
	const struct incident_source *source;
	int64_t id;
	struct finding_row row;
	char by[64], why[512];   /* the person who brought it into its state; "" */
	struct incident_sum sum; /* in the window, of the flows that are kept */
	uint64_t evidence;       /* flows of which packets are kept */
};

struct incident_flow {
	const struct incident_source *source;
	int64_t id, first_us, last_us, finding;
	struct endpoint local, remote;
	uint8_t transport, direction, media, evidence, ruling, grade, why, kind, severity;
	uint16_t app;
	uint64_t bytes_out, bytes_in;
	bool blind;
	char row[ROW_ID_MAX]; /* that documents it, or is nearest; "" */
	char *name;           /* "" */
	char policy[13];
};

struct incident_address {
	const struct incident_source *source;
	struct unit_address_row row;
};
struct incident_lease {
	const struct incident_source *source;
	struct lease_row row;
};

struct incident_policy {
	char hash[65];
	struct incident_sum sum;
	char **uses; /* sentences */
	size_t use_count, use_room;
};

struct incident {
	struct query query;              /* of all databases together */
	struct incident_source *sources; /* those that know the unit first */
	size_t source_count, known_count;
	char *unit, *profiles;
	bool listed;
	int64_t since_us, until_us;
	bool relative; /* the window was counted back from the last packet */
	uint64_t flow_limit, peer_limit, thing_limit, blind_limit; /* of what is shown */
	bool documents; /* what the document calls rows is shown */

	bool outside; /* nothing was recorded in the window */
	bool seen;    /* the unit, ever */
	struct incident_watch watch, before;
	struct incident_blind *blinds;
	size_t blind_count, blind_room;

	struct incident_sum sum;
	struct incident_peer *peers; /* by address */
	size_t peer_count, peer_room;
	struct incident_peer **ranked; /* the same, as they are shown */
	struct incident_thing *things; /* by trait, number, address, text */
	size_t thing_count, thing_room;
	struct hashes thing_hashes; /* while they are gathered */
	uint64_t fresh[TRAIT_COUNT]; /* of them not known in the days before */
	struct incident_finding *findings;
	size_t finding_count, finding_room;
	struct incident_flow *flows; /* the first `flow_limit` */
	size_t flow_count, flow_room;
	struct incident_address *addresses;
	size_t address_count, address_room;
	struct incident_lease *leases;
	size_t lease_count, lease_room;
	struct incident_policy *policies;
	size_t policy_count, policy_room;
};

/*
 * Fills the rest, for the unit, window and limits that are set, from the sources, whose databases are open.
 * What was read is to be given to incident_forget() in any case; that leaves what was set.
 */
int incident_read(struct incident *incident, struct err *err) MUST_CHECK;
void incident_forget(struct incident *incident);
/* Closes the databases, too. */
void incident_release(struct incident *incident);

/* incident_blind.c: what was not seen. */
int incident_read_blinds(struct incident *incident, struct err *err) MUST_CHECK;
/* incident_sums.c: what was done, by peer, thing and policy. */
int incident_read_sums(struct incident *incident, struct err *err) MUST_CHECK;
/* Where the finding of this number is, of this source or of its archive; their count if nowhere. */
size_t incident_finding_at(const struct incident *incident,
                           const struct incident_source *source, int64_t id);
/* A name or a row of the window; NULL. */
struct incident_thing *incident_find_thing(const struct incident *incident, uint8_t trait,
                                           const char *text);
void incident_release_sums(struct incident *incident);
/* incident_policies.c: by what it was judged; part of the above. */
int incident_read_policies(struct incident *incident, struct err *err) MUST_CHECK;

/* Whether enough of the days before was watched to call a thing new. */
bool incident_can_tell_new(const struct incident *incident);
/* What may be claimed of a time that is not blind: "watched", or "on record" where some of it was removed. */
/* Flows that the finding counts, of all times, and that have no row. */
uint64_t incident_without_row(const struct finding_row *finding);
const char *incident_kept(const struct incident_watch *watch);
/* The whole answer in one sentence. Returns `buf`. */
#define INCIDENT_ANSWER 768
const char *incident_answer(const struct incident *incident, char buf[INCIDENT_ANSWER]);

/* " -l DIR" of this source where one was named, fit for a shell. */
void incident_dir(const struct incident_source *source, char *buf, size_t size);

struct paper;
/* The clock time alone where the whole window lies in one day, else without the year. Returns `buf`. */
const char *incident_clock(const struct incident *incident, int64_t us, char buf[TIME_TEXT]);
/* The command that lists what was cut here, over all databases; `more` are further options. */
void incident_commands(const struct incident *incident, struct paper *paper,
                       const char *command, const char *more);
/* incident_traffic.c: two sections. */
void incident_put_peers(const struct incident *incident, struct paper *paper);
void incident_put_flows(const struct incident *incident, struct paper *paper);

/* Writes the report. 0; 1: the reader has gone; negative errno with err filled. */
int incident_paper(const struct incident *incident, struct paper *paper,
                   struct err *err) MUST_CHECK;
int incident_json(const struct incident *incident, FILE *file, struct err *err) MUST_CHECK;
/* The flows in time, as inline SVG. */
void incident_drawing(const struct incident *incident, FILE *file);

#endif

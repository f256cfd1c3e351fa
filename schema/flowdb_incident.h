/*
 * flowdb_incident.h - what an incident report asks of one unit and one window: sums, and of whole flows as many
 * as are told, so that a week costs as little as an hour. Callbacks as in flowdb_query.h.
 */
#ifndef SCHEMA_FLOWDB_INCIDENT_H
#define SCHEMA_FLOWDB_INCIDENT_H

#include "schema/flowdb_query.h"

/* A unit's time: from the one to the other, both included. */
struct unit_window {
	int64_t unit; /* id */
	int64_t since_us, until_us;
};

/* Units of this name, or that ever had this address, by name; `flows` is not filled. */
int flowdb_units_named(struct flowdb *db, const char *who,
                       int (*each)(void *context, const struct unit_view *unit,
                                   struct err *err),
                       void *context, struct err *err) MUST_CHECK;

/* A thing that can be new. */
enum trait { TRAIT_PEER, TRAIT_NAME, TRAIT_APP, TRAIT_ROW, TRAIT_KIND, TRAIT_COUNT };

/* Flows that overlap the window and are alike in all that is told here, added up. */
struct flow_sum {
	struct addr remote;
	uint16_t port; /* the one that was opened: the peer's, but the unit's of a flow in */
	uint8_t transport, direction, media, evidence;
	uint8_t ruling, grade, why, kind, severity, name_kind;
	uint16_t app;
	const char *row, *name, *policy; /* row and name ""; policy its hash */
	int64_t finding;                 /* 0: none */
	int64_t ids[TRAIT_COUNT];        /* of peer, name and row, in this database; 0: none */
	uint64_t flows, before, after;   /* of them begun before the window, over after it */
	uint64_t blind;                  /* of them not seen whole */
	uint64_t packets_out, packets_in, bytes_out, bytes_in; /* of whole flows */
	int64_t first_us, last_us;
};
/* By peer. */
int flowdb_flow_sums(struct flowdb *db, const struct unit_window *window,
                     int (*each)(void *context, const struct flow_sum *sum, struct err *err),
                     void *context, struct err *err) MUST_CHECK;

struct trait_known {
	uint8_t trait;    /* enum trait */
	bool known;       /* set once a flow shows it */
	uint16_t number;  /* of application and kind */
	struct addr addr; /* of a peer */
	const char *text; /* of name and row; borrowed */
	int64_t id;       /* of peer, name and row, in this database; 0: it is looked up */
};
/* Sets `known` where a flow that overlaps the window shows the thing, however long it went on after it. */
int flowdb_traits_known(struct flowdb *db, const struct unit_window *window,
                        struct trait_known *traits, size_t count, struct err *err) MUST_CHECK;

/* The first `limit` flows that overlap the window, in the order they began. */
int flowdb_window_flows(struct flowdb *db, const struct unit_window *window, uint64_t limit,
                        int (*each)(void *context, const struct flow_view *flow,
                                    struct err *err),
                        void *context, struct err *err) MUST_CHECK;

/* Addresses that the unit had in the window, in the order they began. */
int flowdb_unit_held(struct flowdb *db, const struct unit_window *window,
                     int (*each)(void *context, const struct unit_address_row *row,
                                 struct err *err),
                     void *context, struct err *err) MUST_CHECK;
/* 1: the unit was ever seen; 0: a list names it, and it never showed. */
int flowdb_unit_showed(struct flowdb *db, int64_t unit, struct err *err) MUST_CHECK;
/* How it is known, a mask, in words: "its packets, DHCP". Returns `buf`. */
const char *known_by_words(uint8_t known_by, char *buf, size_t size);
/* Leases it had in the window, in the order they began. */
int flowdb_unit_leases(struct flowdb *db, const struct unit_window *window,
                       int (*each)(void *context, const struct lease_row *lease,
                                   struct err *err),
                       void *context, struct err *err) MUST_CHECK;
/* DNS answers to the unit that bound a name to the address in the window, in the order they began. */
int flowdb_names_of(struct flowdb *db, const struct unit_window *window,
                    const struct addr *address,
                    int (*each)(void *context, const struct name_row *name, struct err *err),
                    void *context, struct err *err) MUST_CHECK;

#endif

/*
 * units.h - the units seen in this run and what is known of each: addresses, lease, which rows it
 * exercised. At most UNITS_MAX; past that a host is no unit, which is counted.
 */
#ifndef MONITOR_RECORD_UNITS_H
#define MONITOR_RECORD_UNITS_H

#include "monitor/record/book.h"
#include "schema/flowdb.h"

#define UNITS_MAX 100000
#define UNIT_ADDRESSES_MAX 8

struct finding;

struct row_use {
	uint64_t exact, unproven, wide, unanswered, blocked, outside;
	int64_t first_us, last_us; /* of the answered ones */
	uint64_t flow;             /* the last one counted: once, however many rows it fits */
};

struct unit {
	uint64_t number; /* in this run, from 1 */
	int64_t id;      /* in the database */
	char name[UNIT_NAME_MAX];
	const struct unit_rule *rule; /* NULL: on no list */
	struct addr addr;             /* where it was first seen */
	struct lease lease;
	uint32_t bound_roles; /* roles of which a name was bound for it */
	int64_t two_way_us;   /* last packet of its latest two-way flow; 0: none yet */
	struct unit_address {
		struct addr addr;
		struct mac mac;
		int64_t first_us, last_us;
		bool dirty;
	} address[UNIT_ADDRESSES_MAX];
	unsigned address_count;
	uint16_t open_findings[KIND_COUNT];
	struct finding *fold[KIND_COUNT]; /* findings.h: where too many of a kind went */
	struct row_use *use;              /* one a row of the policy */
	bool dirty;                       /* `use` has not been written yet */
};

struct units;

/* NULL when out of memory. `policy` must outlive it. */
struct units *units_new(const struct policy *policy);
void units_free(struct units *units);

/* All units that the policy names one by one, into the database: silence is told from absence. */
int units_list(const struct units *units, struct flowdb *db, struct err *err) MUST_CHECK;

/*
 * The unit at one end of a flow, made at first sight. An entry of the policy that stands for many
 * hosts only makes a unit of a host that `spoke`. NULL: no unit; a broadcast or multicast
 * address is none. Negative errno in *ret_error if the database failed, with err filled.
 */
struct unit *units_at(struct units *units, struct flowdb *db, const struct endpoint *end,
                      bool spoke, int *ret_error, struct err *err);
/* A host on no list that looks like a unit. */
struct unit *units_unlisted(struct units *units, struct flowdb *db, const struct endpoint *end,
                            int *ret_error, struct err *err);
/* The unit whose MAC this is by the lists, or whose lease it holds; NULL. */
struct unit *units_by_mac(struct units *units, struct flowdb *db, const struct mac *mac,
                          int *ret_error, struct err *err);

/* It was seen with this address. */
void unit_seen(struct unit *unit, const struct endpoint *end, int64_t first_us,
               int64_t last_us);
/* Remembers which address DHCP gave to whom, for DHCP flows and for units listed by MAC. */
void units_lease(struct units *units, const struct event_lease *lease);

/* Writes what changed of addresses and row use. 0, or negative errno with err filled. */
int units_flush(struct units *units, struct flowdb *db, struct err *err) MUST_CHECK;

size_t units_count(const struct units *units);
uint64_t units_refused(const struct units *units);

#endif

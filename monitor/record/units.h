/*
 * units.h - the units seen in this run and what is known of each: addresses, leases, which rows it
 * exercised. At most UNITS_MAX; past that a host is no unit, which is counted.
 */
#ifndef MONITOR_RECORD_UNITS_H
#define MONITOR_RECORD_UNITS_H

#include "monitor/record/addresses.h"
#include "monitor/view.h"

#define UNITS_MAX 100000
#define UNIT_ADDRESSES_MAX 24
#define UNIT_LEASES_MAX 8 /* remembered; the one that was given longest ago goes */

struct finding;
struct units;

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
	struct lease_row lease[UNIT_LEASES_MAX]; /* in the order they were given */
	unsigned lease_count;
	bool leased; /* by any server, believed or not */
	bool spoke; /* a packet of its own was seen, ... */
	bool plain; /* ... and one that came in no tunnel */
	int64_t bound_us[ROLES_MAX]; /* when a name of the role was first bound for it; 0: never */
	uint32_t bound;               /* these roles */
	int64_t two_way_us;   /* last packet of its latest two-way flow; 0: none yet */
	struct unit_address {
		struct addr addr;
		struct mac mac;
		int64_t first_us, last_us;
		uint8_t known_by; /* KNOWN_BY_* */
		bool dirty;
	} address[UNIT_ADDRESSES_MAX];
	unsigned address_count;
	bool fresh; /* one of them is new: unit_settle() */
	uint64_t addresses_refused; /* found no place since the last units_flush() */
	uint16_t open_findings[KIND_COUNT];
	uint32_t findings[KIND_COUNT]; /* known, open or not, that did not fold into one of their kind */
	struct finding *fold[KIND_COUNT]; /* findings.h: where too many of a kind went */
	struct row_use *use;              /* one a row of the policy */
	bool dirty;                       /* `use` has not been written yet */
	struct units *units;              /* that flush it; NULL: none do */
	bool listed;                      /* on the list of units_flush() */
};

/*
 * For judging anew: a unit by its name, whose `id` in the database may be known (else 0, until units_put()). It is found by
 * nobody. NULL when out of memory.
 */
struct unit *units_adopt(struct units *units, const struct unit_rule *rule, const char *name,
                         int64_t id);
int units_put(struct units *units, struct flowdb *db, struct unit *unit,
              struct err *err) MUST_CHECK;

/* NULL when out of memory. `policy` must outlive it. */
struct units *units_new(const struct policy *policy, size_t max);
void units_free(struct units *units);

/* All units that the policy names one by one, into the database: silence is told from absence. */
int units_list(const struct units *units, struct flowdb *db, struct err *err) MUST_CHECK;

/* One end of a flow, and when; or a host's word of itself. */
struct sighting {
	struct endpoint end;
	bool spoke; /* packets came from there, ... */
	bool plain; /* ... in no tunnel */
	bool word;  /* none of a flow: DHCP, ARP or neighbour discovery */
	int64_t first_us, last_us;
	uint8_t known_by; /* filled: KNOWN_BY_*, how the address is known to be the unit's, ... */
	/* ... and end.mac becomes the unit's own where a router's stood in the frames. */
};

/*
 * The unit there, made at first sight; the first of these that says so: a MAC of the lists in the frame
 * (whoever sends from it is that unit, whatever address it borrows; of an end that says nothing only at an
 * address that is the unit's own, for anybody can have frames sent to its MAC), a listed address, the
 * lease of a listed MAC, the word of a listed MAC by ARP or neighbour discovery. The latter two say nothing
 * of a host that claims the address with the very MAC that it sends from. A router's MAC (routers.h) says nothing,
 * but of an address that the unit had for some time before anybody sent from others with its MAC.
 *
 * An entry of the policy that stands for many hosts only makes a unit of a host that `spoke`. NULL: no unit;
 * a broadcast or multicast address is none. Negative errno in *ret_error if the database failed, with err
 * filled.
 */
struct unit *units_at(struct units *units, struct flowdb *db, struct sighting *at,
                      int *ret_error, struct err *err);
/* A host on no list that looks like a unit. */
struct unit *units_unlisted(struct units *units, struct flowdb *db, const struct endpoint *end,
                            int *ret_error, struct err *err);
/* The unit whose MAC this is by the lists, or whose lease it holds; NULL. */
struct unit *units_by_mac(struct units *units, struct flowdb *db, const struct mac *mac,
                          int64_t at_us, int *ret_error, struct err *err);

/* Something of it is to be written at the next flush. */
void unit_change(struct unit *unit);
/* It was seen there. */
void unit_seen(struct unit *unit, const struct sighting *at);
/* Writes addresses that are new; how long they were seen follows at a flush. */
int unit_settle(struct unit *unit, struct flowdb *db, struct err *err) MUST_CHECK;

/*
 * DHCP gave, or was given back. Only what a dhcp-server said that the site lists, if it lists any
 * (`trusted`), makes an address a unit's; to whom a DHCP flow belongs the others tell as well.
 */
int units_lease(struct units *units, struct flowdb *db, int64_t run,
                const struct event_lease *lease, bool trusted, struct err *err) MUST_CHECK;
/* As the recorder before noted it. */
int units_recall_lease(struct units *units, struct flowdb *db, const struct lease_row *lease,
                       struct err *err) MUST_CHECK;
/*
 * What DHCP had told the unit when it used `addr`: the last lease of that address given by `last_us`, else
 * the last of any, else the first one. NULL: none is known.
 */
const struct lease_row *unit_lease_at(const struct unit *unit, const struct addr *addr,
                                      int64_t last_us);
/* A name was bound for it. */
void unit_bound(struct unit *unit, uint32_t roles, int64_t at_us);
/* The roles a name of which was bound for it by `at_us`. */
uint32_t unit_bound_roles(const struct unit *unit, int64_t at_us);

/* A host says which address is its own. */
int units_neighbour(struct units *units, struct flowdb *db, const struct mac *mac,
                    const struct addr *addr, int64_t at_us, struct err *err) MUST_CHECK;

bool units_is_router(const struct units *units, const struct mac *mac, int64_t at_us);
/* A MAC of the lists that turned out to be a router's, or is none any more, with a unit it stood for. */
struct router_news {
	struct mac mac;
	int64_t unit, at_us;
	bool over;
};
/* By the clock `now_us`; false: no news. */
bool units_take_router(struct units *units, int64_t now_us, struct router_news *ret);
/* It was known to be one: news that the recorder before took, when it died at `now_us`. */
void units_recall_router(struct units *units, const struct router_news *news, int64_t now_us);

/* Writes what changed of addresses and row use. 0, or negative errno with err filled. */
int units_flush(struct units *units, struct flowdb *db, struct err *err) MUST_CHECK;

/* By its id in the database, looked for one after the other; NULL if it was not seen yet. */
struct unit *units_of_id(const struct units *units, int64_t id);
size_t units_count(const struct units *units);
uint64_t units_refused(const struct units *units);

#endif

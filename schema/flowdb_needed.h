/*
 * flowdb_needed.h - which names and leases nothing that stays needs any more, as conditions in SQL; for retention
 * and the archive alike. ?1: what ended before goes. They are asked in this order, behind the deletion of
 * flows, for a name that stays needs its lease. monitor/history.c judges a flow that stays by
 *  - the names of its peer's address, in the order they were bound, for an address has BOUND_MAX places: while one
 *    of an address is in force, or a flow to it that began before stays, all of them stay;
 *  - the roles that any name had by then: the first binding of each name, by each server, stays;
 *  - the last lease given by then, however long ago it was over, whom the site believes or not: so for each MAC,
 *    address and server; so too when a name was first bound, to know whether its server is believed.
 * All of it is of the flow's own run: of a run before the first that still has flows, none stays.
 */
#ifndef SCHEMA_FLOWDB_NEEDED_H
#define SCHEMA_FLOWDB_NEEDED_H

/* Of `differs`: named by no flow (flowdb_differs.c says why). */
#define DIFFERS_SPENT "id < ((SELECT min(id) FROM flow) & -1048576)"

#define OF_RUN_GONE "run < (SELECT run FROM flow ORDER BY id LIMIT 1)"
#define FLOWS_BEFORE " FROM unit u CROSS JOIN flow f ON f.unit = u.id AND f.start_us < ?1"
#define NAME_SPENT \
	"max(last_us, until_us) < ?1 AND (unit IS NULL OR " OF_RUN_GONE " OR (" \
	"(run, unit, address) NOT IN (SELECT run, unit, address FROM name_seen" \
	" WHERE unit NOT NULL AND max(last_us, until_us) >= ?1)" \
	" AND (run, unit, address) NOT IN (SELECT f.run, f.unit, f.remote" FLOWS_BEFORE ")" \
	" AND (run, client, address) NOT IN (SELECT f.run, f.local, f.remote" FLOWS_BEFORE ")" \
	" AND (run, unit, name, server, counted, first_us, client, address) NOT IN" \
	" (SELECT run, unit, name, server, counted, min(first_us), client, address FROM name_seen" \
	" WHERE unit NOT NULL GROUP BY run, unit, name, server, counted)))"

/* Since when there are flows. */
#define FLOWS_SINCE \
	"min(?1, coalesce((SELECT min((SELECT min(f.start_us) FROM flow f WHERE f.unit = u.id))" \
	" FROM unit u), ?1))"
#define LEASE_SPENT \
	"max(last_us, coalesce(until_us, 0)) < ?1 AND (" OF_RUN_GONE " OR (" \
	"max(last_us, coalesce(until_us, 0)) < " FLOWS_SINCE \
	" AND (unit, mac, address, run, first_us) NOT IN" \
	" (SELECT unit, mac, address, run, max(first_us) FROM lease WHERE first_us <= " FLOWS_SINCE \
	" GROUP BY unit, mac, address, run, server)" \
	" AND (unit, mac, address, run, first_us) NOT IN" \
	" (SELECT l.unit, l.mac, l.address, l.run, max(l.first_us) FROM name_seen n" \
	" JOIN lease l ON l.unit = n.unit AND l.run = n.run AND l.first_us <= n.first_us" \
	" GROUP BY n.client, n.address, n.name, n.server, n.run, n.first_us, l.mac, l.address," \
	" l.server)))"

#endif

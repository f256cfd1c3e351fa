/*
 * flowdb_incident.c - see flowdb_incident.h. A window is looked up by (unit, start): nearly all flows that
 * overlap it begin in it or in the hour before; those that last longer have an index of their own.
 */
#include "schema/flowdb_incident.h"
#include "schema/flowdb_sql.h"
#include "schema/hashes.h"

#define MINUTE "60000000" /* from a question's flow to its answer, at most */
#define QUESTION "3"
_Static_assert(NAME_DNS_QUESTION == 3, "as QUESTION has it");

void bind_unit_window(sqlite3_stmt *stmt, const struct unit_window *window)
{
	bind_all(stmt, (const int64_t[]){window->unit, window->since_us, window->until_us}, 3);
}

int flowdb_units_named(struct flowdb *db, const char *who,
                       int (*each)(void *context, const struct unit_view *unit,
                                   struct err *err),
                       void *context, struct err *err)
{
	const struct flow_query query = {.unit = who};
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	char sql[WHERE_MAX] = "SELECT u.id, u.name, u.profiles, u.listed FROM unit u WHERE 1";
	int r;

	query_unit(sql, "u.id", &query);
	text_add(sql, sizeof(sql), " ORDER BY u.name");
	r = sql_prepare(db, sql, &stmt, err);
	if (r < 0)
		return r;
	query_bind(stmt, &query);
	while ((r = sql_step(db, stmt, err)) > 0) {
		const struct unit_view unit = {
			.id = sqlite3_column_int64(stmt, 0),
			.name = column_text(stmt, 1),
			.profiles = column_text(stmt, 2),
			.listed = sqlite3_column_int(stmt, 3),
		};

		r = each(context, &unit, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_unit_showed(struct flowdb *db, int64_t unit, struct err *err)
{
	int64_t one;

	return sql_ask(db, "SELECT 1 FROM unit u WHERE u.id = ?1 AND " UNIT_SEEN, &unit, 1, &one,
	               err);
}

/* What a thing is in this database: an id or a number; 0: nothing here refers to it. */
static int find_id(struct flowdb *db, sqlite3_stmt **stmts, const struct trait_known *trait,
                   int64_t *ret_id, struct err *err)
{
	static const char *const texts[TRAIT_COUNT] = {
		[TRAIT_PEER] = "SELECT id FROM host WHERE bytes = ?1",
		[TRAIT_NAME] = "SELECT id FROM name WHERE text = ?1",
		[TRAIT_ROW] = "SELECT id FROM envelope_row WHERE text = ?1",
	};
	sqlite3_stmt **stmt = &stmts[trait->trait];
	int r = 0;

	*ret_id = texts[trait->trait] ? trait->id : trait->number;
	if (!texts[trait->trait] || trait->id)
		return 0;
	if (*stmt)
		sqlite3_reset(*stmt);
	else
		r = sql_prepare(db, texts[trait->trait], stmt, err);
	if (r < 0)
		return r;
	if (trait->trait == TRAIT_PEER)
		sqlite3_bind_blob(*stmt, 1, trait->addr.b, sizeof(trait->addr.b), SQLITE_STATIC);
	else
		bind_text(*stmt, 1, trait->text);
	r = sql_step(db, *stmt, err);
	if (r > 0)
		*ret_id = sqlite3_column_int64(*stmt, 0);
	return r < 0 ? r : 0;
}

/* Things of which no flow was seen yet. */
struct wanted {
	struct hashes hashes;
	int64_t *ids; /* of all things, in the caller's order */
	size_t left[TRAIT_COUNT], all_left;
};

static uint64_t hash_of(uint8_t trait, int64_t id)
{
	return (uint64_t)id * TRAIT_COUNT + trait;
}

static int want_all(struct flowdb *db, const struct trait_known *traits, size_t count,
                    struct wanted *wanted, struct err *err)
{
	sqlite3_stmt *stmts[TRAIT_COUNT] = {0};
	int r = 0;

	for (size_t i = 0; i < count && r >= 0; i++) {
		uint8_t trait = traits[i].trait;
		struct hashed *place = NULL;
		uint64_t hash;

		if (traits[i].known)
			continue;
		r = find_id(db, stmts, &traits[i], &wanted->ids[i], err);
		if (r >= 0)
			r = hashes_reserve(&wanted->hashes, err);
		if (r < 0 || !wanted->ids[i])
			continue;
		hash = hash_of(trait, wanted->ids[i]);
		do
			place = hashed_next(&wanted->hashes, hash, place);
		while (place->number);
		hashed_take(&wanted->hashes, place, hash, i + 1);
		wanted->left[trait]++;
		wanted->all_left++;
	}
	for (size_t i = 0; i < TRAIT_COUNT; i++)
		stmt_finalizep(&stmts[i]);
	return r;
}

static void seen(struct wanted *wanted, struct trait_known *traits, uint8_t trait, int64_t id)
{
	uint64_t hash = hash_of(trait, id);
	struct hashed *place = hashed_next(&wanted->hashes, hash, NULL);

	for (; place->number; place = hashed_next(&wanted->hashes, hash, place)) {
		struct trait_known *found = &traits[place->number - 1];

		if (found->known || found->trait != trait || wanted->ids[place->number - 1] != id)
			continue;
		found->known = true;
		wanted->left[trait]--;
		wanted->all_left--;
	}
}

/* Looks through the flows until nothing is wanted any more: mostly soon, for few things are new. */
static int scan(struct flowdb *db, const struct unit_window *window, struct trait_known *traits,
                struct wanted *wanted, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db, FLOWS_OF_WINDOW("f.remote, f.name, f.application, f.row, f.kind"), &stmt, err);

	if (r < 0)
		return r;
	bind_unit_window(stmt, window);
	while (wanted->all_left && (r = sql_step(db, stmt, err)) > 0)
		for (uint8_t trait = 0; trait < TRAIT_COUNT; trait++)
			if (wanted->left[trait])
				seen(wanted, traits, trait, sqlite3_column_int64(stmt, trait));
	return r < 0 ? r : 0;
}

int flowdb_traits_known(struct flowdb *db, const struct unit_window *window,
                        struct trait_known *traits, size_t count, struct err *err)
{
	CLEANUP(freep) int64_t *ids = calloc(count + 1, sizeof(*ids));
	struct wanted wanted = {.ids = ids};
	int r;

	if (!ids)
		return err_set(err, -ENOMEM, "out of memory");
	r = want_all(db, traits, count, &wanted, err);
	if (r >= 0)
		r = scan(db, window, traits, &wanted, err);
	hashes_release(&wanted.hashes);
	return r;
}

/* Both arms give them in this order, so that no more are read than are told. */
int flowdb_window_flows(struct flowdb *db, const struct unit_window *window, uint64_t limit,
                        int (*each)(void *context, const struct flow_view *flow,
                                    struct err *err),
                        void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, FLOWS_OF_WINDOW("f.start_us, f.id") " ORDER BY 1, 2 LIMIT ?4",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_unit_window(stmt, window);
	bind_one(stmt, 4, (int64_t)limit);
	while ((r = sql_step(db, stmt, err)) > 0) {
		r = flow_get(db, sqlite3_column_int64(stmt, 1), each, context, err);
		if (r < 0 || r > 1)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_unit_held(struct flowdb *db, const struct unit_window *window,
                     int (*each)(void *context, const struct unit_address_row *row,
                                 struct err *err),
                     void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT a.unit, h.bytes, m.bytes, a.known_by, a.first_us, a.last_us"
	                    " FROM unit_address a JOIN host h ON h.id = a.address"
	                    " LEFT JOIN host m ON m.id = a.mac WHERE a.unit = ?1"
	                    " AND a.first_us <= ?3 AND a.last_us >= ?2"
	                    " ORDER BY a.first_us, h.bytes, m.bytes",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_unit_window(stmt, window);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct unit_address_row row = {
			.unit = sqlite3_column_int64(stmt, 0),
			.known_by = (uint8_t)(sqlite3_column_int(stmt, 3) & 7),
			.first_us = sqlite3_column_int64(stmt, 4),
			.last_us = sqlite3_column_int64(stmt, 5),
		};

		column_addr(stmt, 1, &row.address);
		column_mac(stmt, 2, &row.mac);
		r = each(context, &row, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

const char *known_by_words(uint8_t known_by, char *buf, size_t size)
{
	static const char *const words[] = {"its packets", "DHCP", "ARP or ND"};

	*buf = '\0';
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (known_by & BIT(i))
			text_add(buf, size, "%s%s", *buf ? ", " : "", words[i]);
	if (!*buf)
		text_add(buf, size, "what others wrote to it");
	return buf;
}

static void read_servers(sqlite3_stmt *stmt, int at, struct lease_row *lease)
{
	const struct addr *servers = sqlite3_column_blob(stmt, at);
	size_t count = (size_t)sqlite3_column_bytes(stmt, at) / sizeof(*servers);

	lease->dns_count = (uint8_t)(count < LEASE_SERVERS ? count : LEASE_SERVERS);
	if (lease->dns_count)
		memcpy(lease->dns, servers, lease->dns_count * sizeof(*servers));
}

int flowdb_unit_leases(struct flowdb *db, const struct unit_window *window,
                       int (*each)(void *context, const struct lease_row *lease,
                                   struct err *err),
                       void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"SELECT l.unit, m.bytes, a.bytes, s.bytes, l.first_us, l.last_us,"
		" l.until_us, l.mask_bits, l.dns FROM lease l"
		" JOIN host m ON m.id = l.mac JOIN host a ON a.id = l.address"
		" LEFT JOIN host s ON s.id = l.server WHERE l.unit = ?1"
		" AND l.first_us <= ?3 AND max(coalesce(l.until_us, 0), l.last_us) >= ?2"
		" ORDER BY l.first_us, m.bytes, a.bytes",
		&stmt, err);

	if (r < 0)
		return r;
	bind_unit_window(stmt, window);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct lease_row row = {
			.unit = sqlite3_column_int64(stmt, 0),
			.first_us = sqlite3_column_int64(stmt, 4),
			.last_us = sqlite3_column_int64(stmt, 5),
			.until_us = sqlite3_column_int64(stmt, 6),
			.mask_bits = (uint8_t)sqlite3_column_int(stmt, 7),
		};

		column_mac(stmt, 1, &row.mac);
		column_addr(stmt, 2, &row.address);
		column_addr(stmt, 3, &row.server);
		read_servers(stmt, 8, &row);
		r = each(context, &row, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_names_of(struct flowdb *db, const struct unit_window *window,
                    const struct addr *address,
                    int (*each)(void *context, const struct name_row *name, struct err *err),
                    void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"SELECT c.bytes, s.bytes, n.text, x.first_us, x.last_us, x.until_us, x.counted, x.run,"
		" EXISTS (SELECT 1 FROM flow f WHERE f.unit = ?1 AND f.start_us BETWEEN x.first_us - " MINUTE
		" AND x.first_us AND f.name = x.name AND f.how >> 10 & 3 = " QUESTION ")"
		" FROM name_seen x JOIN host c ON c.id = x.client JOIN host s ON s.id = x.server"
		" JOIN name n ON n.id = x.name"
		" WHERE x.client IN (SELECT address FROM unit_address WHERE unit = ?1)"
		" AND x.address = (SELECT id FROM host WHERE bytes = ?4)"
		" AND coalesce(x.unit, ?1) = ?1"
		" AND x.first_us <= ?3 AND x.until_us >= ?2"
		" ORDER BY x.first_us, n.text, c.bytes, s.bytes, x.run",
		&stmt, err);

	if (r < 0)
		return r;
	bind_unit_window(stmt, window);
	sqlite3_bind_blob(stmt, 4, address->b, sizeof(address->b), SQLITE_STATIC);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct name_row row = {
			.run = sqlite3_column_int64(stmt, 7),
			.unit = window->unit,
			.address = *address,
			.name = column_text(stmt, 2),
			.first_us = sqlite3_column_int64(stmt, 3),
			.last_us = sqlite3_column_int64(stmt, 4),
			.until_us = sqlite3_column_int64(stmt, 5),
			.counted = sqlite3_column_int(stmt, 6),
			.asked = sqlite3_column_int(stmt, 8),
		};

		column_addr(stmt, 0, &row.client);
		column_addr(stmt, 1, &row.server);
		r = each(context, &row, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

/*
 * flowdb_intern.c - ids of addresses, texts and the ends of frames, so that a flow is a row of integers; and the table
 * that says what the other integers mean.
 */
#include "schema/flowdb_sql.h"

#define XXH_INLINE_ALL /* of keys this short the call costs more */
#include <xxhash.h>

static const struct {
	const char *find, *put;
	uint32_t slots; /* a power of two */
} TABLES[INTERN_COUNT] = {
	[INTERN_HOST] = {"SELECT id FROM host WHERE bytes = ?1",
                         "INSERT INTO host (bytes, text) VALUES (?1, ?2) ON CONFLICT DO NOTHING", 131072},
	[INTERN_NAME] = {"SELECT id FROM name WHERE text = ?1",
                         "INSERT INTO name (text) VALUES (?1) ON CONFLICT DO NOTHING", 65536},
	[INTERN_ROW] = {"SELECT id FROM envelope_row WHERE text = ?1",
                        "INSERT INTO envelope_row (text) VALUES (?1) ON CONFLICT DO NOTHING", 1024},
	[INTERN_ROW_SET] = {"SELECT id FROM row_set WHERE text = ?1",
                            "INSERT INTO row_set (text) VALUES (?1) ON CONFLICT DO NOTHING", 1024},
	[INTERN_PHRASE] = {"SELECT id FROM phrase WHERE text = ?1",
                           "INSERT INTO phrase (text) VALUES (?1) ON CONFLICT DO NOTHING", 16384},
	[INTERN_LINK] = {"SELECT id FROM link WHERE coalesce(local_mac, 0) = coalesce(?1, 0)"
                         " AND coalesce(remote_mac, 0) = coalesce(?2, 0)"
                         " AND coalesce(vlan, -1) = coalesce(?3, -1)",
                         "INSERT INTO link (local_mac, remote_mac, vlan) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                         65536},
};

static int ready(struct flowdb *db, sqlite3_stmt **stmt, const char *text, struct err *err)
{
	int rc = *stmt ? sqlite3_reset(*stmt) :
	                 sqlite3_prepare_v3(db->sql, text, -1, SQLITE_PREPARE_PERSISTENT, stmt,
	                                    NULL);

	return rc ? sql_error(db, rc, err) : 0;
}

static const uint8_t *key_of(const struct interned *slot)
{
	return slot->len > sizeof(slot->here) ? slot->key : slot->here;
}

static void empty(struct interned *slot)
{
	if (slot->len > sizeof(slot->here))
		free(slot->key);
	*slot = (struct interned){0};
}

/* The slot in which a key stands or would stand; NULL: out of memory. */
static struct interned *slot_of(struct flowdb *db, enum intern table, const void *key, size_t len)
{
	struct interned **cache = &db->intern[table].cache;

	if (!*cache)
		*cache = calloc(TABLES[table].slots, sizeof(**cache));
	return *cache ? &(*cache)[XXH3_64bits(key, len) & (TABLES[table].slots - 1)] : NULL;
}

static bool holds(const struct interned *slot, const void *key, size_t len)
{
	return slot->id && slot->len == len && !memcmp(key_of(slot), key, len);
}

/* A cache may be out of memory: then it does not keep this one. Whether it does beside the slot. */
static bool keep(struct interned *slot, const void *key, size_t len, int64_t id)
{
	struct interned fresh = {.id = id, .len = (uint32_t)len};
	uint8_t *copy = fresh.here;

	if (len > sizeof(fresh.here))
		copy = fresh.key = malloc(len);
	if (!copy)
		return false;
	memcpy(copy, key, len);
	empty(slot);
	*slot = fresh;
	return copy != fresh.here;
}

/* How an address or a MAC reads; which one it is, its length says. */
static const char *host_print(const void *key, size_t len, char buf[ADDR_TEXT])
{
	return len == sizeof(struct mac) ? mac_print(key, buf) : addr_print(key, buf);
}

static void bind_key(sqlite3_stmt *stmt, enum intern table, const void *key, size_t len)
{
	if (table == INTERN_LINK)
		bind_all(stmt, key, len / sizeof(int64_t));
	else if (table == INTERN_HOST)
		sqlite3_bind_blob(stmt, 1, key, (int)len, SQLITE_STATIC);
	else
		sqlite3_bind_text(stmt, 1, key, (int)len, SQLITE_STATIC);
}

/* 1: found in the table; 0: it is not there. */
static int find(struct flowdb *db, enum intern table, const void *key, size_t len, int64_t *ret_id,
                struct err *err)
{
	sqlite3_stmt **stmt = &db->intern[table].find;
	int r = ready(db, stmt, TABLES[table].find, err);

	if (r < 0)
		return r;
	bind_key(*stmt, table, key, len);
	r = sql_step(db, *stmt, err);
	if (r <= 0)
		return r;
	*ret_id = sqlite3_column_int64(*stmt, 0);
	sqlite3_reset(*stmt);
	return 1;
}

/* 1: put into the table; 0: it was there. */
static int put(struct flowdb *db, enum intern table, const void *key, size_t len, int64_t *ret_id,
               struct err *err)
{
	sqlite3_stmt **stmt = &db->intern[table].put;
	int r = ready(db, stmt, TABLES[table].put, err);
	char text[ADDR_TEXT];

	if (r < 0)
		return r;
	bind_key(*stmt, table, key, len);
	if (table == INTERN_HOST)
		bind_text(*stmt, 2, host_print(key, len, text));
	r = sql_run(db, *stmt, err);
	if (r < 0 || !sqlite3_changes(db->sql))
		return r;
	*ret_id = sqlite3_last_insert_rowid(db->sql);
	return 1;
}

/* Of the table itself: put there, or found there. What was so of the one before is tried first: either may be in vain. */
static int look_up(struct flowdb *db, enum intern table, const void *key, size_t len,
                   int64_t *ret_id, struct err *err)
{
	bool *was_found = &db->intern[table].was_found;
	int r = *was_found ? find(db, table, key, len, ret_id, err)
	                   : put(db, table, key, len, ret_id, err);

	if (r)
		return r < 0 ? r : 0;
	*was_found = !*was_found;
	r = *was_found ? find(db, table, key, len, ret_id, err)
	               : put(db, table, key, len, ret_id, err);
	if (!r) /* something else stands in its way */
		return err_set(err, -ESTALE,
		               "%s: not as tlmon left it (a key is neither there nor can be put); "
		               "did another program change it?",
		               db->path);
	return r < 0 ? r : 0;
}

static int intern_key(struct flowdb *db, enum intern table, const void *key, size_t len,
                      int64_t *ret_id, struct err *err)
{
	struct interned *slot = slot_of(db, table, key, len);
	int r;

	if (!slot)
		return err_set(err, -ENOMEM, "out of memory");
	if (holds(slot, key, len)) {
		*ret_id = slot->id;
		return 0;
	}
	r = look_up(db, table, key, len, ret_id, err);
	if (r >= 0)
		db->intern[table].longer |= keep(slot, key, len, *ret_id);
	return r;
}

int intern_text(struct flowdb *db, enum intern table, const char *text, int64_t *ret_id,
                struct err *err)
{
	return intern_key(db, table, text, strlen(text), ret_id, err);
}

int intern_addr(struct flowdb *db, const struct addr *addr, int64_t *ret_id, struct err *err)
{
	return intern_key(db, INTERN_HOST, addr->b, sizeof(addr->b), ret_id, err);
}

int intern_mac(struct flowdb *db, const struct mac *mac, int64_t *ret_id, struct err *err)
{
	return intern_key(db, INTERN_HOST, mac->b, sizeof(mac->b), ret_id, err);
}

/* In the cache a link stands by what the frames say; in its table by the ids of that. */
int intern_link(struct flowdb *db, const struct mac *local, const struct mac *remote,
                uint16_t vlan, int64_t *ret_id, struct err *err)
{
	int64_t ids[] = {SQL_NULL, SQL_NULL, vlan == VLAN_NONE ? SQL_NULL : vlan};
	uint8_t key[2 * sizeof(local->b) + sizeof(vlan)];
	struct interned *slot;
	int r = 0;

	*ret_id = SQL_NULL;
	if (mac_is_zero(local) && mac_is_zero(remote) && vlan == VLAN_NONE)
		return 0;
	memcpy(key, local->b, sizeof(local->b));
	memcpy(key + sizeof(local->b), remote->b, sizeof(remote->b));
	memcpy(key + 2 * sizeof(local->b), &vlan, sizeof(vlan));
	slot = slot_of(db, INTERN_LINK, key, sizeof(key));
	if (!slot)
		return err_set(err, -ENOMEM, "out of memory");
	if (holds(slot, key, sizeof(key))) {
		*ret_id = slot->id;
		return 0;
	}
	if (!mac_is_zero(local))
		r = intern_mac(db, local, &ids[0], err);
	if (r >= 0 && !mac_is_zero(remote))
		r = intern_mac(db, remote, &ids[1], err);
	if (r >= 0)
		r = look_up(db, INTERN_LINK, ids, sizeof(ids), ret_id, err);
	if (r >= 0)
		keep(slot, key, sizeof(key), *ret_id);
	return r;
}

void intern_forget(struct flowdb *db)
{
	for (size_t i = 0; i < INTERN_COUNT; i++)
		for (size_t j = 0; db->intern[i].cache && j < TABLES[i].slots; j++)
			empty(&db->intern[i].cache[j]);
	differs_forget(db);
}

/* What was never used is not looked at: pages would be given for it. */
void intern_release(struct flowdb *db)
{
	differs_release(db);
	for (size_t i = 0; i < INTERN_COUNT; i++) {
		for (size_t j = 0; db->intern[i].longer && j < TABLES[i].slots; j++)
			empty(&db->intern[i].cache[j]);
		free(db->intern[i].cache);
		sqlite3_finalize(db->intern[i].find);
		sqlite3_finalize(db->intern[i].put);
	}
}

static const char *verdict_word(unsigned i)
{
	return ruling_name((enum ruling)i);
}
static const char *grade_word(unsigned i)
{
	return grade_name((enum grade)i);
}
static const char *why_word(unsigned i)
{
	return why_name((enum why)i);
}
static const char *direction_word(unsigned i)
{
	return direction_name((enum direction)i);
}
static const char *severity_word(unsigned i)
{
	return severity_name((enum severity)i);
}
static const char *kind_word(unsigned i)
{
	return kind_name((enum kind)i);
}
static const char *field_word(unsigned i)
{
	return field_name((enum field)i);
}
static const char *app_word(unsigned i)
{
	return app_name((enum app)i);
}
static const char *transport_word(unsigned i)
{
	return transport_name((uint8_t)i);
}
static const char *evidence_word(unsigned i)
{
	return evidence_name((enum evidence)i);
}
static const char *initiator_word(unsigned i)
{
	return initiator_by_name((enum initiator_by)i);
}
static const char *outcome_word(unsigned i)
{
	return outcome_name((enum outcome)i);
}
static const char *settled_word(unsigned i)
{
	return settled_by_name((enum settled_by)i);
}
static const char *media_word(unsigned i)
{
	return media_name((uint8_t)i);
}
static const char *name_kind_word(unsigned i)
{
	return name_kind_name((enum name_kind)i);
}
static const char *keep_word(unsigned i)
{
	return keep_name((enum keep)i);
}

static const char *cause_word(unsigned i)
{
	return blind_cause_name((enum blind_cause)i);
}
static const char *counted_word(unsigned i)
{
	const char *word = blind_cause_counted((enum blind_cause)i);

	return word && *word ? word : NULL;
}
static const char *sentence_word(unsigned i)
{
	return blind_cause_sentence((enum blind_cause)i);
}

/* A number without a word (none, unknown) has no line: the views give NULL. */
int flowdb_put_words(struct flowdb *db, struct err *err)
{
	static const struct {
		const char *list;
		const char *(*word)(unsigned i);
		unsigned count;
	} lists[] = {
		{"verdict", verdict_word, RULING_HOUSEKEEPING + 1},
		{"grade", grade_word, GRADE_WIDE + 1},
		{"why", why_word, WHY_NO_INSPECTOR + 1},
		{"direction", direction_word, DIRECTION_IN + 1},
		{"severity", severity_word, SEVERITY_HIGH + 1},
		{"kind", kind_word, KIND_COUNT},
		{"field", field_word, FIELD_COUNT},
		{"application", app_word, APP_COUNT},
		{"transport", transport_word, 256},
		{"evidence", evidence_word, EVIDENCE_INSPECTED + 1},
		{"initiator", initiator_word, INITIATOR_SYN + 1},
		{"outcome", outcome_word, OUTCOME_ONE_SIDED + 1},
		{"settled", settled_word, SETTLED_LOST + 1},
		{"media", media_word, (MEDIA_AUDIO | MEDIA_VIDEO | MEDIA_DATA) + 1},
		{"name", name_kind_word, NAME_DNS_QUESTION + 1},
		{"keep", keep_word, KEEP_COUNT},
		{"cause", cause_word, BLIND_CAUSE_COUNT},
		{"counted", counted_word, BLIND_CAUSE_COUNT},
		{"sentence", sentence_word, BLIND_CAUSE_COUNT},
	};
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"INSERT INTO word (list, id, word) VALUES (?, ?, ?)"
		" ON CONFLICT DO UPDATE SET word = excluded.word WHERE word <> excluded.word",
		&stmt, err);

	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(lists); i++)
		for (unsigned j = 0; r >= 0 && j < lists[i].count; j++) {
			const char *word = lists[i].word(j);

			if (!word)
				continue;
			bind_text(stmt, 1, lists[i].list);
			sqlite3_bind_int(stmt, 2, (int)j);
			bind_text(stmt, 3, word);
			r = sql_run(db, stmt, err);
		}
	return r;
}

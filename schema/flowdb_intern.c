/*
 * flowdb_intern.c - ids of addresses and texts, so that a flow is a row of integers; and the table
 * that says what the other integers mean.
 */
#include "schema/flowdb_sql.h"

#include <xxhash.h>

static const struct {
	const char *find, *put;
	uint32_t slots; /* a power of two */
} TABLES[INTERN_COUNT] = {
	[INTERN_HOST] = {"SELECT id FROM host WHERE bytes = ?1",
                         "INSERT INTO host (bytes, text) VALUES (?1, ?2)", 65536},
	[INTERN_NAME] = {"SELECT id FROM name WHERE text = ?1",
                         "INSERT INTO name (text) VALUES (?1)", 65536},
	[INTERN_ROW] = {"SELECT id FROM envelope_row WHERE text = ?1",
                        "INSERT INTO envelope_row (text) VALUES (?1)", 1024},
	[INTERN_PHRASE] = {"SELECT id FROM phrase WHERE text = ?1",
                           "INSERT INTO phrase (text) VALUES (?1)", 16384},
};

static int ready(struct flowdb *db, sqlite3_stmt **stmt, const char *text, struct err *err)
{
	int rc = *stmt ? sqlite3_reset(*stmt),
	    0 : sqlite3_prepare_v3(db->sql, text, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL);

	return rc ? sql_error(db, rc, err) : 0;
}

static void bind_key(sqlite3_stmt *stmt, enum intern table, const void *key, size_t len)
{
	if (table == INTERN_HOST)
		sqlite3_bind_blob(stmt, 1, key, (int)len, SQLITE_STATIC);
	else
		sqlite3_bind_text(stmt, 1, key, (int)len, SQLITE_STATIC);
}

/* How an address or a MAC reads; which one it is, its length says. */
static const char *host_print(const void *key, size_t len, char buf[ADDR_TEXT])
{
	return len == sizeof(struct mac) ? mac_print(key, buf) : addr_print(key, buf);
}

/* Of the table itself: found there, or put there. */
static int look_up(struct flowdb *db, enum intern table, const void *key, size_t len,
                   int64_t *ret_id, struct err *err)
{
	char text[ADDR_TEXT];

	sqlite3_stmt **find = &db->intern[table].find, **put = &db->intern[table].put;
	int r = ready(db, find, TABLES[table].find, err);

	if (r < 0)
		return r;
	bind_key(*find, table, key, len);
	r = sql_step(db, *find, err);
	if (r < 0)
		return r;
	if (r) {
		*ret_id = sqlite3_column_int64(*find, 0);
		sqlite3_reset(*find);
		return 0;
	}
	r = ready(db, put, TABLES[table].put, err);
	if (r < 0)
		return r;
	bind_key(*put, table, key, len);
	if (table == INTERN_HOST)
		bind_text(*put, 2, host_print(key, len, text));
	r = sql_run(db, *put, err);
	*ret_id = sqlite3_last_insert_rowid(db->sql);
	return r;
}

static int intern_key(struct flowdb *db, enum intern table, const void *key, size_t len,
                      int64_t *ret_id, struct err *err)
{
	struct interned *cache = db->intern[table].cache, *slot;
	uint8_t *copy;
	int r;

	if (!cache)
		cache = db->intern[table].cache = calloc(TABLES[table].slots, sizeof(*cache));
	if (!cache)
		return err_set(err, -ENOMEM, "out of memory");
	slot = &cache[XXH3_64bits(key, len) & (TABLES[table].slots - 1)];
	if (slot->id && slot->len == len && !memcmp(slot->key, key, len)) {
		*ret_id = slot->id;
		return 0;
	}
	r = look_up(db, table, key, len, ret_id, err);
	if (r < 0)
		return r;
	copy = malloc(len ? len : 1);
	if (!copy)
		return 0; /* a cache may be out of memory */
	memcpy(copy, key, len);
	free(slot->key);
	*slot = (struct interned){.id = *ret_id, .len = (uint32_t)len, .key = copy};
	return 0;
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

void intern_forget(struct flowdb *db)
{
	for (size_t i = 0; i < INTERN_COUNT; i++) {
		struct interned *cache = db->intern[i].cache;

		for (size_t j = 0; cache && j < TABLES[i].slots; j++) {
			free(cache[j].key);
			cache[j] = (struct interned){0};
		}
	}
}

void intern_release(struct flowdb *db)
{
	intern_forget(db);
	for (size_t i = 0; i < INTERN_COUNT; i++) {
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

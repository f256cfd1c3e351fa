/*
 * flowdb_sql.h - what the flowdb*.c share: the open database, its statements, ids of texts. For
 * them alone.
 */
#ifndef SCHEMA_FLOWDB_SQL_H
#define SCHEMA_FLOWDB_SQL_H

#include "schema/flowdb_query.h"

#include <sqlite3.h>
#include <sys/stat.h>

#define FLOWDB_VERSION 5
#define FLOWDB_APPLICATION 0x544c4d4e /* "TLMN" */

/* Statements that are kept prepared; their texts stand where they are used. */
enum slot {
	SLOT_BEGIN,
	SLOT_COMMIT,
	SLOT_DATA_VERSION,
	SLOT_FLOW_POLICY,
	SLOT_COVERAGE_LESS,
	SLOT_RUN_BEGIN,
	SLOT_RUN_UPDATE,
	SLOT_RUN_RESTARTS,
	SLOT_UNIT_FIND,
	SLOT_UNIT_PUT,
	SLOT_UNIT_SEEN,
	SLOT_UNIT_SEEN_MANY,
	SLOT_LEASE_PUT,
	SLOT_NAME_PUT,
	SLOT_NAME_WIDEN,
	SLOT_FLOW_PUT,
	SLOT_FLOW_PUT_MANY,
	SLOT_FLOW_LAST,
	SLOT_FLOW_DELETE,
	SLOT_FLOW_MORE,
	SLOT_DIFFERS_LAST,
	SLOT_DIFFERS_PUT,
	SLOT_FLOW_BLIND,
	SLOT_TALLY,
	SLOT_MEDIA_PORT,
	SLOT_BLIND_PUT,
	SLOT_EVIDENCE_PUT,
	SLOT_EVIDENCE_PUT_MANY,
	SLOT_EVIDENCE_FLOWS,
	SLOT_FINDING_LATEST,
	SLOT_EVIDENCE_HELD,
	SLOT_EVIDENCE_MOVE,
	SLOT_EVIDENCE_DROP,
	SLOT_EVIDENCE_FOLD,
	SLOT_EVIDENCE_LOST,
	SLOT_EVIDENCE_DAY_PUT,
	SLOT_FINDING_FIND,
	SLOT_FINDING_PUT,
	SLOT_FINDING_PUT_MANY,
	SLOT_FINDING_UPDATE,
	SLOT_FINDING_LAST,
	SLOT_FINDING_FOLD,
	SLOT_COVERAGE_ADD,
	SLOT_FLOW_FIND,
	SLOT_FLOW_GET,
	SLOT_FLOW_GET_MORE,
	SLOT_DIFFERS_GET,
	SLOT_FINDING_LESS,
	SLOT_HANDOVER_PUT,
	SLOT_HELD_PUT,
	SLOT_COUNT
};

/*
 * Tables that give a text, an address or the ends of frames their id. The cache before each is bounded: a slot that is
 * wanted by another key is given to it, and SQLite answers for what fell out.
 */
enum intern {
	INTERN_HOST,
	INTERN_NAME,
	INTERN_ROW,
	INTERN_ROW_SET,
	INTERN_PHRASE,
	INTERN_LINK,
	INTERN_COUNT
};

struct interned {
	int64_t id; /* 0: empty */
	uint32_t len;
	union {
		uint8_t here[32]; /* of an address or a link, and of most texts */
		uint8_t *key;     /* of longer ones */
	};
};

enum {
	FLOW_VALUES = 28, /* columns of flow that are written, but its id; of them: */
	FLOW_UNIT = 2,
	FLOW_RULING = 14,
	FLOW_FINDING = 17,
	FLOW_SAID = 22,
	MORE_VALUES = 24, /* of flow_more, but the flow; the last one is `remark` */
	ROW_VALUES = FLOW_VALUES + 1, /* with its id, the last one */
	ROWS_AT_ONCE = 16,
};

/* A flow as its rows hold it. */
struct flow_cells {
	int64_t flow[FLOW_VALUES], more[MORE_VALUES];
	bool has_more;
	char remark[32];
};

/* A row of `differs`, but its id. No gaps: it is compared as bytes. */
struct difference {
	uint16_t rank, field;
	uint32_t row, expected, seen;
};
#define DIFFERENCES_MAX (NEAREST_MAX * FIELD_COUNT)

struct flowdb {
	sqlite3 *sql;
	sqlite3_stmt *slot[SLOT_COUNT];
	struct {
		unsigned count; /* that are to be written */
		int64_t bound[ROWS_AT_ONCE][ROW_VALUES]; /* what SLOT_FLOW_PUT_MANY has as its parameters */
	} rows; /* of flowdb_rows.c */
	struct {
		struct interned *cache;
		bool longer; /* a key was kept that does not fit into its slot */
		sqlite3_stmt *find, *put;
		bool was_found; /* the last one that was looked for was there */
	} intern[INTERN_COUNT];
	struct flowdb *next; /* of several sensors' databases, asked together; see flowdb_merge.c */
	struct flowdb *whole; /* this is an archive of that one, asked together with it (flowdb_twice.c); NULL */
	int64_t whole_from_us; /* what lasted until then or longer is there as well */
	struct flowdb *archives, *next_archive; /* of this one, asked together with it */
	char *sensor;        /* the directory's name; NULL: there is but one */
	struct {
		int64_t flow, change; /* the highest ids that were answered, ... */
		int64_t flow_now, change_now; /* ... and that there are now */
		bool known;
	} point; /* of flowdb_refresh() */
	int64_t finding_last; /* the highest id that was given; 0: not yet, in this transaction */
	int64_t flow_last; /* as finding_last */
	bool differs_known; /* as finding_last, of the highest id in `differs` */
	struct sharing *sharing; /* of flowdb_differs.c; NULL until the first flow outside */
	struct packets *packets; /* of flowdb_evidence.c; NULL until the first */
	struct changes *changes; /* of flowdb_changes.c; NULL until the first */
	struct seen *seen; /* of flowdb_seen.c; NULL until the first */
	struct waiting *waiting; /* of flowdb_wait.c; NULL until the first row waits */
	struct tally *tally; /* of flowdb_tally.c; NULL until the first flow */
	char *path;  /* of the file, for messages */
	int was_version; /* of flowdb_was_version() */
	int lock;    /* the directory, held by the one writer; -1 */
	int door;    /* of flowdb_beside.c: the file, of writers; -1 */
	int64_t data_version; /* as we saw it last; 0: not yet */
	int ask_file, ask_shm; /* to ask who holds a lock (flowdb_lock.c); -1: not yet */
	int busy_ms; /* so long a lock is waited for; 0: as `waits` says */
	bool (*waits)(void *context, int pid);
	void *waits_context;
	uint64_t wal_bytes; /* after the last commit */
	bool frozen; /* opened as a file that nobody changes, as `was` describes it */
	struct stat was, wal_was; /* wal_was: st_ino 0: there is none, or an empty one */
};

#define SQL_NULL INT64_MIN /* of bind_one(), bind_all() */

/* Whose the file is and how old. *ret_version 0: empty, nobody's yet. */
int check_owner(struct flowdb *db, int64_t *ret_version, struct err *err) MUST_CHECK;
/* Makes a database of this version (0: an empty one) one of ours. */
int migrate(struct flowdb *db, int64_t version, struct err *err) MUST_CHECK;

/*
 * The door between the one writer and a short one beside it (flowdb_beside.c): opens it; lets another one go
 * first who waits there; goes through it and begins a transaction.
 */
int door_open(struct flowdb *db, struct err *err) MUST_CHECK;
void door_wait(const struct flowdb *db);
int beside_begin(struct flowdb *db, struct err *err) MUST_CHECK;

/* A row of the table `flow` is to be written (flowdb_rows.c); all are. */
int rows_put(struct flowdb *db, const int64_t values[FLOW_VALUES], int64_t id,
             struct err *err) MUST_CHECK;
int rows_flush(struct flowdb *db, struct err *err) MUST_CHECK;

/* Writes rows of a flow that has none. */
int flow_cells_write(struct flowdb *db, const struct flow_cells *cells, int64_t id,
                     struct err *err) MUST_CHECK;
/*
 * Rows that wait (flowdb_wait.c): one is to; it is taken out of there, was not seen whole, stands under another finding
 * (true: it is one that waits); all are written; all are forgotten with what was rolled back.
 */
int waiting_put(struct flowdb *db, const struct flow_cells *cells, int64_t id,
                struct err *err) MUST_CHECK;
bool waiting_take(struct flowdb *db, int64_t id, struct flow_cells *ret);
bool waiting_is_blind(struct flowdb *db, int64_t id);
void waiting_fold(struct flowdb *db, int64_t from, int64_t into);
int waiting_flush(struct flowdb *db, struct err *err) MUST_CHECK;
void waiting_forget(struct flowdb *db);
void waiting_release(struct flowdb *db);

/*
 * What fails leaves half a statement, which its transaction takes back whole (flowdb_rollback()): so OR FAIL. Without it, for
 * the triggers' sake, SQLite keeps a copy of each page that a statement changes.
 */
#define OR_FAIL "OR FAIL "

/*
 * What became of findings waits (flowdb_changes.c): all of it is written; is forgotten with what was rolled back. False:
 * nothing of that key waits.
 */
int changes_flush(struct flowdb *db, struct err *err) MUST_CHECK;
void changes_forget(struct flowdb *db);
bool changes_have(const struct flowdb *db, const struct finding_row *key);

/* Where units were seen (flowdb_seen.c) is written; is forgotten with what was rolled back. */
int seen_flush(struct flowdb *db, struct err *err) MUST_CHECK;
void seen_forget(struct flowdb *db);

/* Packets that wait for others (flowdb_evidence.c) are written; or forgotten with what was rolled back. */
int packets_flush(struct flowdb *db, struct err *err) MUST_CHECK;
void packets_forget(struct flowdb *db);

/* Turns SQLite's error `rc` into ours: the path, what went wrong, what to do. */
int sql_error(struct flowdb *db, int rc, struct err *err);
/* -EBADMSG: the file is damaged, and what of it can be saved how. */
int sql_damaged(const struct flowdb *db, const char *what, struct err *err);
/* How long a lock of somebody else's is waited for. */
void sql_wait(struct flowdb *db, int ms);
/* A statement of one's own; the caller finalizes it. */
int sql_prepare(struct flowdb *db, const char *text, sqlite3_stmt **ret_stmt,
                struct err *err) MUST_CHECK;
/* The statement kept in a slot, reset and ready to be bound. */
int sql_slot(struct flowdb *db, enum slot slot, const char *text, sqlite3_stmt **ret_stmt,
             struct err *err) MUST_CHECK;
/* Binds a parameter; SQL_NULL is NULL. */
void bind_one(sqlite3_stmt *stmt, int at, int64_t value);
/* Binds parameters 1.. to the values. */
void bind_all(sqlite3_stmt *stmt, const int64_t *values, size_t count);
/*
 * The unit u was ever seen: at an address, or in a flow before it had one (DHCP). What retention or an archive took
 * leaves its place in the tally, coverage, and findings.
 */
#define UNIT_SEEN \
	"(EXISTS (SELECT 1 FROM unit_address s WHERE s.unit = u.id)" \
	" OR EXISTS (SELECT 1 FROM tally s WHERE s.unit = u.id)" \
	" OR EXISTS (SELECT 1 FROM coverage s WHERE s.unit = u.id)" \
	" OR EXISTS (SELECT 1 FROM finding s WHERE s.unit = u.id))"
/* Fills `whole` of each archive in the chain whose database stands there, too. */
int twice_find(struct flowdb *first, struct err *err) MUST_CHECK;
/* As query_findings() for one of the chain; of an archive not what its database there tells of, or denies. */
int twice_findings(struct flowdb *first, struct flowdb *db, char *where,
                   const struct finding_query *query, struct err *err) MUST_CHECK;
/* Borrowed until the statement is reset. NULL is NULL. */
void bind_text(sqlite3_stmt *stmt, int at, const char *text);
/* 1: a row stands there; 0: done, and the statement is reset; negative errno with err filled. */
int sql_step(struct flowdb *db, sqlite3_stmt *stmt, struct err *err) MUST_CHECK;
/* Steps a statement that gives no row. */
int sql_run(struct flowdb *db, sqlite3_stmt *stmt, struct err *err) MUST_CHECK;
int sql_exec(struct flowdb *db, const char *text, struct err *err) MUST_CHECK;
/* Runs the statement of a slot with these numbers. */
int sql_tell(struct flowdb *db, enum slot slot, const char *text, const int64_t *values,
             size_t count, struct err *err) MUST_CHECK;
/* "file:" URI of the path; every byte that a URI could take for its own is escaped. The caller frees it. */
char *sql_uri(const char *path, const char *options);
/* SQLite misses a file that lacks a part of its last page alone; `was` is the file. */
int sql_check_whole(struct flowdb *db, struct err *err) MUST_CHECK;
/* The first number of the first row, with parameters 1.. bound: 1; 0 (and *ret too): there is no row. */
int sql_ask(struct flowdb *db, const char *text, const int64_t *values, size_t count,
            int64_t *ret, struct err *err) MUST_CHECK;
/* The same without parameters; 0 where there is no row. */
int sql_number(struct flowdb *db, const char *text, int64_t *ret, struct err *err) MUST_CHECK;
/* As sql_ask(), by the statement of a slot. */
int sql_ask_slot(struct flowdb *db, enum slot slot, const char *text, const int64_t *values,
                 size_t count, int64_t *ret, struct err *err) MUST_CHECK;
void stmt_finalizep(sqlite3_stmt **stmt);

/* The id of a text or an address in its table, given if it has none yet. */
int intern_text(struct flowdb *db, enum intern table, const char *text, int64_t *ret_id,
                struct err *err) MUST_CHECK;
int intern_addr(struct flowdb *db, const struct addr *addr, int64_t *ret_id,
                struct err *err) MUST_CHECK;
int intern_mac(struct flowdb *db, const struct mac *mac, int64_t *ret_id,
               struct err *err) MUST_CHECK;
/* The MACs of unit and peer (may be zero) and the VLAN (VLAN_NONE); SQL_NULL where all are unknown. */
int intern_link(struct flowdb *db, const struct mac *local, const struct mac *remote,
                uint16_t vlan, int64_t *ret_id, struct err *err) MUST_CHECK;
/*
 * The id of these differences (some), in the order of rank and field, given if they have none yet or one that is not to be
 * named any more (flowdb_differs.c). flow_last is known.
 */
int differs_id(struct flowdb *db, const struct difference *all, size_t count, int64_t *ret_id,
               struct err *err) MUST_CHECK;
void differs_forget(struct flowdb *db);
void differs_release(struct flowdb *db);
/* After a rollback the ids given since are void, also of differences. */
void intern_forget(struct flowdb *db);
void intern_release(struct flowdb *db);

/*
 * A flow was inserted: counted for `tally`. What is
 * counted is written by tally_flush(), before a commit and before a question. A rollback forgets it.
 */
int tally_flow(struct flowdb *db, int64_t unit, uint8_t verdict, uint8_t grade,
               struct err *err) MUST_CHECK;
/* The local port of a flow that is put, if it carries media. */
int tally_port(struct flowdb *db, const struct flow_row *flow, struct err *err) MUST_CHECK;
int tally_flush(struct flowdb *db, struct err *err) MUST_CHECK;
void tally_forget(struct flowdb *db);
void tally_release(struct flowdb *db);

/* Fills the table `word` from the lists we are compiled from. */
int flowdb_put_words(struct flowdb *db, struct err *err) MUST_CHECK;

/*
 * Conditions of a query, appended to `where`; query_bind() fills their parameters. `unit` is the expression
 * that holds a unit's id. The alias of the table flow is f, of finding f too.
 */
#define WHERE_MAX 12288
/*
 * Whether flow f of a unit overlaps the window. Began at most an hour before it: index flow_unit; earlier:
 * flow_long. Each arm names the unit, so that each has its index and none goes through a unit's whole past.
 */
#define HOUR "3600000000"
#define WINDOW_OF(unit) \
	"((f.unit " unit " AND f.start_us BETWEEN ?1 - " HOUR " AND ?2" \
	" AND f.start_us + f.lasted_us >= ?1)" \
	" OR (f.unit " unit " AND f.lasted_us > " HOUR " AND f.start_us < ?1 - " HOUR \
	" AND f.start_us + f.lasted_us >= ?1))"
/* Flows of the unit ?1 that overlap ?2 to ?3. */
#define FLOWS_OF_WINDOW(columns) \
	"SELECT " columns " FROM flow f WHERE f.unit = ?1 AND f.start_us BETWEEN ?2 - " HOUR \
	" AND ?3 AND f.start_us + f.lasted_us >= ?2" \
	" UNION ALL SELECT " columns \
	" FROM flow f WHERE f.unit = ?1 AND f.start_us < ?2 - " HOUR \
	" AND f.lasted_us > " HOUR " AND f.start_us + f.lasted_us >= ?2"
struct unit_window;
void bind_unit_window(sqlite3_stmt *stmt, const struct unit_window *window);
void query_unit(char *where, const char *unit, const struct flow_query *query);
/* Unit and window of a query, of flow f: the conditions to begin with. */
void query_window(char *where, const struct flow_query *query);
void query_flows(const struct flowdb *db, char *where, const struct flow_query *query);
void query_findings(const struct flowdb *db, char *where, const struct finding_query *query);
void query_bind(sqlite3_stmt *stmt, const struct flow_query *query);
/* 0 if each unit asked for is known to one of the databases, else -ENOENT with err naming some. */
int query_check_units(struct flowdb *db, const struct flow_query *query, struct err *err) MUST_CHECK;

/*
 * The same question put to each database of the chain, and the rows in one order: the first `keys` columns
 * are what each statement orders by, those in the mask `down` falling.
 */
struct merge {
	size_t count, at; /* at: whose row stands there */
	unsigned keys;
	uint64_t down, left; /* left: rows until "enough" */
	bool begun;
	struct {
		struct flowdb *db;
		sqlite3_stmt *stmt;
		bool row;
	} part[FLOWDBS_MAX];
};
void merge_init(struct merge *merge, unsigned keys, uint64_t down, uint64_t limit);
void merge_release(struct merge *merge);
int merge_add(struct merge *merge, struct flowdb *db, const char *sql,
              const struct flow_query *query, struct err *err) MUST_CHECK;
/* 1: a row of *ret_db stands in *ret_stmt until the next call; 0: there is none left. */
int merge_next(struct merge *merge, struct flowdb **ret_db, sqlite3_stmt **ret_stmt,
               struct err *err) MUST_CHECK;

/* "k1, k2 DESC" of query->sort as columns to select and to order by, before those of the natural order. */
struct sorting {
	char columns[2048]; /* "expr, expr, " */
	unsigned count;
	uint64_t down;
};
int sorting_of(enum flowdb_thing thing, const char *sort, struct sorting *ret,
               struct err *err) MUST_CHECK;
/* What the field, by its place, calls the value; NULL: nothing. */
const char *sort_word(int thing, int field, int64_t value);
/* " ORDER BY 1, 2 DESC ... LIMIT ?8" over the first `keys` columns. */
void sorting_add(char *sql, unsigned keys, uint64_t down);

/*
 * meets(remote, low, high): whether the prefix in text has an address between the two. has_port(ports, low, high): so
 * of "53, 50000-50019". takes(filter, ...):
 * flow_filter. local_text(us, letters): local time.
 */
int query_functions(struct flowdb *db, struct err *err) MUST_CHECK;
/* Hands over the flow of this id, whole: 1: `each` was called; 2: and said "enough"; 0: there is none. */
int flow_get(struct flowdb *db, int64_t id,
             int (*each)(void *context, const struct flow_view *flow, struct err *err),
             void *context, struct err *err) MUST_CHECK;
/* All zero where it is NULL. */
void column_addr(sqlite3_stmt *stmt, int at, struct addr *ret);
void column_mac(sqlite3_stmt *stmt, int at, struct mac *ret);
/* "" where it is NULL. */
const char *column_text(sqlite3_stmt *stmt, int at);

/* Flows are gone for this reason: so many more, and all that ended before until_us. Part of a transaction. */
int removed_add(struct flowdb *db, int how, int64_t until_us, uint64_t flows, const char *place,
                struct err *err) MUST_CHECK;

/* For who holds the lock of the directory: finishes what a killed flowdb_set_aside() began. */
int aside_finish(const char *dir, int lock, struct err *err) MUST_CHECK;

/* " (pid 1234)": who holds the writer's lock on the directory; "" where that cannot be known. Returns `buf`. */
#define HOLDER_TEXT 32
const char *holder_print(const char *dir, char buf[HOLDER_TEXT]);
/* The version of a database of ours, as its first page has it: opening is not needed. 0: it is none. */
int64_t version_in_head(const char *path);

struct upkeep_progress;
/* `progress` may be NULL. */
void upkeep_tell(const struct upkeep_progress *progress, const char *doing, uint64_t done,
                 uint64_t all);

/* The counters of a run, in the order of its columns. */
#define RUN_COUNTERS(X) \
	X(seen) \
	X(bytes) \
	X(out_of_scope) \
	X(arp) X(igmp) X(nd) X(in_flows) X(malformed) X(fragments_lost) X(duplicates) \
		X(truncated) X(errors_lost) X(flows) X(evicted) X(names_refused) \
			X(kernel_received) X(kernel_dropped) X(interface_dropped) X(inspected) \
				X(inspect_shed) X(told_shed) X(tunnelled) \
					X(streams_shed) X(young_shed) X(evidence_shed)

/* Where the parts of flow.how begin: those of TLS and what is seldom there last, so that most are short numbers. */
enum {
	HOW_PEER_FIRST = 0,
	HOW_INITIATOR = 1,
	HOW_INITIATOR_BY = 3,
	HOW_MIDSTREAM = 6,
	HOW_SETTLED_BY = 7,
	HOW_NAME_KIND = 10,
	HOW_CLOSED = 12,
	HOW_MORE = 13,
	HOW_ICE_UNIT = 14,
	HOW_ICE_PEER = 15,
	HOW_MTLS = 16,
	HOW_TLS_VERSION = 18,
	HOW_IPV6 = 26,
	HOW_WARMUP = 27,
	HOW_SOLICITED = 28,
	HOW_ASKED_AGAIN = 29,
	HOW_LOSSY = 30,
};

/* Where the parts of flow.said begin, in the same manner. */
enum {
	SAID_EVIDENCE = 0,
	SAID_OUTCOME = 2,
	SAID_DIRECTION = 5,
	SAID_GRADE = 7,
	SAID_MEDIA = 9,
	SAID_WHY = 12,
	SAID_SEVERITY = 16,
	SAID_BLIND = 19,
	SAID_TOLD = 20,
	SAID_ROW_SET = 25,
};

/* The same in a statement, of flow f: generated columns would be computed at every insert. */
#define FLOW_EVIDENCE "(f.said & 3)"
#define FLOW_OUTCOME "(f.said >> 2 & 7)"
#define FLOW_DIRECTION "(f.said >> 5 & 3)"
#define FLOW_GRADE "(f.said >> 7 & 3)"
#define FLOW_MEDIA "(f.said >> 9 & 7)"
#define FLOW_WHY "(f.said >> 12 & 15)"
#define FLOW_SEVERITY "(f.said >> 16 & 7)"
#define FLOW_BLIND "(f.said >> 19 & 1)"
#define FLOW_ROW_SET "(nullif(f.said >> 25, 0))"
#define FLOW_IP_VERSION "(4 + 2 * (f.how >> 26 & 1))"

/* The longest row_set.text: ids, ", " between. */
#define ROW_SET_MAX (ROWS_MAX * (ROW_ID_MAX + 2))

#endif

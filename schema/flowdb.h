/*
 * flowdb.h - the flow database: open, migrate, typed writes and queries. The only SQL is in
 * flowdb*.c and flowdb.sql. One writer (the recorder) at a time; readers open it read-only and
 * never delay it.
 */
#ifndef SCHEMA_FLOWDB_H
#define SCHEMA_FLOWDB_H

#include "schema/event.h"
#include "schema/keep.h"
#include "schema/verdict.h"

struct flowdb;

enum flowdb_mode {
	FLOWDB_READ, /* must exist; nothing is written beside it, also in a read-only directory */
	FLOWDB_WRITE, /* made if missing, migrated if older; mode 0640 */
	FLOWDB_BESIDE, /* must exist; a short writer beside the recorder, in a transaction that has begun */
};

/*
 * Opens DIR/flows.db; `dir` NULL is a private database in memory (FLOWDB_WRITE). On success
 * *ret_db is the caller's, to be given to flowdb_close(). On failure err says what is wrong and
 * what to do: no such directory, not a database, another application's, a newer version's
 * (which one it is, which one we know), locked by another writer.
 */
int flowdb_open(const char *dir, enum flowdb_mode mode, struct flowdb **ret_db,
                struct err *err) MUST_CHECK;
/* The older version that it was of until this writer opened it, 0: none; the version of all that are opened. */
int flowdb_was_version(const struct flowdb *db);
int flowdb_version(void);
void flowdb_close(struct flowdb *db);
void flowdb_closep(struct flowdb **db);
/*
 * A reader asks this after its last query: a database that had no writer when it was opened is read
 * without locks. 0, or -EAGAIN with err filled when a writer came and changed it in the meantime.
 */
int flowdb_check(struct flowdb *db, struct err *err) MUST_CHECK;

/*
 * A private database goes from one process to another: its writer saves it whole to `fd`, after its last commit, and
 * another one loads it from there, to be read.
 */
int flowdb_save(struct flowdb *db, int fd, struct err *err) MUST_CHECK;
int flowdb_load(int fd, struct flowdb **ret_db, struct err *err) MUST_CHECK;

/*
 * A writer that finds the database locked asks `waits`, some fifty times a second, whether to go on waiting: `pid` holds
 * the lock, 0 where that cannot be known. Without it a second is waited.
 */
void flowdb_on_busy(struct flowdb *db, bool (*waits)(void *context, int pid), void *context);
/* Who holds the lock that a writer needs, and one who reads an older state; 0: nobody, or it cannot be known. */
int flowdb_writer(struct flowdb *db);
int flowdb_reader(struct flowdb *db);
/* "sqlite3 (pid 4711)"; returns `buf`. */
#define FLOWDB_WHO 64
const char *flowdb_who(int pid, char buf[FLOWDB_WHO]);
/* Length of the WAL after the last commit: what readers of old states keep from being written back. */
uint64_t flowdb_wal_bytes(const struct flowdb *db);

/*
 * A writer looks at a database before it goes on: -EBADMSG with err filled if it is damaged or lacks what a fresh one
 * has. It costs little of a large one, so it does not find all.
 */
int flowdb_look(struct flowdb *db, struct err *err) MUST_CHECK;
/*
 * DIR/flows.db, not open here, gets another name, with all its files: nothing of it is lost or written. Killed half way it
 * is finished by the next writer. `at_us`: now, by the wall clock.
 */
int flowdb_set_aside(const char *dir, int64_t at_us, struct err *err) MUST_CHECK;
/* The database that was set aside last: 1; 0: none was. */
struct flowdb_aside {
	char name[64];    /* in the same directory */
	int64_t at_us;    /* to the second */
	int64_t since_us, /* what its record spans; 0: not known, */
		until_us; /* and until at_us at least */
};
int flowdb_aside(const char *dir, struct flowdb_aside *ret, struct err *err) MUST_CHECK;
/* How much of the database is kept in memory. */
int flowdb_cache(struct flowdb *db, uint32_t kib, struct err *err) MUST_CHECK;
/* Each commit waits until the disk has it: not even a power cut takes it back. */
int flowdb_sync_each(struct flowdb *db, struct err *err) MUST_CHECK;

/*
 * A private database gets all that DIR/flows.db knows beside flows and evidence: whoever judges while that one cannot be
 * written knows units, names and findings.
 */
int flowdb_know(struct flowdb *db, const char *dir, struct err *err) MUST_CHECK;

/* Writes; each is one prepared statement or two. 0, or negative errno with err filled. */

/* -ENOENT with err filled if the file that is written to is not at its path any more; a private one always is. */
int flowdb_in_place(struct flowdb *db, struct err *err) MUST_CHECK;
int flowdb_has_run(struct flowdb *db, int64_t run, struct err *err) MUST_CHECK; /* 1, 0 */

int flowdb_begin(struct flowdb *db, struct err *err) MUST_CHECK;
int flowdb_commit(struct flowdb *db, struct err *err) MUST_CHECK;
void flowdb_rollback(struct flowdb *db);

/* One run of a writer. Times are the run's clock: no wall clock in what a file gives. */
struct restarts {
	uint64_t inspector, sensor, recorder;
};
struct run_row {
	const char *version; /* of this program */
	const char *source;  /* "file", "live" */
	const char *inputs;  /* base names or interfaces, ", " between */
	const char *filter;  /* tcpdump words; "" */
	const char *roles_unknown; /* "edge,other-client": left empty by the site; NULL: none */
	int64_t begun_us;          /* live: wall clock; 0 for files */
	enum keep keep;            /* what it keeps of packets */
};
int flowdb_run_begin(struct flowdb *db, const struct run_row *run, int64_t *ret_id,
                     struct err *err) MUST_CHECK;
/*
 * Also called while it runs: how far its clock came, the counters. `ended` seals it, and with it
 * ends what was blind and went on. Of a live run `last_us` is its heartbeat: written at every
 * commit, also in silence. Where `seen` has grown since the last call a packet came by `last_us`,
 * and that is kept too.
 */
int flowdb_run_update(struct flowdb *db, int64_t run, int64_t first_us, int64_t last_us,
                      bool ended, const struct counters *counters, struct err *err) MUST_CHECK;

/* Processes of the run that took the place of a dead one: added to what stands there. */
int flowdb_run_restarts(struct flowdb *db, int64_t run, const struct restarts *more,
                        struct err *err) MUST_CHECK;
/*
 * A live flow has its row when it is that old: it is written at 60 s at the latest, and that word has to travel and to
 * be committed. Of younger ones a run that dies leaves nothing.
 */
#define FLOW_ROW_US INT64_C(65000000)
/* The last heartbeat of the last live run, and whether it ended in order: 1, or 0 if there was none. */
int flowdb_live_last(struct flowdb *db, int64_t *ret_us, bool *ret_ended,
                     struct err *err) MUST_CHECK;

/* A capture file of a run. `cut` and `note`: where and why it ended early. */
struct input_row {
	const char *name; /* base name */
	uint64_t size;
	const char *hash; /* of the content, hex; "" if unknown (standard input) */
	int64_t first_us, last_us;
	uint64_t packets;
	bool cut;
	const char *note; /* "" */
};
int flowdb_input_put(struct flowdb *db, int64_t run, const struct input_row *input,
                     struct err *err) MUST_CHECK;
/* 1 if a run already holds packets of a file of this size and hash (NULL: any), 0 if not. */
int flowdb_has_input(struct flowdb *db, uint64_t size, const char *hash,
                     struct err *err) MUST_CHECK;

/* Full texts, once each hash. */
int flowdb_policy_put(struct flowdb *db, const char *hash, const char *envelope_text,
                      const char *site_text, int64_t *ret_id, struct err *err) MUST_CHECK;

/* From when on a policy judged (table policy_use). */
struct policy_use_row {
	int64_t policy, run; /* run 0: recorded flows were judged again */
	int64_t from_us;     /* 0: from the run's first packet on */
	int64_t at_us;       /* judged again: when, by the wall clock; else 0 */
	const char *by_whom; /* ""; NULL */
};
int flowdb_policy_use(struct flowdb *db, const struct policy_use_row *use,
                      struct err *err) MUST_CHECK;

/*
 * A unit by its name, made at first sight or as listed. `profiles` "room, online"; listed: some list
 * of units names it. The run begun last is noted as the one that knows it.
 */
int flowdb_unit_put(struct flowdb *db, const char *name, const char *profiles, bool listed,
                    int64_t *ret_id, struct err *err) MUST_CHECK;
/* How it is known that a unit has an address: a mask, 0 while only others wrote to it there. */
enum { KNOWN_BY_PACKETS = 1, KNOWN_BY_DHCP = 2, KNOWN_BY_NEIGHBOUR = 4 };
/* It had this address (and MAC; may be zero) from first to last; widened if already there. */
int flowdb_unit_seen(struct flowdb *db, int64_t unit, const struct addr *addr,
                     const struct mac *mac, uint8_t known_by, int64_t first_us,
                     int64_t last_us, struct err *err) MUST_CHECK;

/* A lease of a unit's: renewed, or ended, where it is there with the same first_us. */
struct lease_row {
	int64_t run, unit;
	struct mac mac;
	struct addr address, server; /* server zero: not told */
	int64_t first_us, last_us, until_us; /* until 0: not told */
	bool counted; /* its server was believed under the policy of then */
	uint8_t mask_bits, dns_count;
	struct addr dns[LEASE_SERVERS];
};
int flowdb_lease_put(struct flowdb *db, const struct lease_row *lease,
                     struct err *err) MUST_CHECK;

/*
 * A DNS answer kept: who learnt it, from whom, from when to when it counts. Widened if the run has it and it
 * was not over by first_us; else it is another one, so that gaps stay gaps.
 */
struct name_row {
	int64_t run, unit; /* the unit that the client was then; 0: not known (an older program wrote it) */
	struct addr client, server, address;
	const char *name;
	int64_t first_us, last_us, until_us;
	bool counted; /* its server was believed under the policy of then */
	bool asked;   /* of flowdb_names_of() alone: the question was for this name, not for an alias of it */
};
int flowdb_name_put(struct flowdb *db, const struct name_row *name, struct err *err) MUST_CHECK;

/* What the judge was told of a flow beside its facts, as a mask. */
enum {
	TOLD_ALONE = 1,        /* no two-way flow of the unit within ten minutes of a request without answer */
	TOLD_NO_INSPECTOR = 2, /* nobody was there to ask */
	TOLD_NAMES_SHORT = 4,  /* a name of the unit had found no place in the book */
	TOLD_LEASE_LATER = 8,  /* no lease had counted by its last packet, but one was there when it was judged */
	TOLD_OPEN = 16,        /* it went on, or what became of it was not known yet: not the last word */
};

struct flow_row {
	int64_t run, policy, unit;
	const struct flow_facts *facts;
	const char *name; /* "" */
	uint8_t local;    /* which end is the unit's */
	uint16_t app;     /* after the join */
	uint8_t evidence;
	const struct verdict *verdict;
	const char *rows[ROWS_MAX];       /* ids for verdict->rows */
	const char *nearest[NEAREST_MAX]; /* ids for verdict->nearest */
	int64_t finding;                  /* 0: none */
	bool blind;
	bool asked_again, lossy; /* as the judge was told (rules/judge.h) */
	uint8_t told;            /* TOLD_* */
	bool waits; /* it goes on: its row may wait for the end of the transaction */
};
/* Inserts where *id is 0 (and fills it), else rewrites that row. */
int flowdb_flow_put(struct flowdb *db, const struct flow_row *flow, int64_t *id,
                    struct err *err) MUST_CHECK;

/* The flow of this row was not seen whole. */
int flowdb_flow_blind(struct flowdb *db, int64_t id, struct err *err) MUST_CHECK;

/* An interval in which something was not seen. */
struct blind_row {
	int64_t run;                /* 0: between two runs */
	int64_t unit;               /* 0: all */
	int64_t since_us, until_us; /* until 0: it goes on */
	uint64_t count;             /* of what the cause counts */
	uint8_t cause;              /* enum blind_cause */
	const char *detail;         /* the interface, what a process died of; "" */
};
/* Inserts where *id is 0 (and fills it), else rewrites that row. */
int flowdb_blind_put(struct flowdb *db, const struct blind_row *blind, int64_t *id,
                     struct err *err) MUST_CHECK;
/*
 * Ends what goes on in that run (0: in any): nobody is left to do so. It went on at the least until
 * the run's heartbeat; from there on nobody was looking at all.
 */
int flowdb_blind_end(struct flowdb *db, int64_t run, struct err *err) MUST_CHECK;

/* A packet kept as it was: of a flow under a finding, or one that a process died of. */
struct evidence_row {
	int64_t run, time_us;
	uint64_t flow; /* number of its flow's first packet; 0: not known */
	int64_t finding; /* what it is kept for; 0: for `cause` */
	uint8_t cause; /* enum blind_cause; BLIND_NONE */
	uint8_t link;  /* enum link */
	uint32_t wire_len;
	size_t len;
	const uint8_t *bytes;
};
int flowdb_evidence_put(struct flowdb *db, const struct evidence_row *evidence,
                        struct err *err) MUST_CHECK;
/* Of how many flows a finding has packets. */
int flowdb_evidence_flows(struct flowdb *db, int64_t finding, uint64_t *ret_flows,
                          struct err *err) MUST_CHECK;
/* How many packets of one flow a finding has. */
int flowdb_evidence_held(struct flowdb *db, int64_t finding, int64_t run, uint64_t flow,
                         uint64_t *ret_packets, struct err *err) MUST_CHECK;
/* The packets of a flow go from one finding over to another; `into` 0: they are deleted. */
int flowdb_evidence_move(struct flowdb *db, int64_t finding, int64_t run, uint64_t flow,
                         int64_t into, struct err *err) MUST_CHECK;
/* All packets of one finding go over to another. flowdb_finding_fold() does it. */
int flowdb_evidence_fold(struct flowdb *db, int64_t from, int64_t into,
                         struct err *err) MUST_CHECK;
/* The run gave up so many packets more, before anybody knew whether a finding would want them. */
int flowdb_evidence_lost(struct flowdb *db, int64_t run, uint64_t packets,
                         struct err *err) MUST_CHECK;
/* What the packets of a day took of its budget. A day without any is all zero. */
struct evidence_day_row {
	int64_t day; /* since 1970, UTC */
	uint64_t bytes, refused;
};
int flowdb_evidence_day(struct flowdb *db, int64_t day, struct evidence_day_row *ret,
                        struct err *err) MUST_CHECK;
int flowdb_evidence_day_put(struct flowdb *db, const struct evidence_day_row *day,
                            struct err *err) MUST_CHECK;

struct finding_row {
	int64_t unit;
	uint8_t kind, severity, transport;
	char row[ROW_ID_MAX]; /* the nearest row, or the row that is blocked; "" for service at nothing near */
	char remote
		[PREFIX_TEXT]; /* the peers gathered: a /24 or /64 or an address; "" where the role says it */
	char role[32]; /* "" */
	char port[64]; /* "16332", "1024-65535"; "" */
	uint16_t app;
	int64_t first_us, last_us;
	uint64_t flows, kept, bytes; /* counted in full; flow rows kept; bytes both ways */
	bool open;
	char reason[768]; /* the sentence; of one that the judge closed why it did */
	char waiver[256]; /* "owner: reason (until 2026-12-31)"; "" */
};
/* The finding of the same unit, kind, row, remote, role, transport, port and app: 1 with *ret and *ret_id filled, 0 if there is none. */
int flowdb_finding_find(struct flowdb *db, const struct finding_row *key,
                        struct finding_row *ret, int64_t *ret_id, struct err *err) MUST_CHECK;
/* The latest beginning of a flow that has a row under it; 0: none has. */
int flowdb_finding_latest(struct flowdb *db, int64_t finding, int64_t *ret_us,
                          struct err *err) MUST_CHECK;
/* The id of a finding that is put later, in the same transaction. */
int flowdb_finding_number(struct flowdb *db, int64_t *ret_id, struct err *err) MUST_CHECK;
/*
 * Inserts where *id is 0 (and fills it) or of none that is there, else rewrites all but what it is found by. It may wait for
 * the end of the transaction; whoever asks for findings sees it.
 */
int flowdb_finding_put(struct flowdb *db, const struct finding_row *finding, int64_t *id,
                       struct err *err) MUST_CHECK;
/* The same of one that is not there, under an id of flowdb_finding_number(). */
int flowdb_finding_open(struct flowdb *db, const struct finding_row *finding, int64_t id,
                        struct err *err) MUST_CHECK;

/* A person closes or reopens a finding. */
struct finding_judgement {
	int64_t finding, at_us; /* at_us: by the wall clock */
	bool open;
	const char *reason;        /* of the finding, from then on; NULL: it stays */
	const char *by_whom, *why; /* who did it, and the reason given */
};
/* 1; 0 if it is so already, or there is none. */
int flowdb_finding_judge(struct flowdb *db, const struct finding_judgement *judgement,
                         struct err *err) MUST_CHECK;
/* Whether anybody else committed since this was last asked, or since a writer opened it: 1, 0. */
int flowdb_others_wrote(struct flowdb *db, struct err *err) MUST_CHECK;
/* How all findings stand. */
int flowdb_finding_states(struct flowdb *db,
                          int (*each)(void *context, int64_t id, bool open, const char *reason,
                                      struct err *err),
                          void *context, struct err *err) MUST_CHECK;

/* All flow rows of one finding go over to another. */
int flowdb_finding_fold(struct flowdb *db, int64_t from, int64_t into,
                        struct err *err) MUST_CHECK;

/* How a unit exercised a row, over all runs: added to what stands there. A row of zeros is not stored. */
struct coverage_row {
	int64_t unit;
	const char *row;
	uint64_t exact, unproven, wide;        /* flows answered, by grade */
	uint64_t unanswered, blocked, outside; /* outside: flows whose nearest row this is */
	int64_t first_us, last_us;             /* of the answered ones; 0 */
};
int flowdb_row_put(struct flowdb *db, const char *row, struct err *err) MUST_CHECK; /* its id is given */
int flowdb_coverage_add(struct flowdb *db, const struct coverage_row *coverage,
                        struct err *err) MUST_CHECK;

/* For a recorder that takes the place of a dead one. 1 with *ret filled, 0 if there is none. */
struct flow_found {
	int64_t id, finding; /* finding 0: under none */
	uint64_t bytes;      /* both ways, as written */
	enum app opinion;    /* nDPI's, if it was that which named the application; APP_NONE */
};
/* The row of a flow of this run, by its unit, its beginning and the number of its first packet. */
int flowdb_flow_find(struct flowdb *db, int64_t run, int64_t unit, int64_t start_us,
                     uint64_t packet, struct flow_found *ret, struct err *err) MUST_CHECK;
/* What flowdb_finding_find() looks a finding up by. */
int flowdb_finding_key(struct flowdb *db, int64_t id, struct finding_row *ret,
                       struct err *err) MUST_CHECK;
/* Findings that this run has written something of, by number. */
int flowdb_run_findings(struct flowdb *db, int64_t run,
                        int (*each)(void *context, int64_t id, int64_t unit, struct err *err),
                        void *context, struct err *err) MUST_CHECK;
/* Leases of units that held at `since_us` or later, of all runs, in the order they began. */
int flowdb_leases(struct flowdb *db, int64_t since_us,
                  int (*each)(void *context, const struct lease_row *lease, struct err *err),
                  void *context, struct err *err) MUST_CHECK;
/* Addresses that units had at `since_us` or later. */
struct unit_address_row {
	int64_t unit;
	struct addr address;
	struct mac mac; /* zero: not known */
	uint8_t known_by;
	int64_t first_us, last_us;
};
int flowdb_unit_addresses(struct flowdb *db, int64_t since_us,
                          int (*each)(void *context, const struct unit_address_row *row,
                                      struct err *err),
                          void *context, struct err *err) MUST_CHECK;
/*
 * Names that addresses held in a run (0: in any) at `at_us` or later, first seen by `until_us`; by run and first_us. `each`
 * as in flowdb_query.h.
 */
int flowdb_names_held(struct flowdb *db, int64_t run, int64_t at_us, int64_t until_us,
                      int (*each)(void *context, const struct name_row *name, struct err *err),
                      void *context, struct err *err) MUST_CHECK;

/*
 * Where a run stands, written with each commit: whoever takes the place of a recorder that died goes on from there.
 * `session` is the program's, random and not 0: positions on rings mean nothing to another one. `reads`: a hash of
 * what files are read and how, "" where that cannot be had again; `inputs`: those files, "size:hash," each.
 */
struct handover_row {
	int64_t run;
	uint64_t session;
	uint64_t facts, opinions, control; /* positions on the rings */
	uint64_t skip; /* of the facts behind that position are in the database already */
	const char *reads, *inputs;
};
/* `sums` is what the recorder has counted, as it lies in its memory: it comes back only in the same length. */
int flowdb_handover_put(struct flowdb *db, const struct handover_row *row, const void *sums,
                        size_t sums_len, struct err *err) MUST_CHECK;
/* The run of that session, else one that died while it read the same: 1 with *ret and `sums` filled, 0. */
int flowdb_handover_find(struct flowdb *db, uint64_t session, const char *reads,
                         struct handover_row *ret, void *sums, size_t sums_len,
                         struct err *err) MUST_CHECK;
/* The run is over. */
int flowdb_handover_drop(struct flowdb *db, int64_t run, struct err *err) MUST_CHECK;
/* 1 if a run that died had begun to read a file of this size and hash, 0 if not. */
int flowdb_handover_reads(struct flowdb *db, uint64_t size, const char *hash,
                          struct err *err) MUST_CHECK;
/* Of runs of other sessions: nobody will go on with a live one, nor with one that read this file. */
int flowdb_handover_forget(struct flowdb *db, uint64_t session, uint64_t size, const char *hash,
                           struct err *err) MUST_CHECK;
/* Flows that are over and wait for their last word: all of a run, in order. `marks` are the recorder's. */
int flowdb_held_clear(struct flowdb *db, int64_t run, struct err *err) MUST_CHECK;
int flowdb_held_put(struct flowdb *db, int64_t run, enum app opinion, unsigned marks,
                    const struct event *event, struct err *err) MUST_CHECK;
int flowdb_held(struct flowdb *db, int64_t run,
                int (*each)(void *context, enum app opinion, unsigned marks,
                            const struct event *event, struct err *err),
                void *context, struct err *err) MUST_CHECK;

/* For `tlmon rejudge` (flowdb_rejudge.c). */
int flowdb_flow_ids(struct flowdb *db,
                    int (*each)(void *context, int64_t id, struct err *err), void *context,
                    struct err *err) MUST_CHECK;
/* The flow was judged by that policy, with the same verdict. */
int flowdb_flow_policy(struct flowdb *db, int64_t id, int64_t policy, struct err *err) MUST_CHECK;
/* What flows had counted for is taken back, never below 0; then what is left of `coverage` is put in order. */
int flowdb_coverage_less(struct flowdb *db, const struct coverage_row *coverage,
                         struct err *err) MUST_CHECK;
int flowdb_coverage_settle(struct flowdb *db, struct err *err) MUST_CHECK;
int flowdb_newest_change(struct flowdb *db, int64_t *ret_id, struct err *err) MUST_CHECK;
/* Findings that are in a state now in which they were not before. */
struct finding_turns {
	uint64_t opened, waived, closed;
};
/* All changes of findings after that one were somebody's: who, why and when; and what they came to. */
int flowdb_changes_by(struct flowdb *db, int64_t after, const struct finding_judgement *by,
                      struct finding_turns *ret, struct err *err) MUST_CHECK;

/* Queries: see schema/flowdb_query.h. */

#endif

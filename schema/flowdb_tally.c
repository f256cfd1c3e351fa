/*
 * flowdb_tally.c - how many flows each unit has and which of its ports carried media, kept beside the
 * flows so that no query has to go through all of them. Counts wait here until a commit; a slot that is
 * wanted by another key is written earlier.
 */
#include "schema/flowdb_sql.h"

enum { COUNTS = 65536, PORTS = 16384, PORTS_EACH = 64 }; /* powers of two */

struct count {
	int64_t unit;
	uint8_t verdict, grade;
	int64_t flows; /* 0: empty */
};

struct tally {
	struct count count[COUNTS];
	struct {
		uint64_t key;   /* unit << 10 | port / PORTS_EACH; 0: empty */
		uint64_t ports; /* mask: known to stand in the table */
	} port[PORTS];
};

static int write_count(struct flowdb *db, struct count *count, struct err *err)
{
	const int64_t values[] = {count->unit, count->verdict, count->grade, count->flows};
	sqlite3_stmt *stmt;
	int r;

	if (!count->flows)
		return 0;
	r = sql_slot(db, SLOT_TALLY,
	             "INSERT INTO tally (unit, verdict, grade, flows) VALUES (?, ?, ?, ?)"
	             " ON CONFLICT DO UPDATE SET flows = flows + excluded.flows",
	             &stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	r = sql_run(db, stmt, err);
	if (r >= 0)
		*count = (struct count){0};
	return r;
}

/* The same as flowdb_holdings() asks for: over TCP media and checks are told from the rest by their framing alone. */
static bool carries_media(const struct flow_row *flow)
{
	const struct flow_facts *f = flow->facts;

	if (f->transport != TRANSPORT_TCP && f->transport != TRANSPORT_UDP)
		return false;
	if (f->media || f->ice)
		return true;
	return flow->evidence == EVIDENCE_DISSECTOR &&
	       (flow->app == APP_STUN || flow->app == APP_RTP || flow->app == APP_RTCP ||
	        flow->app == APP_TURN_CHANNEL);
}

static int add_port(struct flowdb *db, const struct flow_row *flow, struct err *err)
{
	const int64_t values[] = {flow->unit, flow->facts->end[flow->local & 1].port};
	uint64_t key = (uint64_t)values[0] << 10 | (uint64_t)values[1] / PORTS_EACH;
	uint64_t bit = UINT64_C(1) << values[1] % PORTS_EACH;
	size_t at = (key ^ key >> 10) & (PORTS - 1);
	sqlite3_stmt *stmt;
	int r;

	if (db->tally->port[at].key == key && db->tally->port[at].ports & bit)
		return 0;
	r = sql_slot(db, SLOT_MEDIA_PORT,
	             "INSERT INTO media_port (unit, port) VALUES (?, ?) ON CONFLICT DO NOTHING",
	             &stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	r = sql_run(db, stmt, err);
	if (r < 0)
		return r;
	if (db->tally->port[at].key != key)
		db->tally->port[at].ports = 0;
	db->tally->port[at].key = key;
	db->tally->port[at].ports |= bit;
	return 0;
}

int tally_port(struct flowdb *db, const struct flow_row *flow, struct err *err)
{
	if (!carries_media(flow))
		return 0;
	if (!db->tally)
		db->tally = calloc(1, sizeof(*db->tally));
	return db->tally ? add_port(db, flow, err) : err_set(err, -ENOMEM, "out of memory");
}

int tally_flow(struct flowdb *db, int64_t unit, uint8_t verdict, uint8_t grade, struct err *err)
{
	struct count *count;

	if (!db->tally)
		db->tally = calloc(1, sizeof(*db->tally));
	if (!db->tally)
		return err_set(err, -ENOMEM, "out of memory");
	count = &db->tally->count[((uint64_t)unit << 3 ^ (uint64_t)verdict << 2 ^ grade) &
	                          (COUNTS - 1)];
	if (count->flows &&
	    (count->unit != unit || count->verdict != verdict || count->grade != grade)) {
		int r = write_count(db, count, err);

		if (r < 0)
			return r;
	}
	count->unit = unit;
	count->verdict = verdict;
	count->grade = grade;
	count->flows++;
	return 0;
}

int tally_flush(struct flowdb *db, struct err *err)
{
	int r = waiting_flush(db, err);

	for (size_t i = 0; db->tally && r >= 0 && i < COUNTS; i++)
		r = write_count(db, &db->tally->count[i], err);
	return r;
}

void tally_forget(struct flowdb *db)
{
	if (db->tally)
		memset(db->tally, 0, sizeof(*db->tally));
}

void tally_release(struct flowdb *db)
{
	free(db->tally);
	db->tally = NULL;
}

/*
 * evidence.c - see evidence.h. Invariants:
 *  (1) What was written of a flow is under one finding for each unit: the one that its exhibit names.
 *  (2) finding->evidence is the number of flows that rows of `evidence` stand for under it.
 *  (3) A packet of a flow is written once for a finding: numbers below exhibit->next are there, or nowhere.
 */
#include "monitor/record/evidence.h"
#include "monitor/record/evidence_pool.h"

#define DAY_US (86400 * INT64_C(1000000))

const struct evidence_limits EVIDENCE_DEFAULTS = {EVIDENCE_POOL, EVIDENCE_DAY};

struct evidence_store {
	struct flowdb *db;
	enum keep keep;
	uint64_t day_bytes;
	struct evidence_pool *pool;
	struct evidence_day_row day; /* that of the packet written last */
	bool day_known, day_dirty;
	uint64_t lost; /* of the pool's, so many are on record */
};

/* What one flow writes. */
struct writing {
	struct evidence_store *evidence;
	int64_t run;
	uint64_t flow;
	struct finding *finding;
	struct exhibit *exhibit;
};

struct evidence_store *evidence_new(struct flowdb *db, enum keep keep,
                                    const struct evidence_limits *limits)
{
	struct evidence_store *evidence = calloc(1, sizeof(*evidence));

	if (!evidence)
		return NULL;
	evidence->db = db;
	evidence->keep = keep;
	evidence->day_bytes = limits->day;
	evidence->pool = evidence_pool_new(limits->pool);
	if (!evidence->pool) {
		free(evidence);
		return NULL;
	}
	return evidence;
}

void evidence_free(struct evidence_store *evidence)
{
	if (!evidence)
		return;
	evidence_pool_free(evidence->pool);
	free(evidence);
}

bool evidence_add(struct evidence_store *evidence, const struct event_sample *sample)
{
	const struct pooled packet = {
		.time_us = sample->time_us,
		.wire_len = sample->wire_len,
		.len = evidence->keep == KEEP_HEADERS ? sample->headers_len : sample->len,
		.link = sample->link,
		.number = sample->number,
	};

	return evidence->keep != KEEP_OFF &&
	       evidence_pool_add(evidence->pool, sample->flow, &packet, sample->bytes);
}

void evidence_forget(struct evidence_store *evidence, uint64_t flow)
{
	evidence_pool_drop(evidence->pool, flow);
}

static int day_flush(struct evidence_store *evidence, struct err *err)
{
	if (!evidence->day_dirty)
		return 0;
	evidence->day_dirty = false;
	return flowdb_evidence_day_put(evidence->db, &evidence->day, err);
}

static int day_of(struct evidence_store *evidence, int64_t time_us, struct err *err)
{
	int64_t day = time_us / DAY_US;
	int r;

	if (evidence->day_known && evidence->day.day == day)
		return 0;
	r = day_flush(evidence, err);
	if (r >= 0)
		r = flowdb_evidence_day(evidence->db, day, &evidence->day, err);
	evidence->day_known = r >= 0;
	return r;
}

static int write_packet(void *context, const struct pooled *packet, const uint8_t *bytes,
                        struct err *err)
{
	const struct writing *writing = context;
	struct evidence_store *evidence = writing->evidence;
	struct exhibit *exhibit = writing->exhibit;
	const struct evidence_row row = {
		.run = writing->run,
		.time_us = packet->time_us,
		.flow = writing->flow,
		.finding = writing->finding->id,
		.link = packet->link,
		.wire_len = packet->wire_len,
		.len = packet->len,
		.bytes = bytes,
	};
	int r;

	if (packet->number < exhibit->next)
		return 0;
	r = day_of(evidence, packet->time_us, err);
	if (r < 0)
		return r;
	evidence->day_dirty = true;
	if (evidence->day.bytes + packet->len > evidence->day_bytes) {
		evidence->day.refused++;
		exhibit->refused = writing->finding;
		return 1;
	}
	r = flowdb_evidence_put(evidence->db, &row, err);
	if (r < 0)
		return r;
	evidence->day.bytes += packet->len;
	exhibit->next = packet->number + 1;
	if (!exhibit->finding)
		writing->finding->evidence++;
	exhibit->finding = writing->finding;
	return 0;
}

/* What was written for another finding goes along where there is a place; else it is deleted. */
static int exhibit_move(struct evidence_store *evidence, int64_t run, uint64_t flow,
                        struct finding *into, struct exhibit *exhibit, struct err *err)
{
	struct finding *from = exhibit->finding;
	int r;

	if (into && into->evidence >= EVIDENCE_FLOWS)
		into = NULL;
	r = flowdb_evidence_move(evidence->db, from->id, run, flow, into ? into->id : 0, err);
	/* Counted anew: retention may have taken what was to move. */
	if (r >= 0)
		r = flowdb_evidence_flows(evidence->db, from->id, &from->evidence, err);
	if (r >= 0 && into)
		r = flowdb_evidence_flows(evidence->db, into->id, &into->evidence, err);
	if (r < 0)
		return r;
	if (!into)
		exhibit->next = 0;
	exhibit->finding = into;
	return 0;
}

int evidence_follow(struct evidence_store *evidence, int64_t run, uint64_t flow,
                    struct finding *finding, struct exhibit *exhibit, struct err *err)
{
	struct writing writing = {evidence, run, flow, finding, exhibit};
	int r = 0;

	exhibit->finding = finding_now(exhibit->finding);
	if (exhibit->finding && exhibit->finding != finding)
		r = exhibit_move(evidence, run, flow, finding, exhibit, err);
	if (r < 0 || !finding || exhibit->refused == finding ||
	    (!exhibit->finding && finding->evidence >= EVIDENCE_FLOWS))
		return r;
	r = evidence_pool_each(evidence->pool, flow, write_packet, &writing, err);
	if (exhibit->finding)
		evidence_pool_mark(evidence->pool, flow);
	return r < 0 ? r : 0;
}

int evidence_recall(struct evidence_store *evidence, int64_t run, uint64_t flow,
                    struct finding *finding, struct exhibit *exhibit, struct err *err)
{
	uint64_t packets = 0;
	int r = finding ? flowdb_evidence_held(evidence->db, finding->id, run, flow, &packets,
	                                       err)
	                : 0;

	if (r >= 0 && packets)
		*exhibit = (struct exhibit){
			.finding = finding,
			.next = (uint8_t)(packets < SAMPLE_PACKETS ? packets : SAMPLE_PACKETS)};
	return r;
}

int evidence_flush(struct evidence_store *evidence, int64_t run, struct err *err)
{
	uint64_t lost = evidence_pool_lost(evidence->pool);
	int r = day_flush(evidence, err);

	if (r >= 0 && lost > evidence->lost) {
		r = flowdb_evidence_lost(evidence->db, run, lost - evidence->lost, err);
		evidence->lost = lost;
	}
	return r;
}

/*
 * evidence_list.h - packets that were kept, each with the flow and the finding it belongs to, as rows of an answer.
 */
#ifndef MONITOR_COMMANDS_EVIDENCE_LIST_H
#define MONITOR_COMMANDS_EVIDENCE_LIST_H

#include "monitor/commands/query.h"

/* A flow that packets were kept of, for one finding. */
struct kept_flow {
	int64_t finding, run;
	uint64_t number; /* of its first packet */
	int64_t id;      /* of its row; 0: none is kept, as under unlisted-unit */
	uint64_t packets;
	bool local_known;
	struct endpoint local; /* the unit's end */
	char policy[65];       /* that judged it */
};

/* Those met so far; all zero is none. */
struct kept_flows {
	struct kept_flow *flow;
	size_t count, room;
};

void kept_flows_release(struct kept_flows *flows);
/* The flow of a packet, looked up in the database at first sight; borrowed until the next one is met. */
int kept_flow_of(struct kept_flows *flows, struct flowdb *db,
                 const struct evidence_view *packet, const struct kept_flow **ret,
                 struct err *err) MUST_CHECK;
/* The same, of one that was met; NULL. */
const struct kept_flow *kept_flow_find(const struct kept_flows *flows, int64_t finding,
                                       int64_t run, uint64_t number);

/* In the second, for packets that processes died of, what they have none of stands in no table. */
#define EVIDENCE_COLUMN_COUNT 20
extern const struct out_column EVIDENCE_COLUMNS[EVIDENCE_COLUMN_COUNT];
extern const struct out_column EVIDENCE_COLUMNS_DIED[EVIDENCE_COLUMN_COUNT];
/* A row; returns as out_end() does. `flow` is NULL for a packet that a process died of. */
int evidence_put(struct out *out, const struct evidence_view *packet,
                 const struct kept_flow *flow, struct err *err) MUST_CHECK;

/* Whether it was sent by the unit: DIRECTION_OUT; to it: DIRECTION_IN; else DIRECTION_UNKNOWN. */
enum direction packet_direction(const struct evidence_view *packet,
                                const struct kept_flow *flow);

/* A packet in a line: "tcp 10.20.0.15:49711 > 52.112.64.12:443, SYN"; what we cannot read says so. */
struct packet_words {
	enum direction direction; /* as above */
	char text[192];
};
void packet_words(const struct evidence_view *packet, const struct kept_flow *flow,
                  struct packet_words *ret);

#endif

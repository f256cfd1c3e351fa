/*
 * outbox.h - what the sensor says, as events: facts to the recorder, first packets to the inspector.
 * Every fact tells how much the inspector had been handed before it.
 *
 * Live, a full ring is not waited for. Flows that could not be told stay with the sensor (flowtab.h);
 * names, leases and the few events that must not be lost wait here, in a queue of fixed size. Who waits has a
 * number in one line (outbox_wait_number), and goes in that order.
 */
#ifndef MONITOR_OUTBOX_H
#define MONITOR_OUTBOX_H

#include "dissectors/dissector.h"
#include "monitor/capture/capture.h"
#include "monitor/ring.h"
#include "schema/blind.h"
#include "schema/event_brief.h"

struct outbox;

#define OUTBOX_NAMES_MAX 4096 /* names, leases, neighbours that wait; past that the newest is refused */
#define OUTBOX_FORGETS_MAX \
	4096 /* past that the oldest is dropped: the inspector has its own limit */

struct outbox_options {
	struct ring *facts, *packets; /* caller's */
	/*
	 * Called while a ring is full: lets its reader work. True: try again. False: it is not to be waited
	 * for (live). `must`: the run is over and this is a fact; false then gives it up.
	 */
	bool (*full)(void *context, bool must);
	void *context;
	bool live; /* copies of packets are shed while the recorder has much to do */
};

/* What is refused is counted in `counters`, the caller's. NULL when out of memory. */
struct outbox *outbox_new(const struct outbox_options *options, struct counters *counters);
void outbox_free(struct outbox *outbox);

/* From here on facts are waited for, also live. */
void outbox_must(struct outbox *outbox);

/* Whether anything waits here, for recorder or inspector. */
bool outbox_waits(const struct outbox *outbox);
/* The next number in the line of what waits. */
uint64_t outbox_wait_number(struct outbox *outbox);
/* Writes what waits here with a number below `number`; false if some of it found no room. */
bool outbox_flush(struct outbox *outbox, uint64_t number);

/* `type` is one of EVENT_FLOW_*; `name` may be "". False: no room, nothing was written. */
bool outbox_flow(struct outbox *outbox, enum event_type type, const struct flow_facts *facts,
                 const char *name) MUST_CHECK;
/* The same, behind its head as it stands. */
bool outbox_brief(struct outbox *outbox, const struct event_brief *brief) MUST_CHECK;
/* As above; never before the event of the sensor's beginning. */
bool outbox_health(struct outbox *outbox, const struct counters *counters, uint32_t flows_open,
                   int64_t now_us, bool final) MUST_CHECK;

/*
 * One of the flow's first packets, number `number` of them from 0, as far as it may be kept; false: it is shed.
 * Live that is so once the ring is half full: flows and names go first.
 */
bool outbox_sample(struct outbox *outbox, uint64_t flow, unsigned number,
                   const struct packet *packet, enum keep keep) MUST_CHECK;

/* These wait where there is no room, and if `wait` is set (something else waits before them). */
void outbox_begin(struct outbox *outbox, int64_t time_us, bool again);
void outbox_blind(struct outbox *outbox, enum blind_cause cause, int64_t since_us, int64_t until_us,
                  bool wait);
/* Names and leases that a payload of this flow told. */
void outbox_learnt(struct outbox *outbox, const struct learnt *learnt, uint64_t flow,
                   uint8_t tunnel, int64_t now_us, bool wait);
void outbox_lease(struct outbox *outbox, const struct learnt_lease *lease, uint64_t flow,
                  uint8_t tunnel, int64_t now_us, bool wait);
void outbox_neighbour(struct outbox *outbox, const struct addr *address, const struct mac *mac,
                      uint8_t tunnel, int64_t now_us, bool wait);
/* The end of a file; a live run has none. */
void outbox_input(struct outbox *outbox, unsigned index, const struct captured_input *input);

/* To the inspector: a packet of the flow, its `first` one or not; false: no room, it is shed. */
bool outbox_packet(struct outbox *outbox, uint64_t flow, const struct packet *packet,
                   bool first) MUST_CHECK;
/* To the inspector: no more of this flow will come. Waits where there is no room. */
void outbox_forget(struct outbox *outbox, uint64_t flow);
/* Writes what of these waits; false if some of it found no room. */
bool outbox_flush_forgets(struct outbox *outbox);

#endif

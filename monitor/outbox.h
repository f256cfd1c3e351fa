/*
 * outbox.h - what the sensor says, as events: facts to the recorder, first packets to the inspector.
 * Every fact tells how much the inspector had been handed before it.
 */
#ifndef MONITOR_OUTBOX_H
#define MONITOR_OUTBOX_H

#include "dissectors/dissector.h"
#include "monitor/capture/capture.h"
#include "monitor/ring.h"

struct outbox {
	struct ring *facts, *packets;
	/* Called while a ring is full: lets its reader work. False: it is not to be waited for (live). */
	bool (*full)(void *context);
	void *context;
};

/* `type` is one of EVENT_FLOW_*; `name` may be "". */
void outbox_flow(struct outbox *outbox, enum event_type type, const struct flow_facts *facts,
                 const char *name);
/* Names and leases that a payload of this flow told. */
void outbox_learnt(struct outbox *outbox, const struct learnt *learnt, uint64_t flow,
                   int64_t now_us);
void outbox_health(struct outbox *outbox, const struct counters *counters, uint32_t flows_open,
                   int64_t now_us, bool final);
void outbox_input(struct outbox *outbox, unsigned index, const struct captured_input *input);

/* To the inspector: a packet of the flow, its `first` one or not; and that no more will come. */
void outbox_packet(struct outbox *outbox, uint64_t flow, const struct packet *packet,
                   bool first);
void outbox_forget(struct outbox *outbox, uint64_t flow);

#endif

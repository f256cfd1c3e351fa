/*
 * sensor_parts.h - a sensor from the inside, for its four files alone: sensor.c reads frames and keeps
 * the clock, sensor_flow.c has the flow of each packet, sensor_tell.c tells of them,
 * sensor_scope.c hears which addresses units have.
 */
#ifndef MONITOR_SENSOR_PARTS_H
#define MONITOR_SENSOR_PARTS_H

#include "dissectors/dissect.h"
#include "monitor/capture/ahead.h"
#include "monitor/capture/fragments.h"
#include "monitor/capture/names.h"
#include "monitor/capture/neighbours.h"
#include "monitor/capture/queries.h"
#include "monitor/capture/requests.h"
#include "monitor/capture/seed.h"
#include "monitor/sensor.h"

struct sensor {
	struct outbox *outbox;
	struct flowtab *tab;
	struct ahead ahead;
	struct names *names;
	struct fragments *fragments;
	struct streams *streams;
	struct neighbours *neighbours;
	struct queries *queries;
	struct requests *requests;
	struct counters *counters;
	const _Atomic uint32_t *inspector_off;
	bool dtls; /* sensor_options.dtls */
	struct sensor_scope scope;
	struct unwrap_options unwrap;
	enum keep keep;
	struct mirror *mirror; /* sensor_options.mirror */
	uint8_t tunnel; /* enum tunnel of the packet at hand */
	struct learnt learnt;
	uint32_t heard; /* live flows that the recorder was told of */
	int64_t now_us, health_us;
	int64_t due_us; /* before it no flow is over, and none has been young for too long */
	int64_t looking_us; /* since when we look without a gap that we know of; 0: since the next packet */
	int64_t frame_us; /* of the last packet of all */
	uint64_t dropped; /* kernel_dropped when it came */
	uint64_t received; /* interface_received when it last grew, ... */
	int64_t received_us; /* ... and when that was */
	bool live, prompt, clock_known;
	bool sows; /* a flow begins as a seed where that fits */
	bool behind; /* of a file: its packets' times went back, and are not where they were yet */
	int64_t clock_us; /* CLOCK_REALTIME less CLOCK_MONOTONIC, when they were looked at last */
};

/* sensor_tell.c */
/* Takes out a flow that is over; what was to be told of it is. */
void flow_drop(struct sensor *sensor, struct flow *flow);
/* What waits is told, in its order, as far as there is room; false if some of it still waits. */
bool tell_waiting(struct sensor *sensor);
/* Something changed of a flow that goes on. If it waits already, what is new goes along. */
void tell_flow(struct sensor *sensor, struct flow *flow, enum event_type type);
/* The last word about a flow; until it is told the flow keeps its slot. */
void tell_end(struct sensor *sensor, struct flow *flow);
/* The same of a seed, which its caller takes out; false: there is no room, and it waits as a flow. */
bool tell_seed_end(struct sensor *sensor, const struct seed *seed);
/* One of the flow's first packets, before what follows from it; the first one of a flow that was sown. */
void tell_sample(struct sensor *sensor, struct flow *flow, const struct packet *packet);
void tell_first_sample(struct sensor *sensor, const struct packet *packet);
/* Names and leases that a payload told. */
void tell_learnt(struct sensor *sensor, const struct flow *flow);
/* Who says which address is its own. */
void tell_neighbour(struct sensor *sensor, const struct packet *packet);
/* Without room the next one, which is due at once, carries the sums. */
void tell_health(struct sensor *sensor, bool final);
void tell_health_when_due(struct sensor *sensor);
void inspector_hand(struct sensor *sensor, struct flow *flow, const struct packet *packet);
/* The inspector says its last word about the flow; it is on its way before the fact that follows. */
void inspector_forget(struct sensor *sensor, struct flow *flow);

/* sensor_flow.c */
void flow_settle(struct sensor *sensor, struct flow *flow, enum settled_by by);
void flow_retire(struct sensor *sensor, struct flow *flow);
/* The same of one of the table's numbers. */
void number_retire(struct sensor *sensor, uint32_t number);
/*
 * The flow of a packet, begun if need be; NULL for a later fragment that nothing is known of, and where *ret_sown: the
 * packet began a flow that is a seed, and is in it.
 */
struct flow *packet_flow(struct sensor *sensor, struct packet *packet, unsigned *ret_end,
                         bool *ret_sown);
void flow_packet(struct sensor *sensor, struct flow *flow, unsigned end,
                 const struct packet *packet);
/* An ICMP error belongs to the flow it quotes (design.md 3); false if we do not know that flow. */
bool icmp_error(struct sensor *sensor, const struct packet *packet);

/* sensor_scope.c */
/* What a packet says of the addresses of units: DHCP; ARP and neighbour discovery; what a payload told of names, and
 * whom a flow wants. */
void scope_hear_dhcp(struct sensor *sensor, const struct packet *packet);
void scope_hear_neighbour(struct sensor *sensor, const struct packet *packet);
void scope_hear_names(struct sensor *sensor);
void scope_hear_flow(struct sensor *sensor, const struct flow_facts *facts, const char *name);

#endif

/*
 * sensing.h - a sensor, live, whose readers read when the test says so: packets in, and what was told
 * in its order.
 */
#ifndef TESTS_LIB_SENSING_H
#define TESTS_LIB_SENSING_H

#include "monitor/sensor.h"
#include "tests/lib/talk.h"

#define SECOND INT64_C(1000000)
#define START_US (WIRE_EPOCH * SECOND)
#define LATE_US 200000 /* how far the clock of a silent link runs behind */
#define TOLD_MAX 40000

/* An event as it was told. */
struct told {
	uint64_t id;
	int64_t since_us, until_us;
	uint64_t packets;
	uint16_t type;
	uint8_t cause; /* of what was not seen */
	bool flag; /* again, final, first */
	char name[16];
};

struct sensing {
	struct wire *wire;
	struct ring *facts, *packets;
	struct counters counters;
	struct sensor_options options;
	struct sensor *sensor;
	_Atomic uint32_t off;
	bool file;     /* a full ring is waited for */
	bool gone;     /* the readers are, for good */
	unsigned full; /* how often it was, and was not waited for */
	struct told told[TOLD_MAX], handed[TOLD_MAX];
	unsigned told_count, handed_count;
};

/* It begins at the wire's epoch with a table of so many flows and rings of 64 KiB. */
struct sensing *sensing_new(uint32_t flows);
void sensing_free(struct sensing *bench);
void sensing_freep(struct sensing **bench);
/* Another one in its place, with the same rings and counters. */
void sensing_again(struct sensing *bench, bool again, int64_t begin_us);

/* Each at `at_s` seconds of the wire: a SYN, a UDP payload nobody knows, a DNS question with its answer. */
void syn(struct sensing *bench, unsigned port, double at_s);
void datagram(struct sensing *bench, unsigned port, double at_s);
void ask(struct sensing *bench, unsigned number, double at_s);
/* The packets of the wire from number `from` on. */
void show_from(struct sensing *bench, size_t from);
/* A connection opened, and two bytes of what may become a request. */
void begin_request(struct sensing *bench, unsigned port, double at_s);
/* No packet: the run's clock shall be at `at_s`, while the monotonic one says `mono_s` (the same). */
void idle_at(struct sensing *bench, double at_s, double mono_s);
void idle(struct sensing *bench, double at_s);

/* The readers: at most so many events; returns how many there were. */
unsigned read_facts(struct sensing *bench, unsigned most);
unsigned read_packets(struct sensing *bench, unsigned most);
/* They read in small steps, and the sensor gets its turns between, until nothing waits. */
void read_all(struct sensing *bench, double at_s);
/* What was told so far, or lies there, is of no interest. */
void forget_told(struct sensing *bench);
/* Leaves no room on a ring. */
void fill_facts(struct sensing *bench);
void fill_packets(struct sensing *bench);

/* Events of that type among what was told. */
unsigned told_of(const struct sensing *bench, uint16_t type);
/* design.md 9.3: no packet is uncounted, at no time. */
void must_add_up(const struct sensing *bench);
/* Every flow settled at most once, ended once, and its last word came last. */
void must_have_ended(const struct sensing *bench, unsigned flows);

#endif

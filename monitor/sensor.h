/*
 * sensor.h - the role that reads packets: decode, flow table, dissect. It knows no policy but a scope. What it
 * finds goes out as facts to the recorder and as first packets to the inspector.
 */
#ifndef MONITOR_SENSOR_H
#define MONITOR_SENSOR_H

#include "monitor/capture/capture.h"
#include "monitor/capture/flowtab.h"
#include "monitor/capture/mirror.h"
#include "monitor/capture/scope.h"
#include "monitor/capture/unwrap.h"
#include "monitor/outbox.h"

#include <stdatomic.h>

struct sensor;

/* Which frames are looked into at all; it grows by what the sensor hears of units (sensor_scope.c). */
struct sensor_scope {
	struct scope *scope; /* the caller's; NULL: all frames are */
	bool (*is_name)(const void *context, const char *name); /* wanted by units alone */
	const void *context;
	/* An address is in it from now on; may be NULL. */
	void (*told)(void *told_context, const struct addr *addr);
	void *told_context;
};

struct sensor_options {
	struct flowtab_limits limits;
	uint32_t names;               /* names kept of live flows */
	uint32_t streams;             /* TCP put in order: blocks; 0: STREAMS_DEFAULT */
	struct outbox_options outbox; /* rings to recorder and inspector */
	/*
	 * The caller's, may be shared memory. What they hold is gone on from: `seen` also numbers
	 * packets, so a successor uses no flow number again.
	 */
	struct counters *counters;
	bool live; /* the clock may be set */
	bool prompt; /* tells at once that a request is answered, asked again in vain, or turned down by ICMP */
	/* It takes the place of one that died; the packet that one died of becomes malformed. */
	bool again;
	int64_t begin_us; /* from here on packets are seen; 0 for the first one in a file */
	/* While it is not 0 the inspector is handed nothing; NULL: never. */
	const _Atomic uint32_t *inspector_off;
	struct sensor_scope scope;
	struct unwrap_options unwrap; /* whose tunnels stay as they are */
	enum keep keep; /* of the first packets of flows; KEEP_OFF: none is copied */
	bool plain; /* for tests: every flow is whole from its first packet on (seed.h) */
	bool dtls; /* for tests: the inspector is handed DTLS too, which nDPI dies of */
	struct mirror *mirror; /* what the mirror shows is written down there; NULL: nobody asks */
};

/* NULL when out of memory. Its first event is on its way when this returns. */
struct sensor *sensor_new(const struct sensor_options *options);
void sensor_free(struct sensor *sensor);

/* One frame, in the order of capture. */
void sensor_frame(struct sensor *sensor, const struct frame *frame);
/* Whether there are so many flows that it pays to look at frames before they come; may be asked now and then. */
bool sensor_looks_ahead(const struct sensor *sensor);
/*
 * A frame that will come some eight frames later, if it lies ready by now: brings near what it will need. Each at most once,
 * in their order; it changes nothing that could be seen.
 */
void sensor_expect(struct sensor *sensor, const struct frame *frame);
/*
 * Live. sensor_clock(): what CLOCK_REALTIME and CLOCK_MONOTONIC say, at least once a second also
 * under load. Where their difference changed by more than 1 s the clock was set: that is told, and if it
 * went back all flows end. sensor_idle(): the same, and no packet lies ready: time passes without.
 */
void sensor_clock(struct sensor *sensor, int64_t wall_us, int64_t mono_us);
void sensor_idle(struct sensor *sensor, int64_t wall_us, int64_t mono_us);
/* A file is over; `next_us` is when the next one begins, or 0: flows go on only into a file that follows at once. */
void sensor_input_end(struct sensor *sensor, unsigned index, const struct captured_input *input,
                      int64_t next_us);
/*
 * Every flow ends, and is told: the ring of facts is waited for, also live. `last`: the run is over
 * too; else another sensor goes on.
 */
void sensor_end(struct sensor *sensor, bool last);

/*
 * Whether some request of a unit, or to one, that was first made by `by_us` may still be answered, or has
 * not been silent for as long as silence must last to say something (design.md 5). Walks all flows.
 */
bool sensor_waits(const struct sensor *sensor, int64_t by_us);

int64_t sensor_now(const struct sensor *sensor);
/* Flows that are over or changed and that the recorder could not be told of yet. */
uint32_t sensor_untold(const struct sensor *sensor);
/* Flows of which the recorder has heard nothing yet: if the sensor dies they leave no row. */
uint32_t sensor_unheard(const struct sensor *sensor);

#endif

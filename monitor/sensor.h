/*
 * sensor.h - the role that reads packets: decode, flow table, dissect. It knows no policy. What it
 * finds goes out as facts to the recorder and as first packets to the inspector.
 */
#ifndef MONITOR_SENSOR_H
#define MONITOR_SENSOR_H

#include "monitor/capture/capture.h"
#include "monitor/capture/flowtab.h"
#include "monitor/outbox.h"

struct sensor;

struct sensor_options {
	struct flowtab_limits limits;
	uint32_t names;       /* names kept of live flows */
	struct outbox outbox; /* rings to recorder and inspector; nothing handed yet */
};

/* NULL when out of memory. */
struct sensor *sensor_new(const struct sensor_options *options);
void sensor_free(struct sensor *sensor);

/* One frame, in the order of capture. */
void sensor_frame(struct sensor *sensor, const struct frame *frame);
/* Time passes without packets (live): `now_us` is the wall clock. */
void sensor_idle(struct sensor *sensor, int64_t now_us);
/* A file is over; `next_us` is when the next one begins, or 0: flows go on only into a file that follows at once. */
void sensor_input_end(struct sensor *sensor, unsigned index, const struct captured_input *input,
                      int64_t next_us);
/* The run is over: every flow ends, the last word goes out. */
void sensor_end(struct sensor *sensor);
/* Live: what the kernel says it has seen and dropped. */
void sensor_stats(struct sensor *sensor, const struct capture_stats *stats);

int64_t sensor_now(const struct sensor *sensor);
const struct counters *sensor_counters(const struct sensor *sensor);

#endif

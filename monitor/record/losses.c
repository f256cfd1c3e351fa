/*
 * losses.c - see losses.h. Counters go on from sensor to sensor, so a difference is never negative but where
 * somebody lies: then it counts as nothing.
 */
#include "monitor/record/losses.h"

#define LATE_US INT64_C(3000000)

static uint64_t more(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

void losses_gap(struct losses *losses, int64_t time_us)
{
	if (losses->packet_us && time_us > losses->packet_us && !losses->silent)
		losses->packet_us = time_us;
}

void losses_resume(struct losses *losses, const struct counters *counters, int64_t time_us,
                   bool silent)
{
	losses->silent = silent;
	losses->before = *counters;
	losses->before_us = losses->packet_us = time_us;
}

int losses_note(struct losses *losses, struct blinds *blinds, struct flowdb *db, int64_t run,
                bool live, const struct event_health *health, struct err *err)
{
	const struct counters *now = &health->counters, *before = &losses->before;
	const struct {
		enum blind_cause cause;
		uint64_t count;
	} lost[] = {
		{BLIND_KERNEL_DROP, more(now->kernel_dropped, before->kernel_dropped)},
		{BLIND_TRUNCATED, more(now->truncated, before->truncated)},
		{BLIND_EVICTED, more(now->evicted, before->evicted)},
		{BLIND_RING_FULL, more(now->inspect_shed, before->inspect_shed) +
	                                  more(now->told_shed, before->told_shed)},
		{BLIND_STREAM_GAP, more(now->streams_shed, before->streams_shed)},
		{BLIND_DISSECT_FULL, more(now->young_shed, before->young_shed)},
	};
	int64_t since_us = losses->before_us && losses->before_us <= health->time_us
	                           ? losses->before_us
	                           : health->time_us;
	/* What the scope keeps in the kernel came all the same. */
	bool packets = now->seen != before->seen ||
	               now->interface_received != before->interface_received ||
	               !losses->packet_us;
	int r = 0;

	/* They come once a second: whoever was late stood still, and did not see whether it was silent. */
	if (losses->before_us && health->time_us - losses->before_us > LATE_US)
		losses_gap(losses, health->time_us);
	for (size_t i = 0; i < ARRAY_LEN(lost) && r >= 0; i++) {
		const struct blind_row row = {.since_us = since_us,
		                              .until_us = health->time_us,
		                              .count = lost[i].count,
		                              .cause = (uint8_t)lost[i].cause,
		                              .detail = ""};

		if (row.count)
			r = blinds_note(blinds, db, run, &row, err);
	}
	if (live && r >= 0 && losses->silent == packets &&
	    (packets || health->time_us - losses->packet_us >= SILENT_US)) {
		const struct blind_row row = {.since_us = losses->packet_us,
		                              .until_us = packets ? health->time_us : 0,
		                              .cause = BLIND_MIRROR_SILENT,
		                              .detail = ""};

		losses->silent = !packets;
		r = blinds_note(blinds, db, run, &row, err);
	}
	if (packets)
		losses->packet_us = health->time_us;
	losses->before = *now;
	losses->before_us = health->time_us;
	return r;
}

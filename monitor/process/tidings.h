/*
 * tidings.h - what the supervisor tells the recorder: blind intervals and packets that somebody died
 * of. Nobody waits for a recorder that is away: what finds no room on the ring waits here, merged by cause
 * when there is much of it.
 */
#ifndef MONITOR_PROCESS_TIDINGS_H
#define MONITOR_PROCESS_TIDINGS_H

#include "monitor/ring.h"

#define TIDINGS_MAX 256

struct tidings {
	struct ring *control;
	unsigned count;
	uint64_t evidence_lost;
	struct tiding {
		enum blind_cause cause;
		int64_t since_us, until_us;
		uint64_t count;
		char detail[96];
	} waiting[TIDINGS_MAX];
};

/* `until_us` 0: it goes on; the same cause and detail with an end follows. */
void tidings_blind(struct tidings *tidings, enum blind_cause cause, int64_t since_us,
                   int64_t until_us, uint64_t count, const char *detail);
/* `link` is enum link; at most EVIDENCE_MAX bytes are kept. */
void tidings_evidence(struct tidings *tidings, enum blind_cause cause, uint64_t flow,
                      int64_t time_us, uint8_t link, const uint8_t *bytes, size_t len,
                      uint32_t wire_len);
/* Tries again what waits. */
void tidings_flush(struct tidings *tidings);

#endif

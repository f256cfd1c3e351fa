/*
 * requests.h - what DHCP clients asked for, so that an ACK that nobody asked for is told from an answer. Joined by
 * transaction and client (RFC 2131 4.1), for request and answer may be two flows, and a relay's two more. Fixed
 * in size: in each set the oldest one gives way.
 */
#ifndef MONITOR_CAPTURE_REQUESTS_H
#define MONITOR_CAPTURE_REQUESTS_H

#include "dissectors/dissector.h"

/* A client asks again after 4, 8, 16, 32, 64 s at most (RFC 2131 4.1). */
#define REQUESTS_LATE_US INT64_C(60000000)
/* A mirror may show the answer first: its directions cross by some milliseconds (domain.md 7.3). */
#define REQUESTS_EARLY_US INT64_C(1000000)

struct requests;

/* An ACK as it came. */
struct acked {
	struct learnt_lease lease;
	uint64_t flow;
	uint8_t tunnel;
};

/* NULL when out of memory. */
struct requests *requests_new(void);
void requests_free(struct requests *requests);
/* Forgets all: another time begins. */
void requests_clear(struct requests *requests);

/*
 * A client, by its MAC, asked. True if the ACK came before, which is then *ret_early: once.
 */
bool requests_ask(struct requests *requests, const struct mac *client, uint32_t xid,
                  int64_t time_us, struct acked *ret_early);
/* An ACK: whether its request was seen. If not it waits for that one. */
bool requests_answer(struct requests *requests, const struct acked *acked, int64_t time_us);

#endif

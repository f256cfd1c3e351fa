/*
 * tidings.c - see tidings.h.
 */
#include "monitor/process/tidings.h"

static bool tell(struct ring *control, const struct tiding *tiding)
{
	size_t detail_len = strlen(tiding->detail);
	struct event_blind *event = ring_reserve(control, sizeof(*event) + detail_len);

	if (!event)
		return false;
	event->head.type = EVENT_BLIND;
	event->since_us = tiding->since_us;
	event->until_us = tiding->until_us;
	event->count = tiding->count;
	event->cause = (uint8_t)tiding->cause;
	event->detail_len = (uint8_t)detail_len;
	memcpy(event->detail, tiding->detail, detail_len);
	ring_publish(control);
	return true;
}

void tidings_flush(struct tidings *tidings)
{
	unsigned told = 0;

	while (told < tidings->count && tell(tidings->control, &tidings->waiting[told]))
		told++;
	if (!told)
		return;
	tidings->count -= told;
	memmove(tidings->waiting, tidings->waiting + told,
	        tidings->count * sizeof(tidings->waiting[0]));
}

/* The newest of the same cause and detail takes it in: its interval then covers both. */
static bool merge(struct tidings *tidings, const struct tiding *tiding)
{
	for (unsigned i = tidings->count; i-- > 0;) {
		struct tiding *other = &tidings->waiting[i];

		if (other->cause != tiding->cause || strcmp(other->detail, tiding->detail) != 0)
			continue;
		if (tiding->since_us < other->since_us)
			other->since_us = tiding->since_us;
		if (!tiding->until_us || tiding->until_us > other->until_us)
			other->until_us = tiding->until_us;
		other->count += tiding->count;
		return true;
	}
	return false;
}

void tidings_blind(struct tidings *tidings, enum blind_cause cause, int64_t since_us,
                   int64_t until_us, uint64_t count, const char *detail)
{
	struct tiding tiding = {
		.cause = cause, .since_us = since_us, .until_us = until_us, .count = count};

	text_copy(tiding.detail, sizeof(tiding.detail), detail);
	if (until_us && until_us < since_us)
		tiding.until_us = since_us; /* a clock that was set back meanwhile */
	tidings_flush(tidings);
	if (!tidings->count && tell(tidings->control, &tiding))
		return;
	if (tidings->count == TIDINGS_MAX && merge(tidings, &tiding))
		return;
	if (tidings->count == TIDINGS_MAX)
		tidings->count--; /* the newest: there are 256 others of the same minute */
	tidings->waiting[tidings->count++] = tiding;
}

void tidings_evidence(struct tidings *tidings, enum blind_cause cause, uint64_t flow,
                      int64_t time_us, uint8_t link, const uint8_t *bytes, size_t len,
                      uint32_t wire_len)
{
	struct event_evidence *event;

	if (len > EVIDENCE_MAX)
		len = EVIDENCE_MAX;
	event = ring_reserve(tidings->control, sizeof(*event) + len);
	if (!event) {
		tidings->evidence_lost++;
		return;
	}
	event->head.type = EVENT_EVIDENCE;
	event->flow = flow;
	event->time_us = time_us;
	event->wire_len = wire_len;
	event->len = (uint16_t)len;
	event->link = link;
	event->cause = (uint8_t)cause;
	memcpy(event->bytes, bytes, len);
	ring_publish(tidings->control);
}

/*
 * recorder_events.c - see recorder_parts.h: what becomes of each event. Flows and samples go to the desk
 * (record/desk.h), names and leases to record/learn.h; counters and what the supervisor tells are handled here.
 */
#include "monitor/capture/capture.h"
#include "monitor/record/learn.h"
#include "monitor/recorder_parts.h"
#include "schema/event_brief.h"

#define COMMIT_US SECOND_US
#define COMMIT_ROWS 65536

static int handle_begin(struct recorder *recorder, const struct event_begin *event,
                        struct err *err)
{
	losses_gap(&recorder->losses, event->time_us);
	if (event->again)
		recorder->sums.handled = -1;
	return event->again ? desk_lose(&recorder->desk, err) : 0;
}

static int handle_blind(struct recorder *recorder, const struct event_blind *event,
                        struct err *err)
{
	char detail[UINT8_MAX + 1];
	const struct blind_row row = {
		.since_us = event->since_us,
		.until_us = event->until_us,
		.count = event->count,
		.cause = event->cause,
		.detail = detail,
	};
	const struct restarts more = {
		.inspector = event->cause == BLIND_INSPECTOR_DOWN ? event->count : 0,
		.sensor = event->cause == BLIND_SENSOR_DOWN ? event->count : 0,
	};
	int r;

	memcpy(detail, event->detail, event->detail_len);
	detail[event->detail_len] = '\0';
	recorder->rows++;
	r = blinds_note(recorder->blinds, recorder->options.db, recorder->desk.run, &row, err);
	if (r >= 0 && (more.inspector || more.sensor))
		r = flowdb_run_restarts(recorder->options.db, recorder->desk.run, &more, err);
	return r;
}

static int handle_evidence(struct recorder *recorder, const struct event_evidence *event,
                           struct err *err)
{
	const struct evidence_row row = {
		.run = recorder->desk.run,
		.time_us = event->time_us,
		.flow = event->flow,
		.cause = event->cause,
		.link = event->link,
		.wire_len = event->wire_len,
		.len = event->len,
		.bytes = event->bytes,
	};

	/* Where the payload begins of a packet that somebody died of nobody looks. */
	if (recorder->options.policy->keep != KEEP_FULL)
		return 0;
	recorder->rows++;
	return flowdb_evidence_put(recorder->options.db, &row, err);
}

static int handle_input(struct recorder *recorder, const struct event_input *event,
                        struct err *err)
{
	const struct captured_input *told =
		recorder->options.input
			? recorder->options.input(recorder->options.context, event->index)
			: NULL;
	char note[UINT8_MAX + 1], hash[sizeof(event->hash) + 1] = "";
	struct input_row row = {
		.name = told ? told->name : "",
		.size = event->hashed ? event->size : told ? told->size : 0,
		.hash = hash,
		.first_us = event->first_us,
		.last_us = event->last_us,
		.packets = event->packets,
		.cut = event->cut,
		.note = note,
	};

	memcpy(note, event->note, event->note_len);
	note[event->note_len] = '\0';
	if (event->hashed)
		memcpy(hash, event->hash, sizeof(event->hash));
	if (recorder->options.input_over)
		recorder->options.input_over(recorder->options.context, event);
	return flowdb_input_put(recorder->options.db, recorder->desk.run, &row, err);
}

static int handle_health(struct recorder *recorder, const struct event_health *event,
                         struct err *err)
{
	int r = 0;

	if (event->time_us < recorder->now_us)
		recorder->commit_us = event->time_us; /* another file, of an earlier time */
	recorder->now_us = recorder->desk.now_us = event->time_us;
	recorder->sums.counters = event->counters;
	if (event->time_us) {
		if (!recorder->sums.first_us || event->time_us < recorder->sums.first_us)
			recorder->sums.first_us = event->time_us;
		if (event->time_us > recorder->sums.last_us)
			recorder->sums.last_us = event->time_us;
	}
	if (recorder->standings)
		standings_flush(recorder->standings);
	r = losses_note(&recorder->losses, recorder->blinds, recorder->options.db,
	                recorder->desk.run, recorder->options.live, event, err);
	if (r >= 0)
		r = desk_release_held(&recorder->desk, event->final, err);
	if (r >= 0 && event->final)
		recorder->over = true;
	else if (recorder->now_us - recorder->commit_us >= COMMIT_US &&
	         (recorder_rows(recorder) >= COMMIT_ROWS || recorder->options.live))
		recorder->due = true;
	return r;
}

static int handle_fact(struct recorder *recorder, const struct event *event, struct err *err)
{
	switch (event->type) {
	case EVENT_FLOW_SETTLED:
	case EVENT_FLOW_UPDATE:
	case EVENT_FLOW_END:
		return desk_flow(&recorder->desk, (const struct event_flow *)event, err);
	case EVENT_SAMPLE:
		return desk_sample(&recorder->desk, (const struct event_sample *)event, err);
	case EVENT_NAME:
		return learn_name(&recorder->desk, (const struct event_name *)event, err);
	case EVENT_LEASE:
		return learn_lease(&recorder->desk, (const struct event_lease *)event, err);
	case EVENT_NEIGHBOUR:
		return learn_neighbour(&recorder->desk, (const struct event_neighbour *)event, err);
	case EVENT_HEALTH:
		return handle_health(recorder, (const struct event_health *)event, err);
	case EVENT_INPUT:
		return handle_input(recorder, (const struct event_input *)event, err);
	case EVENT_BEGIN:
		return handle_begin(recorder, (const struct event_begin *)event, err);
	case EVENT_BLIND: /* of all causes a sensor knows these alone */
		if (((const struct event_blind *)event)->cause == BLIND_CLOCK_STEP ||
		    ((const struct event_blind *)event)->cause == BLIND_MIRROR_SILENT)
			return handle_blind(recorder, (const struct event_blind *)event, err);
		break;
	default:
		break;
	}
	recorder->sums.refused++;
	return 0;
}

/* It is in the database already: only what others are told of it remains. */
static int leave_out(struct recorder *recorder, const struct event *event)
{
	recorder->handover.skip--;
	if (event_check(event, event->len) < 0)
		return 0;
	if (event->type == EVENT_FLOW_END)
		join_opinion(recorder->join, ((const struct event_flow *)event)->facts.id, true);
	desk_leave_out(&recorder->desk, event);
	if (event->type == EVENT_INPUT && recorder->options.input_over)
		recorder->options.input_over(recorder->options.context,
		                             (const struct event_input *)event);
	return 0;
}

int recorder_handle(struct recorder *recorder, const struct event *event, struct err *err)
{
	int r;

	event = event_whole(event, &recorder->whole);
	if (recorder->handover.skip)
		return leave_out(recorder, event);
	if (recorder->sums.handled >= 0)
		recorder->sums.handled++;
	if (event_check(event, event->len) < 0) {
		recorder->sums.refused++;
		return 0;
	}
	r = handle_fact(recorder, event, err);
	if (r >= 0)
		r = learn_routers(&recorder->desk, err);
	return r < 0 ? r : findings_settle(recorder->findings, recorder->options.db, err);
}

/* What the supervisor says: bytes of packets come from there alone. */
int recorder_handle_control(struct recorder *recorder, struct err *err)
{
	struct ring *control = recorder->options.control;
	const struct event *event;
	int r = 0;

	while (control && r >= 0 && (event = ring_peek(control))) {
		if (event_check(event, event->len) < 0)
			recorder->sums.refused++;
		else if (event->type == EVENT_BLIND)
			r = handle_blind(recorder, (const struct event_blind *)event, err);
		else if (event->type == EVENT_EVIDENCE)
			r = handle_evidence(recorder, (const struct event_evidence *)event, err);
		else
			recorder->sums.refused++;
		ring_take(control);
	}
	return r;
}

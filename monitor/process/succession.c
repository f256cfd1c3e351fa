/*
 * succession.c - see supervision.h: those who died, what they missed, and who takes their place.
 */
#include "monitor/process/supervision.h"
#include "monitor/log.h"

#define SAY_US INT64_C(10000000)
#define COMMITTED_US 2000000

#include <signal.h>

static enum blind_cause cause_of(enum process_role role)
{
	return role == PROCESS_SENSOR      ? BLIND_SENSOR_DOWN
	       : role == PROCESS_INSPECTOR ? BLIND_INSPECTOR_DOWN
	                                   : BLIND_DISK_FULL;
}

/*
 * From `since_us` on it is away. In a file the clock stands still meanwhile: the interval is that
 * one moment. Live it goes on until a successor is ready.
 */
static void down(struct supervisor *sup, enum process_role role, int64_t since_us,
                 const char *text)
{
	/* A successor that never came up: the interval goes on, under its first word. */
	if (sup->down_us[role])
		text = sup->down_text[role];
	else
		text_copy(sup->down_text[role], sizeof(sup->down_text[role]), text);
	tidings_blind(&sup->tidings, cause_of(role), since_us, sup->live ? 0 : since_us, 1, text);
	if (!sup->down_us[role])
		sup->down_us[role] = sup->live ? since_us : 0;
	bell_ring(&sup->board->bell[PROCESS_RECORDER]);
}

/* A successor is ready: the interval is over. */
void succession_up(struct supervisor *sup, enum process_role role)
{
	int64_t ready_us = board_time(&sup->board->role[role].ready_us);

	if (!ready_us || !sup->child[role].pid)
		return;
	/* It opens a full disk's database well enough: only a commit shows. */
	if (role == PROCESS_RECORDER && sup->unwritten) {
		if (crew_now_us() - ready_us < COMMITTED_US)
			return;
		sup->unwritten = false;
		sup->crew.unwritten_us = 0;
		log_note("the database is written again");
	}
	if (!sup->down_us[role])
		return;
	tidings_blind(&sup->tidings, cause_of(role), sup->down_us[role], ready_us, 0,
	              sup->down_text[role]);
	sup->down_us[role] = 0;
	if (role == PROCESS_INSPECTOR)
		atomic_store(&sup->board->inspector_off, 0);
	bell_ring(&sup->board->bell[PROCESS_RECORDER]);
}

/* Until when the sensor read; it cannot have been later than now. */
static int64_t seen_us(const struct supervisor *sup)
{
	int64_t us = board_time(&sup->board->seen_us), now_us = crew_now_us();

	return sup->live && us > now_us ? now_us : us;
}

/* What dies again and again is said every ten seconds; how often, at the end. */
static void say(struct supervisor *sup, enum process_role role, const char *text)
{
	int64_t now_us = child_clock_us();

	if (sup->said_us[role] && now_us - sup->said_us[role] < SAY_US)
		return;
	sup->said_us[role] = now_us;
	log_warning("the %s was %s; another one goes on", process_role_name(role), text);
}

static void sensor_died(struct supervisor *sup, const struct child_end *end)
{
	struct board_frame frame;
	struct child *child = &sup->child[PROCESS_SENSOR];
	unsigned unheard = atomic_load(&sup->board->unheard);
	char text[sizeof(sup->down_text[0])];

	/* What began shortly before leaves no row: that is said with the interval. */
	snprintf(text, sizeof(text), "%s", end->text);
	if (unheard)
		text_add(text, sizeof(text), "; %u open flows leave no row", unheard);
	if (end->crashed && board_frame(sup->board, &frame))
		tidings_evidence(&sup->tidings, BLIND_SENSOR_DOWN, 0, frame.time_us, frame.link,
		                 frame.bytes, frame.len, frame.wire_len);
	down(sup, PROCESS_SENSOR, seen_us(sup), text);
	say(sup, PROCESS_SENSOR, text);
	if (sup->stop >= BOARD_STOP)
		supervisor_stop_at(sup, BOARD_NO_SENSOR);
	else if (!sup->live && child->empty >= TRIES) {
		log_error("the sensor dies again and again; the rest is not read");
		supervisor_stop_at(sup, BOARD_NO_SENSOR);
	}
}

static void sensor_ended(struct supervisor *sup, const struct child_end *end)
{
	/* A live run ends when we say so, not when a sensor does. */
	bool early = sup->live && sup->stop < BOARD_STOP;

	switch (end->exit_code) {
	case CREW_DONE:
		if (early)
			sensor_died(sup, end);
		else
			supervisor_stop_at(sup, BOARD_NO_SENSOR);
		break;
	case CREW_FAILED:
		board_err(sup->board, PROCESS_SENSOR, &sup->err);
		log_err(&sup->err);
		if (early) {
			sensor_died(sup, end);
			break;
		}
		sup->failed = sup->err.code;
		supervisor_stop_at(sup, BOARD_NO_SENSOR);
		break;
	case CREW_AWAY:
	case CREW_GONE:
		sup->child[PROCESS_SENSOR].not_before_us = 0;
		down(sup, PROCESS_SENSOR, seen_us(sup),
		     end->exit_code == CREW_AWAY ? "an interface is back: another handle"
		                                  : "every interface is gone");
		if (sup->stop >= BOARD_STOP)
			supervisor_stop_at(sup, BOARD_NO_SENSOR);
		else
			atomic_store(&sup->board->stop, BOARD_RUN);
		break;
	default:
		sensor_died(sup, end);
	}
}

/* The packet that it had in hand lies unreleased on the ring: it is kept, and its successor never sees it. */
static void inspector_died(struct supervisor *sup, const struct child_end *end)
{
	struct ring *packets = sup->crew.packets;
	struct child *child = &sup->child[PROCESS_INSPECTOR];
	int64_t since_us = sup->live ? crew_now_us() : board_time(&sup->board->now_us);
	const struct event *event;

	ring_attach_reader(packets);
	event = end->hand && end->hand - 1 == ring_released(packets) ? ring_peek(packets) : NULL;
	if (event && event->type == EVENT_PACKET && !event_check(event, event->len)) {
		const struct event_packet *packet = (const struct event_packet *)event;

		since_us = packet->time_us;
		if (end->crashed)
			tidings_evidence(&sup->tidings, BLIND_INSPECTOR_DOWN, packet->flow,
			                 packet->time_us, LINK_RAW, packet->ip, packet->ip_len,
			                 packet->ip_len);
	}
	down(sup, PROCESS_INSPECTOR, since_us, end->text);
	say(sup, PROCESS_INSPECTOR, end->text);
	if (event) {
		ring_take(packets);
		ring_release(packets);
	}
	if (child->not_before_us)
		atomic_store(&sup->board->inspector_off, sup->live);
	if (!sup->live && child->empty >= TRIES) {
		log_warning("nDPI does not come up (%s): going on without its opinion", end->text);
		atomic_store(&sup->board->inspector_off, 1);
	}
	supervisor_bells(sup);
}

static void recorder_ended(struct supervisor *sup, const struct child_end *end)
{
	struct child *child = &sup->child[PROCESS_RECORDER];

	if (end->exit_code == CREW_DONE && (!sup->live || sup->stop >= BOARD_STOP)) {
		supervisor_stop_at(sup, BOARD_NO_RECORDER);
		return;
	}
	if (end->exit_code == CREW_DONE) {
		log_warning("the sensor said that the run is over, which it is not: it is replaced");
		if (sup->child[PROCESS_SENSOR].pid)
			kill(sup->child[PROCESS_SENSOR].pid, SIGKILL);
	}
	if (end->exit_code == CREW_FAILED || end->exit_code == CREW_FULL)
		board_err(sup->board, PROCESS_RECORDER, &sup->err);
	if (end->exit_code == CREW_FAILED || !sup->options->dir ||
	    (child->empty >= TRIES && end->exit_code != CREW_FULL)) {
		if (end->exit_code != CREW_FAILED)
			err_set(&sup->err, -EIO, "the recorder was %s", end->text);
		supervisor_fail(sup, sup->err.code);
		return;
	}
	if (end->exit_code != CREW_FULL) {
		say(sup, PROCESS_RECORDER, end->text);
		return;
	}
	if (sup->err.code == -EBADMSG || sup->err.code == -ESTALE) {
		child->not_before_us = 0; /* it says itself what it makes of that */
		return;
	}
	child->waits = true;
	if (sup->unwritten)
		return;
	sup->unwritten = true;
	sup->crew.unwritten_us = crew_now_us();
	log_error("%s; %s until it can be written again", sup->err.text,
	          sup->live ? "flows are judged and kept in memory" : "the files wait (INT ends it)");
	if (sup->live)
		down(sup, PROCESS_RECORDER, sup->crew.unwritten_us, "");
}

static void exporter_ended(struct supervisor *sup, const struct child_end *end)
{
	bool failed = end->exit_code == CREW_FAILED;
	struct err err;

	/* At the end it gets a few tries more, not a hundred. */
	sup->exported = sup->stop >= BOARD_NO_RECORDER &&
	                (end->exit_code == CREW_DONE || ++sup->export_tries >= TRIES);
	if (end->exit_code == CREW_DONE)
		return;
	board_err(sup->board, PROCESS_EXPORTER, &err);
	log_warning("the exporter was %s%s%s", end->text, failed ? ": " : "",
	            failed ? err.text : "");
}

void succession_ended(struct supervisor *sup, enum process_role role, const struct child_end *end)
{
	switch (role) {
	case PROCESS_SENSOR:
		sensor_ended(sup, end);
		break;
	case PROCESS_INSPECTOR:
		if (end->exit_code != CREW_DONE || sup->stop < BOARD_NO_SENSOR)
			inspector_died(sup, end);
		break;
	case PROCESS_RECORDER:
		recorder_ended(sup, end);
		break;
	default:
		exporter_ended(sup, end);
	}
}

/* Where nobody could go on counting from what a sensor left, the recorder's last word counts. */
static void counters_mend(struct supervisor *sup)
{
	struct counters *counters = &sup->board->counters;
	struct counters told = sup->board->committed.counters;

	if (!board_counters(counters) && board_counters(&told))
		*counters = told;
}

/* Live a successor gets handles of its own, on what interfaces there are. */
static bool sensor_prepare(struct supervisor *sup, struct capture **ret_fresh)
{
	struct capture_options options = sup->options->capture;
	const char *names[INPUTS_LIVE_MAX];
	struct err err;
	size_t count = 0;

	if (!sup->live)
		return true;
	for (size_t i = 0; i < options.input_count; i++) {
		sup->link[i].handled = links_is_up(sup->crew.links, i);
		if (sup->link[i].handled)
			names[count++] = options.inputs[i];
	}
	options.inputs = names;
	options.input_count = count;
	if (!count || capture_open(&options, ret_fresh, &err) >= 0)
		return count;
	if (!sup->unopened)
		log_err(&err);
	sup->unopened = true;
	return false;
}

void succession_restart(struct supervisor *sup, enum process_role role)
{
	CLEANUP(capture_closep) struct capture *fresh = NULL;
	struct child *child = &sup->child[role];
	struct capture *capture = sup->crew.capture;
	struct err err;

	if (child->pid || !child->forks || !supervisor_wants(sup, role) || sup->failed ||
	    child_clock_us() < child->not_before_us ||
	    (role == PROCESS_INSPECTOR && !sup->live &&
	     atomic_load(&sup->board->inspector_off)))
		return;
	if (role == PROCESS_SENSOR && !sensor_prepare(sup, &fresh)) {
		child->not_before_us = child_clock_us() + 200000;
		return;
	}
	sup->unopened = false;
	if (fresh) {
		sup->crew.capture = fresh;
		keeper_take(&sup->crew.keeper, fresh);
	}
	if (role == PROCESS_SENSOR)
		counters_mend(sup);
	if (supervisor_start(sup, role, &err) < 0) {
		log_err(&err);
		child->not_before_us = child_clock_us() + 1000000;
	}
	if (fresh)
		capture_detach(fresh);
	sup->crew.capture = capture;
}

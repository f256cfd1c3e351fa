/*
 * supervisor.c - see supervisor.h. It parses nothing that came from the wire: it looks at exit codes,
 * clocks and numbers on the board. Invariants:
 *  (1) Whoever dies is replaced until the run ends; one that died without having done anything waits a
 *      little first.
 *  (2) What a role missed while it was away is told to the recorder before its successor begins.
 *  (3) The run ends from left to right: sensor, inspector and recorder, exporter.
 */
#include "monitor/process/supervisor.h"
#include "monitor/process/child.h"
#include "monitor/process/links.h"
#include "monitor/process/tidings.h"
#include "monitor/log.h"
#include "monitor/process/status.h"
#include "monitor/process/title.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define RING_FACTS (16u << 20)
#define RING_PACKETS (8u << 20)
#define RING_OPINIONS (1u << 20)
#define RING_CONTROL (1u << 20)
#define RING_FOUND (1u << 20)
#define LOOK_MS 100
#define INPUTS_LIVE_MAX 16 /* as many as -i takes */
#define TRIES 5         /* a role that cannot do anything at all, in a run that cannot wait for it */
#define PATIENCE_US 1500000 /* for a sensor that was told to end and moves no more */

struct supervisor {
	const struct run_options *options;
	struct crew crew;
	struct board *board;
	struct child child[PROCESS_COUNT];
	struct links *links;
	struct tidings tidings;
	bool live;
	enum board_stop stop;
	int64_t ready_us, stop_us; /* monotonic */
	/* Intervals that go on: since when (wall clock), 0: none. */
	int64_t down_us[PROCESS_COUNT];
	char down_text[PROCESS_COUNT][96];
	struct {
		int64_t down_us;
		bool handled; /* the sensor has a handle on it as it is now */
		bool drops_known;
		uint64_t drops; /* what it had dropped when we began */
	} link[INPUTS_LIVE_MAX];
	int64_t stop_moved_us;
	uint64_t stop_written;
	unsigned export_tries;
	bool export_fails;
	bool exported; /* the exporter has said its last word */
	int failed; /* negative errno: the run ends with `err` */
	struct err err;
};

static int (*const MAIN[PROCESS_COUNT])(struct crew *crew) = {
	[PROCESS_SENSOR] = sensor_main,
	[PROCESS_INSPECTOR] = inspector_main,
	[PROCESS_RECORDER] = recorder_main,
	[PROCESS_EXPORTER] = exporter_main,
};

/* --------------------------------------------------------------- beginning */

static int crew_fill(struct supervisor *sup, struct capture *capture, struct err *err)
{
	struct crew *crew = &sup->crew;
	const struct run_options *options = sup->options;

	crew->options = options;
	crew->capture = capture;
	crew->inputs = capture;
	for (size_t i = 0; i < capture_input_count(capture); i++)
		text_add(crew->input_names, sizeof(crew->input_names), "%s%s", i ? ", " : "",
		         capture_input(capture, i)->name);
	crew->board = sup->board = board_new();
	crew->facts = ring_new(RING_FACTS);
	crew->packets = ring_new(RING_PACKETS);
	crew->opinions = ring_new(RING_OPINIONS);
	crew->control = sup->tidings.control = ring_new(RING_CONTROL);
	crew->found = ring_new(RING_FOUND);
	if (!crew->board || !crew->facts || !crew->packets || !crew->opinions ||
	    !crew->control || !crew->found)
		return err_set(err, -ENOMEM, "out of memory for the rings");
	if (!options->dir) {
		crew->image = memfd_create("flows.db", MFD_CLOEXEC);
		if (crew->image < 0)
			return err_set(err, -errno, "memfd: %s", strerror(errno));
	}
	if (options->eve) {
		crew->eve = open(options->eve, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
		if (crew->eve < 0)
			return err_set(err, -errno, "--eve %s: %s", options->eve, strerror(errno));
	}
	return 0;
}

static int signals_take(struct supervisor *sup, sigset_t *before, struct err *err)
{
	static const int OURS[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(OURS); i++)
		sigaddset(&set, OURS[i]);
	sigprocmask(SIG_BLOCK, &set, before);
	sup->crew.signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return sup->crew.signals < 0 ? err_set(err, -errno, "signalfd: %s", strerror(errno)) : 0;
}

/* The one who owns it writes there; a directory that we make is ours. */
static int dir_make(const char *dir, bool *ret_made, struct err *err)
{
	*ret_made = dir && !mkdir(dir, 0750);
	if (dir && !*ret_made && errno != EEXIST)
		return err_set(err, -errno, "%s: the directory cannot be made: %s", dir,
		               strerror(errno));
	return 0;
}

static int start(struct supervisor *sup, enum process_role role, struct err *err)
{
	return child_fork(&sup->child[role], &sup->crew, MAIN[role], err);
}

/* As `start`, and whatever keeps it from beginning is an error of the run. */
static int start_first(struct supervisor *sup, enum process_role role, struct err *err)
{
	struct child_end end;
	int r = start(sup, role, err);

	if (r < 0)
		return r;
	if (child_await(&sup->child[role], &sup->crew, &end))
		return 0;
	if (end.exit_code == CREW_FAILED || end.exit_code == CREW_FULL) {
		board_err(sup->board, role, err);
		return err->code;
	}
	return err_set(err, -EIO, "the %s could not begin: %s", process_role_name(role), end.text);
}

static int begin(struct supervisor *sup, struct err *err)
{
	int r = sandbox_supervisor(&sup->crew.users, sup->live, err);

	if (r < 0)
		return r;
	title_set("tlmon: supervisor");
	/* The sensor first: it finds out what is wrong with a file before anything is written. */
	r = start_first(sup, PROCESS_SENSOR, err);
	if (r >= 0)
		r = start_first(sup, PROCESS_INSPECTOR, err);
	if (r >= 0)
		r = start_first(sup, PROCESS_RECORDER, err);
	if (r >= 0 && sup->crew.eve >= 0)
		r = start_first(sup, PROCESS_EXPORTER, err);
	if (r < 0)
		return r;
	if (sup->live)
		capture_detach(sup->crew.capture);
	sup->ready_us = child_clock_us();
	return 0;
}

/* ------------------------------------------------------------------ ending */

static void bells(struct supervisor *sup)
{
	for (unsigned role = 0; role < PROCESS_COUNT; role++)
		bell_ring(&sup->board->bell[role]);
}

static void stop_at(struct supervisor *sup, enum board_stop stop)
{
	if (stop <= sup->stop)
		return;
	sup->stop = stop;
	sup->stop_us = sup->stop_moved_us = child_clock_us();
	atomic_store(&sup->board->stop, stop);
	bells(sup);
}

static void stop(struct supervisor *sup)
{
	stop_at(sup, sup->child[PROCESS_SENSOR].pid ? BOARD_STOP : BOARD_NO_SENSOR);
}

/* Nothing can be saved any more: what is committed stays. */
static void fail(struct supervisor *sup, int error)
{
	sup->failed = sup->err.code = error;
	for (unsigned role = 0; role < PROCESS_COUNT; role++)
		child_kill(&sup->child[role]);
}

static bool is_wanted(const struct supervisor *sup, enum process_role role)
{
	switch (role) {
	case PROCESS_SENSOR:
		return sup->stop < BOARD_STOP;
	case PROCESS_INSPECTOR:
		return sup->stop < BOARD_NO_SENSOR ||
		       (sup->stop < BOARD_NO_RECORDER && ring_written(sup->crew.packets) !=
		                                                 ring_released(sup->crew.packets));
	case PROCESS_RECORDER:
		return sup->stop < BOARD_NO_RECORDER;
	case PROCESS_EXPORTER:
		return sup->crew.eve >= 0 && !sup->exported;
	default:
		return false;
	}
}

static bool is_over(const struct supervisor *sup)
{
	for (unsigned role = 0; role < PROCESS_COUNT; role++)
		if (sup->child[role].pid)
			return false;
	return sup->failed ||
	       (sup->stop >= BOARD_NO_RECORDER && !is_wanted(sup, PROCESS_EXPORTER));
}

/* A sensor that waits for standard input hears no bell. */
static void stop_call(const struct supervisor *sup)
{
	if (sup->stop >= BOARD_STOP && sup->child[PROCESS_SENSOR].pid)
		kill(sup->child[PROCESS_SENSOR].pid, SIGUSR1);
}

/* A sensor that was told to end and neither ends nor writes: stopped, or in a loop. */
static void stop_watch(struct supervisor *sup)
{
	uint64_t written = ring_written(sup->crew.facts);
	int64_t now_us = child_clock_us();

	if (sup->stop != BOARD_STOP || !sup->child[PROCESS_SENSOR].pid)
		return;
	if (written != sup->stop_written) {
		sup->stop_written = written;
		sup->stop_moved_us = now_us;
	} else if (now_us - sup->stop_moved_us >= PATIENCE_US &&
	           ring_released(sup->crew.facts) == written) {
		kill(sup->child[PROCESS_SENSOR].pid, SIGKILL);
	}
}

/* ---------------------------------------------------- those who died, and successors */

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
	text_copy(sup->down_text[role], sizeof(sup->down_text[role]), text);
	tidings_blind(&sup->tidings, cause_of(role), since_us, sup->live ? 0 : since_us, 1, text);
	sup->down_us[role] = sup->live ? since_us : 0;
	bell_ring(&sup->board->bell[PROCESS_RECORDER]);
}

/* A successor is ready: the interval is over. */
static void up(struct supervisor *sup, enum process_role role)
{
	int64_t ready_us = board_time(&sup->board->role[role].ready_us);

	if (!sup->down_us[role] || !ready_us || !sup->child[role].pid)
		return;
	tidings_blind(&sup->tidings, cause_of(role), sup->down_us[role], ready_us, 0,
	              sup->down_text[role]);
	sup->down_us[role] = 0;
	if (role == PROCESS_RECORDER)
		log_note("the database is written again");
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
	log_warning("the sensor was %s%s; another one goes on", text,
	            end->hand ? " with a packet in hand" : "");
	if (sup->stop >= BOARD_STOP)
		stop_at(sup, BOARD_NO_SENSOR);
	else if (!sup->live && child->forks >= TRIES && child->backoff_us) {
		log_error("the sensor dies again and again; the rest is not read");
		stop_at(sup, BOARD_NO_SENSOR);
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
			stop_at(sup, BOARD_NO_SENSOR);
		break;
	case CREW_FAILED:
		board_err(sup->board, PROCESS_SENSOR, &sup->err);
		log_err(&sup->err);
		if (early) {
			sensor_died(sup, end);
			break;
		}
		sup->failed = sup->err.code;
		stop_at(sup, BOARD_NO_SENSOR);
		break;
	case CREW_AWAY:
	case CREW_GONE:
		sup->child[PROCESS_SENSOR].not_before_us = 0;
		down(sup, PROCESS_SENSOR, seen_us(sup),
		     end->exit_code == CREW_AWAY ? "handed over" : "every interface is gone");
		if (sup->stop >= BOARD_STOP)
			stop_at(sup, BOARD_NO_SENSOR);
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
	if (event) {
		ring_take(packets);
		ring_release(packets);
	}
	if (child->not_before_us)
		atomic_store(&sup->board->inspector_off, sup->live);
	if (!sup->live && child->backoff_us && child->forks >= TRIES) {
		log_warning("nDPI does not come up (%s): going on without its opinion", end->text);
		atomic_store(&sup->board->inspector_off, 1);
	}
	bells(sup);
}

static void recorder_ended(struct supervisor *sup, const struct child_end *end)
{
	struct child *child = &sup->child[PROCESS_RECORDER];

	if (end->exit_code == CREW_DONE && (!sup->live || sup->stop >= BOARD_STOP)) {
		stop_at(sup, BOARD_NO_RECORDER);
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
	    (child->forks >= TRIES && child->backoff_us && end->exit_code != CREW_FULL)) {
		if (end->exit_code != CREW_FAILED)
			err_set(&sup->err, -EIO, "the recorder was %s", end->text);
		fail(sup, sup->err.code);
		return;
	}
	if (end->exit_code != CREW_FULL) {
		log_warning("the recorder was %s; another one goes on from the last commit",
		            end->text);
		return;
	}
	if (!sup->down_us[PROCESS_RECORDER]) {
		log_error("%s; flows are kept in memory until it can be written again",
		          sup->err.text);
		down(sup, PROCESS_RECORDER, crew_now_us(), "");
	}
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

static void ended(struct supervisor *sup, enum process_role role, const struct child_end *end)
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
		sup->link[i].handled = links_is_up(sup->links, i);
		if (sup->link[i].handled)
			names[count++] = options.inputs[i];
	}
	options.inputs = names;
	options.input_count = count;
	return count && capture_open(&options, ret_fresh, &err) >= 0;
}

static void restart(struct supervisor *sup, enum process_role role)
{
	CLEANUP(capture_closep) struct capture *fresh = NULL;
	struct child *child = &sup->child[role];
	struct capture *capture = sup->crew.capture;
	struct err err;

	if (child->pid || !child->forks || !is_wanted(sup, role) || sup->failed ||
	    child_clock_us() < child->not_before_us ||
	    (role == PROCESS_INSPECTOR && !sup->live &&
	     atomic_load(&sup->board->inspector_off)))
		return;
	if (role == PROCESS_SENSOR && !sensor_prepare(sup, &fresh)) {
		child->not_before_us = child_clock_us() + 200000;
		return;
	}
	if (fresh)
		sup->crew.capture = fresh;
	if (role == PROCESS_SENSOR)
		counters_mend(sup);
	if (start(sup, role, &err) < 0) {
		log_err(&err);
		child->not_before_us = child_clock_us() + 1000000;
	}
	if (fresh)
		capture_detach(fresh);
	sup->crew.capture = capture;
}

/* ----------------------------------------------------------------- looking */

/* Who writes what none of us writes has been taken over. */
static void nonsense_watch(struct supervisor *sup)
{
	const struct {
		const struct ring *ring;
		enum process_role writer;
	} rings[] = {
		{sup->crew.facts, PROCESS_SENSOR},
		{sup->crew.packets, PROCESS_SENSOR},
		{sup->crew.opinions, PROCESS_INSPECTOR},
	};

	for (size_t i = 0; i < ARRAY_LEN(rings); i++) {
		struct child *writer = &sup->child[rings[i].writer];

		if (!ring_is_broken(rings[i].ring) || !writer->pid)
			continue;
		log_warning("the %s wrote nonsense: it is replaced",
		            process_role_name(rings[i].writer));
		kill(writer->pid, SIGKILL);
	}
}

static void links_watch(struct supervisor *sup)
{
	bool another = false;

	for (size_t i = 0; sup->links && i < sup->options->capture.input_count; i++) {
		const char *name = sup->options->capture.inputs[i];
		enum link_news news = links_look(sup->links, i);
		int64_t now_us = crew_now_us(), *down_us = &sup->link[i].down_us;
		bool up = links_is_up(sup->links, i);

		if (news == LINK_ANOTHER)
			sup->link[i].handled = false;
		if (news != LINK_SAME && !up && !*down_us) {
			log_warning("%s: the interface is %s; waiting for it", name,
			            links_exists(sup->links, i) ? "down" : "gone");
			*down_us = now_us;
			tidings_blind(&sup->tidings, BLIND_LINK_DOWN, now_us, 0, 1, name);
		} else if (up && *down_us) {
			log_note("%s: the interface is up again", name);
			tidings_blind(&sup->tidings, BLIND_LINK_DOWN, *down_us, now_us, 0, name);
			*down_us = 0;
		} else if (news == LINK_ANOTHER) { /* away for less than two looks */
			tidings_blind(&sup->tidings, BLIND_LINK_DOWN, now_us - LOOK_MS * 1000,
			              now_us, 1, name);
		}
		another |= up && !sup->link[i].handled;
	}
	/* The sensor's handle is on what was there before: another sensor takes its place. */
	if (another && sup->child[PROCESS_SENSOR].pid && sup->stop == BOARD_RUN) {
		atomic_store(&sup->board->stop, BOARD_HAND_OVER);
		bells(sup);
	}
}

/* What the interfaces dropped before any capture; not the sensor's to ask, for it may open nothing. */
static void drops_watch(struct supervisor *sup)
{
	uint64_t sum = 0, drops;

	for (size_t i = 0; i < sup->options->capture.input_count; i++) {
		if (capture_interface_drops(sup->options->capture.inputs[i], &drops) < 0)
			continue;
		if (!sup->link[i].drops_known || drops < sup->link[i].drops)
			sup->link[i].drops = drops;
		sup->link[i].drops_known = true;
		sum += drops - sup->link[i].drops;
	}
	sup->board->counters.interface_dropped = sum;
}

static void export_watch(struct supervisor *sup)
{
	bool fails = atomic_load(&sup->board->export_fails);
	struct err err;

	if (fails && !sup->export_fails) {
		board_err(sup->board, PROCESS_EXPORTER, &err);
		log_warning("--eve %s: %s; findings wait", sup->options->eve, err.text);
	}
	sup->export_fails = fails;
}

static void found_show(struct supervisor *sup)
{
	const struct event *event;

	while ((event = ring_peek(sup->crew.found))) {
		if (event_check(event, event->len) < 0) {
			sup->board->result.refused++;
		} else if (event->type == EVENT_INPUT) {
			capture_tell(sup->crew.capture, (const struct event_input *)event);
		} else if (event->type == EVENT_FOUND && sup->options->found) {
			const struct event_found *found = (const struct event_found *)event;
			char unit[UINT8_MAX + 1], reason[EVENT_MAX];

			memcpy(unit, found->text, found->unit_len);
			unit[found->unit_len] = '\0';
			memcpy(reason, found->text + found->unit_len,
			       (size_t)(found->text_len - found->unit_len));
			reason[found->text_len - found->unit_len] = '\0';
			sup->options->found(sup->options->context,
			                    &(struct run_found){found->time_us, found->id,
			                                        found->kind, found->severity,
			                                        unit, reason});
		}
		ring_take(sup->crew.found);
		ring_release(sup->crew.found);
	}
}

static void state_fill(const struct supervisor *sup, struct run_state *state)
{
	const struct board *board = sup->board;
	const struct recorder_sums *sums = &board->result.sums;

	*state = (struct run_state){
		.now_us = board_time(&board->now_us),
		.permille = sup->live ? -1 : atomic_load(&board->permille),
		.live = sup->live,
		.seen = board->counters.seen,
		.dropped = board->counters.kernel_dropped,
		.flows = sums->flows,
		.findings = sums->findings,
		.units = board->result.units,
	};
}

static void progress(struct supervisor *sup)
{
	struct run_state state;

	if (!sup->options->progress)
		return;
	state_fill(sup, &state);
	sup->options->progress(sup->options->context, &state);
}

static void signals_read(struct supervisor *sup)
{
	struct signalfd_siginfo info;
	struct run_state state;

	while (read(sup->crew.signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		if (info.ssi_signo == SIGUSR1) {
			state_fill(sup, &state);
			status_print(stderr, &state, sup->child, sup->board);
		} else if (sup->stop < BOARD_STOP) {
			stop(sup);
		} else { /* a second one means it */
			fail(sup, -EINTR);
			_exit(128 + (int)info.ssi_signo);
		}
	}
}

static void supervise(struct supervisor *sup)
{
	struct pollfd wait = {.fd = sup->crew.signals, .events = POLLIN};

	while (!is_over(sup)) {
		poll(&wait, 1, LOOK_MS);
		signals_read(sup);
		for (unsigned role = 0; role < PROCESS_COUNT; role++) {
			struct child_end end;

			if (child_ended(&sup->child[role], sup->board, &end))
				ended(sup, role, &end);
			up(sup, role);
			restart(sup, role);
		}
		child_watch(&sup->child[PROCESS_SENSOR], sup->board);
		child_watch(&sup->child[PROCESS_INSPECTOR], sup->board);
		if (sup->live) {
			links_watch(sup);
			drops_watch(sup);
		}
		nonsense_watch(sup);
		tidings_flush(&sup->tidings);
		stop_watch(sup);
		stop_call(sup);
		if (sup->stop >= BOARD_NO_RECORDER)
			child_kill(&sup->child[PROCESS_INSPECTOR]); /* nobody hears it any more */
		if (sup->options->for_us &&
		    child_clock_us() - sup->ready_us >= sup->options->for_us)
			stop(sup);
		export_watch(sup);
		found_show(sup);
		progress(sup);
	}
}

/* ------------------------------------------------------------------ the run */

static int set_up(struct supervisor *sup, struct capture *capture, struct err *err)
{
	const struct capture_options *inputs = &sup->options->capture;
	int r = crew_fill(sup, capture, err);

	if (r >= 0)
		r = sandbox_users_find(sup->options->dir, &sup->crew.users, err);
	if (r >= 0 && sup->live)
		r = links_new(inputs->inputs, inputs->input_count, &sup->links, err);
	for (size_t i = 0; i < inputs->input_count && sup->live; i++)
		sup->link[i].handled = true;
	for (unsigned role = 0; role < PROCESS_COUNT; role++)
		sup->child[role].role = role;
	return r;
}

static void tear_down(struct supervisor *sup)
{
	for (unsigned role = 0; role < PROCESS_COUNT; role++)
		child_kill(&sup->child[role]);
	links_free(sup->links);
	ring_free(sup->crew.facts);
	ring_free(sup->crew.packets);
	ring_free(sup->crew.opinions);
	ring_free(sup->crew.control);
	ring_free(sup->crew.found);
	board_free(sup->board);
	closep(&sup->crew.image);
	closep(&sup->crew.eve);
	closep(&sup->crew.signals);
}

static int result_take(struct supervisor *sup, struct run_result *result, struct flowdb **ret_db,
                       struct err *err)
{
	board_result(sup->board, result);
	result->refused += result->refused_opinions + sup->board->counters.names_refused;
	for (unsigned role = 0; role < PROCESS_COUNT; role++)
		result->restarts[role] = sup->child[role].forks ? sup->child[role].forks - 1 : 0;
	if (sup->failed) {
		*err = sup->err;
		return sup->failed;
	}
	return sup->crew.image >= 0 ? flowdb_load(sup->crew.image, ret_db, err) : 0;
}

int supervisor_run(const struct run_options *options, struct capture *capture,
                   struct run_result *result, struct flowdb **ret_db, struct err *err)
{
	struct supervisor sup = {
		.options = options,
		.live = options->capture.live,
		.crew = {.image = -1, .eve = -1, .signals = -1},
	};
	bool made = false;
	sigset_t before;
	int r = signals_take(&sup, &before, err);

	if (r >= 0)
		r = dir_make(options->dir, &made, err);
	if (r >= 0)
		r = set_up(&sup, capture, err);
	if (r >= 0)
		r = begin(&sup, err);
	if (r >= 0) {
		supervise(&sup);
		found_show(&sup);
		progress(&sup);
		r = result_take(&sup, result, ret_db, err);
	} else if (made) {
		rmdir(options->dir);
	}
	tear_down(&sup);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

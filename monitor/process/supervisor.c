/*
 * supervisor.c - see supervisor.h. It parses nothing that came from the wire: it looks at exit codes,
 * clocks and numbers on the board. Invariants:
 *  (1) Whoever dies is replaced until the run ends; one that died without having done anything waits a
 *      little first.
 *  (2) What a role missed while it was away is told to the recorder before its successor begins.
 *  (3) The run ends from left to right: sensor, inspector and recorder, exporter.
 */
#include "monitor/process/supervisor.h"
#include "monitor/process/supervision.h"
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

#define RING_OPINIONS (1u << 20)
#define RING_CONTROL (1u << 20)
#define RING_FOUND (1u << 20)
#define END_US 1500000    /* for a database that cannot be written */
#define EXPORT_US 5000000 /* for an exporter, when all is written */
#define PATIENCE_US 1500000 /* for a sensor that was told to end and moves no more */

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
	crew->session = run_session();
	for (size_t i = 0; i < capture_input_count(capture); i++)
		text_add(crew->input_names, sizeof(crew->input_names), "%s%s", i ? ", " : "",
		         capture_input(capture, i)->name);
	crew->board = sup->board = board_new();
	crew->facts = ring_new((size_t)options->memory.most[MEMORY_FACTS] << 10);
	crew->packets = ring_new((size_t)options->memory.most[MEMORY_PACKETS] << 10);
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
		crew->eve = open(options->eve, O_RDWR | O_NONBLOCK | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
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

int supervisor_start(struct supervisor *sup, enum process_role role, struct err *err)
{
	return child_fork(&sup->child[role], &sup->crew, MAIN[role], err);
}

/* As supervisor_start(), and whatever keeps it from beginning is an error of the run. */
static int start_first(struct supervisor *sup, enum process_role role, struct err *err)
{
	struct child_end end;
	int r = supervisor_start(sup, role, err);

	if (r < 0)
		return r;
	if (child_await(&sup->child[role], &sup->crew, &end))
		return 0;
	if (end.exit_code == CREW_FAILED || end.exit_code == CREW_FULL) {
		board_err(sup->board, role, err);
		if (role == PROCESS_EXPORTER)
			text_add(err->text, sizeof(err->text),
			         " (for the exporter, who is another user than the owner)");
		return err->code;
	}
	return err_set(err, -EIO, "the %s could not begin: %s", process_role_name(role), end.text);
}

/* Only what the kernel lacks: that an ordinary user cannot become another one goes without saying. */
static void say_missing(const struct supervisor *sup)
{
	char missing[SANDBOX_MISSING];

	board_missing(sup->board, PROCESS_SENSOR, missing);
	if (strstr(missing, "landlock") || strstr(missing, "seccomp"))
		log_warning("the sandbox of the roles is without %s; 'tlmon doctor' says more", missing);
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
	say_missing(sup);
	if (sup->live)
		capture_detach(sup->crew.capture);
	sup->ready_us = child_clock_us();
	return 0;
}

/* ------------------------------------------------------------------ ending */

void supervisor_bells(struct supervisor *sup)
{
	for (unsigned role = 0; role < PROCESS_COUNT; role++)
		bell_ring(&sup->board->bell[role]);
}

void supervisor_stop_at(struct supervisor *sup, enum board_stop stop)
{
	if (stop <= sup->stop)
		return;
	sup->stop = stop;
	if (!sup->end_us)
		sup->end_us = child_clock_us();
	sup->stop_us = sup->stop_moved_us = child_clock_us();
	atomic_store(&sup->board->stop, stop);
	supervisor_bells(sup);
}

static void stop(struct supervisor *sup)
{
	if (sup->stop < BOARD_STOP && sup->unwritten &&
	    !board_time(&sup->board->role[PROCESS_RECORDER].ready_us))
		log_note("%s; a last try, then it ends without what is not written",
		         sup->err.text);
	if (!sup->live && sup->crew.asked == 1)
		sup->end_us = child_clock_us(); /* the files may have been read long ago */
	supervisor_stop_at(sup, sup->child[PROCESS_SENSOR].pid ? BOARD_STOP : BOARD_NO_SENSOR);
}

/* The run ends by itself: nothing is cut that may still be answered. */
static void finish(struct supervisor *sup)
{
	if (sup->stop < BOARD_STOP && sup->options->exercised)
		atomic_store(&sup->board->patient, 1);
	stop(sup);
}

void supervisor_fail(struct supervisor *sup, int error)
{
	sup->failed = sup->err.code = error;
	for (unsigned role = 0; role < PROCESS_COUNT; role++)
		child_kill(&sup->child[role]);
}

bool supervisor_wants(const struct supervisor *sup, enum process_role role)
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
	       (sup->stop >= BOARD_NO_RECORDER && !supervisor_wants(sup, PROCESS_EXPORTER));
}

/* A sensor that waits for standard input hears no bell. */
static void stop_call(const struct supervisor *sup)
{
	if (sup->stop >= BOARD_STOP && sup->child[PROCESS_SENSOR].pid)
		kill(sup->child[PROCESS_SENSOR].pid, SIGUSR1);
}

/*
 * The end is asked for, and the database cannot be written: it is not waited for longer than
 * that. That all files are read ends no waiting.
 */
static void stop_unwritten(struct supervisor *sup)
{
	if (sup->stop < BOARD_STOP || (!sup->live && !sup->crew.asked) || !sup->unwritten ||
	    sup->child[PROCESS_RECORDER].pid || child_clock_us() - sup->end_us < END_US)
		return;
	text_add(sup->err.text, sizeof(sup->err.text), "%s",
	         sup->live ? "; what was not written by now is lost"
	                   : "; the same command goes on behind what is written");
	supervisor_fail(sup, sup->err.code ? sup->err.code : -EIO);
}

/* An exporter whose reader does not read, or whose database is gone. */
static void stop_unexported(struct supervisor *sup)
{
	if (sup->stop < BOARD_NO_RECORDER || sup->exported || sup->crew.eve < 0)
		return;
	if (!sup->export_us)
		sup->export_us = child_clock_us();
	if (child_clock_us() - sup->export_us < EXPORT_US)
		return;
	log_warning("--eve %s: not all findings could be written there", sup->options->eve);
	child_kill(&sup->child[PROCESS_EXPORTER]);
	sup->exported = true;
}

/* A sensor that was told to end and neither ends nor writes: stopped, or in a loop. */
static void stop_watch(struct supervisor *sup)
{
	uint64_t written = ring_written(sup->crew.facts);
	int64_t now_us = child_clock_us();

	stop_unwritten(sup);
	stop_unexported(sup);
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

/* ----------------------------------------------------------------- looking */

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
		} else if (!sup->crew.asked || info.ssi_signo == SIGHUP) {
			sup->crew.asked++;
			atomic_store(&sup->board->patient, 0);
			stop(sup);
		} else { /* a second one means it; a terminal that closes may hang up twice */
			supervisor_fail(sup, -EINTR);
			_exit(128 + (int)info.ssi_signo);
		}
	}
}

static bool is_enough(const struct supervisor *sup)
{
	const struct run_options *options = sup->options;

	return (options->for_us && child_clock_us() - sup->ready_us >= options->for_us) ||
	       (sup->live && options->enough && options->enough(options->context));
}

static void supervise(struct supervisor *sup)
{
	struct pollfd wait = {.fd = sup->crew.signals, .events = POLLIN};

	while (!is_over(sup)) {
		poll(&wait, 1, SUPERVISOR_LOOK_MS);
		signals_read(sup);
		for (unsigned role = 0; role < PROCESS_COUNT; role++) {
			struct child_end end;

			if (child_ended(&sup->child[role], sup->board, &end))
				succession_ended(sup, role, &end);
			succession_up(sup, role);
			keeper_look(&sup->crew.keeper, sup->crew.capture, sup->board);
			succession_restart(sup, role);
		}
		lookout_hands(sup);
		if (sup->live) {
			lookout_links(sup);
			lookout_drops(sup);
		}
		lookout_nonsense(sup);
		lookout_database(sup);
		tidings_flush(&sup->tidings);
		stop_watch(sup);
		stop_call(sup);
		if (sup->stop >= BOARD_NO_RECORDER)
			child_kill(&sup->child[PROCESS_INSPECTOR]); /* nobody hears it any more */
		if (sup->stop >= BOARD_STOP &&
		    child_clock_us() - sup->end_us >= RUN_PATIENCE_US)
			atomic_store(&sup->board->patient, 0);
		lookout_export(sup);
		lookout_found(sup);
		progress(sup);
		if (is_enough(sup))
			finish(sup);
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
		r = links_new(inputs->inputs, inputs->input_count, &sup->crew.links, err);
	for (size_t i = 0; i < inputs->input_count && sup->live; i++)
		sup->link[i].handled = true;
	if (r >= 0)
		r = keeper_begin(&sup->crew.keeper, sup->options, err);
	if (r >= 0)
		keeper_take(&sup->crew.keeper, capture);
	for (unsigned role = 0; role < PROCESS_COUNT; role++)
		sup->child[role].role = role;
	return r;
}

static void tear_down(struct supervisor *sup)
{
	for (unsigned role = 0; role < PROCESS_COUNT; role++)
		child_kill(&sup->child[role]);
	keeper_end(&sup->crew.keeper);
	links_free(sup->crew.links);
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
		result->restarts[role] = sup->child[role].restarts;
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
		if (sup.crew.asked)
			stop(&sup);
		supervise(&sup);
		lookout_found(&sup);
		progress(&sup);
		r = result_take(&sup, result, ret_db, err);
	} else if (made) {
		rmdir(options->dir);
	}
	tear_down(&sup);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

/*
 * crew.c - see crew.h.
 */
#include "monitor/process/crew.h"
#include "monitor/capture/mirror.h"
#include "monitor/process/title.h"
#include "monitor/log.h"

#include <time.h>
#include <unistd.h>

static void drop(struct ring **ring)
{
	ring_free(*ring);
	*ring = NULL;
}

/* A ring that is not mapped cannot be written to. */
static void rings_leave(struct crew *crew, enum process_role role)
{
	bool recorder = role == PROCESS_RECORDER, sensor = role == PROCESS_SENSOR,
	     inspector = role == PROCESS_INSPECTOR;

	if (!recorder && !sensor)
		drop(&crew->facts);
	if (!recorder && !sensor && !inspector)
		drop(&crew->packets);
	if (!recorder && !inspector)
		drop(&crew->opinions);
	if (!recorder) {
		drop(&crew->control);
		drop(&crew->found);
	}
}

int crew_leave(struct crew *crew, enum process_role role)
{
	struct err err;

	crew->role = role;
	rings_leave(crew, role);
	closep(&crew->signals);
	links_free(crew->links);
	if (role != PROCESS_SENSOR) {
		/* The recorder may have to read a file for its hash, and does it itself before it reads events. */
		if (role != PROCESS_RECORDER || crew->options->capture.live)
			capture_detach(crew->capture);
		mirror_free(crew->options->mirror); /* what is not mapped cannot be written to */
	}
	if (role != PROCESS_RECORDER)
		closep(&crew->image);
	if (role != PROCESS_EXPORTER)
		closep(&crew->eve);
	return board_keep(crew->board, role, &err) < 0 ? crew_fail(crew, &err) : 0;
}

int64_t crew_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int crew_fail(struct crew *crew, const struct err *err)
{
	crew->board->role[crew->role].err = *err;
	return CREW_FAILED;
}

/* Whatever comes back is said; what is killed says so by itself. */
static void try(const struct crew *crew, enum process_role role)
{
	const struct run_test *test = &crew->options->test;
	int r;

	if (!test->try_what || test->try_role != role)
		return;
	r = sandbox_try(test->try_what);
	if (r < 0)
		log_note("test: %s: %s: refused (%s)", process_role_name(role), test->try_what,
		         strerror(-r));
	else
		log_error("test: %s: %s: it can", process_role_name(role), test->try_what);
}

int crew_enter(struct crew *crew, enum process_role role, const char *dir, uint64_t memory)
{
	struct board *board = crew->board;
	struct sandbox_options options = {
		.role = role, .users = crew->users, .dir = dir, .memory = memory};
	char title[64];
	struct err err;
	int r;

	snprintf(title, sizeof(title), "tlmon: %s (%slandlock)", process_role_name(role),
	         sandbox_landlock() ? "" : "no ");
	title_set(title);
	tzset(); /* reads /etc/localtime now: nDPI converts the times of certificates */
	r = sandbox_enter(&options, board->role[role].missing, &err);
	if (r < 0) {
		crew_fail(crew, &err);
		return r;
	}
	try(crew, role);
	return 0;
}

void crew_ready(struct crew *crew, enum process_role role)
{
	atomic_store(&crew->board->role[role].ready_us, crew_now_us());
	bell_ring(&crew->board->bell[PROCESS_SUPERVISOR]);
}

/* xorshift64*: the seed decides who sleeps when. */
void crew_delay(struct crew *crew, uint64_t *state)
{
	if (!crew->options->test.delay)
		return;
	if (!*state)
		*state = crew->options->test.delay * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)getpid();
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	if (*state * UINT64_C(0x2545f4914f6cdd1d) >> 61 == 0)
		usleep((useconds_t)(*state >> 40 & 0x1fff));
}
